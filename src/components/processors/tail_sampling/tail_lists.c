/*
 * tail_lists: the lists that traces wait in.
 */
#include "tail_internal.h"

static void take_out(struct hf_tail *tail, struct hf_trace *trace)
{
    struct hf_sampling_tail_list *list = &tail->lists[trace->state];
    *(trace->previous != NULL ? &trace->previous->next : &list->first) = trace->next;
    *(trace->next != NULL ? &trace->next->previous : &list->last) = trace->previous;
    trace->previous = NULL;
    trace->next = NULL;
    list->count--;
}

static void append(struct hf_sampling_tail_list *list, struct hf_trace *trace)
{
    trace->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = trace;
    list->last = trace;
    list->count++;
}

void hf_sampling_tail_list(struct hf_tail *tail, struct hf_trace *trace, enum hf_trace_state state)
{
    if (trace->state != HF_TRACE_UNLISTED) {
        take_out(tail, trace);
    }
    trace->state = (uint8_t)state;
    if (state != HF_TRACE_UNLISTED) {
        append(&tail->lists[state], trace);
    }
}
