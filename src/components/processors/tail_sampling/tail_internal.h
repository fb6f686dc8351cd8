/*
 * tail_internal: what the files of the traces share.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>

#include "policy.h"
#include "support/ottl_groups.h"
#include "tail.h"
#include "tail_journal.h"
#include "trace_table.h"
#include "util/metrics.h"

/* A request of the queue in front with spans that are not done with. */
struct hf_sampling_tail_input {
    struct hf_input *input;
    struct hf_sampling_tail_input *next;   /* to be emitted from */
    struct hf_sampling_tail_place *wanted; /* of these */
    bool is_queued;
    uint32_t open; /* spans that are not done with */
    uint32_t place_count;
    struct hf_sampling_tail_place places[];
};

struct hf_sampling_tail_list {
    struct hf_trace *first, *last;
    size_t count;
};

/* What one input says of one trace. */
struct hf_sampling_tail_entry {
    uint8_t id[HF_TRACE_ID_SIZE];
    struct hf_sampling_tail_facts facts;
    struct hf_trace *trace;
    const struct hf_message *resource_group, *scope_group; /* of its last span */
    bool is_new, has_root;
};

struct hf_sampling_tail_counters {
    struct hf_series *taken, *early, *in_memory, *too_large, *failed, *from_memory[2];
    struct hf_series *global[HF_TAIL_VERDICT_COUNT]; /* SAMPLED, NOT_SAMPLED, DROPPED */
    /* [policy][enum hf_sampling_tail_verdict]; that of UNDECIDED counts them all */
    struct hf_series **votes;
    struct hf_histogram *latency_ms, *late_s, *removal_s;
};

/* Learns of conditions that fail. */
struct hf_sampling_tail_watch {
    struct hf_ottl_watch watch;
    struct hf_ottl_errors *errors;
};

struct hf_tail {
    struct hf_node *node;
    const struct hf_sampling_tail_config *config;
    struct hf_sampling_tail_policies *policies;
    enum hf_sampling_tail_verdict *votes;
    struct hf_trace_table table;
    struct hf_sampling_tail_list lists[HF_TRACE_STATE_COUNT]; /* the oldest first */
    struct hf_id_memory sampled, not_sampled;
    struct hf_sampling_tail_journal *journal;
    struct hf_id_memory before[2]; /* by the journal of before the start: not sampled, sampled */
    bool is_loaded;                /* the journal */
    struct hf_sampling_tail_watch watch;
    bool needs_bytes;
    struct hf_sampling_tail_entry *entries; /* of the input that comes */
    size_t entry_count, entry_room;
    uint32_t *entry_table; /* numbers of entries, plus 1 */
    size_t entry_table_size;
    uint64_t newest_ns; /* time of receipt of the newest input */
    bool is_fed;        /* an input came since the last tick */

    struct hf_sampling_tail_input *to_emit, **to_emit_end;
    size_t to_emit_count;
    unsigned emissions; /* on their way */
    uint32_t mark;
    bool is_closed; /* the graph is stopping */
    struct hf_sampling_tail_counters counters;
};

/* tail_facts.c: reads what an input says of each of its traces into the entries. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_note(struct hf_tail *tail,
                                                 const struct hf_batch *batch);
/* The id of a span; one that is malformed counts as zeros, as in the Go collector. */
void hf_sampling_tail_id_of(struct hf_message *span, uint8_t *ret_id);

/* tail_emit.c: the spans of a place are to go on. */
void hf_sampling_tail_want(struct hf_tail *tail, struct hf_sampling_tail_place *place);
/* Reads and emits as much as may be on its way. */
void hf_sampling_tail_emit(struct hf_tail *tail);

/* tail_done.c: spans of an input; the input may be gone then. */
void hf_sampling_tail_done_with(struct hf_sampling_tail_input *input, uint32_t spans,
                                uint32_t dropped);
/* All places of a trace. */
void hf_sampling_tail_done_with_places(struct hf_trace *trace, bool are_dropped);
/* All spans of a trace that were to go on have. */
void hf_sampling_tail_finish(struct hf_tail *tail, struct hf_trace *trace);
/* tail_lists.c: puts a trace behind the others of a list, out of that where it is. */
void hf_sampling_tail_list(struct hf_tail *tail, struct hf_trace *trace, enum hf_trace_state state);

/* A decided trace that no list has and whose spans are all done with. */
void hf_sampling_tail_forget(struct hf_tail *tail, struct hf_trace *trace);
void hf_sampling_tail_count_traces(const struct hf_tail *tail);

/* tail_counters.c. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_counters_open(struct hf_tail *tail);
void hf_sampling_tail_count_votes(const struct hf_tail *tail);
void hf_sampling_tail_count_verdict(const struct hf_tail *tail,
                                    enum hf_sampling_tail_verdict verdict);
/* A late span, a trace that goes: how old, in whole seconds. */
void hf_sampling_tail_observe_age(struct hf_histogram *histogram, uint64_t from_ns,
                                  uint64_t until_ns);
