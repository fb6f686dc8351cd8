/*
 * trace_table: chained buckets, so that a trace is one allocation and stays where it is.
 */
#include "trace_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SIZE_LEAST 1024u

/* ---- hashing ---- */

static uint64_t secret; /* written once, before the first table's thread */

void hf_trace_seed(void)
{
    while (secret == 0) {
        if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret)) {
            secret = UINT64_C(0x9e3779b97f4a7c15);
        }
    }
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t hf_trace_hash(const uint8_t *id)
{
    uint64_t parts[2];
    memcpy(parts, id, sizeof(parts));
    return mix(mix(parts[0] ^ secret) ^ parts[1]);
}

/* ---- traces ---- */

struct hf_trace *hf_trace_find(const struct hf_trace_table *table, const uint8_t *id)
{
    if (table->size == 0) {
        return NULL;
    }
    struct hf_trace *trace = table->buckets[hf_trace_hash(id) & (table->size - 1)];
    while (trace != NULL && memcmp(trace->id, id, HF_TRACE_ID_SIZE) != 0) {
        trace = trace->next_in_bucket;
    }
    return trace;
}

static bool grow(struct hf_trace_table *table)
{
    size_t size = table->size == 0 ? SIZE_LEAST : table->size * 2;
    struct hf_trace **buckets = calloc(size, sizeof(struct hf_trace *));
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->size; i++) {
        struct hf_trace *next = NULL;
        for (struct hf_trace *trace = table->buckets[i]; trace != NULL; trace = next) {
            struct hf_trace **bucket = &buckets[hf_trace_hash(trace->id) & (size - 1)];
            next = trace->next_in_bucket;
            trace->next_in_bucket = *bucket;
            *bucket = trace;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
    return true;
}

struct hf_trace *hf_trace_add(struct hf_trace_table *table, const uint8_t *id)
{
    if (table->count >= table->size && !grow(table) && table->size == 0) {
        return NULL;
    }
    struct hf_trace *trace = calloc(1, sizeof(*trace));
    if (trace == NULL) {
        return NULL;
    }
    struct hf_trace **bucket = &table->buckets[hf_trace_hash(id) & (table->size - 1)];
    memcpy(trace->id, id, HF_TRACE_ID_SIZE);
    trace->next_in_bucket = *bucket;
    *bucket = trace;
    table->count++;
    return trace;
}

void hf_trace_remove(struct hf_trace_table *table, struct hf_trace *trace)
{
    struct hf_trace **at = &table->buckets[hf_trace_hash(trace->id) & (table->size - 1)];
    while (*at != trace) {
        at = &(*at)->next_in_bucket;
    }
    *at = trace->next_in_bucket;
    table->count--;
    free(trace);
}

void hf_trace_table_release(struct hf_trace_table *table)
{
    for (size_t i = 0; i < table->size; i++) {
        struct hf_trace *next = NULL;
        for (struct hf_trace *trace = table->buckets[i]; trace != NULL; trace = next) {
            next = trace->next_in_bucket;
            free(trace);
        }
    }
    free(table->buckets);
    *table = (struct hf_trace_table){0};
}

/* ---- ids ---- */

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
