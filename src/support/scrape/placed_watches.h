/*
 * placed_watches: hands over what watches of the Kubernetes API have built, and where each of them
 * stands: the version of the API up to which all of it is on disk, from which the next start
 * watches on. Places are committed with the batches that they are behind.
 *
 * Owned by the client's thread, but for hf_placed_watches_add() and hf_placed_watch_find(), which
 * come before the watch is opened.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "offer.h"
#include "pdata/build.h"
#include "watch_place.h"

/* Embed for each watch; zeroed. */
struct hf_placed_watch {
    const char *name;            /* of its place; NULL: it is not kept */
    struct hf_watch_place place; /* behind what is built */
    bool has_moved;              /* since the last place that was handed over */
    struct hf_placed_watch *next;
};

struct hf_placed_watches {
    struct hf_builder *builder;
    struct hf_offer *offer;
    struct hf_batch *batch; /* taken from the builder, and not handed over yet; NULL: none */
    struct hf_placed_watch *first;
};

/* `name` stays. */
void hf_placed_watches_add(struct hf_placed_watches *places, struct hf_placed_watch *watch,
                           const char *name);

/* The place of the start before, the oldest in any of the queues. False: there is none. */
HF_MUST_USE bool hf_placed_watch_find(struct hf_placed_watch *watch, const struct hf_node *node);

/* All that happened up to `version` is built; "": in the middle of a list. */
void hf_placed_watches_note(struct hf_placed_watches *places, struct hf_placed_watch *watch,
                            const char *version);
/* Hands over what is built, as far as there is room. */
void hf_placed_watches_pass_on(struct hf_placed_watches *places);
/* Drops what is not handed over; how many items that were. */
uint64_t hf_placed_watches_drop(struct hf_placed_watches *places);
