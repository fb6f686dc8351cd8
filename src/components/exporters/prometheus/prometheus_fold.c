#include "prometheus_fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "prometheus_fold_internal.h"
#include "prometheus_point.h"

#define RESOURCE_ATTRIBUTES 1
#define METRIC_NAME 1
#define METRIC_HELP 2
#define METRIC_UNIT 3
#define DATA_TEMPORALITY 2
#define SUM_IS_MONOTONIC 3
#define TEMPORALITY_DELTA 1
#define TEMPORALITY_CUMULATIVE 2

static void reject(struct prometheus_fold *fold, const char *why)
{
    fold->rejected++;
    fold->why = why;
}

/* ---- resources ---- */

/* The labels of target_info that are not its key. NULL with HF_OK: there are none. */
static HF_MUST_USE enum hf_status
print_extra(struct prometheus_fold *fold, const struct hf_attributes *resource, char **ret_extra)
{
    struct hf_slice text;
    enum hf_status status = HF_OK;
    prometheus_labels_reset(&fold->labels);
    for (size_t i = 0; i < resource->count && status == HF_OK; i++) {
        const struct hf_attribute *one = &resource->items[i];
        if (!hf_is_service_identity(one->key) && !hf_slice_is(one->key, "job") &&
            !hf_slice_is(one->key, "instance")) {
            status = prometheus_labels_add_any(&fold->labels, one->key, one->value);
        }
    }
    *ret_extra = NULL;
    if (status == HF_OK) {
        status = prometheus_labels_print(&fold->labels, &text);
    }
    if (status == HF_OK && text.size > 0) {
        *ret_extra = strndup((const char *)text.data, text.size);
        status = *ret_extra != NULL ? HF_OK : HF_NOMEM;
    }
    return status;
}

static HF_MUST_USE enum hf_status put_target_info(struct prometheus_fold *fold,
                                                  const struct position *position)
{
    struct prometheus_family *family = NULL;
    struct prometheus_series *series = prometheus_table_known(fold->table, position->of_resource);
    struct hf_slice labels;
    char *extra = NULL;
    if (series != NULL) {
        series->updated_ns = fold->now_ns;
        return HF_OK;
    }
    const struct hf_prom_naming naming = {.name_space = fold->naming.name_space,
                                          .is_utf8 = fold->naming.is_utf8};
    fold->name.size = 0;
    enum hf_status status = hf_prom_metric_name(&naming, hf_slice_text("target_info"),
                                                HF_EMPTY_SLICE, HF_PROM_GAUGE, &fold->name);
    if (status == HF_OK) {
        status = prometheus_table_family(fold->table, prometheus_slice_of(&fold->name),
                                         HF_PROM_GAUGE, hf_slice_text("Target metadata"), &family);
    }
    if (status == HF_OK) {
        status = print_extra(fold, position->resource, &extra);
    }
    prometheus_labels_reset(&fold->labels);
    status = status == HF_OK ? prometheus_fold_add_identity(fold) : status;
    status = status == HF_OK ? prometheus_labels_print(&fold->labels, &labels) : status;
    if (status == HF_OK) {
        status = prometheus_table_series(fold->table, family, labels, &series);
    }
    if (status != HF_OK) {
        free(extra);
        return status == HF_EXISTS || status == HF_FULL ? HF_OK : status; /* it is no data point */
    }
    free(series->extra);
    family->is_info = true;
    series->extra = extra;
    series->value.is_integer = true;
    series->value.integer = 1;
    series->updated_ns = fold->now_ns;
    prometheus_table_know(fold->table, series, position->of_resource);
    return HF_OK;
}

static HF_MUST_USE enum hf_status enter_resource(struct prometheus_fold *fold,
                                                 const struct hf_place *place,
                                                 struct position *position)
{
    struct hf_message *resource = hf_place_resource(place);
    position->resource_group = place->resource_group;
    position->of_resource =
        hf_hash_of(resource != NULL ? hf_message_content(resource) : HF_EMPTY_SLICE);
    position->resource = hf_message_attributes(resource, RESOURCE_ATTRIBUTES);
    enum hf_status status = prometheus_fold_identity(fold, position->resource);
    if (status == HF_OK && fold->job.size > 0 && fold->instance.size > 0) {
        status = put_target_info(fold, position);
    }
    return status;
}

static void enter_scope(const struct hf_place *place, struct position *position)
{
    struct hf_message *scope = hf_place_scope(place);
    position->scope_group = place->scope_group;
    position->of_scope = hf_hash_pair(scope != NULL ? hf_message_content(scope) : HF_EMPTY_SLICE,
                                      hf_message_bytes(place->scope_group, SCOPE_SCHEMA_URL));
}

/* ---- metrics ---- */

/* NULL, or why its points have no place. */
static const char *judge_metric(const struct hf_place *place, enum hf_prom_kind *ret_kind,
                                bool *ret_is_delta)
{
    uint8_t type = hf_message_type(place->data)->index;
    uint64_t temporality = 0;
    *ret_is_delta = false;
    *ret_kind = HF_PROM_GAUGE;
    switch (type) {
    case HF_MESSAGE_GAUGE:
        return NULL;
    case HF_MESSAGE_SUMMARY:
        *ret_kind = HF_PROM_SUMMARY;
        return NULL;
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        return "the text format has no exponential histograms";
    default:
        break;
    }
    temporality = (uint64_t)hf_message_i64(place->data, DATA_TEMPORALITY);
    *ret_is_delta = temporality == TEMPORALITY_DELTA;
    if (temporality != TEMPORALITY_DELTA && temporality != TEMPORALITY_CUMULATIVE) {
        return "a sum or histogram without temporality";
    }
    if (type == HF_MESSAGE_HISTOGRAM) {
        *ret_kind = HF_PROM_HISTOGRAM;
    } else if (hf_message_i64(place->data, SUM_IS_MONOTONIC) != 0) {
        *ret_kind = HF_PROM_COUNTER;
    } else if (*ret_is_delta) {
        return "a sum of deltas that is not monotonic";
    }
    return NULL;
}

/* Equal for two points if their labels are, but for what the points say. The family is where it is
 * for as long as one of its series is known. */
static struct hf_hash source_of(const struct position *position)
{
    struct hf_hash family = hf_hash_of(hf_slice_of(&position->family, sizeof(position->family)));
    return hf_hash_mix(hf_hash_mix(position->of_resource, position->of_scope), family);
}

static HF_MUST_USE enum hf_status
enter_metric(struct prometheus_fold *fold, const struct hf_place *place, struct position *position)
{
    enum hf_prom_kind kind = HF_PROM_GAUGE;
    position->metric = place->metric;
    position->family = NULL;
    const char *why = judge_metric(place, &kind, &position->is_delta);
    if (why != NULL) {
        fold->why = why;
        return HF_OK;
    }
    fold->name.size = 0;
    /* A sum that may fall is shown as a gauge, but it is no ratio. */
    bool is_sum = hf_message_type(place->data)->index == HF_MESSAGE_SUM;
    enum hf_prom_kind naming = is_sum && kind == HF_PROM_GAUGE ? HF_PROM_SUMMARY : kind;
    enum hf_status status =
        hf_prom_metric_name(&fold->naming, hf_message_bytes(place->metric, METRIC_NAME),
                            hf_message_bytes(place->metric, METRIC_UNIT), naming, &fold->name);
    if (status == HF_INVALID) {
        fold->why = "a metric whose name is empty, or has no letter or digit";
        return HF_OK;
    }
    if (status == HF_OK) {
        status = prometheus_table_family(fold->table, prometheus_slice_of(&fold->name), kind,
                                         hf_message_bytes(place->metric, METRIC_HELP),
                                         &position->family);
    }
    if (status == HF_EXISTS) {
        fold->why = "a metric of that name has another type";
        return HF_OK;
    }
    if (status == HF_FULL) {
        fold->why = "more metrics than max_series";
        return HF_OK;
    }
    position->source = source_of(position);
    return status;
}

/* ---- points ---- */

/* Takes over what `value` holds. */
static void put_value(const struct prometheus_fold *fold, struct prometheus_value *value,
                      bool is_delta, struct prometheus_series *series)
{
    if (is_delta) {
        prometheus_series_add(series, value);
    } else if (series->updated_ns == 0 || value->time_ns >= series->value.time_ns) {
        prometheus_series_put(series, value);
    } else {
        free(value->pairs);
        free(value->exemplars);
    }
    series->updated_ns = fold->now_ns;
}

static HF_MUST_USE enum hf_status read_value(const struct prometheus_fold *fold,
                                             struct hf_message *point, bool is_delta,
                                             struct prometheus_series *series)
{
    struct prometheus_value value;
    enum hf_status status = prometheus_point_read(point, fold->config->enable_open_metrics, &value);
    if (status == HF_OK) {
        put_value(fold, &value, is_delta, series);
    }
    return status;
}

/* A point of a series that is known. */
static HF_MUST_USE enum hf_status fold_known(struct prometheus_fold *fold,
                                             const struct hf_place *place,
                                             const struct position *position,
                                             struct prometheus_glance *glance,
                                             struct prometheus_series *series)
{
    if (glance->is_stale) {
        prometheus_table_remove(fold->table, series);
        return HF_OK;
    }
    if (!glance->is_number) {
        return read_value(fold, place->item, position->is_delta, series);
    }
    put_value(fold, &glance->value, position->is_delta, series);
    return HF_OK;
}

static HF_MUST_USE enum hf_status fold_point(struct prometheus_fold *fold,
                                             const struct hf_place *place,
                                             const struct position *position)
{
    struct hf_slice labels;
    struct prometheus_series *series = NULL;
    struct prometheus_glance glance;
    if (!prometheus_point_glance(place->item, &glance)) {
        return HF_CORRUPT;
    }
    struct hf_hash source = hf_hash_mix(position->source, glance.attributes);
    series = prometheus_table_known(fold->table, source);
    if (series != NULL) {
        return fold_known(fold, place, position, &glance, series);
    }
    enum hf_status status = prometheus_fold_labels(fold, place, position, &labels);
    if (status != HF_OK) {
        return status;
    }
    if (prometheus_fold_clashes(fold)) {
        reject(fold, "a label of a point has the name of one of const_labels");
        return HF_OK;
    }
    if (glance.is_stale) {
        series = prometheus_table_find(fold->table, position->family, labels);
        if (series != NULL) {
            prometheus_table_remove(fold->table, series);
        }
        return HF_OK;
    }
    status = prometheus_table_series(fold->table, position->family, labels, &series);
    if (status == HF_FULL) {
        reject(fold, "more series than max_series");
        return HF_OK;
    }
    if (status == HF_OK) {
        status = read_value(fold, place->item, position->is_delta, series);
        if (status == HF_OK) {
            prometheus_table_know(fold->table, series, source);
        } else if (series->updated_ns == 0) {
            prometheus_table_remove(fold->table, series);
        }
    }
    return status;
}

enum hf_status prometheus_fold_request(struct prometheus_fold *fold, struct hf_slice raw)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    struct position position = {.resource_group = NULL};
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (place.resource_group != position.resource_group) {
            status = enter_resource(fold, &place, &position);
        }
        if (status == HF_OK && place.scope_group != position.scope_group) {
            enter_scope(&place, &position);
        }
        if (status == HF_OK && place.metric != position.metric) {
            status = enter_metric(fold, &place, &position);
        }
        if (status == HF_OK && position.family == NULL) {
            reject(fold, fold->why);
        } else if (status == HF_OK) {
            status = fold_point(fold, &place, &position);
        }
    }
    if (status == HF_OK) {
        status = hf_document_status(document);
    }
    hf_document_return(document);
    return status;
}

/* ---- life ---- */

enum hf_status prometheus_fold_init(struct prometheus_fold *fold,
                                    const struct prometheus_config *config,
                                    struct prometheus_table *table)
{
    enum hf_prom_strategy strategy = config->translation_strategy_written
                                         ? (enum hf_prom_strategy)config->translation_strategy
                                     : config->add_metric_suffixes ? HF_PROM_UNDERSCORES_SUFFIXES
                                                                   : HF_PROM_UNDERSCORES_PLAIN;
    bool is_utf8 = hf_prom_strategy_is_utf8(strategy);
    const struct hf_slice mark = hf_slice_of("", 1);
    *fold = (struct prometheus_fold){.config = config,
                                     .table = table,
                                     .naming = {.name_space = config->name_space,
                                                .suffixes = hf_prom_strategy_has_suffixes(strategy),
                                                .is_utf8 = is_utf8},
                                     .labels = {.is_utf8 = is_utf8}};
    struct hf_slice text;
    enum hf_status status = hf_bytes_append(&fold->constant_names, mark);
    for (size_t i = 0; i < config->const_labels.count && status == HF_OK; i++) {
        const struct hf_string_pair *pair = &config->const_labels.items[i];
        struct hf_slice key = hf_slice_text(pair->key);
        status = is_utf8 ? hf_bytes_append(&fold->constant_names, key)
                         : hf_prom_label_name(key, &fold->constant_names);
        status = status == HF_OK ? hf_bytes_append(&fold->constant_names, mark) : status;
        if (status == HF_OK && pair->value != NULL) {
            status = prometheus_labels_add(&fold->labels, key, hf_slice_text(pair->value));
        }
    }
    status = status == HF_OK ? prometheus_labels_print(&fold->labels, &text) : status;
    status = status == HF_OK ? hf_bytes_append(&fold->constant_text, text) : status;
    if (status != HF_OK) {
        prometheus_fold_release(fold);
    }
    return status;
}

void prometheus_fold_release(struct prometheus_fold *fold)
{
    hf_bytes_release(&fold->constant_names);
    hf_bytes_release(&fold->constant_text);
    hf_bytes_release(&fold->name);
    hf_bytes_release(&fold->job);
    hf_bytes_release(&fold->instance);
    prometheus_labels_release(&fold->labels);
}
