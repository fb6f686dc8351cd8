/*
 * record: the stored form of one record, the value of its row: this head, then the meta bytes,
 * then the body.
 *
 * The checksum covers all of it, the sequence number too, because a recycled file still holds whole
 * old records behind the end of the new ones. `before` sums up all records ever appended before
 * this one, so that a reader that meets a gap knows exactly how much was in it. Numbers are in the
 * machine's byte order, as LMDB's own are.
 *
 * In the file a value begins at an even offset: 16 bytes into a page when it has overflow pages of
 * its own, elsewhere inside a leaf page. Pure functions; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wal.h"

#define WAL_RECORD_MAGIC UINT32_C(0x31524648) /* "HFR1" */
#define WAL_RECORD_HEAD_BYTES 80u
#define WAL_RECORD_BYTES_MAX                                                                       \
    ((size_t)WAL_RECORD_HEAD_BYTES + WAL_META_BYTES_MAX + WAL_BODY_BYTES_MAX)

/* Keys of a segment's rows: 0 is the segment's head, others below this are checkpoints, a record is
 * at sequence + this. */
#define WAL_KEY_RECORDS (UINT64_C(1) << 20)

struct wal_record_head {
    uint32_t magic;
    uint32_t crc; /* CRC32C of the whole value with this field zero */
    uint16_t version;
    uint8_t kind, coding;
    uint16_t flags;
    uint16_t reserved16; /* 0 */
    uint32_t items;
    uint32_t meta_size;
    uint32_t body_size;
    uint32_t reserved32; /* 0 */
    uint64_t raw_bytes;
    uint64_t time_ns;
    uint64_t sequence;
    struct wal_amount before;
};

/* Bytes of the whole value. */
size_t wal_record_size(const struct wal_record_head *head);

/* Writes the whole value of an append to `value`, which has room for wal_record_size(). The head's
 * magic, version, crc and sizes are filled in here. */
void wal_record_write(void *value, struct wal_record_head *head, struct hf_slice meta,
                      struct hf_slice body);

/*
 * Whether a record may begin at `value`, of which `size` bytes can be seen: magic, a known version,
 * sizes in their bounds. Does not look beyond the head; `ret_size` is the size of the whole value,
 * which may be larger than `size`. WAL_CORRUPT, WAL_TOO_NEW (perhaps: the checksum is not looked
 * at).
 */
WAL_MUST_USE enum wal_status wal_record_peek(const void *value, size_t size, size_t *ret_size);

/* Whether `value` is one whole good record of exactly `size` bytes. `value` needs no alignment.
 * WAL_CORRUPT, WAL_TOO_NEW. */
WAL_MUST_USE enum wal_status wal_record_check(const void *value, size_t size,
                                              struct wal_record_head *ret_head);

/* Meta and body of a checked value. */
struct hf_slice wal_record_meta(const void *value, const struct wal_record_head *head);
struct hf_slice wal_record_body(const void *value, const struct wal_record_head *head);
