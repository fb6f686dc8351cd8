#include "id_memory.h"

#include <stdlib.h>
#include <string.h>

struct hf_id_entry {
    uint8_t id[HF_TRACE_ID_SIZE];
    uint32_t next; /* in the bucket, plus 1 */
};

static bool is_ready(struct hf_id_memory *memory)
{
    if (memory->entries == NULL && memory->limit != 0) {
        size_t size = 1;
        while (size < memory->limit) {
            size *= 2;
        }
        memory->entries = calloc(memory->limit, sizeof(*memory->entries));
        memory->buckets = calloc(size, sizeof(*memory->buckets));
        memory->size = size;
        if (memory->entries == NULL || memory->buckets == NULL) {
            size_t limit = memory->limit;
            hf_id_memory_release(memory);
            memory->limit = limit;
        }
    }
    return memory->entries != NULL;
}

static uint32_t *bucket_of(const struct hf_id_memory *memory, const uint8_t *id)
{
    return &memory->buckets[hf_trace_hash(id) & (memory->size - 1)];
}

static void forget(struct hf_id_memory *memory, size_t number)
{
    uint32_t *at = bucket_of(memory, memory->entries[number].id);
    while (*at != number + 1) {
        at = &memory->entries[*at - 1].next;
    }
    *at = memory->entries[number].next;
}

bool hf_id_memory_has(const struct hf_id_memory *memory, const uint8_t *id)
{
    uint32_t number = memory->entries != NULL ? *bucket_of(memory, id) : 0;
    while (number != 0 && memcmp(memory->entries[number - 1].id, id, HF_TRACE_ID_SIZE) != 0) {
        number = memory->entries[number - 1].next;
    }
    return number != 0;
}

void hf_id_memory_put(struct hf_id_memory *memory, const uint8_t *id)
{
    if (!is_ready(memory) || hf_id_memory_has(memory, id)) {
        return;
    }
    if (memory->count == memory->limit) {
        forget(memory, memory->at);
    } else {
        memory->count++;
    }
    uint32_t *bucket = bucket_of(memory, id);
    struct hf_id_entry *entry = &memory->entries[memory->at];
    memcpy(entry->id, id, HF_TRACE_ID_SIZE);
    entry->next = *bucket;
    *bucket = (uint32_t)memory->at + 1;
    memory->at = (memory->at + 1) % memory->limit;
}

void hf_id_memory_release(struct hf_id_memory *memory)
{
    free(memory->entries);
    free(memory->buckets);
    *memory = (struct hf_id_memory){0};
}
