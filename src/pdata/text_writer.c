#include "text_writer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "any.h"
#include "json_value.h"
#include "util/escape.h"
#include "util/hex.h"

#define SAY_MAX 1024 /* two doubles of 309 digits fit */

static void put_raw(struct hf_text_writer *writer, const char *text, size_t size)
{
    if (!writer->failed) {
        writer->failed = hf_bytes_append(writer->out, hf_slice_of(text, size)) != HF_OK;
    }
}

void hf_text_say(struct hf_text_writer *writer, const char *format, ...)
{
    char text[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size > 0) {
        put_raw(writer, text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
    }
}

void hf_text_put(struct hf_text_writer *writer, struct hf_slice text)
{
    if (!writer->failed) {
        writer->failed = hf_escape_append(HF_ESCAPE_LINE, text, writer->out) != HF_OK;
    }
}

void hf_text_put_hex(struct hf_text_writer *writer, struct hf_slice bytes)
{
    char digits[64];
    /* Ids have 16 bytes at most; longer ones are wrong and shown in part. */
    size_t size = bytes.size < sizeof(digits) / 2 ? bytes.size : sizeof(digits) / 2;
    put_raw(writer, digits, hf_hex_write(hf_slice_of(bytes.data, size), digits));
}

void hf_text_put_time(struct hf_text_writer *writer, uint64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm parts = {0};
    char text[64];
    size_t size = 0;
    if (gmtime_r(&seconds, &parts) != NULL) {
        size = strftime(text, 40, "%Y-%m-%d %H:%M:%S", &parts);
    }
    if (unix_ns % 1000000000 != 0) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, ".%09u",
                                 (unsigned)(unix_ns % 1000000000));
        while (text[size - 1] == '0') {
            size--;
        }
    }
    put_raw(writer, text, size);
    hf_text_say(writer, " +0000 UTC");
}

void hf_text_put_double(struct hf_text_writer *writer, uint64_t bits, bool fixed)
{
    double value;
    char text[HF_JSON_DIGITS_MAX];
    memcpy(&value, &bits, sizeof(value));
    if (isnan(value)) {
        hf_text_say(writer, "NaN");
    } else if (isinf(value)) {
        hf_text_say(writer, value > 0 ? "+Inf" : "-Inf");
    } else if (fixed) {
        hf_text_say(writer, "%f", value);
    } else {
        put_raw(writer, text, hf_json_print_double(value, text));
    }
}

/* ---- buckets ---- */

/* ---- exponential histograms ---- */

static int32_t zigzag(uint64_t bits)
{
    return (int32_t)((uint32_t)bits >> 1 ^ (0 - ((uint32_t)bits & 1)));
}

static size_t each_count(struct hf_slice side, uint64_t *counts)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(side, 2, HF_WIRE_VARINT);
    uint64_t value = 0;
    size_t count = 0;
    while (hf_wire_next_number(&numbers, &value)) {
        if (counts != NULL) {
            counts[count] = value;
        }
        count++;
    }
    return count;
}

void hf_text_read_buckets(struct hf_text_writer *writer, struct hf_slice point, bool negative,
                          struct hf_text_buckets *ret_buckets)
{
    struct hf_slice side = hf_wire_find_bytes(point, negative ? 9 : 8);
    struct hf_text_buckets buckets = {.negative = negative,
                                      .offset = zigzag(hf_wire_find_bits(side, 1)),
                                      .factor = M_LN2 *
                                                exp2(-(double)zigzag(hf_wire_find_bits(point, 6)))};
    size_t count = each_count(side, NULL);
    buckets.counts = count != 0 ? calloc(count, sizeof(*buckets.counts)) : NULL;
    if (buckets.counts != NULL) {
        buckets.count = each_count(side, buckets.counts);
    }
    writer->failed = writer->failed || buckets.count != count;
    *ret_buckets = buckets;
}

struct hf_text_bucket hf_text_bucket(const struct hf_text_buckets *buckets, size_t index)
{
    size_t at = buckets->negative ? buckets->count - 1 - index : index;
    double near = exp((buckets->offset + (double)at) * buckets->factor);
    double far = exp((buckets->offset + (double)at + 1) * buckets->factor);
    return (struct hf_text_bucket){.lower = buckets->negative ? -far : near,
                                   .upper = buckets->negative ? -near : far,
                                   .count = buckets->counts[at]};
}

void hf_text_release_buckets(struct hf_text_buckets *buckets)
{
    free(buckets->counts);
}

/* ---- values ---- */

void hf_text_put_value(struct hf_text_writer *writer, struct hf_slice value)
{
    struct hf_bytes text = {0};
    if (!writer->failed) {
        writer->failed = hf_any_text(value, &text) != HF_OK;
        hf_text_put(writer, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
}

void hf_text_put_typed(struct hf_text_writer *writer, struct hf_slice value)
{
    static const char *const names[] = {
        [HF_ANY_EMPTY] = "Empty", [HF_ANY_STRING] = "Str",    [HF_ANY_BOOL] = "Bool",
        [HF_ANY_INT] = "Int",     [HF_ANY_DOUBLE] = "Double", [HF_ANY_ARRAY] = "Slice",
        [HF_ANY_MAP] = "Map",     [HF_ANY_BYTES] = "Bytes"};
    hf_text_say(writer, "%s(", names[hf_any_read(value).type]);
    hf_text_put_value(writer, value);
    put_raw(writer, ")", 1);
}
