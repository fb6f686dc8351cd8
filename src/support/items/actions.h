/*
 * actions: the ordered list of changes to attributes that the processors `resource` and
 * `attributes` share. Compiled once, immutable after; a run of it belongs to one batch and one
 * thread.
 */
#pragma once

#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/attributes.h"
#include "util/arena.h"

/* One entry of the list, as configured. */
struct hf_action_config {
    int64_t action; /* index into the choices of hf_action_fields */
    const char *key, *pattern, *from_attribute, *from_context, *converted_type;
    struct hf_value value, default_value;
};

extern const struct hf_field hf_action_fields[];

struct hf_actions;

/*
 * Compiles a list of struct hf_action_config, which must outlive the result; `name` is the list's
 * key, for messages. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX bytes); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_actions_new(const char *name, const struct hf_struct_list *list,
                                          struct hf_actions **ret_actions, char *reterr);
void hf_actions_free(struct hf_actions *actions);

/* For a component's `check`: NULL, or what is wrong, valid until the thread's next call. */
const char *hf_actions_check(const char *name, const struct hf_struct_list *list);

/* As a component's `context_keys`. */
const char *const *hf_actions_context_keys(const struct hf_actions *actions, size_t *ret_count);

struct hf_actions_run {
    const struct hf_actions *actions;
    struct hf_slice
        *context; /* by number of the source: a value's bytes, without data when absent */
    struct hf_arena arena;
    struct hf_bytes text; /* scratch */
};

/* Looks the context up in a batch's client metadata. HF_NOMEM: nothing to end then. */
HF_MUST_USE enum hf_status hf_actions_begin(const struct hf_actions *actions, struct hf_slice meta,
                                            struct hf_actions_run *ret_run);
void hf_actions_apply(struct hf_actions_run *run, struct hf_attributes *attributes);
void hf_actions_end(struct hf_actions_run *run);
