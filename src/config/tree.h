/*
 * tree: YAML as nodes that know where they were written. Aliases and merge keys are resolved, so a
 * tree is a tree: every node has one parent. Nodes live in the memory of the load.
 *
 * Owned by the loading thread, immutable once loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "load.h"

enum hf_yaml_kind { HF_YAML_SCALAR, HF_YAML_LIST, HF_YAML_MAP };

/* What a plain scalar reads as; a quoted one is a string. */
enum hf_scalar_type {
    HF_SCALAR_NULL,
    HF_SCALAR_BOOL,
    HF_SCALAR_INT,
    HF_SCALAR_DOUBLE,
    HF_SCALAR_STRING
};

struct hf_yaml_entry;

struct hf_yaml {
    enum hf_yaml_kind kind;
    enum hf_scalar_type scalar;
    struct hf_yaml_place place;
    const char *text;     /* SCALAR: never NULL */
    const char *original; /* the text before it was read as YAML, of a substituted value; or NULL */
    struct hf_yaml **items;        /* LIST */
    struct hf_yaml_entry *entries; /* MAP, in the order written, keys unique */
    size_t count, capacity;
};

struct hf_yaml_entry {
    const char *key;
    struct hf_yaml_place place;
    struct hf_yaml *value; /* never NULL */
};

/* All return NULL or false when out of memory or over HF_CONFIG_NODES, which is then reported. */
HF_MUST_USE struct hf_yaml *hf_yaml_new(struct hf_load *load, enum hf_yaml_kind kind,
                                        struct hf_yaml_place place);
HF_MUST_USE struct hf_yaml *hf_yaml_scalar(struct hf_load *load, struct hf_yaml_place place,
                                           const char *text, enum hf_scalar_type type);
HF_MUST_USE bool hf_yaml_append(struct hf_load *load, struct hf_yaml *list, struct hf_yaml *item);
/* Puts an entry at the end; the caller has looked that the key is new. */
HF_MUST_USE bool hf_yaml_put(struct hf_load *load, struct hf_yaml *map, const char *key,
                             struct hf_yaml_place place, struct hf_yaml *value);
/* A deep copy. `depth` is that of the copy; one deeper than HF_CONFIG_DEPTH is an error. */
HF_MUST_USE struct hf_yaml *hf_yaml_copy(struct hf_load *load, const struct hf_yaml *node,
                                         unsigned depth);

/* NULL when absent, or when `map` is NULL or no map. */
struct hf_yaml_entry *hf_yaml_find(const struct hf_yaml *map, const char *key);
struct hf_yaml *hf_yaml_value(const struct hf_yaml *map, const char *key);

/* A null, or nothing at all. */
bool hf_yaml_is_null(const struct hf_yaml *node);
/* Nothing even where text is wanted: a null, but not that of a variable such as "#x". */
bool hf_yaml_is_empty(const struct hf_yaml *node);
/* What a string field takes: the text before substitution was read as YAML, else as written. NULL
 * for a list or map. */
const char *hf_yaml_string(const struct hf_yaml *node);
/* What was seen, for a message: the scalar's text, "a list", "a map". */
struct hf_shown hf_yaml_show(const struct hf_yaml *node);

struct hf_yaml_input {
    const char *text;
    size_t size;
    const char *file;
    /* Not NULL: a substituted value. All nodes are said to be there, and text that is no YAML is
     * not reported. */
    const struct hf_yaml_place *at;
};

/* Reads one document; an empty one is a null scalar. NULL: no YAML, reported with its place. */
HF_MUST_USE struct hf_yaml *hf_yaml_parse(struct hf_load *load, const struct hf_yaml_input *input);

/* Lays `over` on `base` (either may be a null scalar): maps merge, all else replaces. Keys with
 * "::" become nested maps. Both trees are used up. NULL: out of memory, reported. */
HF_MUST_USE struct hf_yaml *hf_yaml_merge(struct hf_load *load, struct hf_yaml *base,
                                          struct hf_yaml *over);

/* All sources and sets, merged. NULL: some could not be read, reported. */
HF_MUST_USE struct hf_yaml *hf_sources_read(struct hf_load *load);
/* A file's bytes with a NUL behind them, or NULL and a sentence without the name. */
HF_MUST_USE char *hf_sources_file(struct hf_load *load, const char *path, size_t *ret_size,
                                  const char **reterr);

/* Replaces every ${...} in the tree's values. */
void hf_expand(struct hf_load *load, struct hf_yaml *root);
