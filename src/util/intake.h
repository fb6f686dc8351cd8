/*
 * intake: how much memory unfinished requests may hold, and which of them goes first when it is
 * full. Used by both servers, which count and end their own messages.
 *
 * Bytes count when they have arrived, whatever a length promises. Below `soft` nothing happens.
 * From there on the slowest unfinished message is ended, those of a peer above its share first.
 * Between `soft` and `large` is the room for what arrives until that has had its effect. Above
 * `large`, the large messages of peers above their share are refused; what is left up to `total` is
 * for small messages and for other peers.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "peer.h"

/* ---- limits: immutable ---- */

struct hf_intake_limits {
    size_t total, large, soft;
    size_t message;  /* the largest one */
    size_t relieved; /* ending stops here */
    size_t share;    /* of one peer */
    size_t small;    /* a message up to this size is a small one */
};

/* The parts of a total of bytes. */
struct hf_intake_limits hf_intake_limits_of(uint64_t total);
/* The total for one server of a process that may use `memory_bytes`; 0: not known. */
uint64_t hf_intake_total(uint64_t memory_bytes);

enum hf_intake_verdict {
    HF_INTAKE_FREE,
    HF_INTAKE_PRESSED, /* it may go on; something has to end */
    HF_INTAKE_FULL,
};
/* Of a message of `size` bytes (as far as is known), with `held` bytes in all. */
static inline enum hf_intake_verdict hf_intake_judge(const struct hf_intake_limits *limits,
                                                     size_t held, size_t peer_held, size_t size)
{
    if (held < limits->soft) {
        return HF_INTAKE_FREE;
    }
    bool modest = size <= limits->small || peer_held <= limits->share;
    size_t most = modest ? limits->total : limits->large;
    return held > most ? HF_INTAKE_FULL : HF_INTAKE_PRESSED;
}

/* ---- the pace of one message: its thread ---- */

#define HF_INTAKE_TIME_NS (UINT64_C(600) * 1000000000) /* a whole message, unless configured */
#define HF_INTAKE_RATE UINT64_C(1024) /* bytes a second after the grace, likewise */
#define HF_INTAKE_GRACE_NS (UINT64_C(30) * 1000000000)
/* A message younger than this is not ended for room: nothing is known of its pace. */
#define HF_INTAKE_YOUNG_NS (UINT64_C(1) * 1000000000)

struct hf_intake_pace {
    uint64_t begun_ns, mark_ns, older_ns;
    size_t mark_bytes, older_bytes;
};

void hf_intake_pace_begin(struct hf_intake_pace *pace, uint64_t now_ns);
/* Once a second or so, with what has come: the rate is that since the mark before the last. */
void hf_intake_pace_mark(struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes);
/* Bytes a second. */
uint64_t hf_intake_pace_rate(const struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes);
/* Has it come for longer than `time_ns`, or slower than `rate` bytes a second after its grace? */
bool hf_intake_pace_is_late(const struct hf_intake_pace *pace, uint64_t now_ns, size_t bytes,
                            uint64_t time_ns, uint64_t rate);

/* ---- the first to end: a short list, the lowest key first ---- */

#define HF_INTAKE_VICTIMS 32

struct hf_intake_victims {
    struct {
        uint64_t key;
        void *message;
    } items[HF_INTAKE_VICTIMS];
    size_t count;
};

/* Its place in the order: the pace, behind everything of peers above their share. */
uint64_t hf_intake_key(const struct hf_intake_limits *limits, size_t peer_held, uint64_t rate);
void hf_intake_victims_add(struct hf_intake_victims *victims, uint64_t key, void *message);

/* ---- peers: any thread ---- */

#define HF_INTAKE_PEER_BUCKETS 1024u

struct hf_intake_peer {
    struct hf_intake_peer *next; /* of its bucket */
    size_t users;                /* under the lock */
    struct hf_peer who;
    atomic_size_t held;
};

struct hf_intake_peers {
    uint64_t seed;
    pthread_mutex_t lock;
    struct hf_intake_peer *buckets[HF_INTAKE_PEER_BUCKETS];
};

void hf_intake_peers_init(struct hf_intake_peers *peers);
/* When every peer has been put back. */
void hf_intake_peers_release(struct hf_intake_peers *peers);
/* One use more of that peer. NULL: no memory. For connections that open and close, not for
 * messages. */
struct hf_intake_peer *hf_intake_peer_get(struct hf_intake_peers *peers, const struct hf_peer *who);
void hf_intake_peer_put(struct hf_intake_peers *peers, struct hf_intake_peer *peer);
