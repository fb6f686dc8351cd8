/*
 * thrift: reads Apache Thrift's binary and compact protocols, value by value, by a cursor that
 * carries its end. Nothing here knows a schema.
 *
 * A struct is read field by field until hf_thrift_field() yields HF_THRIFT_STOP; what is not
 * wanted is skipped. The first fault is kept in `failed`: all that is read afterwards is empty, so
 * a caller may ask once. Slices point into what is read. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

/* The type numbers of the binary protocol, for both. */
enum hf_thrift_type {
    HF_THRIFT_STOP = 0,
    HF_THRIFT_BOOL = 2,
    HF_THRIFT_BYTE = 3,
    HF_THRIFT_DOUBLE = 4,
    HF_THRIFT_I16 = 6,
    HF_THRIFT_I32 = 8,
    HF_THRIFT_I64 = 10,
    HF_THRIFT_BYTES = 11, /* string or binary */
    HF_THRIFT_STRUCT = 12,
    HF_THRIFT_MAP = 13,
    HF_THRIFT_SET = 14,
    HF_THRIFT_LIST = 15,
};

#define HF_THRIFT_DEPTH_MAX 32u

struct hf_thrift {
    const uint8_t *at, *end;
    bool is_compact;
    bool failed;
    bool has_bool, boolean; /* compact: the value of a field of type bool is in its header */
};

struct hf_thrift_field {
    enum hf_thrift_type type;
    int16_t id;
};

static inline struct hf_thrift hf_thrift_of(struct hf_slice bytes, bool is_compact)
{
    const uint8_t *end = bytes.size == 0 ? bytes.data : bytes.data + bytes.size;
    return (struct hf_thrift){.at = bytes.data, .end = end, .is_compact = is_compact};
}

/* The next field of a struct; `last_id` is 0 before the first and belongs to the struct. The type
 * STOP: there is none, or reading has failed. */
struct hf_thrift_field hf_thrift_field(struct hf_thrift *thrift, int16_t *last_id);

/* The header of a list or set. Elements never outnumber the bytes that are left. */
uint32_t hf_thrift_list(struct hf_thrift *thrift, enum hf_thrift_type *ret_type);

bool hf_thrift_bool(struct hf_thrift *thrift);
int64_t hf_thrift_i16(struct hf_thrift *thrift);
int64_t hf_thrift_i32(struct hf_thrift *thrift);
int64_t hf_thrift_i64(struct hf_thrift *thrift);
double hf_thrift_double(struct hf_thrift *thrift);
struct hf_slice hf_thrift_bytes(struct hf_thrift *thrift);

void hf_thrift_skip(struct hf_thrift *thrift, enum hf_thrift_type type);

struct hf_thrift_message {
    struct hf_slice name;
    uint8_t kind; /* 1 call, 2 reply, 3 exception, 4 oneway */
    int32_t sequence;
};

/* The header of a call. */
struct hf_thrift_message hf_thrift_message(struct hf_thrift *thrift);
