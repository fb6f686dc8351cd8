/*
 * value: what an expression of OTTL yields. Its bytes belong to the document, the program or the
 * run's scratch memory, and live as long as that. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/any.h"
#include "pdata/any_make.h"

struct hf_message;
struct hf_ottl_run;

enum hf_ottl_type {
    HF_OTTL_NIL = 0,
    HF_OTTL_STRING,
    HF_OTTL_INT,
    HF_OTTL_DOUBLE,
    HF_OTTL_BOOL,
    HF_OTTL_BYTES,
    HF_OTTL_MAP,  /* `bytes`: the content of a KeyValueList */
    HF_OTTL_LIST, /* of an ArrayValue */
    HF_OTTL_TIME, /* `integer`: Unix nanoseconds */
    HF_OTTL_DURATION,
    HF_OTTL_TRACE_ID,
    HF_OTTL_SPAN_ID,
    HF_OTTL_PROFILE_ID,
    HF_OTTL_OBJECTS /* `owner` and its field `number` */
};

struct hf_ottl_value {
    enum hf_ottl_type type;
    union {
        int32_t offset_s; /* TIME: of its zone, east of UTC */
        uint32_t number;  /* OBJECTS */
    };
    union {
        int64_t integer; /* INT, TIME, DURATION; BOOL: 0 or 1 */
        double real;     /* DOUBLE */
        struct hf_message *owner;
    };
    struct hf_slice bytes;
};

static inline struct hf_ottl_value hf_ottl_nil(void)
{
    return (struct hf_ottl_value){.type = HF_OTTL_NIL};
}

static inline struct hf_ottl_value hf_ottl_string(struct hf_slice text)
{
    return (struct hf_ottl_value){.type = HF_OTTL_STRING, .bytes = text};
}

static inline struct hf_ottl_value hf_ottl_int(int64_t integer)
{
    return (struct hf_ottl_value){.type = HF_OTTL_INT, .integer = integer};
}

static inline struct hf_ottl_value hf_ottl_double(double real)
{
    return (struct hf_ottl_value){.type = HF_OTTL_DOUBLE, .real = real};
}

static inline struct hf_ottl_value hf_ottl_bool(bool boolean)
{
    return (struct hf_ottl_value){.type = HF_OTTL_BOOL, .integer = boolean};
}

static inline struct hf_ottl_value hf_ottl_of(enum hf_ottl_type type, struct hf_slice bytes)
{
    return (struct hf_ottl_value){.type = type, .bytes = bytes};
}

/* "string", "int64", ..., as messages name it. */
const char *hf_ottl_type_name(enum hf_ottl_type type);

struct hf_ottl_value hf_ottl_from_any(const struct hf_any *any);
/* False: no attribute can hold it (a time, an id). */
HF_MUST_USE bool hf_ottl_to_any(const struct hf_ottl_value *value, struct hf_any *ret_any);

enum hf_ottl_comparison {
    HF_OTTL_EQUAL = 0,
    HF_OTTL_UNEQUAL,
    HF_OTTL_LESS,
    HF_OTTL_AT_MOST,
    HF_OTTL_MORE,
    HF_OTTL_AT_LEAST
};

bool hf_ottl_compare(const struct hf_ottl_value *a, const struct hf_ottl_value *b,
                     enum hf_ottl_comparison comparison);

/* Texts of Go's strconv: ParseInt with base 10, ParseFloat, ParseBool. False: not such a text. */
HF_MUST_USE bool hf_ottl_read_int(struct hf_slice text, unsigned base, int64_t *ret_integer);
HF_MUST_USE bool hf_ottl_read_double(struct hf_slice text, double *ret_real);
HF_MUST_USE bool hf_ottl_read_bool(struct hf_slice text, bool *ret_boolean);

/* Go's ParseDuration. */
HF_MUST_USE bool hf_ottl_read_duration(struct hf_slice text, int64_t *ret_ns);
