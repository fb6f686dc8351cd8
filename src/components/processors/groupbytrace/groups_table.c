/*
 * groups_table: the traces by their ids.
 */
#include <stdlib.h>
#include <string.h>

#include "groups_internal.h"
#include "pdata/wire_find.h"
#include "support/state/table_hash.h"

#define SIZE_LEAST 1024u

enum { SPAN_TRACE_ID = 1 };

uint64_t groups_hash(const struct groups *groups, const uint8_t *id)
{
    return hf_table_hash(groups->hash_key, id, GROUPS_ID_SIZE);
}

void groups_id_of(struct hf_slice span, uint8_t *ret_id)
{
    struct hf_slice id = hf_wire_find_bytes(span, SPAN_TRACE_ID);
    memset(ret_id, 0, GROUPS_ID_SIZE);
    if (id.size == GROUPS_ID_SIZE) {
        memcpy(ret_id, id.data, GROUPS_ID_SIZE);
    }
}

struct group_trace *groups_find(const struct groups *groups, const uint8_t *id, bool is_in_round)
{
    struct group_trace *trace =
        groups->size != 0 ? groups->buckets[groups_hash(groups, id) & (groups->size - 1)] : NULL;
    while (trace != NULL &&
           (trace->is_in_round != is_in_round || memcmp(trace->id, id, GROUPS_ID_SIZE) != 0)) {
        trace = trace->next_in_bucket;
    }
    return trace;
}

static bool grow(struct groups *groups)
{
    size_t size = groups->size == 0 ? SIZE_LEAST : 2 * groups->size;
    struct group_trace **buckets = calloc(size, sizeof(struct group_trace *));
    if (buckets == NULL) {
        return groups->size != 0;
    }
    for (size_t i = 0; i < groups->size; i++) {
        struct group_trace *next = NULL;
        for (struct group_trace *trace = groups->buckets[i]; trace != NULL; trace = next) {
            struct group_trace **bucket = &buckets[groups_hash(groups, trace->id) & (size - 1)];
            next = trace->next_in_bucket;
            trace->next_in_bucket = *bucket;
            *bucket = trace;
        }
    }
    free(groups->buckets);
    groups->buckets = buckets;
    groups->size = size;
    return true;
}

struct group_trace *groups_add(struct groups *groups, const uint8_t *id)
{
    if (groups->count >= groups->size && !grow(groups)) {
        return NULL;
    }
    struct group_trace *trace = calloc(1, sizeof(*trace));
    if (trace != NULL) {
        struct group_trace **bucket =
            &groups->buckets[groups_hash(groups, id) & (groups->size - 1)];
        memcpy(trace->id, id, GROUPS_ID_SIZE);
        trace->next_in_bucket = *bucket;
        *bucket = trace;
        groups->count++;
    }
    return trace;
}

void groups_forget(struct groups *groups, struct group_trace *trace)
{
    struct group_trace **at = &groups->buckets[groups_hash(groups, trace->id) & (groups->size - 1)];
    while (*at != trace) {
        at = &(*at)->next_in_bucket;
    }
    *at = trace->next_in_bucket;
    groups->count--;
    free(trace);
    hf_series_set(groups->in_memory, (int64_t)groups->count);
}
