/*
 * tail_config: the tables of keys, one for each place where a policy may stand.
 */
#include "tail_config.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/regex.h"

/* ---- keys ---- */

static const char *const types[] = {"always_sample",
                                    "status_code",
                                    "latency",
                                    "probabilistic",
                                    "string_attribute",
                                    "numeric_attribute",
                                    "boolean_attribute",
                                    "rate_limiting",
                                    "span_count",
                                    "trace_state",
                                    "trace_flags",
                                    "and",
                                    "composite",
                                    "not",
                                    "drop",
                                    NULL};
static const char *const types_in_composite[] = {"always_sample",
                                                 "status_code",
                                                 "latency",
                                                 "probabilistic",
                                                 "string_attribute",
                                                 "numeric_attribute",
                                                 "boolean_attribute",
                                                 "rate_limiting",
                                                 "span_count",
                                                 "trace_state",
                                                 "trace_flags",
                                                 "and",
                                                 NULL};
static const char *const simple_types[] = {
    "always_sample",    "status_code",       "latency",           "probabilistic",
    "string_attribute", "numeric_attribute", "boolean_attribute", "rate_limiting",
    "span_count",       "trace_state",       "trace_flags",       NULL};
static const char *const codes[] = {"OK", "ERROR", "UNSET", NULL};

#define AT(member) offsetof(struct hf_sampling_tail_policy_config, member)
/* A section's keys stand in the policy itself: their offsets are those of the policy. */
#define SECTION(name, table, says)                                                                 \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT, .offset = 0, .inner = table, .help = says            \
    }

static const struct hf_field status_fields[] = {
    {.key = "status_codes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(status_codes),
     .choices = codes,
     .help = "OK, ERROR, UNSET: a span has one of them."},
    HF_FIELDS_END};
static const struct hf_field latency_fields[] = {
    {.key = "threshold_ms",
     .type = HF_FIELD_INT,
     .offset = AT(threshold_ms),
     .help = "The trace takes longer, from its earliest start to its latest end."},
    {.key = "upper_threshold_ms",
     .type = HF_FIELD_INT,
     .offset = AT(upper_threshold_ms),
     .help = "And not longer than this; 0: no limit."},
    HF_FIELDS_END};
static const struct hf_field probabilistic_fields[] = {
    {.key = "sampling_percentage",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(sampling_percentage),
     .help = "How many of the traces, by a hash of the id."},
    {.key = "hash_salt",
     .type = HF_FIELD_STRING,
     .offset = AT(hash_salt),
     .help = "Hashed before the id; empty: `default-hash-seed`. Tiers need different ones."},
    HF_FIELDS_END};
static const struct hf_field string_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = AT(string.key),
     .help = "The attribute, of a resource or a span."},
    {.key = "values",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(string.values),
     .help = "One of them is its text, or is found in it as a regular expression."},
    {.key = "enabled_regex_matching",
     .type = HF_FIELD_BOOL,
     .offset = AT(string.is_regex),
     .help = "Values are regular expressions."},
    {.key = "cache_max_size",
     .type = HF_FIELD_INT,
     .offset = AT(string.cache_max_size),
     .default_text = "128",
     .help = "Accepted; expressions are compiled once and fast enough without a cache."},
    {.key = "invert_match",
     .type = HF_FIELD_BOOL,
     .offset = AT(string.invert),
     .help = "Sample when none matches."},
    HF_FIELDS_END};
static const struct hf_field numeric_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = AT(numeric.key),
     .help = "The attribute, of a resource or a span."},
    {.key = "min_value",
     .type = HF_FIELD_INT,
     .offset = AT(numeric.min),
     .present_offset = AT(numeric.has_min),
     .help = "At least this; absent: no limit."},
    {.key = "max_value",
     .type = HF_FIELD_INT,
     .offset = AT(numeric.max),
     .present_offset = AT(numeric.has_max),
     .help = "At most this; absent: no limit."},
    {.key = "invert_match",
     .type = HF_FIELD_BOOL,
     .offset = AT(numeric.invert),
     .help = "Sample when none matches."},
    HF_FIELDS_END};
static const struct hf_field boolean_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = AT(boolean.key),
     .help = "The attribute, of a resource or a span."},
    {.key = "value", .type = HF_FIELD_BOOL, .offset = AT(boolean.value), .help = "Its value."},
    {.key = "invert_match",
     .type = HF_FIELD_BOOL,
     .offset = AT(boolean.invert),
     .help = "Sample when none matches."},
    HF_FIELDS_END};
static const struct hf_field rate_fields[] = {
    {.key = "spans_per_second",
     .type = HF_FIELD_INT,
     .offset = AT(rate.spans_per_second),
     .help = "A trace is sampled when its spans fit."},
    {.key = "burst_capacity",
     .type = HF_FIELD_INT,
     .offset = AT(rate.burst_capacity),
     .help = "So many spans may come at once; 0: twice spans_per_second."},
    HF_FIELDS_END};
static const struct hf_field count_fields[] = {{.key = "min_spans",
                                                .type = HF_FIELD_INT,
                                                .offset = AT(spans.min),
                                                .help = "The trace has at least so many spans."},
                                               {.key = "max_spans",
                                                .type = HF_FIELD_INT,
                                                .offset = AT(spans.max),
                                                .help = "And at most so many; 0: no limit."},
                                               HF_FIELDS_END};
static const struct hf_field state_fields[] = {{.key = "key",
                                                .type = HF_FIELD_STRING,
                                                .offset = AT(trace_state.key),
                                                .help = "The member of a span's trace state."},
                                               {.key = "values",
                                                .type = HF_FIELD_STRING_LIST,
                                                .offset = AT(trace_state.values),
                                                .help = "One of them is its value."},
                                               HF_FIELDS_END};

#define SIMPLE(type_names)                                                                         \
    {.key = "name",                                                                                \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = AT(name),                                                                           \
     .required = true,                                                                             \
     .help = "The policy's name, once in its list."},                                              \
        {.key = "type",                                                                            \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = AT(type),                                                                       \
         .choices = type_names,                                                                    \
         .required = true,                                                                         \
         .help = "The kind; its section below is what counts."},                                   \
        SECTION("status_code", status_fields, "By the status of a span."),                         \
        SECTION("latency", latency_fields, "By the duration of the trace."),                       \
        SECTION("probabilistic", probabilistic_fields, "A share of the traces."),                  \
        SECTION("string_attribute", string_fields, "By an attribute's text."),                     \
        SECTION("numeric_attribute", numeric_fields, "By an attribute's integer."),                \
        SECTION("boolean_attribute", boolean_fields, "By an attribute's boolean."),                \
        SECTION("rate_limiting", rate_fields, "As many spans per second."),                        \
        SECTION("span_count", count_fields, "By the number of spans."),                            \
        SECTION("trace_state", state_fields, "By a member of the trace state.")

static const struct hf_field simple_policy_fields[] = {SIMPLE(simple_types), HF_FIELDS_END};

#define SUB_POLICIES(name, says)                                                                   \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT_LIST, .offset = AT(all_of),                           \
        .inner = simple_policy_fields,                                                             \
        .inner_size = sizeof(struct hf_sampling_tail_policy_config), .help = says                  \
    }

static const struct hf_field and_fields[] = {
    SUB_POLICIES("and_sub_policy", "Sampled when all of them sample."), HF_FIELDS_END};
static const struct hf_field drop_fields[] = {
    SUB_POLICIES("drop_sub_policy", "Never sampled when all of them sample."), HF_FIELDS_END};
static const struct hf_field not_fields[] = {
    {.key = "not_sub_policy",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(not_policy),
     .inner = simple_policy_fields,
     .inner_size = sizeof(struct hf_sampling_tail_policy_config),
     .help = "Sampled when it does not sample."},
    HF_FIELDS_END};
static const struct hf_field composite_policy_fields[] = {
    SIMPLE(types_in_composite), SECTION("and", and_fields, "All of several."), HF_FIELDS_END};
static const struct hf_field share_fields[] = {
    {.key = "policy",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_sampling_tail_rate_share, policy),
     .required = true,
     .help = "The name of a sub-policy."},
    {.key = "percent",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_sampling_tail_rate_share, percent),
     .min = 0,
     .max = 100,
     .help = "Its share of the spans per second."},
    HF_FIELDS_END};
static const struct hf_field composite_fields[] = {
    {.key = "max_total_spans_per_second",
     .type = HF_FIELD_INT,
     .offset = AT(composite.max_total_spans_per_second),
     .help = "Shared by the sub-policies."},
    {.key = "policy_order",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(composite.order),
     .help = "Which sub-policy is asked first; those that are not named come last."},
    {.key = "composite_sub_policy",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(composite.policies),
     .inner = composite_policy_fields,
     .inner_size = sizeof(struct hf_sampling_tail_policy_config),
     .help = "The first that samples decides, within its share."},
    {.key = "rate_allocation",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(composite.shares),
     .inner = share_fields,
     .inner_size = sizeof(struct hf_sampling_tail_rate_share),
     .help = "Shares; without one a sub-policy has an equal part."},
    HF_FIELDS_END};

static const struct hf_field policy_fields[] = {
    SIMPLE(types),
    SECTION("and", and_fields, "All of several."),
    SECTION("not", not_fields, "The reverse of one."),
    SECTION("drop", drop_fields, "What is never sampled, whatever others say."),
    SECTION("composite", composite_fields, "Several within a rate."),
    HF_FIELDS_END};

#define CONFIG(member) offsetof(struct hf_sampling_tail_config, member)

static const struct hf_field cache_fields[] = {
    {.key = "sampled_cache_size",
     .type = HF_FIELD_INT,
     .offset = 0,
     .min = 0,
     .max = 100e6,
     .help = "Ids of sampled traces that are remembered when num_traces pushes them out."},
    {.key = "non_sampled_cache_size",
     .type = HF_FIELD_INT,
     .offset = sizeof(int64_t),
     .min = 0,
     .max = 100e6,
     .help = "Likewise of those that were not."},
    HF_FIELDS_END};

const struct hf_field hf_sampling_tail_fields[] = {
    {.key = "decision_wait",
     .type = HF_FIELD_DURATION,
     .offset = CONFIG(decision_wait_ns),
     .default_text = "30s",
     .help = "From the receipt of a trace's first span to its decision."},
    {.key = "num_traces",
     .type = HF_FIELD_INT,
     .offset = CONFIG(num_traces),
     .default_text = "50000",
     .min = 1,
     .max = 1e9,
     .help =
         "Traces in memory, decided ones too. The oldest is decided early when there are more."},
    {.key = "expected_new_traces_per_sec",
     .type = HF_FIELD_INT,
     .offset = CONFIG(expected_new_traces_per_sec),
     .min = 0,
     .max = 1e12,
     .help = "Accepted; tables grow as needed."},
    {.key = "policies",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = CONFIG(policies),
     .inner = policy_fields,
     .inner_size = sizeof(struct hf_sampling_tail_policy_config),
     .required = true,
     .help = "A trace is sampled when one of them samples it and none drops it."},
    {.key = "decision_cache",
     .type = HF_FIELD_STRUCT,
     .offset = CONFIG(decision_cache),
     .inner = cache_fields,
     .help = "Verdicts for spans that come late."},
    {.key = "sample_on_first_match",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(sample_on_first_match),
     .help = "Ask no more policies when one samples."},
    HF_FIELDS_END};

/* ---- checks ---- */

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

static const char *check_all_of(const struct hf_sampling_tail_policy_config *policy)
{
    const struct hf_sampling_tail_policy_config *inner = policy->all_of.items;
    if (policy->all_of.count == 0) {
        return says(policy->name, "at least one sub-policy is needed");
    }
    const char *wrong = check_names(&policy->all_of, policy->name);
    for (size_t i = 0; i < policy->all_of.count && wrong == NULL; i++) {
        wrong = check_simple(&inner[i]);
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
        wrong = inner[i].type == HF_TAIL_AND ? check_all_of(&inner[i]) : check_simple(&inner[i]);
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
    case HF_TAIL_NOT:
        return policy->not_policy == NULL ? says(policy->name, "not::not_sub_policy: missing")
                                          : check_simple(policy->not_policy);
    case HF_TAIL_COMPOSITE:
        return check_composite(policy);
    default:
        return check_simple(policy);
    }
}

/* Those that need a bit, whether they look at spans or not. */
static size_t count_bits(const struct hf_sampling_tail_policy_config *policy)
{
    const struct hf_sampling_tail_policy_config *inner = policy->composite.policies.items;
    size_t count = 1 + policy->all_of.count + (policy->not_policy != NULL);
    for (size_t i = 0; i < policy->composite.policies.count; i++) {
        count += 1 + inner[i].all_of.count;
    }
    return count;
}

const char *hf_sampling_tail_check(const void *config)
{
    const struct hf_sampling_tail_config *wanted = config;
    const struct hf_sampling_tail_policy_config *policies = wanted->policies.items;
    if (wanted->policies.count == 0) {
        return "policies: at least one is needed";
    }
    const char *wrong = check_names(&wanted->policies, "tail_sampling");
    size_t bits = 0;
    for (size_t i = 0; i < wanted->policies.count && wrong == NULL; i++) {
        wrong = check_policy(&policies[i]);
        bits += count_bits(&policies[i]);
    }
    if (wrong == NULL && bits > HF_TAIL_BITS_MAX) {
        return "policies: more than 64, those inside of others included";
    }
    return wrong;
}
