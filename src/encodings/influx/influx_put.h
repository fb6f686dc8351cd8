/*
 * influx_put: lines of InfluxDB's line protocol, written piece by piece: begin, tags, fields, end.
 * What has no form is left out: a tag without key or value, a number that is none. Owned by one
 * thread: starts as {.out = bytes, .unit_ns = 1}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_influx_writer {
    struct hf_bytes *out; /* borrowed */
    uint64_t unit_ns;     /* of the times */
    bool no_unsigned;     /* version 1 has no unsigned numbers: they are written as signed ones */
    bool failed;          /* memory has run out: what follows is ignored */
    size_t start;         /* of the open line */
    size_t field_count;   /* of the open line */
    uint64_t line_count;
};

void hf_influx_begin(struct hf_influx_writer *writer, struct hf_slice measurement);
void hf_influx_put_tag(struct hf_influx_writer *writer, struct hf_slice key, struct hf_slice value);
void hf_influx_put_text(struct hf_influx_writer *writer, struct hf_slice key, struct hf_slice text);
void hf_influx_put_double(struct hf_influx_writer *writer, struct hf_slice key, double number);
void hf_influx_put_int(struct hf_influx_writer *writer, struct hf_slice key, int64_t number);
void hf_influx_put_uint(struct hf_influx_writer *writer, struct hf_slice key, uint64_t number);
/* False: a line without fields is none; it is taken back. */
bool hf_influx_end(struct hf_influx_writer *writer, uint64_t time_ns);
