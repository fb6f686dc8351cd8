/*
 * pages_find: one entry of an LMDB data file by its key, down from the root without a look at the
 * rest. Only the pages on the way are checked: what is found may be of an older commit than the
 * newest, and has to have a checksum of its own. Part of pages.h; any thread.
 */
#pragma once

#include <stdint.h>

#include "wal.h"

/* The place of its value in the file. WAL_MISSING: no entry has the key. WAL_CORRUPT, WAL_IO: a
 * walk may find it all the same. */
WAL_MUST_USE enum wal_status wal_pages_find(int fd, uint64_t file_size, uint64_t key,
                                            uint64_t *ret_offset, uint64_t *ret_size);
