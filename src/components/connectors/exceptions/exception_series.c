#include "exception_series.h"

#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"
#include "util/grow.h"

#define SLOTS_LEAST 64u
#define KEY_BYTES_MAX ((size_t)64 << 20) /* of all series */

static struct hf_slice key_of(const struct exception_series *series)
{
    return hf_slice_of(series->key, series->key_size);
}

/* Where the key is in the table, or where it would be. */
static size_t slot_of(const struct exception_table *table, struct hf_slice key)
{
    size_t at = hf_fnv_folded(key) & (table->slot_count - 1);
    while (table->slots[at] != 0 &&
           !hf_slice_equal(key_of(&table->items[table->slots[at] - 1]), key)) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return at;
}

/* Half of the slots are empty at least. The first series is not found by a key. */
static bool grow_slots(struct exception_table *table)
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
    for (size_t i = 1; i < table->count; i++) {
        table->slots[slot_of(table, key_of(&table->items[i]))] = (uint32_t)i + 1;
    }
    return true;
}

static bool grow_items(struct exception_table *table)
{
    return hf_grow(&table->items, &table->capacity, table->count + 1, sizeof(*table->items));
}

enum hf_status exception_table_init(struct exception_table *table, size_t series_max)
{
    *table = (struct exception_table){.series_max = series_max, .touched = EXCEPTION_SERIES_NONE};
    if (!grow_items(table)) {
        return HF_NOMEM;
    }
    table->items[table->count++] = (struct exception_series){.key = NULL};
    return HF_OK;
}

void exception_table_release(struct exception_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->items[i].key);
    }
    free(table->items);
    free(table->slots);
    *table = (struct exception_table){.touched = EXCEPTION_SERIES_NONE};
}

static enum hf_status find_or_make(struct exception_table *table, struct hf_slice key,
                                   uint32_t *ret_series)
{
    if (!grow_slots(table)) {
        return HF_NOMEM;
    }
    size_t at = slot_of(table, key);
    if (table->slots[at] != 0) {
        *ret_series = table->slots[at] - 1;
        return HF_OK;
    }
    if (table->count > table->series_max || table->key_bytes + key.size > KEY_BYTES_MAX) {
        *ret_series = 0;
        return HF_OK;
    }
    uint8_t *copy = malloc(key.size + 1);
    if (copy == NULL || !grow_items(table)) {
        free(copy);
        return HF_NOMEM;
    }
    memcpy(copy, key.data, key.size);
    *ret_series = (uint32_t)table->count;
    table->items[table->count++] = (struct exception_series){.key = copy, .key_size = key.size};
    table->slots[at] = *ret_series + 1;
    table->key_bytes += key.size;
    return HF_OK;
}

enum hf_status exception_table_add(struct exception_table *table, struct hf_slice key,
                                   uint32_t *ret_series)
{
    enum hf_status status = find_or_make(table, key, ret_series);
    if (status != HF_OK) {
        return status;
    }
    struct exception_series *series = &table->items[*ret_series];
    if (series->pending++ == 0) {
        series->next_touched = table->touched;
        series->first_exemplar = EXCEPTION_SERIES_NONE;
        table->touched = *ret_series;
    }
    return HF_OK;
}

void exception_table_settle(struct exception_table *table, bool adds)
{
    while (table->touched != EXCEPTION_SERIES_NONE) {
        struct exception_series *series = &table->items[table->touched];
        series->count += adds ? series->pending : 0;
        series->pending = 0;
        table->touched = series->next_touched;
    }
}

bool exception_table_overflows(const struct exception_table *table)
{
    return table->items[0].count == 0 && table->items[0].pending == 1;
}
