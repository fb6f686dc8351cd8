#include "servicegraph_edges.h"

#include <stdlib.h>
#include <string.h>

#include "support/state/table_hash.h"

#define SIZE_LEAST 64u
#define DIMENSIONS_MAX 100000u

/* ---- one edge ---- */

struct servicegraph_edge *servicegraph_edge_new(const uint8_t *key, size_t dimension_count)
{
    size_t texts = dimension_count * SERVICEGRAPH_SIDES;
    struct servicegraph_edge *edge = calloc(1, sizeof(*edge) + texts * sizeof(struct hf_slice));
    if (edge != NULL) {
        memcpy(edge->key, key, SERVICEGRAPH_KEY_SIZE);
        edge->dimension_count = dimension_count;
    }
    return edge;
}

static void forget(const struct hf_slice *text)
{
    free((void *)text->data);
}

void servicegraph_edge_free(struct servicegraph_edge *edge)
{
    for (size_t i = 0; edge != NULL && i < edge->dimension_count * SERVICEGRAPH_SIDES; i++) {
        forget(&edge->dimensions[i]);
    }
    if (edge != NULL) {
        forget(&edge->services[SERVICEGRAPH_CLIENT]);
        forget(&edge->services[SERVICEGRAPH_SERVER]);
        forget(&edge->peer);
    }
    free(edge);
}

bool servicegraph_edge_set(struct hf_slice *text, struct hf_slice value)
{
    uint8_t *copy = malloc(value.size + 1);
    if (copy == NULL) {
        return false;
    }
    if (value.size != 0) {
        memcpy(copy, value.data, value.size);
    }
    forget(text);
    *text = hf_slice_of(copy, value.size);
    return true;
}

bool servicegraph_edge_is_complete(const struct servicegraph_edge *edge)
{
    return edge->services[SERVICEGRAPH_CLIENT].size != 0 &&
           edge->services[SERVICEGRAPH_SERVER].size != 0;
}

/* ---- those that wait ---- */

static struct servicegraph_edge **bucket_of(const struct servicegraph_edges *edges, uint64_t hash)
{
    return &edges->buckets[hash & (edges->size - 1)];
}

struct servicegraph_edge *servicegraph_edges_find(const struct servicegraph_edges *edges,
                                                  const uint8_t *key)
{
    uint64_t hash = hf_table_hash(edges->hash_key, key, SERVICEGRAPH_KEY_SIZE);
    struct servicegraph_edge *edge = edges->size != 0 ? *bucket_of(edges, hash) : NULL;
    while (edge != NULL && memcmp(edge->key, key, SERVICEGRAPH_KEY_SIZE) != 0) {
        edge = edge->next_in_bucket;
    }
    return edge;
}

static bool grow(struct servicegraph_edges *edges)
{
    size_t size = edges->size == 0 ? SIZE_LEAST : 2 * edges->size;
    struct servicegraph_edge **buckets = calloc(size, sizeof(struct servicegraph_edge *));
    if (buckets == NULL) {
        return edges->size != 0;
    }
    free(edges->buckets);
    edges->buckets = buckets;
    edges->size = size;
    for (struct servicegraph_edge *edge = edges->first; edge != NULL; edge = edge->next) {
        edge->next_in_bucket = *bucket_of(edges, edge->hash);
        *bucket_of(edges, edge->hash) = edge;
    }
    return true;
}

enum hf_status servicegraph_edges_add(struct servicegraph_edges *edges,
                                      struct servicegraph_edge *edge)
{
    if (edges->count >= edges->size && !grow(edges)) {
        return HF_NOMEM;
    }
    edge->hash = hf_table_hash(edges->hash_key, edge->key, SERVICEGRAPH_KEY_SIZE);
    edge->next_in_bucket = *bucket_of(edges, edge->hash);
    *bucket_of(edges, edge->hash) = edge;
    edge->previous = edges->last;
    edge->next = NULL;
    *(edges->last != NULL ? &edges->last->next : &edges->first) = edge;
    edges->last = edge;
    edges->count++;
    return HF_OK;
}

void servicegraph_edges_remove(struct servicegraph_edges *edges, struct servicegraph_edge *edge)
{
    struct servicegraph_edge **at = bucket_of(edges, edge->hash);
    while (*at != edge) {
        at = &(*at)->next_in_bucket;
    }
    *at = edge->next_in_bucket;
    *(edge->previous != NULL ? &edge->previous->next : &edges->first) = edge->next;
    *(edge->next != NULL ? &edge->next->previous : &edges->last) = edge->previous;
    edges->count--;
}

void servicegraph_edges_clear(struct servicegraph_edges *edges)
{
    while (edges->first != NULL) {
        struct servicegraph_edge *edge = edges->first;
        servicegraph_edges_remove(edges, edge);
        servicegraph_edge_free(edge);
    }
    free(edges->buckets);
    edges->buckets = NULL;
    edges->size = 0;
}

/* ---- over a restart ---- */

struct edge_record {
    uint8_t key[SERVICEGRAPH_KEY_SIZE];
    uint64_t expires_ns;
    double seconds[SERVICEGRAPH_SIDES];
    uint32_t peer_rank;
    uint8_t connection, virtual_, has_failed, pad;
};

static void save_text(struct hf_state_writer *writer, struct hf_slice text)
{
    hf_state_put_u64(writer, text.data != NULL);
    hf_state_file_put_bytes(writer, text);
}

static void save_edge(const struct servicegraph_edge *edge, struct hf_state_writer *writer)
{
    struct edge_record record = {.expires_ns = edge->expires_ns,
                                 .seconds = {edge->seconds[0], edge->seconds[1]},
                                 .peer_rank = edge->peer_rank,
                                 .connection = edge->connection,
                                 .virtual_ = edge->virtual_,
                                 .has_failed = edge->has_failed};
    memcpy(record.key, edge->key, sizeof(record.key));
    hf_state_file_put(writer, &record, sizeof(record));
    save_text(writer, edge->services[SERVICEGRAPH_CLIENT]);
    save_text(writer, edge->services[SERVICEGRAPH_SERVER]);
    save_text(writer, edge->peer);
    hf_state_put_u64(writer, edge->dimension_count);
    for (size_t i = 0; i < edge->dimension_count * SERVICEGRAPH_SIDES; i++) {
        save_text(writer, edge->dimensions[i]);
    }
}

void servicegraph_edges_save(const struct servicegraph_edges *edges, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, edges->count);
    for (const struct servicegraph_edge *edge = edges->first; edge != NULL; edge = edge->next) {
        save_edge(edge, writer);
    }
}

/* NULL: the text is read and not kept. */
static void load_text(struct hf_state_reader *reader, struct hf_bytes *bytes, struct hf_slice *text)
{
    bool is_there = hf_state_get_u64(reader) != 0;
    if (hf_state_file_get_bytes(reader, bytes) && is_there && text != NULL &&
        !servicegraph_edge_set(text, hf_slice_of(bytes->data, bytes->size))) {
        reader->status = HF_NOMEM;
    }
}

static struct servicegraph_edge *load_edge(size_t dimension_count, bool has_same_dimensions,
                                           struct hf_state_reader *reader)
{
    struct hf_bytes bytes = {0};
    struct edge_record record;
    if (!hf_state_file_get(reader, &record, sizeof(record))) {
        return NULL;
    }
    struct servicegraph_edge *edge = servicegraph_edge_new(record.key, dimension_count);
    if (edge == NULL) {
        reader->status = HF_NOMEM;
        return NULL;
    }
    edge->expires_ns = record.expires_ns;
    edge->seconds[0] = record.seconds[0];
    edge->seconds[1] = record.seconds[1];
    edge->peer_rank = record.peer_rank;
    edge->connection = record.connection;
    edge->virtual_ = record.virtual_;
    edge->has_failed = record.has_failed != 0;
    load_text(reader, &bytes, &edge->services[SERVICEGRAPH_CLIENT]);
    load_text(reader, &bytes, &edge->services[SERVICEGRAPH_SERVER]);
    load_text(reader, &bytes, &edge->peer);
    uint64_t count = hf_state_get_u64(reader);
    bool is_kept = has_same_dimensions && count == dimension_count;
    if (count > DIMENSIONS_MAX) {
        reader->status = HF_CORRUPT;
    }
    for (size_t i = 0; i < count * SERVICEGRAPH_SIDES && reader->status == HF_OK; i++) {
        load_text(reader, &bytes, is_kept ? &edge->dimensions[i] : NULL);
    }
    hf_bytes_release(&bytes);
    return edge;
}

void servicegraph_edges_load(struct servicegraph_edges *edges, size_t dimension_count,
                             bool has_same_dimensions, struct hf_state_reader *reader)
{
    uint64_t count = hf_state_get_u64(reader);
    for (uint64_t i = 0; i < count && reader->status == HF_OK; i++) {
        struct servicegraph_edge *edge = load_edge(dimension_count, has_same_dimensions, reader);
        if (edge != NULL && servicegraph_edges_add(edges, edge) != HF_OK) {
            servicegraph_edge_free(edge);
            reader->status = HF_NOMEM;
        }
    }
}
