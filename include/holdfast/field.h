/*
 * field: one configuration key of a component. The table of fields is the one source for parsing,
 * defaults, unknown-key errors, `holdfast components --docs` and the reference page.
 *
 * The loader allocates a zeroed struct of the component's `config_size`, writes each field's
 * preset, then what the user wrote, at `offset`. All memory belongs to the configuration and lives
 * until it is released; components borrow it. Immutable after loading; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* What stands at `offset`. */
enum hf_field_type {
    HF_FIELD_END = 0,
    HF_FIELD_BOOL,        /* bool */
    HF_FIELD_INT,         /* int64_t, within min..max */
    HF_FIELD_DOUBLE,      /* double, within min..max */
    HF_FIELD_STRING,      /* const char *; NULL when absent and without preset */
    HF_FIELD_SECRET,      /* const char *; printed as [REDACTED] */
    HF_FIELD_DURATION,    /* uint64_t nanoseconds; text as Go's durations; a bare integer is
                             nanoseconds */
    HF_FIELD_BYTES,       /* uint64_t; an integer, or text such as 512MiB, 20GiB, 64KB */
    HF_FIELD_ENUM,        /* int64_t, index into `choices`; case-insensitive */
    HF_FIELD_STRING_LIST, /* struct hf_string_list; a plain string is split at commas */
    HF_FIELD_MAP,         /* struct hf_string_map: text to text, also a list of {name, value} */
    HF_FIELD_STRUCT,      /* the inner struct itself, by `inner`; absent: defaults only */
    HF_FIELD_OPTIONAL,    /* pointer to the inner struct: NULL when absent or null */
    HF_FIELD_STRUCT_LIST, /* struct hf_struct_list of inner structs of `inner_size` */
    HF_FIELD_STRUCT_MAP, /* struct hf_struct_map: keys chosen by the user, each with an inner struct
                          */
    HF_FIELD_VALUE,      /* struct hf_value: anything, with its YAML types kept */
    HF_FIELD_REF,        /* const char *: the id of an extension; checked to exist and to be in
                            service.extensions */
    HF_FIELD_IGNORED,    /* any YAML, accepted without effect; a line in the log says `help` */
};

struct hf_string_list {
    const char *const *items;
    size_t count;
};

static inline bool hf_string_list_has(const struct hf_string_list *list, struct hf_slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (hf_slice_is(text, list->items[i])) {
            return true;
        }
    }
    return false;
}

struct hf_string_pair {
    const char *key, *value;
};

struct hf_string_map {
    const struct hf_string_pair *items; /* in the order written */
    size_t count;
};

struct hf_struct_list {
    const void *items; /* array of the inner struct */
    size_t count;
};

struct hf_struct_map {
    const char *const *keys;
    const void *items; /* array of the inner struct, in the order of `keys` */
    size_t count;
};

enum hf_value_type {
    HF_VALUE_NONE = 0,
    HF_VALUE_STRING,
    HF_VALUE_INT,
    HF_VALUE_DOUBLE,
    HF_VALUE_BOOL,
    HF_VALUE_LIST,
    HF_VALUE_MAP
};

#define HF_VALUE_DEPTH_MAX 16u /* lists and maps within each other */

struct hf_value {
    enum hf_value_type type; /* NONE: absent or null */
    const char *string;      /* the text as written, of every scalar */
    int64_t integer;
    double number;
    bool boolean;
    const struct hf_value *items; /* LIST, MAP: `count` of them, in the order written */
    const char *const *keys;      /* MAP */
    size_t count;
};

/* One key. Members that do not concern its type are zero. */
struct hf_field {
    const char *key;
    enum hf_field_type type;
    size_t offset;
    const char *default_text;     /* the default as a user would write it; NULL: zero / absent */
    double min, max;              /* INT, DOUBLE, DURATION (ns), BYTES; both 0: no bounds */
    const char *const *choices;   /* ENUM; STRING_LIST, exactly so, or NULL. NULL-terminated */
    const struct hf_field *inner; /* STRUCT, OPTIONAL, STRUCT_LIST, STRUCT_MAP */
    size_t inner_size;            /* OPTIONAL, STRUCT_LIST, STRUCT_MAP */
    size_t present_offset; /* non-zero: a bool there becomes true when the user wrote the key */
    bool required;         /* absent is an error */
    bool null_enables;     /* OPTIONAL: written with nothing behind it, it is there with defaults */
    bool is_secret;        /* not SECRET by its type; printed as [REDACTED], as are its items */
    bool is_refs;          /* STRING_LIST: each item is like a REF */
    /* STRUCT_MAP, directly in a component: the keys are ids of receivers, and the inner key
     * `config` is the configuration of one, in which texts may have expressions in backticks. What
     * has none is checked at load. */
    bool is_templates;
    /* STRING, and each entry of MAP: NULL for a good text, else what was expected instead. */
    const char *(*validate)(const char *key, const char *text);
    const char *const
        *old_keys;    /* deprecated spellings, NULL-terminated; accepted with a warning */
    const char *help; /* one line */
};

#define HF_FIELDS_END                                                                              \
    {                                                                                              \
        .type = HF_FIELD_END                                                                       \
    }
