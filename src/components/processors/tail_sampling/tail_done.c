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

void hf_sampling_tail_finish(struct hf_tail *tail, struct hf_trace *trace, bool are_dropped)
{
    struct hf_sampling_tail_place *next = trace->places;
    trace->places = NULL;
    while (next != NULL) {
        struct hf_sampling_tail_place *place = next;
        uint32_t spans = place->spans;
        bool is_dropped = are_dropped || place->is_lost;
        next = place->next;
        hf_sampling_tail_done_with(hf_sampling_tail_input_of(place), spans, is_dropped ? spans : 0);
    }
    hf_sampling_tail_list(tail, trace, HF_TRACE_UNLISTED);
    if (trace->is_cached) {
        hf_trace_remove(&tail->table, trace);
    } else {
        hf_trace_remember(&tail->table, trace, trace->verdict == HF_TAIL_SAMPLED,
                          trace->facts.end_ns);
    }
}
