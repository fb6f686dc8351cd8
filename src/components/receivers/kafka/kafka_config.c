#include "kafka_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/settings/confighttp.h"

static const char *const offsets[] = {"latest", "earliest", NULL};

static const char *expect_strategy(const char *key, const char *text)
{
    (void)key;
    bool good = text[0] == '\0' || strcmp(text, "range") == 0 || strcmp(text, "roundrobin") == 0 ||
                strcmp(text, "sticky") == 0 || strcmp(text, "cooperative-sticky") == 0;
    return good ? NULL : "range, roundrobin, sticky or cooperative-sticky";
}

#define TRACE_ENCODINGS                                                                            \
    "otlp_proto, otlp_json, jaeger_proto or jaeger_json (one span), zipkin_proto or zipkin_json "  \
    "(a list of spans of v2), zipkin_thrift (of v1)."
#define METRIC_ENCODINGS "otlp_proto or otlp_json."
#define LOG_ENCODINGS "otlp_proto, otlp_json, text, text_ENCODING, json or raw."

#define SIGNAL_FIELDS(signal_name, encodings)                                                      \
    static const struct hf_field signal_name##_fields[] = {                                        \
        {.key = "topic",                                                                           \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.topic),                               \
         .help = "One topic; with ^ in front a regular expression."},                              \
        {.key = "topics",                                                                          \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = offsetof(struct kafka_config, signal_name.topics),                              \
         .help = "The topics; with ^ in front regular expressions; without, otlp_spans, "          \
                 "otlp_metrics or otlp_logs."},                                                    \
        {.key = "exclude_topics",                                                                  \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = offsetof(struct kafka_config, signal_name.exclude_topics),                      \
         .help = "Regular expressions of topics that are left out of those."},                     \
        {.key = "encoding",                                                                        \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct kafka_config, signal_name.encoding),                            \
         .help = (encodings)},                                                                     \
        HF_FIELDS_END,                                                                             \
    }

SIGNAL_FIELDS(traces, TRACE_ENCODINGS);
SIGNAL_FIELDS(metrics, METRIC_ENCODINGS);
SIGNAL_FIELDS(logs, LOG_ENCODINGS);

static const struct hf_field autocommit_fields[] = {
    {.key = "enable",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct kafka_config, autocommit.enable),
     .default_text = "true",
     .help = "Commit offsets at the interval; false: as soon as data is on disk. Either way only "
             "offsets of what is on disk."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct kafka_config, autocommit.interval_ns),
     .default_text = "1s",
     .min = 1e6,
     .max = 8.64e13,
     .help = "How often offsets are committed."},
    HF_FIELDS_END,
};

static const struct hf_field marking_fields[] = {
    HF_HTTP_IGNORED("after", "A message is always marked after it is on disk."),
    HF_HTTP_IGNORED("on_error", "A message that no queue takes now is offered again."),
    HF_HTTP_IGNORED("on_permanent_error", "A message that cannot be read is counted and skipped."),
    HF_FIELDS_END,
};

static const struct hf_field header_fields[] = {
    {.key = "extract_headers",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct kafka_config, header_extraction.extract_headers),
     .default_text = "false",
     .help = "Add headers of messages to the resource, as kafka.header.NAME."},
    {.key = "headers",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct kafka_config, header_extraction.headers),
     .help = "The names of these headers."},
    HF_FIELDS_END,
};

const struct hf_field kafka_receiver_fields[] = {
    HF_KAFKA_FIELDS(struct kafka_config, kafka),
    {.key = "topic",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, topic),
     .help = "The topic of every signal; traces::topics and its siblings come first."},
    {.key = "encoding",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, encoding),
     .help = "The encoding of every signal; traces::encoding and its siblings come first."},
    {.key = "traces",
     .type = HF_FIELD_STRUCT,
     .inner = traces_fields,
     .help = "Where traces are read."},
    {.key = "metrics",
     .type = HF_FIELD_STRUCT,
     .inner = metrics_fields,
     .help = "Where metrics are read."},
    {.key = "logs", .type = HF_FIELD_STRUCT, .inner = logs_fields, .help = "Where logs are read."},
    HF_HTTP_IGNORED("profiles", "Profiles are not read from Kafka yet."),
    {.key = "group_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, group_id),
     .default_text = "otel-collector",
     .help = "The consumer group: its members share the partitions, and its offsets are kept."},
    {.key = "group_instance_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, group_instance_id),
     .help = "A name of this member by which it gets its partitions back after a restart."},
    {.key = "initial_offset",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct kafka_config, initial_offset),
     .choices = offsets,
     .default_text = "latest",
     .help = "Where a group without an offset begins: latest or earliest."},
    {.key = "session_timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct kafka_config, session_timeout_ns),
     .default_text = "10s",
     .min = 1e6,
     .max = 3e11,
     .help = "Silence after which the group gives the partitions to others."},
    {.key = "heartbeat_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct kafka_config, heartbeat_interval_ns),
     .default_text = "3s",
     .min = 1e6,
     .max = 3e11,
     .help = "How often the group is told that this member lives."},
    {.key = "group_rebalance_strategy",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct kafka_config, strategy),
     .validate = expect_strategy,
     .help = "How partitions are shared: range, roundrobin, sticky or cooperative-sticky; the last "
             "two are the same here and need librdkafka 2.3."},
    {.key = "group_rebalance_strategies",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct kafka_config, strategies),
     .help = "Several, of which the group takes the first that all members have; without, range "
             "and roundrobin."},
    {.key = "autocommit",
     .type = HF_FIELD_STRUCT,
     .inner = autocommit_fields,
     .help = "When offsets are committed."},
    {.key = "message_marking",
     .type = HF_FIELD_STRUCT,
     .inner = marking_fields,
     .help = "Accepted without effect: an offset counts when its data is on disk."},
    {.key = "header_extraction",
     .type = HF_FIELD_STRUCT,
     .inner = header_fields,
     .help = "Headers of messages as attributes of resources."},
    {.key = "min_fetch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, min_fetch_size),
     .default_text = "1",
     .min = 0,
     .max = 100000000,
     .help = "Bytes that a broker waits for, up to max_fetch_wait."},
    {.key = "max_fetch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, max_fetch_size),
     .default_text = "1048576",
     .min = 0,
     .max = 100000000,
     .help = "Most bytes of one answer of a broker; 0: 1048576."},
    {.key = "default_fetch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, default_fetch_size),
     .default_text = "0",
     .min = 0,
     .max = 100000000,
     .help = "The former max_partition_fetch_size."},
    {.key = "max_partition_fetch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct kafka_config, max_partition_fetch_size),
     .default_text = "1048576",
     .min = 0,
     .max = 100000000,
     .help = "Most bytes of one partition in an answer; 0: 1048576."},
    {.key = "max_fetch_wait",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct kafka_config, max_fetch_wait_ns),
     .default_text = "250ms",
     .max = 3e11,
     .help = "How long a broker waits for min_fetch_size."},
    HF_HTTP_IGNORED("max_decompress_batch_bytes", "The library has a limit of its own."),
    HF_HTTP_IGNORED("error_backoff", "Data that no queue takes now is offered again."),
    HF_HTTP_IGNORED("partition_processing", "Partitions do not wait for each other."),
    HF_HTTP_IGNORED("telemetry", "All counters are there."),
    HF_FIELDS_END,
};

static const struct kafka_signal_config *of_signal(const struct kafka_config *config,
                                                   enum hf_signal signal)
{
    return signal == HF_TRACES    ? &config->traces
           : signal == HF_METRICS ? &config->metrics
                                  : &config->logs;
}

/* Is any of them a regular expression? */
static bool has_pattern(const struct hf_string_list *topics)
{
    bool found = false;
    for (size_t i = 0; i < topics->count; i++) {
        found = found || topics->items[i][0] == '^';
    }
    return found;
}

/* Spans of others. False: it is none of their encodings. */
static bool plan_spans(const char *encoding, struct kafka_plan *plan)
{
    static const struct {
        const char *name;
        enum kafka_encoding encoding;
    } rows[] = {{"jaeger_proto", KAFKA_JAEGER_PROTO},
                {"jaeger_json", KAFKA_JAEGER_JSON},
                {"zipkin_proto", KAFKA_ZIPKIN_PROTO},
                {"zipkin_json", KAFKA_ZIPKIN_JSON},
                {"zipkin_thrift", KAFKA_ZIPKIN_THRIFT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(encoding, rows[i].name) == 0) {
            plan->encoding = rows[i].encoding;
            return true;
        }
    }
    return false;
}

static const char *plan_encoding(const char *encoding, enum hf_signal signal,
                                 struct kafka_plan *plan)
{
    plan->characters = "utf8";
    if (strcmp(encoding, "otlp_proto") == 0 || strcmp(encoding, "otlp_json") == 0) {
        plan->encoding = encoding[5] == 'p' ? KAFKA_OTLP_PROTO : KAFKA_OTLP_JSON;
        return NULL;
    }
    if (signal == HF_TRACES) {
        return plan_spans(encoding, plan)
                   ? NULL
                   : "encoding: traces are read as otlp_proto, otlp_json, jaeger_proto, "
                     "jaeger_json, zipkin_proto, zipkin_json or zipkin_thrift; others are not "
                     "supported";
    }
    if (signal == HF_METRICS) {
        return "encoding: metrics are read as otlp_proto or otlp_json; others are not supported";
    }
    if (strncmp(encoding, "text", 4) == 0 && (encoding[4] == '\0' || encoding[4] == '_')) {
        plan->encoding = KAFKA_TEXT;
        plan->characters = encoding[4] == '_' ? encoding + 5 : "utf8";
        return NULL;
    }
    if (strcmp(encoding, "json") == 0 || strcmp(encoding, "raw") == 0) {
        plan->encoding = encoding[0] == 'j' ? KAFKA_JSON : KAFKA_RAW;
        return NULL;
    }
    return "encoding: logs are read as otlp_proto, otlp_json, text, text_ENCODING, json or raw; "
           "others are not supported";
}

const char *kafka_receiver_plan(const struct kafka_config *config, enum hf_signal signal,
                                struct kafka_plan *ret_plan)
{
    static const char *const defaults[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = "otlp_spans", [HF_METRICS] = "otlp_metrics", [HF_LOGS] = "otlp_logs"};
    const struct kafka_signal_config *own = of_signal(config, signal);
    struct kafka_plan plan = {.exclude_topics = own->exclude_topics};
    const char *const *one = own->topic != NULL      ? &own->topic
                             : config->topic != NULL ? &config->topic
                                                     : &defaults[signal];
    const char *encoding = own->encoding != NULL      ? own->encoding
                           : config->encoding != NULL ? config->encoding
                                                      : "otlp_proto";
    plan.topics = own->topics.count != 0 ? own->topics : (struct hf_string_list){one, 1};
    const char *why = plan_encoding(encoding, signal, &plan);
    if (why == NULL && plan.exclude_topics.count != 0 && !has_pattern(&plan.topics)) {
        why = "exclude_topics: none of the topics is a regular expression, which begins with ^";
    }
    if (ret_plan != NULL) {
        *ret_plan = plan;
    }
    return why;
}

const char *kafka_receiver_check(const void *from)
{
    const struct kafka_config *config = from;
    if (config->group_id == NULL || config->group_id[0] == '\0') {
        return "group_id must not be empty";
    }
    if (config->heartbeat_interval_ns >= config->session_timeout_ns) {
        return "heartbeat_interval must be shorter than session_timeout";
    }
    if (config->max_fetch_size != 0 && config->max_fetch_size < config->min_fetch_size) {
        return "max_fetch_size cannot be less than min_fetch_size";
    }
    for (size_t i = 0; i < config->strategies.count; i++) {
        if (config->strategies.items[i][0] == '\0' ||
            expect_strategy("", config->strategies.items[i]) != NULL) {
            return "group_rebalance_strategies: expected range, roundrobin, sticky or "
                   "cooperative-sticky";
        }
    }
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        const struct kafka_signal_config *own = of_signal(config, (enum hf_signal)i);
        for (size_t k = 0; k < own->exclude_topics.count; k++) {
            if (own->exclude_topics.items[k][0] == '\0') {
                return "exclude_topics: an empty entry would leave out every topic";
            }
        }
        if (own->exclude_topics.count != 0 && !has_pattern(&own->topics) &&
            (own->topic == NULL || own->topic[0] != '^')) {
            return "exclude_topics: none of the topics is a regular expression, which begins with "
                   "^";
        }
    }
    return hf_kafka_config_check(&config->kafka);
}

#define MS_NS 1000000u
#define FETCH_BYTES 1048576
#define MESSAGE_BYTES 1000000 /* the library's default of message.max.bytes */

static void add_strategy(const char *name, int version, char *room, size_t size)
{
    bool is_cooperative = strcmp(name, "sticky") == 0 || strcmp(name, "cooperative-sticky") == 0;
    if (is_cooperative && version < KAFKA_COOPERATIVE_VERSION) {
        return;
    }
    size_t used = strlen(room);
    snprintf(room + used, size - used, "%s%s", used != 0 ? "," : "",
             is_cooperative ? "cooperative-sticky" : name);
}

const char *kafka_receiver_strategies(const struct kafka_config *config, int version, char *room,
                                      size_t size)
{
    bool has_one = config->strategy != NULL && config->strategy[0] != '\0';
    room[0] = '\0';
    if (config->strategies.count == 0 && !has_one) {
        return "range,roundrobin";
    }
    for (size_t i = 0; i < config->strategies.count; i++) {
        add_strategy(config->strategies.items[i], version, room, size);
    }
    if (config->strategies.count == 0) {
        add_strategy(config->strategy, version, room, size);
    }
    return room[0] != '\0' ? room : NULL;
}

static void set_excluded(const struct hf_string_list *excluded, struct hf_kafka_settings *settings)
{
    size_t size = 1;
    for (size_t i = 0; i < excluded->count; i++) {
        size += strlen(excluded->items[i]) + 1;
    }
    char *joined = calloc(1, size);
    if (joined == NULL) {
        settings->failed = true;
        return;
    }
    char *at = joined;
    for (size_t i = 0; i < excluded->count; i++) {
        at = i != 0 ? stpcpy(at, ",") : at;
        at = stpcpy(at, excluded->items[i]);
    }
    hf_kafka_set_text(settings, "topic.blacklist", joined);
    free(joined);
}

static void set_fetching(const struct kafka_config *config, struct hf_kafka_settings *settings)
{
    int64_t most = config->max_fetch_size != 0 ? config->max_fetch_size : FETCH_BYTES;
    int64_t partition = config->default_fetch_size != 0         ? config->default_fetch_size
                        : config->max_partition_fetch_size != 0 ? config->max_partition_fetch_size
                                                                : FETCH_BYTES;
    hf_kafka_set(settings, "fetch.min.bytes", "%" PRId64,
                 config->min_fetch_size != 0 ? config->min_fetch_size : 1);
    hf_kafka_set(settings, "message.max.bytes", "%" PRId64,
                 most > MESSAGE_BYTES ? MESSAGE_BYTES
                 : most < 1000        ? 1000
                                      : most);
    hf_kafka_set(settings, "fetch.max.bytes", "%" PRId64, most < 1000 ? 1000 : most);
    hf_kafka_set(settings, "max.partition.fetch.bytes", "%" PRId64, partition);
    hf_kafka_set(settings, "fetch.wait.max.ms", "%" PRIu64, config->max_fetch_wait_ns / MS_NS);
    hf_kafka_set(settings, "queued.max.messages.kbytes", "16384");
    hf_kafka_set(settings, "queued.min.messages", "1000");
}

void kafka_receiver_set(const struct kafka_config *config, const struct kafka_plan *plan,
                        const char *strategies, struct hf_kafka_settings *settings)
{
    hf_kafka_config_set(&config->kafka, settings);
    hf_kafka_set(settings, "group.id", "%s", config->group_id);
    hf_kafka_set_text(settings, "group.instance.id", config->group_instance_id);
    hf_kafka_set(settings, "auto.offset.reset", "%s", offsets[config->initial_offset]);
    hf_kafka_set(settings, "session.timeout.ms", "%" PRIu64, config->session_timeout_ns / MS_NS);
    hf_kafka_set(settings, "heartbeat.interval.ms", "%" PRIu64,
                 config->heartbeat_interval_ns / MS_NS);
    hf_kafka_set(settings, "enable.auto.offset.store", "false");
    hf_kafka_set(settings, "enable.auto.commit", "true"); /* of what was stored */
    hf_kafka_set(settings, "auto.commit.interval.ms", "%" PRIu64,
                 config->autocommit.interval_ns / MS_NS);
    hf_kafka_set(settings, "partition.assignment.strategy", "%s", strategies);
    set_excluded(&plan->exclude_topics, settings);
    set_fetching(config, settings);
}
