#include "spanmetrics_table.h"

#include <stdlib.h>
#include <string.h>

#include "support/state/table_hash.h"

#define SIZE_LEAST 64u
#define CACHE_LINE 64u

/* ---- buckets ---- */

static bool grow_resources(struct spanmetrics_table *table)
{
    size_t size = table->resource_size == 0 ? SIZE_LEAST : 2 * table->resource_size;
    struct spanmetrics_resource **buckets = calloc(size, sizeof(struct spanmetrics_resource *));
    if (buckets == NULL) {
        return table->resource_size != 0; /* slower, but it works */
    }
    for (struct spanmetrics_resource *one = table->first; one != NULL; one = one->next) {
        one->next_in_bucket = buckets[one->hash & (size - 1)];
        buckets[one->hash & (size - 1)] = one;
    }
    free(table->resources);
    table->resources = buckets;
    table->resource_size = size;
    return true;
}

static bool grow_series(struct spanmetrics_table *table)
{
    size_t size = table->series_size == 0 ? SIZE_LEAST : 2 * table->series_size;
    struct spanmetrics_series **buckets = calloc(size, sizeof(struct spanmetrics_series *));
    if (buckets == NULL) {
        return table->series_size != 0;
    }
    for (size_t i = 0; i < table->series_size; i++) {
        struct spanmetrics_series *next = NULL;
        for (struct spanmetrics_series *one = table->series[i]; one != NULL; one = next) {
            next = one->next_in_bucket;
            one->next_in_bucket = buckets[one->hash & (size - 1)];
            buckets[one->hash & (size - 1)] = one;
        }
    }
    free(table->series);
    table->series = buckets;
    table->series_size = size;
    return true;
}

/* ---- resources ---- */

static void append_use(struct spanmetrics_table *table, struct spanmetrics_resource *resource)
{
    resource->older = table->newest;
    resource->newer = NULL;
    if (table->newest != NULL) {
        table->newest->newer = resource;
    } else {
        table->oldest = resource;
    }
    table->newest = resource;
}

static void unlink_use(struct spanmetrics_table *table, struct spanmetrics_resource *resource)
{
    *(resource->older != NULL ? &resource->older->newer : &table->oldest) = resource->newer;
    *(resource->newer != NULL ? &resource->newer->older : &table->newest) = resource->older;
}

static void evict_oldest(struct spanmetrics_table *table)
{
    struct spanmetrics_resource *resource = table->oldest;
    unlink_use(table, resource);
    resource->eviction = SPANMETRICS_EVICTED;
    table->evicted_count++;
}

static void use(struct spanmetrics_table *table, struct spanmetrics_resource *resource)
{
    if (resource->eviction == SPANMETRICS_STAYS) {
        unlink_use(table, resource);
    } else {
        resource->eviction = SPANMETRICS_STAYS;
        table->evicted_count--;
    }
    append_use(table, resource);
}

static struct spanmetrics_resource *find_resource(const struct spanmetrics_table *table,
                                                  struct hf_slice key, uint64_t hash)
{
    struct spanmetrics_resource *one =
        table->resource_size != 0 ? table->resources[hash & (table->resource_size - 1)] : NULL;
    while (one != NULL &&
           (one->hash != hash || !hf_slice_equal(hf_slice_of(one->bytes, one->key_size), key))) {
        one = one->next_in_bucket;
    }
    return one;
}

static void copy(uint8_t *to, struct hf_slice from)
{
    if (from.size != 0) {
        memcpy(to, from.data, from.size);
    }
}

static struct spanmetrics_resource *add_resource(struct spanmetrics_table *table,
                                                 const struct spanmetrics_new_resource *wanted,
                                                 uint64_t hash)
{
    if (table->resource_count >= table->resource_size && !grow_resources(table)) {
        return NULL;
    }
    struct spanmetrics_resource *resource =
        calloc(1, sizeof(*resource) + wanted->key.size + wanted->attributes.size);
    if (resource == NULL) {
        return NULL;
    }
    resource->hash = hash;
    resource->key_size = (uint32_t)wanted->key.size;
    resource->attributes_size = (uint32_t)wanted->attributes.size;
    copy(resource->bytes, wanted->key);
    copy(resource->bytes + wanted->key.size, wanted->attributes);
    struct spanmetrics_resource **bucket = &table->resources[hash & (table->resource_size - 1)];
    resource->next_in_bucket = *bucket;
    *bucket = resource;
    resource->previous = table->last;
    *(table->last != NULL ? &table->last->next : &table->first) = resource;
    table->last = resource;
    table->resource_count++;
    append_use(table, resource);
    return resource;
}

enum hf_status spanmetrics_table_resource(struct spanmetrics_table *table,
                                          const struct spanmetrics_new_resource *wanted,
                                          struct spanmetrics_resource **ret_resource)
{
    uint64_t hash = hf_table_hash(table->hash_key, wanted->key.data, wanted->key.size);
    struct spanmetrics_resource *resource = find_resource(table, wanted->key, hash);
    bool is_known = resource != NULL;
    bool is_full = table->resource_count - table->evicted_count >= table->resource_max;
    bool evicts = is_full && (!is_known || resource->eviction != SPANMETRICS_STAYS);
    if (evicts && !is_known && table->evicted_count >= table->resource_max) {
        return HF_FULL;
    }
    if (is_known) {
        use(table, resource);
    } else {
        resource = add_resource(table, wanted, hash);
    }
    if (resource == NULL) {
        return HF_NOMEM;
    }
    if (evicts) {
        evict_oldest(table);
    }
    resource->seen_ns = wanted->now_ns;
    *ret_resource = resource;
    return HF_OK;
}

/* ---- series ---- */

uint64_t spanmetrics_table_hash(const struct spanmetrics_table *table,
                                const struct spanmetrics_resource *resource,
                                enum spanmetrics_metric metric, struct hf_slice key)
{
    return hf_table_hash(table->hash_key ^ resource->hash ^ (uint64_t)metric, key.data, key.size);
}

struct spanmetrics_series *spanmetrics_table_find(const struct spanmetrics_table *table,
                                                  const struct spanmetrics_resource *resource,
                                                  enum spanmetrics_metric metric,
                                                  struct hf_slice key, uint64_t hash)
{
    struct spanmetrics_series *one =
        table->series_size != 0 ? table->series[hash & (table->series_size - 1)] : NULL;
    while (one != NULL &&
           (one->hash != hash || one->resource != resource || one->metric != metric ||
            one->is_overflow || !hf_slice_equal(hf_slice_of(one->bytes, one->key_size), key))) {
        one = one->next_in_bucket;
    }
    return one;
}

void spanmetrics_table_fetch_bucket(const struct spanmetrics_table *table, uint64_t hash)
{
    if (table->series_size != 0) {
        __builtin_prefetch(&table->series[hash & (table->series_size - 1)]);
    }
}

void spanmetrics_series_fetch(const struct spanmetrics_series *series)
{
    __builtin_prefetch(series, 1);
    __builtin_prefetch(&series->count, 1);
    __builtin_prefetch(&series->bytes[CACHE_LINE / 2]);
}

void spanmetrics_table_fetch_series(const struct spanmetrics_table *table, uint64_t hash)
{
    if (table->series_size != 0 && table->series[hash & (table->series_size - 1)] != NULL) {
        spanmetrics_series_fetch(table->series[hash & (table->series_size - 1)]);
    }
}

bool spanmetrics_table_has_room(const struct spanmetrics_table *table,
                                const struct spanmetrics_resource *resource,
                                enum spanmetrics_metric metric)
{
    return table->series_count < table->series_max &&
           (table->cardinality_max == 0 ||
            resource->metrics[metric].count < table->cardinality_max);
}

static void free_series(struct spanmetrics_series *series)
{
    if (series != NULL) {
        free(series->distribution);
        free(series->exemplars);
    }
    free(series);
}

static void link_series(struct spanmetrics_table *table, struct spanmetrics_series *series)
{
    struct spanmetrics_series_list *list = &series->resource->metrics[series->metric];
    struct spanmetrics_series **bucket = &table->series[series->hash & (table->series_size - 1)];
    series->next_in_bucket = *bucket;
    *bucket = series;
    series->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = series;
    list->last = series;
    list->overflow = series->is_overflow ? series : list->overflow;
    list->count++;
    table->series_count++;
}

enum hf_status spanmetrics_table_add(struct spanmetrics_table *table,
                                     struct spanmetrics_resource *resource,
                                     const struct spanmetrics_new_series *wanted,
                                     struct spanmetrics_series **ret_series)
{
    if (table->series_count >= table->series_size && !grow_series(table)) {
        return HF_NOMEM;
    }
    struct spanmetrics_series *series =
        calloc(1, sizeof(*series) + wanted->key.size + wanted->attributes.size);
    if (series != NULL && wanted->metric == SPANMETRICS_DURATION) {
        series->distribution = hf_distribution_new(&table->form);
    }
    if (series == NULL || (wanted->metric == SPANMETRICS_DURATION && !series->distribution)) {
        free_series(series);
        return HF_NOMEM;
    }
    series->resource = resource;
    series->hash = wanted->hash;
    series->start_ns = wanted->now_ns;
    series->seen_ns = wanted->now_ns;
    series->metric = (uint8_t)wanted->metric;
    series->is_overflow = wanted->is_overflow;
    series->is_new = true;
    series->key_size = (uint32_t)wanted->key.size;
    series->attributes_size = (uint32_t)wanted->attributes.size;
    copy(series->bytes, wanted->key);
    copy(series->bytes + wanted->key.size, wanted->attributes);
    link_series(table, series);
    *ret_series = series;
    return HF_OK;
}

/* ---- removing ---- */

void spanmetrics_table_remove_series(struct spanmetrics_table *table,
                                     struct spanmetrics_series *series)
{
    struct spanmetrics_series_list *list = &series->resource->metrics[series->metric];
    struct spanmetrics_series **at = &table->series[series->hash & (table->series_size - 1)];
    while (*at != series) {
        at = &(*at)->next_in_bucket;
    }
    *at = series->next_in_bucket;
    *(series->previous != NULL ? &series->previous->next : &list->first) = series->next;
    *(series->next != NULL ? &series->next->previous : &list->last) = series->previous;
    list->overflow = list->overflow == series ? NULL : list->overflow;
    list->count--;
    table->series_count--;
    if (series->twin != NULL) {
        series->twin->twin = NULL;
    }
    free_series(series);
}

void spanmetrics_table_remove_resource(struct spanmetrics_table *table,
                                       struct spanmetrics_resource *resource)
{
    for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
        while (resource->metrics[i].first != NULL) {
            spanmetrics_table_remove_series(table, resource->metrics[i].first);
        }
    }
    struct spanmetrics_resource **at =
        &table->resources[resource->hash & (table->resource_size - 1)];
    while (*at != resource) {
        at = &(*at)->next_in_bucket;
    }
    *at = resource->next_in_bucket;
    *(resource->previous != NULL ? &resource->previous->next : &table->first) = resource->next;
    *(resource->next != NULL ? &resource->next->previous : &table->last) = resource->previous;
    if (resource->eviction == SPANMETRICS_STAYS) {
        unlink_use(table, resource);
    } else {
        table->evicted_count--;
    }
    table->resource_count--;
    free(resource);
}

void spanmetrics_table_clear(struct spanmetrics_table *table)
{
    while (table->first != NULL) {
        spanmetrics_table_remove_resource(table, table->first);
    }
    free(table->resources);
    free(table->series);
    table->resources = NULL;
    table->series = NULL;
    table->resource_size = 0;
    table->series_size = 0;
}
