#include "cloudwatch_record.h"

#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/json_write.h"
#include "json/json.h"

static const struct hf_json_any_style style = {0};

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
    hf_bulk_pair_write_map(writer, "attributes", scope, HF_BULK_SCOPE_ATTRIBUTES);
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
    hf_bulk_pair_write_map(&writer, "attributes", record, HF_BULK_LOG_ATTRIBUTES);
    put_scope(&writer, scope);
    hf_bulk_pair_write_map(&writer, "resource", resource, HF_BULK_RESOURCE_ATTRIBUTES);
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

/* ---- names with placeholders ---- */

static const char *const placeholders[][2] = {
    {"ClusterName", "aws.ecs.cluster.name"},
    {"TaskId", "aws.ecs.task.id"},
    {"NodeName", "k8s.node.name"},
    {"PodName", "pod"},
    {"ServiceName", "service.name"},
    {"ContainerInstanceId", "aws.ecs.container.instance.id"},
    {"TaskDefinitionFamily", "aws.ecs.task.family"},
    {"InstanceId", "service.instance.id"},
    {"FaasName", "faas.name"},
    {"FaasVersion", "faas.version"},
};

#define PLACEHOLDERS (sizeof(placeholders) / sizeof(placeholders[0]))

/* The next {…} without braces inside; its end is behind the brace. False: there is no more. */
static bool next_placeholder(const char *text, struct hf_slice *ret_name)
{
    for (const char *end = strchr(text, '}'); end != NULL; end = strchr(end + 1, '}')) {
        const char *open = memrchr(text, '{', (size_t)(end - text));
        if (open != NULL) {
            *ret_name = hf_slice_of(open + 1, (size_t)(end - open) - 1);
            return true;
        }
    }
    return false;
}

/* PLACEHOLDERS: it is none. */
static size_t which_placeholder(struct hf_slice name)
{
    size_t i = 0;
    while (i < PLACEHOLDERS && !hf_slice_is(name, placeholders[i][0])) {
        i++;
    }
    return i;
}

bool cloudwatch_name_is_good(const char *configured)
{
    struct hf_slice name;
    while (next_placeholder(configured, &name)) {
        if (which_placeholder(name) == PLACEHOLDERS) {
            return false;
        }
        configured = (const char *)name.data + name.size + 1;
    }
    return true;
}

/* Nothing when the resource has no such attribute. */
static enum hf_status append_attribute(struct hf_slice resource, const char *wanted,
                                       struct hf_bytes *out)
{
    struct hf_slice value;
    bool is_there = hf_bulk_pair_find(resource, HF_BULK_RESOURCE_ATTRIBUTES, wanted, &value);
    return is_there ? hf_any_text(value, out) : HF_OK;
}

enum hf_status cloudwatch_name(const char *configured, struct hf_slice resource,
                               struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    struct hf_slice name;
    while (status == HF_OK && next_placeholder(configured, &name)) { /* they are known */
        size_t which = which_placeholder(name);
        const char *open = (const char *)name.data - 1;
        status = hf_bytes_append(out, hf_slice_of(configured, (size_t)(open - configured)));
        size_t before = out->size;
        for (size_t i = 0; status == HF_OK && i < 2 && out->size == before; i++) {
            status = append_attribute(resource, placeholders[which][i], out);
        }
        if (status == HF_OK && out->size == before) {
            status = hf_bytes_append(out, hf_slice_text("undefined"));
        }
        configured = (const char *)name.data + name.size + 1;
    }
    return status == HF_OK ? hf_bytes_append(out, hf_slice_text(configured)) : status;
}
