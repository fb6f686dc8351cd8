/*
 * fs: the few things asked of the file system, relative to a queue's directory. Pure of state; any
 * thread.
 */
#pragma once

#include "wal.h"

#define WAL_FILE_NAME_BYTES 64u /* of a name inside the directory, with its end */

/* What errno says, as a status. */
enum wal_status wal_fs_status(int error);

/* Makes (0700) and opens a directory; says WAL_REMOTE for one on a network file system.
 * WAL_NO_RIGHT, WAL_MISSING, WAL_IO, WAL_NO_SPACE. */
WAL_MUST_USE enum wal_status wal_fs_open_directory(const char *path, bool create, int *ret_fd);

/* Bytes that this user can still write, and the size of the file system. */
WAL_MUST_USE enum wal_status wal_fs_space(int directory, uint64_t *ret_available,
                                          uint64_t *ret_size);

/* Makes a file, when there is none, and takes the blocks for its first `bytes`. An errno, or 0. */
WAL_MUST_USE int wal_fs_reserve(int directory, const char *name, uint64_t bytes);

/* "%020u.seg", and back; false for any other name. */
void wal_fs_segment_name(uint64_t first, char ret_name[WAL_FILE_NAME_BYTES]);
WAL_MUST_USE bool wal_fs_parse_segment(const char *name, uint64_t *ret_first);

/* Moves a file into another directory under its own name, or NAME.1 and so on; `ret_path` is the
 * whole new path. False: it could not be moved. */
WAL_MUST_USE bool wal_fs_set_aside(int directory, const char *name, const char *to_path,
                                   char *ret_path, size_t path_size);
