/*
 * budget: how much time peers may cost: each a share of every second, a burst at once, and then
 * nothing until what it owes has been worked off by waiting.
 *
 * A table of fixed size; a peer that owes nothing needs no place in it, and when all places near
 * its own are taken by others, the one that owes least is forgotten. The clock is an argument.
 * Owned by one thread, or under its owner's lock.
 */
#pragma once

#include <stdint.h>

#include "peer.h"

#define HF_BUDGET_PLACES 1024u

struct hf_budget {
    uint64_t burst_ns; /* may be owed before it has to wait */
    unsigned share;    /* one part in so many of the time is paid back */
    uint64_t seed;
    struct {
        struct hf_peer peer;
        uint64_t free_ns; /* when nothing will be owed any more */
    } places[HF_BUDGET_PLACES];
};

/* Zeroed before, as calloc() does. */
void hf_budget_init(struct hf_budget *budget, uint64_t burst_ns, unsigned share);
/* How long the peer has to wait; 0: not at all. */
uint64_t hf_budget_wait_ns(const struct hf_budget *budget, const struct hf_peer *peer,
                           uint64_t now_ns);
/* Not paid back yet: less comes first. */
uint64_t hf_budget_owed_ns(const struct hf_budget *budget, const struct hf_peer *peer,
                           uint64_t now_ns);
void hf_budget_charge(struct hf_budget *budget, const struct hf_peer *peer, uint64_t cost_ns,
                      uint64_t now_ns);
