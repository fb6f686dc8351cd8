/*
 * influx_line: one line of InfluxDB's line protocol,
 *
 *     measurement,tag=value,... field=value,... time
 *
 * Texts point into the line, or into the arena when they had escapes. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

#define HF_INFLUX_TAGS_MAX 256u
#define HF_INFLUX_FIELDS_MAX 1024u

enum hf_influx_kind {
    HF_INFLUX_FLOAT = 0, /* 1, 1.5, 1e9 */
    HF_INFLUX_INT,       /* 1i */
    HF_INFLUX_UINT,      /* 1u */
    HF_INFLUX_BOOL,      /* t, true, F, ... */
    HF_INFLUX_STRING     /* "text" */
};

struct hf_influx_tag {
    struct hf_slice key, value;
};

struct hf_influx_field {
    struct hf_slice key;
    enum hf_influx_kind kind;
    double number;        /* FLOAT */
    int64_t integer;      /* INT, UINT by its bits, BOOL */
    struct hf_slice text; /* STRING */
};

struct hf_influx_line {
    struct hf_slice measurement;
    struct hf_influx_tag tags[HF_INFLUX_TAGS_MAX];
    size_t tag_count;
    struct hf_influx_field fields[HF_INFLUX_FIELDS_MAX];
    size_t field_count;
    bool has_time;
    int64_t time; /* in the unit of the request */
};

/*
 * Cuts the next line with something in it off `*rest`, without comments and white space around it.
 * A line ends at a line feed that is in no quotes. False: nothing is left. `*ret_number` counts
 * from 1 and is added to: 0 at first.
 */
bool hf_influx_next_line(struct hf_slice *rest, struct hf_slice *ret_line, size_t *ret_number);

/* NULL, or what is wrong, in a few words. */
const char *hf_influx_read_line(struct hf_slice text, struct hf_arena *arena,
                                struct hf_influx_line *ret_line);
