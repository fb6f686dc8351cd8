/*
 * journal: the entries of systemd's journals, one after another, from a place on. Owned by one
 * thread at a time; opened and matched before it is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_journal;

struct hf_journal_options {
    const char *directory;       /* of journal files; NULL: none */
    struct hf_string_list files; /* patterns of files; empty: none */
    const char *root;            /* of another system; NULL: this one */
    const char *name_space;      /* NULL: the default one */
    bool merges;                 /* journals of other machines, too */
};

/* HF_IO and others with a sentence in `reterr` (HF_ERROR_MAX). Main thread. */
HF_MUST_USE enum hf_status hf_journal_open(const struct hf_journal_options *options,
                                           struct hf_journal **ret_journal, char *reterr);
/* NULL is nothing. */
void hf_journal_close(struct hf_journal *journal);

/* "FIELD=value": those of one field are alternatives, those of several fields must all match. What
 * stands before an `or` is an alternative to what stands behind; an `and` ends such a group.
 * HF_INVALID, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_journal_match(struct hf_journal *journal, const char *match);
HF_MUST_USE enum hf_status hf_journal_or(struct hf_journal *journal);
HF_MUST_USE enum hf_status hf_journal_and(struct hf_journal *journal);
/* Only entries of this boot. */
HF_MUST_USE enum hf_status hf_journal_match_boot(struct hf_journal *journal);

/* ---- places: before the first next() ---- */

HF_MUST_USE enum hf_status hf_journal_seek_head(struct hf_journal *journal);
/* Behind the last entry; `ret_cursor` is its cursor, to be freed; NULL: there is no entry. */
HF_MUST_USE enum hf_status hf_journal_seek_tail(struct hf_journal *journal, char **ret_cursor);
/* Behind the entry of that cursor, or where it would be. */
HF_MUST_USE enum hf_status hf_journal_seek_behind(struct hf_journal *journal, const char *cursor);

/* ---- entries ---- */

/* HF_NOT_FOUND: there is none yet. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_journal_next(struct hf_journal *journal);

struct hf_journal_entry {
    char *cursor; /* to be freed */
    uint64_t realtime_us, monotonic_us;
};

/* What is known of the entry beside its fields. HF_IO with errno, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_journal_about(struct hf_journal *journal,
                                            struct hf_journal_entry *ret_entry);
/* Its fields, also several of one name. False from `visit`: the walk ends, HF_NOMEM. HF_IO with
 * errno: a field cannot be read. */
HF_MUST_USE enum hf_status
hf_journal_each(struct hf_journal *journal,
                bool (*visit)(void *user, struct hf_slice name, struct hf_slice value), void *user);

/* Waits for entries, at most so long, or until `stop_fd` can be read: false then. */
bool hf_journal_wait(struct hf_journal *journal, int stop_fd, int wait_ms);
