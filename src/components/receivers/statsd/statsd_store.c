#include "statsd_store.h"

#include <stdlib.h>

#define TABLE_SIZE_FIRST 1024u

enum hf_status statsd_store_init(struct statsd_store *store, const struct statsd_config *config,
                                 const struct statsd_rules *rules, uint64_t now_ns)
{
    *store = (struct statsd_store){.config = config,
                                   .rules = rules,
                                   .arena = {.limit = STATSD_BYTES_MAX},
                                   .table_size = TABLE_SIZE_FIRST,
                                   .begun_ns = now_ns,
                                   .random = now_ns | 1};
    store->end = &store->first;
    store->table = calloc(store->table_size, sizeof(struct statsd_series *));
    return store->table != NULL ? HF_OK : HF_NOMEM;
}

void statsd_store_clear(struct statsd_store *store, uint64_t now_ns)
{
    for (struct statsd_sender *sender = store->first; sender != NULL; sender = sender->next) {
        for (struct statsd_series *series = sender->first; series != NULL; series = series->next) {
            free(series->positive);
            free(series->negative);
        }
    }
    memset(store->senders, 0, sizeof(store->senders));
    memset(store->table, 0, store->table_size * sizeof(struct statsd_series *));
    hf_arena_reset(&store->arena);
    store->distribution_bytes = store->count = 0;
    store->first = store->recent = NULL;
    store->end = &store->first;
    store->begun_ns = now_ns;
}

void statsd_store_release(struct statsd_store *store)
{
    if (store->table != NULL) {
        statsd_store_clear(store, 0);
        free(store->table);
        store->table = NULL;
    }
    hf_arena_release(&store->arena);
}

struct statsd_sender *statsd_store_sender(struct statsd_store *store, const char *address)
{
    struct statsd_sender *sender = store->recent;
    if (sender != NULL && strcmp(sender->text, address) == 0) {
        return sender;
    }
    struct hf_hash hash = hf_hash_of(hf_slice_text(address));
    struct statsd_sender **bucket = &store->senders[hash.low % STATSD_SENDER_BUCKETS];
    for (sender = *bucket; sender != NULL && !hf_hash_equal(sender->hash, hash);) {
        sender = sender->bucket;
    }
    if (sender == NULL) {
        sender = hf_arena_take(&store->arena, sizeof(*sender));
        if (sender == NULL) {
            return NULL;
        }
        *sender = (struct statsd_sender){.hash = hash, .bucket = *bucket};
        *bucket = sender;
        sender->end = &sender->first;
        size_t size = strnlen(address, STATSD_SENDER_MAX - 1);
        memcpy(sender->text, address, size);
        *store->end = sender;
        store->end = &sender->next;
    }
    store->recent = sender;
    return sender;
}

/* ---- series ---- */

static bool grow_table(struct statsd_store *store)
{
    size_t size = 2 * store->table_size;
    struct statsd_series **table = calloc(size, sizeof(struct statsd_series *));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < store->table_size; i++) {
        for (struct statsd_series *series = store->table[i]; series != NULL;) {
            struct statsd_series *next = series->bucket;
            struct statsd_series **bucket = &table[series->key.low & (size - 1)];
            series->bucket = *bucket;
            *bucket = series;
            series = next;
        }
    }
    free(store->table);
    store->table = table;
    store->table_size = size;
    return true;
}

static struct hf_hash key_of(const struct statsd_sender *sender,
                             const struct statsd_identity *identity)
{
    const uint8_t kind[] = {(uint8_t)identity->shape, (uint8_t)identity->type, identity->is_float};
    struct hf_hash key = hf_hash_mix(sender->hash, hf_hash_of(hf_slice_of(kind, sizeof(kind))));
    key = hf_hash_mix(key, hf_hash_pair(identity->name, identity->tags));
    struct hf_slice bounds =
        hf_slice_of(identity->bounds, identity->bound_count * sizeof(identity->bounds[0]));
    return bounds.size != 0 ? hf_hash_mix(key, hf_hash_of(bounds)) : key;
}

static bool copy_into(struct hf_arena *arena, struct hf_slice from, struct hf_slice *ret_copy)
{
    uint8_t *copy = hf_arena_take(arena, from.size + 1);
    if (copy != NULL && from.size != 0) {
        memcpy(copy, from.data, from.size);
    }
    *ret_copy = hf_slice_of(copy, from.size);
    return copy != NULL;
}

static struct statsd_series *make_series(struct statsd_store *store,
                                         const struct statsd_identity *identity)
{
    size_t bound_bytes = identity->bound_count * sizeof(identity->bounds[0]);
    size_t count_bytes = (identity->bound_count + 1) * sizeof(uint64_t);
    struct statsd_series *series = hf_arena_take(&store->arena, sizeof(*series));
    if (series == NULL) {
        return NULL;
    }
    *series =
        (struct statsd_series){.shape = identity->shape,
                               .type = identity->type,
                               .is_float = identity->is_float,
                               .form = {.is_exponential = true, .size_max = identity->size_max}};
    if (identity->shape == STATSD_EXPLICIT) {
        struct hf_slice bounds;
        series->counts = hf_arena_take(&store->arena, count_bytes);
        if (series->counts == NULL ||
            !copy_into(&store->arena, hf_slice_of(identity->bounds, bound_bytes), &bounds)) {
            return NULL;
        }
        memset(series->counts, 0, count_bytes);
        series->bounds = (const double *)(const void *)bounds.data;
        series->bound_count = identity->bound_count;
    }
    bool copied = copy_into(&store->arena, identity->name, &series->name) &&
                  copy_into(&store->arena, identity->tags, &series->tags);
    return copied ? series : NULL;
}

struct statsd_series *statsd_store_need(struct statsd_store *store, struct statsd_sender *sender,
                                        const struct statsd_identity *identity, bool *ret_is_new)
{
    struct hf_hash key = key_of(sender, identity);
    struct statsd_series *series = store->table[key.low & (store->table_size - 1)];
    while (series != NULL && !hf_hash_equal(series->key, key)) {
        series = series->bucket;
    }
    *ret_is_new = series == NULL;
    if (series != NULL) {
        return series;
    }
    if (store->count >= store->table_size && !grow_table(store)) {
        return NULL;
    }
    series = make_series(store, identity);
    if (series == NULL) {
        return NULL;
    }
    struct statsd_series **bucket = &store->table[key.low & (store->table_size - 1)];
    series->key = key;
    series->bucket = *bucket;
    *bucket = series;
    *sender->end = series;
    sender->end = &series->next;
    store->count++;
    return series;
}

bool statsd_series_put(struct statsd_store *store, struct statsd_series *series,
                       struct statsd_value value)
{
    struct statsd_values *last = series->last_values;
    if (last == NULL || last->count == sizeof(last->items) / sizeof(last->items[0])) {
        last = hf_arena_take(&store->arena, sizeof(*last));
        if (last == NULL) {
            return false;
        }
        last->next = NULL;
        last->count = 0;
        if (series->last_values != NULL) {
            series->last_values->next = last;
        } else {
            series->first_values = last;
        }
        series->last_values = last;
    }
    last->items[last->count++] = value;
    series->value_count++;
    return true;
}
