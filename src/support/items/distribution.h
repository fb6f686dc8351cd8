/*
 * distribution: a histogram that is filled value by value, of given bounds or exponential, for
 * components that make metrics of what passes. The exponential one gets coarser as its range
 * grows, as the one of the OpenTelemetry SDKs.
 *
 * Values are not negative. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdata/build_metrics.h"
#include "support/state/state_file.h"

/* What all distributions of a metric have in common; outlives them. */
struct hf_distribution_form {
    bool is_exponential;
    const double *bounds; /* ascending; not exponential */
    size_t bound_count;
    uint32_t size_max; /* buckets, 2 to HF_DISTRIBUTION_SIZE_MAX; exponential */
};

#define HF_DISTRIBUTION_SIZE_MAX 16384u
#define HF_DISTRIBUTION_BOUNDS_MAX 4096u

struct hf_distribution {
    uint64_t count, zero_count; /* zeros: exponential */
    double sum, min, max;       /* min, max: exponential */
    int32_t scale, first;       /* exponential: of counts[0] */
    uint32_t size;              /* counts in use */
    uint64_t counts[];
};

/* malloc'd; free() it. NULL: out of memory. */
struct hf_distribution *hf_distribution_new(const struct hf_distribution_form *form);
/* Bytes that one takes. */
size_t hf_distribution_bytes(const struct hf_distribution_form *form);

/* `count` times `value`. */
void hf_distribution_observe(const struct hf_distribution_form *form,
                             struct hf_distribution *distribution, double value, uint64_t count);

/* Opens a data point of it; attributes and exemplars may follow, then hf_build_end(). `form` as
 * the metric that is open. */
void hf_distribution_build(const struct hf_distribution_form *form,
                           const struct hf_distribution *distribution, struct hf_builder *builder,
                           const struct hf_build_point *point);

/* Writes it; a failure is told at the end of the file. */
void hf_distribution_save(const struct hf_distribution *distribution,
                          struct hf_state_writer *writer);
/* Of the same form. NULL: the reader says why. */
struct hf_distribution *hf_distribution_load(const struct hf_distribution_form *form,
                                             struct hf_state_reader *reader);
