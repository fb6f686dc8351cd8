/*
 * tail_share: keeps what showing batches takes of a processor below a share of a core, so that a
 * stream that is open costs the data next to nothing, however much passes. A short burst is free,
 * so that at usual rates nothing is left out. Plain data and pure functions.
 */
#pragma once

#include <stdint.h>

#define HF_TAIL_SHARE_PERCENT 2u /* unless asked for more */
#define HF_TAIL_BURST_NS UINT64_C(20000000)

struct hf_tail_share {
    uint64_t percent;           /* of a core; 1 to 100 */
    uint64_t seen_ns, spent_ns; /* at the last look: monotonic, and processor time of the thread */
    int64_t left_ns;            /* what may be spent; below 0: overdrawn */
};

/* `now_ns` is monotonic, `spent_ns` the processor time that the thread has had so far. */
void hf_tail_share_init(struct hf_tail_share *share, uint64_t percent, uint64_t now_ns,
                        uint64_t spent_ns);
/* How long to wait before the next batch; 0: go on. */
uint64_t hf_tail_share_wait_ns(struct hf_tail_share *share, uint64_t now_ns, uint64_t spent_ns);
