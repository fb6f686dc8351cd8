/*
 * spanmetrics_times: when the series of delta sums were passed on for the last time, by their keys:
 * the next interval begins there. Of more than the limit the one that was used least recently is
 * forgotten. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "support/state/state_file.h"

#define SPANMETRICS_TIME_KEY_SIZE 16u

struct spanmetrics_times;

/* HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_times_new(size_t limit,
                                                 struct spanmetrics_times **ret_times);
/* NULL is nothing. */
void spanmetrics_times_free(struct spanmetrics_times *times);

/* The key of a series is hashed to 128 bits. 0: not known. */
uint64_t spanmetrics_times_get(struct spanmetrics_times *times, struct hf_slice key);
/* Out of memory it is not remembered. */
void spanmetrics_times_put(struct spanmetrics_times *times, struct hf_slice key, uint64_t time_ns);
void spanmetrics_times_clear(struct spanmetrics_times *times);

void spanmetrics_times_save(const struct spanmetrics_times *times, struct hf_state_writer *writer);
void spanmetrics_times_load(struct spanmetrics_times *times, struct hf_state_reader *reader);
