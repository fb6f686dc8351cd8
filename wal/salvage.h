/*
 * salvage: finds the records of a segment whose pages no longer lead to them.
 *
 * A record carries its own magic, sizes and checksum, so it can be known where it lies: 16 bytes
 * into a page when it has pages of its own, at an even offset of a leaf page otherwise. The file is
 * read once, from front to back, in bounded memory; the inside of a good record is not searched.
 *
 * More is found than the segment holds, and the caller decides: copies of one record that LMDB left
 * behind when it rewrote a leaf page, records of commits that failed, and, in a recycled file,
 * those of its earlier life. The range of allowed sequence numbers excludes the latter. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wal.h"

/*
 * Visits file offset and size of each record that passes its checksum, in file order; `visit` ends
 * it by returning false. WAL_OK; WAL_IO: some pages could not be read, all others were looked at;
 * WAL_NOMEM: nothing was.
 */
WAL_MUST_USE enum wal_status wal_salvage(int fd, uint64_t file_size,
                                         bool (*visit)(void *user, uint64_t offset, uint64_t size),
                                         void *user);
