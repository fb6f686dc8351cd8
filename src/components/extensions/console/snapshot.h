/*
 * snapshot: what the process said of itself at one moment: the answer to `status` as a tree, and
 * how fast each of its numbers has grown in the last seconds.
 *
 * A snapshot is immutable and shared: each user holds a reference. Samples, which rates are made
 * of, belong to the sampler's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/ref.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "json/json.h"

#define HF_CONSOLE_STATUS_BYTES_MAX (8u << 20)

struct hf_console_number;
struct hf_console_rated;

struct hf_console_snapshot {
    struct hf_ref ref;
    struct hf_arena arena;
    char *text;
    const struct hf_json *root;
    struct hf_console_snapshot *config; /* the configuration that runs; NULL: not known */
    struct hf_console_snapshot *log;    /* the last lines; NULL: not known */
    uint64_t taken_ns;                  /* monotonic */
    uint64_t taken_unix_ns;             /* what ages are counted from */
    struct hf_console_rated *rates;
    size_t rate_count;
};

/* The numbers of a tree at one moment: by where they stand, not by their order. */
struct hf_console_sample {
    uint64_t taken_ns;
    struct hf_console_number *numbers;
    size_t count;
};

/*
 * `text`, malloc'd, is taken over also on failure. Rates are the growth since `before` (NULL or
 * empty: none are known). `sample` is filled for later snapshots. HF_INVALID: no JSON; HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_console_snapshot_new(char *text, size_t size,
                                                   const struct hf_console_sample *before,
                                                   struct hf_console_sample *sample,
                                                   struct hf_console_snapshot **ret_snapshot);
void hf_console_sample_release(struct hf_console_sample *sample);

/* The growth of a number of the snapshot's tree, per second; false: it is not known (yet). What
 * shrinks has the rate 0. */
bool hf_console_rate(const struct hf_console_snapshot *snapshot, const struct hf_json *number,
                     double *ret_per_second);
