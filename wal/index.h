/*
 * index: where the records of a closed segment lie in its file.
 *
 * Made by a walk that trusts nothing (pages.h); if the pages do not hold together, by a search for
 * records (salvage.h). LMDB never opens a file that it did not write in this process. Immutable
 * once made: 8 bytes a sequence.
 */
#pragma once

#include "segment.h"
#include "wal.h"

struct wal_index_slot {
    uint32_t half_offset; /* values begin at even offsets */
    uint32_t size;        /* 0: there is no such record */
};

struct wal_index {
    int fd;
    uint64_t file_bytes;
    uint64_t first;
    size_t count; /* of slots: sequences first to first + count - 1 */
    struct wal_index_slot *slots;
    bool is_broken;     /* the pages did not fit together; these records were salvaged */
    uint64_t cut_bytes; /* of a broken one: how much the file is shorter than it says of itself */
    uint8_t origin[WAL_ORIGIN_BYTES]; /* all zero: not known */
};

struct wal_index_options {
    int directory_fd;
    const char *name;
    uint64_t first,
        end; /* sequences that belong to the segment; others in the file are from an earlier life */
    bool is_forced; /* read errors count as damage; otherwise they are WAL_IO */
    /* The rows below the records; may be NULL. */
    void (*row)(void *user, uint64_t key, struct hf_slice value);
    void *user;
};

/* WAL_IO, WAL_NOMEM, WAL_MISSING (no such file). */
WAL_MUST_USE enum wal_status wal_index_open(const struct wal_index_options *options,
                                            struct wal_index **ret_index);
void wal_index_free(struct wal_index *index);

/* Like wal_reading_find(). */
size_t wal_index_find(const struct wal_index *index, uint64_t from, uint64_t until,
                      struct wal_spot *spots, size_t most, size_t most_bytes);
