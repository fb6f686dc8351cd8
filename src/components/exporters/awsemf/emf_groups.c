#include "emf_groups.h"

#include <stdlib.h>
#include <string.h>

int emf_compare_slices(struct hf_slice a, struct hf_slice b)
{
    return hf_slice_compare(a, b);
}

const struct emf_label *emf_labels_find(const struct emf_labels *labels, struct hf_slice key)
{
    size_t low = 0, high = labels->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = emf_compare_slices(labels->items[middle].key, key);
        if (order == 0) {
            return &labels->items[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

void emf_labels_settle(struct emf_labels *labels)
{
    /* By insertion, which keeps the order of the same keys; points have few labels. */
    for (size_t i = 1; i < labels->count; i++) {
        struct emf_label moved = labels->items[i];
        size_t at = i;
        while (at > 0 && emf_compare_slices(labels->items[at - 1].key, moved.key) > 0) {
            labels->items[at] = labels->items[at - 1];
            at--;
        }
        labels->items[at] = moved;
    }
    size_t kept = 0;
    for (size_t i = 0; i < labels->count; i++) {
        bool is_same =
            kept != 0 && hf_slice_equal(labels->items[kept - 1].key, labels->items[i].key);
        labels->items[is_same ? kept - 1 : kept] = labels->items[i];
        kept += is_same ? 0 : 1;
    }
    labels->count = kept;
}

struct hf_hash emf_labels_hash(const struct emf_labels *labels)
{
    struct hf_hash hash = {0};
    for (size_t i = 0; i < labels->count; i++) {
        hash = hf_hash_add(hash, hf_hash_pair(labels->items[i].key, labels->items[i].value));
    }
    return hash;
}

/* ---- groups ---- */

void emf_groups_reset(struct emf_groups *groups)
{
    groups->count = 0;
    if (groups->table != NULL) {
        memset(groups->table, 0, groups->table_size * sizeof(*groups->table));
    }
}

void emf_groups_release(struct emf_groups *groups)
{
    free(groups->list);
    free(groups->table);
}

static size_t slot_of(const struct emf_groups *groups, struct hf_hash key)
{
    size_t slot = (size_t)key.low & (groups->table_size - 1);
    while (groups->table[slot] != 0 &&
           !hf_hash_equal(groups->list[groups->table[slot] - 1]->key, key)) {
        slot = (slot + 1) & (groups->table_size - 1);
    }
    return slot;
}

static bool grow(struct emf_groups *groups)
{
    size_t capacity = groups->capacity != 0 ? 2 * groups->capacity : 64;
    struct emf_group **list = reallocarray(groups->list, capacity, sizeof(struct emf_group *));
    if (list == NULL) {
        return false;
    }
    groups->list = list;
    uint32_t *table = calloc(2 * capacity, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    free(groups->table);
    groups->table = table;
    groups->table_size = 2 * capacity;
    groups->capacity = capacity;
    for (size_t i = 0; i < groups->count; i++) {
        groups->table[slot_of(groups, groups->list[i]->key)] = (uint32_t)i + 1;
    }
    return true;
}

static struct hf_hash key_of(const struct emf_addition *addition, uint32_t copy)
{
    const struct emf_place *place = addition->place;
    struct hf_hash key = emf_labels_hash(&addition->labels);
    key = hf_hash_mix(key, hf_hash_pair(place->group, place->stream));
    key = hf_hash_mix(key, hf_hash_of(place->namespace));
    key = hf_hash_mix(key, (struct hf_hash){(uint64_t)place->time_ms, place->metric_kind});
    return hf_hash_mix(key, (struct hf_hash){addition->part, copy});
}

static struct emf_group *new_group(struct emf_groups *groups, const struct emf_addition *addition,
                                   struct hf_hash key, size_t slot)
{
    struct emf_group *group = hf_arena_take(groups->arena, sizeof(*group));
    if (group != NULL) {
        *group =
            (struct emf_group){.key = key, .labels = addition->labels, .place = *addition->place};
        groups->list[groups->count++] = group;
        groups->table[slot] = (uint32_t)groups->count;
    }
    return group;
}

static bool has_metric(const struct emf_group *group, struct hf_slice name)
{
    const struct emf_metric *metric = group->metrics;
    while (metric != NULL && !hf_slice_equal(metric->name, name)) {
        metric = metric->next;
    }
    return metric != NULL;
}

static enum hf_status append(struct emf_groups *groups, struct emf_group *group,
                             const struct emf_addition *addition)
{
    struct emf_metric *metric = hf_arena_take(groups->arena, sizeof(*metric));
    struct emf_item *item = hf_arena_take(groups->arena, sizeof(*item));
    if (metric == NULL || item == NULL) {
        return HF_NOMEM;
    }
    *metric = (struct emf_metric){addition->name, addition->unit, addition->data, NULL};
    *item = (struct emf_item){addition->item, group->items};
    group->items = item;
    if (group->last != NULL) {
        group->last->next = metric;
    } else {
        group->metrics = metric;
    }
    group->last = metric;
    group->metric_count++;
    return HF_OK;
}

/* The group of that key, made when it is new; NULL: no memory. */
static struct emf_group *find_group(struct emf_groups *groups, const struct emf_addition *addition,
                                    uint32_t copy)
{
    if (groups->count == groups->capacity && !grow(groups)) {
        return NULL;
    }
    struct hf_hash key = key_of(addition, copy);
    size_t slot = slot_of(groups, key);
    return groups->table[slot] != 0 ? groups->list[groups->table[slot] - 1]
                                    : new_group(groups, addition, key, slot);
}

enum hf_status emf_groups_add(struct emf_groups *groups, const struct emf_addition *addition)
{
    struct emf_group *first = find_group(groups, addition, 0), *group = first;
    if (first != NULL && has_metric(first, addition->name)) {
        group = first->copies != 0 ? find_group(groups, addition, first->copies) : NULL;
        if (first->copies == 0 || (group != NULL && has_metric(group, addition->name))) {
            group = find_group(groups, addition, ++first->copies);
        }
    }
    return group != NULL ? append(groups, group, addition) : HF_NOMEM;
}
