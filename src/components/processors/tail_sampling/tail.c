/*
 * tail: the life of the whole, and its ticks.
 */
#include "tail.h"

#include <stdlib.h>

#include "tail_internal.h"
#include "util/time/clock.h"

#define BLOCKED_NS (5 * HF_NS_PER_MS) /* until more can be emitted */

/* ---- ticks ---- */

uint64_t hf_sampling_tail_go_on(struct hf_tail *tail, uint64_t unix_ns)
{
    if (!hf_sampling_tail_load(tail) || !hf_sampling_tail_put_into_effect(tail)) {
        return HF_TAIL_TICK_NS;
    }
    bool is_more = hf_sampling_tail_decide_due(tail, unix_ns);
    if (!hf_sampling_tail_put_into_effect(tail)) {
        return HF_TAIL_TICK_NS;
    }
    hf_sampling_tail_emit(tail);
    hf_sampling_tail_counters_show(tail);
    return !is_more ? HF_TAIL_TICK_NS : tail->to_emit_count < TO_EMIT_MAX ? 0 : BLOCKED_NS;
}

uint64_t hf_sampling_tail_tick(struct hf_tail *tail, uint64_t unix_ns)
{
    bool is_behind = tail->is_fed && tail->newest_ns < unix_ns;
    tail->until_ns = is_behind ? tail->newest_ns : unix_ns;
    tail->is_fed = false;
    return hf_sampling_tail_go_on(tail, unix_ns);
}

/* ---- life ---- */

#define REMEMBERED_MAX 500000u

/* Verdicts to keep over a restart: those of the caches, and of the traces in memory. */
static size_t remembered(const struct hf_sampling_tail_config *config)
{
    int64_t most = config->num_traces < REMEMBERED_MAX ? config->num_traces : REMEMBERED_MAX;
    const int64_t caches[] = {config->decision_cache.sampled_cache_size,
                              config->decision_cache.non_sampled_cache_size};
    for (size_t i = 0; i < 2; i++) {
        most = caches[i] > most ? caches[i] : most;
    }
    return (size_t)most;
}

static bool needs_bytes(const struct hf_sampling_tail_policy_config *policies, size_t count)
{
    bool needs = false;
    for (size_t i = 0; i < count && !needs; i++) {
        const struct hf_sampling_tail_policy_config *policy = &policies[i];
        const struct hf_struct_list *inner = &policy->composite.policies;
        needs = policy->type == HF_TAIL_BYTES ||
                (policy->not_policy != NULL && needs_bytes(policy->not_policy, 1)) ||
                needs_bytes(policy->all_of.items, policy->all_of.count) ||
                needs_bytes(inner->items, inner->count);
    }
    return needs;
}

static void condition_failed(struct hf_ottl_watch *watch, const char *text, const char *error)
{
    const struct hf_sampling_tail_watch *own =
        HF_CONTAINER(watch, struct hf_sampling_tail_watch, watch);
    hf_ottl_errors_meet(own->errors, text, error, false);
}

static enum hf_status init_policies(struct hf_tail *tail)
{
    enum hf_status status = hf_sampling_tail_policies_new(tail->config, &tail->policies);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_ottl_groups *groups = hf_sampling_tail_policies_groups(tail->policies);
    if (groups->count == 0) {
        return HF_OK;
    }
    tail->watch.watch.error = condition_failed;
    tail->watch.errors = hf_ottl_errors_new(tail->node, groups);
    hf_sampling_tail_policies_watch(tail->policies, &tail->watch.watch);
    return tail->watch.errors != NULL ? HF_OK : HF_NOMEM;
}

enum hf_status hf_sampling_tail_new(struct hf_node *node,
                                    const struct hf_sampling_tail_config *config,
                                    struct hf_tail **ret_tail)
{
    struct hf_tail *tail = calloc(1, sizeof(*tail));
    if (tail == NULL) {
        return HF_NOMEM;
    }
    hf_trace_seed();
    tail->node = node;
    tail->config = config;
    tail->to_emit_end = &tail->to_emit;
    tail->sampled.limit = (size_t)config->decision_cache.sampled_cache_size;
    tail->not_sampled.limit = (size_t)config->decision_cache.non_sampled_cache_size;
    tail->needs_bytes = config->maximum_trace_size_bytes != 0 ||
                        needs_bytes(config->policies.items, config->policies.count);
    tail->votes = calloc(config->policies.count, sizeof(*tail->votes));
    enum hf_status status = tail->votes != NULL ? init_policies(tail) : HF_NOMEM;
    status = status == HF_OK ? hf_sampling_tail_counters_open(tail) : status;
    if (status == HF_OK) {
        status = hf_sampling_tail_journal_new(node, remembered(config), &tail->journal);
    }
    if (status != HF_OK) {
        hf_sampling_tail_free(tail);
        return status;
    }
    *ret_tail = tail;
    return HF_OK;
}

/* An input is freed with its last span: so each trace's spans are let go, one place at a time. */
static void let_go(struct hf_trace *trace)
{
    struct hf_sampling_tail_place *next = trace->places;
    while (next != NULL) {
        struct hf_sampling_tail_place *place = next;
        struct hf_sampling_tail_input *input = hf_sampling_tail_input_of(place);
        next = place->next;
        input->open -= place->spans;
        if (input->open == 0) {
            free(input);
        }
    }
}

void hf_sampling_tail_free(struct hf_tail *tail)
{
    if (tail == NULL) {
        return;
    }
    hf_trace_each(&tail->table, let_go);
    hf_trace_table_release(&tail->table);
    hf_id_memory_release(&tail->sampled);
    hf_id_memory_release(&tail->not_sampled);
    hf_id_memory_release(&tail->before[0]);
    hf_id_memory_release(&tail->before[1]);
    hf_sampling_tail_journal_free(tail->journal);
    hf_ottl_errors_free(tail->watch.errors);
    hf_sampling_tail_policies_free(tail->policies);
    if (tail->ahead != NULL) {
        hf_ref_drop(&tail->ahead->ref);
    }
    hf_sampling_tail_counters_release(&tail->counters);
    hf_sampling_tail_ids_release(&tail->entry_ids);
    hf_sampling_tail_ids_release(&tail->wanted_ids);
    hf_bytes_release(&tail->joined);
    hf_bytes_release(&tail->cut);
    free(tail->votes);
    free(tail->entries);
    free(tail);
}
