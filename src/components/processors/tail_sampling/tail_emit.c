/*
 * tail_emit: reads inputs again and passes on the spans of sampled traces: those of several inputs
 * as one request, as each has few.
 */
#include <stdlib.h>
#include <string.h>

#include "tail_internal.h"
#include "tail_spans.h"

#define EMISSIONS_MAX 16u           /* on their way: each holds a request in memory */
#define EMISSION_BYTES (128u << 10) /* enough for one request */
#define INPUTS_AT_ONCE 32u          /* in one request: reading them takes time */
#define CUT_KEPT_BYTES (1u << 20)   /* memory beyond is given back */

struct emission {
    struct hf_output output;
    struct hf_tail *tail;
    struct hf_sampling_tail_input *inputs; /* chained by next */
};

/* ---- what waits to be emitted ---- */

/* At the end of the line. */
static void queue(struct hf_tail *tail, struct hf_sampling_tail_input *input)
{
    input->next = NULL;
    *tail->to_emit_end = input;
    tail->to_emit_end = &input->next;
    tail->to_emit_count++;
}

void hf_sampling_tail_want(struct hf_tail *tail, struct hf_sampling_tail_place *place)
{
    struct hf_sampling_tail_input *input = hf_sampling_tail_input_of(place);
    place->trace->emitting++;
    place->is_wanted = true;
    if (input->wanted++ == 0 && input->emitted == 0) {
        queue(tail, input);
    }
}

/* Takes the first input out of the line: what is wanted of it is emitted. */
static struct hf_sampling_tail_input *take_first(struct hf_tail *tail)
{
    struct hf_sampling_tail_input *input = tail->to_emit;
    tail->to_emit = input->next;
    tail->to_emit_end = tail->to_emit == NULL ? &tail->to_emit : tail->to_emit_end;
    tail->to_emit_count--;
    for (uint32_t i = 0; input->emitted < input->wanted; i++) {
        struct hf_sampling_tail_place *place = &input->places[i];
        input->emitted += place->is_wanted;
        place->is_emitted = place->is_wanted;
        place->is_wanted = false;
    }
    input->wanted = 0;
    input->next = NULL;
    return input;
}

/* ---- what was emitted ---- */

/* The places of an input are behind, or never will be. The last place of a trace ends its wait; the
 * input may be gone then. */
static void settle(struct hf_tail *tail, struct hf_sampling_tail_input *input, bool are_lost)
{
    struct hf_sampling_tail_place *place = input->places;
    uint32_t left = input->emitted;
    input->emitted = 0;
    if (input->wanted != 0) {
        queue(tail, input);
    }
    for (; left > 0; place++) {
        if (!place->is_emitted) {
            continue;
        }
        struct hf_trace *trace = place->trace;
        place->is_emitted = false;
        place->is_lost = are_lost;
        left--;
        if (--trace->emitting == 0) {
            hf_sampling_tail_finish(tail, trace, false);
        }
    }
}

/* A request was refused for good: no one knows for which of its spans. */
static void want_alone(struct hf_tail *tail, struct hf_sampling_tail_input *input)
{
    for (uint32_t i = 0; input->emitted > 0; i++) {
        struct hf_sampling_tail_place *place = &input->places[i];
        input->emitted -= place->is_emitted;
        input->wanted += place->is_emitted;
        place->is_wanted = place->is_wanted || place->is_emitted;
        place->is_emitted = false;
    }
    input->is_alone = true;
    queue(tail, input);
}

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct emission *emission = HF_CONTAINER(output, struct emission, output);
    struct hf_tail *tail = emission->tail;
    struct hf_sampling_tail_input *next = emission->inputs;
    bool are_several = next->next != NULL;
    free(emission);
    tail->emissions--;
    if (status == HF_CLOSED) {
        tail->is_closed = true; /* all of it stays in the queue in front */
        return;
    }
    while (next != NULL) {
        struct hf_sampling_tail_input *input = next;
        next = input->next;
        if (status != HF_OK && are_several) {
            want_alone(tail, input);
        } else {
            settle(tail, input, status != HF_OK);
        }
    }
    hf_sampling_tail_emit(tail);
}

/* ---- one input ---- */

struct wanted {
    struct hf_sampling_tail_choice choice;
    const struct hf_sampling_tail_ids *ids;
    const struct hf_sampling_tail_input *input;
};

static bool is_wanted(const struct hf_sampling_tail_choice *choice, const uint8_t *id)
{
    const struct wanted *wanted = HF_CONTAINER(choice, const struct wanted, choice);
    const uint32_t *slot = hf_sampling_tail_ids_at(wanted->ids, hf_trace_hash(id));
    while (*slot != 0 &&
           memcmp(wanted->input->places[*slot - 1].trace->id, id, HF_TRACE_ID_SIZE) != 0) {
        slot = hf_sampling_tail_ids_next(wanted->ids, slot);
    }
    return *slot != 0;
}

static enum hf_status note_wanted(struct hf_tail *tail, const struct hf_sampling_tail_input *input)
{
    enum hf_status status = hf_sampling_tail_ids_reset(&tail->wanted_ids, input->wanted);
    uint32_t left = status == HF_OK ? input->wanted : 0;
    for (const struct hf_sampling_tail_place *place = input->places; left > 0; place++) {
        if (!place->is_wanted) {
            continue;
        }
        uint32_t *slot =
            hf_sampling_tail_ids_at(&tail->wanted_ids, hf_trace_hash(place->trace->id));
        while (*slot != 0) {
            slot = hf_sampling_tail_ids_next(&tail->wanted_ids, slot);
        }
        *slot = place->number + 1;
        left--;
    }
    return status;
}

/* Appends the wanted spans of an input to what is emitted next. HF_NOMEM; HF_CORRUPT: it has none
 * of them. */
static enum hf_status cut(struct hf_tail *tail, const struct hf_sampling_tail_input *input,
                          struct hf_slice raw, uint32_t *items)
{
    const struct wanted wanted = {
        .choice.has = is_wanted, .ids = &tail->wanted_ids, .input = input};
    struct hf_wire_writer writer = {.out = &tail->cut};
    size_t before = tail->cut.size;
    enum hf_status status = note_wanted(tail, input);
    status = status == HF_OK ? hf_bytes_reserve(&tail->cut, before + raw.size) : status;
    if (status != HF_OK) {
        return status;
    }
    uint32_t spans = hf_sampling_tail_cut(raw, &wanted.choice, &writer);
    if (writer.failed) {
        tail->cut.size = before;
        return HF_NOMEM;
    }
    *items += spans;
    return spans != 0 ? HF_OK : HF_CORRUPT;
}

/* ---- several inputs ---- */

/* What the first inputs of the line give. */
struct gathered {
    size_t inputs;
    uint32_t items;
    struct hf_batch *first; /* a reference */
};

static bool may_join(const struct hf_batch *first, const struct hf_batch *more,
                     const struct hf_sampling_tail_input *input)
{
    return !input->is_alone && hf_slice_equal(first->meta, more->meta);
}

/* Adds an input. HF_FULL: it is to have a request of its own; it is read already then. */
static enum hf_status add(struct hf_tail *tail, struct hf_sampling_tail_input *input,
                          struct gathered *gathered)
{
    struct hf_batch *batch = tail->ahead;
    tail->ahead = NULL;
    enum hf_status status = batch == NULL ? hf_input_load(input->input, &batch) : HF_OK;
    if (status != HF_OK) {
        return status;
    }
    if (gathered->first != NULL && !may_join(gathered->first, batch, input)) {
        tail->ahead = batch;
        return HF_FULL;
    }
    status = cut(tail, input, batch->raw, &gathered->items);
    if (status == HF_OK) {
        gathered->inputs++;
    }
    if (status == HF_OK && gathered->first == NULL) {
        gathered->first = batch;
    } else {
        hf_ref_drop(&batch->ref);
    }
    return status;
}

/* HF_OK: at least one is there. HF_NOMEM, HF_IO and the like: later. HF_INVALID, HF_NOT_FOUND,
 * HF_CORRUPT, HF_TOO_LARGE: the first never will be. */
static enum hf_status gather(struct hf_tail *tail, struct gathered *gathered)
{
    enum hf_status status = HF_OK;
    struct hf_sampling_tail_input *input = tail->to_emit;
    bool is_alone = input->is_alone;
    tail->cut.size = 0;
    while (status == HF_OK && input != NULL && gathered->inputs < INPUTS_AT_ONCE &&
           tail->cut.size < EMISSION_BYTES) {
        status = add(tail, input, gathered);
        input = is_alone ? NULL : input->next;
    }
    return gathered->inputs != 0 ? HF_OK : status;
}

static void drop_ahead(struct hf_tail *tail)
{
    if (tail->ahead != NULL) {
        hf_ref_drop(&tail->ahead->ref);
        tail->ahead = NULL;
    }
}

static bool is_final(enum hf_status status)
{
    return status == HF_NOT_FOUND || status == HF_CORRUPT || status == HF_INVALID ||
           status == HF_TOO_LARGE;
}

/* Emits what was gathered. HF_NOMEM: nothing of it. */
static enum hf_status emit(struct hf_tail *tail, const struct gathered *gathered)
{
    const struct hf_batch *first = gathered->first;
    struct emission *emission = malloc(sizeof(*emission));
    struct hf_batch *batch =
        emission != NULL ? hf_batch_new(first->signal, tail->cut.size, first->meta) : NULL;
    if (batch == NULL) {
        free(emission);
        return HF_NOMEM;
    }
    memcpy(hf_batch_room(batch), tail->cut.data, tail->cut.size);
    hf_batch_seal(batch, tail->cut.size, gathered->items);
    batch->received_ns = first->received_ns;
    *emission = (struct emission){.output = {.done = emitted}, .tail = tail};
    struct hf_sampling_tail_input **end = &emission->inputs;
    for (size_t i = 0; i < gathered->inputs; i++) {
        *end = take_first(tail);
        end = &(*end)->next;
    }
    tail->emissions++;
    hf_emit(tail->node, batch, &emission->output);
    hf_ref_drop(&batch->ref);
    return HF_OK;
}

/* The first inputs of the line. False: not now. */
static bool emit_first(struct hf_tail *tail)
{
    struct gathered gathered = {0};
    enum hf_status status = gather(tail, &gathered);
    if (is_final(status)) {
        settle(tail, take_first(tail), true);
        return true;
    }
    status = status == HF_OK ? emit(tail, &gathered) : status;
    if (status != HF_OK) {
        drop_ahead(tail); /* the line is as before */
    }
    if (gathered.first != NULL) {
        hf_ref_drop(&gathered.first->ref);
    }
    if (tail->cut.capacity > CUT_KEPT_BYTES) {
        hf_bytes_release(&tail->cut);
    }
    return status == HF_OK;
}

void hf_sampling_tail_emit(struct hf_tail *tail)
{
    while (!tail->is_closed && tail->emissions < EMISSIONS_MAX && tail->to_emit != NULL) {
        if (!emit_first(tail)) {
            return; /* the next tick tries again */
        }
    }
}
