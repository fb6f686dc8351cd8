/*
 * cpu: time in each state per processor, from /proc/stat; how many processors there are; their
 * frequency.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "util/checksum.h"

#define CPUS_MAX 8192u /* the kernel's own limit */

#define METRICS(X)                                                                                 \
    X(CPU_FREQUENCY, "system.cpu.frequency", "Hz", GAUGE, off,                                     \
      "Current frequency of the processor.")                                                       \
    X(CPU_LOGICAL, "system.cpu.logical.count", "{cpu}", UPDOWN, on,                                \
      "Number of logical processors.")                                                             \
    X(CPU_PHYSICAL, "system.cpu.physical.count", "{cpu}", UPDOWN, off,                             \
      "Number of physical processors.")                                                            \
    X(CPU_TIME, "system.cpu.time", "s", COUNTER, on,                                               \
      "Seconds that each logical processor spent in each state.")                                  \
    X(CPU_UTILIZATION, "system.cpu.utilization", "1", GAUGE, off,                                  \
      "Share of the time since the last scrape that each logical processor spent in each state.")

enum { METRICS(HOST_METRIC_ID) METRIC_COUNT };
static const struct host_metric metrics[] = {METRICS(HOST_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HOST_METRIC_FIELD) HF_FIELDS_END};

struct cpu_config {
    bool enabled[METRIC_COUNT];
};

/* The states in the order of their points, with their columns in /proc/stat. */
#define STATE_COUNT 8u
static const struct {
    struct hf_slice name;
    unsigned column;
} states[STATE_COUNT] = {
    {HOST_TEXT("user"), 0},      {HOST_TEXT("system"), 2}, {HOST_TEXT("idle"), 3},
    {HOST_TEXT("interrupt"), 5}, {HOST_TEXT("nice"), 1},   {HOST_TEXT("softirq"), 6},
    {HOST_TEXT("steal"), 7},     {HOST_TEXT("wait"), 4},
};

struct cpu_times {
    char name[16]; /* "cpu0" */
    uint64_t ticks[STATE_COUNT];
};

struct cpu_list {
    struct cpu_times *cpus;
    size_t count, capacity;
};

struct cpu {
    const struct cpu_config *config;
    struct cpu_list now, before;
};

static struct cpu_times *add_cpu(struct cpu_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct cpu_times *grown =
            capacity <= CPUS_MAX ? reallocarray(list->cpus, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        list->cpus = grown;
        list->capacity = capacity;
    }
    return &list->cpus[list->count++];
}

/* The lines "cpu0 ..." of /proc/stat. */
static bool read_times(struct cpu *cpu, struct host *host)
{
    struct hf_slice text, line, word;
    cpu->now.count = 0;
    if (!host_read_proc(host, &text, "stat")) {
        return false;
    }
    while (host_next_line(&text, &line) && host_starts_with(line, "cpu")) {
        if (!host_next_word(&line, &word) || word.size == 3 ||
            word.size >= sizeof(cpu->now.cpus->name)) {
            continue;
        }
        struct cpu_times *times = add_cpu(&cpu->now);
        if (times == NULL) {
            errno = ENOMEM;
            return false;
        }
        *times = (struct cpu_times){0};
        memcpy(times->name, word.data, word.size);
        for (unsigned i = 0; i < STATE_COUNT && host_next_number(&line, &times->ticks[i]); i++) {
        }
    }
    return true;
}

static void put_times(const struct cpu *cpu, struct host_run *run)
{
    if (!host_metric(run, CPU_TIME)) {
        return;
    }
    for (size_t i = 0; i < cpu->now.count; i++) {
        const struct cpu_times *times = &cpu->now.cpus[i];
        for (unsigned k = 0; k < STATE_COUNT; k++) {
            HOST_DOUBLE(run, (double)times->ticks[states[k].column] / run->host->ticks,
                        {"cpu", hf_slice_text(times->name)}, {"state", states[k].name});
        }
    }
}

static const struct cpu_times *find_cpu(const struct cpu_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->cpus[i].name, name) == 0) {
            return &list->cpus[i];
        }
    }
    return NULL;
}

static uint64_t total(const struct cpu_times *times)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        sum += times->ticks[i];
    }
    return sum;
}

/* A processor that came or went since the last scrape has no points. */
static void put_utilization(struct cpu *cpu, struct host_run *run)
{
    bool is_on = cpu->before.count > 0 && host_metric(run, CPU_UTILIZATION);
    for (size_t i = 0; is_on && i < cpu->now.count; i++) {
        const struct cpu_times *now = &cpu->now.cpus[i];
        const struct cpu_times *before = find_cpu(&cpu->before, now->name);
        if (before == NULL) {
            continue;
        }
        double elapsed = (double)total(now) - (double)total(before);
        for (unsigned k = 0; k < STATE_COUNT; k++) {
            unsigned column = states[k].column;
            double spent = (double)now->ticks[column] - (double)before->ticks[column];
            HOST_DOUBLE(run, elapsed > 0 ? spent / elapsed : 0, {"cpu", hf_slice_text(now->name)},
                        {"state", states[k].name});
        }
    }
    struct cpu_list kept = cpu->before;
    cpu->before = cpu->now;
    cpu->now = kept;
}

/* The hashes of files that list a core's threads: one for each core. */
static uint64_t count_contents(struct host *host, const char *file)
{
    char pattern[HOST_PATH_MAX + 96];
    glob_t found;
    uint32_t seen[CPUS_MAX / 8];
    size_t count = 0;
    snprintf(pattern, sizeof(pattern), "%s/devices/system/cpu/cpu[0-9]*/topology/%s", host->sys,
             file);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
        return 0;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct hf_slice text;
        if (!host_read(host, found.gl_pathv[i], &text)) {
            continue;
        }
        uint32_t hash = hf_crc32c(0, text.data, text.size);
        size_t k = 0;
        while (k < count && seen[k] != hash) {
            k++;
        }
        if (k == count && count < sizeof(seen) / sizeof(seen[0])) {
            seen[count++] = hash;
        }
    }
    globfree(&found);
    return count;
}

/* The value behind the colon of a line of /proc/cpuinfo with that key. */
static bool info_value(struct hf_slice line, const char *key, struct hf_slice *ret_value)
{
    const uint8_t *colon = line.size != 0 ? memchr(line.data, ':', line.size) : NULL;
    if (colon == NULL || !host_starts_with(line, key)) {
        return false;
    }
    struct hf_slice rest = hf_slice_of(colon + 1, (size_t)(line.data + line.size - colon - 1));
    struct hf_slice before =
        hf_slice_of(line.data + strlen(key), (size_t)(colon - line.data) - strlen(key));
    struct hf_slice word;
    return !host_next_word(&before, &word) && host_next_word(&rest, ret_value);
}

static void put_frequency(struct host_run *run)
{
    struct hf_slice text, line, value;
    struct hf_slice processor = HF_EMPTY_SLICE;
    if (!run->enabled[CPU_FREQUENCY]) {
        return;
    }
    if (!host_read_proc(run->host, &text, "cpuinfo")) {
        host_failed(run, 1, "reading cpuinfo failed: %s", strerror(errno));
        return;
    }
    bool is_on = host_metric(run, CPU_FREQUENCY);
    while (is_on && host_next_line(&text, &line)) {
        char number[32], name[24];
        if (info_value(line, "processor", &value)) {
            processor = value;
        } else if (info_value(line, "cpu MHz", &value) && value.size < sizeof(number) &&
                   processor.size < 16) {
            memcpy(number, value.data, value.size);
            number[value.size] = '\0';
            snprintf(name, sizeof(name), "cpu%.*s", (int)processor.size,
                     (const char *)processor.data);
            HOST_DOUBLE(run, strtod(number, NULL) * 1e6, {"cpu", hf_slice_text(name)});
        }
    }
}

static void put_counts(struct host_run *run)
{
    if (run->enabled[CPU_PHYSICAL]) {
        uint64_t count = count_contents(run->host, "core_cpus_list");
        count = count != 0 ? count : count_contents(run->host, "thread_siblings_list");
        if (count != 0 && host_metric(run, CPU_PHYSICAL)) {
            host_int(run, count, NULL, 0);
        } else {
            host_failed(run, 1, "no topology of the processors in %s/devices/system/cpu",
                        run->host->sys);
        }
    }
    if (run->enabled[CPU_LOGICAL]) {
        uint64_t count = host_logical_cpus(run->host);
        if (host_metric(run, CPU_LOGICAL)) {
            host_int(run, count, NULL, 0);
        }
    }
}

static void scrape_cpu(void *self, struct host_run *run)
{
    struct cpu *cpu = self;
    if (!read_times(cpu, run->host)) {
        host_failed(run, 2, "reading stat failed: %s", strerror(errno));
    } else {
        put_times(cpu, run);
        put_utilization(cpu, run);
    }
    put_counts(run);
    put_frequency(run);
}

static enum hf_status open_cpu(const void *config, struct host *host, void **ret_self, char *reterr)
{
    (void)host;
    struct cpu *cpu = calloc(1, sizeof(*cpu));
    if (cpu == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    cpu->config = config;
    *ret_self = cpu;
    return HF_OK;
}

static void close_cpu(void *self)
{
    struct cpu *cpu = self;
    free(cpu->now.cpus);
    free(cpu->before.cpus);
    free(cpu);
}

HOST_CHECK_ROOM(struct cpu_config);

const struct hf_field host_cpu_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_cpu = {
    .name = "cpu",
    .metrics = metrics,
    .open = open_cpu,
    .scrape = scrape_cpu,
    .close = close_cpu,
};
