#include "tail_share.h"

#define IDLE_PART 20u /* of a core, the share is divided by so much */

void hf_tail_share_init(struct hf_tail_share *share, uint64_t percent, struct hf_tail_clocks clocks)
{
    *share = (struct hf_tail_share){
        .percent = percent, .seen = clocks, .left_ns = (int64_t)HF_TAIL_BURST_NS};
}

uint64_t hf_tail_share_wait_ns(struct hf_tail_share *share, struct hf_tail_clocks clocks)
{
    uint64_t by_process_ns = clocks.process_ns - share->seen.process_ns;
    uint64_t by_time_ns = (clocks.now_ns - share->seen.now_ns) / IDLE_PART;
    uint64_t more_ns = by_process_ns > by_time_ns ? by_process_ns : by_time_ns;
    share->left_ns += (int64_t)(more_ns / 100 * share->percent);
    share->left_ns -= (int64_t)(clocks.own_ns - share->seen.own_ns);
    if (share->left_ns > (int64_t)HF_TAIL_BURST_NS) {
        share->left_ns = (int64_t)HF_TAIL_BURST_NS;
    }
    share->seen = clocks;
    return share->left_ns < 0 ? (uint64_t)-share->left_ns * 100 * IDLE_PART / share->percent : 0;
}
