#include "ephemeral.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#include "drain_command.h"
#include "util/clock.h"

#define VARIABLE "HOLDFAST_EPHEMERAL"
/* A Pod has 30 s unless it says otherwise; the stop itself takes up to 2 s. */
#define DRAIN_NS (25 * HF_NS_PER_S)
#define LOOK_NS (100 * HF_NS_PER_MS)

/* linux/magic.h */
#define OVERLAY 0x794c7630
#define TMPFS 0x01021994
#define RAMFS 0x858458f6

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
    return type == OVERLAY || type == TMPFS || type == RAMFS;
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
