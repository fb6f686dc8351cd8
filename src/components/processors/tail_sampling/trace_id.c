#include "trace_id.h"

#include <string.h>
#include <sys/random.h>

static uint64_t secret; /* written once, before the first table's thread */

void hf_trace_seed(void)
{
    while (secret == 0) {
        if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret)) {
            secret = UINT64_C(0x9e3779b97f4a7c15);
        }
    }
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t hf_trace_hash(const uint8_t *id)
{
    uint64_t parts[2];
    memcpy(parts, id, sizeof(parts));
    return mix(mix(parts[0] ^ secret) ^ parts[1]);
}
