#include "delivery_config.h"

#include <stddef.h>

#define QUEUE(member) offsetof(struct hf_queue_config, member)
#define BATCH(member) offsetof(struct hf_queue_batch_config, member)
#define RETRY(member) offsetof(struct hf_retry_config, member)

static const char *const sizers[] = {"requests", "items", "bytes", NULL};
static const char *const batch_sizers[] = {"items", "bytes", NULL};
static const char *const on_full[] = {"reject", "drop_oldest", NULL};
static const char *const dead_letters_on_full[] = {"hold", "drop_oldest", NULL};
static const char *const on_give_up[] = {"keep", "dead_letter", "drop", NULL};
static const char *const at_rest[] = {"none", "zstd", NULL};

static const struct hf_field partition_fields[] = {
    {.key = "metadata_keys",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_queue_partition_config, metadata_keys),
     .help = "Never send requests with different values of these metadata keys together."},
    {.key = "cache_size", .type = HF_FIELD_IGNORED, .help = "What waits is in the queue."},
    {.key = "idle_timeout", .type = HF_FIELD_IGNORED, .help = "What waits is in the queue."},
    HF_FIELDS_END,
};

static const struct hf_field batch_fields[] = {
    {.key = "flush_timeout",
     .type = HF_FIELD_DURATION,
     .offset = BATCH(flush_timeout_ns),
     .default_text = "200ms",
     .help = "Longest wait for min_size."},
    {.key = "min_size",
     .type = HF_FIELD_INT,
     .offset = BATCH(min_size),
     .default_text = "8192",
     .min = 0,
     .max = 1e9,
     .help = "Send when that much waits."},
    {.key = "max_size",
     .type = HF_FIELD_INT,
     .offset = BATCH(max_size),
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .help = "Most in one request; 0: no limit."},
    {.key = "sizer",
     .type = HF_FIELD_ENUM,
     .offset = BATCH(sizer),
     .default_text = "items",
     .choices = batch_sizers,
     .help = "Unit of min_size and max_size."},
    {.key = "partition",
     .type = HF_FIELD_STRUCT,
     .offset = BATCH(partition),
     .inner = partition_fields,
     .help = "What must not be mixed in one request."},
    HF_FIELDS_END,
};

static const struct hf_field dead_letter_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_dead_letter_config, enabled),
     .default_text = "true",
     .help = "Keep what the backend refuses for good; false: drop it, counted."},
    {.key = "max_bytes",
     .type = HF_FIELD_BYTES,
     .offset = offsetof(struct hf_dead_letter_config, max_bytes),
     .default_text = "1GiB",
     .min = 1 << 20,
     .max = 1e18,
     .help = "Most bytes on disk."},
    {.key = "on_full",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_dead_letter_config, on_full),
     .default_text = "hold",
     .choices = dead_letters_on_full,
     .help = "hold: what is refused stays in the queue, others overtake it, the exporter is "
             "unhealthy; drop_oldest: the oldest dead letters go."},
    {.key = "pipeline",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_dead_letter_config, pipeline),
     .help = "Send them through that pipeline, with the reason in attributes of the resource; one "
             "of logs takes other signals as OTLP/JSON in the body. What it can never take is kept "
             "on disk."},
    HF_FIELDS_END,
};

static const struct hf_field queue_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = QUEUE(enabled),
     .default_text = "true",
     .help = "Accepted; the durable queue stays on even when false, with a warning."},
    {.key = "num_consumers",
     .type = HF_FIELD_INT,
     .offset = QUEUE(num_consumers),
     .default_text = "10",
     .min = 1,
     .max = 1000,
     .help = "Most requests in flight; fewer after the backend has asked for less."},
    {.key = "rate_limit",
     .type = HF_FIELD_BYTES,
     .offset = QUEUE(rate_limit),
     .default_text = "0",
     .min = 0,
     .max = 1e18,
     .help = "Most bytes sent in a second, before compression; 0: no limit."},
    {.key = "fresh_share",
     .type = HF_FIELD_INT,
     .offset = QUEUE(fresh_share),
     .default_text = "0",
     .min = 0,
     .max = 90,
     .help = "Percent of the requests that carry what comes in now while there is a backlog of "
             "more than 8 MiB; 0: oldest first."},
    {.key = "max_age",
     .type = HF_FIELD_DURATION,
     .offset = QUEUE(max_age_ns),
     .default_text = "0s",
     .help = "What is older when its turn comes is dropped and counted; 0: nothing ever is."},
    {.key = "queue_size",
     .type = HF_FIELD_INT,
     .offset = QUEUE(queue_size),
     .default_text = "1000",
     .min = 1,
     .max = 1e15,
     .present_offset = QUEUE(queue_size_written),
     .help = "Longest backlog, in units of sizer; a limit only when written."},
    {.key = "sizer",
     .type = HF_FIELD_ENUM,
     .offset = QUEUE(sizer),
     .default_text = "requests",
     .choices = sizers,
     .help = "Unit of queue_size."},
    {.key = "block_on_overflow",
     .type = HF_FIELD_BOOL,
     .offset = QUEUE(block_on_overflow),
     .old_keys = (const char *const[]){"blocking", NULL},
     .help = "Accepted without effect: a full queue answers a retryable refusal."},
    {.key = "wait_for_result",
     .type = HF_FIELD_BOOL,
     .offset = QUEUE(wait_for_result),
     .help = "Accepted without effect: the answer waits for the disk, not for the backend."},
    {.key = "storage",
     .type = HF_FIELD_REF,
     .offset = QUEUE(storage),
     .help = "A file_storage extension; its directory becomes the data directory."},
    {.key = "batch",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = QUEUE(batch),
     .inner = batch_fields,
     .inner_size = sizeof(struct hf_queue_batch_config),
     .help = "How neighbouring requests are sent together."},
    {.key = "max_bytes",
     .type = HF_FIELD_BYTES,
     .offset = QUEUE(max_bytes),
     .default_text = "0",
     .min = 0,
     .max = 1e18,
     .help = "Most bytes of the queue on disk; 0: the default. A reload changes it at once and "
             "deletes nothing."},
    {.key = "on_full",
     .type = HF_FIELD_ENUM,
     .offset = QUEUE(on_full),
     .default_text = "reject",
     .choices = on_full,
     .help = "What a full queue does: refuse the client, or drop the oldest."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = QUEUE(compression),
     .default_text = "none",
     .choices = at_rest,
     .help = "Compression at rest."},
    {.key = "dead_letter",
     .type = HF_FIELD_STRUCT,
     .offset = QUEUE(dead_letter),
     .inner = dead_letter_fields,
     .help = "What happens to data the backend refuses for good."},
    {.key = "attach",
     .type = HF_FIELD_STRING,
     .offset = QUEUE(attach),
     .help = "Take over the backlog of that removed exporter."},
    HF_FIELDS_END,
};

static const struct hf_field retry_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = RETRY(enabled),
     .default_text = "true",
     .help = "false: what fails once is treated as given up."},
    {.key = "initial_interval",
     .type = HF_FIELD_DURATION,
     .offset = RETRY(initial_interval_ns),
     .default_text = "5s",
     .help = "First wait."},
    {.key = "randomization_factor",
     .type = HF_FIELD_DOUBLE,
     .offset = RETRY(randomization_factor),
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .help = "Spread of each wait."},
    {.key = "multiplier",
     .type = HF_FIELD_DOUBLE,
     .offset = RETRY(multiplier),
     .default_text = "1.5",
     .min = 1,
     .max = 1000,
     .help = "Growth of the wait."},
    {.key = "max_interval",
     .type = HF_FIELD_DURATION,
     .offset = RETRY(max_interval_ns),
     .default_text = "30s",
     .help = "Longest wait, before its spread."},
    {.key = "max_elapsed_time",
     .type = HF_FIELD_DURATION,
     .offset = RETRY(max_elapsed_time_ns),
     .default_text = "5m",
     .help = "After this the exporter is unhealthy and on_give_up applies; 0: never."},
    {.key = "on_give_up",
     .type = HF_FIELD_ENUM,
     .offset = RETRY(on_give_up),
     .default_text = "keep",
     .choices = on_give_up,
     .help = "Keep trying at max_interval, move to the dead letters, or drop."},
    HF_FIELDS_END,
};

const struct hf_field hf_delivery_fields[] = {
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_delivery_config, timeout_ns),
     .default_text = "5s",
     .help = "Longest time of one attempt; 0: no limit."},
    {.key = "sending_queue",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct hf_delivery_config, queue),
     .inner = queue_fields,
     .help = "The exporter's place in the durable queue."},
    {.key = "retry_on_failure",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct hf_delivery_config, retry),
     .inner = retry_fields,
     .help = "How a failed attempt is repeated."},
    HF_FIELDS_END,
};

const char *hf_delivery_check(const struct hf_delivery_config *config)
{
    const struct hf_queue_batch_config *batch = config->queue.batch;
    if (batch != NULL && batch->max_size != 0 && batch->max_size < batch->min_size) {
        return "sending_queue::batch::max_size must be greater than or equal to min_size";
    }
    if (config->queue.dead_letter.pipeline != NULL && !config->queue.dead_letter.enabled) {
        return "sending_queue::dead_letter::pipeline has no effect with enabled: false; remove one "
               "of them";
    }
    if (config->retry.initial_interval_ns == 0) {
        return "retry_on_failure::initial_interval must be greater than zero";
    }
    return NULL;
}
