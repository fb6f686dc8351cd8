/*
 * trace_table: the traces in memory by their ids, and a memory of verdicts on those that are gone.
 * Owned by one thread.
 *
 * A trace that waits costs sizeof(struct hf_trace) = 112 bytes, up to 16 of the allocator and up to
 * 16 of the table, and 40 for a place in each input that has spans of it. So 1.7 million traces of
 * one span take at most 313 MB, which is 299 MiB, beside what the queue keeps of each request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "policy.h"

#define HF_TRACE_ID_SIZE 16u

struct hf_sampling_tail_input;

/* The spans of one trace in one input, which stay on disk. */
struct hf_sampling_tail_place {
    struct hf_trace *trace;
    struct hf_sampling_tail_input *input;
    struct hf_sampling_tail_place *next;        /* of the trace, until its spans are done with */
    struct hf_sampling_tail_place *next_wanted; /* of the input, while they wait to be emitted */
    uint32_t spans;
    bool is_lost; /* they cannot be emitted */
};

/* Where a trace stands: a list each, but for the first. */
enum hf_trace_state {
    HF_TRACE_UNLISTED = 0,
    HF_TRACE_UNDECIDED, /* due when decision_wait is over */
    HF_TRACE_HURRIED,   /* due earlier, as its root has come */
    HF_TRACE_PENDING,   /* decided; the verdict is not on disk yet, and has no effect */
    HF_TRACE_DECIDED,
    HF_TRACE_STATE_COUNT
};

struct hf_trace {
    uint8_t id[HF_TRACE_ID_SIZE];
    struct hf_trace *next_in_bucket;
    struct hf_trace *previous, *next; /* in its list */
    struct hf_sampling_tail_place *places;
    struct hf_sampling_tail_facts facts; /* once it is decided: `end_ns` is when, Unix time */
    uint64_t received_ns;                /* its first span, Unix time */
    union {
        uint32_t emitting; /* decided: places that are not durable behind yet */
        uint32_t hurry_ms; /* hurried: from the receipt of its first span to the decision */
    };
    uint32_t mark;   /* the emission that takes its spans */
    uint8_t verdict; /* enum hf_sampling_tail_verdict */
    uint8_t state;   /* enum hf_trace_state */
};

struct hf_trace_table {
    struct hf_trace **buckets;
    size_t size, count; /* size: 0 or a power of two */
};

/* NULL: not there. */
struct hf_trace *hf_trace_find(const struct hf_trace_table *table, const uint8_t *id);
/* A new one; the id must not be there. NULL: out of memory. */
struct hf_trace *hf_trace_add(struct hf_trace_table *table, const uint8_t *id);
/* Takes it out and frees it. */
void hf_trace_remove(struct hf_trace_table *table, struct hf_trace *trace);
/* Frees all. */
void hf_trace_table_release(struct hf_trace_table *table);

/* Once before the first use of tables; the main thread. */
void hf_trace_seed(void);

/* A mixed hash: a sender who chooses ids cannot choose buckets. */
uint64_t hf_trace_hash(const uint8_t *id);

/* The ids that were put last, at most `limit`. Starts as {.limit = n}. */
struct hf_id_memory {
    size_t limit, count, at;
    struct hf_id_entry *entries;
    uint32_t *buckets; /* numbers of entries, plus 1 */
    size_t size;
};

/* Out of memory it is not remembered. */
void hf_id_memory_put(struct hf_id_memory *memory, const uint8_t *id);
bool hf_id_memory_has(const struct hf_id_memory *memory, const uint8_t *id);
void hf_id_memory_release(struct hf_id_memory *memory);
