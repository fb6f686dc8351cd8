#include "retry.h"

#include "util/time/clock.h"

#define WAIT_MIN_NS (25 * HF_NS_PER_MS)
#define WAIT_MAX_NS HF_NS_PER_S
#define WAIT_PART 16u /* of the time since the first failure */

void wal_retry_fail(struct wal_retry *retry, uint64_t now_ns)
{
    retry->began_ns = retry->began_ns == 0 ? now_ns : retry->began_ns;
    uint64_t wait_ns = (now_ns - retry->began_ns) / WAIT_PART;
    wait_ns = wait_ns < WAIT_MIN_NS ? WAIT_MIN_NS : wait_ns;
    retry->due_ns = now_ns + (wait_ns < WAIT_MAX_NS ? wait_ns : WAIT_MAX_NS);
}

void wal_retry_reset(struct wal_retry *retry)
{
    *retry = (struct wal_retry){0};
}
