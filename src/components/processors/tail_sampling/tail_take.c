/*
 * tail_take: what comes: each input's spans join their traces, or follow a verdict of before.
 */
#include <stdlib.h>

#include "tail_internal.h"
#include "util/time/clock.h"

/* ---- the traces of an input ---- */

static enum hf_sampling_tail_verdict cached_verdict(const struct hf_tail *tail, const uint8_t *id)
{
    if (hf_id_memory_has(&tail->sampled, id) || hf_id_memory_has(&tail->before[1], id)) {
        return HF_TAIL_SAMPLED;
    }
    bool is_not =
        hf_id_memory_has(&tail->not_sampled, id) || hf_id_memory_has(&tail->before[0], id);
    return is_not ? HF_TAIL_NOT_SAMPLED : HF_TAIL_UNDECIDED;
}

/* A new trace, or one that stands for a verdict of before. */
static enum hf_status add_trace(struct hf_tail *tail, struct hf_sampling_tail_entry *entry,
                                enum hf_sampling_tail_verdict verdict, uint64_t received_ns)
{
    if (verdict == HF_TAIL_NOT_SAMPLED) {
        return HF_OK; /* there is nothing to wait for */
    }
    struct hf_trace *trace = hf_trace_add(&tail->table, entry->id, entry->hash);
    if (trace == NULL) {
        return HF_NOMEM;
    }
    trace->verdict = (uint8_t)verdict;
    trace->received_ns = received_ns;
    trace->facts.end_ns = entry->decided_ns;
    trace->is_cached = entry->is_cached;
    entry->trace = trace;
    entry->is_new = true;
    return HF_OK;
}

static enum hf_status find_trace(struct hf_tail *tail, struct hf_sampling_tail_entry *entry,
                                 uint64_t received_ns)
{
    struct hf_trace_found found = hf_trace_find(&tail->table, entry->id, entry->hash);
    if (found.trace != NULL) {
        entry->trace = found.trace;
        return HF_OK;
    }
    if (found.verdict != NULL) {
        uint64_t begun_ns = found.verdict->received_ns;
        entry->is_known = true;
        entry->decided_ns = begun_ns + (uint64_t)found.verdict->wait_ms * HF_NS_PER_MS;
        return add_trace(tail, entry,
                         found.verdict->is_sampled ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED,
                         begun_ns);
    }
    enum hf_sampling_tail_verdict verdict = cached_verdict(tail, entry->id);
    entry->is_cached = verdict != HF_TAIL_UNDECIDED;
    entry->decided_ns = entry->is_cached ? received_ns : 0;
    return add_trace(tail, entry, verdict, received_ns);
}

/* Finds or makes the trace of each entry. */
static enum hf_status find_traces(struct hf_tail *tail, uint64_t received_ns)
{
    for (size_t i = 0; i < tail->entry_count; i++) {
        if (find_trace(tail, &tail->entries[i], received_ns) != HF_OK) {
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

/* ---- what they have to say ---- */

/* Its root has come: the rest will not take long. */
static void hurry(struct hf_tail *tail, struct hf_trace *trace, uint64_t received_ns)
{
    uint64_t after_ns = tail->config->decision_wait_after_root_ns;
    uint64_t due_ns = received_ns + after_ns;
    if (trace->state != HF_TRACE_UNDECIDED || due_ns >= hf_sampling_tail_due(tail, trace)) {
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
        if (hf_sampling_tail_settle(tail, trace, HF_TAIL_NOT_SAMPLED, received_ns)) {
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
        if (verdict != HF_TAIL_UNDECIDED &&
            hf_sampling_tail_settle(tail, trace, verdict, received_ns)) {
            hf_sampling_tail_count_verdict(tail, verdict);
            return;
        }
    }
    if (entry->has_root && tail->config->decision_wait_after_root_ns != 0) {
        hurry(tail, trace, received_ns);
    }
}

static void count_late(const struct hf_tail *tail, const struct hf_sampling_tail_entry *entry,
                       uint64_t decided_ns, uint64_t received_ns)
{
    if (entry->is_cached) {
        hf_series_add(tail->counters.from_memory[entry->trace != NULL], entry->facts.spans);
    } else {
        hf_sampling_tail_observe_age(tail->counters.late_s, decided_ns, received_ns);
    }
}

/* Returns the spans that a verdict of before drops. */
static uint32_t attach(struct hf_tail *tail, const struct hf_sampling_tail_entry *entry,
                       struct hf_sampling_tail_input *input, uint64_t received_ns)
{
    struct hf_trace *trace = entry->trace;
    if (trace == NULL) {
        count_late(tail, entry, entry->decided_ns, received_ns);
        return entry->facts.spans;
    }
    bool is_leaving = trace->verdict == HF_TAIL_SAMPLED && trace->state == HF_TRACE_UNLISTED;
    struct hf_sampling_tail_place *place = &input->places[input->place_count];
    *place =
        (struct hf_sampling_tail_place){.trace = trace,
                                        .next = trace->places,
                                        .number = input->place_count++,
                                        .spans = entry->facts.spans & HF_SAMPLING_TAIL_SPANS_MAX};
    trace->places = place;
    if (is_leaving) {
        count_late(tail, entry, trace->facts.end_ns, received_ns);
        hf_sampling_tail_want(tail, place);
    } else if (trace->verdict == HF_TAIL_UNDECIDED) {
        if (entry->is_new) {
            tail->counters.new_taken++;
            hf_sampling_tail_list(tail, trace, HF_TRACE_UNDECIDED);
        }
        hf_sampling_tail_facts_join(&trace->facts, &entry->facts);
        judge_part(tail, entry, received_ns);
    }
    return 0;
}

/* ---- inputs ---- */

/* Has what waits to be decided before more is taken? */
static bool is_full(const struct hf_tail *tail)
{
    return tail->config->block_on_overflow &&
           hf_sampling_tail_undecided(tail) >= (size_t)tail->config->num_traces;
}

static void attach_all(struct hf_tail *tail, struct hf_sampling_tail_input *own,
                       uint64_t received_ns)
{
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
}

enum hf_status hf_sampling_tail_take(struct hf_tail *tail, struct hf_input *input)
{
    if (!hf_sampling_tail_load(tail) || is_full(tail)) {
        return HF_BUSY;
    }
    tail->is_fed = true; /* also when what was decided has to get out of the way first */
    if (tail->to_emit_count >= TO_EMIT_MAX || !hf_sampling_tail_put_many_into_effect(tail)) {
        return HF_BUSY;
    }
    const struct hf_batch *batch = input->batch;
    uint64_t received_ns = batch->received_ns;
    enum hf_status status = hf_sampling_tail_note(tail, batch);
    if (status != HF_OK) {
        return status;
    }
    struct hf_sampling_tail_input *own =
        malloc(sizeof(*own) + tail->entry_count * sizeof(struct hf_sampling_tail_place));
    status = own != NULL ? find_traces(tail, received_ns) : HF_NOMEM;
    if (status != HF_OK) {
        free(own);
        return status;
    }
    *own = (struct hf_sampling_tail_input){.input = input, .open = batch->items};
    tail->newest_ns = received_ns > tail->newest_ns ? received_ns : tail->newest_ns;
    attach_all(tail, own, received_ns);
    hf_sampling_tail_keep_to_limit(tail);
    if (hf_sampling_tail_put_many_into_effect(tail)) {
        hf_sampling_tail_keep_to_limit(tail);
    }
    hf_sampling_tail_emit(tail);
    hf_sampling_tail_counters_show(tail);
    return HF_OK;
}
