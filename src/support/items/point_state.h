/*
 * point_state: data points as the values of a state store: what a processor of metrics remembers of
 * each series. Owned by the store's thread.
 */
#pragma once

#include "pdata/point.h"
#include "support/state/state_store.h"

/* HF_NOT_FOUND: nothing is remembered. HF_NOMEM, HF_CORRUPT. Lists are in the arena. */
HF_MUST_USE enum hf_status hf_point_state_get(const struct hf_state *state, struct hf_hash key,
                                              enum hf_point_kind kind, struct hf_arena *arena,
                                              struct hf_point *ret_point);

/* Stages the point. HF_FULL, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_point_state_put(struct hf_state *state, struct hf_hash key,
                                              const struct hf_point *point, uint64_t touched_ns);
/* The same; the series that was silent longest makes room. HF_FULL: all of them are staged. */
HF_MUST_USE enum hf_status hf_point_state_push(struct hf_state *state, struct hf_hash key,
                                               const struct hf_point *point, uint64_t touched_ns);
