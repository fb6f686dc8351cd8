/*
 * tail_verdicts: when a trace is decided, and what comes of it once the verdict is on disk.
 */
#include <errno.h>
#include <string.h>

#include "tail_internal.h"
#include "util/time/clock.h"

#define PREFETCHES 12u /* traces ahead */

/* ---- of before the start ---- */

static void remember(void *user, const uint8_t *id, bool is_sampled)
{
    struct hf_tail *tail = user;
    hf_id_memory_put(&tail->before[is_sampled], id);
}

/* When the first input or tick comes: until then the processor of the configuration before this one
 * may have written. */
bool hf_sampling_tail_load(struct hf_tail *tail)
{
    if (tail->is_loaded) {
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        tail->before[i].limit = hf_sampling_tail_journal_count(tail->journal);
    }
    if (hf_sampling_tail_journal_load(tail->journal, remember, tail) != HF_OK) {
        hf_node_log(tail->node, HF_LOG_ERROR, "cannot open %s: %s",
                    hf_sampling_tail_journal_path(tail->journal), strerror(errno));
        return false;
    }
    tail->is_loaded = true;
    return true;
}

/* ---- what waits ---- */

uint64_t hf_sampling_tail_due(const struct hf_tail *tail, const struct hf_trace *trace)
{
    return trace->received_ns + (trace->state == HF_TRACE_HURRIED
                                     ? (uint64_t)trace->hurry_ms * HF_NS_PER_MS
                                     : tail->config->decision_wait_ns);
}

/* The undecided trace that is due first; NULL: none waits. */
static struct hf_trace *first_due(const struct hf_tail *tail)
{
    struct hf_trace *waits = tail->lists[HF_TRACE_UNDECIDED].first;
    struct hf_trace *hurries = tail->lists[HF_TRACE_HURRIED].first;
    if (waits == NULL || hurries == NULL) {
        return waits != NULL ? waits : hurries;
    }
    return hf_sampling_tail_due(tail, hurries) < hf_sampling_tail_due(tail, waits) ? hurries
                                                                                   : waits;
}

size_t hf_sampling_tail_undecided(const struct hf_tail *tail)
{
    return tail->lists[HF_TRACE_UNDECIDED].count + tail->lists[HF_TRACE_HURRIED].count;
}

/* ---- verdicts ---- */

bool hf_sampling_tail_settle(struct hf_tail *tail, struct hf_trace *trace,
                             enum hf_sampling_tail_verdict verdict, uint64_t now_ns)
{
    bool is_sampled = verdict == HF_TAIL_SAMPLED;
    if (hf_sampling_tail_journal_add(tail->journal, trace->id, is_sampled) != HF_OK) {
        return false;
    }
    hf_sampling_tail_list(tail, trace, HF_TRACE_PENDING);
    trace->verdict = (uint8_t)(is_sampled ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED);
    trace->facts.end_ns = now_ns;
    trace->emitting = 0;
    hf_id_memory_put(is_sampled ? &tail->sampled : &tail->not_sampled, trace->id);
    return true;
}

/* False: out of memory. */
static bool decide(struct hf_tail *tail, struct hf_trace *trace, uint64_t now_ns)
{
    enum hf_sampling_tail_verdict verdict = HF_TAIL_NOT_SAMPLED;
    if (tail->config->strategy == HF_TAIL_TRACE_COMPLETE) {
        verdict =
            hf_sampling_tail_decide(tail->policies, trace->id, &trace->facts, now_ns, tail->votes);
        hf_sampling_tail_count_votes(tail);
    }
    hf_sampling_tail_count_verdict(tail, verdict);
    return hf_sampling_tail_settle(tail, trace, verdict, now_ns);
}

/* All of the next of its list comes into the cache meanwhile. Returns it. */
static const struct hf_trace *fetch_next(const struct hf_trace *trace)
{
    const struct hf_trace *next = trace->next;
    if (next != NULL) {
        __builtin_prefetch(next->id, 1);
        __builtin_prefetch(&next->received_ns, 1);
    }
    return next;
}

bool hf_sampling_tail_decide_due(struct hf_tail *tail, uint64_t now_ns)
{
    uint64_t begun_ns = hf_clock_monotonic_ns();
    unsigned count = 0;
    bool has_memory = true;
    struct hf_trace *trace = first_due(tail);
    const struct hf_trace *ahead = tail->lists[HF_TRACE_UNDECIDED].first;
    for (unsigned i = 0; i < PREFETCHES && ahead != NULL; i++) {
        ahead = fetch_next(ahead);
    }
    while (trace != NULL && hf_sampling_tail_due(tail, trace) <= tail->until_ns &&
           count < DECISIONS_AT_ONCE && tail->to_emit_count < TO_EMIT_MAX &&
           (has_memory = decide(tail, trace, now_ns))) {
        count++;
        ahead = ahead != NULL ? fetch_next(ahead) : NULL;
        trace = first_due(tail);
    }
    if (count != 0) {
        hf_histogram_observe(tail->counters.latency_ms,
                             (hf_clock_monotonic_ns() - begun_ns) / HF_NS_PER_MS);
    }
    return has_memory && trace != NULL && hf_sampling_tail_due(tail, trace) <= tail->until_ns;
}

/* ---- their effect ---- */

static void want_all(struct hf_tail *tail, struct hf_trace *trace)
{
    for (struct hf_sampling_tail_place *place = trace->places; place != NULL; place = place->next) {
        hf_sampling_tail_want(tail, place);
    }
}

/* Where the table has it comes into the cache meanwhile. Returns the next of its list. */
static const struct hf_trace *prefetch(const struct hf_tail *tail, const struct hf_trace *trace)
{
    hf_trace_prefetch(&tail->table, hf_trace_hash(trace->id));
    return trace->next;
}

bool hf_sampling_tail_put_into_effect(struct hf_tail *tail)
{
    struct hf_sampling_tail_list *pending = &tail->lists[HF_TRACE_PENDING];
    if (pending->first == NULL) {
        return true;
    }
    if (hf_sampling_tail_journal_commit(tail->journal) != HF_OK) {
        hf_node_log(tail->node, HF_LOG_ERROR,
                    "cannot write %s: %s; no trace is passed on or dropped until it can",
                    hf_sampling_tail_journal_path(tail->journal), strerror(errno));
        return false;
    }
    const struct hf_trace *ahead = pending->first;
    for (unsigned i = 0; i < PREFETCHES && ahead != NULL; i++) {
        ahead = prefetch(tail, ahead);
    }
    while (pending->first != NULL) {
        struct hf_trace *trace = pending->first;
        ahead = ahead != NULL ? prefetch(tail, ahead) : NULL;
        if (trace->verdict == HF_TAIL_SAMPLED) {
            hf_sampling_tail_list(tail, trace, HF_TRACE_UNLISTED);
            want_all(tail, trace);
        } else {
            hf_sampling_tail_finish(tail, trace, true);
        }
    }
    return true;
}

bool hf_sampling_tail_put_many_into_effect(struct hf_tail *tail)
{
    bool are_many = tail->lists[HF_TRACE_PENDING].count >= DECISIONS_AT_ONCE ||
                    hf_sampling_tail_journal_path(tail->journal)[0] == '\0';
    return !are_many || hf_sampling_tail_put_into_effect(tail);
}

static void forget(struct hf_tail *tail)
{
    struct hf_trace_verdict verdict = hf_trace_forget(&tail->table);
    hf_sampling_tail_observe_age(tail->counters.removal_s, verdict.received_ns, tail->newest_ns);
}

void hf_sampling_tail_keep_to_limit(struct hf_tail *tail)
{
    size_t limit = (size_t)tail->config->num_traces;
    /* Others are on their way. */
    size_t count = hf_sampling_tail_undecided(tail) + hf_trace_verdicts(&tail->table);
    for (; count > limit && hf_trace_verdicts(&tail->table) != 0; count--) {
        forget(tail);
    }
    for (; count > limit && decide(tail, first_due(tail), tail->newest_ns); count--) {
        hf_series_add(tail->counters.early, 1);
    }
}
