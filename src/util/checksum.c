#include "checksum.h"

#include <isa-l/crc.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vectors.h"

/* The library counts in int. */
#define STEP_BYTES ((size_t)1 << 30)

uint32_t hf_crc32c(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *at = data;

    crc = ~crc;
    while (size > 0) {
        size_t step = size < STEP_BYTES ? size : STEP_BYTES;
        crc = crc32_iscsi((unsigned char *)(uintptr_t)at, (int)step, crc);
        at += step;
        size -= step;
    }
    hf_vectors_clear();
    return ~crc;
}

uint32_t hf_crc32(const void *data, size_t size)
{
    uint32_t crc = crc32_gzip_refl(0, data, size);
    hf_vectors_clear();
    return crc;
}

uint64_t hf_xxh64(const void *data, size_t size)
{
    return XXH64(data, size, 0);
}
