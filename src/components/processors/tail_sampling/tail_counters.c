#include "tail_counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tail_internal.h"
#include "util/time/clock.h"

#define PREFIX "otelcol_processor_tail_sampling_"
#define VOTES ((size_t)HF_TAIL_VERDICT_COUNT) /* series of a policy */

static struct hf_series *series_of(struct hf_tail *tail, const struct hf_metric_family *family,
                                   const struct hf_label *more)
{
    struct hf_label labels[5] = {{"processor", hf_node_id(tail->node)}};
    size_t count = 1;
    for (; more != NULL && more->name != NULL; more++) {
        labels[count++] = *more;
    }
    return hf_metrics_series(hf_node_metrics(tail->node), family, labels);
}

static struct hf_series *plain(struct hf_tail *tail, enum hf_metric_type type, const char *name,
                               const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = type, .unit = "", .help = help};
    return series_of(tail, &family, NULL);
}

static bool add_pair(struct hf_tail *tail, struct hf_series **pair, const char *name,
                     const char *help)
{
    const struct hf_metric_family family = {
        .name = name, .type = HF_COUNTER, .unit = "", .help = help};
    for (size_t sampled = 0; sampled < 2; sampled++) {
        const struct hf_label labels[] = {{"sampled", sampled != 0 ? "true" : "false"},
                                          {NULL, NULL}};
        pair[sampled] = series_of(tail, &family, labels);
    }
    return pair[0] != NULL && pair[1] != NULL;
}

static bool add_global(struct hf_tail *tail)
{
    static const struct {
        const char *sampled, *decision;
    } verdicts[] = {[HF_TAIL_SAMPLED] = {"true", "sampled"},
                    [HF_TAIL_NOT_SAMPLED] = {"false", "not_sampled"},
                    [HF_TAIL_DROPPED] = {"false", "dropped"}};
    const struct hf_metric_family family = {.name = PREFIX "global_count_traces_sampled",
                                            .type = HF_COUNTER,
                                            .unit = "",
                                            .help = "Traces by their verdict."};
    bool is_whole = true;
    for (size_t i = HF_TAIL_SAMPLED; i <= HF_TAIL_DROPPED; i++) {
        const struct hf_label labels[] = {
            {"sampled", verdicts[i].sampled}, {"decision", verdicts[i].decision}, {NULL, NULL}};
        tail->counters.global[i] = series_of(tail, &family, labels);
        is_whole = is_whole && tail->counters.global[i] != NULL;
    }
    return is_whole;
}

static bool add_histograms(struct hf_tail *tail)
{
    static const double milliseconds[] = {1,    2,    5,    10,    25,    50,    75,   100,
                                          150,  200,  300,  400,   500,   750,   1000, 2000,
                                          3000, 4000, 5000, 10000, 20000, 30000, 50000};
    static const double seconds[] = {0,   5,   10,   25,   50,   75,   100,  250,
                                     500, 750, 1000, 2500, 5000, 7500, 10000};
    struct hf_sampling_tail_counters *counters = &tail->counters;
    const struct {
        struct hf_histogram **at;
        struct hf_metric_family family;
    } histograms[] = {{&counters->latency_ms,
                       {.name = PREFIX "sampling_decision_timer_latency",
                        .help = "Milliseconds that a round of decisions takes.",
                        .bounds = milliseconds,
                        .bound_count = sizeof(milliseconds) / sizeof(double)}},
                      {&counters->late_s,
                       {.name = PREFIX "sampling_late_span_age",
                        .help = "Seconds from a verdict to a span that comes after it.",
                        .bounds = seconds,
                        .bound_count = sizeof(seconds) / sizeof(double)}},
                      {&counters->removal_s,
                       {.name = PREFIX "sampling_trace_removal_age",
                        .help = "Seconds from a trace's first span until it is forgotten.",
                        .bounds = seconds,
                        .bound_count = sizeof(seconds) / sizeof(double)}}};
    const struct hf_label labels[] = {{"processor", hf_node_id(tail->node)}, {NULL, NULL}};
    bool is_whole = true;
    for (size_t i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++) {
        struct hf_metric_family family = histograms[i].family;
        family.type = HF_HISTOGRAM;
        family.unit = "";
        *histograms[i].at = hf_metrics_histogram(hf_node_metrics(tail->node), &family, labels);
        is_whole = is_whole && *histograms[i].at != NULL;
    }
    return is_whole;
}

/* As the Go collector: the name of the instance, if it has one, stands before that of the policy.
 */
static const char *label_of(const struct hf_tail *tail, const char *policy, char *room, size_t size)
{
    const char *slash = strchr(hf_node_id(tail->node), '/');
    snprintf(room, size, "%s%s%s", slash != NULL ? slash + 1 : "", slash != NULL ? "." : "",
             policy);
    return room;
}

static bool add_votes(struct hf_tail *tail, struct hf_series **series, const char *name)
{
    char room[512];
    const char *policy = label_of(tail, name, room, sizeof(room));
    static const struct {
        const char *sampled, *decision;
    } votes[] = {[HF_TAIL_SAMPLED] = {"true", "sampled"},
                 [HF_TAIL_NOT_SAMPLED] = {"false", "not_sampled"},
                 [HF_TAIL_DROPPED] = {"false", "dropped"}};
    const struct hf_metric_family asked = {.name = PREFIX "sampling_policy_execution_count",
                                           .type = HF_COUNTER,
                                           .unit = "",
                                           .help = "Traces that the policy was asked about."};
    const struct hf_metric_family voted = {.name = PREFIX "count_traces_sampled",
                                           .type = HF_COUNTER,
                                           .unit = "",
                                           .help = "What the policy said of them."};
    const struct hf_label labels[] = {{"policy", policy}, {NULL, NULL}};
    series[HF_TAIL_UNDECIDED] = series_of(tail, &asked, labels);
    bool is_whole = series[HF_TAIL_UNDECIDED] != NULL;
    for (size_t i = HF_TAIL_SAMPLED; i <= HF_TAIL_DROPPED; i++) {
        const struct hf_label all[] = {{"policy", policy},
                                       {"sampled", votes[i].sampled},
                                       {"decision", votes[i].decision},
                                       {NULL, NULL}};
        series[i] = series_of(tail, &voted, all);
        is_whole = is_whole && series[i] != NULL;
    }
    return is_whole;
}

enum hf_status hf_sampling_tail_counters_open(struct hf_tail *tail)
{
    struct hf_sampling_tail_counters *counters = &tail->counters;
    const struct hf_sampling_tail_policy_config *policies = tail->config->policies.items;
    size_t count = tail->config->policies.count;
    counters->taken =
        plain(tail, HF_COUNTER, PREFIX "new_trace_id_received", "Traces that were new.");
    counters->early = plain(tail, HF_COUNTER, PREFIX "sampling_trace_dropped_too_early",
                            "Traces that num_traces pushed out before decision_wait: they were "
                            "decided with the spans that were there.");
    counters->in_memory = plain(tail, HF_GAUGE, PREFIX "sampling_traces_on_memory",
                                "Traces that wait or are remembered.");
    counters->too_large = plain(tail, HF_COUNTER, PREFIX "traces_dropped_too_large",
                                "Traces above maximum_trace_size_bytes.");
    counters->failed = plain(tail, HF_COUNTER, PREFIX "sampling_policy_evaluation_error",
                             "Policies that had no vote on a trace, as a condition failed.");
    counters->votes = calloc(count * VOTES, sizeof(struct hf_series *));
    counters->new_votes = calloc(count * VOTES, sizeof(uint64_t));
    bool is_whole =
        counters->taken != NULL && counters->early != NULL && counters->in_memory != NULL &&
        counters->votes != NULL && counters->new_votes != NULL && counters->too_large != NULL &&
        counters->failed != NULL && add_global(tail) && add_histograms(tail) &&
        add_pair(tail, counters->from_memory, PREFIX "early_releases_from_cache_decision",
                 "Late spans of traces whose verdict was in the decision cache.");
    for (size_t i = 0; i < count && is_whole; i++) {
        is_whole = add_votes(tail, &counters->votes[i * VOTES], policies[i].name);
    }
    return is_whole ? HF_OK : HF_NOMEM;
}

void hf_sampling_tail_counters_release(struct hf_sampling_tail_counters *counters)
{
    free(counters->votes);
    free(counters->new_votes);
}

void hf_sampling_tail_count_votes(struct hf_tail *tail)
{
    for (size_t i = 0; i < tail->config->policies.count; i++) {
        tail->counters.new_votes[i * VOTES + tail->votes[i]]++;
    }
}

void hf_sampling_tail_count_verdict(struct hf_tail *tail, enum hf_sampling_tail_verdict verdict)
{
    tail->counters.new_global[verdict]++;
}

static void show(struct hf_series *series, uint64_t *count)
{
    if (*count != 0) {
        hf_series_add(series, (int64_t)*count);
        *count = 0;
    }
}

static void show_votes(struct hf_series **series, struct hf_series *failed, uint64_t *counts)
{
    uint64_t asked = 0;
    for (size_t i = HF_TAIL_SAMPLED; i < VOTES; i++) {
        asked += counts[i];
        show(i == HF_TAIL_FAILED ? failed : series[i], &counts[i]);
    }
    show(series[HF_TAIL_UNDECIDED], &asked);
}

void hf_sampling_tail_counters_show(struct hf_tail *tail)
{
    struct hf_sampling_tail_counters *counters = &tail->counters;
    for (size_t i = 0; i < tail->config->policies.count; i++) {
        show_votes(&counters->votes[i * VOTES], counters->failed, &counters->new_votes[i * VOTES]);
    }
    for (size_t i = HF_TAIL_SAMPLED; i <= HF_TAIL_DROPPED; i++) {
        show(counters->global[i], &counters->new_global[i]);
    }
    show(counters->taken, &counters->new_taken);
    hf_series_set(counters->in_memory, (int64_t)tail->table.count);
}

void hf_sampling_tail_observe_age(struct hf_histogram *histogram, uint64_t from_ns,
                                  uint64_t until_ns)
{
    hf_histogram_observe(histogram, until_ns > from_ns ? (until_ns - from_ns) / HF_NS_PER_S : 0);
}
