#include "prometheus_point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINT_START 2
#define POINT_TIME 3
#define NUMBER_DOUBLE 4
#define NUMBER_INTEGER 6
#define NUMBER_EXEMPLARS 5
#define NUMBER_FLAGS 8
#define POINT_COUNT 4
#define POINT_SUM 5
#define HISTOGRAM_COUNTS 6
#define HISTOGRAM_BOUNDS 7
#define HISTOGRAM_EXEMPLARS 8
#define HISTOGRAM_FLAGS 10
#define SUMMARY_QUANTILES 6
#define SUMMARY_FLAGS 8
#define EXEMPLAR_TIME 2
#define EXEMPLAR_DOUBLE 3
#define EXEMPLAR_SPAN 4
#define EXEMPLAR_TRACE 5
#define EXEMPLAR_INTEGER 6

static uint8_t kind_of(struct hf_message *point)
{
    return hf_message_type(point)->index;
}

static uint32_t flags_of(struct hf_message *point)
{
    return kind_of(point) == HF_MESSAGE_NUMBER_POINT    ? NUMBER_FLAGS
           : kind_of(point) == HF_MESSAGE_SUMMARY_POINT ? SUMMARY_FLAGS
                                                        : HISTOGRAM_FLAGS;
}

/* ---- at a glance ---- */

/* A field of a number point that is no attribute. */
static void glance_at_number(const struct hf_wire_field *field, struct prometheus_glance *glance)
{
    struct prometheus_value *value = &glance->value;
    switch (field->number) {
    case POINT_START:
        value->start_ns = field->value;
        break;
    case POINT_TIME:
        value->time_ns = field->value;
        break;
    case NUMBER_DOUBLE:
        value->is_integer = false;
        value->integer = 0;
        value->number = hf_message_as_double(field->value);
        break;
    case NUMBER_INTEGER:
        value->is_integer = true;
        value->integer = (int64_t)field->value;
        value->number = 0;
        break;
    case NUMBER_EXEMPLARS:
        glance->is_number = false;
        break;
    default:
        break;
    }
}

bool prometheus_point_glance(struct hf_message *point, struct prometheus_glance *ret_glance)
{
    struct hf_wire wire = hf_wire_of(hf_message_content(point));
    uint32_t attributes = hf_message_attributes_number(hf_message_type(point));
    uint32_t flags = flags_of(point);
    struct prometheus_glance glance = {.is_number = kind_of(point) == HF_MESSAGE_NUMBER_POINT};
    bool has_attributes = false;
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        const uint8_t *start = wire.at;
        if (!hf_wire_step(&wire, &field)) {
            return false;
        }
        if (field.number == attributes) {
            hf_wire_skip_row(&wire, attributes);
            struct hf_hash row = hf_hash_of(hf_slice_of(start, (size_t)(wire.at - start)));
            glance.attributes = has_attributes ? hf_hash_mix(glance.attributes, row) : row;
            has_attributes = true;
        } else if (field.number == flags) {
            glance.is_stale = (field.value & 1) != 0;
        } else if (glance.is_number) {
            glance_at_number(&field, &glance);
        }
    }
    *ret_glance = glance;
    return true;
}

static int by_bound(const void *a, const void *b)
{
    double x = ((const struct prometheus_pair *)a)->at;
    double y = ((const struct prometheus_pair *)b)->at;
    return (x > y) - (x < y);
}

/* Sorts the buckets, and joins those of equal bounds. */
static void tidy_buckets(struct prometheus_value *value)
{
    size_t kept = 0;
    qsort(value->pairs, value->pair_count, sizeof(*value->pairs), by_bound);
    for (size_t i = 0; i < value->pair_count; i++) {
        if (kept > 0 && value->pairs[kept - 1].at == value->pairs[i].at) {
            value->pairs[kept - 1].count += value->pairs[i].count;
        } else {
            value->pairs[kept++] = value->pairs[i];
        }
    }
    value->pair_count = kept;
}

static HF_MUST_USE enum hf_status read_buckets(struct hf_message *point,
                                               struct prometheus_value *value)
{
    struct hf_wire_numbers numbers = hf_message_numbers(point, HISTOGRAM_BOUNDS);
    uint64_t bits = 0;
    size_t count = 1;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    value->pairs = calloc(count, sizeof(*value->pairs));
    if (value->pairs == NULL) {
        return HF_NOMEM;
    }
    value->pair_count = count;
    numbers = hf_message_numbers(point, HISTOGRAM_BOUNDS);
    for (size_t i = 0; i + 1 < count && hf_wire_next_number(&numbers, &bits); i++) {
        value->pairs[i].at = hf_message_as_double(bits);
    }
    value->pairs[count - 1].at = INFINITY;
    numbers = hf_message_numbers(point, HISTOGRAM_COUNTS);
    bool has_counts = false;
    for (size_t i = 0; i < count && hf_wire_next_number(&numbers, &bits); i++) {
        value->pairs[i].count = bits;
        has_counts = true;
    }
    if (!has_counts) {
        value->pairs[0] = (struct prometheus_pair){.at = INFINITY, .count = value->count};
        value->pair_count = 1;
    }
    tidy_buckets(value);
    return HF_OK;
}

static HF_MUST_USE enum hf_status read_quantiles(struct hf_message *point,
                                                 struct prometheus_value *value)
{
    size_t count = hf_message_count(point, SUMMARY_QUANTILES);
    if (count == 0) {
        return HF_OK;
    }
    value->pairs = calloc(count, sizeof(*value->pairs));
    if (value->pairs == NULL) {
        return HF_NOMEM;
    }
    struct hf_message *quantile = hf_message_first(point, SUMMARY_QUANTILES);
    for (; quantile != NULL && value->pair_count < count; quantile = hf_message_next(quantile)) {
        value->pairs[value->pair_count].at = hf_message_double(quantile, 1);
        value->pairs[value->pair_count++].value = hf_message_double(quantile, 2);
    }
    qsort(value->pairs, value->pair_count, sizeof(*value->pairs), by_bound);
    return HF_OK;
}

static struct prometheus_exemplar read_exemplar(struct hf_message *message)
{
    struct prometheus_exemplar exemplar = {
        .value = hf_message_has(message, EXEMPLAR_INTEGER)
                     ? (double)hf_message_i64(message, EXEMPLAR_INTEGER)
                     : hf_message_double(message, EXEMPLAR_DOUBLE),
        .time_ns = hf_message_u64(message, EXEMPLAR_TIME)};
    struct hf_slice trace = hf_message_bytes(message, EXEMPLAR_TRACE);
    struct hf_slice span = hf_message_bytes(message, EXEMPLAR_SPAN);
    if (trace.size == sizeof(exemplar.trace_id)) {
        memcpy(exemplar.trace_id, trace.data, trace.size);
        exemplar.has_trace = true;
    }
    if (span.size == sizeof(exemplar.span_id)) {
        memcpy(exemplar.span_id, span.data, span.size);
        exemplar.has_span = true;
    }
    return exemplar;
}

/* Of each bucket, or of a number, the newest. */
static HF_MUST_USE enum hf_status read_exemplars(struct hf_message *point, uint32_t number,
                                                 struct prometheus_value *value)
{
    struct hf_message *message = hf_message_first(point, number);
    if (message == NULL) {
        return HF_OK;
    }
    size_t count = value->pair_count > 0 ? value->pair_count : 1;
    value->exemplars = calloc(count, sizeof(*value->exemplars));
    if (value->exemplars == NULL) {
        return HF_NOMEM;
    }
    for (; message != NULL; message = hf_message_next(message)) {
        struct prometheus_exemplar exemplar = read_exemplar(message);
        size_t at = 0;
        while (at + 1 < count && value->pairs[at].at < exemplar.value) {
            at++;
        }
        if (exemplar.time_ns >= value->exemplars[at].time_ns) {
            value->exemplars[at] = exemplar;
        }
    }
    return HF_OK;
}

enum hf_status prometheus_point_read(struct hf_message *point, bool with_exemplars,
                                     struct prometheus_value *ret_value)
{
    struct prometheus_value value = {.start_ns = hf_message_u64(point, POINT_START),
                                     .time_ns = hf_message_u64(point, POINT_TIME)};
    enum hf_status status = HF_OK;
    uint32_t exemplars = 0;
    if (kind_of(point) == HF_MESSAGE_NUMBER_POINT) {
        value.is_integer = hf_message_has(point, NUMBER_INTEGER);
        value.integer = value.is_integer ? hf_message_i64(point, NUMBER_INTEGER) : 0;
        value.number = value.is_integer ? 0 : hf_message_double(point, NUMBER_DOUBLE);
        exemplars = NUMBER_EXEMPLARS;
    } else {
        value.count = hf_message_u64(point, POINT_COUNT);
        value.sum = hf_message_double(point, POINT_SUM);
        if (kind_of(point) == HF_MESSAGE_HISTOGRAM_POINT) {
            status = read_buckets(point, &value);
            exemplars = HISTOGRAM_EXEMPLARS;
        } else {
            status = read_quantiles(point, &value);
        }
    }
    if (status == HF_OK && with_exemplars && exemplars != 0) {
        status = read_exemplars(point, exemplars, &value);
    }
    if (status != HF_OK) {
        free(value.pairs);
        free(value.exemplars);
        return status;
    }
    *ret_value = value;
    return HF_OK;
}
