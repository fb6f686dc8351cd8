/*
 * filter: the include and exclude lists of the scrapers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/component.h>

struct hf_regex;

/* {devices: [...], match_type: strict|regexp}. */
struct host_match {
    struct hf_string_list names;
    int64_t match_type; /* index into host_match_types */
    bool has_match_type;
    struct host_match_cache {
        bool enabled;
        int64_t entries;
    } cache;
};

extern const char *const host_match_types[];
extern const struct hf_field host_match_cache_fields[];

/* The fields of a struct host_match whose list is called `key`. */
#define HOST_MATCH_FIELDS(key_)                                                                    \
    {.key = (key_),                                                                                \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = offsetof(struct host_match, names),                                                 \
     .help = "Names or patterns."},                                                                \
        {.key = "match_type",                                                                      \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = offsetof(struct host_match, match_type),                                        \
         .present_offset = offsetof(struct host_match, has_match_type),                            \
         .choices = host_match_types,                                                              \
         .help = "strict: the whole name; regexp: a pattern that matches anywhere in it."},        \
        {.key = "regexp",                                                                          \
         .type = HF_FIELD_STRUCT,                                                                  \
         .offset = offsetof(struct host_match, cache),                                             \
         .inner = host_match_cache_fields,                                                         \
         .help = "Accepted: patterns are matched without a cache here."},                          \
        HF_FIELDS_END

/* NULL, or a sentence: a list needs a match_type. */
const char *host_match_check(const struct host_match *match);

/* One dimension: names that are taken. Zeroed: all of them. */
struct host_filter {
    const struct host_match *include, *exclude; /* borrowed */
    struct hf_regex **include_patterns, **exclude_patterns;
};

/* HF_INVALID or HF_NOMEM with a sentence. Release it also on failure. */
HF_MUST_USE enum hf_status host_filter_init(struct host_filter *filter,
                                            const struct host_match *include,
                                            const struct host_match *exclude, char *reterr);
void host_filter_release(struct host_filter *filter);

HF_MUST_USE bool host_filter_takes(const struct host_filter *filter, struct hf_slice name);
