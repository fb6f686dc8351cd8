#include "series.h"

#include "metric_fields.h"

enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };

struct hf_hash hf_series_attributes(struct hf_message *message)
{
    struct hf_hash sum = {0, 0};
    if (message == NULL) {
        return sum;
    }
    const struct hf_attributes *list =
        hf_message_attributes(message, hf_message_attributes_number(hf_message_type(message)));
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        sum = hf_hash_add(sum, hf_hash_pair(list->items[i].key, list->items[i].value));
    }
    return sum;
}

static struct hf_hash hash_scope(struct hf_message *scope)
{
    struct hf_hash name =
        hf_hash_pair(hf_message_bytes(scope, SCOPE_NAME), hf_message_bytes(scope, SCOPE_VERSION));
    return hf_hash_mix(name, hf_series_attributes(scope));
}

/* The kind and what else is of the whole metric. */
static struct hf_hash hash_metric(const struct hf_place *place)
{
    struct hf_hash text = hf_hash_pair(hf_message_bytes(place->metric, HF_METRIC_NAME),
                                       hf_message_bytes(place->metric, HF_METRIC_UNIT));
    struct hf_message *data = hf_place_data(place->metric);
    uint64_t kind = data != NULL ? hf_message_type(data)->index : 0;
    bool has_temporality = kind == HF_MESSAGE_SUM || kind == HF_MESSAGE_HISTOGRAM ||
                           kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM;
    uint64_t temporality = has_temporality ? hf_message_u64(data, HF_DATA_TEMPORALITY) : 0;
    uint64_t is_monotonic = kind == HF_MESSAGE_SUM ? hf_message_u64(data, HF_SUM_IS_MONOTONIC) : 0;
    return hf_hash_mix(text, (struct hf_hash){kind, temporality << 1 | is_monotonic});
}

struct hf_hash hf_series_metric(struct hf_series_memory *memory, const struct hf_place *place)
{
    if (memory->metric == place->metric && place->metric != NULL) {
        return memory->of_metric;
    }
    if (memory->resource_group != place->resource_group || memory->resource_group == NULL) {
        memory->resource_group = place->resource_group;
        memory->of_resource = hf_series_attributes(hf_place_resource(place));
        memory->scope_group = NULL;
    }
    if (memory->scope_group != place->scope_group || memory->scope_group == NULL) {
        memory->scope_group = place->scope_group;
        memory->of_scope = hf_hash_mix(memory->of_resource, hash_scope(hf_place_scope(place)));
    }
    memory->metric = place->metric;
    memory->of_metric = hf_hash_mix(memory->of_scope, hash_metric(place));
    return memory->of_metric;
}

struct hf_hash hf_series_point(struct hf_series_memory *memory, const struct hf_place *place)
{
    return hf_hash_mix(hf_series_metric(memory, place), hf_series_attributes(place->item));
}
