/*
 * lb_ring: consistent hashing: which endpoint is responsible for an identifier. The same ring as
 * that of the Go collector (0.160): 131,071 positions, 200 points an endpoint, by CRC32; a point
 * whose position is taken moves up to 10 positions on.
 *
 * Immutable once made; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct lb_ring_item {
    uint32_t position;
    uint32_t endpoint; /* index into the list that the ring was made of */
};

#define LB_RING_SECTORS 1024u

struct lb_ring {
    struct lb_ring_item *items; /* by position */
    size_t count;
    /* The ring in sectors of 128 positions: the first item that is not before each. */
    uint32_t sectors[LB_RING_SECTORS + 1];
};

/* `endpoints` as the resolver found them, with or without ports: the ring hashes these texts.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status lb_ring_init(struct lb_ring *ring, const char *const *endpoints,
                                        size_t count);
void lb_ring_release(struct lb_ring *ring);

/* The index of the endpoint. The ring is not empty. */
uint32_t lb_ring_find(const struct lb_ring *ring, struct hf_slice identifier);
