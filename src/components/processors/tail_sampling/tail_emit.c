/*
 * tail_emit: reads inputs again and passes on the spans of sampled traces.
 */
#include <stdlib.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "tail_internal.h"

#define EMISSIONS_MAX 16u /* on their way: each holds a request in memory */

struct emission {
    struct hf_output output;
    struct hf_tail *tail;
    struct hf_sampling_tail_place *places; /* chained by next_wanted */
};

void hf_sampling_tail_want(struct hf_tail *tail, struct hf_sampling_tail_place *place)
{
    struct hf_sampling_tail_input *input = place->input;
    place->trace->emitting++;
    place->next_wanted = input->wanted;
    input->wanted = place;
    if (!input->is_queued) {
        input->is_queued = true;
        input->next = NULL;
        *tail->to_emit_end = input;
        tail->to_emit_end = &input->next;
        tail->to_emit_count++;
    }
}

/* The places are behind, or never will be. The last place of a trace ends its wait. */
static void settle(struct hf_tail *tail, struct hf_sampling_tail_place *places, bool are_lost)
{
    while (places != NULL) {
        struct hf_sampling_tail_place *place = places;
        struct hf_trace *trace = place->trace;
        places = place->next_wanted;
        place->is_lost = are_lost;
        if (--trace->emitting == 0) {
            hf_sampling_tail_finish(tail, trace);
        }
    }
}

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct emission *emission = HF_CONTAINER(output, struct emission, output);
    struct hf_tail *tail = emission->tail;
    struct hf_sampling_tail_place *places = emission->places;
    free(emission);
    tail->emissions--;
    if (status == HF_CLOSED) {
        tail->is_closed = true; /* all of it stays in the queue in front */
        return;
    }
    settle(tail, places, status != HF_OK);
    hf_sampling_tail_emit(tail);
}

/* The request with only the spans of the traces that are marked. */
static enum hf_status cut(struct hf_tail *tail, struct hf_batch *whole, struct hf_batch **ret_batch)
{
    struct hf_document *document = hf_document_borrow(whole->signal, whole->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        uint8_t id[HF_TRACE_ID_SIZE];
        hf_sampling_tail_id_of(place.item, id);
        const struct hf_trace *trace = hf_trace_find(&tail->table, id);
        if (trace == NULL || trace->mark != tail->mark) {
            hf_message_remove(place.item);
        }
    }
    hf_document_prune(document);
    enum hf_status status = hf_document_batch(document, whole, ret_batch);
    hf_document_return(document);
    return status;
}

/* HF_OK: `ret_batch`. HF_NOMEM, HF_IO and the like: later. HF_INVALID, HF_NOT_FOUND, HF_CORRUPT,
 * HF_TOO_LARGE: never. */
static enum hf_status read_wanted(struct hf_tail *tail, const struct hf_sampling_tail_input *input,
                                  struct hf_batch **ret_batch)
{
    struct hf_batch *whole = NULL;
    enum hf_status status = hf_input_load(input->input, &whole);
    if (status != HF_OK) {
        return status;
    }
    tail->mark = tail->mark == UINT32_MAX ? 1 : tail->mark + 1;
    for (struct hf_sampling_tail_place *place = input->wanted; place != NULL;
         place = place->next_wanted) {
        place->trace->mark = tail->mark;
    }
    status = cut(tail, whole, ret_batch);
    hf_ref_drop(&whole->ref);
    return status == HF_OK && *ret_batch == NULL ? HF_CORRUPT : status;
}

static bool is_final(enum hf_status status)
{
    return status == HF_NOT_FOUND || status == HF_CORRUPT || status == HF_INVALID ||
           status == HF_TOO_LARGE;
}

static struct hf_sampling_tail_place *take_wanted(struct hf_tail *tail)
{
    struct hf_sampling_tail_input *input = tail->to_emit;
    struct hf_sampling_tail_place *places = input->wanted;
    tail->to_emit = input->next;
    tail->to_emit_end = tail->to_emit == NULL ? &tail->to_emit : tail->to_emit_end;
    tail->to_emit_count--;
    input->is_queued = false;
    input->wanted = NULL;
    return places;
}

/* The first input of the line. False: not now. */
static bool emit_first(struct hf_tail *tail)
{
    struct hf_batch *batch = NULL;
    struct emission *emission = malloc(sizeof(*emission));
    enum hf_status status = emission != NULL ? read_wanted(tail, tail->to_emit, &batch) : HF_NOMEM;
    if (status != HF_OK) {
        free(emission);
        if (is_final(status)) {
            settle(tail, take_wanted(tail), true);
        }
        return is_final(status);
    }
    *emission =
        (struct emission){.output = {.done = emitted}, .tail = tail, .places = take_wanted(tail)};
    tail->emissions++;
    hf_emit(tail->node, batch, &emission->output);
    hf_ref_drop(&batch->ref);
    return true;
}

void hf_sampling_tail_emit(struct hf_tail *tail)
{
    while (!tail->is_closed && tail->emissions < EMISSIONS_MAX && tail->to_emit != NULL) {
        if (!emit_first(tail)) {
            return; /* the next tick tries again */
        }
    }
}
