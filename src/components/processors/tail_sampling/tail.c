/*
 * tail: a trace waits, is decided, and is remembered until others push it out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tail_internal.h"
#include "util/clock.h"

#define DECISIONS_AT_ONCE 4096u /* per tick: the inbox gets its turn */
#define TO_EMIT_MAX 1024u       /* inputs; then no more is taken until some are durable behind */

/* ---- verdicts ---- */

static uint64_t due_of(const struct hf_tail *tail, const struct hf_trace *trace)
{
    return trace->received_ns + (trace->state == HF_TRACE_HURRIED
                                     ? (uint64_t)trace->hurry_ms * HF_NS_PER_MS
                                     : tail->config->decision_wait_ns);
}

/* The undecided trace that is due first; NULL: none waits. */
static struct hf_trace *first_due(const struct hf_tail *tail)
{
    struct hf_trace *waits = tail->lists[HF_TRACE_UNDECIDED].first;
    struct hf_trace *hurries = tail->lists[HF_TRACE_HURRIED].first;
    if (waits == NULL || hurries == NULL) {
        return waits != NULL ? waits : hurries;
    }
    return due_of(tail, hurries) < due_of(tail, waits) ? hurries : waits;
}

static size_t count_undecided(const struct hf_tail *tail)
{
    return tail->lists[HF_TRACE_UNDECIDED].count + tail->lists[HF_TRACE_HURRIED].count;
}

static void want_all(struct hf_tail *tail, struct hf_trace *trace)
{
    for (struct hf_sampling_tail_place *place = trace->places; place != NULL; place = place->next) {
        hf_sampling_tail_want(tail, place);
    }
}

/* Out of memory the trace waits on. */
static bool settle(struct hf_tail *tail, struct hf_trace *trace,
                   enum hf_sampling_tail_verdict verdict, uint64_t now_ns)
{
    bool is_sampled = verdict == HF_TAIL_SAMPLED;
    if (hf_sampling_tail_journal_add(tail->journal, trace->id, is_sampled) != HF_OK) {
        return false;
    }
    hf_sampling_tail_list(tail, trace, HF_TRACE_PENDING);
    trace->verdict = (uint8_t)(is_sampled ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED);
    trace->facts.end_ns = now_ns;
    trace->emitting = 0;
    hf_id_memory_put(is_sampled ? &tail->sampled : &tail->not_sampled, trace->id);
    return true;
}

/* False: out of memory. */
static bool decide(struct hf_tail *tail, struct hf_trace *trace, uint64_t now_ns)
{
    enum hf_sampling_tail_verdict verdict = HF_TAIL_NOT_SAMPLED;
    if (tail->config->strategy == HF_TAIL_TRACE_COMPLETE) {
        verdict =
            hf_sampling_tail_decide(tail->policies, trace->id, &trace->facts, now_ns, tail->votes);
        hf_sampling_tail_count_votes(tail);
    }
    hf_sampling_tail_count_verdict(tail, verdict);
    return settle(tail, trace, verdict, now_ns);
}

/* Verdicts have their effects once they are on disk. False: not yet. */
static bool put_into_effect(struct hf_tail *tail)
{
    struct hf_sampling_tail_list *pending = &tail->lists[HF_TRACE_PENDING];
    if (pending->first == NULL) {
        return true;
    }
    if (hf_sampling_tail_journal_commit(tail->journal) != HF_OK) {
        hf_node_log(tail->node, HF_LOG_ERROR,
                    "cannot write %s: %s; no trace is passed on or dropped until it can",
                    hf_sampling_tail_journal_path(tail->journal), strerror(errno));
        return false;
    }
    while (pending->first != NULL) {
        struct hf_trace *trace = pending->first;
        hf_sampling_tail_list(tail, trace, HF_TRACE_DECIDED);
        if (trace->verdict == HF_TAIL_SAMPLED) {
            want_all(tail, trace);
        } else {
            hf_sampling_tail_done_with_places(trace, true);
        }
    }
    return true;
}

/* Keeps to num_traces: remembered ones go first; then the oldest is decided early. */
static void keep_to_limit(struct hf_tail *tail)
{
    struct hf_sampling_tail_list *decided = &tail->lists[HF_TRACE_DECIDED];
    size_t limit = (size_t)tail->config->num_traces;
    size_t listed = count_undecided(tail) + decided->count; /* others are on their way */
    for (; listed > limit && decided->first != NULL; listed--) {
        struct hf_trace *trace = decided->first;
        hf_sampling_tail_list(tail, trace, HF_TRACE_UNLISTED);
        if (trace->emitting == 0) {
            hf_sampling_tail_forget(tail, trace);
        } /* else hf_sampling_tail_finish() does */
    }
    for (; listed > limit && decide(tail, first_due(tail), tail->newest_ns); listed--) {
        hf_series_add(tail->counters.early, 1);
    }
    hf_sampling_tail_count_traces(tail);
}

/* What was decided early takes effect with others, as a commit takes time. */
static bool has_many_pending(const struct hf_tail *tail)
{
    return tail->lists[HF_TRACE_PENDING].count >= DECISIONS_AT_ONCE ||
           hf_sampling_tail_journal_path(tail->journal)[0] == '\0';
}

static void decide_due(struct hf_tail *tail, uint64_t until_ns, uint64_t now_ns)
{
    struct hf_trace *trace = first_due(tail);
    uint64_t begun_ns = hf_clock_monotonic_ns();
    unsigned left = DECISIONS_AT_ONCE;
    for (; left > 0 && trace != NULL && due_of(tail, trace) <= until_ns &&
           tail->to_emit_count < TO_EMIT_MAX && decide(tail, trace, now_ns);
         left--) {
        trace = first_due(tail);
    }
    if (left < DECISIONS_AT_ONCE) {
        hf_histogram_observe(tail->counters.latency_ms,
                             (hf_clock_monotonic_ns() - begun_ns) / HF_NS_PER_MS);
    }
}

/* What is remembered of verdicts from before the start. */
static void remember(void *user, const uint8_t *id, bool is_sampled)
{
    struct hf_tail *tail = user;
    hf_id_memory_put(&tail->before[is_sampled], id);
}

/* When the first input or tick comes: until then the processor of the configuration before this one
 * may have written. */
static bool load_once(struct hf_tail *tail)
{
    if (tail->is_loaded) {
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        tail->before[i].limit = hf_sampling_tail_journal_count(tail->journal);
    }
    if (hf_sampling_tail_journal_load(tail->journal, remember, tail) != HF_OK) {
        hf_node_log(tail->node, HF_LOG_ERROR, "cannot open %s: %s",
                    hf_sampling_tail_journal_path(tail->journal), strerror(errno));
        return false;
    }
    tail->is_loaded = true;
    return true;
}

void hf_sampling_tail_tick(struct hf_tail *tail, uint64_t unix_ns)
{
    uint64_t until_ns = unix_ns;
    if (tail->is_fed && tail->newest_ns < until_ns) {
        until_ns = tail->newest_ns;
    }
    tail->is_fed = false;
    if (load_once(tail) && put_into_effect(tail)) {
        decide_due(tail, until_ns, unix_ns);
        if (put_into_effect(tail)) {
            hf_sampling_tail_emit(tail);
        }
    }
}

/* ---- what comes ---- */

/* Finds or makes the trace of each entry. */
static enum hf_status find_traces(struct hf_tail *tail)
{
    for (size_t i = 0; i < tail->entry_count; i++) {
        struct hf_sampling_tail_entry *entry = &tail->entries[i];
        entry->trace = hf_trace_find(&tail->table, entry->id);
        if (entry->trace == NULL) {
            entry->trace = hf_trace_add(&tail->table, entry->id);
            entry->is_new = entry->trace != NULL;
        }
        if (entry->trace == NULL) {
            while (i-- > 0) {
                if (tail->entries[i].is_new) {
                    hf_trace_remove(&tail->table, tail->entries[i].trace);
                }
            }
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

/* A new trace waits, unless its verdict is remembered. */
static void begin(struct hf_tail *tail, struct hf_trace *trace, uint32_t spans,
                  uint64_t received_ns)
{
    bool is_sampled = hf_id_memory_has(&tail->sampled, trace->id) ||
                      hf_id_memory_has(&tail->before[1], trace->id);
    bool is_not = hf_id_memory_has(&tail->not_sampled, trace->id) ||
                  hf_id_memory_has(&tail->before[0], trace->id);
    trace->received_ns = received_ns;
    if (is_sampled || is_not) {
        trace->verdict = is_sampled ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED;
        trace->facts.end_ns = received_ns;
        hf_series_add(tail->counters.from_memory[is_sampled], spans);
        hf_sampling_tail_list(tail, trace, HF_TRACE_DECIDED);
        return;
    }
    hf_series_add(tail->counters.taken, 1);
    hf_sampling_tail_list(tail, trace, HF_TRACE_UNDECIDED);
}

/* Its root has come: the rest will not take long. */
static void hurry(struct hf_tail *tail, struct hf_trace *trace, uint64_t received_ns)
{
    uint64_t after_ns = tail->config->decision_wait_after_root_ns;
    uint64_t due_ns = received_ns + after_ns;
    if (trace->state != HF_TRACE_UNDECIDED || due_ns >= due_of(tail, trace)) {
        return;
    }
    uint64_t wait_ns = due_ns > trace->received_ns ? due_ns - trace->received_ns : 0;
    trace->hurry_ms = (uint32_t)(wait_ns / HF_NS_PER_MS);
    hf_sampling_tail_list(tail, trace, HF_TRACE_HURRIED);
}

/* What one request can tell of an undecided trace. Out of memory it waits on. */
static void judge_part(struct hf_tail *tail, const struct hf_sampling_tail_entry *entry,
                       uint64_t received_ns)
{
    struct hf_trace *trace = entry->trace;
    uint64_t limit_bytes = tail->config->maximum_trace_size_bytes;
    if (limit_bytes != 0 && trace->facts.bytes > limit_bytes) {
        if (settle(tail, trace, HF_TAIL_NOT_SAMPLED, received_ns)) {
            hf_series_add(tail->counters.too_large, 1);
        }
        return;
    }
    if (tail->config->strategy == HF_TAIL_SPAN_INGEST) {
        struct hf_sampling_tail_facts part = entry->facts;
        part.spans = trace->facts.spans;
        enum hf_sampling_tail_verdict verdict = hf_sampling_tail_decide_part(
            tail->policies, trace->id, &part, received_ns, tail->votes);
        hf_sampling_tail_count_votes(tail);
        if (verdict != HF_TAIL_UNDECIDED && settle(tail, trace, verdict, received_ns)) {
            hf_sampling_tail_count_verdict(tail, verdict);
            return;
        }
    }
    if (entry->has_root && tail->config->decision_wait_after_root_ns != 0) {
        hurry(tail, trace, received_ns);
    }
}

/* Returns the spans that a verdict of before drops. */
static uint32_t attach(struct hf_tail *tail, const struct hf_sampling_tail_entry *entry,
                       struct hf_sampling_tail_input *input, uint64_t received_ns)
{
    struct hf_trace *trace = entry->trace;
    if (entry->is_new) {
        begin(tail, trace, entry->facts.spans, received_ns);
    }
    bool is_decided = trace->verdict != HF_TAIL_UNDECIDED && trace->state != HF_TRACE_PENDING;
    if (is_decided && !entry->is_new) {
        hf_sampling_tail_observe_age(tail->counters.late_s, trace->facts.end_ns, received_ns);
    }
    if (is_decided && trace->verdict == HF_TAIL_NOT_SAMPLED) {
        return entry->facts.spans;
    }
    struct hf_sampling_tail_place *place = &input->places[input->place_count++];
    *place = (struct hf_sampling_tail_place){
        .trace = trace, .input = input, .next = trace->places, .spans = entry->facts.spans};
    trace->places = place;
    if (is_decided) {
        hf_sampling_tail_want(tail, place);
    } else if (trace->verdict == HF_TAIL_UNDECIDED) {
        hf_sampling_tail_facts_join(&trace->facts, &entry->facts);
        judge_part(tail, entry, received_ns);
    }
    return 0;
}

/* Has what was decided to get out of the way, or what waits to be decided? */
static bool is_full(const struct hf_tail *tail)
{
    return tail->config->block_on_overflow &&
           count_undecided(tail) >= (size_t)tail->config->num_traces;
}

enum hf_status hf_sampling_tail_take(struct hf_tail *tail, struct hf_input *input)
{
    if (!load_once(tail) || is_full(tail)) {
        return HF_BUSY;
    }
    tail->is_fed = true;
    if (tail->to_emit_count >= TO_EMIT_MAX || (has_many_pending(tail) && !put_into_effect(tail))) {
        return HF_BUSY;
    }
    const struct hf_batch *batch = input->batch;
    uint64_t received_ns = batch->received_ns;
    enum hf_status status = hf_sampling_tail_note(tail, batch);
    if (status != HF_OK) {
        return status;
    }
    struct hf_sampling_tail_input *own =
        calloc(1, sizeof(*own) + tail->entry_count * sizeof(struct hf_sampling_tail_place));
    status = own != NULL ? find_traces(tail) : HF_NOMEM;
    if (status != HF_OK) {
        free(own);
        return status;
    }
    own->input = input;
    own->open = batch->items;
    tail->newest_ns = received_ns > tail->newest_ns ? received_ns : tail->newest_ns;
    uint32_t known = 0, dropped = 0;
    for (size_t i = 0; i < tail->entry_count; i++) {
        known += tail->entries[i].facts.spans;
        dropped += attach(tail, &tail->entries[i], own, received_ns);
    }
    /* Items that the request was said to have and has not are done with as well. */
    dropped += own->open - known;
    if (dropped != 0) {
        hf_sampling_tail_done_with(own, dropped, dropped);
    }
    keep_to_limit(tail);
    if (has_many_pending(tail) && put_into_effect(tail)) {
        keep_to_limit(tail);
    }
    hf_sampling_tail_emit(tail);
    return HF_OK;
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
        struct hf_sampling_tail_input *input = place->input;
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
    for (size_t i = 0; i < tail->table.size; i++) {
        for (struct hf_trace *trace = tail->table.buckets[i]; trace != NULL;
             trace = trace->next_in_bucket) {
            let_go(trace);
        }
    }
    hf_trace_table_release(&tail->table);
    hf_id_memory_release(&tail->sampled);
    hf_id_memory_release(&tail->not_sampled);
    hf_id_memory_release(&tail->before[0]);
    hf_id_memory_release(&tail->before[1]);
    hf_sampling_tail_journal_free(tail->journal);
    hf_ottl_errors_free(tail->watch.errors);
    hf_sampling_tail_policies_free(tail->policies);
    free(tail->counters.votes);
    free(tail->votes);
    free(tail->entries);
    free(tail->entry_table);
    free(tail);
}
