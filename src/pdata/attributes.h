/*
 * attributes: the attributes of one resource, span, data point or log record, as a list to look up
 * and to change. Keys and values are slices: of the request's bytes, of a configuration, or of
 * memory that the list lends and that lives until the next hf_attributes_read().
 *
 * A key should be there once. Where it is there more often, the first one counts, and changing or
 * removing it removes the others: what was to be hidden does not shine through.
 *
 * Owned by one thread: {.arena.limit = bytes} at first, hf_attributes_release() at last; or, with
 * the memory of another, {.lender = arena}: nothing is to be released then, and what it lends lives
 * as long as that. When memory runs out the list notes it (`failed`) and stays as it is: ask once
 * at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "wire.h"

struct hf_attribute {
    struct hf_slice key;
    struct hf_slice value; /* the bytes of its AnyValue */
    struct hf_slice whole; /* the field that came, tag and all; empty when it was added */
    bool changed;          /* `value` is another than in `whole` */
};

struct hf_attributes {
    struct hf_attribute *items;
    size_t count, capacity;
    bool changed; /* since it was read */
    bool failed;
    bool is_scattered;             /* other fields stand among them */
    struct hf_slice before, after; /* what stands around them in their owner, unless scattered */
    struct hf_arena arena;
    struct hf_arena *lender; /* NULL: `arena` */
};

/* Reads the field `number` of `owner`. False: the bytes are malformed. */
HF_MUST_USE bool hf_attributes_read(struct hf_attributes *attributes, struct hf_slice owner,
                                    uint32_t number);
void hf_attributes_release(struct hf_attributes *attributes);

/* NULL: not there. Valid until the list changes. */
const struct hf_attribute *hf_attributes_find(const struct hf_attributes *attributes,
                                              struct hf_slice key);

/* Changes or adds. `key` and `value` are borrowed until the next read. */
void hf_attributes_set(struct hf_attributes *attributes, struct hf_slice key,
                       struct hf_slice value);
void hf_attributes_remove(struct hf_attributes *attributes, struct hf_slice key);

/* The bytes of an AnyValue, in memory of the list; empty when it has failed. */
struct hf_slice hf_attributes_string(struct hf_attributes *attributes, struct hf_slice text);
struct hf_slice hf_attributes_int(struct hf_attributes *attributes, int64_t integer);
struct hf_slice hf_attributes_double(struct hf_attributes *attributes, double number);

/* Removes all. */
void hf_attributes_clear(struct hf_attributes *attributes);

/* Writes the list as fields `number`. What did not change is written as it came. */
void hf_attributes_write(const struct hf_attributes *attributes, uint32_t number,
                         struct hf_wire_writer *writer);

/* The key and the value (the bytes of its AnyValue) of a KeyValue; of several the last. False: the
 * bytes are malformed. */
HF_MUST_USE bool hf_attribute_read(struct hf_slice pair, struct hf_slice *ret_key,
                                   struct hf_slice *ret_value);

/*
 * Looks one attribute up without reading the list: of the message `owner`, whose attributes are the
 * field `number`. False when there is none. `ret_value` is the bytes of its AnyValue.
 */
HF_MUST_USE bool hf_attribute_of(struct hf_slice owner, uint32_t number, struct hf_slice key,
                                 struct hf_slice *ret_value);

/*
 * Likewise, but only where all pairs up to that one are plain: key and value once each, in that
 * order and short. UNKNOWN: some pair is not, or the bytes are malformed; the list tells then.
 */
enum hf_attribute_found { HF_ATTRIBUTE_ABSENT = 0, HF_ATTRIBUTE_THERE, HF_ATTRIBUTE_UNKNOWN };
HF_MUST_USE enum hf_attribute_found hf_attribute_peek(struct hf_slice owner, uint32_t number,
                                                      struct hf_slice key,
                                                      struct hf_slice *ret_value);
