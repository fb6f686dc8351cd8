/*
 * entry: one log entry on its way from a file to a log record. What it leads to is borrowed from
 * the line, or in its arena; both live until the entry has passed all operators. Owned by one
 * thread.
 */
#pragma once

#include "expr/value.h"

struct hf_builder;

struct hf_log_entry {
    struct hf_arena *arena;
    uint64_t time_ns, observed_ns; /* 0: not known */
    unsigned severity;
    struct hf_slice severity_text;
    struct hf_slice trace_id, span_id; /* 16 and 8 bytes, or empty */
    unsigned trace_flags;
    struct hf_slice scope_name;
    struct hf_expr_value body;
    struct hf_expr_value attributes, resource; /* maps */
    void *source;    /* whom it came from, for operators that hold entries */
    uint64_t offset; /* where it began there */
};

/* An entry of nothing but its maps, which have room for so many attributes. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_entry_init(struct hf_log_entry *entry, struct hf_arena *arena,
                                             size_t attributes);
/* Everything in another arena. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_entry_copy(const struct hf_log_entry *entry,
                                             struct hf_arena *arena,
                                             struct hf_log_entry *ret_entry);

/* Writes entries as log records. Zeroed at first; entries of equal resource and scope that follow
 * each other share theirs. */
struct hf_log_writer {
    struct hf_builder *builder; /* borrowed */
    struct hf_arena *scratch;   /* likewise; rewound after every entry */
    struct hf_arena kept;       /* the resource that is open */
    struct hf_expr_value resource;
    struct hf_slice scope;
    bool is_open;
};

void hf_log_write(struct hf_log_writer *writer, const struct hf_log_entry *entry);
/* The request ended: the next entry opens its resource again. */
void hf_log_writer_break(struct hf_log_writer *writer);
void hf_log_writer_release(struct hf_log_writer *writer);
