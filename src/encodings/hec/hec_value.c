#include "hec_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/compress/compress.h"

#define EXACT_MAX (INT64_C(1) << 53) /* whole numbers up to here are exact as doubles */
#define DIGITS_MAX 17                /* that tell every double from all others */
#define PLAIN_EXPONENT_MIN (-4)      /* Go prints smaller and larger ones with an exponent */
#define PLAIN_EXPONENT_MAX 5
#define NUMBER_MAX 64

bool hf_hec_is_exact(int64_t integer)
{
    return integer >= -EXACT_MAX && integer <= EXACT_MAX;
}

static int compare(const void *one, const void *other)
{
    const struct hf_hec_member *a = one, *b = other;
    int order = hf_slice_compare(a->value->key, b->value->key);
    return order != 0 ? order : a->at < b->at ? -1 : 1;
}

bool hf_hec_members(const struct hf_json *map, struct hf_arena *arena,
                    struct hf_hec_member **ret_members, size_t *ret_count)
{
    size_t count = 0, kept = 0;
    for (const struct hf_json *one = hf_json_first(map); one != NULL; one = one->next) {
        count++;
    }
    struct hf_hec_member *members = hf_arena_take(arena, (count + 1) * sizeof(*members));
    if (members == NULL) {
        return false;
    }
    count = 0;
    for (const struct hf_json *one = hf_json_first(map); one != NULL; one = one->next) {
        members[count] = (struct hf_hec_member){one, count};
        count++;
    }
    qsort(members, count, sizeof(*members), compare);
    for (size_t i = 0; i < count; i++) {
        bool is_last =
            i + 1 == count || !hf_slice_equal(members[i].value->key, members[i + 1].value->key);
        if (is_last) {
            members[kept++] = members[i];
        }
    }
    *ret_members = members;
    *ret_count = kept;
    return true;
}

static struct hf_slice list_value(struct hf_any_maker *maker, const struct hf_json *list)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        count++;
    }
    struct hf_slice *values = hf_arena_take(maker->arena, (count + 1) * sizeof(*values));
    if (values == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    count = 0;
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        values[count++] = hf_hec_value(maker, one);
    }
    return hf_any_make_list(maker, values, count);
}

static struct hf_slice map_value(struct hf_any_maker *maker, const struct hf_json *map)
{
    struct hf_hec_member *members;
    size_t count;
    if (!hf_hec_members(map, maker->arena, &members, &count)) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i] =
            (struct hf_any_pair){members[i].value->key, hf_hec_value(maker, members[i].value)};
    }
    return hf_any_make_map(maker, pairs, count);
}

/* The depth is bounded by that of the JSON. */
struct hf_slice hf_hec_value(struct hf_any_maker *maker, const struct hf_json *value)
{
    switch (value->kind) {
    case HF_JSON_BOOL:
        return hf_any_make_bool(maker, value->boolean);
    case HF_JSON_INT:
        return hf_hec_is_exact(value->integer) ? hf_any_make_double(maker, (double)value->integer)
                                               : hf_any_make_int(maker, value->integer);
    case HF_JSON_DOUBLE:
        return hf_any_make_double(maker, value->number);
    case HF_JSON_STRING:
        return hf_any_make_string(maker, value->text);
    case HF_JSON_LIST:
        return list_value(maker, value);
    case HF_JSON_MAP:
        return map_value(maker, value);
    case HF_JSON_NULL:
    default:
        return HF_EMPTY_SLICE;
    }
}

/* With as few digits as read back as the same number. */
static enum hf_status print_double(double number, struct hf_bytes *text)
{
    char room[NUMBER_MAX];
    int digits = 0;
    do {
        digits++;
        snprintf(room, sizeof(room), "%.*e", digits - 1, number);
    } while (digits < DIGITS_MAX && strtod(room, NULL) != number);
    const char *mark = strchr(room, 'e');
    long exponent = mark != NULL ? strtol(mark + 1, NULL, 10) : 0;
    if (exponent >= PLAIN_EXPONENT_MIN && exponent <= PLAIN_EXPONENT_MAX) {
        int behind = digits - 1 - (int)exponent;
        snprintf(room, sizeof(room), "%.*f", behind > 0 ? behind : 0, number);
    }
    return hf_bytes_append(text, hf_slice_text(room));
}

static enum hf_status print_int(int64_t integer, struct hf_bytes *text)
{
    char room[NUMBER_MAX];
    if (hf_hec_is_exact(integer)) {
        return print_double((double)integer, text);
    }
    snprintf(room, sizeof(room), "%lld", (long long)integer);
    return hf_bytes_append(text, hf_slice_text(room));
}

static enum hf_status print_list(const struct hf_json *list, struct hf_bytes *text)
{
    enum hf_status status = hf_bytes_append(text, hf_slice_text("["));
    for (const struct hf_json *one = hf_json_first(list); one != NULL && status == HF_OK;
         one = one->next) {
        status = hf_hec_print(one, text);
        if (status == HF_OK && one->next != NULL) {
            status = hf_bytes_append(text, hf_slice_text(" "));
        }
    }
    return status == HF_OK ? hf_bytes_append(text, hf_slice_text("]")) : status;
}

enum hf_status hf_hec_print(const struct hf_json *value, struct hf_bytes *text)
{
    switch (value->kind) {
    case HF_JSON_BOOL:
        return hf_bytes_append(text, hf_slice_text(value->boolean ? "true" : "false"));
    case HF_JSON_INT:
        return print_int(value->integer, text);
    case HF_JSON_DOUBLE:
        return print_double(value->number, text);
    case HF_JSON_STRING:
        return hf_bytes_append(text, value->text);
    case HF_JSON_LIST:
        return print_list(value, text);
    case HF_JSON_NULL:
    case HF_JSON_MAP:
    default:
        return hf_bytes_append(text, hf_slice_text("<nil>"));
    }
}
