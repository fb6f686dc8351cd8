#include "tail_spans.h"

#include <string.h>

#include "pdata/wire_find.h"

enum {
    TRACE_ID = 1,
    TRACE_STATE = 3,
    PARENT = 4,
    START = 7,
    END = 8,
    STATUS = 15,
    FLAGS = 16,
    STATUS_CODE = 3
};

/* ---- one span ---- */

static void copy_id(struct hf_slice bytes, uint8_t *ret_id)
{
    memset(ret_id, 0, HF_TRACE_ID_SIZE);
    if (bytes.size == HF_TRACE_ID_SIZE) {
        memcpy(ret_id, bytes.data, HF_TRACE_ID_SIZE);
    }
}

/* A status that came in several pieces is all of them joined. */
static void add_status(struct hf_slice status, struct hf_sampling_tail_span *span)
{
    struct hf_wire_field code;
    if (hf_wire_find(status, STATUS_CODE, &code)) {
        span->status_code = (int32_t)(uint32_t)code.value;
    }
}

void hf_sampling_tail_span_read(struct hf_slice bytes, struct hf_sampling_tail_span *ret_span)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    struct hf_sampling_tail_span span = {.bytes = bytes, .is_root = true};
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        switch (field.number) {
        case TRACE_ID:
            copy_id(field.bytes, span.id);
            break;
        case TRACE_STATE:
            span.trace_state = field.bytes;
            break;
        case PARENT:
            span.is_root = hf_slice_is_zero(field.bytes);
            break;
        case START:
            span.start_ns = field.value;
            break;
        case END:
            span.end_ns = field.value;
            break;
        case STATUS:
            add_status(field.bytes, &span);
            break;
        case FLAGS:
            span.flags = (uint32_t)field.value;
            break;
        case HF_TAIL_SPAN_ATTRIBUTES:
            hf_wire_skip_row(&wire, HF_TAIL_SPAN_ATTRIBUTES);
            break;
        default:
            break;
        }
    }
    *ret_span = span;
}

/* ---- some of the spans ---- */

struct cut {
    const struct hf_sampling_tail_choice *choice;
    struct hf_wire_writer *writer;
    uint32_t spans;
};

static bool is_chosen(const struct cut *cut, struct hf_slice span)
{
    uint8_t id[HF_TRACE_ID_SIZE] = {0};
    struct hf_wire wire = hf_wire_of(span);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number == TRACE_ID) {
            copy_id(field.bytes, id);
        } else if (field.number == HF_TAIL_SPAN_ATTRIBUTES) {
            hf_wire_skip_row(&wire, HF_TAIL_SPAN_ATTRIBUTES);
        }
    }
    return cut->choice->has(cut->choice, id);
}

static void cut_spans(struct cut *cut, struct hf_slice scope_group)
{
    struct hf_wire wire = hf_wire_of(scope_group);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        bool is_span = field.number == HF_TAIL_SPANS;
        if (!is_span || is_chosen(cut, field.bytes)) {
            hf_wire_put_raw(cut->writer, field.whole);
            cut->spans += is_span;
        }
    }
}

/* Writes a message that `fill` fills, or nothing when no span is in it. */
static void write_group(struct cut *cut, uint32_t number, struct hf_slice group,
                        void (*fill)(struct cut *cut, struct hf_slice group))
{
    size_t before = cut->writer->out->size;
    uint32_t spans = cut->spans;
    struct hf_wire_message message = hf_wire_open(cut->writer, number, group.size);
    fill(cut, group);
    if (cut->spans == spans) {
        cut->writer->out->size = before;
    } else {
        hf_wire_close(cut->writer, message);
    }
}

static void cut_scopes(struct cut *cut, struct hf_slice resource_group)
{
    struct hf_wire wire = hf_wire_of(resource_group);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number == HF_TAIL_SCOPE_GROUPS) {
            write_group(cut, HF_TAIL_SCOPE_GROUPS, field.bytes, cut_spans);
        } else {
            hf_wire_put_raw(cut->writer, field.whole);
        }
    }
}

uint32_t hf_sampling_tail_cut(struct hf_slice raw, const struct hf_sampling_tail_choice *choice,
                              struct hf_wire_writer *writer)
{
    struct cut cut = {.choice = choice, .writer = writer};
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    size_t before = writer->out->size;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number == HF_TAIL_RESOURCE_GROUPS) {
            write_group(&cut, HF_TAIL_RESOURCE_GROUPS, field.bytes, cut_scopes);
        } else {
            hf_wire_put_raw(writer, field.whole);
        }
    }
    if (cut.spans == 0) {
        writer->out->size = before;
    }
    return cut.spans;
}
