/*
 * Must reach hf_document_write(), every reader and setter of message.h, and hf_repair(). The first
 * byte is the signal, the second and third choose the changes. What a document says of a good
 * request is what protobuf-c says, before and after the same changes to both; what is repaired
 * passes the scan; whatever else comes must not be read beyond its end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pdata/repair.h"
#include "pdata/scan.h"

static void oracle_fail(int line, const char *condition)
{
    fprintf(stderr, "oracle.c:%d: %s\n", line, condition);
    abort();
}

#include "tests/support/oracle.c"

/*
 * protobuf-c keeps a string up to its first NUL, and does not put together well what comes in
 * pieces: such requests are not compared.
 */
static bool is_beyond_objects(struct hf_slice raw, const struct hf_schema_message *type)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    uint32_t seen = 0;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number > HF_SCHEMA_NUMBER_MAX || field.wire != HF_WIRE_BYTES) {
            continue;
        }
        const struct hf_schema_field *known = &type->fields[field.number];
        bool is_piece =
            known->type == HF_SCHEMA_MESSAGE && !known->repeated && (seen >> field.number & 1) != 0;
        bool has_nul = known->type == HF_SCHEMA_STRING && field.bytes.size > 0 &&
                       memchr(field.bytes.data, 0, field.bytes.size) != NULL;
        seen |= UINT32_C(1) << field.number;
        if (is_piece || has_nul ||
            (known->type == HF_SCHEMA_MESSAGE && is_beyond_objects(field.bytes, known->message))) {
            return true;
        }
    }
    return false;
}

/* Everything is looked at, whatever it is. */
static void look_at_all(struct hf_message *message)
{
    for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
        const struct hf_schema_field *field = &hf_message_type(message)->fields[number];
        if (field->type == HF_SCHEMA_NONE) {
            continue;
        }
        hf_message_has(message, number);
        if (field->type != HF_SCHEMA_MESSAGE) {
            hf_message_i64(message, number);
            hf_message_bytes(message, number);
        } else if (field->message->index == HF_MESSAGE_KEY_VALUE) {
            hf_message_attributes(message, number);
        } else if (field->message->index == HF_MESSAGE_ANY_VALUE) {
            hf_message_any(message, number);
        } else {
            struct hf_message *child = hf_message_first(message, number);
            for (; child != NULL; child = hf_message_next(child)) {
                look_at_all(child);
                hf_message_move(child, message, number);
                break;
            }
        }
    }
}

static void open_any(enum hf_signal signal, struct hf_slice raw)
{
    struct hf_bytes out = {0};
    uint64_t count = 0;
    struct hf_scan scan;
    enum hf_status status = hf_repair(signal, raw, &out, &count);
    if (status == HF_OK && count > 0 &&
        hf_scan(signal, hf_slice_of(out.data, out.size), &scan) != HF_OK) {
        abort();
    }
    struct hf_document *document = hf_document_borrow(signal, raw);
    look_at_all(hf_document_root(document));
    out.size = 0;
    if (hf_document_write(document, &out) == HF_NOMEM) {
        abort();
    }
    hf_document_return(document);
    hf_bytes_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_scan scan;
    if (size < 3) {
        return 0;
    }
    enum hf_signal signal = (enum hf_signal)(data[0] % (HF_LOGS + 1));
    struct hf_slice raw = {data + 3, size - 3};
    if (hf_scan(signal, raw, &scan) != HF_OK || is_beyond_objects(raw, hf_schema_request(signal))) {
        open_any(signal, raw);
    } else {
        oracle_run(signal, raw, raw, (uint64_t)data[1] + 1, data[2] % 32u);
    }
    return 0;
}
