#include "budget.h"

#include <stdbool.h>
#include <sys/random.h>

#define TRIES 8u

void hf_budget_init(struct hf_budget *budget, uint64_t burst_ns, unsigned share)
{
    budget->burst_ns = burst_ns;
    budget->share = share;
    ssize_t got = getrandom(&budget->seed, sizeof(budget->seed), GRND_NONBLOCK);
    (void)got; /* without: places that can be guessed, which costs others a forgotten debt */
}

static uint64_t place_of(const struct hf_budget *budget, const struct hf_peer *peer, unsigned try)
{
    return (hf_peer_hash(peer, budget->seed) + try) % HF_BUDGET_PLACES;
}

/* When the peer will owe nothing; in the past when it owes nothing now. */
static uint64_t free_ns(const struct hf_budget *budget, const struct hf_peer *peer)
{
    for (unsigned try = 0; try < TRIES; try++) {
        uint64_t place = place_of(budget, peer, try);
        if (budget->places[place].free_ns != 0 &&
            hf_peer_equal(&budget->places[place].peer, peer)) {
            return budget->places[place].free_ns;
        }
    }
    return 0;
}

uint64_t hf_budget_wait_ns(const struct hf_budget *budget, const struct hf_peer *peer,
                           uint64_t now_ns)
{
    uint64_t until_ns = free_ns(budget, peer);
    uint64_t allowed_ns = now_ns + budget->burst_ns * budget->share;
    return until_ns > allowed_ns ? until_ns - allowed_ns : 0;
}

uint64_t hf_budget_owed_ns(const struct hf_budget *budget, const struct hf_peer *peer,
                           uint64_t now_ns)
{
    uint64_t until_ns = free_ns(budget, peer);
    return until_ns > now_ns ? (until_ns - now_ns) / budget->share : 0;
}

void hf_budget_charge(struct hf_budget *budget, const struct hf_peer *peer, uint64_t cost_ns,
                      uint64_t now_ns)
{
    uint64_t chosen = place_of(budget, peer, 0);
    for (unsigned try = 0; try < TRIES; try++) {
        uint64_t place = place_of(budget, peer, try);
        if (hf_peer_equal(&budget->places[place].peer, peer)) {
            chosen = place;
            break;
        }
        if (budget->places[place].free_ns < budget->places[chosen].free_ns) {
            chosen = place;
        }
    }
    bool owes = hf_peer_equal(&budget->places[chosen].peer, peer) &&
                budget->places[chosen].free_ns > now_ns;
    uint64_t from_ns = owes ? budget->places[chosen].free_ns : now_ns;
    budget->places[chosen].peer = *peer;
    budget->places[chosen].free_ns = from_ns + cost_ns * budget->share;
}
