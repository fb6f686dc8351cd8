/*
 * head: the first row (key 0) of every segment: its format version, first sequence, and the sums of
 * all before it, so that the accounts go on when no record is left. Pure functions.
 */
#pragma once

#include "cursor.h"
#include "record.h"
#include "wal.h"

struct wal_segment_head {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t reserved16;
    uint32_t reserved32;
    uint64_t created_ns; /* Unix time */
    uint64_t first;
    struct wal_amount before;
};

/* The row of the highest key below the records, of every segment that knows it: which opening of
 * the queue wrote it. An earlier version passes it over. */
#define WAL_KEY_ORIGIN (WAL_KEY_RECORDS - 1)

struct wal_origin_row {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t reserved16;
    uint32_t reserved32;
    uint8_t origin[WAL_ORIGIN_BYTES];
};

void wal_origin_row_write(struct wal_origin_row *ret_row, const uint8_t *origin);
/* False, and nothing is written: it is none, or damaged. */
bool wal_origin_row_read(struct hf_slice value, uint8_t *ret_origin);

void wal_segment_head_write(struct wal_segment_head *ret_head, struct wal_place start,
                            uint64_t created_ns);
/* WAL_CORRUPT, WAL_TOO_NEW. */
WAL_MUST_USE enum wal_status wal_segment_head_check(struct hf_slice value,
                                                    struct wal_segment_head *ret_head);
