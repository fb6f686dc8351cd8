#include "checksum.h"

#include <isa-l/crc.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* The library counts in int. */
#define STEP_BYTES ((size_t)1 << 30)

/*
 * ISA-L leaves the upper halves of the vector registers in use. Until they are cleared, each change
 * between vector instructions of the old and of the new kind costs a hundred nanoseconds on some
 * CPUs, also long after the call.
 */
#if defined(__x86_64__)
__attribute__((target("avx"))) static void clear_registers(void)
{
    __builtin_ia32_vzeroupper();
}

static void clear_upper_halves(void)
{
    if (__builtin_cpu_supports("avx")) {
        clear_registers();
    }
}
#else
static void clear_upper_halves(void)
{
}
#endif

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
    clear_upper_halves();
    return ~crc;
}

uint32_t hf_crc32(const void *data, size_t size)
{
    uint32_t crc = crc32_gzip_refl(0, data, size);
    clear_upper_halves();
    return crc;
}

uint64_t hf_xxh64(const void *data, size_t size)
{
    return XXH64(data, size, 0);
}
