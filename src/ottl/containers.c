/* Converters of lists and maps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- keys and values ---- */

static bool keys_or_values(struct hf_ottl_run *run, const struct hf_ottl_value *map, bool of_keys,
                           struct hf_ottl_value *ret_value)
{
    struct hf_ottl_pairs pairs;
    if (!hf_ottl_pairs_of(run, map->bytes, 0, &pairs)) {
        return false;
    }
    struct hf_slice *items = hf_ottl_take(run, (pairs.count + 1) * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < pairs.count; i++) {
        struct hf_ottl_value key = hf_ottl_string(pairs.items[i].key);
        items[i] = pairs.items[i].value;
        if (of_keys && !hf_ottl_encode(run, &key, &items[i])) {
            return false;
        }
    }
    return hf_ottl_list_of(run, items, pairs.count, ret_value);
}

CONVERTER(keys)
{
    (void)call;
    return keys_or_values(run, &arguments[0], true, ret_value);
}

CONVERTER(values)
{
    (void)call;
    return keys_or_values(run, &arguments[0], false, ret_value);
}

/* ---- looking for a value ---- */

static int64_t position(const struct hf_ottl_value *list, const struct hf_ottl_value *item)
{
    struct hf_any any = {.type = HF_ANY_ARRAY, .bytes = list->bytes};
    struct hf_wire items = hf_any_items(&any);
    struct hf_slice one;
    for (int64_t i = 0; hf_any_next_value(&items, &one); i++) {
        struct hf_any read = hf_any_read(one);
        struct hf_ottl_value value = hf_ottl_from_any(&read);
        if (hf_ottl_compare(&value, item, HF_OTTL_EQUAL)) {
            return i;
        }
    }
    return -1;
}

CONVERTER(contains_value)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_bool(position(&arguments[0], &arguments[1]) >= 0);
    return true;
}

CONVERTER(index_of)
{
    const struct hf_ottl_value *target = &arguments[0], *value = &arguments[1];
    (void)call;
    if (target->type == HF_OTTL_LIST) {
        *ret_value = hf_ottl_int(position(target, value));
        return true;
    }
    if (target->type != HF_OTTL_STRING || value->type != HF_OTTL_STRING) {
        return hf_ottl_fail(run,
                            target->type == HF_OTTL_STRING
                                ? "invalid value type for Index function, value must be a string"
                                : "expected pcommon.Slice");
    }
    const uint8_t *found = value->bytes.size == 0 ? target->bytes.data
                                                  : memmem(target->bytes.data, target->bytes.size,
                                                           value->bytes.data, value->bytes.size);
    bool is_there = found != NULL || value->bytes.size == 0;
    *ret_value = hf_ottl_int(is_there ? (int64_t)(found - target->bytes.data) : -1);
    return true;
}

/* ---- SliceToMap ---- */

/* What stands at the end of a path of keys. */
static bool extract(struct hf_ottl_run *run, const struct hf_ottl_value *path, size_t count,
                    struct hf_any any, struct hf_slice *ret_value)
{
    for (size_t i = 0; i < count; i++) {
        if (any.type != HF_ANY_MAP || !hf_any_look_up(&any, path[i].bytes, ret_value)) {
            return hf_ottl_fail(run, "an element does not contain the path of the key or value");
        }
        any = hf_any_read(*ret_value);
    }
    return count > 0 || hf_ottl_fail(run, "must provide at least one path item");
}

struct paths {
    const struct hf_ottl_value *key, *value; /* NULL: not given */
    size_t key_count, value_count;
};

static bool put_element(struct hf_ottl_run *run, const struct paths *paths, size_t number,
                        struct hf_slice element, struct hf_ottl_pairs *pairs)
{
    struct hf_any any = hf_any_read(element);
    struct hf_slice key, value = element;
    char digits[24];
    if ((paths->key != NULL || paths->value != NULL) && any.type != HF_ANY_MAP) {
        return hf_ottl_fail(run,
                            "slice elements must be maps when using `key_path` or `value_path`");
    }
    if (paths->key != NULL) {
        struct hf_slice found;
        if (!extract(run, paths->key, paths->key_count, any, &found)) {
            return false;
        }
        struct hf_any read = hf_any_read(found);
        if (read.type != HF_ANY_STRING) {
            return hf_ottl_fail(run, "element %zu: extracted key attribute is not of type string",
                                number);
        }
        key = read.bytes;
    } else {
        int size = snprintf(digits, sizeof(digits), "%zu", number);
        key = hf_ottl_keep(run, hf_slice_of(digits, (size_t)size));
    }
    if (paths->value != NULL && !extract(run, paths->value, paths->value_count, any, &value)) {
        return false;
    }
    return hf_ottl_pairs_put(run, pairs, key, value);
}

CONVERTER(slice_to_map)
{
    struct hf_any list = {.type = HF_ANY_ARRAY, .bytes = arguments[0].bytes};
    struct hf_wire items = hf_any_items(&list);
    struct hf_ottl_value *key = NULL, *value = NULL;
    struct paths paths = {NULL};
    struct hf_ottl_pairs pairs;
    struct hf_slice element;
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_STRINGS, &key, &paths.key_count) ||
        !hf_ottl_items_of(run, call, 2, HF_ARG_STRINGS, &value, &paths.value_count) ||
        !hf_ottl_pairs_of(run, HF_EMPTY_SLICE, hf_any_count(&list), &pairs)) {
        return false;
    }
    paths.key = call->nodes[1] != NULL ? key : NULL;
    paths.value = call->nodes[2] != NULL ? value : NULL;
    for (size_t i = 0; hf_any_next_value(&items, &element); i++) {
        if (!put_element(run, &paths, i, element, &pairs)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

/* ---- Sort ---- */

struct sortable {
    struct hf_slice encoded, text;
    double real;
    int64_t integer;
    size_t number; /* so that equal ones keep their order */
};

enum sort_kind { BY_INT, BY_REAL, BY_TEXT };

static int order_of(const struct sortable *a, const struct sortable *b, enum sort_kind kind)
{
    if (kind == BY_INT) {
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
    if (kind == BY_REAL) {
        return (a->real > b->real) - (a->real < b->real);
    }
    struct hf_ottl_value left = hf_ottl_string(a->text), right = hf_ottl_string(b->text);
    return hf_ottl_compare(&left, &right, HF_OTTL_MORE) -
           hf_ottl_compare(&left, &right, HF_OTTL_LESS);
}

struct sorting {
    enum sort_kind kind;
    bool descends;
};

static int compare_sortables(const void *a, const void *b, void *user)
{
    const struct sorting *sorting = user;
    const struct sortable *left = a, *right = b;
    int order = order_of(left, right, sorting->kind);
    if (order == 0) {
        return left->number < right->number ? -1 : 1;
    }
    return sorting->descends ? -order : order;
}

/* False: something in it has no order, and the list stays as it is. */
static bool find_kind(const struct hf_any *list, enum sort_kind *ret_kind)
{
    struct hf_wire items = hf_any_items(list);
    struct hf_slice one;
    bool has_int = false, has_real = false, has_text = false;
    while (hf_any_next_value(&items, &one)) {
        enum hf_any_type type = hf_any_read(one).type;
        has_int |= type == HF_ANY_INT;
        has_real |= type == HF_ANY_DOUBLE;
        has_text |= type == HF_ANY_STRING || type == HF_ANY_BOOL || type == HF_ANY_EMPTY;
        if (type == HF_ANY_MAP || type == HF_ANY_ARRAY || type == HF_ANY_BYTES) {
            return false;
        }
    }
    *ret_kind = has_text ? BY_TEXT : has_real ? BY_REAL : BY_INT;
    return has_int || has_real || has_text;
}

static bool read_sortable(struct hf_ottl_run *run, struct hf_slice encoded, enum sort_kind kind,
                          struct sortable *sortable)
{
    struct hf_any any = hf_any_read(encoded);
    struct hf_ottl_value value = hf_ottl_from_any(&any);
    sortable->encoded = encoded;
    sortable->integer = any.integer;
    sortable->real = any.type == HF_ANY_INT ? (double)any.integer : any.number;
    return kind != BY_TEXT || value.type == HF_OTTL_NIL ||
           hf_ottl_text_of(run, &value, &sortable->text);
}

CONVERTER(sort)
{
    struct hf_any list = {.type = HF_ANY_ARRAY, .bytes = arguments[0].bytes};
    struct hf_wire items = hf_any_items(&list);
    size_t count = hf_any_count(&list);
    struct sorting sorting = {.descends = call->nodes[1] != NULL &&
                                          hf_slice_is(arguments[1].bytes, "desc")};
    if (arguments[0].type != HF_OTTL_LIST) {
        return hf_ottl_fail(run, "sort with unsupported type: %s. Target is not a list",
                            hf_ottl_type_name(arguments[0].type));
    }
    if (!find_kind(&list, &sorting.kind)) {
        *ret_value = arguments[0];
        return true;
    }
    struct sortable *all = hf_ottl_take(run, count * sizeof(*all));
    struct hf_slice *sorted = hf_ottl_take(run, count * sizeof(*sorted));
    struct hf_slice one;
    if (all == NULL || sorted == NULL) {
        return false;
    }
    for (size_t i = 0; i < count && hf_any_next_value(&items, &one); i++) {
        all[i] = (struct sortable){.number = i};
        if (!read_sortable(run, one, sorting.kind, &all[i])) {
            return false;
        }
    }
    qsort_r(all, count, sizeof(*all), compare_sortables, &sorting);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = all[i].encoded;
    }
    return hf_ottl_list_of(run, sorted, count, ret_value);
}

static enum hf_status check_order(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice order = hf_ottl_literal_text(call, 1, "asc");
    (void)at;
    return hf_slice_is(order, "asc") || hf_slice_is(order, "desc")
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[1]->at, "the order must be \"asc\" or \"desc\"");
}

/* ---- ToKeyValueString ---- */

static bool has_part(struct hf_slice text, struct hf_slice part)
{
    return memmem(text.data, text.size, part.data, part.size) != NULL;
}

static void add_escaped(struct hf_ottl_run *run, struct hf_slice text, struct hf_slice delimiter,
                        struct hf_slice pair_delimiter)
{
    bool is_quoted = text.size > 0 && (has_part(text, pair_delimiter) || has_part(text, delimiter));
    hf_ottl_add_text(run, hf_slice_text(is_quoted ? "\"" : ""));
    for (size_t i = 0; i < text.size; i++) {
        hf_ottl_add_text(run, text.data[i] == '"' ? hf_slice_text("\\\"")
                                                  : hf_slice_of(&text.data[i], 1));
    }
    hf_ottl_add_text(run, hf_slice_text(is_quoted ? "\"" : ""));
}

static int compare_keys(const void *a, const void *b)
{
    struct hf_ottl_value left = hf_ottl_string(((const struct hf_any_pair *)a)->key);
    struct hf_ottl_value right = hf_ottl_string(((const struct hf_any_pair *)b)->key);
    return hf_ottl_compare(&left, &right, HF_OTTL_MORE) -
           hf_ottl_compare(&left, &right, HF_OTTL_LESS);
}

CONVERTER(to_key_value_string)
{
    struct hf_slice delimiter = hf_ottl_literal_text(call, 1, "=");
    struct hf_slice pair_delimiter = hf_ottl_literal_text(call, 2, " ");
    struct hf_ottl_pairs pairs;
    if (!hf_ottl_pairs_of(run, arguments[0].bytes, 0, &pairs)) {
        return false;
    }
    if (hf_ottl_literal_int(call, 3, 0) != 0) {
        qsort(pairs.items, pairs.count, sizeof(*pairs.items), compare_keys);
    }
    /* Texts of values are made where the whole is: they are all made first. */
    for (size_t i = 0; i < pairs.count; i++) {
        struct hf_ottl_value text;
        hf_ottl_start_text(run);
        if (hf_any_text(pairs.items[i].value, &run->text) != HF_OK) {
            return hf_ottl_no_memory(run);
        }
        if (!hf_ottl_end_text(run, &text)) {
            return false;
        }
        pairs.items[i].value = text.bytes;
    }
    hf_ottl_start_text(run);
    for (size_t i = 0; i < pairs.count; i++) {
        hf_ottl_add_text(run, i > 0 ? pair_delimiter : HF_EMPTY_SLICE);
        add_escaped(run, pairs.items[i].key, delimiter, pair_delimiter);
        hf_ottl_add_text(run, delimiter);
        add_escaped(run, pairs.items[i].value, delimiter, pair_delimiter);
    }
    return hf_ottl_end_text(run, ret_value);
}

enum hf_status hf_ottl_check_delimiters(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at)
{
    struct hf_slice delimiter = hf_ottl_literal_text(call, 1, "=");
    struct hf_slice pair_delimiter = hf_ottl_literal_text(call, 2, " ");
    if (delimiter.size == 0 || pair_delimiter.size == 0) {
        return hf_ottl_refuse(fault, at, "a delimiter cannot be set to an empty string");
    }
    return !hf_slice_equal(delimiter, pair_delimiter)
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the pair delimiter cannot be equal to the delimiter");
}

#define LITERAL_OPTIONAL (HF_ARG_LITERAL | HF_ARG_OPTIONAL)

const struct hf_ottl_function hf_ottl_containers[] = {
    {.name = "Keys", .arguments = {{"target", HF_ARG_MAP}}, .run = keys},
    {.name = "Values", .arguments = {{"target", HF_ARG_MAP}}, .run = values},
    {.name = "ContainsValue",
     .arguments = {{"target", HF_ARG_LIST}, {"item", HF_ARG_ANY}},
     .run = contains_value},
    {.name = "Index",
     .arguments = {{"target", HF_ARG_ANY}, {"value", HF_ARG_ANY}},
     .run = index_of},
    {.name = "SliceToMap",
     .arguments = {{"target", HF_ARG_LIST},
                   {"key_path", HF_ARG_STRINGS | LITERAL_OPTIONAL},
                   {"value_path", HF_ARG_STRINGS | LITERAL_OPTIONAL}},
     .run = slice_to_map},
    {.name = "Sort",
     .arguments = {{"target", HF_ARG_ANY}, {"order", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = sort,
     .check = check_order},
    {.name = "ToKeyValueString",
     .arguments = {{"target", HF_ARG_MAP},
                   {"delimiter", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"pair_delimiter", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"sort_output", HF_ARG_BOOL | LITERAL_OPTIONAL}},
     .run = to_key_value_string,
     .check = hf_ottl_check_delimiters},
    {.name = NULL},
};
