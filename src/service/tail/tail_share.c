#include "tail_share.h"

void hf_tail_share_init(struct hf_tail_share *share, uint64_t percent, uint64_t now_ns,
                        uint64_t spent_ns)
{
    *share = (struct hf_tail_share){.percent = percent,
                                    .seen_ns = now_ns,
                                    .spent_ns = spent_ns,
                                    .left_ns = (int64_t)HF_TAIL_BURST_NS};
}

uint64_t hf_tail_share_wait_ns(struct hf_tail_share *share, uint64_t now_ns, uint64_t spent_ns)
{
    share->left_ns += (int64_t)((now_ns - share->seen_ns) / 100 * share->percent);
    share->left_ns -= (int64_t)(spent_ns - share->spent_ns);
    if (share->left_ns > (int64_t)HF_TAIL_BURST_NS) {
        share->left_ns = (int64_t)HF_TAIL_BURST_NS;
    }
    share->seen_ns = now_ns;
    share->spent_ns = spent_ns;
    return share->left_ns < 0 ? (uint64_t)-share->left_ns * 100 / share->percent : 0;
}
