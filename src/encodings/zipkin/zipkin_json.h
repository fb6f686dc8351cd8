/*
 * zipkin_json: single values of Zipkin's JSON, of both versions. Owned by the call.
 */
#pragma once

#include "zipkin_reading.h"
#include "json/json.h"

/*
 * Reads the elements of the list that is the text, one tree each, and hands each to `read`; null
 * elements are skipped.
 */
HF_MUST_USE enum hf_status hf_zipkin_each_json(
    struct hf_zipkin_reading *reading, struct hf_slice text,
    enum hf_status (*read)(struct hf_zipkin_reading *reading, const struct hf_json *span));

/* A string; null is an empty one. HF_INVALID: another kind. */
HF_MUST_USE enum hf_status hf_zipkin_json_text(struct hf_zipkin_reading *reading,
                                               const struct hf_json *value, const char *what,
                                               struct hf_slice *ret_text);
/* A whole number that is not negative; null is 0. */
HF_MUST_USE enum hf_status hf_zipkin_json_whole(struct hf_zipkin_reading *reading,
                                                const struct hf_json *value, const char *what,
                                                uint64_t most, uint64_t *ret_number);
/* Elements or members. */
size_t hf_zipkin_json_count(const struct hf_json *value);
/* Hex digits into the end of `ret_id`, of which there are at most twice `size`. */
HF_MUST_USE bool hf_zipkin_json_id(struct hf_slice text, uint8_t *ret_id, size_t size);
/* An endpoint; null is none, an empty one. With `checks`, addresses must be some and are written in
 * their one form. */
HF_MUST_USE enum hf_status hf_zipkin_json_endpoint(struct hf_zipkin_reading *reading,
                                                   const struct hf_json *value, bool checks,
                                                   struct hf_zipkin_endpoint *ret_endpoint);
