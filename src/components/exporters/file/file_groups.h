/*
 * file_groups: the files that an exporter writes: one, or one for each value of a resource
 * attribute, which stands in the path in place of a star.
 *
 * The value comes from the sender of the telemetry. It is cleaned like a path from the root: empty
 * and "." parts go, ".." goes one up and never above the star, control characters become '_'. So it
 * may name directories below that of the star, and nothing else.
 *
 * At most so many files are open; the one that was used longest ago is closed for a new one. A file
 * that is opened again is appended to, whatever `fresh` says. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "file_output.h"
#include "util/compress/compress.h"

struct hf_file_group {
    struct hf_file_output *output;
    char *path;
    struct hf_bytes raw;     /* resources of the export at hand, as one request */
    struct hf_bytes pending; /* records to be written */
    size_t mark;             /* size of `pending` before the export at hand */
    uint64_t last_used;
};

struct hf_file_groups {
    struct hf_file_output_options options; /* `path` with its star */
    const char *attribute;                 /* NULL: one file, no star */
    struct hf_file_group *items;
    size_t count, open_max;
    uint64_t uses;
};

/*
 * `options` (its `path` borrowed) and `attribute` as above. The single file is opened now, and
 * `ret_found` tells of it. HF_IO, HF_NOMEM with `reterr` (HF_FILE_ERROR_MAX).
 */
HF_MUST_USE enum hf_status hf_file_groups_open(struct hf_file_groups *groups, size_t open_max,
                                               struct hf_file_output_found *ret_found,
                                               char *reterr);
void hf_file_groups_close(struct hf_file_groups *groups);

/*
 * The group of a resource (its bytes). HF_NOT_FOUND: it has no text of that attribute. HF_INVALID:
 * no file can have that name. HF_BUSY: all that may be open have something pending; write it first.
 * HF_IO, HF_NOMEM with `reterr`. The group is valid until the next call.
 */
HF_MUST_USE enum hf_status hf_file_groups_find(struct hf_file_groups *groups,
                                               struct hf_slice resource,
                                               struct hf_file_group **ret_group,
                                               struct hf_file_output_found *ret_found,
                                               char *reterr);

/*
 * Writes what is pending in all groups; it is on disk then. On failure (HF_FULL, HF_IO) it is taken
 * back from the files that already had it. Nothing is pending afterwards.
 */
HF_MUST_USE enum hf_status hf_file_groups_write(struct hf_file_groups *groups, char *reterr);

/* What has piled up beyond that is given back to the system. */
#define HF_FILE_BYTES_KEPT (1u << 20)

/*
 * "/var/log/" "*" ".json" and a value: the path in `room`. False: no file can have it. For the
 * tests.
 */
HF_MUST_USE bool hf_file_group_path(const char *pattern, struct hf_slice value, char *room,
                                    size_t size);
