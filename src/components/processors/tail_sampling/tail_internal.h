/*
 * tail_internal: what the files of the traces share.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>

#include "id_memory.h"
#include "policy.h"
#include "support/items/ottl_groups.h"
#include "tail.h"
#include "tail_counters.h"
#include "tail_ids.h"
#include "tail_journal.h"
#include "trace_table.h"
#include "util/compress/compress.h"

#define DECISIONS_AT_ONCE 8192u /* then the inbox gets its turn, and verdicts are written */
#define TO_EMIT_MAX 1024u       /* inputs; then no more is taken until some are durable behind */

/* A request of the queue in front with spans that are not done with. */
struct hf_sampling_tail_input {
    struct hf_input *input;
    struct hf_sampling_tail_input *next; /* to be emitted from; or of an emission */
    bool is_alone;    /* a request that had more than its spans was refused for good */
    uint32_t open;    /* spans that are not done with */
    uint32_t wanted;  /* places */
    uint32_t emitted; /* places; it is in no line until they are settled */
    uint32_t place_count;
    struct hf_sampling_tail_place places[];
};

static inline struct hf_sampling_tail_input *
hf_sampling_tail_input_of(struct hf_sampling_tail_place *place)
{
    return HF_CONTAINER(place - place->number, struct hf_sampling_tail_input, places);
}

struct hf_sampling_tail_list {
    struct hf_trace *first, *last;
    size_t count;
};

/* What one input says of one trace. */
struct hf_sampling_tail_entry {
    uint8_t id[HF_TRACE_ID_SIZE];
    uint64_t hash;
    struct hf_sampling_tail_facts facts;
    struct hf_trace *trace; /* NULL: it is not sampled, by a verdict of before */
    uint64_t decided_ns;    /* the verdict of before */
    const uint8_t *resource_group, *scope_group; /* of its last span */
    bool is_new;                                 /* the trace */
    bool is_known;                               /* there is a verdict of before */
    bool is_cached;                              /* a cache had it */
    bool has_root;
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
    struct hf_sampling_tail_ids entry_ids; /* numbers of entries, plus 1 */
    struct hf_bytes joined;                /* a message that came in pieces */
    uint64_t newest_ns;                    /* time of receipt of the newest input */
    uint64_t until_ns;                     /* what was due then is decided */
    bool is_fed;                           /* an input came since the last tick */

    struct hf_sampling_tail_input *to_emit, **to_emit_end;
    size_t to_emit_count;
    unsigned emissions;                     /* on their way */
    struct hf_batch *ahead;                 /* the first of `to_emit`, read already; NULL: not */
    struct hf_sampling_tail_ids wanted_ids; /* numbers of places of an input, plus 1 */
    struct hf_bytes cut;                    /* what is emitted next */
    bool is_closed;                         /* the graph is stopping */
    struct hf_sampling_tail_counters counters;
};

/* tail_facts.c: reads what an input says of each of its traces into the entries. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_note(struct hf_tail *tail,
                                                 const struct hf_batch *batch);

/* tail_verdicts.c: shows what is remembered of before the start, once. False: not readable now. */
HF_MUST_USE bool hf_sampling_tail_load(struct hf_tail *tail);
size_t hf_sampling_tail_undecided(const struct hf_tail *tail);
/* When a trace that waits is due, Unix time. */
uint64_t hf_sampling_tail_due(const struct hf_tail *tail, const struct hf_trace *trace);
/* Gives a trace its verdict. False: out of memory, it waits on. */
bool hf_sampling_tail_settle(struct hf_tail *tail, struct hf_trace *trace,
                             enum hf_sampling_tail_verdict verdict, uint64_t now_ns);
/* Decides what is due, DECISIONS_AT_ONCE at most. True: more is, and there is memory for it. */
bool hf_sampling_tail_decide_due(struct hf_tail *tail, uint64_t now_ns);
/* Verdicts have their effects once they are on disk. False: not yet. */
bool hf_sampling_tail_put_into_effect(struct hf_tail *tail);
/* Likewise, when there are many: a commit takes time. */
bool hf_sampling_tail_put_many_into_effect(struct hf_tail *tail);
/* Keeps to num_traces: remembered ones go first; then the oldest is decided early. */
void hf_sampling_tail_keep_to_limit(struct hf_tail *tail);

/* tail_emit.c: the spans of a place are to go on. */
void hf_sampling_tail_want(struct hf_tail *tail, struct hf_sampling_tail_place *place);
/* Reads and emits as much as may be on its way. */
void hf_sampling_tail_emit(struct hf_tail *tail);

/* tail_done.c: spans of an input; the input may be gone then. */
void hf_sampling_tail_done_with(struct hf_sampling_tail_input *input, uint32_t spans,
                                uint32_t dropped);
/* All spans of a trace that were to go on have, or are dropped: it goes, and its verdict is
 * remembered. */
void hf_sampling_tail_finish(struct hf_tail *tail, struct hf_trace *trace, bool are_dropped);
/* tail_lists.c: puts a trace behind the others of a list, out of that where it is. */
void hf_sampling_tail_list(struct hf_tail *tail, struct hf_trace *trace, enum hf_trace_state state);
