#include "cloudwatch_record.h"

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/json_write.h"
#include "json/json.h"

static const struct hf_json_any_style style = {0};

/* A key with the map behind it, unless there are no attributes. */
static void put_attributes(struct hf_json_writer *writer, const char *name, struct hf_slice owner,
                           uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    bool is_open = false;
    while (hf_wire_each(&wire, number, &pair)) {
        if (!hf_bulk_pair_read(pair, &key, &value)) {
            continue;
        }
        if (!is_open) {
            hf_json_write_key(writer, hf_slice_text(name));
            hf_json_write_open(writer, '{');
            is_open = true;
        }
        hf_json_write_key(writer, key);
        hf_json_write_any(writer, value, &style);
    }
    if (is_open) {
        hf_json_write_close(writer, '}');
    }
}

static void put_text(struct hf_json_writer *writer, const char *name, struct hf_slice text)
{
    if (text.size != 0) {
        hf_json_write_key(writer, hf_slice_text(name));
        hf_json_write_text(writer, text);
    }
}

static void put_number(struct hf_json_writer *writer, const char *name, uint64_t number)
{
    if (number != 0) {
        hf_json_write_key(writer, hf_slice_text(name));
        hf_json_write_u64(writer, number);
    }
}

static void put_id(struct hf_json_writer *writer, const char *name, struct hf_slice id)
{
    if (hf_bulk_has_id(id)) {
        hf_json_write_key(writer, hf_slice_text(name));
        hf_json_write_hex(writer, id);
    }
}

static void put_scope(struct hf_json_writer *writer, struct hf_slice scope)
{
    struct hf_slice name = hf_wire_find_bytes(scope, 1);
    if (name.size == 0) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "scope");
    hf_json_write_open(writer, '{');
    put_text(writer, "name", name);
    put_text(writer, "version", hf_wire_find_bytes(scope, 2));
    put_attributes(writer, "attributes", scope, HF_BULK_SCOPE_ATTRIBUTES);
    hf_json_write_close(writer, '}');
}

enum hf_status cloudwatch_record_json(const struct hf_bulk_log *log, struct hf_slice record,
                                      struct hf_slice scope, struct hf_slice resource,
                                      struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    hf_json_write_open(&writer, '{');
    if (hf_any_read(log->body).type != HF_ANY_EMPTY) {
        HF_JSON_WRITE_KEY(&writer, "body");
        hf_json_write_any(&writer, log->body, &style);
    }
    put_number(&writer, "severity_number", log->severity);
    put_text(&writer, "severity_text", log->severity_text);
    put_number(&writer, "dropped_attributes_count", log->dropped);
    put_number(&writer, "flags", log->flags);
    put_id(&writer, "trace_id", log->trace_id);
    put_id(&writer, "span_id", log->span_id);
    put_attributes(&writer, "attributes", record, HF_BULK_LOG_ATTRIBUTES);
    put_scope(&writer, scope);
    put_attributes(&writer, "resource", resource, HF_BULK_RESOURCE_ATTRIBUTES);
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}

enum hf_status cloudwatch_record_raw(const struct hf_bulk_log *log, struct hf_bytes *out,
                                     struct hf_arena *arena, struct cloudwatch_place *place)
{
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX];
    enum hf_status status = hf_any_text(log->body, out);
    if (status != HF_OK || out->size == 0 || out->data[0] != '{' ||
        hf_json_read(hf_slice_of(out->data, out->size), arena, &root, why) != HF_OK) {
        return status;
    }
    const struct hf_json *aws = hf_json_get(root, "_aws");
    struct hf_slice group = hf_json_text_of(aws, "logGroupName");
    struct hf_slice stream = hf_json_text_of(aws, "logStreamName");
    if (group.size == 0) { /* version 0 */
        group = hf_json_text_of(root, "log_group_name");
        stream = hf_json_text_of(root, "log_stream_name");
    }
    if (group.size != 0) {
        place->group = group;
        place->stream = stream.size != 0 ? stream : place->stream;
    }
    return HF_OK;
}
