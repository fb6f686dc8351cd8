/*
 * offer: hands the batches of a pull receiver to its pipelines, one after another, until each is on
 * disk.
 *
 * A batch that is refused for now (queue full, memory limit, shutting down) is kept and offered
 * again, with growing waits; those behind it wait, so that nothing is skipped and nothing is out of
 * order. A batch that is refused for good is dropped, counted and logged. While batches wait the
 * receiver should not read more: hf_offer_is_idle().
 *
 * Owned by the thread of its loop.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "util/loop.h"

#define HF_OFFER_PLACE_MAX 128u

/* Where the receiver stands behind a batch; committed with it (struct hf_checkpoint). */
struct hf_offer_place {
    const char *name; /* borrowed until the batch is answered; NULL: none */
    char value[HF_OFFER_PLACE_MAX];
};

struct hf_offer {
    struct hf_node *node;
    struct hf_loop *loop;
    const char *transport;
    /* All batches are on disk or dropped. On the loop. */
    void (*idle)(struct hf_offer *offer);
    struct hf_batch *batches[32];     /* a ring of those that wait, the first one in hf_submit() */
    struct hf_offer_place places[32]; /* of each */
    size_t first, count;
    bool in_submit; /* the first one is not answered yet */
    bool stopping;
    struct hf_reply reply;
    struct hf_task answered;
    atomic_int answer; /* enum hf_status, between the two */
    struct hf_timer again;
    uint64_t wait_ns; /* before the first one is offered again */
};

/* `transport` as in hf_node_add_transport(). `idle` may be NULL. */
void hf_offer_init(struct hf_offer *offer, struct hf_node *node, struct hf_loop *loop,
                   const char *transport, void (*idle)(struct hf_offer *offer));

/* Room for more batches. */
static inline size_t hf_offer_room(const struct hf_offer *offer)
{
    return sizeof(offer->batches) / sizeof(offer->batches[0]) - offer->count;
}

static inline bool hf_offer_is_idle(const struct hf_offer *offer)
{
    return offer->count == 0;
}

/* Takes over the reference; there must be room. `idle` is never called before it returns. */
void hf_offer_add(struct hf_offer *offer, struct hf_batch *batch);
/* The same with a place, which is copied but for its name. A batch without items commits the place
 * alone. */
void hf_offer_add_at(struct hf_offer *offer, struct hf_batch *batch,
                     const struct hf_offer_place *place);

/*
 * Drops all that is not handed over and returns how many items that were, so that the caller can
 * log it. When a batch is handed over and not answered yet, the offer is not idle; it becomes so,
 * and `idle` is called, with the answer.
 */
uint64_t hf_offer_stop(struct hf_offer *offer);
