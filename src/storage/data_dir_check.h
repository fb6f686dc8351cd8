/*
 * data_dir_check: checks whether this user can write to the data directory, durably, and describes
 * why not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes a small file in the directory, syncs it (unless `no_fsync`), and removes it. 0, or the
 * errno of the step that failed.
 */
int hf_data_dir_check(const char *directory, bool no_fsync);

/*
 * One phrase about the directory, or about the nearest one above it that exists: mode, owner, type
 * of the file system, bytes that are free for this user. Empty when there is nothing to be seen.
 */
void hf_data_dir_describe(const char *directory, char *out, size_t room);
