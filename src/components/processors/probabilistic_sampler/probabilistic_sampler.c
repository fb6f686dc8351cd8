/*
 * probabilistic_sampler: keeps a percentage of the spans or log records, by a hash of the trace id
 * or by the randomness that OpenTelemetry's consistent sampling defines.
 */
#include <math.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/document.h"
#include "sampler.h"
#include "support/items/sampling.h"
#include "util/metrics/metrics.h"

struct sampler_config {
    double sampling_percentage;
    int64_t hash_seed, mode, sampling_precision, attribute_source;
    bool fail_closed;
    const char *from_attribute, *sampling_priority;
};

struct sampler {
    struct hf_sampler_rules rules;
    struct hf_series *counts[HF_SIGNAL_COUNT][HF_SAMPLER_POLICY_COUNT][2]; /* [sampled] */
};

static const char *check(const void *config)
{
    const struct sampler_config *configured = config;
    /* The Go collector holds it in single precision. */
    double percentage = (double)(float)configured->sampling_percentage;
    if (!isfinite(percentage)) {
        return "sampling_percentage: not a finite number";
    }
    if (percentage < 0) {
        return "sampling_percentage: negative";
    }
    if (percentage > 0 && percentage / 100 < HF_SAMPLING_PROBABILITY_MIN) {
        return "sampling_percentage: too small: the least is 1.4e-15";
    }
    return NULL;
}

static enum hf_status add_series(struct sampler *sampler, struct hf_node *node,
                                 enum hf_signal signal, const char *from_attribute)
{
    const struct hf_metric_family family = {
        .name = signal == HF_LOGS ? "otelcol_processor_probabilistic_sampler_count_logs_sampled"
                                  : "otelcol_processor_probabilistic_sampler_count_traces_sampled",
        .type = HF_COUNTER,
        .unit = "",
        .help = signal == HF_LOGS ? "Log records that were looked at, kept or not, by how."
                                  : "Spans that were looked at, kept or not, by how."};
    for (size_t policy = 0; policy < HF_SAMPLER_POLICY_COUNT; policy++) {
        for (size_t sampled = 0; sampled < 2; sampled++) {
            const struct hf_label labels[] = {{"processor", hf_node_id(node)},
                                              {"policy", policy == HF_SAMPLER_ATTRIBUTE
                                                             ? from_attribute
                                                             : hf_sampler_policy_names[policy]},
                                              {"sampled", sampled != 0 ? "true" : "false"},
                                              {NULL, NULL}};
            struct hf_series *series = hf_metrics_series(hf_node_metrics(node), &family, labels);
            if (series == NULL) {
                return HF_NOMEM;
            }
            sampler->counts[signal][policy][sampled] = series;
        }
    }
    return HF_OK;
}

static enum hf_status open_sampler(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    const struct sampler_config *configured = config;
    struct sampler *sampler = calloc(1, sizeof(*sampler));
    enum hf_status status = sampler != NULL ? HF_OK : HF_NOMEM;
    (void)reterr;
    if (status != HF_OK) {
        return status;
    }
    const char *from = configured->from_attribute != NULL ? configured->from_attribute : "";
    sampler->rules = hf_sampler_rules_of(&(struct hf_sampler_options){
        .percentage = (float)configured->sampling_percentage,
        .hash_seed = (uint32_t)configured->hash_seed,
        .mode = (enum hf_sampler_mode)configured->mode,
        .precision = (unsigned)configured->sampling_precision,
        .fail_closed = configured->fail_closed,
        .trace_id_of_logs = configured->attribute_source == 0,
        .from_attribute = hf_slice_text(from),
        .priority_of_logs = hf_slice_text(
            configured->sampling_priority != NULL ? configured->sampling_priority : ""),
    });
    const enum hf_signal signals[] = {HF_TRACES, HF_LOGS};
    for (size_t i = 0; i < 2 && status == HF_OK; i++) {
        if ((hf_node_signals(node) & HF_SIGNAL_BIT(signals[i])) != 0) {
            status = add_series(sampler, node, signals[i], from);
        }
    }
    if (status != HF_OK) {
        free(sampler);
        return status;
    }
    *ret_self = sampler;
    return HF_OK;
}

static void close_sampler(void *self)
{
    free(self);
}

static void count(const struct sampler *sampler, enum hf_signal signal,
                  uint32_t counts[HF_SAMPLER_POLICY_COUNT][2])
{
    for (size_t policy = 0; policy < HF_SAMPLER_POLICY_COUNT; policy++) {
        for (size_t sampled = 0; sampled < 2; sampled++) {
            if (counts[policy][sampled] != 0) {
                hf_series_add(sampler->counts[signal][policy][sampled], counts[policy][sampled]);
            }
        }
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct sampler *sampler = self;
    uint32_t counts[HF_SAMPLER_POLICY_COUNT][2] = {{0}};
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_sampler_run run = {.rules = &sampler->rules, .document = document};
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        struct hf_sampler_verdict verdict = batch->signal == HF_LOGS
                                                ? hf_sampler_judge_log(&run, place.item)
                                                : hf_sampler_judge_span(&run, place.item);
        counts[verdict.policy][verdict.is_kept]++;
        if (!verdict.is_kept) {
            hf_message_remove(place.item);
        }
    }
    hf_document_prune(document);
    enum hf_status status = run.failed ? HF_NOMEM : hf_document_batch(document, batch, ret_batch);
    hf_document_return(document);
    hf_bytes_release(&run.text);
    if (status == HF_OK) {
        count(sampler, batch->signal, counts);
    }
    return status;
}

static const char *const modes[] = {"hash_seed", "equalizing", "proportional", NULL};
static const char *const sources[] = {"traceID", "record", NULL};

#define FIELD(name) .key = #name, .offset = offsetof(struct sampler_config, name)

static const struct hf_field fields[] = {
    {FIELD(sampling_percentage), .type = HF_FIELD_DOUBLE,
     .help = "How much is kept; 100 and more is all, 0 nothing."},
    {FIELD(hash_seed), .type = HF_FIELD_INT, .max = UINT32_MAX,
     .help = "Mode hash_seed: the same in all collectors of one tier, another in the next tier."},
    {FIELD(mode), .type = HF_FIELD_ENUM, .choices = modes, .default_text = "hash_seed",
     .help = "hash_seed: by a hash of the trace id. equalizing: by the trace's randomness, down to "
             "the percentage. proportional: the percentage of what comes."},
    {FIELD(fail_closed), .type = HF_FIELD_BOOL, .default_text = "true",
     .help = "Drop what has no randomness, or a trace state that is malformed or at odds with it."},
    {FIELD(sampling_precision), .type = HF_FIELD_INT, .min = 1, .max = HF_SAMPLING_HEX_DIGITS,
     .default_text = "4", .help = "Hexadecimal digits of the threshold."},
    {FIELD(attribute_source), .type = HF_FIELD_ENUM, .choices = sources, .default_text = "traceID",
     .help = "Log records, mode hash_seed: hash the trace id, or only the attribute."},
    {FIELD(from_attribute), .type = HF_FIELD_STRING,
     .help = "Log records, mode hash_seed: the attribute that is hashed when there is no trace id, "
             "or with record."},
    {FIELD(sampling_priority), .type = HF_FIELD_STRING,
     .help = "Log records: an attribute with the percentage for that record."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_probabilistic_sampler = {
    .type = "probabilistic_sampler",
    .help = "Keeps a percentage of the spans or log records.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct sampler_config),
    .fields = fields,
    .check = check,
    .open = open_sampler,
    .close = close_sampler,
    .processor = &processor_ops,
};
