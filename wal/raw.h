/*
 * raw: bytes and numbers of a file that is not trusted. For the readers of damaged segments.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "wal.h"

/* All `size` bytes at `offset`: WAL_OK; WAL_CORRUPT when the file ends before; WAL_IO. */
WAL_MUST_USE enum wal_status wal_raw_read(int fd, void *bytes, size_t size, uint64_t offset);

/* Little-endian numbers as LMDB writes them, at any alignment. */
static inline unsigned wal_raw_16(const uint8_t *bytes, size_t at)
{
    uint16_t value;

    memcpy(&value, &bytes[at], sizeof(value));
    return value;
}

static inline uint32_t wal_raw_32(const uint8_t *bytes, size_t at)
{
    uint32_t value;

    memcpy(&value, &bytes[at], sizeof(value));
    return value;
}

static inline uint64_t wal_raw_64(const uint8_t *bytes, size_t at)
{
    uint64_t value;

    memcpy(&value, &bytes[at], sizeof(value));
    return value;
}
