/*
 * emf_deltas: what has become of cumulative values since they were last sent.
 *
 * Changes are noted with the item that they come from. After the request the changes of items that
 * are done with are committed, and then the items are acknowledged: after a kill a value that comes
 * again is not counted twice. A point that is not newer than the last of its series says nothing
 * new. Owned by the delivery's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "support/state/state_store.h"
#include "util/hash.h"

#define EMF_SERIES_MAX ((size_t)1 << 20)
#define EMF_STATE_BYTES_MAX ((size_t)256 << 20)
#define EMF_STATE_FORMAT "awsemf/1"

struct emf_change;

struct emf_deltas {
    struct hf_state *state;
    struct emf_change *changes;
    size_t count, capacity;
};

/* A cumulative value; of a number `count` is 0. */
struct emf_value {
    double sum;
    uint64_t count;
};

enum emf_delta {
    EMF_DELTA_FOUND = 0, /* `value` is the rise; after a reset the value itself */
    EMF_DELTA_FIRST,     /* nothing is known of before */
    EMF_DELTA_OLD,       /* it is not newer than what was sent */
    EMF_DELTA_NO_MEMORY
};

/* `time_ns` 0: it has none, and counts as newer. `now_ns`: Unix time. */
enum emf_delta emf_deltas_take(struct emf_deltas *deltas, struct hf_hash key, uint32_t item,
                               uint64_t time_ns, uint64_t now_ns, struct emf_value *value);

/* Forgets the changes of a request that is tried again as a whole. */
void emf_deltas_discard(struct emf_deltas *deltas);
/* Makes the changes durable but for those of items for which `is_again` says so. HF_IO with errno,
 * HF_NOMEM: to be committed again later. */
HF_MUST_USE enum hf_status emf_deltas_commit(struct emf_deltas *deltas,
                                             bool (*is_again)(void *user, uint32_t item),
                                             void *user);
void emf_deltas_release(struct emf_deltas *deltas);
