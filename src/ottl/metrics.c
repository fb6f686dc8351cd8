/* Editors of whole metrics, for `transform`, and what `filter` asks of a metric's points. */
#include <math.h>
#include <string.h>

#include "function.h"
#include "metrics_internal.h"
#include "pdata/document.h"
#include "pdata/message.h"

#define EDITOR(name)                                                                               \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

uint8_t hf_ottl_metric_kind(struct hf_message *data)
{
    return data != NULL ? hf_message_type(data)->index : HF_SCHEMA_MESSAGE_COUNT;
}

/* ---- another kind ---- */

/* The points of a gauge as those of a sum, or the reverse. */
static bool move_points(struct hf_ottl_run *run, uint32_t number, struct hf_message **ret_data)
{
    struct hf_message *metric = run->place->metric;
    struct hf_message *data = hf_place_data(metric);
    struct hf_message *point = hf_message_first(data, POINTS);
    struct hf_message *made = hf_message_append(metric, number);
    *ret_data = made;
    while (made != NULL && point != NULL) {
        struct hf_message *next = hf_message_next(point);
        if (hf_message_move(point, made, POINTS) == NULL) {
            return hf_ottl_no_memory(run);
        }
        point = next;
    }
    return made != NULL || hf_ottl_no_memory(run);
}

EDITOR(sum_to_gauge)
{
    struct hf_message *made;
    (void)call;
    (void)arguments;
    (void)ret_value;
    return hf_ottl_metric_kind(hf_place_data(run->place->metric)) != HF_MESSAGE_SUM ||
           move_points(run, METRIC_GAUGE, &made);
}

static int64_t temporality_of(struct hf_slice text)
{
    return hf_slice_is(text, "delta") ? 1 : hf_slice_is(text, "cumulative") ? 2 : 0;
}

static enum hf_status check_temporality(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at)
{
    (void)at;
    return temporality_of(hf_ottl_literal_text(call, 0, "")) != 0
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[0]->at,
                                "the temporality must be \"delta\" or \"cumulative\"");
}

EDITOR(gauge_to_sum)
{
    struct hf_message *made;
    (void)call;
    (void)ret_value;
    if (hf_ottl_metric_kind(hf_place_data(run->place->metric)) != HF_MESSAGE_GAUGE) {
        return true;
    }
    if (!move_points(run, METRIC_SUM, &made)) {
        return false;
    }
    hf_message_set_i64(made, SUM_TEMPORALITY, temporality_of(arguments[0].bytes));
    hf_message_set_i64(made, SUM_MONOTONIC, arguments[1].integer);
    return true;
}

/* ---- new metrics behind the others ---- */

bool hf_ottl_may_add_metric(struct hf_ottl_run *run)
{
    /* The metrics that are added are visited too: without an end a statement could add for ever. */
    return ++run->copies <= HF_OTTL_COPIES_MAX ||
           hf_ottl_fail(run,
                        "more than %u metrics were added in one request; a statement that adds "
                        "a metric for each must have a condition that its own do not meet",
                        HF_OTTL_COPIES_MAX);
}

EDITOR(copy_metric)
{
    static const uint32_t numbers[] = {METRIC_NAME, METRIC_DESCRIPTION, METRIC_UNIT};
    (void)ret_value;
    if (!hf_ottl_may_add_metric(run)) {
        return false;
    }
    struct hf_message *made = hf_message_copy(run->place->metric, run->place->scope_group, METRICS);
    if (made == NULL) {
        return hf_ottl_no_memory(run);
    }
    for (size_t i = 0; i < 3; i++) {
        if (call->nodes[i] != NULL) {
            hf_message_set_bytes(made, numbers[i], arguments[i].bytes);
        }
    }
    return true;
}

struct hf_message *hf_ottl_add_metric(struct hf_ottl_run *run, struct hf_slice suffix,
                                      struct hf_slice unit)
{
    struct hf_message *metric = run->place->metric;
    struct hf_ottl_value name;
    if (!hf_ottl_may_add_metric(run)) {
        return NULL;
    }
    hf_ottl_start_text(run);
    hf_ottl_add_text(run, hf_message_bytes(metric, METRIC_NAME));
    hf_ottl_add_text(run, suffix);
    struct hf_message *made = hf_message_append(run->place->scope_group, METRICS);
    if (made == NULL || !hf_ottl_end_text(run, &name)) {
        hf_ottl_no_memory(run);
        return NULL;
    }
    hf_message_set_bytes(made, METRIC_NAME, name.bytes);
    hf_message_set_bytes(made, METRIC_DESCRIPTION, hf_message_bytes(metric, METRIC_DESCRIPTION));
    hf_message_set_bytes(made, METRIC_UNIT, unit);
    return made;
}

struct hf_message *hf_ottl_add_point(struct hf_ottl_run *run, struct hf_message *data,
                                     struct hf_message *like)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(like));
    struct hf_message *made = hf_message_append(data, POINTS);
    const struct hf_attributes *from = hf_message_attributes(like, number);
    struct hf_attributes *to = hf_message_attributes(made, NUMBER_ATTRIBUTES);
    if (made == NULL || from == NULL || to == NULL) {
        hf_ottl_no_memory(run);
        return NULL;
    }
    for (size_t i = 0; i < from->count; i++) {
        hf_attributes_set(to, from->items[i].key, from->items[i].value);
    }
    if (hf_message_has(like, POINT_START)) {
        hf_message_set_u64(made, POINT_START, hf_message_u64(like, POINT_START));
    }
    if (hf_message_has(like, POINT_TIME)) {
        hf_message_set_u64(made, POINT_TIME, hf_message_u64(like, POINT_TIME));
    }
    return made;
}

struct extracting {
    const char *function;
    bool of_sums;
    bool is_monotonic;
    int64_t temporality;
    struct hf_slice suffix, unit;
};

static bool extract(struct hf_ottl_run *run, const struct extracting *extracting)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    struct hf_message *point = hf_message_first(data, POINTS), *sum = NULL;
    bool is_summary = hf_ottl_metric_kind(data) == HF_MESSAGE_SUMMARY;
    for (; point != NULL; point = hf_message_next(point)) {
        if (extracting->of_sums && !is_summary && !hf_message_has(point, POINT_SUM)) {
            continue;
        }
        if (sum == NULL) {
            struct hf_message *metric =
                hf_ottl_add_metric(run, extracting->suffix, extracting->unit);
            sum = metric != NULL ? hf_message_append(metric, METRIC_SUM) : NULL;
            if (sum == NULL) {
                return false;
            }
            hf_message_set_i64(sum, SUM_TEMPORALITY, extracting->temporality);
            hf_message_set_i64(sum, SUM_MONOTONIC, extracting->is_monotonic);
        }
        struct hf_message *made = hf_ottl_add_point(run, sum, point);
        if (made == NULL) {
            return false;
        }
        if (extracting->of_sums) {
            hf_message_set_double(made, NUMBER_DOUBLE, hf_message_double(point, POINT_SUM));
        } else {
            hf_message_set_i64(made, NUMBER_INT, (int64_t)hf_message_u64(point, POINT_COUNT));
        }
    }
    return true;
}

static bool extract_metric(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                           const struct hf_ottl_value *arguments, bool of_sums)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    uint8_t kind = hf_ottl_metric_kind(data);
    struct extracting extracting = {
        .of_sums = of_sums,
        .is_monotonic = arguments[0].integer != 0,
        .suffix = hf_ottl_literal_text(call, 1, of_sums ? "_sum" : "_count"),
        .unit = of_sums ? hf_message_bytes(run->place->metric, METRIC_UNIT) : hf_slice_text("1")};
    bool is_histogram = kind == HF_MESSAGE_HISTOGRAM || kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM;
    extracting.temporality = is_histogram                 ? hf_message_i64(data, 2)
                             : kind == HF_MESSAGE_SUMMARY ? 2
                                                          : 0;
    if (extracting.temporality == 0) {
        return hf_ottl_fail(run,
                            "%s requires an input metric of type Histogram, "
                            "ExponentialHistogram or Summary",
                            call->function->name);
    }
    return extract(run, &extracting);
}

EDITOR(extract_count)
{
    (void)ret_value;
    return extract_metric(run, call, arguments, false);
}

EDITOR(extract_sum)
{
    (void)ret_value;
    return extract_metric(run, call, arguments, true);
}

static bool convert_summary(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                            const struct hf_ottl_value *arguments, bool of_sums)
{
    const struct extracting extracting = {
        .of_sums = of_sums,
        .temporality = temporality_of(arguments[0].bytes),
        .is_monotonic = arguments[1].integer != 0,
        .suffix = hf_ottl_literal_text(call, 2, of_sums ? "_sum" : "_count"),
        .unit = hf_message_bytes(run->place->metric, METRIC_UNIT)};
    return hf_ottl_metric_kind(hf_place_data(run->place->metric)) != HF_MESSAGE_SUMMARY ||
           extract(run, &extracting);
}

EDITOR(summary_count)
{
    (void)ret_value;
    return convert_summary(run, call, arguments, false);
}

EDITOR(summary_sum)
{
    (void)ret_value;
    return convert_summary(run, call, arguments, true);
}

static bool add_quantiles(struct hf_ottl_run *run, struct hf_message *gauge,
                          struct hf_message *point, struct hf_slice key)
{
    struct hf_message *quantile = hf_message_first(point, SUMMARY_QUANTILES);
    struct hf_any_maker maker = {.arena = hf_document_arena(run->document)};
    for (; quantile != NULL; quantile = hf_message_next(quantile)) {
        struct hf_message *made = hf_ottl_add_point(run, gauge, point);
        if (made == NULL) {
            return false;
        }
        struct hf_attributes *attributes = hf_message_attributes(made, NUMBER_ATTRIBUTES);
        hf_attributes_set(attributes, key,
                          hf_any_make_double(&maker, hf_message_double(quantile, 1)));
        hf_message_set_double(made, NUMBER_DOUBLE, hf_message_double(quantile, 2));
    }
    return !maker.failed || hf_ottl_no_memory(run);
}

EDITOR(summary_quantiles)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    struct hf_message *point = hf_message_first(data, POINTS);
    (void)arguments;
    (void)ret_value;
    if (hf_ottl_metric_kind(data) != HF_MESSAGE_SUMMARY) {
        return true;
    }
    struct hf_message *metric =
        hf_ottl_add_metric(run, hf_ottl_literal_text(call, 1, ".quantiles"),
                           hf_message_bytes(run->place->metric, METRIC_UNIT));
    struct hf_message *gauge = metric != NULL ? hf_message_append(metric, METRIC_GAUGE) : NULL;
    for (; gauge != NULL && point != NULL; point = hf_message_next(point)) {
        if (!add_quantiles(run, gauge, point, hf_ottl_literal_text(call, 0, "quantile"))) {
            return false;
        }
    }
    return gauge != NULL;
}

/* ---- scaling ---- */

static void scale_field(struct hf_message *message, uint32_t number, double factor)
{
    if (hf_message_has(message, number)) {
        hf_message_set_double(message, number, hf_message_double(message, number) * factor);
    }
}

/* A number point or an exemplar: both have the same two numbers. */
static void scale_value(struct hf_message *message, uint32_t real, uint32_t integer, double factor)
{
    scale_field(message, real, factor);
    if (hf_message_has(message, integer)) {
        double scaled = (double)hf_message_i64(message, integer) * factor;
        bool fits = scaled >= -0x1p63 && scaled < 0x1p63;
        hf_message_set_i64(message, integer, fits ? (int64_t)scaled : INT64_MIN);
    }
}

static bool scale_histogram(struct hf_ottl_run *run, struct hf_message *point, double factor)
{
    struct hf_wire_numbers numbers = hf_message_numbers(point, HISTOGRAM_BOUNDS);
    uint64_t bits;
    size_t count = 0;
    scale_field(point, POINT_SUM, factor);
    scale_field(point, HISTOGRAM_MIN, factor);
    scale_field(point, HISTOGRAM_MAX, factor);
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    uint64_t *bounds = hf_ottl_take(run, (count + 1) * sizeof(*bounds));
    if (bounds == NULL) {
        return false;
    }
    numbers = hf_message_numbers(point, HISTOGRAM_BOUNDS);
    for (size_t i = 0; i < count && hf_wire_next_number(&numbers, &bits); i++) {
        double bound = hf_message_as_double(bits) * factor;
        memcpy(&bounds[i], &bound, sizeof(bound));
    }
    if (count > 0) {
        hf_message_set_numbers(point, HISTOGRAM_BOUNDS, bounds, count);
    }
    struct hf_message *exemplar = hf_message_first(point, HISTOGRAM_EXEMPLARS);
    for (; exemplar != NULL; exemplar = hf_message_next(exemplar)) {
        scale_value(exemplar, EXEMPLAR_DOUBLE, EXEMPLAR_INT, factor);
    }
    return true;
}

static bool scale_point(struct hf_ottl_run *run, uint8_t kind, struct hf_message *point,
                        double factor)
{
    if (kind == HF_MESSAGE_HISTOGRAM) {
        return scale_histogram(run, point, factor);
    }
    if (kind == HF_MESSAGE_SUMMARY) {
        struct hf_message *quantile = hf_message_first(point, SUMMARY_QUANTILES);
        scale_field(point, POINT_SUM, factor);
        for (; quantile != NULL; quantile = hf_message_next(quantile)) {
            scale_field(quantile, 2, factor);
        }
        return true;
    }
    scale_value(point, NUMBER_DOUBLE, NUMBER_INT, factor);
    return true;
}

EDITOR(scale_metric)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    struct hf_message *point = hf_message_first(data, POINTS);
    uint8_t kind = hf_ottl_metric_kind(data);
    (void)ret_value;
    if (data == NULL || kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM) {
        return hf_ottl_fail(run, "exponential histograms are not supported by the 'scale_metric' "
                                 "function");
    }
    for (; point != NULL; point = hf_message_next(point)) {
        if (!scale_point(run, kind, point, arguments[0].real)) {
            return false;
        }
    }
    if (call->nodes[1] != NULL) {
        hf_message_set_bytes(run->place->metric, METRIC_UNIT, arguments[1].bytes);
    }
    return true;
}

/* ---- what filter asks ---- */

static bool has_attribute(struct hf_ottl_run *run, struct hf_slice key, const struct hf_slice *text)
{
    struct hf_message *point = hf_message_first(hf_place_data(run->place->metric), POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        const struct hf_attributes *attributes =
            hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
        const struct hf_attribute *found =
            attributes != NULL ? hf_attributes_find(attributes, key) : NULL;
        struct hf_any any =
            found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
        /* A value that is no text counts as an empty one. */
        struct hf_slice value = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
        /* The first point that has it decides. */
        if (found != NULL) {
            return text == NULL || hf_slice_equal(value, *text);
        }
    }
    return false;
}

EDITOR(has_key_on_point)
{
    (void)call;
    *ret_value = hf_ottl_bool(has_attribute(run, arguments[0].bytes, NULL));
    return true;
}

EDITOR(has_attribute_on_point)
{
    (void)call;
    *ret_value = hf_ottl_bool(has_attribute(run, arguments[0].bytes, &arguments[1].bytes));
    return true;
}

#define OF_METRICS .contexts = 1u << HF_PATH_METRIC, .functions = HF_OTTL_METRIC_EDITORS
#define OF_POINTS .contexts = 1u << HF_PATH_DATAPOINT, .functions = HF_OTTL_METRIC_EDITORS
#define LITERAL_OPTIONAL (HF_ARG_LITERAL | HF_ARG_OPTIONAL)

const struct hf_ottl_function hf_ottl_metrics[] = {
    {.name = "convert_sum_to_gauge", .arguments = {{NULL}}, .run = sum_to_gauge, OF_METRICS},
    {.name = "convert_gauge_to_sum",
     .arguments = {{"string_agg_temp", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"monotonic", HF_ARG_BOOL | HF_ARG_LITERAL}},
     .run = gauge_to_sum,
     .check = check_temporality,
     OF_METRICS},
    {.name = "extract_count_metric",
     .arguments = {{"monotonic", HF_ARG_BOOL | HF_ARG_LITERAL},
                   {"suffix", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = extract_count,
     OF_METRICS},
    {.name = "extract_sum_metric",
     .arguments = {{"monotonic", HF_ARG_BOOL | HF_ARG_LITERAL},
                   {"suffix", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = extract_sum,
     OF_METRICS},
    {.name = "convert_summary_count_val_to_sum",
     .arguments = {{"string_agg_temp", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"monotonic", HF_ARG_BOOL | HF_ARG_LITERAL},
                   {"suffix", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = summary_count,
     .check = check_temporality,
     OF_POINTS},
    {.name = "convert_summary_sum_val_to_sum",
     .arguments = {{"string_agg_temp", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"monotonic", HF_ARG_BOOL | HF_ARG_LITERAL},
                   {"suffix", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = summary_sum,
     .check = check_temporality,
     OF_POINTS},
    {.name = "convert_summary_quantile_val_to_gauge",
     .arguments = {{"attribute_key", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"suffix", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = summary_quantiles,
     OF_METRICS},
    {.name = "copy_metric",
     .arguments = {{"name", HF_ARG_STRING | HF_ARG_OPTIONAL},
                   {"description", HF_ARG_STRING | HF_ARG_OPTIONAL},
                   {"unit", HF_ARG_STRING | HF_ARG_OPTIONAL}},
     .run = copy_metric,
     OF_METRICS},
    {.name = "scale_metric",
     .arguments = {{"multiplier", HF_ARG_DOUBLE | HF_ARG_LITERAL},
                   {"unit", HF_ARG_STRING | HF_ARG_OPTIONAL}},
     .run = scale_metric,
     OF_METRICS},
    {.name = "HasAttrKeyOnDatapoint",
     .arguments = {{"key", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = has_key_on_point,
     .contexts = 1u << HF_PATH_METRIC,
     .functions = HF_OTTL_FILTER,
     .varies = true},
    {.name = "HasAttrOnDatapoint",
     .arguments = {{"key", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"expected_val", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = has_attribute_on_point,
     .contexts = 1u << HF_PATH_METRIC,
     .functions = HF_OTTL_FILTER,
     .varies = true},
    {.name = NULL},
};
