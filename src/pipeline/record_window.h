/*
 * record_window: which records of one sender a queue has taken, as ranges of its record names
 * (util/record_names.h). It is a checkpoint of the queue, so it is committed with the records that
 * it tells of, and never tells of one that is not stored.
 *
 * A range that is not in it is only not known: when there are too many, the one that was added to
 * longest ago is forgotten, and what repeats of it is stored again. Plain data, pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "util/record_names.h"

/* What a checkpoint has room for. A sender makes a gap for each request that overtakes another. */
#define HF_RECORD_WINDOW_RANGES 42u

struct hf_record_window {
    uint32_t used_s; /* Unix time of the last addition */
    size_t count;
    struct hf_record_range ranges[HF_RECORD_WINDOW_RANGES]; /* that never touch; newest first */
};

/* False: it is none, or of a later version. */
bool hf_record_window_read(struct hf_slice value, struct hf_record_window *ret_window);
/* `ret_value` has room for WAL_CHECKPOINT_BYTES_MAX; the size. */
size_t hf_record_window_write(const struct hf_record_window *window, uint8_t *ret_value);
/* Of a stored window, without reading it; 0: it is none. */
uint32_t hf_record_window_used(struct hf_slice value);

void hf_record_window_add(struct hf_record_window *window, struct hf_record_range range);
/* All of the range is in it. */
bool hf_record_window_has(const struct hf_record_window *window, struct hf_record_range range);
/* Something of the range is. */
bool hf_record_window_meets(const struct hf_record_window *window, struct hf_record_range range);
/* Keeps what the other has too. */
void hf_record_window_intersect(struct hf_record_window *window,
                                const struct hf_record_window *other);
