#include "repair.h"

#include <string.h>

#include "scan.h"
#include "schema.h"
#include "utf8.h"
#include "wire.h"

static const uint8_t replacement[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */

enum hf_status hf_repair_text(struct hf_slice text, struct hf_bytes *out)
{
    size_t at = 0;
    enum hf_status status = HF_OK;
    while (at < text.size && status == HF_OK) {
        struct hf_slice rest = {text.data + at, text.size - at};
        size_t good = hf_utf8_valid_run(rest);
        status = hf_bytes_append(out, hf_slice_of(rest.data, good));
        at += good;
        if (at < text.size && status == HF_OK) {
            at += hf_utf8_bad_run((struct hf_slice){text.data + at, text.size - at});
            status = hf_bytes_append(out, hf_slice_of(replacement, sizeof(replacement)));
        }
    }
    return status;
}

struct repair {
    struct hf_wire_writer writer;
    uint64_t count;
    bool is_bad; /* more than text is wrong */
};

static void repair_message(struct repair *repair, struct hf_slice content,
                           const struct hf_schema_message *type, unsigned depth);

static void repair_string(struct repair *repair, const struct hf_wire_field *field)
{
    struct hf_wire_writer *writer = &repair->writer;
    if (hf_utf8_is_ascii(field->bytes) || hf_utf8_is_valid(field->bytes)) {
        hf_wire_put_raw(writer, field->whole);
        return;
    }
    repair->count++;
    struct hf_wire_message text = hf_wire_open(writer, field->number, field->bytes.size);
    writer->failed |= hf_repair_text(field->bytes, writer->out) != HF_OK;
    hf_wire_close(writer, text);
}

static void repair_field(struct repair *repair, const struct hf_wire_field *field,
                         const struct hf_schema_message *type, unsigned depth)
{
    const struct hf_schema_field *known =
        field->number <= HF_SCHEMA_NUMBER_MAX ? &type->fields[field->number] : NULL;
    if (known == NULL || field->wire != HF_WIRE_BYTES) {
        hf_wire_put_raw(&repair->writer, field->whole);
    } else if (known->type == HF_SCHEMA_STRING) {
        repair_string(repair, field);
    } else if (known->type == HF_SCHEMA_MESSAGE) {
        uint64_t before = repair->count;
        size_t size = repair->writer.out->size;
        struct hf_wire_message inner =
            hf_wire_open(&repair->writer, field->number, field->bytes.size);
        repair_message(repair, field->bytes, known->message, depth + 1);
        hf_wire_close(&repair->writer, inner);
        if (repair->count == before && !repair->writer.failed) {
            /* As it came, even where the length was written with needless bytes. */
            repair->writer.out->size = size;
            hf_wire_put_raw(&repair->writer, field->whole);
        }
    } else {
        hf_wire_put_raw(&repair->writer, field->whole);
    }
}

static void repair_message(struct repair *repair, struct hf_slice content,
                           const struct hf_schema_message *type, unsigned depth)
{
    struct hf_wire wire = hf_wire_of(content);
    struct hf_wire_field field;
    repair->is_bad |= depth > HF_SCAN_DEPTH_MAX;
    while (!hf_wire_at_end(wire) && !repair->is_bad && !repair->writer.failed) {
        if (!hf_wire_next(&wire, &field)) {
            repair->is_bad = true;
            return;
        }
        repair_field(repair, &field, type, depth);
    }
}

enum hf_status hf_repair(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out,
                         uint64_t *ret_count)
{
    size_t before = out->size;
    struct repair repair = {.writer = {.out = out}};
    struct hf_scan scan;
    if (raw.size > INT32_MAX) {
        return HF_TOO_LARGE;
    }
    enum hf_status status = hf_bytes_reserve(out, before + raw.size + raw.size / 8);
    if (status == HF_OK) {
        repair_message(&repair, raw, hf_schema_request(signal), 0);
        status = repair.is_bad ? HF_INVALID : hf_wire_status(&repair.writer);
    }
    if (status == HF_OK && out->size - before > INT32_MAX) {
        status = HF_TOO_LARGE;
    }
    /* Whatever else a scan looks at is looked at by the scan. */
    if (status == HF_OK) {
        status = hf_scan(signal, hf_slice_of(out->data + before, out->size - before), &scan);
    }
    if (status != HF_OK || repair.count == 0) {
        out->size = before;
    }
    if (status == HF_OK) {
        *ret_count = repair.count;
    }
    return status;
}
