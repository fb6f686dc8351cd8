/*
 * replay_internal: what is kept of a request. For src/prometheus/replay*.c only.
 */
#pragma once

#include "replay.h"

#define REPLAY_BYTES_MAX (UINT32_C(1) << 28) /* of a request: what `at` can tell */
#define REPLAY_PARTS_MAX 64u
/* From a number point's time to its value: the next field. */
#define REPLAY_NUMBER_OFFSET 9u

enum replay_action {
    REPLAY_NUMBER = 0, /* a number point: its time, and its value behind it */
    REPLAY_TIME,       /* of another point, whose buckets begin */
    REPLAY_DOUBLE,     /* the value as it is */
    REPLAY_COUNT,      /* the value as a whole number */
    REPLAY_BUCKET,     /* the difference to the bucket before; it must not fall */
    REPLAY_ZERO,       /* the value must be 0: its field was left out */
    REPLAY_SAME,       /* the value must be that of the next step's bits: a start time */
};

/* What is done with a value. */
struct replay_step {
    uint32_t action : 4;
    uint32_t at : 28; /* in the request's bytes */
    uint32_t value;   /* its place among the values */
};

struct hf_prom_replay_part {
    uint8_t *packed; /* zstd */
    size_t packed_size, size;
    uint32_t items;
    struct replay_step *steps; /* in the order of the points */
    size_t step_count;
};
