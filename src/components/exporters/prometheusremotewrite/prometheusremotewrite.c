/*
 * prometheusremotewrite: sends metrics to Prometheus's remote-write API, version 1 or 2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "pdata/payload.h"
#include "prometheus/names.h"
#include "prw_points.h"
#include "prw_series.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/settings/confighttp.h"
#include "util/metrics/metrics.h"

#define BATCH_BYTES 3000000u  /* of a request, before its compression */
#define EXPORT_BYTES 1000000u /* of OTLP, which is smaller than what becomes of it */

struct http_block {
    struct hf_http_client_config http;
};

enum unsupported { METADATA_KEYS = 0, TO_NHCB, UNSUPPORTED_COUNT };

struct remote_write_config {
    struct hf_http_client_config http;
    const struct http_block *block; /* the newer place of these keys; NULL: none */
    struct hf_value unsupported[UNSUPPORTED_COUNT];
    const char *name_space;
    struct hf_string_map external_labels;
    struct hf_resource_conversion conversion, constant; /* at most one is on */
    struct enabled_config {
        bool enabled;
    } target_info, created;
    bool suffixes, send_metadata, disable_scope_info;
    int64_t strategy, message;
    bool strategy_written;
    uint64_t batch_bytes;
};

enum written { WRITTEN_SAMPLES = 0, WRITTEN_HISTOGRAMS, WRITTEN_EXEMPLARS, WRITTEN_COUNT };

struct remote_write {
    struct hf_http_exporter *http;            /* first: its functions are the component's */
    struct hf_series *written[WRITTEN_COUNT]; /* of version 2: what the backend says */
    struct prw_options options;
    struct prw_series series;
    struct prw_points points;
    uint64_t batch_bytes;
    struct hf_string_pair *external;
    char *external_text;
};

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    static struct hf_header headers[1];
    struct remote_write *self = user;
    bool is_2 = self->series.version == PRW_VERSION_2;
    const struct hf_export *export = post->export;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status != HF_OK) {
        return status;
    }
    self->points.received_ns = export->bodies[0].received_ns;
    status = prw_series_begin(&self->series);
    status = status == HF_OK ? prw_points_add(&self->points, raw) : status;
    if (status == HF_OK) {
        status = prw_series_write(&self->series, &post->payload.bytes);
    }
    post->left_out = self->points.left_out;
    memcpy(post->why, self->points.why, sizeof(post->why));
    if (status != HF_OK || self->series.piece_count == 0) {
        return status;
    }
    if (post->payload.bytes.size > self->batch_bytes && export->items > 1) {
        return HF_TOO_LARGE;
    }
    headers[0] = (struct hf_header){hf_slice_text("x-prometheus-remote-write-version"),
                                    hf_slice_text(is_2 ? "2.0.0" : "0.1.0")};
    post->headers = headers;
    post->header_count = 1;
    post->content_type = is_2 ? "application/x-protobuf;proto=io.prometheus.write.v2.Request"
                              : "application/x-protobuf";
    post->content_encoding = "snappy";
    return hf_payload_seal(&post->payload, HF_SNAPPY_BLOCK, 0);
}

/* Do the backend's words name samples that it can never take, while others of the request may be
 * good? */
static bool is_about_samples(const char *message)
{
    static const char *const words[] = {"out of order", "out-of-order", "out of bounds",
                                        "too old",      "too far in",   "duplicate sample"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(message, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* What the backend has written, by its word. One of version 1 alone takes a request of version 2
 * for an empty one and says nothing: no sample is there then. */
static void judge_written(const struct remote_write *writer, const struct hf_http_result *result,
                          struct hf_http_judgement *ret)
{
    static const char *const names[WRITTEN_COUNT] = {
        [WRITTEN_SAMPLES] = "X-Prometheus-Remote-Write-Samples-Written",
        [WRITTEN_HISTOGRAMS] = "X-Prometheus-Remote-Write-Histograms-Written",
        [WRITTEN_EXEMPLARS] = "X-Prometheus-Remote-Write-Exemplars-Written",
    };
    bool has_any = false;
    for (int i = 0; i < WRITTEN_COUNT; i++) {
        const char *text = hf_http_result_header(result, names[i]);
        if (text != NULL) {
            has_any = true;
            hf_series_add(writer->written[i], strtoll(text, NULL, 10));
        }
    }
    if (ret->outcome.status == HF_OK && !has_any) {
        ret->outcome.status = HF_UNSUPPORTED;
        ret->outcome.message = "the backend does not say what it has written, so it does not speak "
                               "remote write 2.0; set protobuf_message: prometheus.WriteRequest";
    }
}

/* A refusal for the sake of some samples costs these alone: the request is halved down to them. */
static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    const struct remote_write *writer = user;
    (void)post;
    hf_http_judge(result, ret);
    ret->outcome.is_suspect = false; /* others may not overtake it */
    if (result->code == 400 && is_about_samples(ret->message)) {
        ret->outcome.status = HF_TOO_LARGE;
    }
    if (writer->series.version == PRW_VERSION_2) {
        judge_written(writer, result, ret);
    }
}

/* ---- the component ---- */

static void close_exporter(void *self)
{
    struct remote_write *writer = self;
    hf_http_exporter_close(writer->http);
    prw_series_release(&writer->series);
    prw_points_release(&writer->points);
    free(writer->external);
    free(writer->external_text);
    free(writer);
}

/* The external labels with the names that they are sent by. */
static enum hf_status name_external(struct remote_write *writer, const struct hf_string_map *from,
                                    bool as_is)
{
    struct hf_bytes text = {0};
    enum hf_status status = HF_OK;
    writer->external = calloc(from->count + 1, sizeof(*writer->external));
    size_t *starts = calloc(from->count + 1, sizeof(*starts));
    if (writer->external == NULL || starts == NULL) {
        free(starts);
        return HF_NOMEM;
    }
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        struct hf_slice key = hf_slice_text(from->items[i].key);
        starts[i] = text.size;
        status = as_is ? hf_bytes_append(&text, key) : hf_prom_label_name(key, &text);
        status = status == HF_OK ? hf_bytes_append(&text, hf_slice_of("", 1)) : status;
    }
    writer->external_text = (char *)text.data;
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        writer->external[i] =
            (struct hf_string_pair){writer->external_text + starts[i], from->items[i].value};
    }
    free(starts);
    writer->options.external_labels = (struct hf_string_map){writer->external, from->count};
    return status;
}

static const struct hf_http_client_config *client_of(const struct remote_write_config *config)
{
    return config->block != NULL ? &config->block->http : &config->http;
}

static enum hf_status set_up(struct remote_write *writer, const struct remote_write_config *config)
{
    enum hf_prom_strategy strategy = config->strategy_written
                                         ? (enum hf_prom_strategy)config->strategy
                                     : config->suffixes ? HF_PROM_UNDERSCORES_SUFFIXES
                                                        : HF_PROM_UNDERSCORES_PLAIN;
    writer->options = (struct prw_options){
        .name_space = config->name_space,
        .resource_labels = hf_resource_labels_of(&config->conversion, &config->constant),
        .target_info = config->target_info.enabled,
        .created_metric = config->created.enabled,
        .metadata = config->send_metadata,
        .scope_info = !config->disable_scope_info,
        .suffixes = hf_prom_strategy_has_suffixes(strategy),
        .as_is = hf_prom_strategy_is_utf8(strategy),
    };
    writer->series.version = (enum prw_version)config->message;
    writer->points.options = &writer->options;
    writer->points.series = &writer->series;
    writer->batch_bytes = config->batch_bytes != 0 ? config->batch_bytes : BATCH_BYTES;
    return name_external(writer, &config->external_labels, writer->options.as_is);
}

static enum hf_status make_counters(struct remote_write *writer, const struct hf_node *node)
{
    static const struct hf_metric_family families[WRITTEN_COUNT] = {
        [WRITTEN_SAMPLES] = {.name = "otelcol_exporter_prometheusremotewrite_written_samples",
                             .type = HF_COUNTER,
                             .help = "Samples that the backend says it has written (2.0 only)."},
        [WRITTEN_HISTOGRAMS] = {.name = "otelcol_exporter_prometheusremotewrite_written_histograms",
                                .type = HF_COUNTER,
                                .help = "Histograms that the backend says it has written."},
        [WRITTEN_EXEMPLARS] = {.name = "otelcol_exporter_prometheusremotewrite_written_exemplars",
                               .type = HF_COUNTER,
                               .help = "Exemplars that the backend says it has written."},
    };
    const struct hf_label labels[] = {{"exporter", hf_node_id(node)}, {NULL, NULL}};
    for (int i = 0; i < WRITTEN_COUNT && writer->series.version == PRW_VERSION_2; i++) {
        writer->written[i] = hf_metrics_series(hf_node_metrics(node), &families[i], labels);
        if (writer->written[i] == NULL) {
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    const struct remote_write_config *config = from;
    struct remote_write *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    const struct hf_http_exporter_options options = {
        .node = node,
        .config = client_of(config),
        .paths = {[HF_METRICS] = ""},
        .ops = &ops,
        .user = writer,
    };
    enum hf_status status = set_up(writer, config);
    status = status == HF_OK ? make_counters(writer, node) : status;
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    } else {
        status = hf_http_exporter_open(&options, &writer->http, reterr);
    }
    if (status != HF_OK) {
        close_exporter(writer);
        return status;
    }
    *ret_self = writer;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct remote_write_config *config = from;
    const struct hf_http_client_config *http = client_of(config);
    const char *why = hf_resource_labels_check(&config->conversion, &config->constant);
    static const char *const protocol[] = {"content-encoding", "content-type",
                                           "x-prometheus-remote-write-version", "user-agent"};
    if (config->unsupported[METADATA_KEYS].count != 0) {
        return "include_metadata_keys is not supported: use auth with the extension headers_setter";
    }
    if (config->unsupported[TO_NHCB].boolean) {
        return "convert_explicit_histograms_to_nhcb is not supported: explicit histograms are sent "
               "as classic series";
    }
    if (http->endpoint == NULL) {
        return "endpoint: required, but not given";
    }
    for (size_t i = 0; i < http->headers.count; i++) {
        for (size_t j = 0; j < sizeof(protocol) / sizeof(protocol[0]); j++) {
            if (strcasecmp(http->headers.items[i].key, protocol[j]) == 0) {
                return "headers: Content-Encoding, Content-Type, "
                       "X-Prometheus-Remote-Write-Version and User-Agent are the protocol's own";
            }
        }
    }
    return why != NULL ? why : hf_http_client_check(http);
}

static const char *expect_label(const char *key, const char *text)
{
    return key[0] != '\0' && text[0] != '\0' ? NULL : "a name and a value that are not empty";
}

static const struct hf_field target_info_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct enabled_config, enabled),
     .default_text = "true",
     .help = "target_info has the attributes of a resource that has a service and others."},
    HF_FIELDS_END,
};

static const struct hf_field created_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct enabled_config, enabled),
     .default_text = "false",
     .help = "NAME_created has the start of a counter, histogram or summary in milliseconds."},
    HF_FIELDS_END,
};

static const struct hf_field http_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct http_block, http.endpoint),
     .required = true,
     .validate = hf_http_client_expect_url,
     .help = "The whole URL, as http://host:9090/api/v1/write."},
    HF_HTTP_IGNORED("timeout", "The exporter's own timeout is that of a request."),
    HF_HTTP_IGNORED("compression", "Requests are snappy blocks."),
    HF_HTTP_IGNORED("compression_params", "Requests are snappy blocks."),
    HF_HTTP_CLIENT_FIELDS(struct http_block, http),
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct remote_write_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_url,
     .help = "The whole URL, as http://host:9090/api/v1/write."},
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(name_space),
     .default_text = "",
     .help = "Stands before every name, with an underscore."},
    {.key = "external_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(external_labels),
     .validate = expect_label,
     .help = "Labels of every series that has none of that name."},
    HF_RESOURCE_LABEL_FIELDS(AT(conversion), AT(constant)),
    {.key = "target_info",
     .type = HF_FIELD_STRUCT,
     .offset = AT(target_info),
     .inner = target_info_fields,
     .help = "The series of a resource."},
    {.key = "export_created_metric",
     .type = HF_FIELD_STRUCT,
     .offset = AT(created),
     .inner = created_fields,
     .help = "The series of starts."},
    {.key = "add_metric_suffixes",
     .type = HF_FIELD_BOOL,
     .offset = AT(suffixes),
     .default_text = "true",
     .help = "Units, _total and _ratio at the end of names."},
    {.key = "translation_strategy",
     .type = HF_FIELD_ENUM,
     .offset = AT(strategy),
     .default_text = "UnderscoreEscapingWithSuffixes",
     .present_offset = AT(strategy_written),
     .choices = hf_prom_strategies,
     .help = "How names are made; it wins over add_metric_suffixes. NoUTF8EscapingWithSuffixes and "
             "NoTranslation leave the characters as they are, which the backend must take."},
    {.key = "send_metadata",
     .type = HF_FIELD_BOOL,
     .offset = AT(send_metadata),
     .default_text = "false",
     .help = "Kind, description and unit of every metric go with it."},
    {.key = "disable_scope_info",
     .type = HF_FIELD_BOOL,
     .offset = AT(disable_scope_info),
     .default_text = "false",
     .help = "No labels otel_scope_name, otel_scope_version and otel_scope_ATTRIBUTE."},
    {.key = "max_batch_size_bytes",
     .type = HF_FIELD_BYTES,
     .offset = AT(batch_bytes),
     .default_text = "3000000",
     .help = "A request that would be larger before its compression is halved; 0: 3000000."},
    {.key = "protobuf_message",
     .type = HF_FIELD_ENUM,
     .choices =
         (const char *const[]){"prometheus.WriteRequest", "io.prometheus.write.v2.Request", NULL},
     .default_text = "prometheus.WriteRequest",
     .offset = AT(message),
     .help = "Remote write 1.0, or 2.0, whose requests tell each text once and have the kind, "
             "description, unit and start of every series."},
    HF_HTTP_IGNORED("remote_write_queue", "The durable queue stands for it: sending_queue. One "
                                          "request is on its way at a time, so that the samples "
                                          "of a series keep their order."),
    HF_HTTP_IGNORED("max_batch_request_parallelism", "One request is on its way at a time."),
    HF_HTTP_IGNORED("wal", "The durable queue stands for it."),
    {.key = "include_metadata_keys",
     .type = HF_FIELD_VALUE,
     .offset = AT(unsupported[METADATA_KEYS]),
     .help = "Not supported: use auth with the extension headers_setter."},
    {.key = "convert_explicit_histograms_to_nhcb",
     .type = HF_FIELD_VALUE,
     .offset = AT(unsupported[TO_NHCB]),
     .help = "Only false: explicit histograms are sent as classic series."},
    HF_HTTP_IGNORED("keep_classic_histograms", "They are always sent."),
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(block),
     .inner = http_fields,
     .inner_size = sizeof(struct http_block),
     .help = "The newer place of endpoint and what follows; it wins over them."},
    HF_HTTP_IGNORED("compression", "Requests are snappy blocks."),
    HF_HTTP_IGNORED("compression_params", "Requests are snappy blocks."),
    HF_HTTP_CLIENT_FIELDS(struct remote_write_config, http),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_self_send,
    .context_keys = hf_http_exporter_self_context_keys,
    .timeout = "5s",
    .request_bytes_max = EXPORT_BYTES,
    .in_flight = 1,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct remote_write_config *config = from;
    hf_probe_http_client(probe, client_of(config), NULL);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_prometheusremotewrite = {
    .type = "prometheusremotewrite",
    .aliases = (const char *const[]){"prometheus_remote_write", NULL},
    .help = "Sends metrics to Prometheus, Mimir, VictoriaMetrics and others by remote write 1.0 or "
            "2.0.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct remote_write_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
