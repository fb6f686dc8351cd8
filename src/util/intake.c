#include "intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MIB (UINT64_C(1) << 20)
/* Two servers of a receiver hold a quarter of the memory at most, undecoded. */
#define PART_OF_MEMORY 8
#define TOTAL_LEAST (8 * MIB)
#define TOTAL_MOST (256 * MIB)
#define SMALL_MOST (UINT64_C(64) << 10)
#define RATE_LEAST_NS UINT64_C(1000000) /* a shorter time says nothing */
#define NOT_OVER_ITS_SHARE (UINT64_C(1) << 63)
#define NS_PER_S UINT64_C(1000000000)

/* ---- limits ---- */

struct hf_intake_limits hf_intake_limits_of(uint64_t total)
{
    struct hf_intake_limits limits = {
        .total = (size_t)total,
        .large = (size_t)(total - total / 8),
        .soft = (size_t)(total / 2),
        .message = (size_t)(total - total / 4),
        .share = (size_t)(total / 4),
        .small = (size_t)(total / 32 < SMALL_MOST ? total / 32 : SMALL_MOST),
    };
    limits.relieved = limits.soft - limits.soft / 8;
    return limits;
}

uint64_t hf_intake_total(uint64_t memory_bytes)
{
    uint64_t total = memory_bytes / PART_OF_MEMORY;
    if (memory_bytes == 0 || total > TOTAL_MOST) {
        return TOTAL_MOST;
    }
    return total < TOTAL_LEAST ? TOTAL_LEAST : total;
}

/* ---- the pace of one message ---- */

void hf_intake_pace_begin(struct hf_intake_pace *pace, uint64_t now_ns)
{
    *pace = (struct hf_intake_pace){.begun_ns = now_ns, .mark_ns = now_ns, .older_ns = now_ns};
}

void hf_intake_pace_mark(struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes)
{
    pace->older_ns = pace->mark_ns;
    pace->older_bytes = pace->mark_bytes;
    pace->mark_ns = now_ns;
    pace->mark_bytes = bytes;
}

static uint64_t rate_of(size_t bytes, uint64_t time_ns)
{
    uint64_t ms = (time_ns < RATE_LEAST_NS ? RATE_LEAST_NS : time_ns) / 1000000;
    return (uint64_t)bytes * 1000 / ms;
}

uint64_t hf_intake_pace_rate(const struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes)
{
    assert(bytes >= pace->older_bytes);
    return rate_of(bytes - pace->older_bytes,
                   now_ns > pace->older_ns ? now_ns - pace->older_ns : 0);
}

bool hf_intake_pace_is_late(const struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes,
                            uint64_t time_ns, uint64_t rate)
{
    uint64_t age_ns = now_ns > pace->begun_ns ? now_ns - pace->begun_ns : 0;
    if (age_ns > time_ns) {
        return true;
    }
    return age_ns > HF_INTAKE_GRACE_NS && bytes < (age_ns - HF_INTAKE_GRACE_NS) / NS_PER_S * rate;
}

/* ---- the first to end ---- */

uint64_t hf_intake_key(const struct hf_intake_limits *limits, size_t peer_held, uint64_t rate)
{
    uint64_t pace = rate < NOT_OVER_ITS_SHARE ? rate : NOT_OVER_ITS_SHARE - 1;
    return peer_held > limits->share ? pace : pace | NOT_OVER_ITS_SHARE;
}

void hf_intake_victims_add(struct hf_intake_victims *victims, uint64_t key, void *message)
{
    size_t at = victims->count;
    if (at == HF_INTAKE_VICTIMS) {
        at--;
        if (key >= victims->items[at].key) {
            return;
        }
    } else {
        victims->count++;
    }
    for (; at > 0 && victims->items[at - 1].key > key; at--) {
        victims->items[at] = victims->items[at - 1];
    }
    victims->items[at].key = key;
    victims->items[at].message = message;
}

/* ---- peers ---- */

void hf_intake_peers_init(struct hf_intake_peers *peers)
{
    memset(peers->buckets, 0, sizeof(peers->buckets));
    ssize_t got = getrandom(&peers->seed, sizeof(peers->seed), GRND_NONBLOCK);
    (void)got; /* without: a table that can be made slow, by that many connections at most */
    pthread_mutex_init(&peers->lock, NULL);
}

void hf_intake_peers_release(struct hf_intake_peers *peers)
{
    for (size_t i = 0; i < HF_INTAKE_PEER_BUCKETS; i++) {
        assert(peers->buckets[i] == NULL);
    }
    pthread_mutex_destroy(&peers->lock);
}

static struct hf_intake_peer **bucket_of(struct hf_intake_peers *peers, const struct hf_peer *who)
{
    return &peers->buckets[hf_peer_hash(who, peers->seed) % HF_INTAKE_PEER_BUCKETS];
}

struct hf_intake_peer *hf_intake_peer_get(struct hf_intake_peers *peers, const struct hf_peer *who)
{
    pthread_mutex_lock(&peers->lock);
    struct hf_intake_peer **bucket = bucket_of(peers, who), *peer = *bucket;
    while (peer != NULL && !hf_peer_equal(&peer->who, who)) {
        peer = peer->next;
    }
    if (peer == NULL) {
        peer = calloc(1, sizeof(*peer));
        if (peer != NULL) {
            peer->who = *who;
            atomic_init(&peer->held, 0);
            peer->next = *bucket;
            *bucket = peer;
        }
    }
    if (peer != NULL) {
        peer->users++;
    }
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void hf_intake_peer_put(struct hf_intake_peers *peers, struct hf_intake_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    pthread_mutex_lock(&peers->lock);
    assert(peer->users > 0);
    if (--peer->users == 0) {
        struct hf_intake_peer **link = bucket_of(peers, &peer->who);
        while (*link != peer) {
            link = &(*link)->next;
        }
        *link = peer->next;
        free(peer);
    }
    pthread_mutex_unlock(&peers->lock);
}
