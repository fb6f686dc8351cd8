/* Editors of paths and maps. */
#include <inttypes.h>
#include <string.h>

#include "function.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "util/regex/regex.h"

/* ---- set ---- */

static bool set(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)ret_value;
    /* What is missing deletes nothing. */
    return arguments[1].type == HF_OTTL_NIL || hf_ottl_assign(run, call->nodes[0], &arguments[1]);
}

/* ---- removing keys ---- */

static bool delete_key(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                       const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_attributes *list = hf_ottl_list_at(run, call->nodes[0]);
    struct hf_ottl_pairs pairs;
    (void)ret_value;
    if (list != NULL) {
        hf_attributes_remove(list, arguments[1].bytes);
        return true;
    }
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs)) {
        return false;
    }
    struct hf_any_pair *found = hf_ottl_pairs_find(&pairs, arguments[1].bytes);
    if (found == NULL) {
        return true;
    }
    size_t at = (size_t)(found - pairs.items);
    pairs.count--;
    memmove(found, found + 1, (pairs.count - at) * sizeof(*found));
    return hf_ottl_write_map(run, call->nodes[0], &pairs);
}

/* Keeps the pairs that `is_kept` says. */
static bool keep_some(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                      bool (*is_kept)(const void *user, struct hf_slice key), const void *user)
{
    struct hf_ottl_pairs pairs;
    size_t kept = 0;
    if (!hf_ottl_read_map(run, target, 0, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < pairs.count; i++) {
        if (is_kept(user, pairs.items[i].key)) {
            pairs.items[kept++] = pairs.items[i];
        }
    }
    if (kept == pairs.count) {
        return true;
    }
    pairs.count = kept;
    return hf_ottl_write_map(run, target, &pairs);
}

struct keys {
    const struct hf_ottl_value *items;
    size_t count;
    bool keeps;
};

static bool is_key_kept(const void *user, struct hf_slice key)
{
    const struct keys *keys = user;
    for (size_t i = 0; i < keys->count; i++) {
        if (hf_slice_equal(keys->items[i].bytes, key)) {
            return keys->keeps;
        }
    }
    return !keys->keeps;
}

static bool edit_by_keys(struct hf_ottl_run *run, const struct hf_ottl_call *call, bool keeps)
{
    struct hf_ottl_value *items;
    struct keys keys = {.keeps = keeps};
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_STRINGS, &items, &keys.count)) {
        return false;
    }
    keys.items = items;
    return keep_some(run, call->nodes[0], is_key_kept, &keys);
}

static bool keep_keys(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                      const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)arguments;
    (void)ret_value;
    return edit_by_keys(run, call, true);
}

static bool delete_keys(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                        const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)arguments;
    (void)ret_value;
    return edit_by_keys(run, call, false);
}

struct matching {
    const struct hf_regex *regex;
    struct hf_ottl_run *run;
    bool keeps, failed;
};

static bool is_match_kept(const void *user, struct hf_slice key)
{
    struct matching *matching = *(struct matching *const *)user;
    bool matches = false;
    matching->failed |= hf_regex_try(matching->regex, key, &matches) != HF_OK;
    return matches == matching->keeps;
}

static bool edit_by_pattern(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                            const struct hf_ottl_value *pattern, bool keeps)
{
    struct hf_regex *regex = hf_ottl_take_regex(run, call, 1, pattern);
    struct matching matching = {.regex = regex, .run = run, .keeps = keeps};
    const struct matching *user = &matching;
    if (regex == NULL) {
        return false;
    }
    bool ok = keep_some(run, call->nodes[0], is_match_kept, &user);
    hf_ottl_put_regex(call, 1, regex);
    return ok && (!matching.failed || hf_ottl_fail(run, "the pattern takes too many steps"));
}

static bool keep_matching_keys(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                               const struct hf_ottl_value *arguments,
                               struct hf_ottl_value *ret_value)
{
    (void)ret_value;
    return edit_by_pattern(run, call, &arguments[1], true);
}

static bool delete_matching_keys(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                 const struct hf_ottl_value *arguments,
                                 struct hf_ottl_value *ret_value)
{
    (void)ret_value;
    return edit_by_pattern(run, call, &arguments[1], false);
}

/* ---- limit and truncate_all ---- */

static enum hf_status check_limit(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    int64_t limit = hf_ottl_literal_int(call, 1, 0);
    size_t count = call->nodes[2]->count;
    if (limit < 0) {
        return hf_ottl_refuse(
            fault, at, "invalid limit for limit function, %" PRId64 " cannot be negative", limit);
    }
    if ((uint64_t)limit < count) {
        return hf_ottl_refuse(fault, at,
                              "invalid limit for limit function, %" PRId64
                              " cannot be less than number of priority attributes %zu",
                              limit, count);
    }
    return HF_OK;
}

static bool limit(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                  const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_pairs pairs;
    struct hf_ottl_value *items;
    struct keys keys = {.keeps = true};
    size_t most = (size_t)arguments[1].integer;
    size_t kept = 0, count = 0;
    (void)ret_value;
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs) ||
        !hf_ottl_items_of(run, call, 2, HF_ARG_STRINGS, &items, &keys.count)) {
        return false;
    }
    if (pairs.count <= most) {
        return true;
    }
    keys.items = items;
    for (size_t i = 0; i < pairs.count; i++) {
        count += is_key_kept(&keys, pairs.items[i].key);
    }
    for (size_t i = 0; i < pairs.count; i++) {
        bool is_first = is_key_kept(&keys, pairs.items[i].key);
        if (is_first || count < most) {
            count += !is_first;
            pairs.items[kept++] = pairs.items[i];
        }
    }
    pairs.count = kept;
    return hf_ottl_write_map(run, call->nodes[0], &pairs);
}

static enum hf_status check_truncate(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                     size_t at)
{
    int64_t limit = hf_ottl_literal_int(call, 1, 0);
    struct hf_slice marker = hf_ottl_literal_text(call, 3, "");
    if (limit < 0) {
        return hf_ottl_refuse(
            fault, at, "invalid limit for truncate_all function, %" PRId64 " cannot be negative",
            limit);
    }
    return marker.size <= (uint64_t)limit
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the truncation marker is longer than the limit");
}

static bool truncate_all(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                         const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_pairs pairs;
    size_t most = (size_t)arguments[1].integer;
    bool is_safe = arguments[2].type == HF_OTTL_NIL || arguments[2].integer != 0;
    struct hf_slice marker = arguments[3].bytes;
    bool changed = false;
    (void)ret_value;
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < pairs.count; i++) {
        struct hf_any any = hf_any_read(pairs.items[i].value);
        if (any.type != HF_ANY_STRING || any.bytes.size <= most) {
            continue;
        }
        size_t cut = most - marker.size;
        while (is_safe && cut > 0 && (any.bytes.data[cut] & 0xc0) == 0x80) {
            cut--;
        }
        hf_ottl_start_text(run);
        hf_ottl_add_text(run, hf_slice_of(any.bytes.data, cut));
        hf_ottl_add_text(run, marker);
        struct hf_ottl_value text;
        if (!hf_ottl_end_text(run, &text) || !hf_ottl_mend_text(run, text.bytes, &text) ||
            !hf_ottl_encode(run, &text, &pairs.items[i].value)) {
            return false;
        }
        changed = true;
    }
    return !changed || hf_ottl_write_map(run, call->nodes[0], &pairs);
}

/* ---- merge_maps ---- */

static enum hf_status check_merge(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice strategy = hf_ottl_literal_text(call, 2, "");
    (void)at;
    if (hf_slice_is(strategy, "insert") || hf_slice_is(strategy, "update") ||
        hf_slice_is(strategy, "upsert")) {
        return HF_OK;
    }
    return hf_ottl_refuse(fault, call->nodes[2]->at,
                          "the strategy must be \"insert\", \"update\" or \"upsert\"");
}

static bool merge_into_list(struct hf_ottl_run *run, struct hf_attributes *list,
                            const struct hf_ottl_value *source, bool inserts, bool updates)
{
    struct hf_any map = {.type = HF_ANY_MAP};
    struct hf_any_pair pair;
    /* The list borrows keys and values: they have to live as long as the document. */
    map.bytes = hf_document_keep(run->document, source->bytes);
    struct hf_wire items = hf_any_items(&map);
    while (hf_any_next_pair(&items, &pair)) {
        bool is_there = hf_attributes_find(list, pair.key) != NULL;
        if (is_there ? updates : inserts) {
            hf_attributes_set(list, pair.key, pair.value);
        }
    }
    return !list->failed && hf_ottl_passes(run, hf_document_status(run->document))
               ? true
               : hf_ottl_no_memory(run);
}

static bool merge_maps(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                       const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_attributes *list = hf_ottl_list_at(run, call->nodes[0]);
    bool inserts = !hf_slice_is(arguments[2].bytes, "update");
    bool updates = !hf_slice_is(arguments[2].bytes, "insert");
    struct hf_any source = {.type = HF_ANY_MAP, .bytes = arguments[1].bytes};
    struct hf_wire items = hf_any_items(&source);
    struct hf_ottl_pairs pairs;
    struct hf_any_pair pair;
    (void)ret_value;
    if (list != NULL) {
        return merge_into_list(run, list, &arguments[1], inserts, updates);
    }
    if (!hf_ottl_read_map(run, call->nodes[0], hf_any_count(&source), &pairs)) {
        return false;
    }
    while (hf_any_next_pair(&items, &pair)) {
        bool is_there = hf_ottl_pairs_find(&pairs, pair.key) != NULL;
        if ((is_there ? updates : inserts) &&
            !hf_ottl_pairs_put(run, &pairs, pair.key, pair.value)) {
            return false;
        }
    }
    return hf_ottl_write_map(run, call->nodes[0], &pairs);
}

/* ---- append, delete_index, clear ---- */

static enum hf_status check_append(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                   size_t at)
{
    return call->nodes[1] != NULL || call->nodes[2] != NULL
               ? HF_OK
               : hf_ottl_refuse(fault, at, "append needs \"value\" or \"values\"");
}

/* The target as a list with room for more. */
static bool start_list(struct hf_ottl_run *run, const struct hf_ottl_value *target, size_t more,
                       struct hf_slice **ret_values, size_t *ret_count)
{
    struct hf_any list = {.type = HF_ANY_ARRAY, .bytes = target->bytes};
    size_t count = target->type == HF_OTTL_LIST ? hf_any_count(&list) : 1;
    struct hf_slice *values = hf_ottl_take(run, (count + more) * sizeof(*values));
    *ret_count = 0;
    *ret_values = values;
    if (values == NULL || target->type == HF_OTTL_NIL) {
        return values != NULL;
    }
    if (target->type == HF_OTTL_MAP) {
        return hf_ottl_fail(run, "unsupported type of target field: map");
    }
    if (target->type != HF_OTTL_LIST) {
        *ret_count = 1;
        return hf_ottl_encode(run, target, &values[0]);
    }
    struct hf_wire items = hf_any_items(&list);
    while (*ret_count < count && hf_any_next_value(&items, &values[*ret_count])) {
        ++*ret_count;
    }
    return true;
}

static bool append(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                   const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value target, list, *more;
    struct hf_slice *values;
    size_t count, more_count;
    (void)ret_value;
    if (!hf_ottl_items_of(run, call, 2, HF_ARG_ANY, &more, &more_count) ||
        !hf_ottl_value_of(run, call->nodes[0], &target) ||
        !start_list(run, &target, more_count + 1, &values, &count)) {
        return false;
    }
    if (call->nodes[1] != NULL && !hf_ottl_encode(run, &arguments[1], &values[count++])) {
        return false;
    }
    for (size_t i = 0; i < more_count; i++) {
        if (!hf_ottl_encode(run, &more[i], &values[count++])) {
            return false;
        }
    }
    return hf_ottl_list_of(run, values, count, &list) && hf_ottl_assign(run, call->nodes[0], &list);
}

static bool delete_index(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                         const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value target, list;
    struct hf_slice *values;
    size_t count;
    (void)ret_value;
    if (!hf_ottl_value_of(run, call->nodes[0], &target)) {
        return false;
    }
    if (target.type != HF_OTTL_LIST) {
        return hf_ottl_fail(run, "target must be a slice type, got %s",
                            hf_ottl_type_name(target.type));
    }
    if (!start_list(run, &target, 0, &values, &count)) {
        return false;
    }
    int64_t start = arguments[1].integer;
    int64_t end = call->nodes[2] != NULL ? arguments[2].integer : start + 1;
    if (start < 0 || start >= (int64_t)count) {
        return hf_ottl_fail(run, "index %" PRId64 " out of bounds", start);
    }
    if (end <= start || end > (int64_t)count) {
        return hf_ottl_fail(run, "deletion range [%" PRId64 ":%" PRId64 "] out of bounds", start,
                            end);
    }
    memmove(&values[start], &values[end], (count - (size_t)end) * sizeof(*values));
    return hf_ottl_list_of(run, values, count - (size_t)(end - start), &list) &&
           hf_ottl_assign(run, call->nodes[0], &list);
}

static bool clear(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                  const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value target;
    (void)arguments;
    (void)ret_value;
    if (!hf_ottl_value_of(run, call->nodes[0], &target)) {
        return false;
    }
    if (target.type == HF_OTTL_OBJECTS) {
        hf_message_clear(target.owner, target.number);
        return true;
    }
    if (target.type == HF_OTTL_NIL) {
        return true;
    }
    static const uint8_t zeros[16];
    struct hf_ottl_value zero = {.type = target.type};
    if (target.type == HF_OTTL_TRACE_ID || target.type == HF_OTTL_SPAN_ID) {
        zero.bytes = hf_slice_of(zeros, target.bytes.size);
    }
    return hf_ottl_assign(run, call->nodes[0], &zero);
}

/* ---- stringify_all ---- */

static bool stringify_all(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                          const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_pairs pairs;
    (void)arguments;
    (void)ret_value;
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < pairs.count; i++) {
        struct hf_ottl_value text;
        hf_ottl_start_text(run);
        if (hf_any_text(pairs.items[i].value, &run->text) != HF_OK) {
            return hf_ottl_no_memory(run);
        }
        if (!hf_ottl_end_text(run, &text) || !hf_ottl_encode(run, &text, &pairs.items[i].value)) {
            return false;
        }
    }
    return hf_ottl_write_map(run, call->nodes[0], &pairs);
}

/* What happens is the connector's matter; here it only ran. */
static bool route(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                  const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    (void)run;
    (void)call;
    (void)arguments;
    (void)ret_value;
    return true;
}

#define OPTIONAL HF_ARG_OPTIONAL
#define LITERAL HF_ARG_LITERAL

const struct hf_ottl_function hf_ottl_editors[] = {
    {.name = "route", .functions = HF_OTTL_ROUTE, .run = route},
    {.name = "set", .arguments = {{"target", HF_ARG_PATH}, {"value", HF_ARG_ANY}}, .run = set},
    {.name = "delete_key",
     .arguments = {{"target", HF_ARG_MAP_PATH}, {"key", HF_ARG_STRING}},
     .run = delete_key},
    {.name = "delete_keys",
     .arguments = {{"target", HF_ARG_MAP_PATH}, {"keys", HF_ARG_STRINGS}},
     .run = delete_keys},
    {.name = "delete_matching_keys",
     .arguments = {{"target", HF_ARG_MAP_PATH}, {"pattern", HF_ARG_REGEX}},
     .run = delete_matching_keys},
    {.name = "keep_keys",
     .arguments = {{"target", HF_ARG_MAP_PATH}, {"keys", HF_ARG_STRINGS}},
     .run = keep_keys},
    {.name = "keep_matching_keys",
     .arguments = {{"target", HF_ARG_MAP_PATH}, {"pattern", HF_ARG_REGEX}},
     .run = keep_matching_keys},
    {.name = "limit",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"limit", HF_ARG_INT | LITERAL},
                   {"priority_keys", HF_ARG_STRINGS | LITERAL}},
     .run = limit,
     .check = check_limit},
    {.name = "truncate_all",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"limit", HF_ARG_INT | LITERAL},
                   {"utf8_safe", HF_ARG_BOOL | LITERAL | OPTIONAL},
                   {"truncation_marker", HF_ARG_STRING | LITERAL | OPTIONAL}},
     .run = truncate_all,
     .check = check_truncate},
    {.name = "merge_maps",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"source", HF_ARG_MAP},
                   {"strategy", HF_ARG_STRING | LITERAL}},
     .run = merge_maps,
     .check = check_merge},
    {.name = "append",
     .arguments = {{"target", HF_ARG_PATH},
                   {"value", HF_ARG_ANY | OPTIONAL},
                   {"values", HF_ARG_ANYS | OPTIONAL}},
     .run = append,
     .check = check_append},
    {.name = "delete_index",
     .arguments = {{"target", HF_ARG_PATH},
                   {"start_index", HF_ARG_INT},
                   {"end_index", HF_ARG_INT | OPTIONAL}},
     .run = delete_index},
    {.name = "clear", .arguments = {{"target", HF_ARG_PATH}}, .run = clear},
    {.name = "stringify_all", .arguments = {{"target", HF_ARG_MAP_PATH}}, .run = stringify_all},
    {.name = NULL},
};
