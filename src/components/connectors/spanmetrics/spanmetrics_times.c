#include "spanmetrics_times.h"

#include <stdlib.h>
#include <string.h>

#include "support/state/table_hash.h"

/* Entries are numbered from 1; 0 is none. */
struct entry {
    uint64_t key[2], time_ns;
    uint32_t next_in_bucket, older, newer;
};

struct spanmetrics_times {
    size_t limit, count, room, size; /* size: buckets, 0 or a power of two */
    struct entry *entries;           /* [0] is not used */
    uint32_t *buckets;
    uint32_t oldest, newest;
};

/* The keys are stored over a restart: these numbers never change. */
static void hash(struct hf_slice key, uint64_t *ret_key)
{
    ret_key[0] = hf_table_hash(UINT64_C(0x243f6a8885a308d3), key.data, key.size);
    ret_key[1] = hf_table_hash(UINT64_C(0x13198a2e03707344), key.data, key.size);
}

enum hf_status spanmetrics_times_new(size_t limit, struct spanmetrics_times **ret_times)
{
    struct spanmetrics_times *times = calloc(1, sizeof(*times));
    if (times == NULL) {
        return HF_NOMEM;
    }
    times->limit = limit;
    *ret_times = times;
    return HF_OK;
}

void spanmetrics_times_clear(struct spanmetrics_times *times)
{
    free(times->entries);
    free(times->buckets);
    *times = (struct spanmetrics_times){.limit = times->limit};
}

void spanmetrics_times_free(struct spanmetrics_times *times)
{
    if (times != NULL) {
        spanmetrics_times_clear(times);
    }
    free(times);
}

static uint32_t *bucket_of(const struct spanmetrics_times *times, const uint64_t *key)
{
    return &times->buckets[key[0] & (times->size - 1)];
}

static uint32_t find(const struct spanmetrics_times *times, const uint64_t *key)
{
    uint32_t number = times->size != 0 ? *bucket_of(times, key) : 0;
    while (number != 0 && memcmp(times->entries[number].key, key, 2 * sizeof(*key)) != 0) {
        number = times->entries[number].next_in_bucket;
    }
    return number;
}

/* ---- the order of use ---- */

static void unlink_use(struct spanmetrics_times *times, uint32_t number)
{
    const struct entry *entry = &times->entries[number];
    *(entry->older != 0 ? &times->entries[entry->older].newer : &times->oldest) = entry->newer;
    *(entry->newer != 0 ? &times->entries[entry->newer].older : &times->newest) = entry->older;
}

static void append_use(struct spanmetrics_times *times, uint32_t number)
{
    times->entries[number].older = times->newest;
    times->entries[number].newer = 0;
    *(times->newest != 0 ? &times->entries[times->newest].newer : &times->oldest) = number;
    times->newest = number;
}

/* ---- entries ---- */

static bool grow(struct spanmetrics_times *times)
{
    size_t room = times->room == 0 ? 64 : 2 * times->room;
    room = room > times->limit ? times->limit : room;
    size_t size = 64;
    while (size < room) {
        size *= 2;
    }
    struct entry *entries = realloc(times->entries, (room + 1) * sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    times->entries = entries;
    uint32_t *buckets = calloc(size, sizeof(*buckets));
    if (buckets == NULL) {
        return false;
    }
    free(times->buckets);
    times->buckets = buckets;
    times->size = size;
    times->room = room;
    for (uint32_t number = 1; number <= times->count; number++) {
        uint32_t *bucket = bucket_of(times, entries[number].key);
        entries[number].next_in_bucket = *bucket;
        *bucket = number;
    }
    return true;
}

/* The number of an entry that is free; that of the oldest when there are as many as may be. 0: out
 * of memory. */
static uint32_t take_number(struct spanmetrics_times *times)
{
    if (times->count < times->limit) {
        return times->count == times->room && !grow(times) ? 0 : (uint32_t)++times->count;
    }
    uint32_t number = times->oldest;
    uint32_t *at = bucket_of(times, times->entries[number].key);
    while (*at != number) {
        at = &times->entries[*at].next_in_bucket;
    }
    *at = times->entries[number].next_in_bucket;
    unlink_use(times, number);
    return number;
}

static void put(struct spanmetrics_times *times, const uint64_t *key, uint64_t time_ns)
{
    uint32_t number = find(times, key);
    if (number != 0) {
        unlink_use(times, number);
    } else {
        number = take_number(times);
        if (number == 0) {
            return;
        }
        uint32_t *bucket = bucket_of(times, key);
        memcpy(times->entries[number].key, key, 2 * sizeof(*key));
        times->entries[number].next_in_bucket = *bucket;
        *bucket = number;
    }
    append_use(times, number);
    times->entries[number].time_ns = time_ns;
}

uint64_t spanmetrics_times_get(struct spanmetrics_times *times, struct hf_slice key)
{
    uint64_t hashed[2];
    hash(key, hashed);
    uint32_t number = find(times, hashed);
    if (number == 0) {
        return 0;
    }
    unlink_use(times, number);
    append_use(times, number);
    return times->entries[number].time_ns;
}

void spanmetrics_times_put(struct spanmetrics_times *times, struct hf_slice key, uint64_t time_ns)
{
    uint64_t hashed[2];
    hash(key, hashed);
    put(times, hashed, time_ns);
}

/* ---- over a restart ---- */

void spanmetrics_times_save(const struct spanmetrics_times *times, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, times->count);
    for (uint32_t number = times->oldest; number != 0; number = times->entries[number].newer) {
        hf_state_file_put(writer, times->entries[number].key, sizeof(times->entries[number].key));
        hf_state_put_u64(writer, times->entries[number].time_ns);
    }
}

void spanmetrics_times_load(struct spanmetrics_times *times, struct hf_state_reader *reader)
{
    uint64_t count = hf_state_get_u64(reader);
    for (uint64_t i = 0; i < count && reader->status == HF_OK; i++) {
        uint64_t key[2] = {0, 0};
        if (hf_state_file_get(reader, key, sizeof(key))) {
            put(times, key, hf_state_get_u64(reader));
        }
    }
}
