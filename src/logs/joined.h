/*
 * joined: entries that are held until the last of them is there, then one of their texts: for
 * recombine and container. Owned by the pipeline's thread.
 */
#pragma once

#include "entry.h"
#include "util/compress/compress.h"

struct joined {
    struct joined *next;
    struct hf_slice key; /* whose they are; in the arena */
    struct hf_arena arena;
    struct hf_log_entry entry; /* whose other fields are kept */
    struct hf_bytes text;
    size_t count;
    bool is_matched; /* recombine: its first or last entry is there */
    uint64_t since_ns;
    void *source;
    uint64_t offset; /* of the first one */
};

struct joined_list {
    struct joined *first;
    size_t count;
};

struct joined *joined_find(const struct joined_list *list, struct hf_slice key);
/* A new one without entries; NULL: no memory. */
struct joined *joined_add(struct joined_list *list, struct hf_slice key, uint64_t now_ns);
/* Adds a text, behind `between` when it is not the first. `keep`: the entry's other fields are the
 * whole's. HF_NOMEM. */
HF_MUST_USE enum hf_status joined_append(struct joined *joined, const struct hf_log_entry *entry,
                                         struct hf_slice text, struct hf_slice between, bool keep);
void joined_remove(struct joined_list *list, struct joined *joined);
void joined_clear(struct joined_list *list);
uint64_t joined_held(const struct joined_list *list, const void *source);
