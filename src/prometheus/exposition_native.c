/*
 * exposition_native: the native histogram of a metric of protobuf.
 */
#include "exposition_protobuf.h"

#include <math.h>

#include "native.h"

static const struct hf_prom_side positive = {HISTOGRAM_POSITIVE_SPAN, HISTOGRAM_POSITIVE_DELTA,
                                             HISTOGRAM_POSITIVE_COUNT};
static const struct hf_prom_side negative = {HISTOGRAM_NEGATIVE_SPAN, HISTOGRAM_NEGATIVE_DELTA,
                                             HISTOGRAM_NEGATIVE_COUNT};

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

bool hf_expo_read_native(struct hf_expo_reader *reader, const struct hf_expo_family *family)
{
    struct hf_wire wire = hf_wire_of(family->body);
    struct hf_wire_field field;
    struct hf_expo_native *native = &reader->native;
    *native = (struct hf_expo_native){.sum = family->sum};
    native->count = family->count > 0 && family->count < 1.8e19 ? (uint64_t)family->count : 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        switch (field.number) {
        case HISTOGRAM_SCHEMA:
            native->schema = (int32_t)unzigzag(field.value);
            break;
        case HISTOGRAM_ZERO_THRESHOLD:
            native->zero_threshold = hf_expo_bits(field.value);
            break;
        case HISTOGRAM_ZERO_COUNT:
            native->zero_count = family->is_float ? native->zero_count : field.value;
            break;
        case HISTOGRAM_ZERO_COUNT_FLOAT:
            native->zero_count = (uint64_t)fmin(fmax(hf_expo_bits(field.value), 0), 1e18);
            break;
        case HISTOGRAM_EXEMPLAR:
            if (field.wire != HF_WIRE_BYTES || !hf_expo_read_exemplar(reader, field.bytes)) {
                return false;
            }
            break;
        default:
            break;
        }
    }
    if (native->schema < -4 || native->schema > 8 || !hf_expo_begin_series(reader, family) ||
        !hf_prom_read_buckets(family->body, &positive, family->is_float, reader->arena,
                              &native->positive) ||
        !hf_prom_read_buckets(family->body, &negative, family->is_float, reader->arena,
                              &native->negative)) {
        return false;
    }
    reader->name = family->name;
    return true;
}
