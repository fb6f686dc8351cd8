/*
 * path_internal: a compiled path, for path.c, path_get.c and path_set.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"
#include "schema.h"

/* How a path gets at its value. */
enum hf_path_access {
    HF_ACCESS_SCALAR = 0,
    HF_ACCESS_ID,
    HF_ACCESS_ID_TEXT,
    HF_ACCESS_ATTRIBUTES,
    HF_ACCESS_VALUE,      /* an AnyValue: the body */
    HF_ACCESS_VALUE_TEXT, /* body.string */
    HF_ACCESS_STATE,      /* trace_state["k"] */
    HF_ACCESS_KIND,       /* kind.string */
    HF_ACCESS_OLD_KIND,   /* kind.deprecated_string */
    HF_ACCESS_TYPE,       /* metric.type */
    HF_ACCESS_CHOICE,     /* a member of a oneof, 0 when another one is there */
    HF_ACCESS_NUMBERS,    /* a repeated number */
    HF_ACCESS_OBJECT,     /* a message, or several */
    HF_ACCESS_EVENT_INDEX,
    HF_ACCESS_UNSCANNED_TEXT,  /* a string that no scan has looked at */
    HF_ACCESS_TABLE_TEXT,      /* by its place in the dictionary of profiles */
    HF_ACCESS_TABLE_ATTRIBUTES /* by their places there */
};

/* Which message has the field. */
enum hf_path_base {
    HF_BASE_OWN = 0, /* what the context is named after */
    HF_BASE_GROUP,   /* ResourceSpans, ScopeLogs, ...: beside the resource or scope */
    HF_BASE_DATA     /* of a metric */
};

struct hf_path_row {
    enum hf_path_context context;
    const char *name; /* "status.code" */
    enum hf_path_kind kind;
    enum hf_path_access access;
    enum hf_path_base base;
    const char *outer; /* the field that holds the message with `field`; NULL: none */
    const char *field; /* as in the schema; NULL: none */
};

struct hf_path {
    const struct hf_path_row *row;
    /* By the index of the message that has it: the field's number, 0: it has no such field. */
    uint8_t outer[HF_SCHEMA_MESSAGE_COUNT], number[HF_SCHEMA_MESSAGE_COUNT];
    size_t key_count;
    struct hf_any_key keys[]; /* their texts behind them */
};

bool hf_path_row_takes_keys(const struct hf_path_row *row);

/* A path that is got or set. */
struct hf_path_use {
    const struct hf_path *path;
    const struct hf_place *place;
    const struct hf_any_key *keys;
    size_t key_count;
    char *reterr;
};

/*
 * The message that has the field, and the field's number. `ret_message` is NULL when the message is
 * not there, the number 0 when such an item has no such field.
 */
uint32_t hf_path_owner(const struct hf_path *path, const struct hf_place *place, bool made,
                       struct hf_message **ret_message);
/* What is read of a message that is not there: as of an empty one. */
struct hf_any hf_path_absent_value(const struct hf_path *path);
/* Is the first key a text? Or else that is said. */
bool hf_path_is_key_of_map(const struct hf_path_use *use);
HF_MUST_USE enum hf_status hf_path_check_keys(const struct hf_path *path, size_t count,
                                              char *reterr);

#define HF_PATH_KIND_COUNT 6u /* of spans */
const char *hf_path_kind_text(enum hf_path_access access, size_t kind);
