/*
 * replay: the requests that a scrape has become, kept so that those of the next scrape of the same
 * series are made of them: times and values are put into the bytes, which are as long as before.
 * So a scrape whose series are those of the one before costs no labels, look-ups and messages.
 *
 * It is made of a scrape in which each sample is a series and a value alone, without a time and
 * exemplars. Each sample has had its place among the values in `number`.
 *
 * Zeroed at first, hf_prom_replay_release() at last. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "exposition_values.h"
#include "gather.h"
#include "pdata/build.h"

struct hf_prom_replay_part; /* a request */

struct hf_prom_replay {
    struct hf_prom_replay_part *parts; /* NULL: there is none */
    size_t part_count;
    uint64_t shape;
    size_t value_count;
};

/*
 * Makes one of what the gatherer has written into the builder, whose complete requests are those
 * alone; `values` are those of the exposition, and behind them those of samples that were added.
 * What there was before is released. Without memory, or when it cannot be made, there is none.
 */
void hf_prom_replay_make(struct hf_prom_replay *replay, const struct hf_prom_gather *gather,
                         const struct hf_builder *builder, const struct hf_expo_values *values);

/*
 * Adds the requests with those values to the complete ones of the builder. False, and nothing is
 * added: the exposition has another shape, its values ask for other fields, or there is no memory.
 */
HF_MUST_USE bool hf_prom_replay_write(const struct hf_prom_replay *replay,
                                      const struct hf_expo_values *values, int64_t time_ms,
                                      struct hf_builder *builder);

void hf_prom_replay_release(struct hf_prom_replay *replay);
