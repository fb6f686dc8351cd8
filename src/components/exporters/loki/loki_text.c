#include "loki_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/json_value.h"
#include "pdata/wire.h"
#include "util/hex.h"

#define SORTED_BY_HAND_MAX 32u /* pairs; few are sorted faster without a function */

static int compare_keys(const struct hf_any_pair *left, const struct hf_any_pair *right)
{
    size_t size = left->key.size < right->key.size ? left->key.size : right->key.size;
    int order = size != 0 ? memcmp(left->key.data, right->key.data, size) : 0;
    if (order != 0 || left->key.size == right->key.size) {
        return order;
    }
    return left->key.size < right->key.size ? -1 : 1;
}

/* By key; those of one key as they stand in the message. */
static int compare_pairs(const void *a, const void *b)
{
    const struct hf_any_pair *left = a, *right = b;
    int order = compare_keys(left, right);
    if (order != 0 || left->key.data == right->key.data) {
        return order;
    }
    return left->key.data < right->key.data ? -1 : 1;
}

static void sort(struct hf_any_pair *pairs, size_t count)
{
    if (count > SORTED_BY_HAND_MAX) {
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct hf_any_pair pair = pairs[i];
        size_t at = i;
        for (; at > 0 && compare_keys(&pairs[at - 1], &pair) > 0; at--) {
            pairs[at] = pairs[at - 1];
        }
        pairs[at] = pair;
    }
}

static void put_list(struct hf_json_writer *writer, struct hf_arena *arena,
                     const struct hf_any *list)
{
    struct hf_wire items = hf_any_items(list);
    struct hf_slice value;
    hf_json_write_open(writer, '[');
    while (hf_any_next_value(&items, &value)) {
        loki_put_value(writer, arena, value);
    }
    hf_json_write_close(writer, ']');
}

static void put_map(struct hf_json_writer *writer, struct hf_arena *arena, const struct hf_any *map)
{
    struct hf_wire items = hf_any_items(map);
    size_t room = hf_any_count(map), count = 0;
    struct hf_any_pair *pairs = hf_arena_take(arena, room * sizeof(*pairs));
    if (pairs == NULL) {
        writer->failed = true;
        return;
    }
    while (count < room && hf_any_next_pair(&items, &pairs[count])) {
        count++;
    }
    loki_put_pairs(writer, arena, pairs, count);
}

static void put_double(struct hf_json_writer *writer, double number)
{
    char room[HF_JSON_DIGITS_MAX];
    if (isfinite(number)) {
        hf_json_write_made(writer, hf_slice_of(room, hf_json_print_double(number, room)));
    } else {
        hf_json_write_text(writer, hf_slice_text(isnan(number) ? "NaN"
                                                 : number > 0  ? "+Inf"
                                                               : "-Inf"));
    }
}

void loki_put_value(struct hf_json_writer *writer, struct hf_arena *arena, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_EMPTY:
        hf_json_write_null(writer);
        break;
    case HF_ANY_STRING:
        hf_json_write_text(writer, any.bytes);
        break;
    case HF_ANY_BOOL:
        hf_json_write_bool(writer, any.integer != 0);
        break;
    case HF_ANY_INT:
        hf_json_write_i64(writer, any.integer);
        break;
    case HF_ANY_DOUBLE:
        put_double(writer, any.number);
        break;
    case HF_ANY_BYTES:
        hf_json_write_base64(writer, any.bytes);
        break;
    case HF_ANY_ARRAY:
        put_list(writer, arena, &any);
        break;
    case HF_ANY_MAP:
        put_map(writer, arena, &any);
        break;
    }
}

void loki_put_pairs(struct hf_json_writer *writer, struct hf_arena *arena,
                    struct hf_any_pair *pairs, size_t count)
{
    sort(pairs, count);
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !hf_slice_equal(pairs[i].key, pairs[i + 1].key)) {
            hf_json_write_key(writer, pairs[i].key);
            loki_put_value(writer, arena, pairs[i].value);
        }
    }
    hf_json_write_close(writer, '}');
}

struct hf_slice loki_hex(struct hf_slice id, char room[33])
{
    id.size = id.size < 16 ? id.size : 16;
    return hf_slice_of(room, hf_hex_write(id, room));
}
