/*
 * tail_check: what no single key of tail_sampling can tell.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "ottl/ottl.h"
#include "tail_config.h"
#include "util/mistake.h"
#include "util/regex/regex.h"

static _Thread_local char sentence[HF_ERROR_MAX];

static const char *says(const char *name, const char *what)
{
    snprintf(sentence, sizeof(sentence), "policies: %s: %s", name, what);
    return sentence;
}

static bool is_missing(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static const char *check_patterns(const struct hf_sampling_tail_policy_config *policy)
{
    for (size_t i = 0; policy->string.is_regex && i < policy->string.values.count; i++) {
        char why[HF_REGEX_ERROR_MAX], text[HF_REGEX_ERROR_MAX + 64];
        struct hf_regex *regex = NULL;
        enum hf_status status = hf_regex_new(policy->string.values.items[i], &regex, why);
        hf_regex_free(regex);
        if (status == HF_INVALID) {
            snprintf(text, sizeof(text), "string_attribute::values[%zu]: %s", i, why);
            return says(policy->name, text);
        }
    }
    return NULL;
}

static const char *check_list(const struct hf_sampling_tail_policy_config *policy,
                              const struct hf_string_list *conditions, enum hf_path_context context)
{
    const struct hf_ottl_source source = {.conditions = *conditions,
                                          .context = context,
                                          .functions = HF_OTTL_FILTER,
                                          .name = "ottl_condition"};
    struct hf_ottl *ottl = NULL;
    char why[HF_ERROR_MAX];
    enum hf_status status = conditions->count != 0 ? hf_ottl_new(&source, &ottl, why) : HF_OK;
    hf_ottl_free(ottl);
    return status == HF_INVALID ? says(policy->name, why) : NULL;
}

static const char *check_conditions(const struct hf_sampling_tail_policy_config *policy)
{
    if (policy->ottl.span.count == 0 && policy->ottl.spanevent.count == 0) {
        return says(policy->name,
                    "ottl_condition: at least one condition is needed, in `span` or `spanevent`");
    }
    const char *wrong = check_list(policy, &policy->ottl.span, HF_PATH_SPAN);
    return wrong != NULL ? wrong : check_list(policy, &policy->ottl.spanevent, HF_PATH_SPANEVENT);
}

static const char *check_simple(const struct hf_sampling_tail_policy_config *policy)
{
    switch ((enum hf_sampling_tail_type)policy->type) {
    case HF_TAIL_STATUS_CODE:
        return policy->status_codes.count == 0
                   ? says(policy->name, "status_code::status_codes: at least one is needed")
                   : NULL;
    case HF_TAIL_PROBABILISTIC:
        return !isfinite(policy->sampling_percentage)
                   ? says(policy->name, "probabilistic::sampling_percentage: not a finite number")
                   : NULL;
    case HF_TAIL_STRING:
        return is_missing(policy->string.key) ? says(policy->name, "string_attribute::key: missing")
                                              : check_patterns(policy);
    case HF_TAIL_NUMERIC:
        return is_missing(policy->numeric.key)
                   ? says(policy->name, "numeric_attribute::key: missing")
                   : NULL;
    case HF_TAIL_BOOLEAN:
        return is_missing(policy->boolean.key)
                   ? says(policy->name, "boolean_attribute::key: missing")
                   : NULL;
    case HF_TAIL_OTTL:
        return check_conditions(policy);
    case HF_TAIL_TRACE_STATE:
        return is_missing(policy->trace_state.key) ? says(policy->name, "trace_state::key: missing")
                                                   : NULL;
    default:
        return NULL;
    }
}

/* Non-empty and unique names. `policies` has HF_TAIL_TYPE_COUNT kinds of policy. */
static const char *check_names(const struct hf_struct_list *list, const char *owner)
{
    const struct hf_sampling_tail_policy_config *policies = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (is_missing(policies[i].name)) {
            return says(owner, "a policy without a name");
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(policies[i].name, policies[k].name) == 0) {
                return says(policies[i].name, "there are two policies of that name");
            }
        }
    }
    return NULL;
}

static bool is_one_of(const char *name, const struct hf_struct_list *list)
{
    const struct hf_sampling_tail_policy_config *policies = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(policies[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *check_inner(const struct hf_sampling_tail_policy_config *policy)
{
    if (policy->type != HF_TAIL_NOT) {
        return check_simple(policy);
    }
    return policy->not_policy == NULL ? says(policy->name, "not::not_sub_policy: missing")
                                      : check_simple(policy->not_policy);
}

static const char *check_all_of(const struct hf_sampling_tail_policy_config *policy)
{
    const struct hf_sampling_tail_policy_config *inner = policy->all_of.items;
    if (policy->all_of.count == 0) {
        return says(policy->name, "at least one sub-policy is needed");
    }
    const char *wrong = check_names(&policy->all_of, policy->name);
    for (size_t i = 0; i < policy->all_of.count && wrong == NULL; i++) {
        wrong = check_inner(&inner[i]);
    }
    return wrong;
}

static const char *check_composite(const struct hf_sampling_tail_policy_config *policy)
{
    const struct hf_sampling_tail_policy_config *inner = policy->composite.policies.items;
    const struct hf_sampling_tail_rate_share *shares = policy->composite.shares.items;
    if (policy->composite.policies.count == 0) {
        return says(policy->name, "composite::composite_sub_policy: at least one is needed");
    }
    const char *wrong = check_names(&policy->composite.policies, policy->name);
    for (size_t i = 0; i < policy->composite.policies.count && wrong == NULL; i++) {
        wrong = inner[i].type == HF_TAIL_AND ? check_all_of(&inner[i]) : check_inner(&inner[i]);
    }
    for (size_t i = 0; i < policy->composite.order.count && wrong == NULL; i++) {
        if (!is_one_of(policy->composite.order.items[i], &policy->composite.policies)) {
            wrong = says(policy->name, "composite::policy_order: names no sub-policy");
        }
    }
    for (size_t i = 0; i < policy->composite.shares.count && wrong == NULL; i++) {
        if (!is_one_of(shares[i].policy, &policy->composite.policies)) {
            wrong = says(policy->name, "composite::rate_allocation: names no sub-policy");
        }
    }
    return wrong;
}

static const char *check_policy(const struct hf_sampling_tail_policy_config *policy)
{
    switch ((enum hf_sampling_tail_type)policy->type) {
    case HF_TAIL_AND:
    case HF_TAIL_DROP:
        return check_all_of(policy);
    case HF_TAIL_COMPOSITE:
        return check_composite(policy);
    default:
        return check_inner(policy);
    }
}

/* Bits that the simple policies of a list need, whether they look at spans or not. */
static size_t count_bits(const struct hf_sampling_tail_policy_config *policies, size_t count)
{
    size_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        const struct hf_sampling_tail_policy_config *policy = &policies[i];
        bits += policy->type == HF_TAIL_OTTL ? 2 : 1;
        bits += policy->not_policy != NULL ? count_bits(policy->not_policy, 1) : 0;
        bits += count_bits(policy->all_of.items, policy->all_of.count);
        bits += count_bits(policy->composite.policies.items, policy->composite.policies.count);
    }
    return bits;
}

/* What remembers other traces cannot vote on a part of one. */
static const char *check_stateless(const struct hf_sampling_tail_policy_config *policies,
                                   size_t count)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        const struct hf_sampling_tail_policy_config *policy = &policies[i];
        if (policy->type == HF_TAIL_RATE || policy->type == HF_TAIL_BYTES ||
            policy->type == HF_TAIL_COMPOSITE) {
            return says(policy->name, "sampling_strategy span-ingest needs policies without a "
                                      "memory; use another type, or trace-complete");
        }
        wrong = policy->not_policy != NULL ? check_stateless(policy->not_policy, 1) : NULL;
        wrong = wrong == NULL ? check_stateless(policy->all_of.items, policy->all_of.count) : wrong;
    }
    return wrong;
}

const char *hf_sampling_tail_check(const void *config)
{
    const struct hf_sampling_tail_config *wanted = config;
    const struct hf_sampling_tail_policy_config *policies = wanted->policies.items;
    if (wanted->policies.count == 0) {
        return "policies: at least one is needed";
    }
    const char *wrong = check_names(&wanted->policies, "tail_sampling");
    for (size_t i = 0; i < wanted->policies.count && (wrong == NULL || hf_mistake(wrong)); i++) {
        const char *found = check_policy(&policies[i]);
        wrong = found != NULL ? found : wrong;
    }
    if (wrong == NULL && wanted->strategy == HF_TAIL_SPAN_INGEST) {
        wrong = check_stateless(policies, wanted->policies.count);
    }
    if (wrong == NULL && count_bits(policies, wanted->policies.count) > HF_TAIL_BITS_MAX) {
        return "policies: more than 64, those inside of others included; ottl_condition counts "
               "twice";
    }
    return wrong;
}
