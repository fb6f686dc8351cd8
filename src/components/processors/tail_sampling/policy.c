/*
 * policy: each policy is a node; those that look at spans have a bit, the others are told by the
 * facts.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/trace_state.h"
#include "util/clock.h"
#include "util/regex.h"

enum { RESOURCE_ATTRIBUTES = 1 };
enum { SPAN_STATE = 3, SPAN_START = 7, SPAN_END = 8, SPAN_ATTRIBUTES = 9, SPAN_STATUS = 15 };
enum { SPAN_FLAGS = 16, STATUS_CODE = 3, SAMPLED_FLAG = 1 };

struct policy {
    const struct hf_sampling_tail_policy_config *config;
    uint64_t bit;
    uint64_t threshold;      /* probabilistic */
    unsigned codes;          /* status_code: 1 << code */
    struct hf_regex **regex; /* string_attribute, `count` of them */
    size_t regex_count;
    double tokens, burst; /* rate_limiting */
    uint64_t filled_ns;
    bool is_filled;
    double share; /* in a composite: spans per second */
    double used;  /* of it, in `second` */
    uint64_t second;
    struct policy *inner; /* `inner_count` of them, in the order of asking */
    size_t inner_count;
};

struct hf_sampling_tail_policies {
    bool on_first_match;
    struct policy *items;
    size_t count;
    struct policy *leaves[HF_TAIL_BITS_MAX]; /* those with a bit */
    size_t leaf_count;
};

/* ---- making ---- */

/* In a mantissa of 64 bits, as the Go collector's. */
static uint64_t threshold_of(double percentage)
{
    long double share = (long double)UINT64_MAX * (long double)(percentage / 100);
    if (share <= 0) {
        return 0;
    }
    return share >= (long double)UINT64_MAX ? UINT64_MAX : (uint64_t)share;
}

static unsigned codes_of(const struct hf_string_list *names)
{
    static const char *const codes[] = {"UNSET", "OK", "ERROR"};
    unsigned set = 0;
    for (size_t i = 0; i < names->count; i++) {
        for (unsigned code = 0; code < 3; code++) {
            set |= strcmp(names->items[i], codes[code]) == 0 ? 1u << code : 0;
        }
    }
    return set;
}

static enum hf_status compile(struct policy *policy)
{
    const struct hf_string_list *values = &policy->config->string.values;
    char why[HF_REGEX_ERROR_MAX];
    if (!policy->config->string.is_regex || values->count == 0) {
        return HF_OK;
    }
    policy->regex = calloc(values->count, sizeof(struct hf_regex *));
    if (policy->regex == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < values->count; i++) {
        if (values->items[i][0] != '\0') {
            enum hf_status status =
                hf_regex_new(values->items[i], &policy->regex[policy->regex_count], why);
            if (status != HF_OK) {
                return status;
            }
            policy->regex_count++;
        }
    }
    return HF_OK;
}

static bool looks_at_spans(int64_t type)
{
    return type == HF_TAIL_STATUS_CODE || type == HF_TAIL_STRING || type == HF_TAIL_NUMERIC ||
           type == HF_TAIL_BOOLEAN || type == HF_TAIL_TRACE_STATE || type == HF_TAIL_TRACE_FLAGS;
}

static enum hf_status make_simple(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    policy->config = config;
    if (looks_at_spans(config->type)) {
        policy->bit = UINT64_C(1) << policies->leaf_count;
        policies->leaves[policies->leaf_count++] = policy;
    }
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_STATUS_CODE:
        policy->codes = codes_of(&config->status_codes);
        return HF_OK;
    case HF_TAIL_PROBABILISTIC:
        policy->threshold = threshold_of(config->sampling_percentage);
        return HF_OK;
    case HF_TAIL_RATE:
        policy->burst = config->rate.burst_capacity > 0 ? (double)config->rate.burst_capacity
                                                        : 2 * (double)config->rate.spans_per_second;
        return HF_OK;
    case HF_TAIL_STRING:
        return compile(policy);
    default:
        return HF_OK;
    }
}

static enum hf_status make_room(struct policy *policy, size_t count)
{
    policy->inner = calloc(count, sizeof(struct policy));
    policy->inner_count = policy->inner != NULL ? count : 0;
    return policy->inner != NULL ? HF_OK : HF_NOMEM;
}

static enum hf_status make_all_of(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    const struct hf_sampling_tail_policy_config *inner = config->all_of.items;
    policy->config = config;
    enum hf_status status = make_room(policy, config->all_of.count);
    for (size_t i = 0; i < config->all_of.count && status == HF_OK; i++) {
        status = make_simple(policies, &policy->inner[i], &inner[i]);
    }
    return status;
}

/* The place of a sub-policy in the order; behind those that are named when it is not. */
static size_t place_in_order(const struct hf_sampling_tail_policy_config *config, size_t index)
{
    const struct hf_sampling_tail_policy_config *inner = config->composite.policies.items;
    const struct hf_string_list *order = &config->composite.order;
    for (size_t i = 0; i < order->count; i++) {
        if (strcmp(order->items[i], inner[index].name) == 0) {
            return i;
        }
    }
    return order->count + index;
}

static double share_of(const struct hf_sampling_tail_policy_config *config, const char *name)
{
    const struct hf_sampling_tail_rate_share *shares = config->composite.shares.items;
    double total = (double)config->composite.max_total_spans_per_second;
    for (size_t i = 0; i < config->composite.shares.count; i++) {
        if (strcmp(shares[i].policy, name) == 0 && shares[i].percent > 0) {
            return (double)(int64_t)(total * ((double)shares[i].percent / 100));
        }
    }
    return (double)(int64_t)(total / (double)config->composite.policies.count);
}

static enum hf_status make_composite(struct hf_sampling_tail_policies *policies,
                                     struct policy *policy)
{
    const struct hf_sampling_tail_policy_config *config = policy->config;
    const struct hf_sampling_tail_policy_config *inner = config->composite.policies.items;
    size_t count = config->composite.policies.count;
    enum hf_status status = make_room(policy, count);
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        size_t before = 0;
        for (size_t k = 0; k < count; k++) {
            before += place_in_order(config, k) < place_in_order(config, i);
        }
        struct policy *sub = &policy->inner[before];
        status = inner[i].type == HF_TAIL_AND ? make_all_of(policies, sub, &inner[i])
                                              : make_simple(policies, sub, &inner[i]);
        sub->share = share_of(config, inner[i].name);
    }
    return status;
}

static enum hf_status make_policy(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    enum hf_status status;
    policy->config = config;
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_AND:
    case HF_TAIL_DROP:
        return make_all_of(policies, policy, config);
    case HF_TAIL_COMPOSITE:
        return make_composite(policies, policy);
    case HF_TAIL_NOT:
        status = make_room(policy, 1);
        return status != HF_OK ? status : make_simple(policies, policy->inner, config->not_policy);
    default:
        return make_simple(policies, policy, config);
    }
}

static void release(struct policy *policy)
{
    for (size_t i = 0; i < policy->regex_count; i++) {
        hf_regex_free(policy->regex[i]);
    }
    free(policy->regex);
}

static void release_all(struct policy *policy)
{
    for (size_t i = 0; i < policy->inner_count; i++) {
        struct policy *inner = &policy->inner[i];
        for (size_t k = 0; k < inner->inner_count; k++) {
            release(&inner->inner[k]);
        }
        free(inner->inner);
        release(inner);
    }
    free(policy->inner);
    release(policy);
}

void hf_sampling_tail_policies_free(struct hf_sampling_tail_policies *policies)
{
    for (size_t i = 0; policies != NULL && i < policies->count; i++) {
        release_all(&policies->items[i]);
    }
    if (policies != NULL) {
        free(policies->items);
    }
    free(policies);
}

enum hf_status hf_sampling_tail_policies_new(const struct hf_sampling_tail_config *config,
                                             struct hf_sampling_tail_policies **ret_policies)
{
    const struct hf_sampling_tail_policy_config *configs = config->policies.items;
    struct hf_sampling_tail_policies *policies = calloc(1, sizeof(*policies));
    if (policies == NULL) {
        return HF_NOMEM;
    }
    policies->on_first_match = config->sample_on_first_match;
    policies->items = calloc(config->policies.count, sizeof(struct policy));
    policies->count = policies->items != NULL ? config->policies.count : 0;
    enum hf_status status = policies->items != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < policies->count && status == HF_OK; i++) {
        status = make_policy(policies, &policies->items[i], &configs[i]);
    }
    if (status != HF_OK) {
        hf_sampling_tail_policies_free(policies);
        return status;
    }
    *ret_policies = policies;
    return HF_OK;
}

/* ---- what is noted of spans ---- */

static bool is_one_of(const struct hf_string_list *values, struct hf_slice text)
{
    for (size_t i = 0; i < values->count; i++) {
        if (values->items[i][0] != '\0' && hf_slice_is(text, values->items[i])) {
            return true;
        }
    }
    return false;
}

static bool matches_text(const struct policy *policy, struct hf_slice text)
{
    if (!policy->config->string.is_regex) {
        return is_one_of(&policy->config->string.values, text);
    }
    for (size_t i = 0; i < policy->regex_count; i++) {
        if (hf_regex_matches(policy->regex[i], text)) {
            return true;
        }
    }
    return false;
}

/* A value of another type counts as an empty text, 0 or false, as in the Go collector. */
static bool matches_attribute(const struct policy *policy, struct hf_slice owner, uint32_t number,
                              bool of_span)
{
    const struct hf_sampling_tail_policy_config *config = policy->config;
    const char *key = config->type == HF_TAIL_STRING    ? config->string.key
                      : config->type == HF_TAIL_NUMERIC ? config->numeric.key
                                                        : config->boolean.key;
    struct hf_slice value;
    if (!hf_attribute_of(owner, number, hf_slice_text(key), &value)) {
        return false;
    }
    struct hf_any any = hf_any_read(value);
    if (config->type == HF_TAIL_STRING) {
        struct hf_slice text = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
        return (text.size != 0 || !of_span) && matches_text(policy, text);
    }
    if (config->type == HF_TAIL_NUMERIC) {
        int64_t integer = any.type == HF_ANY_INT ? any.integer : 0;
        return (!config->numeric.has_min || integer >= config->numeric.min) &&
               (!config->numeric.has_max || integer <= config->numeric.max);
    }
    return (any.type == HF_ANY_BOOL && any.integer != 0) == config->boolean.value;
}

static bool is_of_attributes(int64_t type)
{
    return type == HF_TAIL_STRING || type == HF_TAIL_NUMERIC || type == HF_TAIL_BOOLEAN;
}

uint64_t hf_sampling_tail_match_resource(const struct hf_sampling_tail_policies *policies,
                                         struct hf_message *resource)
{
    uint64_t bits = 0;
    struct hf_slice content = {0};
    for (size_t i = 0; i < policies->leaf_count && resource != NULL; i++) {
        const struct policy *policy = policies->leaves[i];
        if (is_of_attributes(policy->config->type)) {
            content = content.data == NULL ? hf_message_content(resource) : content;
            bits |=
                matches_attribute(policy, content, RESOURCE_ATTRIBUTES, false) ? policy->bit : 0;
        }
    }
    return bits;
}

static bool matches_state(const struct policy *policy, struct hf_message *span)
{
    struct hf_slice value;
    return hf_trace_state_find(hf_message_bytes(span, SPAN_STATE),
                               hf_slice_text(policy->config->trace_state.key), &value) &&
           is_one_of(&policy->config->trace_state.values, value);
}

static bool matches_span(const struct policy *policy, struct hf_message *span)
{
    int64_t code;
    switch ((enum hf_sampling_tail_type)policy->config->type) {
    case HF_TAIL_STATUS_CODE:
        code = hf_message_i64(hf_message_one(span, SPAN_STATUS), STATUS_CODE);
        return code >= 0 && code < 3 && (policy->codes >> code & 1) != 0;
    case HF_TAIL_TRACE_STATE:
        return matches_state(policy, span);
    case HF_TAIL_TRACE_FLAGS:
        return (hf_message_u64(span, SPAN_FLAGS) & SAMPLED_FLAG) != 0;
    default:
        return matches_attribute(policy, hf_message_content(span), SPAN_ATTRIBUTES, true);
    }
}

void hf_sampling_tail_match_span(const struct hf_sampling_tail_policies *policies,
                                 struct hf_message *span, struct hf_sampling_tail_facts *facts)
{
    struct hf_sampling_tail_facts one = {.start_ns = hf_message_u64(span, SPAN_START),
                                         .end_ns = hf_message_u64(span, SPAN_END),
                                         .spans = 1};
    for (size_t i = 0; i < policies->leaf_count; i++) {
        const struct policy *policy = policies->leaves[i];
        if ((facts->bits & policy->bit) == 0 && matches_span(policy, span)) {
            one.bits |= policy->bit;
        }
    }
    hf_sampling_tail_facts_join(facts, &one);
}

void hf_sampling_tail_facts_join(struct hf_sampling_tail_facts *facts,
                                 const struct hf_sampling_tail_facts *more)
{
    facts->bits |= more->bits;
    if (facts->start_ns == 0 || (more->start_ns != 0 && more->start_ns < facts->start_ns)) {
        facts->start_ns = more->start_ns;
    }
    facts->end_ns = more->end_ns > facts->end_ns ? more->end_ns : facts->end_ns;
    facts->spans += more->spans;
}

/* ---- deciding ---- */

struct question {
    const uint8_t *trace_id;
    const struct hf_sampling_tail_facts *facts;
    uint64_t now_ns;
};

static bool is_hash_below(const struct policy *policy, const uint8_t *trace_id)
{
    const char *salt = policy->config->hash_salt;
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    salt = salt == NULL || salt[0] == '\0' ? "default-hash-seed" : salt;
    for (size_t i = 0; salt[i] != '\0'; i++) {
        hash = (hash ^ (uint8_t)salt[i]) * UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < 16; i++) {
        hash = (hash ^ trace_id[i]) * UINT64_C(1099511628211);
    }
    return hash <= policy->threshold;
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

/* A bucket that fills with spans_per_second. */
static bool takes_tokens(struct policy *policy, const struct question *question)
{
    double rate = (double)policy->config->rate.spans_per_second;
    if (!policy->is_filled) {
        policy->is_filled = true;
        policy->tokens = policy->burst;
    } else if (question->now_ns > policy->filled_ns) {
        policy->tokens +=
            rate * (double)(question->now_ns - policy->filled_ns) / (double)HF_NS_PER_S;
        policy->tokens = policy->tokens < policy->burst ? policy->tokens : policy->burst;
    }
    policy->filled_ns = question->now_ns > policy->filled_ns ? question->now_ns : policy->filled_ns;
    if (policy->tokens < (double)question->facts->spans) {
        return false;
    }
    policy->tokens -= (double)question->facts->spans;
    return true;
}

static bool samples_simple(struct policy *policy, const struct question *question)
{
    const struct hf_sampling_tail_policy_config *config = policy->config;
    const struct hf_sampling_tail_facts *facts = question->facts;
    bool is_matched = (facts->bits & policy->bit) != 0;
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_ALWAYS:
        return true;
    case HF_TAIL_LATENCY:
        return is_slow(config, facts);
    case HF_TAIL_PROBABILISTIC:
        return is_hash_below(policy, question->trace_id);
    case HF_TAIL_STRING:
        return is_matched != config->string.invert;
    case HF_TAIL_NUMERIC:
        return is_matched != config->numeric.invert;
    case HF_TAIL_BOOLEAN:
        return is_matched != config->boolean.invert;
    case HF_TAIL_RATE:
        return takes_tokens(policy, question);
    case HF_TAIL_SPAN_COUNT:
        return (int64_t)facts->spans >= config->spans.min &&
               (config->spans.max == 0 || (int64_t)facts->spans <= config->spans.max);
    default:
        return is_matched;
    }
}

static bool all_sample(struct policy *policy, const struct question *question)
{
    for (size_t i = 0; i < policy->inner_count; i++) {
        if (!samples_simple(&policy->inner[i], question)) {
            return false;
        }
    }
    return true;
}

/* The first one that samples owns the trace, and has to have room for it in this second. */
static bool samples_composite(struct policy *policy, const struct question *question)
{
    uint64_t second = question->now_ns / HF_NS_PER_S;
    for (size_t i = 0; i < policy->inner_count; i++) {
        struct policy *sub = &policy->inner[i];
        if (sub->second != second) {
            sub->second = second;
            sub->used = 0;
        }
        if (sub->config->type == HF_TAIL_AND ? all_sample(sub, question)
                                             : samples_simple(sub, question)) {
            double used = sub->used + (double)question->facts->spans;
            bool fits = used <= sub->share;
            sub->used = fits ? used : sub->used;
            return fits;
        }
    }
    return false;
}

static enum hf_sampling_tail_verdict vote(struct policy *policy, const struct question *question)
{
    bool samples;
    switch ((enum hf_sampling_tail_type)policy->config->type) {
    case HF_TAIL_AND:
        samples = all_sample(policy, question);
        break;
    case HF_TAIL_NOT:
        samples = !all_sample(policy, question);
        break;
    case HF_TAIL_DROP:
        return all_sample(policy, question) ? HF_TAIL_DROPPED : HF_TAIL_NOT_SAMPLED;
    case HF_TAIL_COMPOSITE:
        samples = samples_composite(policy, question);
        break;
    default:
        samples = samples_simple(policy, question);
    }
    return samples ? HF_TAIL_SAMPLED : HF_TAIL_NOT_SAMPLED;
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
    /* What drops is asked first and ends it. */
    for (size_t i = 0; i < policies->count; i++) {
        if (policies->items[i].config->type == HF_TAIL_DROP) {
            ret_votes[i] = vote(&policies->items[i], &question);
            if (ret_votes[i] == HF_TAIL_DROPPED) {
                return HF_TAIL_NOT_SAMPLED;
            }
        }
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
