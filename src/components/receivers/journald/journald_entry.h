/*
 * journald_entry: the fields of a journal's entry as the body of a log entry, as `journalctl
 * --output=json` has them. Owned by the receiver's thread.
 */
#pragma once

#include "journal/journal.h"
#include "logs/entry.h"

struct journald_fields {
    struct hf_arena *arena;
    struct hf_expr_map *map;
    bool converts_bytes;
};

/* For hf_journal_each(); a field that is there several times becomes a list. False: no memory. */
bool journald_add_field(void *user, struct hf_slice name, struct hf_slice value);
/* __CURSOR and __MONOTONIC_TIMESTAMP. HF_NOMEM. */
HF_MUST_USE enum hf_status journald_add_about(struct journald_fields *fields,
                                              const struct hf_journal_entry *entry);
