#include "operations.h"

#include <math.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/metric_fields.h"
#include "pdata/walk.h"

struct value_action {
    const char *value, *new_value;
};

/* ---- one point ---- */

static struct hf_attributes *attributes_of(struct hf_message *point)
{
    return hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
}

/* A value that is no text reads as an empty one. */
static struct hf_slice text_of(const struct hf_attribute *attribute)
{
    struct hf_any any = hf_any_read(attribute->value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

static void set_text(struct hf_document *document, struct hf_attributes *attributes,
                     const char *key, const char *text)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    hf_attributes_set(attributes, hf_slice_text(key),
                      hf_any_make_string(&maker, hf_slice_text(text != NULL ? text : "")));
    attributes->failed |= maker.failed;
}

static void update_label(const struct metricstransform_operation *operation,
                         struct hf_document *document, struct hf_attributes *attributes)
{
    const struct value_action *actions = operation->value_actions.items;
    const struct hf_attribute *found =
        hf_attributes_find(attributes, hf_slice_text(operation->label));
    const char *key = operation->label;
    if (found == NULL) {
        return;
    }
    struct hf_slice text = text_of(found);
    if (operation->new_label != NULL && operation->new_label[0] != '\0' &&
        strcmp(operation->new_label, key) != 0) {
        hf_attributes_set(attributes, hf_slice_text(operation->new_label), found->value);
        hf_attributes_remove(attributes, hf_slice_text(key));
        key = operation->new_label;
    }
    for (size_t i = 0; i < operation->value_actions.count; i++) {
        if (hf_slice_is(text, actions[i].value != NULL ? actions[i].value : "")) {
            set_text(document, attributes, key, actions[i].new_value);
            return;
        }
    }
}

static void keep_labels(const struct hf_string_list *labels, struct hf_attributes *attributes)
{
    for (size_t i = attributes->count; i-- > 0;) {
        if (!hf_string_list_has(labels, attributes->items[i].key)) {
            hf_attributes_remove(attributes, attributes->items[i].key);
            i = i > attributes->count ? attributes->count : i;
        }
    }
}

static void rename_value(const struct metricstransform_operation *operation,
                         struct hf_document *document, struct hf_attributes *attributes)
{
    const struct hf_attribute *found =
        hf_attributes_find(attributes, hf_slice_text(operation->label));
    if (found != NULL && hf_any_read(found->value).type == HF_ANY_STRING &&
        hf_string_list_has(&operation->aggregated_values, text_of(found))) {
        set_text(document, attributes, operation->label, operation->new_value);
    }
}

static bool has_label_value(const struct metricstransform_operation *operation,
                            const struct hf_attributes *attributes)
{
    const struct hf_attribute *found =
        hf_attributes_find(attributes, hf_slice_text(operation->label));
    return found != NULL &&
           hf_slice_is(text_of(found),
                       operation->label_value != NULL ? operation->label_value : "");
}

static void toggle(struct hf_message *point)
{
    if (hf_message_has(point, HF_NUMBER_INT)) {
        hf_message_set_double(point, HF_NUMBER_DOUBLE,
                              (double)hf_message_i64(point, HF_NUMBER_INT));
    } else if (hf_message_has(point, HF_NUMBER_DOUBLE)) {
        hf_message_set_i64(point, HF_NUMBER_INT,
                           (int64_t)hf_message_double(point, HF_NUMBER_DOUBLE));
    }
}

/* ---- scaling ---- */

static void scale_double(struct hf_message *message, uint32_t number, double scale)
{
    if (hf_message_has(message, number)) {
        hf_message_set_double(message, number, hf_message_double(message, number) * scale);
    }
}

static void scale_int(struct hf_message *message, uint32_t number, double scale)
{
    if (hf_message_has(message, number)) {
        hf_message_set_i64(message, number,
                           (int64_t)((double)hf_message_i64(message, number) * scale));
    }
}

static void scale_exemplars(struct hf_message *point, uint32_t number, double scale)
{
    enum { EXEMPLAR_DOUBLE = 3, EXEMPLAR_INT = 6 };
    struct hf_message *exemplar = hf_message_first(point, number);
    for (; exemplar != NULL; exemplar = hf_message_next(exemplar)) {
        scale_double(exemplar, EXEMPLAR_DOUBLE, scale);
        scale_int(exemplar, EXEMPLAR_INT, scale);
    }
}

static enum hf_status scale_bounds(struct hf_message *point, double scale, struct hf_arena *scratch)
{
    struct hf_wire_numbers wire = hf_message_numbers(point, HF_HISTOGRAM_BOUNDS);
    uint64_t number;
    size_t count = 0;
    while (hf_wire_next_number(&wire, &number)) {
        count++;
    }
    uint64_t *bits = hf_arena_take(scratch, (count + 1) * sizeof(*bits));
    if (bits == NULL) {
        return HF_NOMEM;
    }
    wire = hf_message_numbers(point, HF_HISTOGRAM_BOUNDS);
    for (size_t i = 0; i < count && hf_wire_next_number(&wire, &number); i++) {
        double bound = hf_message_as_double(number) * scale;
        memcpy(&bits[i], &bound, sizeof(bound));
    }
    if (count > 0) {
        hf_message_set_numbers(point, HF_HISTOGRAM_BOUNDS, bits, count);
    }
    return HF_OK;
}

/* The buckets stay as they are and begin elsewhere: where the middle of the first one comes to. */
static void move_buckets(struct hf_message *buckets, int64_t resolution, double scale)
{
    struct hf_wire_numbers wire = hf_message_numbers(buckets, HF_BUCKETS_COUNTS);
    uint64_t number;
    if (buckets == NULL || !hf_wire_next_number(&wire, &number)) {
        return;
    }
    double offset = (double)hf_message_i64(buckets, HF_BUCKETS_OFFSET);
    double width = ldexp(1, (int)-resolution); /* of a bucket, as a power of two */
    double middle = (exp2(offset * width) + exp2((offset + 1) * width)) / 2 * scale;
    double moved = ceil(log2(middle) / width) - 1;
    if (isfinite(moved) && moved >= INT32_MIN && moved <= INT32_MAX) {
        hf_message_set_i64(buckets, HF_BUCKETS_OFFSET, (int64_t)moved);
    }
}

static enum hf_status scale_point(struct hf_message *point, double scale, struct hf_arena *scratch)
{
    switch (hf_message_type(point)->index) {
    case HF_MESSAGE_NUMBER_POINT:
        scale_double(point, HF_NUMBER_DOUBLE, scale);
        scale_int(point, HF_NUMBER_INT, scale);
        return HF_OK;
    case HF_MESSAGE_HISTOGRAM_POINT:
        scale_double(point, HF_POINT_SUM, scale);
        scale_double(point, HF_HISTOGRAM_MIN, scale);
        scale_double(point, HF_HISTOGRAM_MAX, scale);
        scale_exemplars(point, HF_HISTOGRAM_EXEMPLARS, scale);
        return scale_bounds(point, scale, scratch);
    case HF_MESSAGE_EXPONENTIAL_POINT:
        scale_double(point, HF_POINT_SUM, scale);
        scale_double(point, HF_EXPONENTIAL_MIN, scale);
        scale_double(point, HF_EXPONENTIAL_MAX, scale);
        scale_exemplars(point, HF_EXPONENTIAL_EXEMPLARS, scale);
        move_buckets(hf_message_one(point, HF_EXPONENTIAL_POSITIVE),
                     hf_message_i64(point, HF_EXPONENTIAL_SCALE), scale);
        move_buckets(hf_message_one(point, HF_EXPONENTIAL_NEGATIVE),
                     hf_message_i64(point, HF_EXPONENTIAL_SCALE), scale);
        return HF_OK;
    default:
        return HF_OK;
    }
}

/* ---- the points of a metric ---- */

static enum hf_status change_labels(const struct metricstransform_operation *operation,
                                    struct hf_message *point, struct metricstransform_work *work)
{
    struct hf_attributes *attributes = attributes_of(point);
    if (attributes == NULL) {
        return HF_NOMEM;
    }
    switch (operation->action) {
    case METRICSTRANSFORM_ADD_LABEL:
        set_text(work->document, attributes, operation->new_label, operation->new_value);
        break;
    case METRICSTRANSFORM_UPDATE_LABEL:
        update_label(operation, work->document, attributes);
        break;
    case METRICSTRANSFORM_AGGREGATE_LABELS:
        keep_labels(&operation->label_set, attributes);
        break;
    case METRICSTRANSFORM_AGGREGATE_LABEL_VALUES:
        rename_value(operation, work->document, attributes);
        break;
    default:
        if (has_label_value(operation, attributes)) {
            hf_message_remove(point);
        }
        break;
    }
    return attributes->failed ? HF_NOMEM : HF_OK;
}

static enum hf_status operate_on_point(const struct metricstransform_operation *operation,
                                       struct hf_message *point, struct metricstransform_work *work)
{
    bool is_number = hf_message_type(point)->index == HF_MESSAGE_NUMBER_POINT;
    switch (operation->action) {
    case METRICSTRANSFORM_TOGGLE_SCALAR_DATA_TYPE:
        if (is_number) {
            toggle(point);
        }
        return HF_OK;
    case METRICSTRANSFORM_SCALE_VALUE:
        return scale_point(point, operation->scale, &work->scratch);
    default:
        return change_labels(operation, point, work);
    }
}

static bool is_about_points(const struct metricstransform_operation *operation)
{
    return operation->action == METRICSTRANSFORM_UPDATE_LABEL ||
           operation->action == METRICSTRANSFORM_TOGGLE_SCALAR_DATA_TYPE ||
           operation->action == METRICSTRANSFORM_SCALE_VALUE;
}

static bool aggregates(const struct metricstransform_operation *operation)
{
    return operation->action == METRICSTRANSFORM_AGGREGATE_LABELS ||
           operation->action == METRICSTRANSFORM_AGGREGATE_LABEL_VALUES;
}

enum hf_status metricstransform_operate(const struct metricstransform_operation *operation,
                                        const struct metricstransform_selection *selection,
                                        bool is_all, struct hf_message *metric,
                                        struct metricstransform_work *work)
{
    struct hf_message *data = hf_place_data(metric);
    bool of_points = is_about_points(operation);
    enum hf_status status = HF_OK;
    if (data == NULL || (!of_points && !is_all)) {
        return HF_OK;
    }
    /* Summaries cannot be put together: they keep their labels. */
    if (aggregates(operation) && hf_message_type(data)->index == HF_MESSAGE_SUMMARY) {
        return HF_OK;
    }
    struct hf_message *point = hf_message_first(data, HF_DATA_POINTS);
    for (; status == HF_OK && point != NULL; point = hf_message_next(point)) {
        if (!of_points || metricstransform_means_point(selection, point)) {
            status = operate_on_point(operation, point, work);
        }
    }
    if (status == HF_OK && aggregates(operation)) {
        status = hf_merge_points(data, (enum hf_merge)operation->aggregation_type, &work->scratch);
    }
    return status;
}

/* ---- configuration ---- */

static bool is_missing(const char *text)
{
    return text == NULL || text[0] == '\0';
}

const char *metricstransform_operation_check(const struct metricstransform_operation *operation)
{
    switch (operation->action) {
    case METRICSTRANSFORM_ADD_LABEL:
        return is_missing(operation->new_label)   ? "add_label needs new_label"
               : is_missing(operation->new_value) ? "add_label needs new_value"
                                                  : NULL;
    case METRICSTRANSFORM_UPDATE_LABEL:
        return is_missing(operation->label) ? "update_label needs label" : NULL;
    case METRICSTRANSFORM_DELETE_LABEL_VALUE:
        return is_missing(operation->label) ? "delete_label_value needs label" : NULL;
    case METRICSTRANSFORM_SCALE_VALUE:
        return operation->scale == 0 ? "experimental_scale_value needs experimental_scale" : NULL;
    case METRICSTRANSFORM_AGGREGATE_LABEL_VALUES:
        return is_missing(operation->label) ? "aggregate_label_values needs label" : NULL;
    default:
        return NULL;
    }
}

static const struct hf_field value_action_fields[] = {
    {.key = "value",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct value_action, value),
     .help = "The label's value."},
    {.key = "new_value",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct value_action, new_value),
     .help = "What it becomes."},
    HF_FIELDS_END,
};

static const char *const actions[] = {"add_label",
                                      "update_label",
                                      "delete_label_value",
                                      "toggle_scalar_data_type",
                                      "experimental_scale_value",
                                      "aggregate_labels",
                                      "aggregate_label_values",
                                      NULL};

#define AT(name) offsetof(struct metricstransform_operation, name)

const struct hf_field metricstransform_operation_fields[] = {
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = AT(action),
     .choices = actions,
     .required = true,
     .help = "What is done with the points."},
    {.key = "label",
     .type = HF_FIELD_STRING,
     .offset = AT(label),
     .help = "The label that update_label, delete_label_value and aggregate_label_values are "
             "about."},
    {.key = "new_label",
     .type = HF_FIELD_STRING,
     .offset = AT(new_label),
     .help = "The name of the label that add_label adds, or that update_label renames to."},
    {.key = "new_value",
     .type = HF_FIELD_STRING,
     .offset = AT(new_value),
     .help = "The value of the label that add_label adds, or that stands for the aggregated "
             "values. {{version}} stands for the version of Holdfast."},
    {.key = "label_value",
     .type = HF_FIELD_STRING,
     .offset = AT(label_value),
     .help = "delete_label_value: points whose label has this value go."},
    {.key = "label_set",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(label_set),
     .help = "aggregate_labels: the labels that are kept; points that are equal then become one."},
    {.key = "aggregated_values",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(aggregated_values),
     .help = "aggregate_label_values: the values of the label that become new_value."},
    {.key = "aggregation_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(aggregation_type),
     .choices = hf_merge_names,
     .default_text = "sum",
     .help = "How the values of number points are put together; histograms are summed."},
    {.key = "experimental_scale",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(scale),
     .help = "experimental_scale_value: the factor."},
    {.key = "value_actions",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(value_actions),
     .inner = value_action_fields,
     .inner_size = sizeof(struct value_action),
     .help = "update_label: values that become others."},
    HF_FIELDS_END,
};
