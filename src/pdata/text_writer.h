/*
 * text_writer: what the two forms of text share: writing values, and the buckets of exponential
 * histograms. Private to text*.c. Owned by the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>

#include "util/compress/compress.h"
#include "wire.h"
#include "wire_find.h"

/* Appends to `out`. Notes when memory runs out, and ignores what follows. */
struct hf_text_writer {
    struct hf_bytes *out;
    bool failed;
};

/* As printf. */
void hf_text_say(struct hf_text_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As one line: what could steer a terminal or end the line is spelled out. */
void hf_text_put(struct hf_text_writer *writer, struct hf_slice text);
void hf_text_put_hex(struct hf_text_writer *writer, struct hf_slice bytes);
/* "2006-01-02 15:04:05.5 +0000 UTC", from Unix nanoseconds. */
void hf_text_put_time(struct hf_text_writer *writer, uint64_t unix_ns);
/* An AnyValue: plain text as itself, lists and maps as JSON. */
void hf_text_put_value(struct hf_text_writer *writer, struct hf_slice value);
/* "Str(x)" */
void hf_text_put_typed(struct hf_text_writer *writer, struct hf_slice value);
/* Shortest form of a double from its bits; "%f" as C has it, when `fixed`. */
void hf_text_put_double(struct hf_text_writer *writer, uint64_t bits, bool fixed);

/*
 * The buckets of an exponential histogram's point on one side of zero, from the lowest up. Nothing
 * is read when memory runs out, which the writer notes.
 */
struct hf_text_buckets {
    uint64_t *counts; /* in the order of the wire: outward from zero */
    size_t count;
    double offset, factor; /* the bounds are exp(index * factor) */
    bool negative;
};

struct hf_text_bucket {
    double lower, upper;
    uint64_t count;
};

void hf_text_read_buckets(struct hf_text_writer *writer, struct hf_slice point, bool negative,
                          struct hf_text_buckets *ret_buckets);
struct hf_text_bucket hf_text_bucket(const struct hf_text_buckets *buckets, size_t index);
void hf_text_release_buckets(struct hf_text_buckets *buckets);

/* The two forms; text.c. */
void hf_text_lines(struct hf_text_writer *writer, enum hf_signal signal, struct hf_slice raw);
void hf_text_full(struct hf_text_writer *writer, enum hf_signal signal, struct hf_slice raw);
