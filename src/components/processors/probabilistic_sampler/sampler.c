#include "sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "support/items/sampling.h"

enum {
    SPAN_TRACE_ID = 1,
    SPAN_TRACE_STATE = 3,
    SPAN_ATTRIBUTES = 9,
    LOG_ATTRIBUTES = 6,
    LOG_TRACE_ID = 9,
};

#define TRACE_ID_SIZE 16u

/* The hash has 14 bits: the buckets of the first version of the Go collector's sampler. */
#define BUCKET_BITS 14
#define BUCKETS (1u << BUCKET_BITS)

const char *const hf_sampler_policy_names[HF_SAMPLER_POLICY_COUNT] = {
    [HF_SAMPLER_TRACE_ID_HASH] = "trace_id_hash",    [HF_SAMPLER_TRACE_ID] = "trace_id_w3c",
    [HF_SAMPLER_RANDOMNESS] = "sampling_randomness", [HF_SAMPLER_PRIORITY] = "sampling_priority",
    [HF_SAMPLER_MISSING] = "missing_randomness",     [HF_SAMPLER_ATTRIBUTE] = "",
};

struct hf_sampler_rules hf_sampler_rules_of(const struct hf_sampler_options *options)
{
    struct hf_sampler_rules rules = {.options = *options, .threshold = HF_SAMPLING_NEVER};
    float percentage = options->percentage > 100 ? 100 : options->percentage;
    rules.ratio = (double)percentage / 100;
    rules.is_never = percentage <= 0;
    if (options->mode == HF_SAMPLER_HASH) {
        /* In single precision and cut, so that no item changes sides between the two programs. */
        uint32_t kept = (uint32_t)(percentage * ((float)BUCKETS / 100.0F));
        rules.is_never |= kept == 0;
        rules.threshold = (uint64_t)(BUCKETS - kept) << (56 - BUCKET_BITS);
    } else if (options->mode == HF_SAMPLER_EQUALIZING && !rules.is_never) {
        rules.is_never = !hf_sampling_threshold(rules.ratio, options->precision, &rules.threshold);
    }
    return rules;
}

/* ---- one item ---- */

/* What is known of an item before the decision. */
struct item {
    enum hf_sampler_policy policy;
    uint64_t randomness;
    bool has_state; /* what it says of sampling was understood, and may be changed */
    bool is_bad;    /* fail_closed decides */
    bool has_new_randomness;
    struct hf_sampling_state state;
};

/* FNV-1a over the seed and the bytes, spread over the 56 bits of a randomness. */
static uint64_t hashed(struct hf_slice bytes, uint32_t seed)
{
    uint32_t hash = UINT32_C(2166136261);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        hash = (hash ^ (seed >> shift & 0xff)) * UINT32_C(16777619);
    }
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * UINT32_C(16777619);
    }
    uint64_t bucket = hash & (BUCKETS - 1);
    uint64_t unused = hash >> (32 - BUCKET_BITS);
    /* The decision takes the first 14 bits; the others make it a randomness for those behind. */
    return (BUCKETS - 1 - bucket) << 42 | (unused ^ unused << 10) << 14 | bucket;
}

static bool is_trace_id(struct hf_slice id)
{
    static const uint8_t zeros[TRACE_ID_SIZE];
    return id.size == TRACE_ID_SIZE && memcmp(id.data, zeros, TRACE_ID_SIZE) != 0;
}

/* Mode hash_seed: an item that others sample consistently is not for it. */
static void take_hash(struct item *item, bool says_when_missing)
{
    if (!item->has_state || item->state.has_randomness || item->state.has_threshold) {
        item->is_bad = true;
        item->has_state = false;
    } else if (item->policy != HF_SAMPLER_MISSING || says_when_missing) {
        item->has_new_randomness = true;
    }
}

static void take_trace_id(struct item *item, struct hf_slice trace_id)
{
    if (!item->has_state) {
        item->is_bad = true;
    } else if (item->state.has_randomness) {
        item->policy = HF_SAMPLER_RANDOMNESS;
        item->randomness = item->state.randomness;
    } else if (is_trace_id(trace_id)) {
        item->policy = HF_SAMPLER_TRACE_ID;
        item->randomness = hf_sampling_randomness(trace_id.data);
    }
}

/* An item without randomness, or whose threshold says that it should not have come. */
static void check_consistency(struct item *item)
{
    if (item->is_bad) {
        return;
    }
    if (item->policy == HF_SAMPLER_MISSING) {
        item->is_bad = true;
    } else if (item->has_state && item->state.has_threshold &&
               item->state.threshold > item->randomness) {
        item->state.has_threshold = false;
        item->state.threshold_text = HF_EMPTY_SLICE;
        item->is_bad = true;
    }
}

static uint64_t threshold_of(const struct hf_sampler_rules *rules, const struct item *item)
{
    uint64_t threshold = rules->threshold;
    bool has_own = item->has_state && item->state.has_threshold;
    if (item->is_bad) {
        return rules->options.fail_closed ? HF_SAMPLING_NEVER : HF_SAMPLING_ALWAYS;
    }
    if (rules->is_never) {
        return HF_SAMPLING_NEVER;
    }
    switch (rules->options.mode) {
    case HF_SAMPLER_EQUALIZING:
        return has_own && item->state.threshold > threshold ? item->state.threshold : threshold;
    case HF_SAMPLER_PROPORTIONAL: {
        double came = has_own ? hf_sampling_probability(item->state.threshold) : 1;
        return hf_sampling_threshold(came * rules->ratio, rules->options.precision, &threshold)
                   ? threshold
                   : HF_SAMPLING_NEVER;
    }
    default:
        return threshold;
    }
}

/* Texts that are written into a kept item. */
struct marks {
    char threshold[HF_SAMPLING_HEX_DIGITS], randomness[HF_SAMPLING_HEX_DIGITS];
    bool has_threshold; /* a new one */
};

/* A threshold never falls: it would say that more was kept than was. */
static struct marks mark(struct item *item, uint64_t threshold)
{
    struct marks marks;
    marks.has_threshold = !item->state.has_threshold || item->state.threshold <= threshold;
    (void)hf_sampling_write_randomness(item->randomness, marks.randomness);
    return marks;
}

/* ---- spans ---- */

enum priority { PRIORITY_NONE, PRIORITY_DROP, PRIORITY_KEEP };

static enum priority priority_of_number(double number)
{
    return number == 0 ? PRIORITY_DROP : number > 0 ? PRIORITY_KEEP : PRIORITY_NONE;
}

#define NUMBER_TEXT_MAX 400u /* longer texts are not taken for numbers */

static enum priority priority_of_text(struct hf_slice text)
{
    char room[NUMBER_TEXT_MAX];
    char *end = NULL;
    if (text.size == 0 || text.size >= sizeof(room) || text.data[0] <= ' ') {
        return PRIORITY_NONE;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    errno = 0;
    double number = strtod(room, &end);
    bool is_too_large = errno == ERANGE && (number > 1 || number < -1);
    return end == room + text.size && !is_too_large ? priority_of_number(number) : PRIORITY_NONE;
}

static enum priority span_priority(struct hf_message *span)
{
    struct hf_slice value;
    if (!hf_attribute_of(hf_message_content(span), SPAN_ATTRIBUTES,
                         hf_slice_text("sampling.priority"), &value)) {
        return PRIORITY_NONE;
    }
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_INT:
        return any.integer == 0 ? PRIORITY_DROP : any.integer > 0 ? PRIORITY_KEEP : PRIORITY_NONE;
    case HF_ANY_DOUBLE:
        return priority_of_number(any.number);
    case HF_ANY_STRING:
        return priority_of_text(any.bytes);
    default:
        return PRIORITY_NONE;
    }
}

static void write_span(struct hf_message *span, struct hf_slice state, struct item *item,
                       uint64_t threshold)
{
    char text[HF_SAMPLING_WRITTEN_MAX];
    struct marks marks = mark(item, threshold);
    if (marks.has_threshold) {
        size_t size = hf_sampling_write_threshold(threshold, marks.threshold);
        item->state.threshold_text = hf_slice_of(marks.threshold, size);
    }
    if (item->has_new_randomness) {
        item->state.randomness_text = hf_slice_of(marks.randomness, sizeof(marks.randomness));
    }
    size_t size = hf_sampling_write_state(state, &item->state, text);
    hf_message_set_bytes(span, SPAN_TRACE_STATE, hf_slice_of(text, size));
}

struct hf_sampler_verdict hf_sampler_judge_span(struct hf_sampler_run *run, struct hf_message *span)
{
    const struct hf_sampler_rules *rules = run->rules;
    struct hf_slice trace_id = hf_message_bytes(span, SPAN_TRACE_ID);
    struct hf_slice state = hf_message_bytes(span, SPAN_TRACE_STATE);
    struct item item = {.policy = HF_SAMPLER_MISSING, .randomness = HF_SAMPLING_RANDOMNESS_MAX};
    item.has_state = hf_sampling_read_state(state, &item.state);
    if (rules->is_never) {
        item.policy = HF_SAMPLER_PRIORITY;
        item.is_bad = !item.has_state;
    } else if (rules->options.mode == HF_SAMPLER_HASH) {
        if (is_trace_id(trace_id)) {
            item.policy = HF_SAMPLER_TRACE_ID_HASH;
            item.randomness = hashed(trace_id, rules->options.hash_seed);
        }
        take_hash(&item, true);
    } else {
        take_trace_id(&item, trace_id);
    }
    check_consistency(&item);
    uint64_t threshold = threshold_of(rules, &item);
    switch (span_priority(span)) {
    case PRIORITY_DROP:
        threshold = HF_SAMPLING_NEVER;
        item.policy = HF_SAMPLER_PRIORITY;
        break;
    case PRIORITY_KEEP:
        threshold = HF_SAMPLING_ALWAYS;
        item.policy = HF_SAMPLER_PRIORITY;
        break;
    default:
        break;
    }
    bool is_kept = threshold <= item.randomness;
    if (is_kept && item.has_state) {
        write_span(span, state, &item, threshold);
    }
    return (struct hf_sampler_verdict){item.policy, is_kept};
}

/* ---- log records ---- */

/* The text of an attribute; empty when it is not there or no text. */
static struct hf_slice text_of(struct hf_slice record, const char *key)
{
    struct hf_slice value;
    if (!hf_attribute_of(record, LOG_ATTRIBUTES, hf_slice_text(key), &value)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

static void read_record(struct hf_slice record, struct item *item)
{
    struct hf_sampling_state *state = &item->state;
    state->threshold_text = text_of(record, "sampling.threshold");
    state->randomness_text = text_of(record, "sampling.randomness");
    state->has_threshold = hf_sampling_read_threshold(state->threshold_text, &state->threshold);
    state->has_randomness = hf_sampling_read_randomness(state->randomness_text, &state->randomness);
    item->has_state = (state->has_threshold || state->threshold_text.size == 0) &&
                      (state->has_randomness || state->randomness_text.size == 0);
}

/* The bytes of the attribute that is hashed: those it has, or its text. */
static struct hf_slice hashed_bytes(struct hf_sampler_run *run, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_BYTES || any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    run->text.size = 0;
    run->failed |= hf_any_text(value, &run->text) != HF_OK;
    return hf_slice_of(run->text.data, run->text.size);
}

static void hash_record(struct hf_sampler_run *run, struct hf_slice record,
                        struct hf_slice trace_id, struct item *item)
{
    const struct hf_sampler_options *options = &run->rules->options;
    struct hf_slice value;
    if (options->trace_id_of_logs && is_trace_id(trace_id)) {
        item->policy = HF_SAMPLER_TRACE_ID_HASH;
        item->randomness = hashed(trace_id, options->hash_seed);
    } else if (options->from_attribute.size > 0 &&
               hf_attribute_of(record, LOG_ATTRIBUTES, options->from_attribute, &value)) {
        struct hf_slice bytes = hashed_bytes(run, value);
        if (bytes.size > 0) {
            item->policy = HF_SAMPLER_ATTRIBUTE;
            item->randomness = hashed(bytes, options->hash_seed);
        }
    }
    take_hash(item, false);
}

static bool priority_threshold(const struct hf_sampler_options *options, struct hf_slice record,
                               uint64_t *ret_threshold)
{
    struct hf_slice value;
    if (options->priority_of_logs.size == 0 ||
        !hf_attribute_of(record, LOG_ATTRIBUTES, options->priority_of_logs, &value)) {
        return false;
    }
    struct hf_any any = hf_any_read(value);
    double percentage = any.type == HF_ANY_DOUBLE ? any.number
                        : any.type == HF_ANY_INT  ? (double)any.integer
                                                  : 0;
    return percentage != 0 &&
           hf_sampling_threshold(percentage / 100, options->precision, ret_threshold);
}

static void write_record(struct hf_message *record, struct item *item, uint64_t threshold)
{
    struct marks marks = mark(item, threshold);
    struct hf_attributes *attributes = hf_message_attributes(record, LOG_ATTRIBUTES);
    if (attributes == NULL) {
        return; /* out of memory, which the document has noted */
    }
    if (item->state.threshold_text.size == 0) {
        /* One that was at odds with the randomness goes, whatever comes in its place. */
        hf_attributes_remove(attributes, hf_slice_text("sampling.threshold"));
    }
    if (item->has_new_randomness) {
        hf_attributes_set(attributes, hf_slice_text("sampling.randomness"),
                          hf_attributes_string(
                              attributes, hf_slice_of(marks.randomness, sizeof(marks.randomness))));
    }
    if (marks.has_threshold) {
        size_t size = hf_sampling_write_threshold(threshold, marks.threshold);
        hf_attributes_set(attributes, hf_slice_text("sampling.threshold"),
                          hf_attributes_string(attributes, hf_slice_of(marks.threshold, size)));
    }
}

struct hf_sampler_verdict hf_sampler_judge_log(struct hf_sampler_run *run,
                                               struct hf_message *record)
{
    const struct hf_sampler_rules *rules = run->rules;
    struct hf_slice content = hf_message_content(record);
    struct hf_slice trace_id = hf_message_bytes(record, LOG_TRACE_ID);
    struct item item = {.policy = HF_SAMPLER_MISSING, .randomness = HF_SAMPLING_RANDOMNESS_MAX};
    read_record(content, &item);
    if (rules->is_never) {
        item.policy = HF_SAMPLER_PRIORITY;
        item.is_bad = !item.has_state;
    } else if (rules->options.mode == HF_SAMPLER_HASH) {
        hash_record(run, content, trace_id, &item);
    } else {
        take_trace_id(&item, trace_id);
    }
    check_consistency(&item);
    uint64_t threshold = threshold_of(rules, &item);
    if (priority_threshold(&rules->options, content, &threshold)) {
        item.policy = HF_SAMPLER_PRIORITY;
    }
    bool is_kept = threshold <= item.randomness;
    if (is_kept && item.has_state) {
        write_record(record, &item, threshold);
    }
    return (struct hf_sampler_verdict){item.policy, is_kept};
}
