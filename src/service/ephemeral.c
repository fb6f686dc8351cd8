#include "ephemeral.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#include "drain_command.h"
#include "util/time/clock.h"

#define VARIABLE "HOLDFAST_EPHEMERAL"
/* A Pod has 30 s unless it says otherwise; the stop itself takes up to 2 s. */
#define DRAIN_NS (25 * HF_NS_PER_S)
#define LOOK_NS (100 * HF_NS_PER_MS)

/* linux/magic.h */
#define OVERLAY 0x794c7630
#define TMPFS 0x01021994
#define RAMFS 0x858458f6

/* The next field of a line, with its octal escapes (a blank is \\040) undone, cut at `room`. */
static const char *take_field(const char *at, char *ret_text, size_t room)
{
    size_t size = 0;
    while (*at != '\0' && *at != ' ' && *at != '\n') {
        char c = *at;
        bool is_escape = c == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
                         at[2] <= '7' && at[3] >= '0' && at[3] <= '7';
        if (is_escape) {
            c = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
        }
        at += is_escape ? 4 : 1;
        if (size + 1 < room) {
            ret_text[size++] = c;
        }
    }
    ret_text[size] = '\0';
    return *at == ' ' ? at + 1 : at;
}

/* How much of the directory's path the mount point is; 0: it does not hold it. */
static size_t holds(const char *point, const char *directory)
{
    size_t size = strlen(point);
    if (strcmp(point, "/") == 0) {
        return 1;
    }
    bool is_above =
        strncmp(directory, point, size) == 0 && (directory[size] == '\0' || directory[size] == '/');
    return is_above ? size + 1 : 0;
}

/* `root` is the part of the file system that is mounted, as the host has it. */
static bool ends_with_pod(const char *root)
{
    const char *volume = strstr(root, "/io.containerd.grpc.v1.cri/containers/");
    return strstr(root, "/kubernetes.io~empty-dir/") != NULL ||
           (volume != NULL && strstr(volume, "/volumes/") != NULL);
}

bool hf_ephemeral_by_mounts(const char *mountinfo, const char *directory)
{
    char skipped[64], root[PATH_MAX], point[PATH_MAX];
    size_t longest = 0;
    bool is_ephemeral = false;
    for (const char *line = mountinfo; *line != '\0';) {
        const char *at = take_field(line, skipped, sizeof(skipped)); /* id */
        at = take_field(at, skipped, sizeof(skipped));               /* parent's id */
        at = take_field(at, skipped, sizeof(skipped));               /* device */
        at = take_field(at, root, sizeof(root));
        take_field(at, point, sizeof(point));
        size_t held = holds(point, directory);
        if (held >= longest && held != 0) { /* a later mount covers an earlier one */
            longest = held;
            is_ephemeral = ends_with_pod(root);
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    return is_ephemeral;
}

static bool is_on_short_lived_mount(const char *directory)
{
    char *path = realpath(directory, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    bool found = false;
    if (path != NULL && file != NULL && getdelim(&text, &size, '\0', file) > 0) {
        found = hf_ephemeral_by_mounts(text, path);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(text);
    free(path);
    return found;
}

bool hf_ephemeral_is(const char *directory)
{
    const char *said = getenv(VARIABLE);
    struct statfs info;
    if (said != NULL && (strcmp(said, "1") == 0 || strcmp(said, "true") == 0)) {
        return true;
    }
    if ((said != NULL && said[0] != '\0') || statfs(directory, &info) != 0) {
        return false;
    }
    unsigned long type = (unsigned long)info.f_type & 0xffffffff;
    return type == OVERLAY || type == TMPFS || type == RAMFS || is_on_short_lived_mount(directory);
}

void hf_ephemeral_tell(struct hf_log *log, struct hf_metrics *metrics, const char *directory,
                       bool is_ephemeral)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_data_directory_ephemeral",
        .type = HF_GAUGE,
        .help = "1: the data directory does not outlive the container, so what is queued is lost "
                "with it."};
    struct hf_series *series = hf_metrics_series(metrics, &family, NULL);
    if (series != NULL) {
        hf_series_set(series, is_ephemeral ? 1 : 0);
    }
    if (is_ephemeral) {
        hf_log_keys(log, HF_LOG_WARN, "service",
                    "the data directory does not outlive the container: what is queued is lost "
                    "when the container is removed; mount a volume there (a stop delivers what it "
                    "can within 25 s; " VARIABLE "=0 if this is wrong)",
                    HF_LOG_KEYS(HF_LOG_TEXT("data_directory", directory)));
    }
}

void hf_ephemeral_drain(struct hf_storage *store, struct hf_log *log)
{
    static const struct timespec look = {.tv_nsec = (long)LOOK_NS};
    uint64_t until_ns = hf_clock_monotonic_ns() + DRAIN_NS;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    hf_storage_set_draining(store, true);
    bool done = hf_drain_is_done(store);
    if (!done) {
        hf_log_line(log, HF_LOG_INFO, "service",
                    "The stop waits up to 25 s for the delivery of what is queued; a second signal "
                    "ends the wait");
    }
    while (!done && hf_clock_monotonic_ns() < until_ns && sigtimedwait(&signals, NULL, &look) < 0) {
        done = hf_drain_is_done(store);
    }
    hf_log_line(log, done ? HF_LOG_INFO : HF_LOG_ERROR, "service",
                done ? "all that was queued is delivered"
                     : "what is still queued stays in the data directory, and is lost with it");
}
