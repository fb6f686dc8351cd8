/*
 * load: the load averages, from /proc/loadavg.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define METRICS(X)                                                                                 \
    X(LOAD_15M, "system.cpu.load_average.15m", "{thread}", GAUGE, on,                              \
      "Load average over 15 minutes.")                                                             \
    X(LOAD_1M, "system.cpu.load_average.1m", "{thread}", GAUGE, on, "Load average over 1 minute.") \
    X(LOAD_5M, "system.cpu.load_average.5m", "{thread}", GAUGE, on, "Load average over 5 minutes.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct load_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
    bool cpu_average;
};

static bool next_double(struct hf_slice *line, double *ret_value)
{
    struct hf_slice word;
    char text[32];
    char *end;
    if (!host_next_word(line, &word) || word.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    *ret_value = strtod(text, &end);
    return *end == '\0';
}

/* Processors that this process may use. */
static double usable_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}

static void scrape_load(void *self, struct host_run *run)
{
    static const unsigned order[] = {LOAD_1M, LOAD_5M, LOAD_15M};
    const struct load_config *config = self;
    struct hf_slice text;
    double loads[3];
    if (!host_read_proc(run->host, &text, "loadavg")) {
        host_failed(run, METRIC_COUNT, "reading loadavg failed: %s", strerror(errno));
        return;
    }
    if (!next_double(&text, &loads[0]) || !next_double(&text, &loads[1]) ||
        !next_double(&text, &loads[2])) {
        host_failed(run, METRIC_COUNT, "loadavg is not three numbers");
        return;
    }
    double divisor = config->cpu_average ? usable_cpus() : 1;
    for (unsigned i = 0; i < 3; i++) {
        if (host_metric(run, order[i])) {
            host_double(run, loads[i] / divisor, NULL, 0);
        }
    }
}

HOST_CHECK_ROOM(struct load_config);

const struct hf_field host_load_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    {.key = "cpu_average",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct load_config, cpu_average),
     .default_text = "false",
     .help = "Divide the averages by the number of processors."},
    HF_FIELDS_END,
};

const struct host_source host_load = {
    .name = "load",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_load,
};
