#include "table_hash.h"

#include <sys/random.h>
#include <unistd.h>

#include "util/time/clock.h"

void hf_table_hash_key(uint64_t *ret_key)
{
    if (getrandom(ret_key, sizeof(*ret_key), GRND_NONBLOCK) != (ssize_t)sizeof(*ret_key)) {
        *ret_key = hf_table_hash_mix(hf_clock_monotonic_ns() ^ (uint64_t)getpid(),
                                     UINT64_C(0x9e3779b97f4a7c15));
    }
}
