/*
 * json: JSON text read into small trees, whole or as it streams in.
 *
 * A value is immutable; it and its texts live in the arena that it was read into. Of a key that is
 * there twice the last one counts.  Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

enum hf_json_kind {
    HF_JSON_NULL = 0,
    HF_JSON_BOOL,
    HF_JSON_INT,    /* a number without fraction and exponent that fits int64_t */
    HF_JSON_DOUBLE, /* any other number */
    HF_JSON_STRING,
    HF_JSON_LIST,
    HF_JSON_MAP
};

struct hf_json {
    enum hf_json_kind kind;
    struct hf_slice key;        /* of a member of a map */
    const struct hf_json *next; /* the sibling behind it; NULL: the last */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct hf_slice text;        /* STRING; ends with a NUL that is not counted */
        const struct hf_json *first; /* LIST, MAP; NULL: empty */
    };
};

#define HF_JSON_DEPTH_MAX 64u

/* ---- reading a tree; NULL is the value that is not there ---- */

/* The member of that key; NULL: none, or `value` is no map. */
const struct hf_json *hf_json_get(const struct hf_json *value, const char *key);
/* Through maps: the keys of the way, the last one NULL. */
const struct hf_json *hf_json_at(const struct hf_json *value, const char *const *keys);
/* The first element or member; NULL: none, or neither list nor map. */
const struct hf_json *hf_json_first(const struct hf_json *value);

/* The text of a STRING; empty for all else. */
struct hf_slice hf_json_text(const struct hf_json *value);
/* The text of the member of that key; empty when there is none. */
struct hf_slice hf_json_text_of(const struct hf_json *value, const char *key);
/* Of INT and DOUBLE; 0 for all else. */
int64_t hf_json_int(const struct hf_json *value);
bool hf_json_bool(const struct hf_json *value);

/* ---- one whole text ---- */

#define HF_JSON_ERROR_MAX 256

/* HF_INVALID with one sentence in `reterr` (HF_JSON_ERROR_MAX); HF_TOO_LARGE: the arena's limit. */
HF_MUST_USE enum hf_status hf_json_read(struct hf_slice text, struct hf_arena *arena,
                                        const struct hf_json **ret_value, char *reterr);

/* ---- a stream ---- */

struct hf_json_stream;

struct hf_json_stream_options {
    /*
     * NULL: the text is any number of values, one after another, each of which is shown. Else it is
     * one map, of which the elements of the list `each` are shown one by one, and in the end the
     * map without them.
     */
    const char *each;
    size_t value_bytes_max; /* text of one value that is shown, and of one piece that is fed */
    /* The value is valid during the call. False ends the reading: HF_CLOSED. */
    bool (*show)(void *user, const struct hf_json *value, bool is_element);
    void *user;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_json_stream_new(const struct hf_json_stream_options *options,
                                              struct hf_json_stream **ret_stream);
/* HF_INVALID, HF_TOO_LARGE, HF_CLOSED: nothing may be fed any more; hf_json_stream_error(). */
HF_MUST_USE enum hf_status hf_json_stream_feed(struct hf_json_stream *stream,
                                               struct hf_slice bytes);
/* The text is at its end. HF_INVALID: in the middle of a value. */
HF_MUST_USE enum hf_status hf_json_stream_end(struct hf_json_stream *stream);
/* One sentence about what failed. */
const char *hf_json_stream_error(const struct hf_json_stream *stream);
void hf_json_stream_free(struct hf_json_stream *stream);
