/*
 * shared_object: a library that is loaded when it is used: its functions as the members of a
 * struct. It is never unloaded. No state; the caller's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

struct hf_shared_symbol {
    const char *name;
    size_t offset; /* of the pointer in the struct */
};

struct hf_shared_object {
    const char *names[3]; /* "libpq.so.5", or those of several releases, up to a NULL */
    const char *needed;   /* who needs it, and how it is installed: before the linker's words */
    const char *install;  /* what to install when a function is missing */
    const struct hf_shared_symbol *symbols;
    size_t symbol_count;
};

/* Fills the pointers of `members`. False: `reterr` (HF_ERROR_MAX) has a sentence, and some may be
 * filled. */
HF_MUST_USE bool hf_shared_object_load(const struct hf_shared_object *object, void *members,
                                       char *reterr);
