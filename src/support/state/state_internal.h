/*
 * state_internal: how a state store is held, for state_store.c and state_journal.c.
 */
#pragma once

#include "state_store.h"

struct hf_state_entry {
    struct hf_hash key;
    struct hf_state_entry *bucket;        /* the next one of the same place in the table */
    struct hf_state_entry *older, *newer; /* by when they were touched */
    struct hf_state_entry *next_staged, *next_dirty;
    uint64_t touched_ns, staged_ns;
    uint8_t *value, *staged;
    uint32_t size, staged_size;
    bool has_value, is_staged, is_dirty;
};

struct hf_state {
    char *path;
    const char *format;
    size_t keys_max, bytes_max;
    struct hf_state_entry **table;
    size_t table_size, count;
    size_t bytes; /* of all values, staged ones too */
    struct hf_state_entry *oldest, *newest;
    struct hf_state_entry *staged, *dirty;
    struct hf_hash *removed; /* since the last commit */
    size_t removed_count, removed_room;
    int fd;              /* of the journal; -1: not open */
    uint64_t file_bytes; /* that are known to be good */
    uint64_t born_ns;
    uint64_t live_bytes; /* that the entries would take */
    bool must_rewrite;
};

/* ---- state_store.c, for the journal ---- */

/* Sets a value without staging. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_state_restore(struct hf_state *state, struct hf_hash key,
                                            struct hf_slice value, uint64_t touched_ns);
void hf_state_forget(struct hf_state *state, struct hf_hash key);
/* Everything that was applied is in the journal. */
void hf_state_settle(struct hf_state *state);
void hf_state_clear(struct hf_state *state);

#define HF_STATE_ENTRY_HEAD 28u /* bytes of an entry in the journal beside its value */
