/* Converters that extract by patterns. */
#include <string.h>

#include "function.h"
#include "util/regex/regex.h"

static bool has_names(const struct hf_regex *regex)
{
    for (size_t group = 1; group <= hf_regex_group_count(regex); group++) {
        if (hf_regex_group_name(regex, group) != NULL) {
            return true;
        }
    }
    return false;
}

static bool put_groups(struct hf_ottl_run *run, const struct hf_regex *regex,
                       const struct hf_slice *groups, struct hf_ottl_pairs *pairs)
{
    for (size_t group = 1; group <= hf_regex_group_count(regex); group++) {
        const char *name = hf_regex_group_name(regex, group);
        struct hf_ottl_value text = hf_ottl_string(groups[group]);
        struct hf_slice encoded;
        if (name == NULL) {
            continue;
        }
        if (!hf_ottl_encode(run, &text, &encoded) ||
            !hf_ottl_pairs_put(run, pairs, hf_ottl_keep(run, hf_slice_text(name)), encoded)) {
            return false;
        }
    }
    return true;
}

static bool extract(struct hf_ottl_run *run, const struct hf_regex *regex, struct hf_slice text,
                    struct hf_ottl_value *ret_value)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    struct hf_ottl_pairs pairs;
    bool found;
    if (!has_names(regex)) {
        return hf_ottl_fail(run,
                            "at least 1 named capture group must be supplied in the given regex");
    }
    if (hf_regex_search(regex, text, 0, groups, &found) != HF_OK) {
        return hf_ottl_fail(run, "the pattern takes too many steps");
    }
    return hf_ottl_pairs_of(run, HF_EMPTY_SLICE, hf_regex_group_count(regex), &pairs) &&
           (!found || put_groups(run, regex, groups, &pairs)) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

static bool extract_patterns(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                             const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_regex *regex = hf_ottl_take_regex(run, call, 1, &arguments[1]);
    bool ok = regex != NULL && extract(run, regex, arguments[0].bytes, ret_value);
    hf_ottl_put_regex(call, 1, regex);
    return ok;
}

const struct hf_ottl_function hf_ottl_patterns[] = {
    {.name = "ExtractPatterns",
     .arguments = {{"target", HF_ARG_STRING}, {"pattern", HF_ARG_REGEX}},
     .run = extract_patterns},
    {.name = NULL},
};
