/*
 * tail_share: keeps what showing batches takes of a processor below a share of what the process
 * takes, so that a stream that is open costs the data next to nothing, however much passes. A short
 * burst is free, and a twentieth of the share of a core may be taken also while the process is
 * idle, so that at usual rates nothing is left out. Plain data and pure functions.
 */
#pragma once

#include <stdint.h>

#define HF_TAIL_SHARE_PERCENT 2u /* unless asked for more */
#define HF_TAIL_BURST_NS UINT64_C(2000000)

/* Three clocks: monotonic time, processor time of the process, and of it the stream's thread. */
struct hf_tail_clocks {
    uint64_t now_ns, process_ns, own_ns;
};

struct hf_tail_share {
    uint64_t percent; /* 1 to 100 */
    struct hf_tail_clocks seen;
    int64_t left_ns; /* what may be spent; below 0: overdrawn */
};

void hf_tail_share_init(struct hf_tail_share *share, uint64_t percent,
                        struct hf_tail_clocks clocks);
/* How long to wait before the next batch, if the process takes nothing meanwhile; 0: go on. */
uint64_t hf_tail_share_wait_ns(struct hf_tail_share *share, struct hf_tail_clocks clocks);
