#include "census.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define PLACES 1024u

struct resident {
    struct resident *next;
    struct hf_peer peer;
    size_t count;
};

struct hf_census {
    struct hf_census_limits limits;
    uint64_t seed;
    pthread_mutex_t lock; /* of what follows */
    size_t count;
    struct resident *places[PLACES]; /* those with connections; chained */
};

enum hf_status hf_census_new(const struct hf_census_limits *limits, struct hf_census **ret_census)
{
    struct hf_census *census = calloc(1, sizeof(*census));
    if (census == NULL) {
        return HF_NOMEM;
    }
    census->limits = *limits;
    ssize_t got = getrandom(&census->seed, sizeof(census->seed), GRND_NONBLOCK);
    (void)got; /* without: a table that can be made slow, by that many connections at most */
    pthread_mutex_init(&census->lock, NULL);
    *ret_census = census;
    return HF_OK;
}

void hf_census_free(struct hf_census *census)
{
    if (census == NULL) {
        return;
    }
    for (size_t i = 0; i < PLACES; i++) {
        while (census->places[i] != NULL) {
            struct resident *next = census->places[i]->next;
            free(census->places[i]);
            census->places[i] = next;
        }
    }
    pthread_mutex_destroy(&census->lock);
    free(census);
}

/* The link to the peer's own, or the one at the end of its chain. */
static struct resident **find(struct hf_census *census, const struct hf_peer *peer)
{
    struct resident **link = &census->places[hf_peer_hash(peer, census->seed) % PLACES];
    while (*link != NULL && !hf_peer_equal(&(*link)->peer, peer)) {
        link = &(*link)->next;
    }
    return link;
}

/* Under the lock. */
static enum hf_census_verdict enter(struct hf_census *census, const struct hf_peer *peer)
{
    struct resident **link = find(census, peer);
    size_t per_peer_max = census->limits.per_peer_max;
    if (*link != NULL && per_peer_max != 0 && (*link)->count >= per_peer_max) {
        return HF_CENSUS_PEER_FULL;
    }
    if (census->count >= census->limits.connections_max) {
        return HF_CENSUS_FULL;
    }
    if (*link == NULL) {
        *link = calloc(1, sizeof(**link));
        if (*link == NULL) {
            return HF_CENSUS_NO_MEMORY;
        }
        (*link)->peer = *peer;
    }
    (*link)->count++;
    census->count++;
    return HF_CENSUS_ADMITTED;
}

enum hf_census_verdict hf_census_enter(struct hf_census *census, const struct hf_peer *peer)
{
    pthread_mutex_lock(&census->lock);
    enum hf_census_verdict verdict = enter(census, peer);
    pthread_mutex_unlock(&census->lock);
    return verdict;
}

void hf_census_leave(struct hf_census *census, const struct hf_peer *peer)
{
    pthread_mutex_lock(&census->lock);
    struct resident **link = find(census, peer);
    struct resident *resident = *link;
    assert(resident != NULL && census->count > 0);
    census->count--;
    if (--resident->count == 0) {
        *link = resident->next;
        free(resident);
    }
    pthread_mutex_unlock(&census->lock);
}

size_t hf_census_count(struct hf_census *census)
{
    pthread_mutex_lock(&census->lock);
    size_t count = census->count;
    pthread_mutex_unlock(&census->lock);
    return count;
}
