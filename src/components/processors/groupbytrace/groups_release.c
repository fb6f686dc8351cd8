/*
 * groups_release: reads the inputs of traces that are due, and passes each trace on as one request.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "groups_internal.h"
#include "pdata/wire_find.h"

#define ROUND_TRACES 1024u
#define ROUND_BYTES                                                                                \
    ((size_t)32 << 20) /* of the inputs that are read together, but for one trace                  \
                        */

enum { RESOURCE_SPANS = 1, SCOPE_SPANS = 2, SPANS = 2 };

struct emission {
    struct hf_output output;
    struct groups *groups;
    struct group_trace *trace;
};

/* ---- the end of a trace ---- */

static void done_with(struct group_input *input, uint32_t spans, bool are_dropped)
{
    struct hf_input *lent = input->input;
    assert(spans <= input->open);
    input->open -= spans;
    if (input->open == 0) {
        free(input);
    }
    hf_input_done_items(lent, spans, are_dropped ? spans : 0);
}

/* All its spans are durable behind, or never will be. */
static void finish(struct groups *groups, struct group_trace *trace, bool are_dropped)
{
    struct group_place *next = trace->places;
    while (next != NULL) {
        struct group_place *place = next;
        bool is_dropped = are_dropped || place->is_lost;
        next = place->next;
        hf_series_add(groups->spans_released, is_dropped ? 0 : place->spans);
        done_with(place->input, place->spans, is_dropped);
    }
    hf_series_add(groups->released, 1);
    groups_forget(groups, trace);
}

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct emission *emission = HF_CONTAINER(output, struct emission, output);
    struct groups *groups = emission->groups;
    struct group_trace *trace = emission->trace;
    free(emission);
    groups->emitting--;
    if (status == HF_CLOSED) {
        groups->is_closed = true; /* all of it stays in the queue in front */
        return;
    }
    finish(groups, trace, status != HF_OK);
    if (groups->emitting == 0) {
        groups_release(groups);
    }
}

/* ---- reading ---- */

static bool add_piece(struct groups *groups, struct group_trace *trace,
                      const struct group_piece *piece)
{
    if (groups->piece_count == groups->piece_room) {
        size_t room = groups->piece_room == 0 ? 1024 : 2 * groups->piece_room;
        struct group_piece *pieces = realloc(groups->pieces, room * sizeof(*pieces));
        if (pieces == NULL) {
            return false;
        }
        groups->pieces = pieces;
        groups->piece_room = room;
    }
    groups->pieces[groups->piece_count++] = *piece;
    uint32_t number = (uint32_t)groups->piece_count;
    *(trace->last_piece != 0 ? &groups->pieces[trace->last_piece - 1].next : &trace->first_piece) =
        number;
    trace->last_piece = number;
    return true;
}

/* Has the trace spans of that input? One that was released and came again has others. */
static bool is_of(const struct group_trace *trace, const struct group_input *input)
{
    for (const struct group_place *place = trace->places; place != NULL; place = place->next) {
        if (place->input == input) {
            return true;
        }
    }
    return false;
}

static bool collect_scope(struct groups *groups, struct group_piece *piece)
{
    struct hf_wire fields = hf_wire_of(piece->scope);
    struct hf_wire_field field;
    while (!hf_wire_at_end(fields) && hf_wire_step(&fields, &field)) {
        uint8_t id[GROUPS_ID_SIZE];
        if (field.number != SPANS || field.wire != HF_WIRE_BYTES) {
            continue;
        }
        groups_id_of(field.bytes, id);
        struct group_trace *trace = groups_find(groups, id, true);
        piece->span = field.whole;
        if (trace != NULL && is_of(trace, piece->input) && !add_piece(groups, trace, piece)) {
            return false;
        }
    }
    return true;
}

/* The spans of the round's traces. False: out of memory. */
static bool collect(struct groups *groups, struct group_input *input)
{
    struct group_piece piece = {.input = input};
    struct hf_wire wire = hf_wire_of(input->batch->raw);
    while (hf_wire_each(&wire, RESOURCE_SPANS, &piece.group)) {
        struct hf_wire scopes = hf_wire_of(piece.group);
        while (hf_wire_each(&scopes, SCOPE_SPANS, &piece.scope)) {
            if (!collect_scope(groups, &piece)) {
                return false;
            }
        }
    }
    return true;
}

static bool is_final(enum hf_status status)
{
    return status == HF_NOT_FOUND || status == HF_CORRUPT || status == HF_INVALID ||
           status == HF_TOO_LARGE;
}

/* False: not now. */
static bool read_all(struct groups *groups)
{
    for (struct group_input *input = groups->round_inputs; input != NULL; input = input->next) {
        enum hf_status status = hf_input_load(input->input, &input->batch);
        if (status != HF_OK && !is_final(status)) {
            return false;
        }
        input->is_lost = status != HF_OK;
        if (status == HF_OK && !collect(groups, input)) {
            return false;
        }
    }
    return true;
}

/* ---- writing ---- */

/* All fields of a message but those of one number. */
static void put_head(struct hf_wire_writer *writer, struct hf_slice message, uint32_t but)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number != but) {
            hf_wire_put_raw(writer, field.whole);
        }
    }
}

/* The spans from `number` on that stand in the same scope; returns the number of the next one. */
static uint32_t put_scope(const struct groups *groups, struct hf_wire_writer *writer,
                          uint32_t number, uint32_t *ret_items)
{
    const struct group_piece *first = &groups->pieces[number - 1];
    const uint8_t *scope = first->scope.data;
    struct hf_wire_message group = hf_wire_open(writer, RESOURCE_SPANS, first->scope.size);
    put_head(writer, first->group, SCOPE_SPANS);
    struct hf_wire_message inner = hf_wire_open(writer, SCOPE_SPANS, first->scope.size);
    put_head(writer, first->scope, SPANS);
    while (number != 0 && groups->pieces[number - 1].scope.data == scope) {
        hf_wire_put_raw(writer, groups->pieces[number - 1].span);
        number = groups->pieces[number - 1].next;
        (*ret_items)++;
    }
    hf_wire_close(writer, inner);
    hf_wire_close(writer, group);
    return number;
}

/* A trace as one request, with the client metadata of its first input. NULL: out of memory. */
static struct hf_batch *write_trace(const struct groups *groups, const struct group_trace *trace)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    const struct hf_batch *first = groups->pieces[trace->first_piece - 1].input->batch;
    struct hf_batch *batch = NULL;
    uint32_t items = 0;
    for (uint32_t number = trace->first_piece; number != 0;) {
        number = put_scope(groups, &writer, number, &items);
    }
    if (!writer.failed) {
        batch = hf_batch_new(HF_TRACES, bytes.size, first->meta);
    }
    if (batch != NULL) {
        memcpy(hf_batch_room(batch), bytes.data, bytes.size);
        hf_batch_seal(batch, bytes.size, items);
        batch->received_ns = first->received_ns;
    }
    hf_bytes_release(&bytes);
    return batch;
}

static bool emit(struct groups *groups, struct group_trace *trace)
{
    struct emission *emission = malloc(sizeof(*emission));
    struct hf_batch *batch = emission != NULL ? write_trace(groups, trace) : NULL;
    if (batch == NULL) {
        free(emission);
        return false;
    }
    *emission = (struct emission){.output = {.done = emitted}, .groups = groups, .trace = trace};
    groups->emitting++;
    hf_emit(groups->node, batch, &emission->output);
    hf_ref_drop(&batch->ref);
    return true;
}

/* ---- rounds ---- */

static void put_back(struct groups *groups, struct group_trace *trace)
{
    trace->is_in_round = false;
    trace->first_piece = 0;
    trace->last_piece = 0;
    trace->next = groups->first;
    groups->first = trace;
    groups->last = groups->last == NULL ? trace : groups->last;
    groups->waiting++;
}

/* Back to the head of the line, in their order. */
static void put_back_all(struct groups *groups, struct group_trace *traces)
{
    struct group_trace *reversed = NULL;
    while (traces != NULL) {
        struct group_trace *next = traces->next;
        traces->next = reversed;
        reversed = traces;
        traces = next;
    }
    while (reversed != NULL) {
        struct group_trace *next = reversed->next;
        put_back(groups, reversed);
        reversed = next;
    }
}

static struct group_trace *take_first(struct groups *groups)
{
    struct group_trace *trace = groups->first;
    groups->first = trace->next;
    groups->last = groups->first == NULL ? NULL : groups->last;
    groups->waiting--;
    trace->next = NULL;
    trace->is_in_round = true;
    return trace;
}

/* Returns the bytes that are to be read for it. */
static size_t add_inputs(struct groups *groups, const struct group_trace *trace)
{
    size_t bytes = 0;
    for (struct group_place *place = trace->places; place != NULL; place = place->next) {
        struct group_input *input = place->input;
        if (!input->is_in_round) {
            input->is_in_round = true;
            input->next = NULL;
            *groups->round_inputs_end = input;
            groups->round_inputs_end = &input->next;
            bytes += input->size;
        }
    }
    return bytes;
}

static bool is_over(const struct groups *groups, const struct group_trace *trace)
{
    return trace->received_ns + groups->options.wait_ns <= groups->until_ns;
}

static bool is_due(const struct groups *groups)
{
    const struct group_trace *trace = groups->first;
    return trace != NULL &&
           (groups->waiting > groups->options.num_traces || is_over(groups, trace));
}

/* The traces of the next round, and their inputs. */
static void choose(struct groups *groups)
{
    struct group_trace **end = &groups->round;
    size_t bytes = 0;
    groups->round_inputs = NULL;
    groups->round_inputs_end = &groups->round_inputs;
    groups->piece_count = 0;
    for (unsigned left = ROUND_TRACES; left > 0 && bytes < ROUND_BYTES && is_due(groups); left--) {
        hf_series_add(groups->evicted, is_over(groups, groups->first) ? 0 : 1);
        *end = take_first(groups);
        bytes += add_inputs(groups, *end);
        end = &(*end)->next;
    }
}

/* Done with the bytes. The inputs may be gone when the traces are answered, so it is done before.
 */
static void close_inputs(struct groups *groups)
{
    for (struct group_input *input = groups->round_inputs; input != NULL; input = input->next) {
        hf_ref_drop(input->batch != NULL ? &input->batch->ref : NULL);
        input->batch = NULL;
        input->is_in_round = false;
    }
    groups->round_inputs = NULL;
}

static void mark_lost(struct group_trace *trace)
{
    for (struct group_place *place = trace->places; place != NULL; place = place->next) {
        place->is_lost = place->input->is_lost;
    }
}

/* False: not now. */
static bool run_round(struct groups *groups)
{
    struct group_trace *trace = groups->round, *unreadable = NULL;
    bool goes_on = read_all(groups);
    groups->round = NULL;
    groups->emitting++; /* answers begin no round before this one has begun */
    while (goes_on && trace != NULL) {
        struct group_trace *next = trace->next;
        mark_lost(trace);
        if (trace->first_piece == 0) { /* no input of it can be read any more */
            trace->next = unreadable;
            unreadable = trace;
        } else if (!emit(groups, trace)) {
            goes_on = false;
            break;
        }
        trace = next;
    }
    put_back_all(groups, trace);
    close_inputs(groups);
    while (unreadable != NULL) {
        struct group_trace *next = unreadable->next;
        finish(groups, unreadable, true);
        unreadable = next;
    }
    groups->emitting--;
    return goes_on;
}

void groups_release(struct groups *groups)
{
    while (!groups->is_closed && groups->emitting == 0 && is_due(groups)) {
        choose(groups);
        if (!run_round(groups)) {
            return; /* the next tick tries again */
        }
    }
}
