#include "prometheus_config.h"

#include <stddef.h>

#include "http/server.h"
#include "prometheus/names.h"
#include "util/tls/tls.h"
#include "util/validators.h"

const char *prometheus_check_config(const void *from)
{
    const struct prometheus_config *config = from;
    if (config->endpoint[0] == '\0') {
        return "endpoint: must not be empty";
    }
    const char *why = hf_resource_labels_check(&config->conversion, &config->constant);
    return why == NULL && config->tls != NULL ? hf_tls_server_check(config->tls) : why;
}

#define AT(member) offsetof(struct prometheus_config, member)

static const struct hf_field auth_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct prometheus_auth_config, authenticator),
     .required = true,
     .help = "The extension that checks credentials."},
    {.key = "request_params", .type = HF_FIELD_IGNORED, .help = "Nothing reads them."},
    HF_FIELDS_END,
};

const struct hf_field prometheus_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .required = true,
     .validate = hf_expect_listen,
     .help = "Where /metrics is served: host:port or unix:///path."},
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(name_space),
     .help = "Before the name of every metric, with _."},
    {.key = "const_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(const_labels),
     .help = "Labels of every series but target_info. A point with a label of that name is "
             "rejected."},
    {.key = "send_timestamps",
     .type = HF_FIELD_BOOL,
     .offset = AT(send_timestamps),
     .default_text = "false",
     .help = "Show the time of each point."},
    {.key = "metric_expiration",
     .type = HF_FIELD_DURATION,
     .offset = AT(metric_expiration_ns),
     .default_text = "5m",
     .min = 1e6,
     .max = 9e18,
     .help = "Series without an update for that long are no longer shown."},
    {.key = "enable_open_metrics",
     .type = HF_FIELD_BOOL,
     .offset = AT(enable_open_metrics),
     .default_text = "false",
     .help = "Answer in OpenMetrics, with exemplars, when the scraper asks for it."},
    HF_RESOURCE_LABEL_FIELDS(AT(conversion), AT(constant)),
    {.key = "add_metric_suffixes",
     .type = HF_FIELD_BOOL,
     .offset = AT(add_metric_suffixes),
     .default_text = "true",
     .help = "The unit, _total and _ratio at the end of names."},
    {.key = "translation_strategy",
     .type = HF_FIELD_ENUM,
     .offset = AT(translation_strategy),
     .present_offset = AT(translation_strategy_written),
     .default_text = "UnderscoreEscapingWithSuffixes",
     .choices = hf_prom_strategies,
     .help = "How names are made; when written, it wins over add_metric_suffixes. "
             "NoUTF8EscapingWithSuffixes and NoTranslation leave the characters as they are: a "
             "scraper that asks for escaping=allow-utf-8 gets such names in quotes, another one "
             "gets them escaped as it asks, by underscores if it does not."},
    {.key = "without_scope_info",
     .type = HF_FIELD_BOOL,
     .offset = AT(without_scope_info),
     .default_text = "false",
     .help = "No otel_scope_ labels; series that differ in their scope alone are one."},
    {.key = "max_series",
     .type = HF_FIELD_INT,
     .offset = AT(max_series),
     .default_text = "1000000",
     .min = 1,
     .max = 1e8,
     .help = "Points of further series are rejected."},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(tls),
     .inner = hf_tls_server_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "Encryption; absent: cleartext."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(auth),
     .inner = auth_fields,
     .inner_size = sizeof(struct prometheus_auth_config),
     .help = "Who may scrape."},
    {.key = "cors",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(cors),
     .inner = hf_cors_fields,
     .inner_size = sizeof(struct hf_cors_config),
     .help = "Which web pages may ask."},
    {.key = "response_headers",
     .type = HF_FIELD_MAP,
     .offset = AT(response_headers),
     .validate = hf_expect_header,
     .help = "Headers of every answer."},
    {.key = "max_request_body_size", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},
    {.key = "include_metadata", .type = HF_FIELD_IGNORED, .help = "Nothing reads it."},
    {.key = "compression_algorithms", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},
    {.key = "sending_queue",
     .type = HF_FIELD_IGNORED,
     .help = "Metrics are folded in as soon as they are on disk."},
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Answers go out as they are."},
    {.key = "idle_timeout", .type = HF_FIELD_IGNORED, .help = "The server has limits of its own."},
    {.key = "keep_alives_enabled", .type = HF_FIELD_IGNORED, .help = "Connections are kept."},
    {.key = "keepalive", .type = HF_FIELD_IGNORED, .help = "Connections are kept."},
    {.key = "read_header_timeout",
     .type = HF_FIELD_IGNORED,
     .help = "The server has limits of its own."},
    {.key = "read_timeout", .type = HF_FIELD_IGNORED, .help = "The server has limits of its own."},
    {.key = "write_timeout", .type = HF_FIELD_IGNORED, .help = "The server has limits of its own."},
    HF_FIELDS_END,
};
