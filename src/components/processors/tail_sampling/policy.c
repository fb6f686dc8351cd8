/*
 * policy: each policy is a node; those that look at spans have a bit, the others are told by the
 * facts.
 */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/trace_state.h"
#include "policy_internal.h"
#include "util/fnv.h"
#include "util/regex/regex.h"

#define SAMPLED_FLAG 1u

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

static uint64_t hash_of_salt(const char *salt)
{
    bool is_given = salt != NULL && salt[0] != '\0';
    return hf_fnv(hf_slice_text(is_given ? salt : "default-hash-seed"));
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
           type == HF_TAIL_BOOLEAN || type == HF_TAIL_TRACE_STATE || type == HF_TAIL_TRACE_FLAGS ||
           type == HF_TAIL_OTTL;
}

static void set_rate(struct policy *policy, int64_t per_second, int64_t burst)
{
    policy->rate = (double)per_second;
    policy->burst = burst > 0 ? (double)burst : 2 * (double)per_second;
}

/* The groups may move while others are added: their place is found when all are there. */
static enum hf_status compile_conditions(struct hf_sampling_tail_policies *policies,
                                         struct policy *policy)
{
    const struct hf_sampling_tail_policy_config *config = policy->config;
    const struct hf_ottl_group_rules rules = {.key = config->name,
                                              .functions = HF_OTTL_FILTER,
                                              .error_mode =
                                                  (enum hf_ottl_error_mode)config->ottl.error_mode};
    char why[HF_ERROR_MAX];
    policy->failed_bit = UINT64_C(1) << policies->bit_count++;
    policy->first_group = policies->groups.count;
    enum hf_status status =
        hf_ottl_groups_add(&policies->groups, config->ottl.span, HF_PATH_SPAN, &rules, why);
    if (status == HF_OK) {
        status = hf_ottl_groups_add(&policies->groups, config->ottl.spanevent, HF_PATH_SPANEVENT,
                                    &rules, why);
    }
    policy->group_count = policies->groups.count - policy->first_group;
    return status;
}

static enum hf_status make_simple(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    policy->config = config;
    if (looks_at_spans(config->type)) {
        policy->bit = UINT64_C(1) << policies->bit_count++;
        policies->leaves[policies->leaf_count++] = policy;
    }
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_STATUS_CODE:
        policy->codes = codes_of(&config->status_codes);
        return HF_OK;
    case HF_TAIL_PROBABILISTIC:
        policy->threshold = threshold_of(config->sampling_percentage);
        policy->salt_hash = hash_of_salt(config->hash_salt);
        return HF_OK;
    case HF_TAIL_RATE:
        set_rate(policy, config->rate.spans_per_second, config->rate.burst_capacity);
        return HF_OK;
    case HF_TAIL_BYTES:
        set_rate(policy, config->bytes.bytes_per_second, config->bytes.burst_capacity);
        return HF_OK;
    case HF_TAIL_OTTL:
        return compile_conditions(policies, policy);
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

/* One that may be the reverse of another. */
static enum hf_status make_inner(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                 const struct hf_sampling_tail_policy_config *config)
{
    if (config->type != HF_TAIL_NOT) {
        return make_simple(policies, policy, config);
    }
    policy->config = config;
    enum hf_status status = make_room(policy, 1);
    return status != HF_OK ? status : make_simple(policies, policy->inner, config->not_policy);
}

static enum hf_status make_all_of(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    const struct hf_sampling_tail_policy_config *inner = config->all_of.items;
    policy->config = config;
    enum hf_status status = make_room(policy, config->all_of.count);
    for (size_t i = 0; i < config->all_of.count && status == HF_OK; i++) {
        status = make_inner(policies, &policy->inner[i], &inner[i]);
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
                                              : make_inner(policies, sub, &inner[i]);
        sub->share = share_of(config, inner[i].name);
    }
    return status;
}

static enum hf_status make_policy(struct hf_sampling_tail_policies *policies, struct policy *policy,
                                  const struct hf_sampling_tail_policy_config *config)
{
    policy->config = config;
    policies->has_drop = policies->has_drop || config->type == HF_TAIL_DROP;
    switch ((enum hf_sampling_tail_type)config->type) {
    case HF_TAIL_AND:
    case HF_TAIL_DROP:
        return make_all_of(policies, policy, config);
    case HF_TAIL_COMPOSITE:
        return make_composite(policies, policy);
    default:
        return make_inner(policies, policy, config);
    }
}

static void release(struct policy *policy)
{
    for (size_t i = 0; i < policy->regex_count; i++) {
        hf_regex_free(policy->regex[i]);
    }
    free(policy->regex);
}

/* They are at most four within each other. */
static void release_all(struct policy *policy)
{
    for (size_t i = 0; i < policy->inner_count; i++) {
        release_all(&policy->inner[i]);
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
        hf_ottl_groups_release(&policies->groups);
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
        return (config->numeric.min == 0 || integer >= config->numeric.min) &&
               (config->numeric.max == 0 || integer <= config->numeric.max);
    }
    return (any.type == HF_ANY_BOOL && any.integer != 0) == config->boolean.value;
}

static bool is_of_attributes(int64_t type)
{
    return type == HF_TAIL_STRING || type == HF_TAIL_NUMERIC || type == HF_TAIL_BOOLEAN;
}

uint64_t hf_sampling_tail_match_resource(const struct hf_sampling_tail_policies *policies,
                                         struct hf_slice resource)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < policies->leaf_count && resource.size != 0; i++) {
        const struct policy *policy = policies->leaves[i];
        if (is_of_attributes(policy->config->type) &&
            matches_attribute(policy, resource, HF_TAIL_RESOURCE_ATTRIBUTES, false)) {
            bits |= policy->bit;
        }
    }
    return bits;
}

static bool matches_state(const struct policy *policy, struct hf_slice trace_state)
{
    struct hf_slice value;
    return hf_trace_state_find(trace_state, hf_slice_text(policy->config->trace_state.key),
                               &value) &&
           is_one_of(&policy->config->trace_state.values, value);
}

/* The bits of conditions on a span and its events; the first that is true or fails ends it. */
static uint64_t match_conditions(struct hf_sampling_tail_policies *policies,
                                 const struct policy *policy, const struct hf_place *place)
{
    for (size_t i = 0; i < policy->group_count; i++) {
        const struct hf_ottl_group *group = &policies->groups.items[policy->first_group + i];
        bool is_of_events = hf_ottl_context(group->ottl) == HF_PATH_SPANEVENT;
        struct hf_place at = *place;
        at.event = NULL;
        while (!is_of_events || hf_place_next_event(&at)) {
            bool is_any = false;
            hf_ottl_enter(&policies->run, &at);
            enum hf_status status = hf_ottl_any(group->ottl, &policies->run, group->error_mode,
                                                policies->watch, &is_any);
            policies->no_memory = policies->no_memory || status == HF_NOMEM;
            if (status != HF_OK || is_any) {
                return status != HF_OK ? policy->failed_bit : policy->bit;
            }
            if (!is_of_events) {
                break;
            }
        }
    }
    return 0;
}

static bool matches_span(const struct policy *policy, const struct hf_sampling_tail_span *span)
{
    int64_t code = span->status_code;
    switch ((enum hf_sampling_tail_type)policy->config->type) {
    case HF_TAIL_STATUS_CODE:
        return code >= 0 && code < 3 && (policy->codes >> code & 1) != 0;
    case HF_TAIL_TRACE_STATE:
        return matches_state(policy, span->trace_state);
    case HF_TAIL_TRACE_FLAGS:
        return (span->flags & SAMPLED_FLAG) != 0;
    default:
        return matches_attribute(policy, span->bytes, HF_TAIL_SPAN_ATTRIBUTES, true);
    }
}

bool hf_sampling_tail_has_conditions(const struct hf_sampling_tail_policies *policies)
{
    return policies->groups.count != 0;
}

void hf_sampling_tail_match_begin(struct hf_sampling_tail_policies *policies,
                                  struct hf_document *document)
{
    policies->no_memory = false;
    hf_ottl_begin(&policies->run, document);
}

enum hf_status hf_sampling_tail_match_end(struct hf_sampling_tail_policies *policies)
{
    hf_ottl_end(&policies->run);
    return policies->no_memory ? HF_NOMEM : HF_OK;
}

void hf_sampling_tail_match_span(struct hf_sampling_tail_policies *policies,
                                 const struct hf_sampling_tail_span *span,
                                 const struct hf_place *place, struct hf_sampling_tail_facts *facts)
{
    struct hf_sampling_tail_facts one = {
        .start_ns = span->start_ns, .end_ns = span->end_ns, .spans = 1};
    for (size_t i = 0; i < policies->leaf_count; i++) {
        const struct policy *policy = policies->leaves[i];
        if ((facts->bits & (policy->bit | policy->failed_bit)) != 0) {
            continue;
        }
        if (policy->group_count != 0) {
            one.bits |= match_conditions(policies, policy, place);
        } else if (matches_span(policy, span)) {
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
    facts->bytes += more->bytes;
    facts->spans += more->spans;
}

void hf_sampling_tail_policies_watch(struct hf_sampling_tail_policies *policies,
                                     struct hf_ottl_watch *watch)
{
    policies->watch = watch;
}

const struct hf_ottl_groups *
hf_sampling_tail_policies_groups(const struct hf_sampling_tail_policies *policies)
{
    return &policies->groups;
}
