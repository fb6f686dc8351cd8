#include "remote_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8u /* places for a hash */

struct entry {
    uint64_t key, used; /* `used` 0: empty */
    uint8_t *text;
    size_t size;
};

struct hf_prom_memory {
    pthread_mutex_t lock; /* of what follows */
    uint64_t uses;
    size_t sets, text_max;
    struct entry entries[];
};

struct hf_prom_memory *hf_prom_memory_new(size_t entries, size_t text_max)
{
    assert(entries != 0 && entries % WAYS == 0);
    struct hf_prom_memory *memory =
        calloc(1, sizeof(*memory) + entries * sizeof(memory->entries[0]));
    if (memory == NULL) {
        return NULL;
    }
    pthread_mutex_init(&memory->lock, NULL);
    memory->sets = entries / WAYS;
    memory->text_max = text_max;
    return memory;
}

void hf_prom_memory_free(struct hf_prom_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    for (size_t i = 0; i < memory->sets * WAYS; i++) {
        free(memory->entries[i].text);
    }
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

/* The entry of the key, or the one that makes room for it. */
static struct entry *find(struct hf_prom_memory *memory, uint64_t key)
{
    struct entry *set = &memory->entries[key % memory->sets * WAYS];
    struct entry *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used != 0 && set[i].key == key) {
            return &set[i];
        }
        oldest = set[i].used < oldest->used ? &set[i] : oldest;
    }
    return oldest;
}

void hf_prom_memory_put(struct hf_prom_memory *memory, uint64_t key, struct hf_slice text)
{
    if (text.size == 0 || text.size > memory->text_max) {
        return;
    }
    pthread_mutex_lock(&memory->lock);
    struct entry *entry = find(memory, key);
    bool is_same = entry->used != 0 && entry->key == key &&
                   hf_slice_equal(hf_slice_of(entry->text, entry->size), text);
    uint8_t *copy = is_same ? NULL : malloc(text.size);
    if (copy != NULL) {
        memcpy(copy, text.data, text.size);
        free(entry->text);
        *entry = (struct entry){.key = key, .text = copy, .size = text.size};
    }
    if (is_same || copy != NULL) {
        entry->used = ++memory->uses;
    }
    pthread_mutex_unlock(&memory->lock);
}

enum hf_status hf_prom_memory_get(struct hf_prom_memory *memory, uint64_t key,
                                  struct hf_arena *arena, struct hf_slice *ret_text)
{
    enum hf_status status = HF_OK;
    *ret_text = HF_EMPTY_SLICE;
    pthread_mutex_lock(&memory->lock);
    struct entry *entry = find(memory, key);
    if (entry->used != 0 && entry->key == key) {
        uint8_t *copy = hf_arena_take(arena, entry->size);
        if (copy == NULL) {
            status = HF_NOMEM;
        } else {
            memcpy(copy, entry->text, entry->size);
            *ret_text = hf_slice_of(copy, entry->size);
            entry->used = ++memory->uses;
        }
    }
    pthread_mutex_unlock(&memory->lock);
    return status;
}
