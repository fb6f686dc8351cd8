/*
 * tail_config: the tables of keys, one for each place where a policy may stand.
 */
#include "tail_config.h"

#include <stddef.h>

#include <holdfast/component.h>

#include "ottl/ottl.h"

/* ---- keys ---- */

#define SIMPLE_TYPES                                                                               \
    "always_sample", "status_code", "latency", "probabilistic", "string_attribute",                \
        "numeric_attribute", "boolean_attribute", "rate_limiting", "span_count", "trace_state",    \
        "trace_flags", "bytes_limiting", "ottl_condition"

static const char *const types[] = {SIMPLE_TYPES, "not", "and", "composite", "drop", NULL};
static const char *const types_in_composite[] = {SIMPLE_TYPES, "not", "and", NULL};
static const char *const types_in_and[] = {SIMPLE_TYPES, "not", NULL};
static const char *const simple_types[] = {SIMPLE_TYPES, NULL};
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
     .help = "At least this; 0: no limit."},
    {.key = "max_value",
     .type = HF_FIELD_INT,
     .offset = AT(numeric.max),
     .help = "At most this; 0: no limit."},
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
static const struct hf_field bytes_fields[] = {
    {.key = "bytes_per_second",
     .type = HF_FIELD_INT,
     .offset = AT(bytes.bytes_per_second),
     .help = "A trace is sampled when its bytes fit: those of its spans, with their resource and "
             "scope once per request."},
    {.key = "burst_capacity",
     .type = HF_FIELD_INT,
     .offset = AT(bytes.burst_capacity),
     .help = "So many bytes may come at once; 0: twice bytes_per_second."},
    HF_FIELDS_END};
static const struct hf_field ottl_fields[] = {
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = AT(ottl.error_mode),
     .choices = hf_ottl_error_modes,
     .default_text = "ignore",
     .help = "What becomes of a condition that fails: propagate (the policy has no vote on the "
             "trace), ignore (it is false) or silent (and is not logged)."},
    {.key = "span",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(ottl.span),
     .help = "Conditions; one of them is true for a span."},
    {.key = "spanevent",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(ottl.spanevent),
     .help = "Or one of these for an event of a span."},
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
        SECTION("bytes_limiting", bytes_fields, "As many bytes per second."),                      \
        SECTION("ottl_condition", ottl_fields, "By conditions on spans and their events."),        \
        SECTION("span_count", count_fields, "By the number of spans."),                            \
        SECTION("trace_state", state_fields, "By a member of the trace state.")

static const struct hf_field simple_policy_fields[] = {SIMPLE(simple_types), HF_FIELDS_END};

static const struct hf_field not_fields[] = {
    {.key = "not_sub_policy",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(not_policy),
     .inner = simple_policy_fields,
     .inner_size = sizeof(struct hf_sampling_tail_policy_config),
     .help = "Sampled when it does not sample."},
    HF_FIELDS_END};
static const struct hf_field and_policy_fields[] = {
    SIMPLE(types_in_and), SECTION("not", not_fields, "The reverse of one."), HF_FIELDS_END};

#define SUB_POLICIES(name, says)                                                                   \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT_LIST, .offset = AT(all_of),                           \
        .inner = and_policy_fields, .inner_size = sizeof(struct hf_sampling_tail_policy_config),   \
        .help = says                                                                               \
    }

static const struct hf_field and_fields[] = {
    SUB_POLICIES("and_sub_policy", "Sampled when all of them sample."), HF_FIELDS_END};
static const struct hf_field drop_fields[] = {
    SUB_POLICIES("drop_sub_policy", "Never sampled when all of them sample."), HF_FIELDS_END};
static const struct hf_field composite_policy_fields[] = {
    SIMPLE(types_in_composite), SECTION("not", not_fields, "The reverse of one."),
    SECTION("and", and_fields, "All of several."), HF_FIELDS_END};
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

static const char *const strategies[] = {"trace-complete", "span-ingest", NULL};

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
    {.key = "decision_wait_after_root_received",
     .type = HF_FIELD_DURATION,
     .offset = CONFIG(decision_wait_after_root_ns),
     .min = 0,
     .max = 4e15,
     .help = "From the receipt of a span without a parent to the decision, if that is earlier; 0: "
             "decision_wait alone counts."},
    {.key = "maximum_trace_size_bytes",
     .type = HF_FIELD_BYTES,
     .offset = CONFIG(maximum_trace_size_bytes),
     .help = "A larger trace is dropped at once; 0: no limit."},
    {.key = "block_on_overflow",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(block_on_overflow),
     .help = "When num_traces wait, leave what comes in the queue in front instead of deciding the "
             "oldest early."},
    {.key = "sampling_strategy",
     .type = HF_FIELD_ENUM,
     .offset = CONFIG(strategy),
     .choices = strategies,
     .default_text = "trace-complete",
     .help = "span-ingest: the policies are asked about the spans of each request when it comes; a "
             "trace that none samples within decision_wait is not sampled."},
    {.key = "drop_pending_traces_on_shutdown",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(drop_pending_on_shutdown),
     .help = "Accepted; traces that wait are on disk, and are decided after the next start."},
    {.key = "num_shards",
     .type = HF_FIELD_INT,
     .offset = CONFIG(num_shards),
     .default_text = "1",
     .min = 0,
     .max = 256,
     .help = "Accepted; one thread decides."},
    {.key = "tail_storage",
     .type = HF_FIELD_IGNORED,
     .help = "has no effect: spans wait in the queue on disk"},
    HF_FIELDS_END};
