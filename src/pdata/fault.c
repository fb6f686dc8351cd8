#include "fault.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "scan.h"
#include "schema.h"
#include "utf8.h"
#include "wire.h"

#define STEPS_MAX (HF_SCAN_DEPTH_MAX + 2)
#define WHY_MAX 160

/* One field on the way from the request to the fault. */
struct step {
    const struct hf_schema_field *field; /* NULL: none of OTLP */
    uint32_t number, index;              /* the index counts from 0, where the field is repeated */
};

struct finder {
    const uint8_t *start;
    struct step steps[STEPS_MAX];
    size_t step_count;
    size_t offset;
    char why[WHY_MAX];
};

/* One message being read; `seen` counts its fields by number. */
struct frame {
    struct hf_wire wire;
    const struct hf_schema_message *message;
    unsigned depth;
    uint32_t seen[HF_SCHEMA_NUMBER_MAX + 1];
};

static bool fail(struct finder *finder, const uint8_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always false, so that it can be returned. */
static bool fail(struct finder *finder, const uint8_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finder->why, sizeof(finder->why), format, arguments);
    va_end(arguments);
    finder->offset = (size_t)(at - finder->start);
    return false;
}

static bool walk(struct finder *finder, struct frame *frame);

static bool check_packed(struct finder *finder, const struct hf_schema_field *field,
                         struct hf_slice packed)
{
    struct hf_wire wire = hf_wire_of(packed);
    uint64_t value;
    if (hf_schema_wire(field->type) == HF_WIRE_64 && packed.size % 8 != 0) {
        return fail(finder, packed.data, "packed numbers of 8 bytes in %zu bytes", packed.size);
    }
    while (hf_schema_wire(field->type) == HF_WIRE_VARINT && !hf_wire_at_end(wire)) {
        const uint8_t *at = wire.at;
        if (!hf_wire_varint(&wire, &value)) {
            return fail(finder, at, "a packed number that is cut short or over 64 bits");
        }
    }
    return true;
}

static bool check_bytes(struct finder *finder, const struct frame *frame,
                        const struct hf_schema_field *field, struct hf_slice bytes)
{
    switch (field->type) {
    case HF_SCHEMA_STRING:
        return hf_utf8_is_valid(bytes) || fail(finder, bytes.data, "text that is not UTF-8");
    case HF_SCHEMA_ID:
        return bytes.size == 0 || bytes.size == field->id_size ||
               fail(finder, bytes.data, "an id of %zu bytes where %u belong", bytes.size,
                    field->id_size);
    case HF_SCHEMA_MESSAGE:
        break;
    default:
        return !hf_schema_is_scalar(field->type) || check_packed(finder, field, bytes);
    }
    if (frame->depth >= HF_SCAN_DEPTH_MAX) {
        return fail(finder, bytes.data, "nesting of more than %d messages", HF_SCAN_DEPTH_MAX);
    }
    struct frame inner = {
        .wire = hf_wire_of(bytes), .message = field->message, .depth = frame->depth + 1};
    return walk(finder, &inner);
}

static bool is_wire_allowed(const struct hf_schema_field *field, unsigned wire)
{
    return wire == (unsigned)hf_schema_wire(field->type) ||
           (wire == HF_WIRE_BYTES && field->repeated && hf_schema_is_scalar(field->type));
}

static bool check_value(struct finder *finder, struct frame *frame,
                        const struct hf_schema_field *field, unsigned wire)
{
    const uint8_t *at = frame->wire.at;
    struct hf_slice bytes;
    uint64_t value;
    size_t fixed = wire == HF_WIRE_64 ? 8 : 4;
    switch (wire) {
    case HF_WIRE_VARINT:
        return hf_wire_varint(&frame->wire, &value) ||
               fail(finder, at, "a number that is cut short or over 64 bits");
    case HF_WIRE_64:
    case HF_WIRE_32:
        return hf_wire_take(&frame->wire, fixed, &bytes) ||
               fail(finder, at, "a number of %zu bytes that is cut short", fixed);
    case HF_WIRE_BYTES:
        break;
    default:
        return fail(finder, at, wire == 3 || wire == 4 ? "a group" : "wire type %u, which is none",
                    wire);
    }
    if (!hf_wire_varint(&frame->wire, &value)) {
        return fail(finder, at, "a length that is cut short or over 64 bits");
    }
    if (!hf_wire_take(&frame->wire, value, &bytes)) {
        return fail(finder, at, "a length of %" PRIu64 " where %zu bytes are left", value,
                    hf_wire_left(frame->wire));
    }
    return field == NULL || check_bytes(finder, frame, field, bytes);
}

static bool check_field(struct finder *finder, struct frame *frame)
{
    const uint8_t *at = frame->wire.at;
    const struct hf_schema_field *field = NULL;
    uint64_t tag;
    if (!hf_wire_varint(&frame->wire, &tag)) {
        return fail(finder, at, "a field's tag that is cut short or over 64 bits");
    }
    uint64_t number = tag >> 3;
    if (number == 0 || number > HF_WIRE_NUMBER_MAX) {
        return fail(finder, at, "the field number %" PRIu64 ", which is none", number);
    }
    if (number <= HF_SCHEMA_NUMBER_MAX && frame->message->fields[number].type != HF_SCHEMA_NONE) {
        field = &frame->message->fields[number];
    }
    finder->steps[finder->step_count++] = (struct step){
        field, (uint32_t)number, number <= HF_SCHEMA_NUMBER_MAX ? frame->seen[number]++ : 0};
    unsigned wire = (unsigned)(tag & 7);
    if (field != NULL && !is_wire_allowed(field, wire)) {
        return fail(finder, at, "wire type %u where %u belongs", wire,
                    (unsigned)hf_schema_wire(field->type));
    }
    if (!check_value(finder, frame, field, wire)) {
        return false;
    }
    finder->step_count--;
    return true;
}

static bool walk(struct finder *finder, struct frame *frame)
{
    while (!hf_wire_at_end(frame->wire)) {
        if (!check_field(finder, frame)) {
            return false;
        }
    }
    return true;
}

/* Appends what has room. */
static void say(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(char *text, const char *format, ...)
{
    size_t size = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + size, HF_FAULT_TEXT_MAX - size, format, arguments);
    va_end(arguments);
}

static void say_path(char *text, const struct finder *finder)
{
    for (size_t i = 0; i < finder->step_count; i++) {
        const struct step *step = &finder->steps[i];
        say(text, "%s", i == 0 ? ", in " : ".");
        if (step->field == NULL) {
            say(text, "field %" PRIu32, step->number);
        } else if (step->field->repeated) {
            say(text, "%s[%" PRIu32 "]", step->field->json, step->index);
        } else {
            say(text, "%s", step->field->json);
        }
    }
}

bool hf_fault_find(enum hf_signal signal, struct hf_slice raw, char ret_text[HF_FAULT_TEXT_MAX])
{
    struct finder finder = {.start = raw.data};
    struct frame frame = {.wire = hf_wire_of(raw), .message = hf_schema_request(signal)};
    ret_text[0] = '\0';
    if (raw.size > INT32_MAX) {
        say(ret_text, "a message of more than 2 GiB");
        return true;
    }
    if (walk(&finder, &frame)) {
        return false;
    }
    say(ret_text, "%s at byte %zu", finder.why, finder.offset);
    say_path(ret_text, &finder);
    return true;
}
