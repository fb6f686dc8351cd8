/*
 * record_names: the header `holdfast-records`, by which one Holdfast tells the next which records
 * of its queue a request consists of, so that the next can drop what comes twice
 * (docs/decisions/once.md).
 *
 *   1;<origin>;<run>[;<run>...]
 *
 * The origin is that of the records (wal.h), 32 hexadecimal digits. A run is `sequence:items,...`,
 * whole records that follow each other, each with its items, and `items*count` for `count` of the
 * same size; or `sequence+first:items/of`, a part of one record of `of` items. Runs ascend and do
 * not touch each other; their items are those of the request, in its order.
 *
 * Pure functions; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_RECORD_NAMES_HEADER "holdfast-records"
#define HF_ORIGIN_BYTES 16u
/* Most bytes of a value: with it, the headers of a request stay within what servers take (8 KiB).
 */
#define HF_RECORD_NAMES_MAX 6000u
/* Most runs that do not touch. */
#define HF_RECORD_NAMES_RUNS_MAX 64u

/* Neighbouring items of one record: [first, first + count) of `of`. */
struct hf_record_part {
    uint64_t sequence;
    uint32_t first, count, of;
};

/* A place between two items of a queue. Behind the last item of a record it is before the first one
 * of the next, so that neighbouring records touch. */
struct hf_record_place {
    uint64_t sequence;
    uint32_t item;
};

/* The items from one place up to another. */
struct hf_record_range {
    struct hf_record_place from, to;
};

static inline int hf_record_place_compare(struct hf_record_place a, struct hf_record_place b)
{
    if (a.sequence != b.sequence) {
        return a.sequence < b.sequence ? -1 : 1;
    }
    return (a.item > b.item) - (a.item < b.item);
}

static inline struct hf_record_range hf_record_range_of(const struct hf_record_part *part)
{
    uint32_t end = part->first + part->count;
    bool is_last = end == part->of;
    return (struct hf_record_range){
        .from = {part->sequence, part->first},
        .to = {part->sequence + is_last, is_last ? 0 : end},
    };
}

/* ---- writing ---- */

struct hf_record_names_writer {
    char text[HF_RECORD_NAMES_MAX];
    size_t size;
    size_t runs;
    uint64_t next;        /* sequence that would go on the run; UINT64_MAX: none would */
    uint32_t same, times; /* whole records of the same size that are not written yet */
    bool is_full;
};

/* `origin`: HF_ORIGIN_BYTES. */
void hf_record_names_begin(struct hf_record_names_writer *writer, const uint8_t *origin);
/* Adds the next part; parts ascend. */
void hf_record_names_add(struct hf_record_names_writer *writer, const struct hf_record_part *part);
/* The value, valid as long as the writer; empty: too long, or too many runs. */
struct hf_slice hf_record_names_end(struct hf_record_names_writer *writer);

/* ---- reading ---- */

struct hf_record_names {
    uint8_t origin[HF_ORIGIN_BYTES];
    struct hf_slice rest;       /* not read yet */
    uint64_t sequence;          /* of the next record of this run */
    uint32_t items, left;       /* of the records of the same size, and how many are to come */
    struct hf_record_place end; /* of the part before */
    bool is_bad;
};

/* False: the value is of another version, or none at all. */
HF_MUST_USE bool hf_record_names_open(struct hf_slice value, struct hf_record_names *ret_names);
/* The next part. False: the end, or with `is_bad`, something else than a part. Parts that are read
 * ascend without overlap, and have items. */
HF_MUST_USE bool hf_record_names_next(struct hf_record_names *names,
                                      struct hf_record_part *ret_part);
