/*
 * exposition_protobuf: the delimited messages of io.prometheus.client.MetricFamily, shown as the
 * series that a text would have, and native histograms as such.
 *
 * A message is scanned as it is shown: nothing of it is kept but where its next metric begins.
 */
#include "exposition_protobuf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FAMILY_NAME = 1,
    FAMILY_HELP = 2,
    FAMILY_TYPE = 3,
    FAMILY_METRIC = 4,
    FAMILY_UNIT = 5,
    METRIC_GAUGE = 2,
    METRIC_COUNTER = 3,
    METRIC_SUMMARY = 4,
    METRIC_UNTYPED = 5,
    METRIC_TIME_MS = 6,
    METRIC_HISTOGRAM = 7,
    COUNTER_EXEMPLAR = 2,
    COUNTER_CREATED = 3,
    SUMMARY_COUNT = 1,
    SUMMARY_SUM = 2,
    SUMMARY_QUANTILE = 3,
    SUMMARY_CREATED = 4,
    BUCKET_COUNT = 1,
    BUCKET_BOUND = 2,
    BUCKET_EXEMPLAR = 3,
    BUCKET_COUNT_FLOAT = 4,
};

static bool set_name(struct hf_expo_reader *reader, const struct hf_expo_family *family,
                     const char *suffix)
{
    size_t size = strlen(suffix);
    reader->name = family->name;
    if (size == 0) {
        return true;
    }
    uint8_t *name = hf_arena_take(reader->arena, family->name.size + size);
    if (name == NULL) {
        return false;
    }
    memcpy(name, family->name.data, family->name.size);
    memcpy(name + family->name.size, suffix, size);
    reader->name = hf_slice_of(name, family->name.size + size);
    return true;
}

static enum hf_expo_item show(struct hf_expo_reader *reader, const struct hf_expo_family *family,
                              const char *suffix, double value)
{
    if (!hf_expo_begin_series(reader, family)) {
        return hf_expo_malformed(reader);
    }
    if (!set_name(reader, family, suffix)) {
        return hf_expo_bad(reader, "out of memory for the texts of a scrape");
    }
    reader->value = value;
    return HF_EXPO_IS_SAMPLE;
}

/* A series of a bucket or quantile. */
static enum hf_expo_item show_part(struct hf_expo_reader *reader,
                                   const struct hf_expo_family *family, double bound, double value)
{
    bool is_summary = family->type == HF_EXPO_SUMMARY;
    enum hf_expo_item item = show(reader, family, is_summary ? "" : "_bucket", value);
    char *text = hf_arena_take(reader->arena, 32);
    if (item == HF_EXPO_BAD || text == NULL) {
        return item == HF_EXPO_BAD ? item : hf_expo_bad(reader, "out of memory");
    }
    int size = isinf(bound) ? snprintf(text, 32, "%sInf", bound < 0 ? "-" : "+")
                            : snprintf(text, 32, "%.17g", bound);
    const struct hf_prom_label label = {hf_slice_text(is_summary ? "quantile" : "le"),
                                        hf_slice_of(text, (size_t)size)};
    return hf_expo_add_label(reader, label) ? item : hf_expo_malformed(reader);
}

/* ---- metrics ---- */

/* Count, sum and start of a histogram or summary, and whether the former is native. */
static bool look_at_body(struct hf_expo_family *family)
{
    struct hf_wire wire = hf_wire_of(family->body);
    struct hf_wire_field field;
    bool is_summary = family->type == HF_EXPO_SUMMARY;
    uint32_t created = is_summary                        ? SUMMARY_CREATED
                       : family->type == HF_EXPO_COUNTER ? COUNTER_CREATED
                                                         : HISTOGRAM_CREATED;
    bool has_parts = family->type != HF_EXPO_COUNTER && family->type != HF_EXPO_GAUGE &&
                     family->type != HF_EXPO_UNKNOWN;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == created && field.wire == HF_WIRE_BYTES &&
            (has_parts || family->type == HF_EXPO_COUNTER)) {
            family->has_created = hf_expo_read_time(field.bytes, &family->created_ms);
        } else if (field.number == HISTOGRAM_SUM && has_parts) {
            family->sum = hf_expo_bits(field.value);
        } else if (field.number == HISTOGRAM_COUNT && has_parts && !family->is_float) {
            family->count = (double)field.value;
        } else if (field.number == HISTOGRAM_COUNT_FLOAT && has_parts && !is_summary &&
                   hf_expo_bits(field.value) > 0) {
            family->count = hf_expo_bits(field.value);
            family->is_float = true;
        }
        bool is_native =
            field.number == HISTOGRAM_POSITIVE_SPAN || field.number == HISTOGRAM_NEGATIVE_SPAN ||
            field.number == HISTOGRAM_ZERO_THRESHOLD || field.number == HISTOGRAM_ZERO_COUNT;
        family->is_native |= has_parts && !is_summary && is_native;
    }
    return true;
}

static bool look_at_metric(struct hf_expo_family *family)
{
    static const uint32_t bodies[] = {
        [HF_EXPO_UNKNOWN] = METRIC_UNTYPED,
        [HF_EXPO_COUNTER] = METRIC_COUNTER,
        [HF_EXPO_GAUGE] = METRIC_GAUGE,
        [HF_EXPO_HISTOGRAM] = METRIC_HISTOGRAM,
        [HF_EXPO_GAUGE_HISTOGRAM] = METRIC_HISTOGRAM,
        [HF_EXPO_SUMMARY] = METRIC_SUMMARY,
    };
    struct hf_wire wire = hf_wire_of(family->metric);
    struct hf_wire_field field;
    family->body = HF_EMPTY_SLICE;
    family->has_time = family->has_created = family->has_infinite = false;
    family->is_native = family->is_float = false;
    family->sum = family->count = 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == bodies[family->type] && field.wire == HF_WIRE_BYTES) {
            family->body = field.bytes;
        } else if (field.number == METRIC_TIME_MS && field.value != 0) {
            family->has_time = true;
            family->time_ms = (int64_t)field.value;
        }
    }
    family->parts = hf_wire_of(family->body);
    return look_at_body(family);
}

/* A gauge, a counter, an untyped one. */
static enum hf_expo_item show_number(struct hf_expo_reader *reader,
                                     const struct hf_expo_family *family)
{
    struct hf_wire wire = hf_wire_of(family->body);
    struct hf_wire_field field;
    double value = 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return hf_expo_malformed(reader);
        }
        if (field.number == 1) {
            value = hf_expo_bits(field.value);
        } else if (field.number == COUNTER_EXEMPLAR && field.wire == HF_WIRE_BYTES &&
                   family->type == HF_EXPO_COUNTER && !hf_expo_read_exemplar(reader, field.bytes)) {
            return hf_expo_malformed(reader);
        }
    }
    return show(reader, family, "", value);
}

static enum hf_expo_item read_part(struct hf_expo_reader *reader, struct hf_expo_family *family,
                                   struct hf_slice bytes)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool is_summary = family->type == HF_EXPO_SUMMARY;
    double bound = 0, value = 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return hf_expo_malformed(reader);
        }
        if (is_summary) {
            bound = field.number == 1 ? hf_expo_bits(field.value) : bound;
            value = field.number == 2 ? hf_expo_bits(field.value) : value;
        } else if (field.number == BUCKET_COUNT && !family->is_float) {
            value = (double)field.value;
        } else if (field.number == BUCKET_COUNT_FLOAT && family->is_float) {
            value = hf_expo_bits(field.value);
        } else if (field.number == BUCKET_BOUND) {
            bound = hf_expo_bits(field.value);
        } else if (field.number == BUCKET_EXEMPLAR && field.wire == HF_WIRE_BYTES &&
                   !hf_expo_read_exemplar(reader, field.bytes)) {
            return hf_expo_malformed(reader);
        }
    }
    family->has_infinite |= !is_summary && isinf(bound) && bound > 0;
    return show_part(reader, family, bound, value);
}

/* The next bucket or quantile; at their end the bucket of all, when it was left out. */
static enum hf_expo_item next_part(struct hf_expo_reader *reader, struct hf_expo_family *family)
{
    uint32_t number = family->type == HF_EXPO_SUMMARY ? SUMMARY_QUANTILE : HISTOGRAM_BUCKET;
    while (!hf_wire_at_end(family->parts)) {
        struct hf_wire_field field;
        if (!hf_wire_next(&family->parts, &field)) {
            return hf_expo_malformed(reader);
        }
        if (field.number == number && field.wire == HF_WIRE_BYTES) {
            return read_part(reader, family, field.bytes);
        }
    }
    family->stage = SHOW_SUM;
    if (family->type != HF_EXPO_SUMMARY && !family->has_infinite) {
        return show_part(reader, family, INFINITY, family->count);
    }
    return HF_EXPO_END; /* of the parts */
}

static enum hf_expo_item next_metric(struct hf_expo_reader *reader, struct hf_expo_family *family)
{
    while (!hf_wire_at_end(family->metrics)) {
        struct hf_wire_field field;
        if (!hf_wire_next(&family->metrics, &field)) {
            return hf_expo_malformed(reader);
        }
        if (field.number != FAMILY_METRIC || field.wire != HF_WIRE_BYTES) {
            continue;
        }
        family->metric = field.bytes;
        if (!look_at_metric(family)) {
            return hf_expo_malformed(reader);
        }
        if (family->type == HF_EXPO_COUNTER || family->type == HF_EXPO_GAUGE ||
            family->type == HF_EXPO_UNKNOWN) {
            return show_number(reader, family);
        }
        bool is_native = family->is_native && reader->wants_native;
        bool is_classic = !is_native || reader->wants_classic;
        family->is_native = is_native;
        family->stage = is_classic ? SHOW_PARTS : SHOW_NATIVE;
        return HF_EXPO_END; /* its parts are next */
    }
    reader->family = NULL;
    return HF_EXPO_END;
}

/* END: nothing is to be shown at this stage. */
static enum hf_expo_item step(struct hf_expo_reader *reader, struct hf_expo_family *family)
{
    reader->name = family->name;
    reader->type = family->type;
    switch (family->stage) {
    case SHOW_TYPE:
        family->stage = SHOW_HELP;
        return HF_EXPO_IS_TYPE;
    case SHOW_HELP:
        family->stage = SHOW_UNIT;
        reader->text = family->help;
        return HF_EXPO_IS_HELP;
    case SHOW_UNIT:
        family->stage = SHOW_METRIC;
        reader->text = family->unit;
        return family->unit.size != 0 ? HF_EXPO_IS_UNIT : HF_EXPO_END;
    case SHOW_METRIC:
        return next_metric(reader, family);
    case SHOW_PARTS:
        return next_part(reader, family);
    case SHOW_SUM:
        family->stage = SHOW_COUNT;
        return show(reader, family, "_sum", family->sum);
    case SHOW_COUNT:
        family->stage = family->is_native ? SHOW_NATIVE : SHOW_METRIC;
        return show(reader, family, "_count", family->count);
    case SHOW_NATIVE:
        family->stage = SHOW_METRIC;
        return hf_expo_read_native(reader, family) ? HF_EXPO_IS_NATIVE : hf_expo_malformed(reader);
    }
    return hf_expo_malformed(reader);
}

/* ---- families ---- */

static bool read_family(struct hf_expo_family *family, struct hf_slice bytes)
{
    static const enum hf_expo_type types[] = {HF_EXPO_COUNTER,   HF_EXPO_GAUGE,
                                              HF_EXPO_SUMMARY,   HF_EXPO_UNKNOWN,
                                              HF_EXPO_HISTOGRAM, HF_EXPO_GAUGE_HISTOGRAM};
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    *family = (struct hf_expo_family){.type = HF_EXPO_COUNTER, .metrics = wire};
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        bool is_bytes = field.wire == HF_WIRE_BYTES;
        if (field.number == FAMILY_NAME && is_bytes) {
            family->name = field.bytes;
        } else if (field.number == FAMILY_HELP && is_bytes) {
            family->help = field.bytes;
        } else if (field.number == FAMILY_UNIT && is_bytes) {
            family->unit = field.bytes;
        } else if (field.number == FAMILY_TYPE) {
            if (field.value >= sizeof(types) / sizeof(types[0])) {
                return false;
            }
            family->type = types[field.value];
        }
    }
    return family->name.size != 0;
}

static enum hf_expo_item begin_family(struct hf_expo_reader *reader)
{
    struct hf_wire wire = {reader->at, reader->end};
    struct hf_slice bytes;
    struct hf_expo_family *family = hf_arena_take(reader->arena, sizeof(*family));
    if (family == NULL) {
        return hf_expo_bad(reader, "out of memory for a scrape");
    }
    if (!hf_wire_bytes(&wire, &bytes) || !read_family(family, bytes)) {
        return hf_expo_malformed(reader);
    }
    reader->at = wire.at;
    reader->family = family;
    return HF_EXPO_END;
}

enum hf_expo_item hf_expo_next_family(struct hf_expo_reader *reader)
{
    enum hf_expo_item item = HF_EXPO_END;
    while (item == HF_EXPO_END) {
        if (reader->family != NULL) {
            item = step(reader, reader->family);
        } else if (reader->at == reader->end) {
            return HF_EXPO_END;
        } else {
            item = begin_family(reader);
        }
    }
    return item;
}
