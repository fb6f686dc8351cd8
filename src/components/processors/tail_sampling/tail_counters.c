/*
 * tail_counters: under the names that the Go collector's processor has.
 */
#include <stdlib.h>

#include "tail_internal.h"

#define PREFIX "otelcol_processor_tail_sampling_"

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

static bool add_votes(struct hf_tail *tail, struct hf_series **series, const char *policy)
{
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
    counters->votes = calloc(count * (HF_TAIL_DROPPED + 1), sizeof(struct hf_series *));
    bool is_whole =
        counters->taken != NULL && counters->early != NULL && counters->in_memory != NULL &&
        counters->votes != NULL &&
        add_pair(tail, counters->global, PREFIX "global_count_traces_sampled",
                 "Traces by their verdict.") &&
        add_pair(tail, counters->from_memory, PREFIX "early_releases_from_cache_decision",
                 "Traces with late spans whose verdict was in the decision cache.");
    for (size_t i = 0; i < count && is_whole; i++) {
        is_whole = add_votes(tail, &counters->votes[i * (HF_TAIL_DROPPED + 1)], policies[i].name);
    }
    return is_whole ? HF_OK : HF_NOMEM;
}

void hf_sampling_tail_count_votes(const struct hf_tail *tail, enum hf_sampling_tail_verdict verdict)
{
    const struct hf_sampling_tail_counters *counters = &tail->counters;
    for (size_t i = 0; i < tail->config->policies.count; i++) {
        if (tail->votes[i] != HF_TAIL_UNDECIDED) {
            struct hf_series **of_policy = &counters->votes[i * (HF_TAIL_DROPPED + 1)];
            hf_series_add(of_policy[HF_TAIL_UNDECIDED], 1);
            hf_series_add(of_policy[tail->votes[i]], 1);
        }
    }
    hf_series_add(counters->global[verdict == HF_TAIL_SAMPLED], 1);
}
