#include "loki_record.h"

#include "pdata/document.h"
#include "pdata/wire_find.h"

enum {
    TIME = 1,
    SEVERITY = 2,
    SEVERITY_TEXT = 3,
    BODY = 5,
    ATTRIBUTES = 6,
    FLAGS = 8,
    TRACE_ID = 9,
    SPAN_ID = 10,
    OBSERVED = 11
};

struct loki_pairs loki_attributes_of(struct hf_message *owner, uint32_t number)
{
    const struct loki_pairs none = {NULL, 0};
    const struct hf_attributes *list = owner != NULL ? hf_message_attributes(owner, number) : NULL;
    if (list == NULL || list->count == 0) {
        return none;
    }
    struct hf_arena *arena = hf_document_arena(hf_message_document(owner));
    struct hf_any_pair *items = hf_arena_take(arena, list->count * sizeof(*items));
    for (size_t i = 0; i < list->count && items != NULL; i++) {
        items[i] = (struct hf_any_pair){list->items[i].key, list->items[i].value};
    }
    return items != NULL ? (struct loki_pairs){items, list->count} : none;
}

/* A key and a value, as nearly all are. False: the value has pieces, or something is missing. */
static bool read_pair(struct hf_slice bytes, struct hf_any_pair *ret_pair)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field key, value;
    bool is_plain = hf_wire_step(&wire, &key) && key.number == 1 && hf_wire_step(&wire, &value) &&
                    value.number == 2 && hf_wire_at_end(wire);
    if (is_plain) {
        *ret_pair = (struct hf_any_pair){key.bytes, value.bytes};
    }
    return is_plain;
}

/* False: an attribute or the body is not plain, or there are many attributes. */
static bool read_plainly(struct hf_slice content, struct loki_record *record)
{
    struct hf_wire wire = hf_wire_of(content);
    struct hf_wire_field field;
    size_t count = 0;
    bool is_plain = true;
    while (is_plain && !hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        switch (field.number) {
        case TIME:
            record->time_ns = field.value;
            break;
        case SEVERITY:
            record->severity = (int32_t)(uint32_t)field.value;
            break;
        case SEVERITY_TEXT:
            record->severity_text = field.bytes;
            break;
        case BODY:
            is_plain = record->body.size == 0; /* pieces are joined */
            record->body = field.bytes;
            break;
        case ATTRIBUTES:
            is_plain =
                count < LOKI_RECORD_ATTRIBUTES_FEW && read_pair(field.bytes, &record->few[count]);
            count++;
            break;
        case FLAGS:
            record->flags = (uint32_t)field.value;
            break;
        case TRACE_ID:
            record->trace_id = field.bytes;
            break;
        case SPAN_ID:
            record->span_id = field.bytes;
            break;
        case OBSERVED:
            record->observed_ns = field.value;
            break;
        default:
            break;
        }
    }
    record->attributes = (struct loki_pairs){record->few, count};
    return is_plain && hf_wire_at_end(wire);
}

static void empty(struct loki_record *record)
{
    record->time_ns = record->observed_ns = record->flags = 0;
    record->severity = 0;
    record->severity_text = record->body = HF_EMPTY_SLICE;
    record->trace_id = record->span_id = HF_EMPTY_SLICE;
}

void loki_record_read(struct hf_message *message, struct loki_record *ret_record)
{
    struct loki_record *record = ret_record;
    empty(record);
    if (read_plainly(hf_message_content(message), record)) {
        return;
    }
    record->time_ns = hf_message_u64(message, TIME);
    record->observed_ns = hf_message_u64(message, OBSERVED);
    record->severity = hf_message_i64(message, SEVERITY);
    record->severity_text = hf_message_bytes(message, SEVERITY_TEXT);
    record->body = hf_message_any(message, BODY);
    record->flags = hf_message_u64(message, FLAGS);
    record->trace_id = hf_message_bytes(message, TRACE_ID);
    record->span_id = hf_message_bytes(message, SPAN_ID);
    record->attributes = loki_attributes_of(message, ATTRIBUTES);
}
