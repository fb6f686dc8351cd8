#include "table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define BUCKETS_LEAST 256u

struct object;

/* A key. The first key of an object is its identity. */
struct entry {
    struct entry *next;    /* of the bucket */
    struct entry *sibling; /* of the object */
    struct object *object;
    uint64_t hash;
    uint32_t size;
    uint8_t bytes[];
};

struct object {
    struct k8s_record *record;
    struct entry *entries;
    uint64_t forget_ns; /* 0: it is there */
};

struct k8s_table {
    pthread_rwlock_t lock; /* of what follows, for readers */
    struct entry **buckets;
    size_t bucket_count, size;
    size_t gone_count; /* the changing thread's */
};

enum hf_status k8s_table_new(struct k8s_table **ret_table)
{
    struct k8s_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return HF_NOMEM;
    }
    table->bucket_count = BUCKETS_LEAST;
    table->buckets = calloc(table->bucket_count, sizeof(struct entry *));
    if (table->buckets == NULL || pthread_rwlock_init(&table->lock, NULL) != 0) {
        free(table->buckets);
        free(table);
        return HF_NOMEM;
    }
    *ret_table = table;
    return HF_OK;
}

static void free_object(struct object *object)
{
    if (object == NULL) {
        return;
    }
    while (object->entries != NULL) {
        struct entry *entry = object->entries;
        object->entries = entry->sibling;
        free(entry);
    }
    if (object->record != NULL) {
        hf_ref_drop(&object->record->ref);
    }
    free(object);
}

void k8s_table_free(struct k8s_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct entry *entry = table->buckets[i];
        while (entry != NULL) {
            struct entry *next = entry->next;
            struct object *object = entry->object;
            /* An object goes with its last key. */
            struct entry **place = &object->entries;
            while (*place != entry) {
                place = &(*place)->sibling;
            }
            *place = entry->sibling;
            free(entry);
            if (object->entries == NULL) {
                free_object(object);
            }
            entry = next;
        }
    }
    pthread_rwlock_destroy(&table->lock);
    free(table->buckets);
    free(table);
}

static bool has_key(const struct entry *entry, uint64_t hash, struct hf_slice key)
{
    return entry->hash == hash && entry->size == key.size &&
           memcmp(entry->bytes, key.data, key.size) == 0;
}

static bool is_better(const struct object *one, const struct object *other)
{
    if (other == NULL || (one->forget_ns == 0) != (other->forget_ns == 0)) {
        return other == NULL || one->forget_ns == 0;
    }
    return one->record->rank > other->record->rank;
}

struct k8s_record *k8s_table_find(struct k8s_table *table, struct hf_slice key)
{
    uint64_t hash = hf_hash_64(key);
    const struct object *best = NULL;
    struct k8s_record *record = NULL;
    pthread_rwlock_rdlock(&table->lock);
    const struct entry *entry = table->buckets[hash & (table->bucket_count - 1)];
    for (; entry != NULL; entry = entry->next) {
        if (has_key(entry, hash, key) && is_better(entry->object, best)) {
            best = entry->object;
        }
    }
    if (best != NULL) {
        record = best->record;
        hf_ref_take(&record->ref);
    }
    pthread_rwlock_unlock(&table->lock);
    return record;
}

static bool add_key(struct object *object, struct hf_slice key)
{
    struct entry *entry = malloc(sizeof(*entry) + key.size);
    if (entry == NULL) {
        return false;
    }
    *entry = (struct entry){.object = object,
                            .sibling = object->entries,
                            .hash = hf_hash_64(key),
                            .size = (uint32_t)key.size};
    memcpy(entry->bytes, key.data, key.size);
    object->entries = entry;
    return true;
}

static struct object *find_object(const struct k8s_table *table, struct hf_slice identity)
{
    uint64_t hash = hf_hash_64(identity);
    const struct entry *entry = table->buckets[hash & (table->bucket_count - 1)];
    while (entry != NULL && !has_key(entry, hash, identity)) {
        entry = entry->next;
    }
    return entry != NULL ? entry->object : NULL;
}

static void link_object(struct k8s_table *table, struct object *object)
{
    for (struct entry *entry = object->entries; entry != NULL; entry = entry->sibling) {
        struct entry **bucket = &table->buckets[entry->hash & (table->bucket_count - 1)];
        entry->next = *bucket;
        *bucket = entry;
        table->size++;
    }
}

static void unlink_object(struct k8s_table *table, const struct object *object)
{
    for (struct entry *entry = object->entries; entry != NULL; entry = entry->sibling) {
        struct entry **place = &table->buckets[entry->hash & (table->bucket_count - 1)];
        while (*place != entry) {
            place = &(*place)->next;
        }
        *place = entry->next;
        table->size--;
    }
}

/* Twice the buckets. Without memory for them the chains grow instead. */
static void grow(struct k8s_table *table)
{
    size_t count = table->bucket_count * 2;
    struct entry **wider = calloc(count, sizeof(struct entry *));
    if (wider == NULL) {
        return;
    }
    pthread_rwlock_wrlock(&table->lock);
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct entry *entry = table->buckets[i];
        while (entry != NULL) {
            struct entry *next = entry->next;
            entry->next = wider[entry->hash & (count - 1)];
            wider[entry->hash & (count - 1)] = entry;
            entry = next;
        }
    }
    struct entry **old = table->buckets;
    table->buckets = wider;
    table->bucket_count = count;
    pthread_rwlock_unlock(&table->lock);
    free(old);
}

enum hf_status k8s_table_put(struct k8s_table *table, struct hf_slice identity,
                             struct k8s_record *record, const struct hf_slice *keys,
                             size_t key_count)
{
    struct object *object = calloc(1, sizeof(*object));
    bool made = object != NULL && add_key(object, identity);
    for (size_t i = 0; i < key_count && made; i++) {
        made = add_key(object, keys[i]);
    }
    if (!made) {
        free_object(object);
        hf_ref_drop(&record->ref);
        return HF_NOMEM;
    }
    object->record = record;
    struct object *old = find_object(table, identity);
    pthread_rwlock_wrlock(&table->lock);
    if (old != NULL) {
        unlink_object(table, old);
    }
    link_object(table, object);
    pthread_rwlock_unlock(&table->lock);
    if (old != NULL && old->forget_ns != 0) {
        table->gone_count--;
    }
    free_object(old);
    if (table->size > table->bucket_count) {
        grow(table);
    }
    return HF_OK;
}

static void forget(struct k8s_table *table, struct object *object)
{
    pthread_rwlock_wrlock(&table->lock);
    unlink_object(table, object);
    pthread_rwlock_unlock(&table->lock);
    free_object(object);
}

void k8s_table_remove(struct k8s_table *table, struct hf_slice identity, uint64_t now_ns,
                      uint64_t grace_ns)
{
    struct object *object = find_object(table, identity);
    if (object == NULL || object->forget_ns != 0) {
        return;
    }
    if (grace_ns == 0) {
        forget(table, object);
        return;
    }
    pthread_rwlock_wrlock(&table->lock);
    object->forget_ns = now_ns + grace_ns;
    pthread_rwlock_unlock(&table->lock);
    table->gone_count++;
}

void k8s_table_sweep(struct k8s_table *table, uint64_t now_ns)
{
    for (size_t i = 0; i < table->bucket_count && table->gone_count != 0; i++) {
        struct entry *entry = table->buckets[i];
        while (entry != NULL) {
            struct object *object = entry->object;
            if (object->forget_ns != 0 && object->forget_ns <= now_ns) {
                table->gone_count--;
                forget(table, object);
                entry = table->buckets[i]; /* its other keys may have been in the chain */
            } else {
                entry = entry->next;
            }
        }
    }
}

size_t k8s_table_size(const struct k8s_table *table)
{
    return table->size;
}
