/*
 * carbon: one line of Graphite's plaintext protocol, `path value time`, where the path may have
 * tags: `name;tag=value;tag=value`. Texts point into the line. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_CARBON_TAGS_MAX 128u

struct hf_carbon_line {
    struct hf_slice path;
    bool is_integer;
    int64_t integer;
    double number; /* when it is no integer */
    bool has_time; /* false: the time of arrival is meant */
    uint64_t time_ns;
};

/* NULL, or what is wrong, in a few words. */
const char *hf_carbon_read(struct hf_slice text, struct hf_carbon_line *ret_line);

struct hf_carbon_tag {
    struct hf_slice key, value;
};

struct hf_carbon_path {
    struct hf_slice name;
    struct hf_carbon_tag tags[HF_CARBON_TAGS_MAX]; /* of a tag that is there twice the last one */
    size_t tag_count;
};

/* Likewise. */
const char *hf_carbon_split(struct hf_slice path, struct hf_carbon_path *ret_path);
/* Sets it, also in place of one of that key. False: there is no room. */
bool hf_carbon_set(struct hf_carbon_path *path, struct hf_slice key, struct hf_slice value);
