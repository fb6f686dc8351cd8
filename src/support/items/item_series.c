#include "item_series.h"

#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"
#include "util/grow.h"

#define SLOTS_LEAST 64u

/* FNV-1a over the metric and the values. A sender who makes them collide slows its own request. */
static size_t hash_of(const struct item_metric *metric, const struct hf_slice *values)
{
    uint64_t hash = HF_FNV_START ^ (uint64_t)(uintptr_t)metric;
    for (size_t i = 0; i < metric->attribute_count; i++) {
        hash = (hf_fnv_add(hash, values[i]) ^ values[i].size) * HF_FNV_PRIME;
    }
    return (size_t)(hash ^ hash >> 32);
}

static bool is_of(const struct item_series *series, const struct item_metric *metric,
                  const struct hf_slice *values)
{
    bool is_same = series->metric == metric;
    for (size_t i = 0; is_same && i < metric->attribute_count; i++) {
        is_same = hf_slice_equal(series->values[i], values[i]);
    }
    return is_same;
}

/* Where the series is in the table, or where it would be. */
static size_t slot_of(const struct item_series_table *table, const struct item_metric *metric,
                      const struct hf_slice *values)
{
    size_t at = hash_of(metric, values) & (table->slot_count - 1);
    while (table->slots[at] != 0 && !is_of(&table->items[table->slots[at] - 1], metric, values)) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return at;
}

/* Half of the slots are empty at least. */
static bool grow_slots(struct item_series_table *table)
{
    if (table->slot_count >= 2 * (table->count + 1)) {
        return true;
    }
    size_t size = table->slot_count == 0 ? SLOTS_LEAST : table->slot_count * 2;
    uint32_t *slots = calloc(size, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = size;
    for (size_t i = 0; i < table->count; i++) {
        const struct item_series *series = &table->items[i];
        table->slots[slot_of(table, series->metric, series->values)] = (uint32_t)i + 1;
    }
    return true;
}

static bool grow_items(struct item_series_table *table)
{
    return hf_grow(&table->items, &table->capacity, table->count + 1, sizeof(*table->items));
}

struct item_series *item_series_need(struct item_series_table *table,
                                     const struct item_metric *metric,
                                     const struct hf_slice *values, struct hf_arena *arena)
{
    if (!grow_slots(table) || !grow_items(table)) {
        return NULL;
    }
    size_t at = slot_of(table, metric, values);
    if (table->slots[at] != 0) {
        return &table->items[table->slots[at] - 1];
    }
    size_t size = metric->attribute_count * sizeof(*values);
    struct hf_slice *copy = size != 0 ? hf_arena_take(arena, size) : NULL;
    if (size != 0 && copy == NULL) {
        return NULL;
    }
    if (size != 0) {
        memcpy(copy, values, size);
    }
    table->items[table->count] = (struct item_series){.metric = metric, .values = copy};
    table->slots[at] = (uint32_t)++table->count;
    return &table->items[table->count - 1];
}

void item_series_clear(struct item_series_table *table)
{
    table->count = 0;
    if (table->slots != NULL) {
        memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
    }
}

void item_series_release(struct item_series_table *table)
{
    free(table->items);
    free(table->slots);
    *table = (struct item_series_table){.count = 0};
}
