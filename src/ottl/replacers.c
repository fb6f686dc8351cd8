/* Editors that replace what a pattern matches in texts, values and keys. */
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "pdata/document.h"
#include "util/regex/regex.h"
#include "util/regex/regex_expand.h"

/* The arguments of one replacing editor, evaluated. */
struct replacing {
    struct hf_ottl_run *run;
    const struct hf_ottl_call *call;
    struct hf_regex *regex;
    struct hf_slice replacement, format; /* format without data: none */
    bool is_whole;                       /* a glob, which is about the whole text */
};

/* ---- what stands for one match ---- */

static void expand(struct replacing *replacing, const struct hf_slice *groups, struct hf_bytes *out)
{
    enum hf_status status = hf_regex_expand(replacing->regex, replacing->replacement, groups, out);
    replacing->run->no_memory |= status != HF_OK;
}

/* Exactly one %s and no other verb. */
static bool is_format(struct hf_slice format)
{
    size_t verbs = 0;
    for (size_t i = 0; i < format.size; i++) {
        if (format.data[i] == '%') {
            if (i + 1 >= format.size || format.data[i + 1] != 's') {
                return false;
            }
            verbs++;
        }
    }
    return verbs == 1;
}

static bool put_formatted(struct replacing *replacing, struct hf_slice text, struct hf_bytes *out)
{
    struct hf_ottl_run *run = replacing->run;
    struct hf_slice format = replacing->format;
    if (format.data == NULL) {
        run->no_memory |= hf_bytes_append(out, text) != HF_OK;
        return true;
    }
    if (!is_format(format)) {
        return hf_ottl_fail(run,
                            "replacementFormat must be format string containing a single %%s and "
                            "no other format specifiers");
    }
    const uint8_t *verb = memchr(format.data, '%', format.size);
    size_t before = (size_t)(verb - format.data);
    run->no_memory |= hf_bytes_append(out, hf_slice_of(format.data, before)) != HF_OK;
    run->no_memory |= hf_bytes_append(out, text) != HF_OK;
    run->no_memory |=
        hf_bytes_append(out, hf_slice_of(verb + 2, format.size - before - 2)) != HF_OK;
    return true;
}

/* The converter of the argument `function`, over one text. */
static bool apply(struct replacing *replacing, struct hf_slice text, struct hf_slice *ret_text)
{
    struct hf_ottl_run *run = replacing->run;
    const struct hf_ottl_function *function = replacing->call->applied;
    const struct hf_ottl_call call = {.function = function, .count = 1};
    struct hf_ottl_value arguments[HF_OTTL_ARGUMENTS_MAX] = {hf_ottl_string(text)};
    struct hf_ottl_value value = hf_ottl_nil();
    if (!hf_ottl_convert(run, function->arguments[0].kind & HF_ARG_KIND_MASK, &arguments[0]) ||
        !function->run(run, &call, arguments, &value)) {
        return false;
    }
    if (value.type != HF_OTTL_STRING) {
        return hf_ottl_fail(run, "the replacement value must be a string");
    }
    *ret_text = value.bytes;
    return true;
}

static bool put_replacement(struct replacing *replacing, const struct hf_slice *groups,
                            struct hf_bytes *out)
{
    struct hf_slice text = replacing->replacement;
    struct hf_bytes expanded = {0};
    if (replacing->call->applied == NULL && !replacing->is_whole) {
        expand(replacing, groups, out);
        return true;
    }
    if (!replacing->is_whole) {
        expand(replacing, groups, &expanded);
        text = hf_ottl_keep(replacing->run, hf_slice_of(expanded.data, expanded.size));
        hf_bytes_release(&expanded);
    }
    if (replacing->call->applied == NULL) {
        replacing->run->no_memory |= hf_bytes_append(out, text) != HF_OK;
        return true;
    }
    return apply(replacing, text, &text) && put_formatted(replacing, text, out);
}

/* ---- all matches of one text ---- */

static size_t rune_size(struct hf_slice text, size_t at)
{
    size_t size = 1;
    while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

static bool put_replaced(struct replacing *replacing, struct hf_slice text, bool *ret_changed,
                         struct hf_bytes *out)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    size_t copied = 0, at = 0;
    *ret_changed = false;
    while (at <= text.size) {
        bool found;
        if (hf_regex_search(replacing->regex, text, at, groups, &found) != HF_OK) {
            return hf_ottl_fail(replacing->run, "the pattern takes too many steps");
        }
        if (!found) {
            break;
        }
        const uint8_t *base = text.size == 0 ? groups[0].data : text.data;
        size_t start = (size_t)(groups[0].data - base), end = start + groups[0].size;
        replacing->run->no_memory |=
            hf_bytes_append(out, hf_slice_of(text.data + copied, start - copied)) != HF_OK;
        if ((end > copied || start == 0) && !put_replacement(replacing, groups, out)) {
            return false;
        }
        *ret_changed = true;
        copied = end;
        at = end > at ? end : at + (at < text.size ? rune_size(text, at) : 1);
    }
    if (*ret_changed && copied < text.size) {
        replacing->run->no_memory |=
            hf_bytes_append(out, hf_slice_of(text.data + copied, text.size - copied)) != HF_OK;
    }
    return true;
}

/* `ret_changed` false: `ret_text` is not set. */
static bool replace(struct replacing *replacing, struct hf_slice text, bool *ret_changed,
                    struct hf_slice *ret_text)
{
    struct hf_bytes out = {0};
    bool ok = put_replaced(replacing, text, ret_changed, &out);
    if (ok && *ret_changed) {
        *ret_text = hf_ottl_keep(replacing->run, hf_slice_of(out.data, out.size));
    }
    hf_bytes_release(&out);
    return ok && (!replacing->run->no_memory || hf_ottl_no_memory(replacing->run));
}

/* ---- the editors ---- */

/* Their arguments begin alike: the target, [the mode,] the pattern, the replacement, the function
 * and the format. */
static bool start(struct hf_ottl_run *run, const struct hf_ottl_call *call, size_t pattern,
                  const struct hf_ottl_value *arguments, bool is_whole,
                  struct replacing *ret_replacing)
{
    *ret_replacing = (struct replacing){.run = run, .call = call, .is_whole = is_whole};
    ret_replacing->regex = hf_ottl_take_regex(run, call, pattern, &arguments[pattern]);
    ret_replacing->replacement = arguments[pattern + 1].bytes;
    if (call->nodes[pattern + 3] != NULL) {
        ret_replacing->format = arguments[pattern + 3].bytes;
        ret_replacing->format.data =
            ret_replacing->format.data == NULL ? (const uint8_t *)"" : ret_replacing->format.data;
    }
    return ret_replacing->regex != NULL;
}

static bool replace_one(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                        const struct hf_ottl_value *arguments, bool is_whole)
{
    struct hf_ottl_value target;
    struct replacing replacing;
    struct hf_slice text;
    bool changed = false;
    if (!hf_ottl_value_of(run, call->nodes[0], &target)) {
        return false;
    }
    if (target.type != HF_OTTL_STRING) {
        return true;
    }
    if (!start(run, call, 1, arguments, is_whole, &replacing)) {
        return false;
    }
    bool ok = replace(&replacing, target.bytes, &changed, &text);
    hf_ottl_put_regex(call, 1, replacing.regex);
    if (!ok || !changed) {
        return ok;
    }
    target = hf_ottl_string(text);
    return hf_ottl_assign(run, call->nodes[0], &target);
}

static bool replace_pattern(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                            const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)ret_value;
    return replace_one(run, call, arguments, false);
}

static bool replace_match(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                          const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)ret_value;
    return replace_one(run, call, arguments, true);
}

/* A value that is a text. One that fails stays as it is. */
static bool replace_value(struct replacing *replacing, struct hf_any_pair *pair, bool *ret_changed)
{
    struct hf_any any = hf_any_read(pair->value);
    struct hf_slice text;
    *ret_changed = false;
    if (any.type != HF_ANY_STRING) {
        return true;
    }
    if (!replace(replacing, any.bytes, ret_changed, &text)) {
        *ret_changed = false;
        return !replacing->run->no_memory;
    }
    if (!*ret_changed) {
        return true;
    }
    struct hf_ottl_value value = hf_ottl_string(text);
    return hf_ottl_encode(replacing->run, &value, &pair->value);
}

static bool replace_values(struct replacing *replacing, struct hf_ottl_pairs *pairs,
                           bool *ret_changed)
{
    for (size_t i = 0; i < pairs->count; i++) {
        bool changed;
        if (!replace_value(replacing, &pairs->items[i], &changed)) {
            return false;
        }
        *ret_changed |= changed;
    }
    return true;
}

/* Keys that become the same: the last one's value stays, in the place of the first. A key whose
 * replacement fails is gone, as in the Go collector. */
static bool replace_keys(struct replacing *replacing, struct hf_ottl_pairs *pairs,
                         bool *ret_changed)
{
    struct hf_ottl_pairs updated;
    if (!hf_ottl_pairs_of(replacing->run, HF_EMPTY_SLICE, pairs->count, &updated)) {
        return false;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        struct hf_slice key = pairs->items[i].key, text;
        bool changed;
        if (!replace(replacing, key, &changed, &text)) {
            if (replacing->run->no_memory) {
                return false;
            }
            *ret_changed = true;
            continue;
        }
        *ret_changed |= changed;
        if (!hf_ottl_pairs_put(replacing->run, &updated, changed ? text : key,
                               pairs->items[i].value)) {
            return false;
        }
    }
    *pairs = updated;
    return true;
}

static bool replace_in_map(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                           struct replacing *replacing, bool of_keys)
{
    struct hf_ottl_pairs pairs;
    bool changed = false;
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs)) {
        return false;
    }
    bool ok = of_keys ? replace_keys(replacing, &pairs, &changed)
                      : replace_values(replacing, &pairs, &changed);
    return ok && (!changed || hf_ottl_write_map(run, call->nodes[0], &pairs));
}

static enum hf_status check_mode(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice mode = hf_ottl_literal_text(call, 1, "");
    (void)at;
    return hf_slice_is(mode, "key") || hf_slice_is(mode, "value")
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[1]->at, "the mode must be \"key\" or \"value\"");
}

static bool replace_all_patterns(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                 const struct hf_ottl_value *arguments,
                                 struct hf_ottl_value *ret_value)
{
    struct replacing replacing;
    (void)ret_value;
    if (!start(run, call, 2, arguments, false, &replacing)) {
        return false;
    }
    bool ok = replace_in_map(run, call, &replacing, hf_slice_is(arguments[1].bytes, "key"));
    hf_ottl_put_regex(call, 2, replacing.regex);
    return ok;
}

static bool replace_all_matches(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                const struct hf_ottl_value *arguments,
                                struct hf_ottl_value *ret_value)
{
    struct replacing replacing;
    (void)ret_value;
    if (!start(run, call, 1, arguments, true, &replacing)) {
        return false;
    }
    bool ok = replace_in_map(run, call, &replacing, false);
    hf_ottl_put_regex(call, 1, replacing.regex);
    return ok;
}

/* A function that is applied gets one text. */
static enum hf_status check_applied(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    if (call->applied != NULL && call->applied->arguments[0].name == NULL) {
        return hf_ottl_refuse(fault, at, "%s takes no argument", call->applied->name);
    }
    if (call->applied != NULL && call->applied->arguments[1].name != NULL &&
        (call->applied->arguments[1].kind & HF_ARG_OPTIONAL) == 0) {
        return hf_ottl_refuse(fault, at, "%s needs more than one argument", call->applied->name);
    }
    return HF_OK;
}

static enum hf_status check_all_patterns(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                         size_t at)
{
    enum hf_status status = check_mode(call, fault, at);
    return status == HF_OK ? check_applied(call, fault, at) : status;
}

#define FUNCTION_AND_FORMAT                                                                        \
    {"function", HF_ARG_FUNCTION | HF_ARG_OPTIONAL},                                               \
    {                                                                                              \
        "replacement_format", HF_ARG_STRING | HF_ARG_OPTIONAL                                      \
    }

const struct hf_ottl_function hf_ottl_replacers[] = {
    {.name = "replace_pattern",
     .arguments = {{"target", HF_ARG_PATH},
                   {"regex_pattern", HF_ARG_REGEX},
                   {"replacement", HF_ARG_STRING},
                   FUNCTION_AND_FORMAT},
     .run = replace_pattern,
     .check = check_applied},
    {.name = "replace_match",
     .arguments = {{"target", HF_ARG_PATH},
                   {"pattern", HF_ARG_GLOB},
                   {"replacement", HF_ARG_STRING},
                   FUNCTION_AND_FORMAT},
     .run = replace_match,
     .check = check_applied},
    {.name = "replace_all_patterns",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"mode", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"regex_pattern", HF_ARG_REGEX},
                   {"replacement", HF_ARG_STRING},
                   FUNCTION_AND_FORMAT},
     .run = replace_all_patterns,
     .check = check_all_patterns},
    {.name = "replace_all_matches",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"pattern", HF_ARG_GLOB},
                   {"replacement", HF_ARG_STRING},
                   FUNCTION_AND_FORMAT},
     .run = replace_all_matches,
     .check = check_applied},
    {.name = NULL},
};
