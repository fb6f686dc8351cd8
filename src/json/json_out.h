/*
 * json_out: JSON text written to a stream, member by member.
 *
 * The writer keeps no tree and allocates nothing: the caller opens and closes maps and lists in
 * order. Errors are for ferror() of the stream. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <holdfast/slice.h>

struct hf_json_out {
    FILE *out;
    bool has_one; /* a member or element stands before the next one */
};

/* `key` NULL: the value is an element of a list, or the whole text. */
void hf_json_out_map(struct hf_json_out *json, const char *key);
void hf_json_out_end_map(struct hf_json_out *json);
void hf_json_out_list(struct hf_json_out *json, const char *key);
void hf_json_out_end_list(struct hf_json_out *json);

/* What a JSON text cannot hold is escaped; NULL: null. */
void hf_json_out_text(struct hf_json_out *json, const char *key, const char *text);
void hf_json_out_slice(struct hf_json_out *json, const char *key, struct hf_slice text);
void hf_json_out_number(struct hf_json_out *json, const char *key, uint64_t number);
void hf_json_out_integer(struct hf_json_out *json, const char *key, int64_t number);
/* With at most 15 significant digits; infinity and not-a-number: null. */
void hf_json_out_double(struct hf_json_out *json, const char *key, double number);
void hf_json_out_bool(struct hf_json_out *json, const char *key, bool truth);
/* Nanoseconds as seconds, exactly. */
void hf_json_out_seconds(struct hf_json_out *json, const char *key, uint64_t time_ns);
/* The key alone: the caller writes its value to `out`. */
void hf_json_out_key(struct hf_json_out *json, const char *key);
/* JSON text that is made already, and is not empty. */
void hf_json_out_made(struct hf_json_out *json, const char *key, struct hf_slice text);
