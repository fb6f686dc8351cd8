#include "kafka_config.h"

#include <inttypes.h>
#include <string.h>

#include "support/settings/confighttp.h"

static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const hashers[] = {"sarama_compat", "murmur2", NULL};

static const char *expect_acks(const char *key, const char *text)
{
    (void)key;
    bool good = strcmp(text, "0") == 0 || strcmp(text, "1") == 0 || strcmp(text, "-1") == 0 ||
                strcmp(text, "all") == 0;
    return good ? NULL : "0, 1, -1 or all";
}

#define TRACE_ENCODINGS                                                                            \
    "otlp_proto, otlp_json, zipkin_proto or zipkin_json (v2); jaeger_proto or jaeger_json: a "     \
    "message for each span, with the id of its trace as the key."
#define METRIC_ENCODINGS "otlp_proto or otlp_json."
#define LOG_ENCODINGS "otlp_proto, otlp_json, or raw: a message for each body."

#define SIGNAL_FIELDS(signal_name, encodings)                                                      \
    static const struct hf_field signal_name##_fields[] = {                                        \
        {.key = "topic",                                                                           \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.topic),                               \
         .help = "The topic; without, otlp_spans, otlp_metrics or otlp_logs."},                    \
        {.key = "encoding",                                                                        \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.encoding),                            \
         .help = (encodings)},                                                                     \
        {.key = "topic_from_metadata_key",                                                         \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.topic_from_metadata_key),             \
         .help = "Take the topic from that header of the client's request, when it is there."},    \
        {.key = "message_key_from_metadata_key",                                                   \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.message_key_from_metadata_key),       \
         .help = "Take the key of messages from that header of the client's request."},            \
        HF_FIELDS_END,                                                                             \
    }

SIGNAL_FIELDS(traces, TRACE_ENCODINGS);
SIGNAL_FIELDS(metrics, METRIC_ENCODINGS);
SIGNAL_FIELDS(logs, LOG_ENCODINGS);

static const struct hf_field sticky_key_fields[] = {
    {.key = "hasher",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct kafka_sticky_key, hasher),
     .choices = hashers,
     .default_text = "sarama_compat",
     .help = "How a key is hashed: sarama_compat (FNV-1a) or murmur2."},
    HF_FIELDS_END,
};

static const struct hf_field partitioner_fields[] = {
    {.key = "sticky_key",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct kafka_config, partitioner.sticky_key),
     .inner = sticky_key_fields,
     .inner_size = sizeof(struct kafka_sticky_key),
     .help = "By the hash of the key; without a key, one after another. The default."},
    {.key = "round_robin",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct kafka_config, partitioner.round_robin),
     .help = "Any partition: keys do not count."},
    {.key = "least_backup",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct kafka_config, partitioner.least_backup),
     .help = "As round_robin."},
    {.key = "extension",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct kafka_config, partitioner.extension),
     .help = "Not supported."},
    HF_FIELDS_END,
};

static const struct hf_field compression_param_fields[] = {
    {.key = "level",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, producer.compression_params.level),
     .default_text = "0",
     .min = -1,
     .max = 12,
     .help = "0: the default of the compression."},
    HF_FIELDS_END,
};

static const struct hf_field producer_fields[] = {
    {.key = "max_message_bytes",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, producer.max_message_bytes),
     .default_text = "1000000",
     .min = 1000,
     .max = 1000000000,
     .help = "The largest message before compression; a request that makes a larger one is split."},
    {.key = "required_acks",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, producer.required_acks),
     .default_text = "1",
     .validate = expect_acks,
     .help = "When a message counts as taken: 1: the leader has it; all (-1): the in-sync replicas "
             "have it, which is what survives a broker; 0: it was sent, which loses data when a "
             "broker fails."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct kafka_config, producer.compression),
     .choices = compressions,
     .default_text = "none",
     .help = "Of the messages."},
    {.key = "compression_params",
     .type = HF_FIELD_STRUCT,
     .inner = compression_param_fields,
     .help = "The level of the compression."},
    {.key = "flush_max_messages",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, producer.flush_max_messages),
     .default_text = "10000",
     .min = 0,
     .max = 1000000,
     .help = "Most messages in one request to a broker; 0: 10000."},
    {.key = "max_inflight_requests_per_broker",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, producer.max_requests),
     .default_text = "1",
     .min = 1,
     .max = 1000000,
     .help = "Requests to a broker at a time; with more than one a repeat can change the order. "
             "With required_acks: all only 1: the library keeps the order of several."},
    {.key = "linger",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct kafka_config, producer.linger_ns),
     .default_text = "10ms",
     .max = 9e11,
     .help = "How long a message waits for others of its partition."},
    {.key = "allow_auto_topic_creation",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct kafka_config, producer.allow_auto_topic_creation),
     .default_text = "true",
     .help = "Let the brokers make a topic that is not there, if they are set up so."},
    HF_HTTP_IGNORED("max_broker_write_bytes", "The library sizes its requests to the brokers."),
    HF_FIELDS_END,
};

#define FLAG(name, member, text)                                                                   \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_BOOL, .offset = offsetof(struct kafka_config, member),     \
        .default_text = "false", .help = (text)                                                    \
    }

const struct hf_field kafka_fields[] = {
    HF_KAFKA_FIELDS(struct kafka_config, kafka),
    {.key = "topic",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, topic),
     .help = "The topic of every signal; traces::topic and its siblings come first."},
    {.key = "encoding",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, encoding),
     .help = "The encoding of every signal; traces::encoding and its siblings come first."},
    {.key = "traces",
     .type = HF_FIELD_STRUCT,
     .inner = traces_fields,
     .help = "How traces are sent."},
    {.key = "metrics",
     .type = HF_FIELD_STRUCT,
     .inner = metrics_fields,
     .help = "How metrics are sent."},
    {.key = "logs", .type = HF_FIELD_STRUCT, .inner = logs_fields, .help = "How logs are sent."},
    HF_HTTP_IGNORED("profiles", "Profiles are not sent to Kafka yet."),
    {.key = "topic_from_attribute",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, topic_from_attribute),
     .help = "Take the topic from that attribute of the resource, when it is there."},
    {.key = "include_metadata_keys",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct kafka_config, include_metadata_keys),
     .help = "Headers of the client's request that become headers of the messages."},
    {.key = "record_headers",
     .type = HF_FIELD_MAP,
     .offset = offsetof(struct kafka_config, record_headers),
     .help = "Headers of every message."},
    FLAG("signal_header", signal_header, "Add the header otelcol.signal: traces, metrics or logs."),
    FLAG("partition_traces_by_id", traces_by_id,
         "A message for each trace, its id as the key; Jaeger's encodings have that key anyway."),
    FLAG("partition_metrics_by_resource_attributes", metrics_by_resource,
         "A message for each resource, the hash of its attributes as the key."),
    FLAG("partition_logs_by_resource_attributes", logs_by_resource,
         "A message for each resource, the hash of its attributes as the key."),
    FLAG("partition_logs_by_trace_id", logs_by_trace_id,
         "A message for each trace of log records, its id as the key."),
    {.key = "record_partitioner",
     .type = HF_FIELD_STRUCT,
     .inner = partitioner_fields,
     .help = "How the partition of a message is chosen."},
    {.key = "producer",
     .type = HF_FIELD_STRUCT,
     .inner = producer_fields,
     .help = "How messages are sent."},
    FLAG("idempotent", idempotent,
         "Let the brokers drop what the library repeats; needs producer::required_acks: all, which "
         "turns it on by itself."),
    HF_FIELDS_END,
};

static const struct kafka_signal_config *of_signal(const struct kafka_config *config,
                                                   enum hf_signal signal)
{
    return signal == HF_TRACES    ? &config->traces
           : signal == HF_METRICS ? &config->metrics
                                  : &config->logs;
}

static const char *encoding_of(const struct kafka_config *config, enum hf_signal signal)
{
    const char *own = of_signal(config, signal)->encoding;
    return own != NULL ? own : config->encoding != NULL ? config->encoding : "otlp_proto";
}

static const struct {
    const char *name;
    unsigned signals; /* bits */
} encodings[KAFKA_ENCODING_COUNT] = {
    [KAFKA_OTLP_PROTO] = {"otlp_proto", HF_ALL_SIGNALS},
    [KAFKA_OTLP_JSON] = {"otlp_json", HF_ALL_SIGNALS},
    [KAFKA_RAW] = {"raw", HF_SIGNAL_BIT(HF_LOGS)},
    [KAFKA_JAEGER_PROTO] = {"jaeger_proto", HF_SIGNAL_BIT(HF_TRACES)},
    [KAFKA_JAEGER_JSON] = {"jaeger_json", HF_SIGNAL_BIT(HF_TRACES)},
    [KAFKA_ZIPKIN_PROTO] = {"zipkin_proto", HF_SIGNAL_BIT(HF_TRACES)},
    [KAFKA_ZIPKIN_JSON] = {"zipkin_json", HF_SIGNAL_BIT(HF_TRACES)},
};

/* KAFKA_ENCODING_COUNT: the signal has none of that name. */
static enum kafka_encoding find_encoding(const struct kafka_config *config, enum hf_signal signal)
{
    const char *name = encoding_of(config, signal);
    int found = KAFKA_OTLP_PROTO;
    while (found < KAFKA_ENCODING_COUNT &&
           (strcmp(name, encodings[found].name) != 0 ||
            (encodings[found].signals & HF_SIGNAL_BIT(signal)) == 0)) {
        found++;
    }
    return (enum kafka_encoding)found;
}

const char *kafka_config_check_signal(const struct kafka_config *config, enum hf_signal signal)
{
    if (find_encoding(config, signal) != KAFKA_ENCODING_COUNT) {
        return NULL;
    }
    return signal == HF_LOGS ? "encoding: logs are sent as otlp_proto, otlp_json or raw; others "
                               "are not supported"
           : signal == HF_TRACES
               ? "encoding: traces are sent as otlp_proto, otlp_json, jaeger_proto, jaeger_json, "
                 "zipkin_proto or zipkin_json; others are not supported"
               : "encoding: metrics are sent as otlp_proto or otlp_json; others are not supported";
}

static bool needs_all_acks(const struct kafka_config *config)
{
    return strcmp(config->producer.required_acks, "all") == 0 ||
           strcmp(config->producer.required_acks, "-1") == 0;
}

static const char *check_keys(const struct kafka_config *config)
{
    if (config->logs_by_resource && config->logs_by_trace_id) {
        return "partition_logs_by_resource_attributes and partition_logs_by_trace_id cannot both "
               "be enabled";
    }
    if (config->traces.message_key_from_metadata_key != NULL && config->traces_by_id) {
        return "traces::message_key_from_metadata_key cannot be combined with "
               "partition_traces_by_id";
    }
    if (config->metrics.message_key_from_metadata_key != NULL && config->metrics_by_resource) {
        return "metrics::message_key_from_metadata_key cannot be combined with "
               "partition_metrics_by_resource_attributes";
    }
    if (config->logs.message_key_from_metadata_key != NULL &&
        (config->logs_by_resource || config->logs_by_trace_id)) {
        return "logs::message_key_from_metadata_key cannot be combined with partition_logs_by_...";
    }
    return NULL;
}

const char *kafka_config_check(const void *from)
{
    const struct kafka_config *config = from;
    const char *why = check_keys(config);
    if (why != NULL) {
        return why;
    }
    if (config->partitioner.extension.type != HF_VALUE_NONE) {
        return "record_partitioner::extension is not supported: use sticky_key or round_robin";
    }
    if (config->partitioner.sticky_key != NULL &&
        (config->partitioner.round_robin.type != HF_VALUE_NONE ||
         config->partitioner.least_backup.type != HF_VALUE_NONE)) {
        return "record_partitioner: at most one of sticky_key, round_robin and least_backup";
    }
    if (config->producer.max_requests > 1 && needs_all_acks(config)) {
        return "producer::max_inflight_requests_per_broker must be 1 with required_acks: all";
    }
    if (config->idempotent && !needs_all_acks(config)) {
        return "idempotent needs producer::required_acks: all";
    }
    if (config->include_metadata_keys.count + config->record_headers.count > 32) {
        return "include_metadata_keys and record_headers: at most 32 together";
    }
    return hf_kafka_config_check(&config->kafka);
}

struct kafka_plan kafka_config_plan(const struct kafka_config *config, enum hf_signal signal)
{
    static const char *const topics[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = "otlp_spans", [HF_METRICS] = "otlp_metrics", [HF_LOGS] = "otlp_logs"};
    const struct kafka_signal_config *own = of_signal(config, signal);
    const enum kafka_encoding encoding = find_encoding(config, signal);
    struct kafka_plan plan = {
        .topic = own->topic != NULL      ? own->topic
                 : config->topic != NULL ? config->topic
                                         : topics[signal],
        .encoding = encoding != KAFKA_ENCODING_COUNT ? encoding : KAFKA_OTLP_PROTO,
        .topic_key = own->topic_from_metadata_key,
        .message_key = own->message_key_from_metadata_key,
    };
    if (encoding == KAFKA_JAEGER_PROTO || encoding == KAFKA_JAEGER_JSON) {
        plan.key = KAFKA_KEY_JAEGER;
    } else if ((signal == HF_TRACES && config->traces_by_id) ||
               (signal == HF_LOGS && config->logs_by_trace_id)) {
        plan.key = KAFKA_KEY_TRACE_ID;
    } else if ((signal == HF_METRICS && config->metrics_by_resource) ||
               (signal == HF_LOGS && config->logs_by_resource)) {
        plan.key = KAFKA_KEY_RESOURCE;
    }
    return plan;
}

static const char *partitioner_of(const struct kafka_config *config)
{
    if (config->partitioner.round_robin.type != HF_VALUE_NONE ||
        config->partitioner.least_backup.type != HF_VALUE_NONE) {
        return "random";
    }
    bool by_murmur =
        config->partitioner.sticky_key != NULL && config->partitioner.sticky_key->hasher == 1;
    return by_murmur ? "murmur2_random" : "fnv1a_random";
}

#define MS_NS 1000000u

void kafka_config_set(const struct kafka_config *config, uint64_t timeout_ns,
                      struct hf_kafka_settings *settings)
{
    bool all = needs_all_acks(config);
    int64_t most = config->producer.flush_max_messages;
    hf_kafka_config_set(&config->kafka, settings);
    hf_kafka_set(settings, "retry.backoff.ms", "%" PRIu64,
                 config->kafka.metadata.retry.backoff_ns / MS_NS);
    hf_kafka_set(settings, "acks", "%s", config->producer.required_acks);
    hf_kafka_set(settings, "enable.idempotence", "%s", all ? "true" : "false");
    if (!all) {
        hf_kafka_set(settings, "max.in.flight.requests.per.connection", "%" PRId64,
                     config->producer.max_requests);
    }
    hf_kafka_set(settings, "message.max.bytes", "%" PRId64, config->producer.max_message_bytes);
    hf_kafka_set(settings, "batch.num.messages", "%" PRId64, most != 0 ? most : 10000);
    hf_kafka_set(settings, "queue.buffering.max.messages", "1000000");
    hf_kafka_set(settings, "linger.ms", "%" PRIu64, config->producer.linger_ns / MS_NS);
    hf_kafka_set(settings, "compression.codec", "%s", compressions[config->producer.compression]);
    if (config->producer.compression_params.level > 0) {
        hf_kafka_set(settings, "compression.level", "%" PRId64,
                     config->producer.compression_params.level);
    }
    hf_kafka_set(settings, "allow.auto.create.topics", "%s",
                 config->producer.allow_auto_topic_creation ? "true" : "false");
    hf_kafka_set(settings, "partitioner", "%s", partitioner_of(config));
    hf_kafka_set(settings, "message.timeout.ms", "%" PRIu64,
                 timeout_ns != 0 && timeout_ns < MS_NS ? 1 : timeout_ns / MS_NS);
}
