/*
 * exposition_messages: the small messages of protobuf's exposition: labels, times, exemplars.
 */
#include "exposition_protobuf.h"

#include <math.h>
#include <string.h>

#define METRIC_LABEL 1 /* in Metric */

double hf_expo_bits(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    if (isnan(number)) {
        const uint64_t normal = UINT64_C(0x7ff8000000000001);
        memcpy(&number, &normal, sizeof(number));
    }
    return number;
}

enum hf_expo_item hf_expo_malformed(struct hf_expo_reader *reader)
{
    return hf_expo_bad(reader, "a message of MetricFamily is malformed");
}

/* ---- small messages ---- */

/* google.protobuf.Timestamp in milliseconds. */
bool hf_expo_read_time(struct hf_slice bytes, int64_t *ret_ms)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    int64_t seconds = 0, nanos = 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == 1) {
            seconds = (int64_t)field.value;
        } else if (field.number == 2) {
            nanos = (int64_t)field.value;
        }
    }
    if (seconds > INT64_C(9000000000000) || seconds < -INT64_C(9000000000000)) {
        return false;
    }
    *ret_ms = seconds * 1000 + nanos / 1000000;
    return true;
}

static bool read_pair(struct hf_slice bytes, struct hf_prom_label *ret_label)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    *ret_label = (struct hf_prom_label){0};
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.wire == HF_WIRE_BYTES && field.number == 1) {
            ret_label->name = field.bytes;
        } else if (field.wire == HF_WIRE_BYTES && field.number == 2) {
            ret_label->value = field.bytes;
        }
    }
    return ret_label->name.size != 0;
}

bool hf_expo_read_exemplar(struct hf_expo_reader *reader, struct hf_slice bytes)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    if (reader->exemplar_count == HF_EXPO_EXEMPLARS_MAX) {
        return true; /* the others are left out */
    }
    struct hf_expo_exemplar *exemplar = &reader->exemplars[reader->exemplar_count];
    exemplar->label_count = 0;
    exemplar->value = 0;
    exemplar->has_time = false;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == 1 && field.wire == HF_WIRE_BYTES) {
            if (exemplar->label_count == HF_EXPO_EXEMPLAR_LABELS_MAX ||
                !read_pair(field.bytes, &exemplar->labels[exemplar->label_count++])) {
                return false;
            }
        } else if (field.number == 2) {
            exemplar->value = hf_expo_bits(field.value);
        } else if (field.number == 3 && field.wire == HF_WIRE_BYTES) {
            exemplar->has_time = hf_expo_read_time(field.bytes, &exemplar->time_ms);
        }
    }
    reader->exemplar_count++;
    return true;
}

/* ---- one series of the metric ---- */

bool hf_expo_add_label(struct hf_expo_reader *reader, struct hf_prom_label label)
{
    size_t max = HF_PROM_LABELS_MAX - 64; /* the target's come to them */
    for (size_t i = 0; i < reader->labels.count; i++) {
        if (hf_slice_equal(reader->labels.items[i].name, label.name)) {
            return false;
        }
    }
    if (reader->labels.count == max) {
        return false;
    }
    reader->labels.items[reader->labels.count++] = label;
    return true;
}

/* The labels and times of the metric that is shown. */
bool hf_expo_begin_series(struct hf_expo_reader *reader, const struct hf_expo_family *family)
{
    struct hf_wire wire = hf_wire_of(family->metric);
    struct hf_wire_field field;
    reader->labels.count = 0;
    while (!hf_wire_at_end(wire)) {
        struct hf_prom_label label;
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == METRIC_LABEL && field.wire == HF_WIRE_BYTES &&
            (!read_pair(field.bytes, &label) || !hf_expo_add_label(reader, label))) {
            return false;
        }
    }
    reader->has_time = family->has_time;
    reader->time_ms = family->time_ms;
    reader->has_created = family->has_created;
    reader->created_ms = family->created_ms;
    return true;
}
