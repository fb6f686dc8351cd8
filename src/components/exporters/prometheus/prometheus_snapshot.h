/*
 * prometheus_snapshot: the table of series in a file, which is replaced as a whole: after a kill it
 * is the old one or the new one. Exemplars are not in it.
 */
#pragma once

#include <holdfast/status.h>

#include "prometheus_table.h"

/* Writes the file durably beside `path` and renames it. HF_IO with errno. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_snapshot_save(const char *path,
                                                    const struct prometheus_table *table);

/* Told of each request that was appended (state_log.h): its bytes, and the Unix time when it was
 * folded. HF_OK to go on. */
typedef enum hf_status (*prometheus_snapshot_visit)(void *user, uint64_t unix_ns,
                                                    struct hf_slice request);

/* Fills an empty table, then tells `visit` of what was appended. `ret_left`: bytes behind the last
 * whole request, of one that a kill has cut short before it counted, or damaged. HF_NOT_FOUND:
 * there is no file. HF_CORRUPT: it fails its check. HF_IO with errno. HF_NOMEM. The table is empty
 * then. */
HF_MUST_USE enum hf_status prometheus_snapshot_load(const char *path,
                                                    struct prometheus_table *table,
                                                    prometheus_snapshot_visit visit, void *user,
                                                    uint64_t *ret_left);
