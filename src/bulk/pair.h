/*
 * pair: key and value of an attribute, inline for the form that nearly all have; attributes found
 * and written as JSON. Any thread; no state.
 */
#pragma once

#include "pdata/attributes.h"
#include "pdata/json_write.h"

/* As hf_attribute_read(). */
HF_MUST_USE static inline bool hf_bulk_pair_read(struct hf_slice pair, struct hf_slice *ret_key,
                                                 struct hf_slice *ret_value)
{
    const uint8_t *at = pair.data;
    const size_t head = 2; /* tag and length, a byte each */
    if (pair.size >= 2 * head && at[0] == 0x0a && at[1] < 0x80) {
        size_t key = at[1];
        if (pair.size >= 2 * head + key && at[head + key] == 0x12 &&
            at[head + key + 1] == pair.size - 2 * head - key && at[head + key + 1] < 0x80) {
            *ret_key = hf_slice_of(at + head, key);
            *ret_value = hf_slice_of(at + 2 * head + key, at[head + key + 1]);
            return true;
        }
    }
    return hf_attribute_read(pair, ret_key, ret_value);
}

/* The value of the attribute of that key among those of `owner`, its field `number`. False: it has
 * none. */
HF_MUST_USE bool hf_bulk_pair_find(struct hf_slice owner, uint32_t number, const char *key,
                                   struct hf_slice *ret_value);

/* A key with the map of all attributes behind it; nothing when there are none. */
void hf_bulk_pair_write_map(struct hf_json_writer *writer, const char *name, struct hf_slice owner,
                            uint32_t number);
