/*
 * servicegraph_edges: calls of one service by another, of which the span of one side has come and
 * that of the other is waited for; the oldest first. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "support/state/state_file.h"

#define SERVICEGRAPH_KEY_SIZE 24u /* the trace id and the id of the client's span */

enum servicegraph_side { SERVICEGRAPH_CLIENT = 0, SERVICEGRAPH_SERVER, SERVICEGRAPH_SIDES };

/* The texts of connection_type and virtual_node. */
enum servicegraph_connection {
    SERVICEGRAPH_UNKNOWN = 0,
    SERVICEGRAPH_MESSAGING,
    SERVICEGRAPH_DATABASE,
    SERVICEGRAPH_VIRTUAL
};

struct servicegraph_edge {
    struct servicegraph_edge *next_in_bucket, *previous, *next;
    uint64_t hash, expires_ns; /* Unix time */
    uint8_t key[SERVICEGRAPH_KEY_SIZE];
    uint8_t connection; /* enum servicegraph_connection */
    uint8_t virtual_;   /* 0: none; 1 + enum servicegraph_side: the side that has no span */
    bool has_failed;
    uint32_t peer_rank; /* of `peer` among the attributes; only with `peer` */
    double seconds[SERVICEGRAPH_SIDES];
    /* Owned; data NULL: not there. */
    struct hf_slice services[SERVICEGRAPH_SIDES], peer;
    size_t dimension_count;
    struct hf_slice dimensions[]; /* [2 * dimension + side] */
};

/* Edges that wait. */
struct servicegraph_edges {
    uint64_t hash_key;
    struct servicegraph_edge **buckets;
    size_t size, count; /* size: of the buckets, 0 or a power of two */
    struct servicegraph_edge *first, *last;
};

/* NULL: out of memory. It belongs to no table. */
struct servicegraph_edge *servicegraph_edge_new(const uint8_t *key, size_t dimension_count);
/* NULL is nothing. */
void servicegraph_edge_free(struct servicegraph_edge *edge);
/* Replaces a text by a copy. False: out of memory, it stays as it was. */
HF_MUST_USE bool servicegraph_edge_set(struct hf_slice *text, struct hf_slice value);
/* Are both services known? */
bool servicegraph_edge_is_complete(const struct servicegraph_edge *edge);

/* NULL: not there. */
struct servicegraph_edge *servicegraph_edges_find(const struct servicegraph_edges *edges,
                                                  const uint8_t *key);
/* Puts it behind the others. HF_NOMEM. */
HF_MUST_USE enum hf_status servicegraph_edges_add(struct servicegraph_edges *edges,
                                                  struct servicegraph_edge *edge);
/* Takes it out; it is the caller's. */
void servicegraph_edges_remove(struct servicegraph_edges *edges, struct servicegraph_edge *edge);
void servicegraph_edges_clear(struct servicegraph_edges *edges);

void servicegraph_edges_save(const struct servicegraph_edges *edges,
                             struct hf_state_writer *writer);
/* Without the dimensions when there are others now. */
void servicegraph_edges_load(struct servicegraph_edges *edges, size_t dimension_count,
                             bool has_same_dimensions, struct hf_state_reader *reader);
