/*
 * Made-up components for the tests of whole configurations. Include support.h first.
 */
#pragma once

#include <holdfast/component.h>

struct made_server {
    const char *endpoint;
    int64_t max_recv_msg_size_mib;
};

struct made_receiver {
    struct made_protocols {
        const struct made_server *grpc, *http;
    } protocols;
};

static const struct hf_field made_server_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct made_server, endpoint),
     .default_text = "0.0.0.0:4317",
     .help = "Where to listen."},
    {.key = "max_recv_msg_size_mib",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_server, max_recv_msg_size_mib),
     .default_text = "4",
     .min = 0,
     .max = 1024},
    HF_FIELDS_END,
};

static const struct hf_field made_protocol_fields[] = {
    {.key = "grpc",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct made_protocols, grpc),
     .inner = made_server_fields,
     .inner_size = sizeof(struct made_server)},
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct made_protocols, http),
     .inner = made_server_fields,
     .inner_size = sizeof(struct made_server)},
    HF_FIELDS_END,
};

static const struct hf_field made_receiver_fields[] = {
    {.key = "protocols",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct made_receiver, protocols),
     .inner = made_protocol_fields},
    HF_FIELDS_END,
};

static const char *made_receiver_check(const void *config)
{
    const struct made_receiver *receiver = config;

    return receiver->protocols.grpc == NULL && receiver->protocols.http == NULL
               ? "must specify at least one protocol when using the OTLP receiver"
               : NULL;
}

struct made_batch {
    uint64_t timeout_ns;
    int64_t size, max;
};

static const struct hf_field made_batch_fields[] = {
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct made_batch, timeout_ns),
     .default_text = "200ms"},
    {.key = "send_batch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_batch, size),
     .default_text = "8192"},
    {.key = "send_batch_max_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_batch, max)},
    HF_FIELDS_END,
};

static const char *made_batch_check(const void *config)
{
    const struct made_batch *batch = config;

    return batch->max != 0 && batch->max < batch->size
               ? "send_batch_max_size must be greater than or equal to send_batch_size"
               : NULL;
}

struct made_limiter {
    uint64_t interval_ns;
    int64_t limit_mib, spike_mib, limit_percent, spike_percent;
};

static const struct hf_field made_limiter_fields[] = {
    {.key = "check_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct made_limiter, interval_ns)},
    {.key = "limit_mib", .type = HF_FIELD_INT, .offset = offsetof(struct made_limiter, limit_mib)},
    {.key = "spike_limit_mib",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_limiter, spike_mib)},
    {.key = "limit_percentage",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_limiter, limit_percent)},
    {.key = "spike_limit_percentage",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made_limiter, spike_percent)},
    HF_FIELDS_END,
};

struct made_action {
    const char *key;
    struct hf_value value;
    int64_t action;
};

struct made_resource {
    struct hf_struct_list attributes;
};

static const char *const made_actions[] = {"insert", "update", "upsert", "delete", NULL};

static const struct hf_field made_action_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct made_action, key),
     .required = true},
    {.key = "value", .type = HF_FIELD_VALUE, .offset = offsetof(struct made_action, value)},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct made_action, action),
     .choices = made_actions,
     .required = true},
    HF_FIELDS_END,
};

static const struct hf_field made_resource_fields[] = {
    {.key = "attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct made_resource, attributes),
     .inner = made_action_fields,
     .inner_size = sizeof(struct made_action)},
    HF_FIELDS_END,
};

struct made_exporter {
    const char *endpoint, *password;
    struct hf_string_map headers;
    struct made_tls {
        bool insecure;
        const char *ca_file;
    } tls;
    int64_t compression;
    struct made_queue {
        bool enabled;
        int64_t num_consumers, queue_size;
        const char *storage;
    } queue;
    struct made_retry {
        bool enabled;
        uint64_t initial_ns, max_ns, elapsed_ns;
    } retry;
    struct made_auth {
        const char *authenticator;
    } auth;
};

#define MADE(type, member) offsetof(struct type, member)

static const char *const made_compressions[] = {"gzip", "zstd", "none", NULL};

static const struct hf_field made_tls_fields[] = {
    {.key = "insecure", .type = HF_FIELD_BOOL, .offset = MADE(made_tls, insecure)},
    {.key = "ca_file", .type = HF_FIELD_STRING, .offset = MADE(made_tls, ca_file)},
    HF_FIELDS_END,
};

static const struct hf_field made_queue_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = MADE(made_queue, enabled),
     .default_text = "true"},
    {.key = "num_consumers",
     .type = HF_FIELD_INT,
     .offset = MADE(made_queue, num_consumers),
     .default_text = "10"},
    {.key = "queue_size",
     .type = HF_FIELD_INT,
     .offset = MADE(made_queue, queue_size),
     .default_text = "1000"},
    {.key = "storage", .type = HF_FIELD_REF, .offset = MADE(made_queue, storage)},
    HF_FIELDS_END,
};

static const struct hf_field made_retry_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = MADE(made_retry, enabled),
     .default_text = "true"},
    {.key = "initial_interval",
     .type = HF_FIELD_DURATION,
     .offset = MADE(made_retry, initial_ns),
     .default_text = "5s"},
    {.key = "max_interval",
     .type = HF_FIELD_DURATION,
     .offset = MADE(made_retry, max_ns),
     .default_text = "30s"},
    {.key = "max_elapsed_time",
     .type = HF_FIELD_DURATION,
     .offset = MADE(made_retry, elapsed_ns),
     .default_text = "5m"},
    HF_FIELDS_END,
};

static const struct hf_field made_auth_fields[] = {
    {.key = "authenticator", .type = HF_FIELD_REF, .offset = MADE(made_auth, authenticator)},
    HF_FIELDS_END,
};

static const struct hf_field made_exporter_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = MADE(made_exporter, endpoint),
     .help = "The backend's host:port | URL."},
    {.key = "password", .type = HF_FIELD_SECRET, .offset = MADE(made_exporter, password)},
    {.key = "headers", .type = HF_FIELD_MAP, .offset = MADE(made_exporter, headers)},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = MADE(made_exporter, tls),
     .inner = made_tls_fields},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = MADE(made_exporter, compression),
     .default_text = "gzip",
     .choices = made_compressions},
    {.key = "sending_queue",
     .type = HF_FIELD_STRUCT,
     .offset = MADE(made_exporter, queue),
     .inner = made_queue_fields},
    {.key = "retry_on_failure",
     .type = HF_FIELD_STRUCT,
     .offset = MADE(made_exporter, retry),
     .inner = made_retry_fields},
    {.key = "auth",
     .type = HF_FIELD_STRUCT,
     .offset = MADE(made_exporter, auth),
     .inner = made_auth_fields},
    HF_FIELDS_END,
};

static const char *made_exporter_check(const void *config)
{
    const struct made_exporter *exporter = config;

    if (exporter->endpoint == NULL || exporter->endpoint[0] == '\0') {
        return "requires a non-empty \"endpoint\"";
    }
    return exporter->queue.queue_size < 2 && exporter->queue.num_consumers > 999
               ? "more consumers than queue_size allows"
               : NULL;
}

struct made_token {
    const char *token;
};

static const struct hf_field made_token_fields[] = {
    {.key = "token", .type = HF_FIELD_SECRET, .offset = MADE(made_token, token)},
    HF_FIELDS_END,
};

struct made_debug {
    const char *loglevel;
};

static const struct hf_field made_debug_fields[] = {
    {.key = "loglevel", .type = HF_FIELD_IGNORED, .help = "Accepted without effect."},
    HF_FIELDS_END,
};

static const struct hf_auth made_auth;

static const struct hf_component made_otlp_receiver = {
    .type = "otlp",
    .help = "Takes OTLP.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_receiver),
    .fields = made_receiver_fields,
    .check = made_receiver_check,
};
static const struct hf_component made_nop_receiver = {
    .type = "nop", .kind = HF_RECEIVER, .signals = HF_ALL_SIGNALS};
static const struct hf_component made_batch_processor = {
    .type = "batch",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_batch),
    .fields = made_batch_fields,
    .check = made_batch_check,
};
static const struct hf_component made_limiter_processor = {
    .type = "memory_limiter",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_limiter),
    .fields = made_limiter_fields,
};
static const struct hf_component made_resource_processor = {
    .type = "resource",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_resource),
    .fields = made_resource_fields,
};
static const struct hf_component made_sampler_processor = {
    .type = "sampler", .kind = HF_PROCESSOR, .signals = HF_SIGNAL_BIT(HF_TRACES)};
static const struct hf_component made_otlp_exporter = {
    .type = "otlp",
    .aliases = (const char *const[]){"otlp_grpc", NULL},
    .help = "Sends OTLP.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_exporter),
    .fields = made_exporter_fields,
    .check = made_exporter_check,
};
static const struct hf_component made_debug_exporter = {
    .type = "debug",
    .aliases = (const char *const[]){"logging", NULL},
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct made_debug),
    .fields = made_debug_fields,
};
static const struct hf_component made_nop_exporter = {
    .type = "nop", .kind = HF_EXPORTER, .signals = HF_ALL_SIGNALS};
static inline const struct hf_storage_config *made_storage(const void *config)
{
    return config;
}
static const struct hf_component made_storage_extension = {
    .type = "file_storage",
    .kind = HF_EXTENSION,
    .extension = &(const struct hf_extension_ops){.storage = made_storage}};
static const struct hf_component made_token_extension = {
    .type = "bearertokenauth",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct made_token),
    .fields = made_token_fields,
    .extension = &(const struct hf_extension_ops){.auth = &made_auth},
};
static const struct hf_component made_link_connector = {
    .type = "link", .kind = HF_CONNECTOR, .signals = HF_ALL_SIGNALS};

static const struct hf_component *const made_up[] = {
    &made_otlp_receiver,
    &made_nop_receiver,
    &made_batch_processor,
    &made_limiter_processor,
    &made_resource_processor,
    &made_sampler_processor,
    &made_otlp_exporter,
    &made_debug_exporter,
    &made_nop_exporter,
    &made_storage_extension,
    &made_token_extension,
    &made_link_connector,
    NULL,
};

/* The smallest configuration that loads; what a test writes comes before or after. */
#define NOP_RECEIVER "receivers: {nop: }\n"
#define NOP_EXPORTER "exporters: {nop: }\n"
#define NOP_SERVICE "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"
