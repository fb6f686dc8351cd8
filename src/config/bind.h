/*
 * bind: from a tree and a table of fields to the struct that the table describes. Presets go the
 * same way as what the user wrote. Loading thread.
 */
#pragma once

#include <holdfast/field.h>

#include "tree.h"

/* A map and where its keys go. */
struct hf_bind_target {
    const struct hf_field *fields; /* NULL: no keys at all */
    void *base;                    /* zeroed memory of the struct */
};

/*
 * Binds `node` (NULL or null: defaults only). `place` is where a missing key is reported. Every
 * mistake is reported; what is wrong keeps its preset.
 */
void hf_bind(struct hf_load *load, const struct hf_key_path *path, struct hf_yaml_place place,
             const struct hf_yaml *node, struct hf_bind_target target);

/* Parts of the above that have files of their own. */

/* One field's value at `at`. `node` is not null. */
void hf_bind_value(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                   const struct hf_field *field, void *at);
void hf_bind_scalar(struct hf_load *load, const struct hf_key_path *path,
                    const struct hf_yaml *node, const struct hf_field *field, void *at);
/* A scalar, a list or a map: a struct hf_value. */
void hf_bind_any(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                 void *at);
/* `choices`: what an item may be, exactly; NULL: anything. */
void hf_bind_strings(struct hf_load *load, const struct hf_key_path *path,
                     const struct hf_yaml *node, const char *const *choices, void *at);
/* Notes that the value of a field names an extension. False: out of memory. */
bool hf_bind_reference(struct hf_load *load, const struct hf_key_path *path,
                       struct hf_yaml_place place, const struct hf_field *field, const char *id);
/* Reports that the text is none of them, with the nearest one. */
void hf_bind_no_choice(struct hf_load *load, const struct hf_key_path *path,
                       struct hf_yaml_place place, const char *const *choices, const char *text);
void hf_bind_map(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                 const struct hf_field *field, void *at);

/* Reports a key that none of the fields has, with the nearest one. */
void hf_bind_unknown_key(struct hf_load *load, const struct hf_key_path *path,
                         const struct hf_yaml_entry *entry, const struct hf_field *fields);

/* The field of that key, new or old spelling; NULL: none. */
const struct hf_field *hf_bind_field(const struct hf_field *fields, const char *key);
