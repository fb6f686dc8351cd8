#include "es_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "es_endpoints.h"

const char *const es_mode_names[] = {"none", "ecs", "otel", "raw", "bodymap", NULL};

bool es_mode_of(struct hf_slice name, enum es_mode *ret_mode)
{
    if (name.size == 0) {
        *ret_mode = ES_NONE;
        return true;
    }
    const char *text = (const char *)name.data;
    if (name.size == 2 && strncasecmp(text, "no", 2) == 0) {
        *ret_mode = ES_NONE;
        return true;
    }
    for (int i = 0; i < ES_MODE_COUNT; i++) {
        if (name.size == strlen(es_mode_names[i]) &&
            strncasecmp(text, es_mode_names[i], name.size) == 0) {
            *ret_mode = (enum es_mode)i;
            return true;
        }
    }
    return false;
}

static const char *expect_mode(const char *key, const char *text)
{
    enum es_mode mode;
    (void)key;
    return es_mode_of(hf_slice_text(text), &mode) ? NULL : "otel, ecs, none, raw or bodymap";
}

static const char *expect_compression(const char *key, const char *text)
{
    (void)key;
    return strcmp(text, "gzip") == 0 || strcmp(text, "none") == 0 || text[0] == '\0'
               ? NULL
               : "gzip or none";
}

/* ---- checks ---- */

static const char *check_modes(const struct es_config *config)
{
    enum es_mode mode = ES_OTEL, allowed;
    bool is_allowed = config->mapping.allowed_modes.count == 0;
    if (!es_mode_of(hf_slice_text(config->mapping.mode), &mode)) {
        return "mapping::mode is otel, ecs, none, raw or bodymap";
    }
    for (size_t i = 0; i < config->mapping.allowed_modes.count; i++) {
        if (!es_mode_of(hf_slice_text(config->mapping.allowed_modes.items[i]), &allowed)) {
            return "mapping::allowed_modes: a mode is otel, ecs, none, raw or bodymap";
        }
        is_allowed |= allowed == mode;
    }
    return is_allowed ? NULL : "mapping::mode must be one of mapping::allowed_modes";
}

static const char *check_indexes(const struct es_config *config)
{
    static const char *const sentences[] = {
        "traces_index and traces_dynamic_index::enabled exclude each other: leave the index out to "
        "have it by data stream",
        "metrics_index and metrics_dynamic_index::enabled exclude each other: leave the index out "
        "to have it by data stream",
        "logs_index and logs_dynamic_index::enabled exclude each other: leave the index out to "
        "have it by data stream",
    };
    for (int i = 0; i < 3; i++) {
        const char *index = config->indexes[i];
        if (index != NULL && index[0] != '\0' && config->dynamic_indexes[i].enabled) {
            return sentences[i];
        }
    }
    return NULL;
}

static const char *check_statuses(const struct es_config *config)
{
    for (size_t i = 0; i < config->retry.on_status.count; i++) {
        char *end;
        long code = strtol(config->retry.on_status.items[i], &end, 10);
        if (*end != '\0' || code < 100 || code > 599) {
            return "retry::retry_on_status: each is an HTTP status from 100 to 599";
        }
    }
    return NULL;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *es_check(const void *from)
{
    const struct es_config *config = from;
    const char *wrong = es_endpoints_check(config);
    wrong = wrong != NULL ? wrong : check_modes(config);
    wrong = wrong != NULL ? wrong : check_indexes(config);
    wrong = wrong != NULL ? wrong : check_statuses(config);
    if (wrong == NULL && given(config->api_key) && given(config->user)) {
        wrong = "api_key and user exclude each other";
    }
    if (wrong == NULL && given(config->password) && !given(config->user)) {
        wrong = "password needs user";
    }
    return wrong != NULL ? wrong : hf_http_client_check(&config->http);
}

/* ---- keys ---- */

static const struct hf_field no_op_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct es_switch, enabled),
     .default_text = "false",
     .help = "Has no effect: without a fixed index the index is dynamic."},
    HF_FIELDS_END,
};

static const struct hf_field id_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct es_switch, enabled),
     .default_text = "false",
     .help = "The attribute elasticsearch.document_id of an item is its _id."},
    HF_FIELDS_END,
};

static const struct hf_field pipeline_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct es_switch, enabled),
     .default_text = "false",
     .help =
         "The attribute elasticsearch.document_pipeline of a record names its ingest pipeline."},
    HF_FIELDS_END,
};

static const struct hf_field mapping_fields[] = {
    {.key = "mode",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct es_mapping, mode),
     .default_text = "otel",
     .validate = expect_mode,
     .help = "The form of documents: otel, ecs, none, raw, bodymap. The scope attribute "
             "elastic.mapping.mode and then the header X-Elastic-Mapping-Mode that came with the "
             "data win."},
    {.key = "allowed_modes",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct es_mapping, allowed_modes),
     .help = "Modes that the scope attribute or the header may ask for; absent: all."},
    HF_HTTP_IGNORED("dedup", "Names that are there twice are always resolved."),
    HF_HTTP_IGNORED("dedot", "The mode decides: ecs makes objects of dots, the others do not."),
    HF_HTTP_IGNORED("fields", "No exporter has used it."),
    HF_HTTP_IGNORED("file", "No exporter has used it."),
    HF_FIELDS_END,
};

static const struct hf_field logstash_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct es_logstash, enabled),
     .default_text = "false",
     .help = "A date behind the name of the index: that of the record's receipt, so that a repeat "
             "goes to the same index."},
    {.key = "prefix_separator",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct es_logstash, prefix_separator),
     .default_text = "-",
     .help = "Between the index and the date."},
    {.key = "date_format",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct es_logstash, date_format),
     .default_text = "%Y.%m.%d",
     .help = "By strftime, in the machine's time zone."},
    HF_FIELDS_END,
};

static const struct hf_field retry_fields[] = {
    {.key = "retry_on_status",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct es_retry, on_status),
     .help = "Status codes of documents to be tried again; 429 and 5xx always are."},
    HF_HTTP_IGNORED("enabled", "retry_on_failure::enabled decides."),
    HF_HTTP_IGNORED("max_requests", "retry_on_failure::max_elapsed_time ends the attempts."),
    HF_HTTP_IGNORED("max_retries", "retry_on_failure::max_elapsed_time ends the attempts."),
    HF_HTTP_IGNORED("initial_interval", "retry_on_failure::initial_interval counts."),
    HF_HTTP_IGNORED("max_interval", "retry_on_failure::max_interval counts."),
    HF_FIELDS_END,
};

static const struct hf_field flush_fields[] = {
    {.key = "bytes",
     .type = HF_FIELD_BYTES,
     .offset = offsetof(struct es_flush, bytes),
     .default_text = "5000000",
     .min = 1024,
     .max = 96 * 1024 * 1024,
     .help = "Of a request's text before compression: no further item begins past it."},
    HF_HTTP_IGNORED("interval", "sending_queue::batch::flush_timeout counts."),
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct es_config, member)

#define INDEX(name, signal, old)                                                                   \
    {                                                                                              \
        .key = #name "_index", .type = HF_FIELD_STRING, .offset = AT(indexes[signal]),             \
        .old_keys = (old),                                                                         \
        .help = "A fixed index, alias or data stream of " #name "; absent: by the attribute "      \
                "elasticsearch.index or data_stream.*."                                            \
    }

#define DYNAMIC(name, signal)                                                                      \
    {                                                                                              \
        .key = #name "_dynamic_index", .type = HF_FIELD_STRUCT,                                    \
        .offset = AT(dynamic_indexes[signal]), .inner = no_op_fields,                              \
        .help = "Accepted; without " #name "_index it is always so."                               \
    }

const struct hf_field es_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_url,
     .help = "URL of one node. One of endpoint, endpoints, cloudid; else the environment's "
             "ELASTICSEARCH_URL."},
    {.key = "endpoints",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(endpoints),
     .help = "URLs of nodes, which get requests in turn."},
    {.key = "cloudid",
     .type = HF_FIELD_STRING,
     .offset = AT(cloudid),
     .help = "The id of an Elastic Cloud cluster."},
    {.key = "user",
     .type = HF_FIELD_STRING,
     .offset = AT(user),
     .help = "For basic authentication."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = AT(password),
     .help = "For basic authentication."},
    {.key = "api_key",
     .type = HF_FIELD_SECRET,
     .offset = AT(api_key),
     .help = "Encoded API key: Authorization: ApiKey."},
    INDEX(logs, HF_LOGS, ((const char *const[]){"index", NULL})),
    INDEX(traces, HF_TRACES, NULL),
    INDEX(metrics, HF_METRICS, NULL),
    DYNAMIC(logs, HF_LOGS),
    DYNAMIC(traces, HF_TRACES),
    DYNAMIC(metrics, HF_METRICS),
    {.key = "logs_dynamic_id",
     .type = HF_FIELD_STRUCT,
     .offset = AT(dynamic_id),
     .inner = id_fields,
     .help = "Document ids from an attribute."},
    {.key = "traces_dynamic_id",
     .type = HF_FIELD_STRUCT,
     .offset = AT(dynamic_span_id),
     .inner = id_fields,
     .help = "The same for spans."},
    {.key = "logs_dynamic_pipeline",
     .type = HF_FIELD_STRUCT,
     .offset = AT(dynamic_pipeline),
     .inner = pipeline_fields,
     .help = "Ingest pipelines from an attribute."},
    {.key = "pipeline",
     .type = HF_FIELD_STRING,
     .offset = AT(pipeline),
     .help = "Ingest pipeline of all documents."},
    {.key = "document_ids",
     .type = HF_FIELD_BOOL,
     .offset = AT(document_ids),
     .default_text = "true",
     .help =
         "Logs and spans have an _id made of their place in the queue, so that a repeat is known "
         "to the backend and stored once. Documents of metrics have none: a time series data "
         "stream makes its own."},
    {.key = "mapping",
     .type = HF_FIELD_STRUCT,
     .offset = AT(mapping),
     .inner = mapping_fields,
     .help = "The form of documents."},
    {.key = "logstash_format",
     .type = HF_FIELD_STRUCT,
     .offset = AT(logstash),
     .inner = logstash_fields,
     .help = "An index per day, or as the format says."},
    {.key = "retry",
     .type = HF_FIELD_STRUCT,
     .offset = AT(retry),
     .inner = retry_fields,
     .help = "Which documents are tried again; how often says retry_on_failure."},
    {.key = "flush",
     .type = HF_FIELD_STRUCT,
     .offset = AT(flush),
     .inner = flush_fields,
     .help = "Size of a request."},
    {.key = "compression",
     .type = HF_FIELD_STRING,
     .offset = AT(http.compression),
     .default_text = "gzip",
     .validate = expect_compression,
     .help = "gzip or none."},
    {.key = "compression_params",
     .type = HF_FIELD_STRUCT,
     .offset = AT(http.compression_params),
     .inner = hf_http_compression_param_fields,
     .help = "The level of the compression."},
    HF_HTTP_IGNORED("num_workers", "sending_queue::num_consumers counts."),
    HF_HTTP_IGNORED("batcher", "sending_queue::batch counts."),
    HF_HTTP_IGNORED("metadata_keys", "sending_queue::batch::partition::metadata_keys counts."),
    HF_HTTP_IGNORED("discover", "Nodes are those of endpoints."),
    HF_HTTP_IGNORED("telemetry", "Requests and answers are not logged; dead letters keep both."),
    HF_HTTP_IGNORED("log_request_body", "Dead letters keep what was refused."),
    HF_HTTP_IGNORED("log_response_body", "Dead letters keep the words of a refusal."),
    HF_HTTP_IGNORED("log_failed_docs_input", "Dead letters keep what was refused."),
    HF_HTTP_IGNORED("log_failed_docs_input_rate_limit", "Dead letters keep what was refused."),
    HF_HTTP_IGNORED("include_source_on_error",
                    "Dead letters have the reason as the backend says it."),
    HF_HTTP_IGNORED("bulk_response_filter_path", "Answers have what is needed of them."),
    HF_HTTP_CLIENT_FIELDS(struct es_config, http),
    HF_FIELDS_END,
};
