/*
 * tail: a trace waits, is decided, and is remembered until others push it out.
 */
#include <stdlib.h>

#include "tail_internal.h"

#define DECISIONS_AT_ONCE 4096u /* per tick: the inbox gets its turn */
#define TO_EMIT_MAX 1024u       /* inputs; then no more is taken until some are durable behind */

static void append(struct hf_sampling_tail_list *list, struct hf_trace *trace)
{
    trace->next = NULL;
    trace->is_listed = true;
    if (list->last != NULL) {
        list->last->next = trace;
    } else {
        list->first = trace;
    }
    list->last = trace;
    list->count++;
}

static struct hf_trace *take_first(struct hf_sampling_tail_list *list)
{
    struct hf_trace *trace = list->first;
    list->first = trace->next;
    list->last = list->first == NULL ? NULL : list->last;
    list->count--;
    trace->is_listed = false;
    return trace;
}

/* ---- verdicts ---- */

static void want_all(struct hf_tail *tail, struct hf_trace *trace)
{
    for (struct hf_sampling_tail_place *place = trace->places; place != NULL; place = place->next) {
        hf_sampling_tail_want(tail, place);
    }
}

/* Decides the trace that waits for longest. */
static void decide_first(struct hf_tail *tail, uint64_t now_ns)
{
    struct hf_trace *trace = take_first(&tail->undecided);
    enum hf_sampling_tail_verdict verdict =
        hf_sampling_tail_decide(tail->policies, trace->id, &trace->facts, now_ns, tail->votes);
    hf_sampling_tail_count_votes(tail, verdict);
    trace->verdict = (uint8_t)verdict;
    append(&tail->decided, trace);
    if (verdict == HF_TAIL_SAMPLED) {
        hf_id_memory_put(&tail->sampled, trace->id);
        want_all(tail, trace);
    } else {
        hf_id_memory_put(&tail->not_sampled, trace->id);
        hf_sampling_tail_done_with_places(trace, true);
    }
}

/* Keeps to num_traces: remembered ones go first; then the oldest is decided early. */
static void keep_to_limit(struct hf_tail *tail)
{
    size_t listed = tail->undecided.count + tail->decided.count; /* others are on their way */
    size_t limit = (size_t)tail->config->num_traces;
    for (; listed > limit; listed--) {
        if (tail->decided.first == NULL) {
            hf_series_add(tail->counters.early, 1);
            decide_first(tail, tail->newest_ns);
        }
        struct hf_trace *trace = take_first(&tail->decided);
        if (trace->emitting == 0) {
            hf_sampling_tail_forget(tail, trace);
        } /* else hf_sampling_tail_finish() does */
    }
    hf_sampling_tail_count_traces(tail);
}

void hf_sampling_tail_tick(struct hf_tail *tail, uint64_t unix_ns)
{
    uint64_t until_ns = unix_ns;
    if (tail->is_fed && tail->newest_ns < until_ns) {
        until_ns = tail->newest_ns;
    }
    tail->is_fed = false;
    for (unsigned left = DECISIONS_AT_ONCE;
         left > 0 && tail->undecided.first != NULL && tail->undecided.first->due_ns <= until_ns &&
         tail->to_emit_count < TO_EMIT_MAX;
         left--) {
        decide_first(tail, unix_ns);
    }
    hf_sampling_tail_emit(tail);
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
static void begin(struct hf_tail *tail, struct hf_trace *trace, uint64_t received_ns)
{
    bool is_sampled = hf_id_memory_has(&tail->sampled, trace->id);
    if (is_sampled || hf_id_memory_has(&tail->not_sampled, trace->id)) {
        trace->verdict = is_sampled ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED;
        hf_series_add(tail->counters.from_memory[is_sampled], 1);
        append(&tail->decided, trace);
        return;
    }
    hf_series_add(tail->counters.taken, 1);
    trace->due_ns = received_ns + tail->config->decision_wait_ns;
    append(&tail->undecided, trace);
}

/* Returns the spans that a verdict of before drops. */
static uint32_t attach(struct hf_tail *tail, const struct hf_sampling_tail_entry *entry,
                       struct hf_sampling_tail_input *input, uint64_t received_ns)
{
    struct hf_trace *trace = entry->trace;
    if (entry->is_new) {
        begin(tail, trace, received_ns);
    }
    if (trace->verdict == HF_TAIL_NOT_SAMPLED) {
        return entry->facts.spans;
    }
    struct hf_sampling_tail_place *place = &input->places[input->place_count++];
    *place = (struct hf_sampling_tail_place){
        .trace = trace, .input = input, .next = trace->places, .spans = entry->facts.spans};
    trace->places = place;
    if (trace->verdict == HF_TAIL_SAMPLED) {
        hf_sampling_tail_want(tail, place);
    } else {
        hf_sampling_tail_facts_join(&trace->facts, &entry->facts);
    }
    return 0;
}

enum hf_status hf_sampling_tail_take(struct hf_tail *tail, struct hf_input *input)
{
    tail->is_fed = true;
    if (tail->to_emit_count >= TO_EMIT_MAX) {
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
    hf_sampling_tail_emit(tail);
    return HF_OK;
}

/* ---- life ---- */

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
    tail->votes = calloc(config->policies.count, sizeof(*tail->votes));
    enum hf_status status =
        tail->votes != NULL ? hf_sampling_tail_policies_new(config, &tail->policies) : HF_NOMEM;
    status = status == HF_OK ? hf_sampling_tail_counters_open(tail) : status;
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
    hf_sampling_tail_policies_free(tail->policies);
    free(tail->counters.votes);
    free(tail->votes);
    free(tail->entries);
    free(tail->entry_table);
    free(tail);
}
