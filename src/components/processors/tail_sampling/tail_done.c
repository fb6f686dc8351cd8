/*
 * tail_done: spans and traces that are done with.
 */
#include <assert.h>
#include <stdlib.h>

#include "tail_internal.h"

void hf_sampling_tail_done_with(struct hf_sampling_tail_input *input, uint32_t spans,
                                uint32_t dropped)
{
    assert(spans <= input->open);
    struct hf_input *lent = input->input;
    input->open -= spans;
    if (input->open == 0) {
        free(input);
    }
    hf_input_done_items(lent, spans, dropped);
}

void hf_sampling_tail_done_with_places(struct hf_trace *trace, bool are_dropped)
{
    struct hf_sampling_tail_place *next = trace->places;
    trace->places = NULL;
    while (next != NULL) {
        struct hf_sampling_tail_place *place = next;
        uint32_t spans = place->spans;
        bool is_dropped = are_dropped || place->is_lost;
        next = place->next;
        hf_sampling_tail_done_with(place->input, spans, is_dropped ? spans : 0);
    }
}

void hf_sampling_tail_count_traces(const struct hf_tail *tail)
{
    hf_series_set(tail->counters.in_memory, (int64_t)tail->table.count);
}

void hf_sampling_tail_forget(struct hf_tail *tail, struct hf_trace *trace)
{
    hf_sampling_tail_observe_age(tail->counters.removal_s, trace->received_ns, tail->newest_ns);
    hf_trace_remove(&tail->table, trace);
    hf_sampling_tail_count_traces(tail);
}

void hf_sampling_tail_finish(struct hf_tail *tail, struct hf_trace *trace)
{
    hf_sampling_tail_done_with_places(trace, false);
    if (trace->state == HF_TRACE_UNLISTED) {
        hf_sampling_tail_forget(tail, trace);
    }
}
