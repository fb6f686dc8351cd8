#include "hec_config.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct hec_config, member)
#define KEY(member) offsetof(struct hec_metadata_keys, member)
#define ACK(member) offsetof(struct hec_ack, member)
#define BYTES_MAX 838860800.0 /* what Splunk may be set to take */

const char *hec_check(const void *from)
{
    const struct hec_config *config = from;
    if (config->http.endpoint == NULL || config->http.endpoint[0] == '\0') {
        return "requires a non-empty \"endpoint\"";
    }
    if (config->token == NULL || config->token[0] == '\0') {
        return "requires a non-empty \"token\"";
    }
    if (!config->log_data_enabled && !config->profiling_data_enabled) {
        return "either \"log_data_enabled\" or \"profiling_data_enabled\" has to be true";
    }
    return hf_http_client_check(&config->http);
}

static const char *first_of(const char *new_key, const char *old_key, const char *otherwise)
{
    return new_key != NULL ? new_key : old_key != NULL ? old_key : otherwise;
}

struct hec_metadata_keys hec_metadata_keys(const struct hec_config *config)
{
    const struct hec_metadata_keys *to = &config->to_hec, *old = &config->old_to_hec;
    return (struct hec_metadata_keys){
        .source = first_of(to->source, old->source, "com.splunk.source"),
        .sourcetype = first_of(to->sourcetype, old->sourcetype, "com.splunk.sourcetype"),
        .index = first_of(to->index, old->index, "com.splunk.index"),
        .host = first_of(to->host, old->host, "host.name"),
    };
}

static const struct hf_field metadata_fields[] = {
    {.key = "source",
     .type = HF_FIELD_STRING,
     .offset = KEY(source),
     .help = "The attribute that is an event's source; absent: com.splunk.source."},
    {.key = "sourcetype",
     .type = HF_FIELD_STRING,
     .offset = KEY(sourcetype),
     .help = "That of its source type; absent: com.splunk.sourcetype."},
    {.key = "index",
     .type = HF_FIELD_STRING,
     .offset = KEY(index),
     .help = "That of its index; absent: com.splunk.index."},
    {.key = "host",
     .type = HF_FIELD_STRING,
     .offset = KEY(host),
     .help = "That of its host; absent: host.name."},
    HF_FIELDS_END,
};

static const struct hf_field severity_fields[] = {
    {.key = "severity_text",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_severity_fields, text),
     .default_text = "otel.log.severity.text",
     .help = "The field that has the text of a record's severity."},
    {.key = "severity_number",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_severity_fields, number),
     .default_text = "otel.log.severity.number",
     .help = "The field that has its number."},
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_severity_fields, name),
     .help = "Accepted without effect: records have no names any more."},
    HF_FIELDS_END,
};

static const struct hf_field ack_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = ACK(enabled),
     .default_text = "false",
     .help = "A request is delivered when Splunk says that its events are indexed. The token must "
             "have indexer acknowledgement enabled."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = ACK(interval_ns),
     .default_text = "1s",
     .min = 1e7,
     .max = 6e11,
     .help = "How often it is asked."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = ACK(timeout_ns),
     .default_text = "5m",
     .min = 1e9,
     .max = 3.6e12,
     .help = "Without an acknowledgement for so long, the request is sent again."},
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = ACK(path),
     .default_text = "/services/collector/ack",
     .help = "The path that is asked, of the endpoint's host."},
    HF_FIELDS_END,
};

const struct hf_field hec_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_url,
     .help = "The URL of the HTTP Event Collector; without a path /services/collector."},
    {.key = "token",
     .type = HF_FIELD_SECRET,
     .offset = AT(token),
     .help = "The token, which is sent as Authorization: Splunk TOKEN. One in the attribute "
             "com.splunk.hec.access_token is left out and not used."},
    {.key = "source",
     .type = HF_FIELD_STRING,
     .offset = AT(source),
     .default_text = "",
     .help = "The source of events that name none."},
    {.key = "sourcetype",
     .type = HF_FIELD_STRING,
     .offset = AT(sourcetype),
     .default_text = "",
     .help = "The source type of events that name none."},
    {.key = "index",
     .type = HF_FIELD_STRING,
     .offset = AT(index),
     .default_text = "",
     .help = "The index of events that name none."},
    {.key = "disable_compression",
     .type = HF_FIELD_BOOL,
     .offset = AT(disable_compression),
     .default_text = "false",
     .help = "Send without gzip."},
    {.key = "export_raw",
     .type = HF_FIELD_BOOL,
     .offset = AT(export_raw),
     .default_text = "false",
     .help = "Send the bodies of log records as lines, for an endpoint such as "
             "/services/collector/raw. Other signals stay events."},
    {.key = "max_content_length_logs",
     .type = HF_FIELD_BYTES,
     .offset = AT(content_bytes_max[HF_LOGS]),
     .default_text = "2097152",
     .min = 0,
     .max = BYTES_MAX,
     .help = "Largest body of logs before its compression; a larger request is halved; 0: no "
             "limit."},
    {.key = "max_content_length_metrics",
     .type = HF_FIELD_BYTES,
     .offset = AT(content_bytes_max[HF_METRICS]),
     .default_text = "2097152",
     .min = 0,
     .max = BYTES_MAX,
     .help = "The same of metrics."},
    {.key = "max_content_length_traces",
     .type = HF_FIELD_BYTES,
     .offset = AT(content_bytes_max[HF_TRACES]),
     .default_text = "2097152",
     .min = 0,
     .max = BYTES_MAX,
     .help = "The same of traces."},
    {.key = "max_event_size",
     .type = HF_FIELD_BYTES,
     .offset = AT(event_bytes_max),
     .default_text = "5242880",
     .min = 1,
     .max = BYTES_MAX,
     .help = "Largest event; a larger one is a dead letter."},
    {.key = "splunk_app_name",
     .type = HF_FIELD_STRING,
     .offset = AT(app_name),
     .default_text = "Holdfast",
     .help = "The header __splunk_app_name."},
    {.key = "splunk_app_version",
     .type = HF_FIELD_STRING,
     .offset = AT(app_version),
     .default_text = HF_VERSION,
     .help = "The header __splunk_app_version."},
    {.key = "log_data_enabled",
     .type = HF_FIELD_BOOL,
     .offset = AT(log_data_enabled),
     .default_text = "true",
     .help = "false: log records that are no profiling data are counted as rejected."},
    {.key = "profiling_data_enabled",
     .type = HF_FIELD_BOOL,
     .offset = AT(profiling_data_enabled),
     .default_text = "true",
     .help = "false: log records of the scope otel.profiling are counted as rejected."},
    {.key = "otel_attrs_to_hec_metadata",
     .type = HF_FIELD_STRUCT,
     .offset = AT(to_hec),
     .inner = metadata_fields,
     .help = "Attributes that are metadata of an event."},
    {.key = "hec_metadata_to_otel_attrs",
     .type = HF_FIELD_STRUCT,
     .offset = AT(old_to_hec),
     .inner = metadata_fields,
     .help = "The same in older configurations; the new key wins."},
    {.key = "otel_to_hec_fields",
     .type = HF_FIELD_STRUCT,
     .offset = AT(severity),
     .inner = severity_fields,
     .help = "Names of fields."},
    {.key = "ack",
     .type = HF_FIELD_STRUCT,
     .offset = AT(ack),
     .inner = ack_fields,
     .help = "Indexer acknowledgement; a key of Holdfast."},
    HF_HTTP_IGNORED("use_multi_metric_format", "Each value is an event of its own."),
    HF_HTTP_IGNORED("health_path", "The data itself shows whether Splunk answers."),
    HF_HTTP_IGNORED("health_check_enabled", "Data waits until Splunk answers."),
    HF_HTTP_IGNORED("batcher", "sending_queue::batch counts."),
    HF_HTTP_IGNORED("compression_params", "The level is that of the library."),
    HF_HTTP_IGNORED("heartbeat", "No events are made."),
    HF_HTTP_IGNORED("telemetry", "Holdfast's own metrics tell it."),
    HF_HTTP_IGNORED("max_connections", "sending_queue::num_consumers is it."),
    HF_HTTP_CLIENT_FIELDS(struct hec_config, http),
    HF_FIELDS_END,
};
