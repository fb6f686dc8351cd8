/*
 * pages: reads an LMDB 0.9 data file without trusting a byte of it.
 *
 * LMDB follows page numbers and offsets as it finds them, so a flipped bit can crash a process that
 * opens the file. This reader goes the same way from the same meta page, by pread() and never by a
 * map, and checks every number against the file's bounds, every page against being used twice, and
 * the whole against the counts in the meta page. A file that passes can be given to LMDB; the
 * bodies on overflow pages are not read and have checksums of their own.
 *
 * The format: pages of 4,096 bytes, 64-bit little-endian, plain main database (no named ones, no
 * duplicates). Everything here is the caller's thread; memory is bounded by the tree's depth and
 * one bit a page.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "wal.h"

#define WAL_PAGE_BYTES 4096u
/* Where a value with pages of its own begins; every other one has an even offset. */
#define WAL_PAGE_HEADER_BYTES 16u

struct wal_pages_result {
    uint64_t txnid;
    uint64_t entries;                                  /* visited, or that would have been */
    uint64_t branch_pages, leaf_pages, overflow_pages; /* the last: those that the values need */
    uint32_t depth;
    uint64_t file_bytes; /* as the meta page has it; the file can be shorter by damage */
};

/*
 * Visits (key, file offset of the value, its size) of each entry in key order; `visit` may be NULL,
 * and ends the walk with WAL_OK by returning false. `ret` may be NULL; it is filled as far as the
 * walk came, whatever the status.
 *
 * WAL_CORRUPT: something does not fit. What was visited before lies within the file and was in
 * order, but is not all; salvage.h finds the rest. Also when all was visited, but
 * it may be that of one commit earlier: one meta page is damaged, or the highest key of one commit
 * is missing in the next (a segment only grows).
 * WAL_IO: a read failed. WAL_NOMEM.
 */
WAL_MUST_USE enum wal_status
wal_pages_walk(int fd, uint64_t file_size, struct wal_pages_result *ret,
               bool (*visit)(void *user, uint64_t key, uint64_t offset, uint64_t size), void *user);

/*
 * The same for keys of any bytes. The slices are valid during the call; values over 1 MiB are
 * WAL_CORRUPT (this is for small databases).
 */
WAL_MUST_USE enum wal_status wal_pages_walk_bytes(int fd, uint64_t file_size,
                                                  bool (*visit)(void *user, struct hf_slice key,
                                                                struct hf_slice value),
                                                  void *user);

/* Whether LMDB may open this file, whatever its keys, for reading and writing. WAL_OK, WAL_CORRUPT,
 * WAL_IO, WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_pages_check(int fd, uint64_t file_size);
