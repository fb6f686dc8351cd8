#include "prometheus_index.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_MIN 1024u

void prometheus_index_put(struct prometheus_index *index, struct prometheus_series *series)
{
    size_t mask = index->slot_count - 1;
    size_t at = (size_t)index->hash_of(series) & mask;
    while (index->slots[at] != NULL) {
        at = (at + 1) & mask;
    }
    index->slots[at] = series;
    index->count++;
}

enum hf_status prometheus_index_reserve(struct prometheus_index *index)
{
    if (index->slot_count > 0 && (index->count + 1) * 4 <= index->slot_count * 3) {
        return HF_OK;
    }
    struct prometheus_index grown = {.hash_of = index->hash_of};
    grown.slot_count = index->slot_count != 0 ? 2 * index->slot_count : SLOTS_MIN;
    grown.slots = calloc(grown.slot_count, sizeof(struct prometheus_series *));
    if (grown.slots == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < index->slot_count; i++) {
        if (index->slots[i] != NULL) {
            prometheus_index_put(&grown, index->slots[i]);
        }
    }
    free(index->slots);
    *index = grown;
    return HF_OK;
}

void prometheus_index_remove(struct prometheus_index *index, const struct prometheus_series *series)
{
    size_t mask = index->slot_count - 1;
    size_t hole = (size_t)index->hash_of(series) & mask;
    while (index->slots[hole] != series) {
        assert(index->slots[hole] != NULL);
        hole = (hole + 1) & mask;
    }
    for (size_t at = (hole + 1) & mask; index->slots[at] != NULL; at = (at + 1) & mask) {
        size_t wanted = (size_t)index->hash_of(index->slots[at]) & mask;
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = NULL;
    index->count--;
}

void prometheus_index_clear(struct prometheus_index *index)
{
    free(index->slots);
    *index = (struct prometheus_index){.hash_of = index->hash_of};
}
