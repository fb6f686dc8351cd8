#include "filter.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/regex/regex.h"

enum { STRICT = 0, REGEXP };

const char *const host_match_types[] = {"strict", "regexp", NULL};

const struct hf_field host_match_cache_fields[] = {
    {.key = "cacheenabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct host_match_cache, enabled),
     .help = "Without effect."},
    {.key = "cachemaxnumentries",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct host_match_cache, entries),
     .min = 0,
     .max = 1e15,
     .help = "Without effect."},
    HF_FIELDS_END,
};

const char *host_match_check(const struct host_match *match)
{
    return match->names.count > 0 && !match->has_match_type
               ? "include and exclude lists need a match_type: strict or regexp"
               : NULL;
}

static enum hf_status compile(const struct host_match *match, struct hf_regex ***ret_patterns,
                              char *reterr)
{
    if (match->names.count == 0 || match->match_type == STRICT) {
        return HF_OK;
    }
    struct hf_regex **patterns = calloc(match->names.count, sizeof(struct hf_regex *));
    *ret_patterns = patterns;
    if (patterns == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    for (size_t i = 0; i < match->names.count; i++) {
        char why[HF_REGEX_ERROR_MAX];
        enum hf_status status = hf_regex_new(match->names.items[i], &patterns[i], why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "the pattern %.150s is not valid: %.200s",
                     match->names.items[i], status == HF_NOMEM ? "out of memory" : why);
            return status;
        }
    }
    return HF_OK;
}

enum hf_status host_filter_init(struct host_filter *filter, const struct host_match *include,
                                const struct host_match *exclude, char *reterr)
{
    *filter = (struct host_filter){.include = include, .exclude = exclude};
    enum hf_status status = compile(include, &filter->include_patterns, reterr);
    return status == HF_OK ? compile(exclude, &filter->exclude_patterns, reterr) : status;
}

static void release_patterns(const struct host_match *match, struct hf_regex **patterns)
{
    for (size_t i = 0; patterns != NULL && i < match->names.count; i++) {
        hf_regex_free(patterns[i]);
    }
    free(patterns);
}

void host_filter_release(struct host_filter *filter)
{
    release_patterns(filter->include, filter->include_patterns);
    release_patterns(filter->exclude, filter->exclude_patterns);
    *filter = (struct host_filter){0};
}

static bool matches(const struct host_match *match, struct hf_regex *const *patterns,
                    struct hf_slice name)
{
    bool found = false;
    for (size_t i = 0; i < match->names.count && !found; i++) {
        found = patterns != NULL ? hf_regex_matches(patterns[i], name)
                                 : hf_slice_is(name, match->names.items[i]);
    }
    return found;
}

static bool has_names(const struct host_match *match)
{
    return match != NULL && match->names.count > 0;
}

bool host_filter_takes(const struct host_filter *filter, struct hf_slice name)
{
    return (!has_names(filter->include) ||
            matches(filter->include, filter->include_patterns, name)) &&
           (!has_names(filter->exclude) ||
            !matches(filter->exclude, filter->exclude_patterns, name));
}
