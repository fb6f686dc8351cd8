#include "combine.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/metric_fields.h"

/* ---- can they be combined? ---- */

/* Has some point of the metric that label? */
static bool has_label(struct hf_message *metric, struct hf_slice key)
{
    struct hf_message *point = hf_message_first(hf_place_data(metric), HF_DATA_POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        struct hf_slice value;
        if (hf_message_attribute(point, hf_message_attributes_number(hf_message_type(point)), key,
                                 &value)) {
            return true;
        }
    }
    return false;
}

/* Are all labels of the one among those of the other? */
static bool has_labels_of(struct hf_message *metric, struct hf_message *other)
{
    struct hf_message *point = hf_message_first(hf_place_data(other), HF_DATA_POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        const struct hf_attributes *list =
            hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
        for (size_t i = 0; list != NULL && i < list->count; i++) {
            if (!has_label(metric, list->items[i].key)) {
                return false;
            }
        }
    }
    return true;
}

static const char *compare(struct hf_message *first, struct hf_message *other)
{
    struct hf_message *left = hf_place_data(first), *right = hf_place_data(other);
    if (left == NULL || right == NULL || hf_message_type(left) != hf_message_type(right)) {
        return "types";
    }
    uint8_t kind = hf_message_type(left)->index;
    if (!hf_slice_equal(hf_message_bytes(first, HF_METRIC_UNIT),
                        hf_message_bytes(other, HF_METRIC_UNIT))) {
        return "units";
    }
    if (!has_labels_of(first, other) || !has_labels_of(other, first)) {
        return "attributes";
    }
    bool has_temporality = kind != HF_MESSAGE_GAUGE && kind != HF_MESSAGE_SUMMARY;
    if (has_temporality &&
        hf_message_u64(left, HF_DATA_TEMPORALITY) != hf_message_u64(right, HF_DATA_TEMPORALITY)) {
        return "aggregation temporalities";
    }
    if (kind == HF_MESSAGE_SUM &&
        hf_message_u64(left, HF_SUM_IS_MONOTONIC) != hf_message_u64(right, HF_SUM_IS_MONOTONIC)) {
        return "monotonicity";
    }
    return NULL;
}

static bool can_combine(struct hf_message *first, struct hf_message *other,
                        struct metricstransform_watch *watch)
{
    struct hf_slice one = hf_message_bytes(first, HF_METRIC_NAME);
    struct hf_slice two = hf_message_bytes(other, HF_METRIC_NAME);
    struct hf_message *data = hf_place_data(other);
    char why[HF_ERROR_MAX];
    const char *differs = compare(first, other);
    if (data != NULL && hf_message_type(data)->index == HF_MESSAGE_SUMMARY) {
        snprintf(why, sizeof(why), "Summary metrics cannot be combined: %.*s",
                 (int)(two.size < 100 ? two.size : 100), (const char *)two.data);
    } else if (differs != NULL) {
        snprintf(why, sizeof(why),
                 "metrics cannot be combined because they have different %s: %.*s and %.*s",
                 differs, (int)(one.size < 100 ? one.size : 100), (const char *)one.data,
                 (int)(two.size < 100 ? two.size : 100), (const char *)two.data);
    } else {
        return true;
    }
    watch->refused(watch, why);
    return false;
}

/* ---- combining ---- */

/* A metric of the same name, unit and kind, without points. */
static struct hf_message *append_like(struct hf_message *metric, struct hf_message *scope_group)
{
    static const uint32_t texts[] = {HF_METRIC_NAME, HF_METRIC_DESCRIPTION, HF_METRIC_UNIT};
    struct hf_message *data = hf_place_data(metric);
    struct hf_message *made = hf_message_append(scope_group, HF_SCOPE_METRICS_METRICS);
    if (made == NULL || data == NULL) {
        return made;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hf_slice text = hf_message_bytes(metric, texts[i]);
        if (text.size > 0) {
            hf_message_set_bytes(made, texts[i], text);
        }
    }
    uint8_t kind = hf_message_type(data)->index;
    uint32_t number = kind == HF_MESSAGE_GAUGE       ? HF_METRIC_GAUGE
                      : kind == HF_MESSAGE_SUM       ? HF_METRIC_SUM
                      : kind == HF_MESSAGE_HISTOGRAM ? HF_METRIC_HISTOGRAM
                      : kind == HF_MESSAGE_SUMMARY   ? HF_METRIC_SUMMARY
                                                     : HF_METRIC_EXPONENTIAL;
    struct hf_message *to = hf_message_need(made, number);
    if (to != NULL && kind != HF_MESSAGE_GAUGE && kind != HF_MESSAGE_SUMMARY) {
        hf_message_set_u64(to, HF_DATA_TEMPORALITY, hf_message_u64(data, HF_DATA_TEMPORALITY));
    }
    if (to != NULL && kind == HF_MESSAGE_SUM && hf_message_u64(data, HF_SUM_IS_MONOTONIC) != 0) {
        hf_message_set_u64(to, HF_SUM_IS_MONOTONIC, 1);
    }
    return to != NULL ? made : NULL;
}

/* Moves the points that are meant to the same kind of data of another metric. */
static bool move_points(const struct metricstransform_selection *selection,
                        struct hf_message *metric, struct hf_message *to)
{
    struct hf_message *next;
    struct hf_message *point = hf_message_first(hf_place_data(metric), HF_DATA_POINTS);
    for (; point != NULL; point = next) {
        next = hf_message_next(point);
        if (metricstransform_means_point(selection, point) &&
            hf_message_move(point, hf_place_data(to), HF_DATA_POINTS) == NULL) {
            return false;
        }
    }
    return true;
}

struct hf_message *metricstransform_take(const struct metricstransform_selection *selection,
                                         struct hf_message *metric, struct hf_message *scope_group)
{
    struct metricstransform_share share = metricstransform_share(selection, hf_place_data(metric));
    if (share.meant == share.all) {
        return hf_message_move(metric, scope_group, HF_SCOPE_METRICS_METRICS);
    }
    struct hf_message *made = append_like(metric, scope_group);
    return made != NULL && move_points(selection, metric, made) ? made : NULL;
}

/* The groups of the pattern become labels of the points: by their names, or "$1". */
static bool add_submatches(const struct metricstransform_transform *transform,
                           struct hf_message *metric, struct hf_document *document)
{
    const struct hf_regex *regex = transform->selection.name;
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    bool found = false;
    if (regex == NULL ||
        hf_regex_search(regex, hf_message_bytes(metric, HF_METRIC_NAME), 0, groups, &found) !=
            HF_OK ||
        !found) {
        return true;
    }
    for (size_t i = 1; i <= hf_regex_group_count(regex); i++) {
        if (groups[i].size == 0) {
            continue;
        }
        char number[24];
        snprintf(number, sizeof(number), "$%zu", i);
        const char *name = hf_regex_group_name(regex, i);
        struct hf_slice key =
            name != NULL ? hf_slice_text(name) : hf_document_keep(document, hf_slice_text(number));
        struct hf_slice kept = hf_document_keep(document, groups[i]);
        uint8_t *bytes = (uint8_t *)(uintptr_t)kept.data;
        for (size_t j = 0; j < kept.size && transform->config->submatch_case != 0; j++) {
            bytes[j] = (uint8_t)(bytes[j] >= 0x80 ? bytes[j]
                                 : transform->config->submatch_case == METRICSTRANSFORM_LOWER
                                     ? tolower(bytes[j])
                                     : toupper(bytes[j]));
        }
        struct hf_slice value = hf_any_make_string(&maker, kept);
        struct hf_message *point = hf_message_first(hf_place_data(metric), HF_DATA_POINTS);
        for (; point != NULL; point = hf_message_next(point)) {
            struct hf_attributes *attributes =
                hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
            if (attributes != NULL && metricstransform_means_point(&transform->selection, point)) {
                hf_attributes_set(attributes, key, value);
            }
        }
    }
    return !maker.failed;
}

/* The first that is meant; NULL: none, or they cannot be combined. */
static struct hf_message *find_first(const struct metricstransform_transform *transform,
                                     const struct hf_place *place,
                                     struct metricstransform_watch *watch)
{
    struct hf_message *first = NULL;
    struct hf_message *metric = hf_message_first(place->scope_group, HF_SCOPE_METRICS_METRICS);
    for (; metric != NULL; metric = hf_message_next(metric)) {
        if (!metricstransform_means(&transform->selection, metric)) {
            continue;
        }
        if (first == NULL) {
            first = metric;
        } else if (!can_combine(first, metric, watch)) {
            return NULL;
        }
    }
    return first;
}

enum hf_status metricstransform_combine(const struct metricstransform_transform *transform,
                                        const struct hf_place *place,
                                        struct metricstransform_work *work,
                                        struct metricstransform_watch *watch,
                                        struct hf_message **ret_metric)
{
    struct hf_message *first = find_first(transform, place, watch);
    size_t left = hf_message_count(place->scope_group, HF_SCOPE_METRICS_METRICS);
    if (first == NULL || hf_place_data(first) == NULL ||
        hf_message_type(hf_place_data(first))->index == HF_MESSAGE_SUMMARY) {
        return HF_OK;
    }
    struct hf_message *made = append_like(first, place->scope_group);
    if (made == NULL) {
        return HF_NOMEM;
    }
    hf_message_set_bytes(made, HF_METRIC_NAME, hf_slice_text(transform->config->new_name));
    struct hf_message *metric = hf_message_first(place->scope_group, HF_SCOPE_METRICS_METRICS);
    for (; left > 0; left--, metric = hf_message_next(metric)) {
        if (!metricstransform_means(&transform->selection, metric)) {
            continue;
        }
        if (!add_submatches(transform, metric, place->document) ||
            !move_points(&transform->selection, metric, made)) {
            return HF_NOMEM;
        }
        if (hf_message_count(hf_place_data(metric), HF_DATA_POINTS) == 0) {
            hf_message_remove(metric);
        }
    }
    *ret_metric = made;
    return hf_merge_points(hf_place_data(made), (enum hf_merge)transform->config->aggregation_type,
                           &work->scratch);
}
