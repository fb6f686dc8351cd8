/*
 * field: where a value stands in an entry: body, attributes or resource, and keys below. Immutable
 * once parsed.
 */
#pragma once

#include "entry.h"

#define HF_LOG_FIELD_KEYS_MAX 16u

struct hf_log_field {
    enum hf_log_root { HF_LOG_BODY = 0, HF_LOG_ATTRIBUTES, HF_LOG_RESOURCE } root;
    struct hf_slice keys[HF_LOG_FIELD_KEYS_MAX];
    size_t count;
};

/* `body.a["b.c"]`, also with the `$` of old versions. Keys are in `arena`. NULL, or what is wrong.
 */
const char *hf_log_field_parse(const char *text, struct hf_arena *arena,
                               struct hf_log_field *ret_field);

/* NULL: there is nothing. */
struct hf_expr_value *hf_log_field_get(const struct hf_log_field *field,
                                       struct hf_log_entry *entry);
/* A map is merged into a map that is there; what is no map on the way is replaced by one.
 * HF_INVALID: attributes or resource cannot be that. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_field_set(const struct hf_log_field *field,
                                            struct hf_log_entry *entry, struct hf_expr_value value);
/* False: there was nothing. */
bool hf_log_field_remove(const struct hf_log_field *field, struct hf_log_entry *entry,
                         struct hf_expr_value *ret_value);
