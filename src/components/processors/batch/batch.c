/*
 * batch: how the deliveries of its pipeline join and split requests. It touches no batch: a request
 * goes to the queue as it was received, and the deliveries behind the queue join and split by this
 * configuration. So it has no `process`.
 */
#include <stddef.h>
#include <strings.h>

#include <holdfast/batching.h>
#include <holdfast/component.h>

static const char *check(const void *config)
{
    const struct hf_batching *wanted = config;
    const struct hf_string_list *keys = &wanted->metadata_keys;
    if (wanted->send_batch_max_size > 0 && wanted->send_batch_max_size < wanted->send_batch_size) {
        return "send_batch_max_size must be greater or equal to send_batch_size";
    }
    for (size_t i = 0; i < keys->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcasecmp(keys->items[i], keys->items[k]) == 0) {
                return "metadata_keys: duplicate entry (case-insensitive)";
            }
        }
    }
    return NULL;
}

#define COUNT_MAX 4294967295.0 /* 32 bits, as in the Go collector */

static const struct hf_field fields[] = {
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_batching, timeout_ns),
     .default_text = "200ms",
     .help = "How long an exporter waits for more before it sends; 0: not at all."},
    {.key = "send_batch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_batching, send_batch_size),
     .default_text = "8192",
     .min = 0,
     .max = COUNT_MAX,
     .help = "As many spans, data points or log records end the wait."},
    {.key = "send_batch_max_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_batching, send_batch_max_size),
     .default_text = "0",
     .min = 0,
     .max = COUNT_MAX,
     .help = "No request has more of them; 0: no limit."},
    {.key = "metadata_keys",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_batching, metadata_keys),
     .help = "Requests never mix data that came with different values of these headers."},
    {.key = "metadata_cardinality_limit",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_batching, metadata_cardinality_limit),
     .default_text = "1000",
     .min = 0,
     .max = COUNT_MAX,
     .help = "Accepted; nothing is kept for each set of values, so there is nothing to limit."},
    HF_FIELDS_END,
};

/* The whole configuration. */
static const struct hf_batching *batching(const void *config)
{
    return config;
}

static const struct hf_processor_ops processor_ops = {
    .batching = batching,
};

const struct hf_component hf_processor_batch = {
    .type = "batch",
    .help = "Tells exporters how to coalesce and cut requests.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct hf_batching),
    .fields = fields,
    .check = check,
    .processor = &processor_ops,
};
