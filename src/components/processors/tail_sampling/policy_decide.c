/*
 * policy_decide: what each policy says of a trace by the facts, and what comes of it.
 */
#include <string.h>

#include "policy_internal.h"
#include "util/fnv.h"
#include "util/time/clock.h"

struct question {
    const uint8_t *trace_id;
    const struct hf_sampling_tail_facts *facts;
    uint64_t now_ns;
};

enum answer { NO = 0, YES, FAILED };

static bool is_hash_below(const struct policy *policy, const uint8_t *trace_id)
{
    struct hf_slice id = hf_slice_of(trace_id, HF_TRACE_ID_SIZE);
    return hf_fnv_add(policy->salt_hash, id) <= policy->threshold;
}

static bool is_slow(const struct hf_sampling_tail_policy_config *config,
                    const struct hf_sampling_tail_facts *facts)
{
    int64_t took_ms = facts->end_ns >= facts->start_ns
                          ? (int64_t)((facts->end_ns - facts->start_ns) / HF_NS_PER_MS)
                          : -(int64_t)((facts->start_ns - facts->end_ns) / HF_NS_PER_MS);
    return took_ms > config->threshold_ms &&
           (config->upper_threshold_ms == 0 || took_ms <= config->upper_threshold_ms);
}

/* A bucket that fills with so many a second. */
static bool takes_tokens(struct policy *policy, double amount, uint64_t now_ns)
{
    if (!policy->is_filled) {
        policy->is_filled = true;
        policy->tokens = policy->burst;
    } else if (now_ns > policy->filled_ns) {
        policy->tokens += policy->rate * (double)(now_ns - policy->filled_ns) / (double)HF_NS_PER_S;
        policy->tokens = policy->tokens < policy->burst ? policy->tokens : policy->burst;
    }
    policy->filled_ns = now_ns > policy->filled_ns ? now_ns : policy->filled_ns;
    if (policy->tokens < amount) {
        return false;
    }
    policy->tokens -= amount;
    return true;
}

static enum answer ask_simple(struct policy *policy, const struct question *question)
{
    const struct hf_sampling_tail_policy_config *config = policy->config;
    const struct hf_sampling_tail_facts *facts = question->facts;
    bool is_matched = (facts->bits & policy->bit) != 0;
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_ALWAYS:
        return YES;
    case HF_TAIL_LATENCY:
        return is_slow(config, facts) ? YES : NO;
    case HF_TAIL_PROBABILISTIC:
        return is_hash_below(policy, question->trace_id) ? YES : NO;
    case HF_TAIL_STRING:
        return is_matched != config->string.invert ? YES : NO;
    case HF_TAIL_NUMERIC:
        return is_matched != config->numeric.invert ? YES : NO;
    case HF_TAIL_BOOLEAN:
        return is_matched != config->boolean.invert ? YES : NO;
    case HF_TAIL_RATE:
        return takes_tokens(policy, (double)facts->spans, question->now_ns) ? YES : NO;
    case HF_TAIL_BYTES:
        return takes_tokens(policy, (double)facts->bytes, question->now_ns) ? YES : NO;
    case HF_TAIL_OTTL:
        return is_matched ? YES : (facts->bits & policy->failed_bit) != 0 ? FAILED : NO;
    case HF_TAIL_SPAN_COUNT:
        return (int64_t)facts->spans >= config->spans.min &&
                       (config->spans.max == 0 || (int64_t)facts->spans <= config->spans.max)
                   ? YES
                   : NO;
    default:
        return is_matched ? YES : NO;
    }
}

static enum answer ask_inner(struct policy *policy, const struct question *question)
{
    if (policy->config->type != HF_TAIL_NOT) {
        return ask_simple(policy, question);
    }
    enum answer answer = ask_simple(policy->inner, question);
    return answer == FAILED ? FAILED : answer == YES ? NO : YES;
}

static enum answer ask_all(struct policy *policy, const struct question *question)
{
    for (size_t i = 0; i < policy->inner_count; i++) {
        enum answer answer = ask_inner(&policy->inner[i], question);
        if (answer != YES) {
            return answer;
        }
    }
    return YES;
}

/* The first one that samples owns the trace, and has to have room for it in this second. */
static enum answer ask_composite(struct policy *policy, const struct question *question)
{
    uint64_t second = question->now_ns / HF_NS_PER_S;
    for (size_t i = 0; i < policy->inner_count; i++) {
        struct policy *sub = &policy->inner[i];
        if (sub->second != second) {
            sub->second = second;
            sub->used = 0;
        }
        enum answer answer =
            sub->config->type == HF_TAIL_AND ? ask_all(sub, question) : ask_inner(sub, question);
        if (answer == FAILED) {
            return FAILED;
        }
        if (answer == YES) {
            double used = sub->used + (double)question->facts->spans;
            bool fits = used <= sub->share;
            sub->used = fits ? used : sub->used;
            return fits ? YES : NO;
        }
    }
    return NO;
}

static enum hf_sampling_tail_verdict vote(struct policy *policy, const struct question *question)
{
    enum answer answer;
    bool is_drop = policy->config->type == HF_TAIL_DROP;
    switch ((enum hf_sampling_tail_type)policy->config->type) {
    case HF_TAIL_AND:
    case HF_TAIL_DROP:
        answer = ask_all(policy, question);
        break;
    case HF_TAIL_COMPOSITE:
        answer = ask_composite(policy, question);
        break;
    default:
        answer = ask_inner(policy, question);
    }
    if (answer == FAILED) {
        return HF_TAIL_FAILED;
    }
    if (answer == NO) {
        return HF_TAIL_NOT_SAMPLED;
    }
    return is_drop ? HF_TAIL_DROPPED : HF_TAIL_SAMPLED;
}

/* What drops is asked first. Does one of them drop? */
static bool is_dropped(struct hf_sampling_tail_policies *policies, const struct question *question,
                       enum hf_sampling_tail_verdict *ret_votes)
{
    for (size_t i = 0; i < policies->count && policies->has_drop; i++) {
        if (policies->items[i].config->type == HF_TAIL_DROP) {
            ret_votes[i] = vote(&policies->items[i], question);
            if (ret_votes[i] == HF_TAIL_DROPPED) {
                return true;
            }
        }
    }
    return false;
}

enum hf_sampling_tail_verdict hf_sampling_tail_decide(struct hf_sampling_tail_policies *policies,
                                                      const uint8_t *trace_id,
                                                      const struct hf_sampling_tail_facts *facts,
                                                      uint64_t now_ns,
                                                      enum hf_sampling_tail_verdict *ret_votes)
{
    const struct question question = {trace_id, facts, now_ns};
    enum hf_sampling_tail_verdict verdict = HF_TAIL_NOT_SAMPLED;
    memset(ret_votes, 0, policies->count * sizeof(*ret_votes));
    if (is_dropped(policies, &question, ret_votes)) {
        return HF_TAIL_DROPPED;
    }
    for (size_t i = 0; i < policies->count; i++) {
        if (policies->items[i].config->type != HF_TAIL_DROP) {
            ret_votes[i] = vote(&policies->items[i], &question);
            if (ret_votes[i] == HF_TAIL_SAMPLED) {
                verdict = HF_TAIL_SAMPLED;
                if (policies->on_first_match) {
                    return verdict;
                }
            }
        }
    }
    return verdict;
}

enum hf_sampling_tail_verdict
hf_sampling_tail_decide_part(struct hf_sampling_tail_policies *policies, const uint8_t *trace_id,
                             const struct hf_sampling_tail_facts *facts, uint64_t now_ns,
                             enum hf_sampling_tail_verdict *ret_votes)
{
    const struct question question = {trace_id, facts, now_ns};
    memset(ret_votes, 0, policies->count * sizeof(*ret_votes));
    if (is_dropped(policies, &question, ret_votes)) {
        return HF_TAIL_DROPPED;
    }
    /* A span that is still to come may have to drop the trace: then no other counts. */
    for (size_t i = 0; i < policies->count && !policies->has_drop; i++) {
        ret_votes[i] = vote(&policies->items[i], &question);
        if (ret_votes[i] == HF_TAIL_SAMPLED) {
            return HF_TAIL_SAMPLED;
        }
    }
    return HF_TAIL_UNDECIDED;
}
