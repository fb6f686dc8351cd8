#include "opencensus_parts.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_MAX 9223372036u /* that nanoseconds can tell */

uint64_t census_time(struct hf_slice message, uint32_t number)
{
    struct hf_slice time = hf_wire_find_bytes(message, number);
    uint64_t seconds = hf_wire_find_bits(time, 1), nanos = hf_wire_find_bits(time, 2);
    return seconds < SECONDS_MAX && nanos < 1000000000u ? seconds * UINT64_C(1000000000) + nanos
                                                        : 0;
}

double census_double(struct hf_slice message, uint32_t number)
{
    uint64_t bits = hf_wire_find_bits(message, number);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

enum hf_status census_malformed(struct census_work *work)
{
    snprintf(work->reterr, HF_OPENCENSUS_ERROR_MAX, "the message is malformed");
    return HF_INVALID;
}
