/*
 * checksum: CRC32C (Castagnoli) and CRC32 (that of gzip) by ISA-L, which folds with wide
 * multiplications: five times the speed of one chain of crc32 instructions; XXH64 by libxxhash. No
 * state; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continues from `crc`, the value of the bytes before; 0 at the start. "123456789" gives
 * 0xe3069283. */
uint32_t hf_crc32c(uint32_t crc, const void *data, size_t size);

/* The CRC32 of gzip and zlib. "123456789" gives 0xcbf43926. */
uint32_t hf_crc32(const void *data, size_t size);

/* With the seed 0. */
uint64_t hf_xxh64(const void *data, size_t size);
