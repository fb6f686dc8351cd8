/*
 * processes: how many processes there are in each state, and how many were ever made.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

#define METRICS(X)                                                                                 \
    X(PROCESSES_COUNT, "system.processes.count", "{processes}", UPDOWN, on, "Processes by state.") \
    X(PROCESSES_CREATED, "system.processes.created", "{processes}", COUNTER, on,                   \
      "Processes created.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct processes_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

enum {
    BLOCKED,
    DAEMON,
    DETACHED,
    IDLE,
    LOCKED,
    ORPHAN,
    PAGING,
    RUNNING,
    SLEEPING,
    STOPPED,
    SYSTEM,
    UNKNOWN,
    ZOMBIES,
    STATE_COUNT
};

static const struct {
    struct hf_slice name;
    const char *letters; /* in /proc/PID/stat */
} states[STATE_COUNT] = {
    [BLOCKED] = {HOST_TEXT("blocked"), "DU"},  [DAEMON] = {HOST_TEXT("daemon"), "A"},
    [DETACHED] = {HOST_TEXT("detached"), "E"}, [IDLE] = {HOST_TEXT("idle"), "I"},
    [LOCKED] = {HOST_TEXT("locked"), "L"},     [ORPHAN] = {HOST_TEXT("orphan"), "O"},
    [PAGING] = {HOST_TEXT("paging"), "W"},     [RUNNING] = {HOST_TEXT("running"), "R"},
    [SLEEPING] = {HOST_TEXT("sleeping"), "S"}, [STOPPED] = {HOST_TEXT("stopped"), "Tt"},
    [SYSTEM] = {HOST_TEXT("system"), "Y"},     [UNKNOWN] = {HOST_TEXT("unknown"), ""},
    [ZOMBIES] = {HOST_TEXT("zombies"), "Z"},
};

static unsigned state_of(char letter)
{
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        if (letter != '\0' && strchr(states[i].letters, letter) != NULL) {
            return i;
        }
    }
    return UNKNOWN;
}

/* Counts the states and the processes. Of one that ends meanwhile the state is not known. */
static bool count_states(struct host *host, uint64_t *counts, uint64_t *ret_all)
{
    uint64_t all = 0;
    DIR *folder = opendir(host->proc);
    if (folder == NULL) {
        return false;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct hf_slice text;
        uint64_t pid;
        if (!host_number_of(hf_slice_text(entry->d_name), 10, &pid)) {
            continue;
        }
        all++;
        if (!host_read_proc(host, &text, "%s/stat", entry->d_name)) {
            continue;
        }
        /* "PID (name) S ...": the name may hold anything. */
        const uint8_t *end = text.size != 0 ? memrchr(text.data, ')', text.size) : NULL;
        if (end != NULL && end + 2 < text.data + text.size) {
            counts[state_of((char)end[2])]++;
        }
    }
    closedir(folder);
    *ret_all = all;
    return true;
}

struct totals {
    uint64_t created, running, blocked;
};

static bool read_totals(struct host *host, struct totals *totals)
{
    struct hf_slice text, line, key;
    *totals = (struct totals){0};
    if (!host_read_proc(host, &text, "stat")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        uint64_t number;
        if (!host_next_word(&line, &key) || !host_next_number(&line, &number)) {
            continue;
        }
        if (hf_slice_is(key, "processes")) {
            totals->created = number;
        } else if (hf_slice_is(key, "procs_running")) {
            totals->running = number;
        } else if (hf_slice_is(key, "procs_blocked")) {
            totals->blocked = number;
        }
    }
    return true;
}

static void scrape_processes(void *self, struct host_run *run)
{
    uint64_t counts[STATE_COUNT] = {0};
    uint64_t all = 0;
    struct totals totals;
    (void)self;
    if ((host_wants(run, PROCESSES_COUNT) && !count_states(run->host, counts, &all)) ||
        !read_totals(run->host, &totals)) {
        host_failed(run, METRIC_COUNT, "reading the processes failed: %s", strerror(errno));
        return;
    }
    counts[BLOCKED] = totals.blocked;
    counts[RUNNING] = totals.running;
    uint64_t known = 0;
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        known += counts[i];
    }
    if (all > known) {
        counts[UNKNOWN] = all - known;
    }
    bool is_on = host_metric(run, PROCESSES_COUNT);
    for (unsigned i = 0; is_on && i < STATE_COUNT; i++) {
        if (counts[i] != 0 || i == BLOCKED || i == RUNNING) {
            HOST_INT(run, counts[i], {"status", states[i].name});
        }
    }
    if (host_metric(run, PROCESSES_CREATED)) {
        host_int(run, totals.created, NULL, 0);
    }
}

HOST_CHECK_ROOM(struct processes_config);

const struct hf_field host_processes_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_processes = {
    .name = "processes",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_processes,
};
