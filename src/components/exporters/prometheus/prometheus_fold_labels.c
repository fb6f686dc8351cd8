/*
 * prometheus_fold_labels: which labels a point gets from its attributes, scope and resource.
 */
#include <string.h>

#include "pdata/any.h"
#include "prometheus_fold_internal.h"

#define SCOPE_ATTRIBUTES 3

static HF_MUST_USE enum hf_status append_text(const struct hf_attributes *attributes,
                                              const char *key, struct hf_bytes *out)
{
    const struct hf_attribute *found =
        attributes != NULL ? hf_attributes_find(attributes, hf_slice_text(key)) : NULL;
    return found != NULL ? hf_any_text(found->value, out) : HF_OK;
}

enum hf_status prometheus_fold_identity(struct prometheus_fold *fold,
                                        const struct hf_attributes *resource)
{
    fold->job.size = 0;
    fold->instance.size = 0;
    fold->name.size = 0;
    enum hf_status status = append_text(resource, "service.namespace", &fold->job);
    if (status == HF_OK && fold->job.size > 0) {
        status = hf_bytes_append(&fold->job, hf_slice_text("/"));
    }
    if (status == HF_OK) {
        status = append_text(resource, "service.name", &fold->name);
    }
    if (status == HF_OK && fold->name.size > 0) {
        status = hf_bytes_append(&fold->job, prometheus_slice_of(&fold->name));
    } else {
        fold->job.size = 0;
    }
    return status == HF_OK ? append_text(resource, "service.instance.id", &fold->instance) : status;
}

enum hf_status prometheus_fold_add_identity(struct prometheus_fold *fold)
{
    enum hf_status status =
        prometheus_labels_add(&fold->labels, hf_slice_text("job"), prometheus_slice_of(&fold->job));
    return status == HF_OK ? prometheus_labels_add(&fold->labels, hf_slice_text("instance"),
                                                   prometheus_slice_of(&fold->instance))
                           : status;
}

static const struct hf_resource_conversion *conversion_of(const struct prometheus_fold *fold)
{
    return hf_resource_labels_of(&fold->config->conversion, &fold->config->constant);
}

static bool is_overridden(const struct prometheus_fold *fold, const struct position *position,
                          struct hf_slice key)
{
    if (position->resource != NULL && hf_resource_conversion_takes(conversion_of(fold), key) &&
        hf_attributes_find(position->resource, key) != NULL) {
        return true;
    }
    return (fold->job.size > 0 && hf_slice_is(key, "job")) ||
           (fold->instance.size > 0 && hf_slice_is(key, "instance"));
}

static HF_MUST_USE enum hf_status add_resource(struct prometheus_fold *fold,
                                               const struct hf_attributes *resource)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < resource->count && status == HF_OK; i++) {
        const struct hf_attribute *one = &resource->items[i];
        bool is_left_out = !hf_resource_conversion_takes(conversion_of(fold), one->key) ||
                           (fold->job.size > 0 && hf_slice_is(one->key, "job")) ||
                           (fold->instance.size > 0 && hf_slice_is(one->key, "instance"));
        if (!is_left_out) {
            status = prometheus_labels_add_any(&fold->labels, one->key, one->value);
        }
    }
    return status;
}

static HF_MUST_USE enum hf_status add_scope(struct prometheus_fold *fold,
                                            const struct hf_place *place)
{
    struct hf_message *scope = hf_place_scope(place);
    const struct hf_attributes *attributes = hf_message_attributes(scope, SCOPE_ATTRIBUTES);
    enum hf_status status = prometheus_labels_add(&fold->labels, hf_slice_text("otel_scope_name"),
                                                  hf_message_bytes(scope, 1));
    if (status == HF_OK) {
        status = prometheus_labels_add(&fold->labels, hf_slice_text("otel_scope_version"),
                                       hf_message_bytes(scope, 2));
    }
    if (status == HF_OK) {
        status = prometheus_labels_add(&fold->labels, hf_slice_text("otel_scope_schema_url"),
                                       hf_message_bytes(place->scope_group, SCOPE_SCHEMA_URL));
    }
    for (size_t i = 0; attributes != NULL && i < attributes->count && status == HF_OK; i++) {
        fold->name.size = 0;
        status = hf_bytes_append(&fold->name, hf_slice_text("otel_scope_"));
        status = status == HF_OK ? hf_bytes_append(&fold->name, attributes->items[i].key) : status;
        if (status == HF_OK) {
            status = prometheus_labels_add_any(&fold->labels, prometheus_slice_of(&fold->name),
                                               attributes->items[i].value);
        }
    }
    return status;
}

enum hf_status prometheus_fold_labels(struct prometheus_fold *fold, const struct hf_place *place,
                                      const struct position *position, struct hf_slice *ret_labels)
{
    const struct hf_attributes *attributes = hf_message_attributes(
        place->item, hf_message_attributes_number(hf_message_type(place->item)));
    enum hf_status status = HF_OK;
    prometheus_labels_reset(&fold->labels);
    for (size_t i = 0; attributes != NULL && i < attributes->count && status == HF_OK; i++) {
        const struct hf_attribute *one = &attributes->items[i];
        if (!is_overridden(fold, position, one->key)) {
            status = prometheus_labels_add_any(&fold->labels, one->key, one->value);
        }
    }
    if (status == HF_OK && hf_resource_conversion_is_on(conversion_of(fold)) &&
        position->resource != NULL) {
        status = add_resource(fold, position->resource);
    }
    if (status == HF_OK && !fold->config->without_scope_info) {
        status = add_scope(fold, place);
    }
    status = status == HF_OK ? prometheus_fold_add_identity(fold) : status;
    return status == HF_OK ? prometheus_labels_print(&fold->labels, ret_labels) : status;
}

bool prometheus_fold_clashes(const struct prometheus_fold *fold)
{
    const struct prometheus_labels *labels = &fold->labels;
    for (size_t i = 0; fold->config->const_labels.count > 0 && i < labels->count; i++) {
        const uint8_t *name = labels->texts.data + labels->items[i].name;
        size_t size = labels->items[i].name_size;
        const uint8_t *at = fold->constant_names.data;
        const uint8_t *end = at + fold->constant_names.size;
        while ((at = memmem(at, (size_t)(end - at), name, size)) != NULL) {
            if (at[-1] == '\0' && at[size] == '\0') {
                return true;
            }
            at++;
        }
    }
    return false;
}
