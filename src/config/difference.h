/*
 * difference: what the parts of `holdfast diff` share. Main thread.
 */
#pragma once

#include "check.h"
#include "tree.h"

/* Two values of one key; either may be NULL. */
struct hf_config_pair {
    const struct hf_yaml *before, *after;
};

/* The keys that differ, written with commas between. */
struct hf_key_list {
    FILE *out;
    size_t count;
};

/* Null and absent are the same; the order of keys does not count. */
bool hf_config_same_tree(const struct hf_yaml *a, const struct hf_yaml *b);

/*
 * Adds the keys of two maps whose values mean something else: an absent key is its default, an old
 * spelling the new one, 60s is 1m, and a key without effect does not count.
 */
void hf_config_compare(const struct hf_field *fields, struct hf_config_pair maps,
                       const struct hf_key_path *path, struct hf_key_list *keys);

/* Prints a line for each exporter or queued part of each queue: it keeps its place, is new, or
 * leaves its backlog. */
void hf_config_compare_queues(const struct hf_config *before, const struct hf_config *after,
                              FILE *out);
