/*
 * tail_counters: what is counted, under the names that the Go collector's processor has. Owned by
 * the thread of the node's own loop.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

#include "policy.h"
#include "util/metrics/metrics.h"

struct hf_tail;

struct hf_sampling_tail_counters {
    struct hf_series *taken, *early, *in_memory, *too_large, *failed, *from_memory[2];
    struct hf_series *global[HF_TAIL_VERDICT_COUNT]; /* SAMPLED, NOT_SAMPLED, DROPPED */
    /* [policy][enum hf_sampling_tail_verdict]; that of UNDECIDED counts them all */
    struct hf_series **votes;
    struct hf_histogram *latency_ms, *late_s, *removal_s;
    /* Not added to the series yet: likewise, and those of `global` and `taken`. */
    uint64_t *new_votes, new_global[HF_TAIL_VERDICT_COUNT], new_taken;
};

/* Makes the series, with `node` and `config` of the tail. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_counters_open(struct hf_tail *tail);
void hf_sampling_tail_counters_release(struct hf_sampling_tail_counters *counters);
/* A verdict, and the votes that it comes of, in `votes` of the tail. */
void hf_sampling_tail_count_votes(struct hf_tail *tail);
void hf_sampling_tail_count_verdict(struct hf_tail *tail, enum hf_sampling_tail_verdict verdict);
/* Adds what was counted to the series, and sets the gauge. */
void hf_sampling_tail_counters_show(struct hf_tail *tail);
/* A late span, a trace that goes: how old, in whole seconds. */
void hf_sampling_tail_observe_age(struct hf_histogram *histogram, uint64_t from_ns,
                                  uint64_t until_ns);
