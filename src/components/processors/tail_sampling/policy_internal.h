/*
 * policy_internal: what the files of the policies share.
 */
#pragma once

#include "policy.h"
#include "support/items/ottl_groups.h"

struct hf_regex;

struct policy {
    const struct hf_sampling_tail_policy_config *config;
    uint64_t bit, failed_bit;        /* failed: of ottl_condition */
    size_t first_group, group_count; /* ottl_condition: of the groups of all */
    uint64_t threshold, salt_hash;   /* probabilistic */
    unsigned codes;                  /* status_code: 1 << code */
    struct hf_regex **regex;         /* string_attribute, `count` of them */
    size_t regex_count;
    double tokens, burst, rate; /* rate_limiting: spans; bytes_limiting: bytes; a second */
    uint64_t filled_ns;
    bool is_filled;
    double share; /* in a composite: spans per second */
    double used;  /* of it, in `second` */
    uint64_t second;
    struct policy *inner; /* `inner_count` of them, in the order of asking */
    size_t inner_count;
};

struct hf_sampling_tail_policies {
    bool on_first_match, has_drop;
    struct hf_ottl_groups groups; /* of all policies */
    struct hf_ottl_run run;
    struct hf_ottl_watch *watch;
    bool no_memory;
    unsigned bit_count;
    struct policy *items;
    size_t count;
    struct policy *leaves[HF_TAIL_BITS_MAX]; /* those with a bit */
    size_t leaf_count;
};
