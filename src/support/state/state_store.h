/*
 * state_store: small values by key that outlive a SIGKILL: what a processor remembers of each
 * series. All of them are in memory; a journal beside the queue has every change that was
 * committed, and is rewritten when most of it is out of date.
 *
 * Changes are staged, then applied or discarded together, so that a step that fails half-way leaves
 * nothing behind; hf_state_commit() makes what was applied durable. Keys and bytes have limits; the
 * keys that were touched longest ago can be dropped. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/hash.h"

struct hf_state;

struct hf_state_options {
    const char *path;   /* copied; NULL: in memory alone */
    const char *format; /* what wrote the values: another one's are not read. Borrowed */
    size_t keys_max, bytes_max;
};

/* HF_NOMEM. Nothing is read yet. */
HF_MUST_USE enum hf_status hf_state_new(const struct hf_state_options *options,
                                        struct hf_state **ret_state);
void hf_state_free(struct hf_state *state);

/*
 * Reads the journal, if there is one; forgets what is in memory before. `ret_lost`: bytes that
 * could not be read, which are cut off. HF_IO with errno, HF_NOMEM; HF_UNSUPPORTED: the file is of
 * another format, which is replaced at the next commit.
 */
HF_MUST_USE enum hf_status hf_state_load(struct hf_state *state, uint64_t *ret_lost);

/* The value as it is now, staged changes included. False: there is none. Valid until it changes. */
HF_MUST_USE bool hf_state_find(const struct hf_state *state, struct hf_hash key,
                               struct hf_slice *ret_value);

/* Stages a value; `touched_ns` is Unix time. HF_FULL: it is beyond a limit; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_state_put(struct hf_state *state, struct hf_hash key,
                                        struct hf_slice value, uint64_t touched_ns);
void hf_state_apply(struct hf_state *state);
void hf_state_discard(struct hf_state *state);

/* Drops keys that were touched before that; how many. Nothing may be staged. */
size_t hf_state_expire(struct hf_state *state, uint64_t before_ns);
/* Drops the key that was touched longest ago and has nothing staged. False: there is none. */
bool hf_state_evict(struct hf_state *state);

/* The keys that are applied. */
size_t hf_state_count(const struct hf_state *state);
/* Unix time when it was first loaded and there was no journal: since then it knows of everything,
 * but for what it has dropped. */
uint64_t hf_state_born_ns(const struct hf_state *state);
/* Is there something that was applied and not committed? */
bool hf_state_is_dirty(const struct hf_state *state);
/* HF_IO with errno: nothing counts as committed; to be called again. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_state_commit(struct hf_state *state);

/* DIRECTORY/NAME.state, with the bytes of `name` that a file's name should not have in hex, cut to
 * what a file's name may have; NULL: out of memory, or no directory. The caller's. */
char *hf_state_path(const char *directory, const char *name);
