/*
 * hec_value: JSON values of events as attributes. No state; any thread.
 */
#pragma once

#include "pdata/any_make.h"
#include "json/json.h"

struct hf_bytes;

struct hf_hec_member {
    const struct hf_json *value;
    size_t at; /* its place in the text */
};

/* The members of a map in the order of their keys, each key once: the last one counts. The list is
 * in the arena. False: the arena is full. */
HF_MUST_USE bool hf_hec_members(const struct hf_json *map, struct hf_arena *arena,
                                struct hf_hec_member **ret_members, size_t *ret_count);

/* Does a double hold it? */
bool hf_hec_is_exact(int64_t integer);

/* The bytes of an AnyValue. Numbers are doubles, as in the Go collector, but for whole ones that a
 * double cannot hold. */
struct hf_slice hf_hec_value(struct hf_any_maker *maker, const struct hf_json *value);

/* Appends the value as Go prints it: "1.5", "1e+06", "true", "[a b]". */
HF_MUST_USE enum hf_status hf_hec_print(const struct hf_json *value, struct hf_bytes *text);
