/* The converter ExtractGrokPatterns. */
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "grok.h"
#include "util/regex/regex.h"

enum { TARGET, PATTERN, ONLY_NAMED, DEFINITIONS };

#define DEFINITIONS_MAX 200u

static enum hf_status make(const struct hf_ottl_call *call, struct hf_slice pattern,
                           struct hf_grok **ret_grok, char *reterr)
{
    struct hf_slice texts[DEFINITIONS_MAX];
    struct hf_grok_definitions definitions = {.items = texts};
    const struct hf_ottl_node *list = call->nodes[DEFINITIONS];
    bool only_named = hf_ottl_literal_int(call, ONLY_NAMED, 0) != 0;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        texts[definitions.count++] = list->items[i]->value.bytes;
    }
    enum hf_status status = hf_grok_new(pattern, only_named, &definitions, ret_grok, reterr);
    if (status == HF_OK && only_named && !hf_grok_has_names(*ret_grok)) {
        hf_grok_free(*ret_grok);
        *ret_grok = NULL;
        snprintf(reterr, HF_ERROR_MAX,
                 "at least 1 named capture group must be supplied in the given regex");
        return HF_INVALID;
    }
    return status;
}

static bool value_of(struct hf_ottl_run *run, struct hf_slice text, enum hf_grok_type type,
                     struct hf_ottl_value *ret_value)
{
    static const enum hf_ottl_argument_kind kinds[] = {[HF_GROK_INT] = HF_ARG_INT_LIKE,
                                                       [HF_GROK_DOUBLE] = HF_ARG_DOUBLE_LIKE,
                                                       [HF_GROK_BOOL] = HF_ARG_BOOL_LIKE};
    *ret_value = hf_ottl_string(text);
    if (type == HF_GROK_UNKNOWN) {
        return hf_ottl_fail(run, "a type of the pattern is none of string, int, long, float, "
                                 "double, bool and boolean");
    }
    return type == HF_GROK_STRING ? hf_ottl_mend_text(run, text, ret_value)
                                  : hf_ottl_convert(run, kinds[type], ret_value);
}

static bool put_groups(struct hf_ottl_run *run, const struct hf_grok *grok,
                       const struct hf_slice *groups, struct hf_ottl_pairs *pairs)
{
    for (size_t group = 1; group <= hf_regex_group_count(hf_grok_regex(grok)); group++) {
        enum hf_grok_type type;
        const char *name = hf_grok_name(grok, group, &type);
        struct hf_ottl_value value;
        struct hf_slice encoded;
        if (name == NULL || groups[group].size == 0) {
            continue;
        }
        if (!value_of(run, groups[group], type, &value) || !hf_ottl_encode(run, &value, &encoded) ||
            !hf_ottl_pairs_put(run, pairs, hf_ottl_keep(run, hf_slice_text(name)), encoded)) {
            return false;
        }
    }
    return !run->no_memory || hf_ottl_no_memory(run);
}

static bool extract(struct hf_ottl_run *run, const struct hf_grok *grok, struct hf_slice text,
                    struct hf_ottl_value *ret_value)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    struct hf_ottl_pairs pairs;
    bool found;
    if (hf_regex_search(hf_grok_regex(grok), text, 0, groups, &found) != HF_OK) {
        return hf_ottl_fail(run, "the pattern takes too many steps");
    }
    return hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &pairs) &&
           (!found || put_groups(run, grok, groups, &pairs)) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

static bool extract_grok_patterns(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                  const struct hf_ottl_value *arguments,
                                  struct hf_ottl_value *ret_value)
{
    struct hf_grok *grok = call->prepared;
    char reterr[HF_ERROR_MAX] = "";
    if (grok == NULL) {
        enum hf_status status = make(call, arguments[PATTERN].bytes, &grok, reterr);
        if (status != HF_OK) {
            return status == HF_INVALID ? hf_ottl_fail(run, "the pattern: %s", reterr)
                                        : hf_ottl_no_memory(run);
        }
    }
    bool ok = extract(run, grok, arguments[TARGET].bytes, ret_value);
    if (grok != call->prepared) {
        hf_grok_free(grok);
    }
    return ok;
}

static enum hf_status check_definition(struct hf_slice text, struct hf_ottl_fault *fault, size_t at)
{
    const uint8_t *found = memchr(text.data, '=', text.size);
    if (found == NULL) {
        return hf_ottl_refuse(fault, at,
                              "a pattern definition has the form PATTERNNAME=pattern definition");
    }
    return memchr(text.data, ':', (size_t)(found - text.data)) == NULL
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the name of a pattern has no ':'");
}

static void unprepare(void *prepared)
{
    hf_grok_free(prepared);
}

static enum hf_status check_grok(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    const struct hf_ottl_node *list = call->nodes[DEFINITIONS];
    const struct hf_ottl_value *pattern = hf_ottl_literal(call, PATTERN);
    struct hf_grok *grok = NULL;
    char reterr[HF_ERROR_MAX] = "";
    enum hf_status status = HF_OK;
    if (list != NULL && list->count > DEFINITIONS_MAX) {
        return hf_ottl_refuse(fault, at, "more than %u pattern definitions", DEFINITIONS_MAX);
    }
    for (size_t i = 0; status == HF_OK && list != NULL && i < list->count; i++) {
        status = check_definition(list->items[i]->value.bytes, fault, list->items[i]->at);
    }
    if (status != HF_OK || pattern == NULL) {
        return status;
    }
    status = make(call, pattern->bytes, &grok, reterr);
    if (status == HF_INVALID) {
        return hf_ottl_refuse(fault, call->nodes[PATTERN]->at, "the pattern: %s", reterr);
    }
    call->prepared = grok;
    call->unprepare = unprepare;
    return status;
}

const struct hf_ottl_function hf_ottl_groks[] = {
    {.name = "ExtractGrokPatterns",
     .arguments = {{"target", HF_ARG_STRING},
                   {"pattern", HF_ARG_STRING},
                   {"named_captures_only", HF_ARG_BOOL | HF_ARG_LITERAL | HF_ARG_OPTIONAL},
                   {"pattern_definitions", HF_ARG_STRINGS | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = extract_grok_patterns,
     .check = check_grok},
    {.name = NULL},
};
