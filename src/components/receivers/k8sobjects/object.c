#include "object.h"

#include "pdata/any_make.h"

#define SCOPE_NAME                                                                                 \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8sobjectsreceiver"
#define MEMBERS_MAX 4096u /* of one list or map; what is beyond is left out */

static struct hf_slice value_of(struct hf_any_maker *maker, const struct hf_json *json);

static size_t count_of(const struct hf_json *json)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(json); one != NULL && count < MEMBERS_MAX;
         one = one->next) {
        count++;
    }
    return count;
}

static struct hf_slice map_of(struct hf_any_maker *maker, const struct hf_json *json)
{
    size_t count = count_of(json), i = 0;
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (const struct hf_json *one = hf_json_first(json); i < count; one = one->next) {
        pairs[i++] = (struct hf_any_pair){one->key, value_of(maker, one)};
    }
    return hf_any_make_map(maker, pairs, count);
}

static struct hf_slice list_of(struct hf_any_maker *maker, const struct hf_json *json)
{
    size_t count = count_of(json), i = 0;
    struct hf_slice *values = hf_arena_take(maker->arena, (count + 1) * sizeof(*values));
    if (values == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (const struct hf_json *one = hf_json_first(json); i < count; one = one->next) {
        values[i++] = value_of(maker, one);
    }
    return hf_any_make_list(maker, values, count);
}

/* JSON is at most HF_JSON_DEPTH_MAX deep. */
static struct hf_slice value_of(struct hf_any_maker *maker, const struct hf_json *json)
{
    switch (json->kind) {
    case HF_JSON_BOOL:
        return hf_any_make_bool(maker, json->boolean);
    case HF_JSON_INT:
        return hf_any_make_int(maker, json->integer);
    case HF_JSON_DOUBLE:
        return hf_any_make_double(maker, json->number);
    case HF_JSON_STRING:
        return hf_any_make_string(maker, json->text);
    case HF_JSON_LIST:
        return list_of(maker, json);
    case HF_JSON_MAP:
        return map_of(maker, json);
    case HF_JSON_NULL:
        break;
    }
    return HF_EMPTY_SLICE;
}

/* {"metadata": {"uid": ...}} */
static struct hf_slice trace_of(struct hf_any_maker *maker, struct hf_slice uid)
{
    const struct hf_any_pair inner = {hf_slice_text("uid"), hf_any_make_string(maker, uid)};
    const struct hf_any_pair outer = {hf_slice_text("metadata"), hf_any_make_map(maker, &inner, 1)};
    return hf_any_make_map(maker, &outer, 1);
}

void k8s_object_build(struct hf_builder *builder, struct hf_arena *arena,
                      const struct k8s_object *what)
{
    struct hf_any_maker maker = {.arena = arena};
    const struct hf_json *metadata = hf_json_get(what->object, "metadata");
    struct hf_slice space = hf_json_text_of(metadata, "namespace");
    struct hf_slice name = hf_json_text_of(metadata, "name");
    struct hf_slice body =
        what->object != NULL ? value_of(&maker, what->object) : trace_of(&maker, what->uid);
    if (what->change != NULL) {
        const struct hf_any_pair pairs[] = {
            {hf_slice_text("type"), hf_any_make_string(&maker, hf_slice_text(what->change))},
            {hf_slice_text("object"), body}};
        body = hf_any_make_map(&maker, pairs, 2);
    }
    hf_build_resource(builder, HF_EMPTY_SLICE);
    if (space.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("k8s.namespace.name"), space);
    }
    hf_build_scope(builder, hf_slice_text(SCOPE_NAME), hf_slice_text(HF_VERSION));
    const struct hf_build_log_record record = {.observed_ns = what->observed_ns};
    hf_build_log_record(builder, &record);
    hf_build_attribute_string(builder, hf_slice_text("k8s.resource.name"),
                              hf_slice_text(what->resource));
    if (what->change != NULL && name.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("event.domain"), hf_slice_text("k8s"));
        hf_build_attribute_string(builder, hf_slice_text("event.name"), name);
    }
    if (!maker.failed) {
        hf_build_body_value(builder, body);
    }
    hf_build_end(builder);
}
