#include "emf_places.h"

#include <stdio.h>
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/json_write.h"

#define SCOPE_LABEL "OTelLib"

/* ---- texts ---- */

struct hf_slice emf_keep(struct emf_points *points, struct hf_slice text)
{
    uint8_t *kept = hf_arena_take(points->arena, text.size + 1);
    if (kept == NULL) {
        return HF_EMPTY_SLICE;
    }
    if (text.size != 0) {
        memcpy(kept, text.data, text.size);
    }
    kept[text.size] = '\0';
    return hf_slice_of(kept, text.size);
}

/* The value as text. HF_NOMEM. */
static enum hf_status text_of(struct emf_points *points, struct hf_slice value,
                              struct hf_slice *ret_text)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        *ret_text = any.bytes; /* of the request */
        return HF_OK;
    }
    points->text.size = 0;
    enum hf_status status = hf_any_text(value, &points->text);
    if (status == HF_OK) {
        *ret_text = emf_keep(points, hf_slice_of(points->text.data, points->text.size));
        status = ret_text->data != NULL ? HF_OK : HF_NOMEM;
    }
    return status;
}

/* ---- placeholders ---- */

static const struct {
    const char *name, *attribute;
} placeholders[] = {
    {"{ClusterName}", "aws.ecs.cluster.name"},
    {"{TaskId}", "aws.ecs.task.id"},
    {"{NodeName}", "k8s.node.name"},
    {"{PodName}", "pod"},
    {"{ServiceName}", "service.name"},
    {"{ContainerInstanceId}", "aws.ecs.container.instance.id"},
    {"{TaskDefinitionFamily}", "aws.ecs.task.family"},
};

/* Looks in labels, or in the resource when `labels` is NULL. Empty: there is none. */
static enum hf_status look_up(struct emf_around *around, const struct emf_labels *labels,
                              const char *key, struct hf_slice *ret_text)
{
    struct hf_slice value;
    *ret_text = HF_EMPTY_SLICE;
    if (labels != NULL) {
        const struct emf_label *label = emf_labels_find(labels, hf_slice_text(key));
        *ret_text = label != NULL ? label->value : HF_EMPTY_SLICE;
        return HF_OK;
    }
    return hf_bulk_pair_find(around->walk.resource, HF_BULK_RESOURCE_ATTRIBUTES, key, &value)
               ? text_of(around->points, value, ret_text)
               : HF_OK;
}

static enum hf_status replace_one(struct emf_around *around, const struct emf_labels *labels,
                                  size_t which, struct hf_slice *text, bool *all_found)
{
    const char *pattern = placeholders[which].name;
    size_t size = strlen(pattern);
    const uint8_t *at = text->size != 0 ? memmem(text->data, text->size, pattern, size) : NULL;
    if (at == NULL) {
        return HF_OK;
    }
    char name[32];
    struct hf_slice value;
    snprintf(name, sizeof(name), "%.*s", (int)size - 2, pattern + 1);
    enum hf_status status = look_up(around, labels, name, &value);
    if (status == HF_OK && value.size == 0) {
        status = look_up(around, labels, placeholders[which].attribute, &value);
    }
    if (value.size == 0) {
        *all_found = false;
        value = hf_slice_text("undefined");
    }
    struct hf_bytes made = {0};
    while (status == HF_OK && at != NULL) {
        size_t before = (size_t)(at - text->data);
        status = hf_bytes_append(&made, hf_slice_of(text->data, before));
        status = status == HF_OK ? hf_bytes_append(&made, value) : status;
        *text = hf_slice_of(at + size, text->size - before - size);
        at = text->size != 0 ? memmem(text->data, text->size, pattern, size) : NULL;
    }
    status = status == HF_OK ? hf_bytes_append(&made, *text) : status;
    *text = emf_keep(around->points, hf_slice_of(made.data, made.size));
    hf_bytes_release(&made);
    return status == HF_OK && text->data == NULL ? HF_NOMEM : status;
}

static enum hf_status replace(struct emf_around *around, const struct emf_labels *labels,
                              const char *pattern, struct hf_slice *ret_text, bool *all_found)
{
    enum hf_status status = HF_OK;
    *ret_text = hf_slice_text(pattern);
    for (size_t i = 0; status == HF_OK && i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
        status = replace_one(around, labels, i, ret_text, all_found);
    }
    return status;
}

/* ---- places ---- */

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* The string of that attribute; empty: there is none, or no string. */
static struct hf_slice string_of(struct hf_slice resource, const char *key)
{
    struct hf_slice value;
    if (!hf_bulk_pair_find(resource, HF_BULK_RESOURCE_ATTRIBUTES, key, &value)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

struct hf_slice emf_join(struct emf_points *points, struct hf_slice left, const char *between,
                         struct hf_slice right)
{
    size_t size = left.size + strlen(between) + right.size;
    char *made = hf_arena_take(points->arena, size + 1);
    if (made == NULL) {
        return HF_EMPTY_SLICE;
    }
    snprintf(made, size + 1, "%.*s%s%.*s", (int)left.size, (const char *)left.data, between,
             (int)right.size, (const char *)right.data);
    return hf_slice_of(made, size);
}

static struct hf_slice namespace_of(struct emf_around *around)
{
    const struct emf_config *config = around->points->config;
    if (given(config->namespace)) {
        return hf_slice_text(config->namespace);
    }
    struct hf_slice name = string_of(around->walk.resource, "service.name");
    struct hf_slice space = string_of(around->walk.resource, "service.namespace");
    if (name.size != 0 && space.size != 0) {
        return emf_join(around->points, space, "/", name);
    }
    struct hf_slice found = name.size != 0 ? name : space;
    return found.size != 0 ? found : hf_slice_text("default");
}

enum hf_status emf_enter_resource(struct emf_around *around)
{
    const struct emf_config *config = around->points->config;
    struct emf_place *place = &around->of_resource;
    enum hf_status status = HF_OK;
    around->is_placed = true;
    around->scope = HF_EMPTY_SLICE;
    place->namespace = namespace_of(around);
    place->is_prometheus = hf_slice_is(string_of(around->walk.resource, "receiver"), "prometheus");
    place->stream = HF_EMPTY_SLICE;
    if (given(config->group)) {
        status = replace(around, NULL, config->group, &place->group, &around->is_placed);
    } else {
        place->group = emf_join(around->points, hf_slice_text("/metrics/"), "", place->namespace);
    }
    if (status == HF_OK && given(config->stream)) {
        status = replace(around, NULL, config->stream, &place->stream, &around->is_placed);
    }
    return place->namespace.data == NULL || place->group.data == NULL ? HF_NOMEM : status;
}

static bool has_undefined(struct hf_slice text)
{
    return text.size != 0 && memmem(text.data, text.size, "undefined", 9) != NULL;
}

/* What the resource did not tell may stand in the labels. */
enum hf_status emf_place_by_labels(struct emf_around *around, const struct emf_labels *labels)
{
    const struct emf_config *config = around->points->config;
    struct emf_place *place = &around->place;
    bool all_found = true;
    enum hf_status status = HF_OK;
    if (around->is_placed) {
        return HF_OK;
    }
    if (given(config->group) && has_undefined(place->group)) {
        status = replace(around, labels, config->group, &place->group, &all_found);
    }
    if (status == HF_OK && given(config->stream) && has_undefined(place->stream)) {
        status = replace(around, labels, config->stream, &place->stream, &all_found);
    }
    return status;
}

/* ---- labels ---- */

#define LABELS_MORE 4u /* the scope, the quantile, kubernetes, and one to spare */

size_t emf_count_pairs(struct hf_slice owner, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair;
    size_t count = 0;
    while (hf_wire_each(&wire, number, &pair)) {
        count++;
    }
    return count;
}

static enum hf_status add_pairs(struct emf_points *points, struct emf_labels *labels,
                                struct hf_slice owner, uint32_t number,
                                const struct hf_resource_conversion *conversion)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_each(&wire, number, &pair)) {
        if (hf_bulk_pair_read(pair, &key, &value) &&
            (conversion == NULL || hf_resource_conversion_takes(conversion, key))) {
            struct emf_label *label = &labels->items[labels->count++];
            label->key = key;
            status = text_of(points, value, &label->value);
        }
    }
    return status;
}

void emf_add_label(struct emf_labels *labels, const char *key, struct hf_slice value)
{
    labels->items[labels->count++] = (struct emf_label){hf_slice_text(key), value};
}

enum hf_status emf_make_labels(struct emf_around *around, struct hf_slice point, uint32_t number,
                               struct emf_labels *ret_labels)
{
    struct emf_points *points = around->points;
    const struct hf_resource_conversion *conversion = &points->config->resource;
    bool is_converted = hf_resource_conversion_is_on(conversion);
    size_t room = emf_count_pairs(point, number) + LABELS_MORE;
    if (is_converted) {
        room += emf_count_pairs(around->walk.resource, HF_BULK_RESOURCE_ATTRIBUTES);
    }
    *ret_labels =
        (struct emf_labels){.items = hf_arena_take(points->arena, room * sizeof(struct emf_label))};
    if (ret_labels->items == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = add_pairs(points, ret_labels, point, number, NULL);
    if (status == HF_OK && is_converted) {
        status = add_pairs(points, ret_labels, around->walk.resource, HF_BULK_RESOURCE_ATTRIBUTES,
                           conversion);
    }
    if (around->scope.size != 0) {
        emf_add_label(ret_labels, SCOPE_LABEL, around->scope);
    }
    emf_labels_settle(ret_labels);
    return status;
}

/* ---- kubernetes ---- */

static void put_label(struct hf_json_writer *writer, const struct emf_labels *labels,
                      const char *label, const char *key)
{
    const struct emf_label *found = emf_labels_find(labels, hf_slice_text(label));
    if (found != NULL && found->value.size != 0) {
        hf_json_write_key(writer, hf_slice_text(key));
        hf_json_write_text(writer, found->value);
    }
}

/* An object of two labels, unless both are absent. */
static void put_object(struct hf_json_writer *writer, const struct emf_labels *labels,
                       const char *name, const char *const pairs[2][2])
{
    bool is_any = false;
    for (size_t i = 0; i < 2; i++) {
        const struct emf_label *found =
            pairs[i][0] != NULL ? emf_labels_find(labels, hf_slice_text(pairs[i][0])) : NULL;
        is_any = is_any || (found != NULL && found->value.size != 0);
    }
    if (!is_any) {
        return;
    }
    hf_json_write_key(writer, hf_slice_text(name));
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < 2; i++) {
        if (pairs[i][0] != NULL) {
            put_label(writer, labels, pairs[i][0], pairs[i][1]);
        }
    }
    hf_json_write_close(writer, '}');
}

enum hf_status emf_add_kubernetes(struct emf_points *points, struct emf_labels *labels)
{
    static const char *const docker[2][2] = {{"container_id", "container_id"}};
    static const char *const marks[2][2] = {{"app", "app"},
                                            {"pod-template-hash", "pod-template-hash"}};
    static const char *const owners[2][2] = {{"owner_kind", "owner_kind"},
                                             {"owner_name", "owner_name"}};
    const struct emf_label *type = emf_labels_find(labels, hf_slice_text("Type"));
    if (!points->config->eks_fargate || type == NULL ||
        !(hf_slice_is(type->value, "Pod") || hf_slice_is(type->value, "Container"))) {
        return HF_OK;
    }
    points->text.size = 0;
    struct hf_json_writer writer = {.out = &points->text};
    hf_json_write_open(&writer, '{');
    put_label(&writer, labels, "container", "container_name");
    put_object(&writer, labels, "docker", docker);
    put_label(&writer, labels, "NodeName", "host");
    put_object(&writer, labels, "labels", marks);
    put_label(&writer, labels, "Namespace", "namespace_name");
    put_label(&writer, labels, "PodId", "pod_id");
    put_label(&writer, labels, "PodName", "pod_name");
    put_object(&writer, labels, "pod_owners", owners);
    put_label(&writer, labels, "Service", "service_name");
    hf_json_write_close(&writer, '}');
    struct hf_slice text = emf_keep(points, hf_slice_of(points->text.data, points->text.size));
    if (hf_json_write_status(&writer) != HF_OK || text.data == NULL) {
        return HF_NOMEM;
    }
    emf_add_label(labels, "kubernetes", text);
    emf_labels_settle(labels);
    return HF_OK;
}
