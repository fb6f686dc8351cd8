/*
 * system: how long the machine has been up, from /proc/uptime.
 */
#include <errno.h>
#include <string.h>

#include "source.h"

#define METRICS(X)                                                                                 \
    X(SYSTEM_UPTIME, "system.uptime", "s", GAUGE, on, "Time since the machine was started.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct system_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

static void scrape_system(void *self, struct host_run *run)
{
    struct hf_slice text, word;
    uint64_t seconds;
    (void)self;
    if (!host_read_proc(run->host, &text, "uptime")) {
        host_failed(run, 1, "reading uptime failed: %s", strerror(errno));
        return;
    }
    /* Whole seconds, as of sysinfo(2). */
    const uint8_t *dot = host_next_word(&text, &word) ? memchr(word.data, '.', word.size) : NULL;
    if (dot == NULL ||
        !host_number_of(hf_slice_of(word.data, (size_t)(dot - word.data)), 10, &seconds)) {
        host_failed(run, 1, "uptime does not begin with a number");
        return;
    }
    if (host_metric(run, SYSTEM_UPTIME)) {
        host_double(run, (double)seconds, NULL, 0);
    }
}

HOST_CHECK_ROOM(struct system_config);

const struct hf_field host_system_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_system = {
    .name = "system",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_system,
};
