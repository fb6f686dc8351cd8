/*
 * Must reach hf_document_write(), every reader and setter of message.h, and hf_repair(). The first
 * byte is the signal, the second and third choose the changes. What a document says of a good
 * request is what protobuf-c says, before and after the same changes to both; what is repaired
 * passes the scan; whatever else comes must not be read beyond its end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "src/otlp/repair.h"
#include "src/otlp/scan.h"

static void oracle_fail(int line, const char *condition)
{
    fprintf(stderr, "oracle.c:%d: %s\n", line, condition);
    abort();
}

#include "tests/support/oracle.c"

/* protobuf-c keeps a string up to its first NUL: then it cannot tell what was there. */
static bool has_nul(struct hf_slice raw, const struct hf_schema_message *type)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number > HF_SCHEMA_NUMBER_MAX || field.bytes.size == 0) {
            continue;
        }
        const struct hf_schema_field *known = &type->fields[field.number];
        if ((known->type == HF_SCHEMA_STRING &&
             memchr(field.bytes.data, 0, field.bytes.size) != NULL) ||
            (known->type == HF_SCHEMA_MESSAGE && has_nul(field.bytes, known->message))) {
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

static void open_bad(enum hf_signal signal, struct hf_slice raw)
{
    struct hf_bytes out = {0};
    uint64_t count = 0;
    struct hf_scan scan;
    enum hf_status status = hf_repair(signal, raw, &out, &count);
    if (status == HF_OK &&
        (count == 0 || hf_scan(signal, hf_slice_of(out.data, out.size), &scan) != HF_OK)) {
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
    enum hf_signal signal = (enum hf_signal)(data[0] % HF_SIGNAL_COUNT);
    struct hf_slice raw = {data + 3, size - 3};
    if (hf_scan(signal, raw, &scan) != HF_OK) {
        open_bad(signal, raw);
    } else if (!has_nul(raw, hf_schema_request(signal))) {
        oracle_run(signal, raw, (uint64_t)data[1] + 1, data[2] % 32u);
    }
    return 0;
}
