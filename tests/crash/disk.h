/*
 * disk: what a directory may look like after the power was cut, by the history of log.h.
 *
 * The model is the hardest that POSIX allows. What was synced is there. Of what was not, any part
 * may be: each sector of each write, each change of a size, each name, in any combination, torn or
 * not; only changes of one and the same sector or name keep their order. A file's sync makes its
 * bytes durable and not its name; a directory's sync makes its names durable and not their bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "log.h"

struct disk;

/* A disk that holds the files of a directory, all durable. Ends the program for want of memory. */
struct disk *disk_new(const char *directory);
void disk_free(struct disk *disk);

/*
 * One operation begins: it is done, and nothing says yet that it is durable. The entry with its
 * paths and data is borrowed for good. disk_end() follows before the next, unless the process was
 * killed in it.
 */
void disk_begin(struct disk *disk, const struct crash_entry *entry);
void disk_end(struct disk *disk);

/* Changes that may or may not be there. */
size_t disk_pending(const struct disk *disk);

/* Writes one state of all that are possible to an empty directory; `draw` decides which. */
void disk_cut(const struct disk *disk, const char *directory, uint64_t draw);
