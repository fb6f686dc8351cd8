/*
 * actions_internal: a compiled list of actions, for the files that compile and run it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/meta.h>

#include "actions.h"
#include "pdata/any.h"

struct hf_regex;

/* In the order of the names in hf_action_fields. */
enum hf_action_kind {
    HF_ACTION_INSERT = 0,
    HF_ACTION_UPDATE,
    HF_ACTION_UPSERT,
    HF_ACTION_DELETE,
    HF_ACTION_HASH,
    HF_ACTION_EXTRACT,
    HF_ACTION_CONVERT
};

struct hf_action {
    enum hf_action_kind kind;
    bool has_key, has_source;
    struct hf_slice key;
    struct hf_regex *regex;         /* NULL: none */
    struct hf_slice value;          /* of an AnyValue; without data: none was given */
    struct hf_slice fallback;       /* likewise */
    struct hf_slice from_attribute; /* without data: none */
    size_t source;                  /* with has_source: index into `sources` */
    enum hf_any_type to;            /* convert */
};

/* A value of the client's context. */
struct hf_source {
    enum hf_meta_kind kind;
    const char *key; /* lower case for headers */
};

struct hf_actions {
    struct hf_action *items;
    size_t count;
    struct hf_source *sources;
    size_t source_count;
    const char **keys; /* what receivers must keep for the sources */
    size_t key_count;
    struct hf_arena arena;
};
