/*
 * trace_table: the traces in memory by their ids: those that wait, and verdicts on those that are
 * gone, the oldest of which are forgotten first. Owned by one thread.
 *
 * A trace that waits costs sizeof(struct hf_trace) = 104 bytes, up to 22 of the table, and 24 for a
 * place in each input that has spans of it; a verdict that is remembered 32 and up to 22. So 1.7
 * million traces of one span take at most 255 MB, which is 243 MiB, beside what the queue keeps of
 * each request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "policy.h"
#include "trace_id.h"

/* The spans of one trace in one input, which stay on disk. */
struct hf_sampling_tail_place {
    struct hf_trace *trace;
    struct hf_sampling_tail_place *next; /* of the trace, until its spans are done with */
    uint32_t number;                     /* of the input */
    uint32_t spans : 29;
    uint32_t is_wanted : 1;  /* they wait to be emitted */
    uint32_t is_emitted : 1; /* they are on their way */
    uint32_t is_lost : 1;    /* they cannot be emitted */
};

#define HF_SAMPLING_TAIL_SPANS_MAX ((UINT32_C(1) << 29) - 1)

/* Where a trace stands: a list each, but for the first. */
enum hf_trace_state {
    HF_TRACE_UNLISTED = 0, /* new; or sampled, until its spans are durable behind */
    HF_TRACE_UNDECIDED,    /* due when decision_wait is over */
    HF_TRACE_HURRIED,      /* due earlier, as its root has come */
    HF_TRACE_PENDING,      /* decided; the verdict is not on disk yet, and has no effect */
    HF_TRACE_STATE_COUNT
};

struct hf_trace {
    uint8_t id[HF_TRACE_ID_SIZE];
    struct hf_trace *previous, *next; /* in its list */
    struct hf_sampling_tail_place *places;
    struct hf_sampling_tail_facts facts; /* once it is decided: `end_ns` is when, Unix time */
    uint64_t received_ns;                /* its first span, Unix time */
    union {
        uint32_t emitting; /* decided: places that are not durable behind yet */
        uint32_t hurry_ms; /* hurried: from the receipt of its first span to the decision */
    };
    uint32_t number;       /* the table's */
    uint32_t known_before; /* the table's: 0, or the verdict of before that it stands for */
    uint8_t verdict;       /* enum hf_sampling_tail_verdict */
    uint8_t state;         /* enum hf_trace_state */
    bool is_cached;        /* its verdict is remembered by another than the table */
};

/* A verdict on a trace of which nothing is left. */
struct hf_trace_verdict {
    uint8_t id[HF_TRACE_ID_SIZE];
    uint64_t received_ns; /* its first span, Unix time */
    uint32_t wait_ms;     /* from then to the verdict */
    bool is_sampled;
    bool is_out; /* spans came late: a trace stands for it */
};

struct hf_trace_slot;
struct hf_trace_chunk;

/* Zeroed at first. */
struct hf_trace_table {
    struct hf_trace_slot *slots;
    size_t size, count; /* size: 0 or a power of two; count: ids */
    struct hf_trace_chunk **chunks, *with_room;
    size_t chunk_count, trace_count;
    struct hf_trace_verdict *verdicts; /* a ring */
    size_t verdict_room;               /* 0 or a power of two */
    uint64_t verdict_first, verdict_end;
};

/* One of the two, or none. Valid until the table changes; a trace until it goes. */
struct hf_trace_found {
    struct hf_trace *trace;
    struct hf_trace_verdict *verdict;
};

/* `hash` is hf_trace_hash(id), here and below. */
struct hf_trace_found hf_trace_find(const struct hf_trace_table *table, const uint8_t *id,
                                    uint64_t hash);
/* Says that it will be asked for soon: the memory may come meanwhile. */
void hf_trace_prefetch(const struct hf_trace_table *table, uint64_t hash);

/* A new trace, zeroed but for its id, and room to remember its verdict. No trace of that id may be
 * there; it stands for a verdict that is. NULL: out of memory. */
struct hf_trace *hf_trace_add(struct hf_trace_table *table, const uint8_t *id, uint64_t hash);
/* Takes it out and frees it; the verdict that it stands for is there again. */
void hf_trace_remove(struct hf_trace_table *table, struct hf_trace *trace);
/* Likewise, and its verdict of that time (Unix time) is remembered, unless one of before is. */
void hf_trace_remember(struct hf_trace_table *table, struct hf_trace *trace, bool is_sampled,
                       uint64_t decided_ns);

/* How many verdicts are remembered. Forgets the oldest; there must be one. */
size_t hf_trace_verdicts(const struct hf_trace_table *table);
struct hf_trace_verdict hf_trace_forget(struct hf_trace_table *table);

/* Shows all traces, in no order; `visit` adds and removes none. */
void hf_trace_each(const struct hf_trace_table *table, void (*visit)(struct hf_trace *trace));
/* Frees all. */
void hf_trace_table_release(struct hf_trace_table *table);
