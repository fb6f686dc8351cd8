/*
 * log_limiter: lets a thing be said of a peer once in a while: for log lines that strangers can
 * cause as often as they like.
 *
 * A table of fixed size keeps which line was logged when. Two that share a place take it from each
 * other: the worst of it is a line too many. In an interval a peer gets HF_LOG_LIMITER_TEXTS_MAX
 * lines at most, whatever their texts, and all peers together HF_LOG_LIMITER_LINES_MAX; what is
 * over that is counted. A meeting place; any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define HF_LOG_LIMITER_PLACES 256u
#define HF_LOG_LIMITER_TEXTS_MAX 8u
#define HF_LOG_LIMITER_LINES_MAX 128u

/* Lines of the interval that ends then; a later one begins at 0. */
struct hf_log_limiter_count {
    uint64_t until_ns;
    unsigned lines;
};

struct hf_log_limiter {
    uint64_t interval_ns;
    pthread_mutex_t lock; /* of what follows */
    struct {
        uint64_t hash, until_ns;
    } places[HF_LOG_LIMITER_PLACES];
    struct hf_log_limiter_count
        peers[HF_LOG_LIMITER_PLACES]; /* peers that share a place share its count */
    struct hf_log_limiter_count all;
    uint64_t withheld;
};

void hf_log_limiter_init(struct hf_log_limiter *limiter, uint64_t interval_ns);
void hf_log_limiter_release(struct hf_log_limiter *limiter);

/* True: say it; for the interval from now on the same of the same peer, "host:port" with whatever
 * port, is not to be said again. */
bool hf_log_limiter_allows(struct hf_log_limiter *limiter, const char *peer, const char *what,
                           uint64_t now_ns);

/* How many more would have been said, but for the two limits, since this was asked last. */
uint64_t hf_log_limiter_take_withheld(struct hf_log_limiter *limiter);
