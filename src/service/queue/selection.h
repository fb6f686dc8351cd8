/*
 * selection: which records of a queue a command is about: `--seq`, `--from`, `--since`, `--until`,
 * `--where`. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/where.h"
#include "wal/wal.h"

#define HF_SELECTION_RANGES_MAX 256u

/* Sequence numbers from `first` to `last`, both included. */
struct hf_sequence_range {
    uint64_t first, last;
};

/* What the words say. `where` is borrowed. */
struct hf_selection_options {
    struct hf_sequence_range ranges[HF_SELECTION_RANGES_MAX];
    size_t range_count; /* 0: every record */
    uint64_t from;
    uint64_t since_ns, until_ns; /* Unix time of receipt: from the one on, before the other */
    const char *where;           /* NULL: every item */
};

/* "3,7-9": HF_SELECTION_RANGES_MAX of them at most. False: it is no such list. */
bool hf_selection_parse_ranges(const char *text, struct hf_selection_options *options);
/* RFC 3339 ("2026-11-29T15:00:00Z"), Unix seconds, or how long ago ("15m"). False: none of them. */
bool hf_selection_parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns);

struct hf_selection {
    const struct hf_selection_options *options;
    struct wal *wal;    /* with `reader` */
    const char *reader; /* what that consumer has acknowledged is not chosen; NULL: it may be */
    struct hf_where *where;
    struct hf_bytes decoded, chosen; /* of one record, used again */
};

/* HF_INVALID: `reterr` (HF_ERROR_MAX) says what is wrong with --where. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_selection_init(const struct hf_selection_options *options,
                                             struct hf_selection *ret_selection, char *reterr);
void hf_selection_release(struct hf_selection *selection);

/* Is everything chosen? */
bool hf_selection_is_all(const struct hf_selection *selection);
/* The first sequence number that may be chosen; the first that none comes after. */
uint64_t hf_selection_first(const struct hf_selection *selection);
uint64_t hf_selection_end(const struct hf_selection *selection);

/* Visits records as wal_scan() does, from the first that may be chosen; segments without a record
 * of the chosen time are passed over. */
HF_MUST_USE enum wal_status
hf_selection_scan(const struct hf_selection *selection, struct wal *wal,
                  bool (*visit)(void *user, const struct wal_record *record, bool damaged),
                  void *user);

/* By its head alone: number and time. */
bool hf_selection_has(const struct hf_selection *selection, const struct wal_record *record);
/*
 * What is chosen of a record that passes hf_selection_has(): its items that the condition is true
 * for, as plain protobuf, valid until the next call. `ret_items` 0: nothing of it. Without a
 * condition the whole record, not even decoded when `is_head_enough`: then `ret_chosen` is empty.
 * HF_CORRUPT: it cannot be read. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_selection_choose(struct hf_selection *selection,
                                               const struct wal_record *record, bool is_head_enough,
                                               struct hf_slice *ret_chosen, uint32_t *ret_items);
