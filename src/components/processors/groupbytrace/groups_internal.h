/*
 * groups_internal: what the files of the traces share.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>

#include "groups.h"
#include "pdata/wire.h"
#include "util/metrics/metrics.h"

#define GROUPS_ID_SIZE 16u

/* The spans of one trace in one input. */
struct group_place {
    struct group_input *input;
    struct group_place *next; /* of the trace */
    uint32_t spans;
    bool is_lost; /* they cannot be read any more */
};

/* A request of the queue in front with spans that are not done with. */
struct group_input {
    struct hf_input *input;
    struct group_input *next; /* of the round */
    struct hf_batch *batch;   /* while a round reads it */
    size_t size;              /* of the request, in bytes */
    uint32_t open;            /* spans that are not done with */
    uint32_t place_count;
    bool is_in_round, is_lost;
    struct group_place places[];
};

struct group_trace {
    uint8_t id[GROUPS_ID_SIZE];
    struct group_trace *next_in_bucket, *next; /* next: in the line, or of the round */
    struct group_place *places, *last_place;
    uint64_t received_ns;             /* its first span */
    uint32_t first_piece, last_piece; /* of the round, plus 1 */
    bool is_in_round;
};

/* A span of the round, as a field of its ScopeSpans, and where it stands. */
struct group_piece {
    struct hf_slice group, scope, span;
    struct group_input *input;
    uint32_t next; /* of the trace, plus 1 */
};

/* What one input says of one trace. */
struct group_entry {
    uint8_t id[GROUPS_ID_SIZE];
    struct group_trace *trace;
    uint32_t spans;
    bool is_new;
};

struct groups {
    struct hf_node *node;
    struct groups_options options;
    uint64_t hash_key;
    uint64_t newest_ns; /* time of receipt of the newest input */
    uint64_t until_ns;  /* what is due by then is released */
    struct group_trace **buckets;
    size_t size, count;               /* size: of the buckets, 0 or a power of two */
    struct group_trace *first, *last; /* that wait, the oldest first */
    size_t waiting;
    bool is_fed; /* an input came since the last tick */

    struct group_entry *entries; /* of the input that comes */
    size_t entry_count, entry_room;
    uint32_t *entry_table; /* numbers of entries, plus 1 */
    size_t entry_table_size;

    struct group_trace *round;                            /* on their way, or about to be */
    struct group_input *round_inputs, **round_inputs_end; /* in the order of the traces */
    struct group_piece *pieces;
    size_t piece_count, piece_room;
    size_t emitting; /* traces of the round that are not answered */
    bool is_closed;  /* the graph is stopping */

    struct hf_series *released, *spans_released, *evicted, *in_memory;
};

/* groups_table.c */
uint64_t groups_hash(const struct groups *groups, const uint8_t *id);
/* That of the round, or else the one that waits: there may be both. NULL: there is none. */
struct group_trace *groups_find(const struct groups *groups, const uint8_t *id, bool is_in_round);
/* A new one that waits. NULL: out of memory. */
struct group_trace *groups_add(struct groups *groups, const uint8_t *id);
/* Out of the table, and freed. */
void groups_forget(struct groups *groups, struct group_trace *trace);
/* The trace id of a span; one that is malformed counts as zeros. */
void groups_id_of(struct hf_slice span, uint8_t *ret_id);

/* groups_release.c: begins rounds while there are traces that are due, or too many. */
void groups_release(struct groups *groups);
