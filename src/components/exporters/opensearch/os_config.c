#include "os_config.h"

#include <string.h>

#include "os_index.h"

const char *const os_actions[] = {"create", "index", NULL};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *os_check(const void *from)
{
    const struct os_config *config = from;
    if (!given(config->http.client.endpoint)) {
        return "http::endpoint must be set: http://host:9200";
    }
    if (!given(config->dataset)) {
        return "dataset must not be empty";
    }
    if (!given(config->namespace)) {
        return "namespace must not be empty";
    }
    return hf_http_client_check(&config->http.client);
}

static const char *expect_time_format(const char *key, const char *text)
{
    (void)key;
    return os_time_format_is_good(text) ? NULL : "yyyy, yy, MM, dd, HH, mm, ss and - . _ +";
}

static const char *expect_compression(const char *key, const char *text)
{
    (void)key;
    return strcmp(text, "gzip") == 0 || strcmp(text, "none") == 0 || text[0] == '\0'
               ? NULL
               : "gzip or none";
}

static const struct hf_field http_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct os_http, client.endpoint),
     .validate = hf_http_client_expect_url,
     .help = "URL of a node: http://host:9200."},
    {.key = "compression",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct os_http, client.compression),
     .default_text = "none",
     .validate = expect_compression,
     .help = "gzip or none."},
    {.key = "compression_params",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct os_http, client.compression_params),
     .inner = hf_http_compression_param_fields,
     .help = "The level of the compression."},
    HF_HTTP_IGNORED("timeout", "The exporter's own timeout counts."),
    HF_HTTP_CLIENT_FIELDS(struct os_http, client),
    HF_FIELDS_END,
};

#define OTEL_V1 "Of the mode otel-v1, which is not supported."

static const struct hf_field mapping_fields[] = {
    {.key = "mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct os_mapping, mode),
     .default_text = "ss4o",
     .choices = (const char *const[]){"ss4o", "ecs", "flatten_attributes", "bodymap", NULL},
     .help = "The form of log records: ss4o (Simple Schema for Observability), ecs and "
             "flatten_attributes (fields of OTLP, with attributes under Attributes or at the top), "
             "bodymap (the body is the document). Spans are ss4o."},
    {.key = "timestamp_field",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct os_mapping, timestamp_field),
     .default_text = "@timestamp",
     .help = "Field of the time in ecs and flatten_attributes."},
    {.key = "unix_timestamp",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct os_mapping, unix_timestamp),
     .default_text = "false",
     .help = "The time as milliseconds since the epoch, in ecs and flatten_attributes."},
    {.key = "dedot",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct os_mapping, dedot),
     .default_text = "false",
     .help = "Dots of names become objects, in ecs and flatten_attributes."},
    HF_HTTP_IGNORED("dedup", "Names that are there twice are always resolved."),
    HF_HTTP_IGNORED("fields", "No exporter has used it."),
    HF_HTTP_IGNORED("file", "No exporter has used it."),
    HF_HTTP_IGNORED("manage_index_template", OTEL_V1),
    HF_HTTP_IGNORED("index_template_file", OTEL_V1),
    HF_HTTP_IGNORED("ism", OTEL_V1),
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct os_config, member)

/* clang-format off */
#define INDEX(name, preset)                                                                        \
    {.key = #name "_index",                                                                        \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = AT(name.pattern),                                                                   \
     .help = "Index of " #name "; %{key} stands for an attribute of the item, its scope or its "   \
             "resource, or for scope.name and scope.version. Absent: " preset                      \
             "-DATASET-NAMESPACE."},                                                               \
    {.key = #name "_index_fallback",                                                               \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = AT(name.fallback),                                                                  \
     .help = "For a %{key} that is not there; absent: unknown."},                                  \
    {.key = #name "_index_time_format",                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = AT(name.time_format),                                                               \
     .validate = expect_time_format,                                                               \
     .help = "A date behind the index, as yyyy.MM.dd: that of the record's receipt, so that a "    \
             "repeat goes to the same index."}
/* clang-format on */

#define NO_METRICS "The exporter takes no metrics."

const struct hf_field os_fields[] = {
    {.key = "http",
     .type = HF_FIELD_STRUCT,
     .offset = AT(http),
     .inner = http_fields,
     .help = "Where OpenSearch is and how it is reached."},
    {.key = "dataset",
     .type = HF_FIELD_STRING,
     .offset = AT(dataset),
     .default_text = "default",
     .help = "A part of the default index, and data_stream.dataset."},
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(namespace),
     .default_text = "namespace",
     .help = "A part of the default index, and data_stream.namespace."},
    INDEX(logs, "ss4o_logs"),
    INDEX(traces, "ss4o_traces"),
    {.key = "bulk_action",
     .type = HF_FIELD_ENUM,
     .offset = AT(bulk_action),
     .default_text = "create",
     .choices = os_actions,
     .help = "create or index."},
    {.key = "pipeline",
     .type = HF_FIELD_STRING,
     .offset = AT(pipeline),
     .help = "Ingest pipeline of all documents."},
    {.key = "document_ids",
     .type = HF_FIELD_BOOL,
     .offset = AT(document_ids),
     .default_text = "true",
     .help = "Documents have an _id made of their place in the queue, so that a repeat is known to "
             "the backend and stored once."},
    {.key = "request_bytes",
     .type = HF_FIELD_BYTES,
     .offset = AT(request_bytes),
     .default_text = "5000000",
     .min = 1024,
     .max = 96 * 1024 * 1024,
     .help = "Of a request's text before compression: no further item begins past it."},
    {.key = "mapping",
     .type = HF_FIELD_STRUCT,
     .offset = AT(mapping),
     .inner = mapping_fields,
     .help = "The form of documents."},
    HF_HTTP_IGNORED("metrics_index", NO_METRICS),
    HF_HTTP_IGNORED("metrics_index_fallback", NO_METRICS),
    HF_HTTP_IGNORED("metrics_index_time_format", NO_METRICS),
    HF_FIELDS_END,
};
