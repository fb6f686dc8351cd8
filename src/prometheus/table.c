#include "table.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64u
#define CAPACITY_KEPT 4096u /* a larger one is given back when it is hardly used */

static uint64_t sane(uint64_t hash)
{
    return hash != 0 ? hash : 1; /* 0 stands for an empty place */
}

static struct hf_prom_table_entry *find(const struct hf_prom_table *table, uint64_t hash)
{
    size_t mask = table->capacity - 1;
    size_t place = (size_t)(hash ^ (hash >> 32)) & mask;
    while (table->entries[place].hash != 0 && table->entries[place].hash != hash) {
        place = (place + 1) & mask;
    }
    return &table->entries[place];
}

static bool grow(struct hf_prom_table *table)
{
    struct hf_prom_table larger = {.capacity =
                                       table->capacity != 0 ? 2 * table->capacity : CAPACITY_FIRST,
                                   .count = table->count};
    larger.entries = calloc(larger.capacity, sizeof(*larger.entries));
    if (larger.entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->entries[i].hash != 0) {
            *find(&larger, table->entries[i].hash) = table->entries[i];
        }
    }
    free(table->entries);
    *table = larger;
    return true;
}

struct hf_prom_table_entry *hf_prom_table_put(struct hf_prom_table *table, uint64_t hash,
                                              bool *ret_is_new)
{
    hash = sane(hash);
    if (2 * (table->count + 1) > table->capacity && !grow(table)) {
        return NULL;
    }
    struct hf_prom_table_entry *entry = find(table, hash);
    *ret_is_new = entry->hash == 0;
    if (*ret_is_new) {
        *entry = (struct hf_prom_table_entry){.hash = hash};
        table->count++;
    }
    return entry;
}

void *hf_prom_table_get(const struct hf_prom_table *table, uint64_t hash)
{
    return table->count != 0 ? find(table, sane(hash))->value : NULL;
}

bool hf_prom_table_has(const struct hf_prom_table *table, uint64_t hash)
{
    return table->count != 0 && find(table, sane(hash))->hash != 0;
}

void hf_prom_table_clear(struct hf_prom_table *table)
{
    if (table->capacity > CAPACITY_KEPT && 16 * table->count < table->capacity) {
        hf_prom_table_release(table);
        return;
    }
    if (table->count != 0) {
        memset(table->entries, 0, table->capacity * sizeof(*table->entries));
    }
    table->count = 0;
}

void hf_prom_table_release(struct hf_prom_table *table)
{
    free(table->entries);
    *table = (struct hf_prom_table){0};
}
