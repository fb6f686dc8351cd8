/*
 * recover: reads the state of a directory, damaged or not, without reading the backlog:
 * names, the last segment, and the cursors.
 */
#pragma once

#include "internal.h"

/*
 * Fills segments, cursors, checkpoints, next_sequence and total. Before the threads start.
 * `ret_must_write`: the cursors must be written again. WAL_TOO_NEW, WAL_IO, WAL_NOMEM.
 */
WAL_MUST_USE enum wal_status wal_recover(struct wal *wal, bool *ret_must_write);
