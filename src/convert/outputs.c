/*
 * outputs: exporters of outputs.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins.h"

/* ---- what outputs share ---- */

static const char *url(struct conversion *conversion, struct fb_section *section, const char *port,
                       const char *path)
{
    bool is_tls = fb_is_on(section, "tls", false);
    return fb_format(conversion->config, "%s://%s:%s%s", is_tls ? "https" : "http",
                     fb_get_or(section, "host", "127.0.0.1"), fb_get_or(section, "port", port),
                     path);
}

static void add_tls(struct conversion *conversion, struct made *exporter,
                    struct fb_section *section)
{
    bool verifies = fb_is_on(section, "tls.verify", true);
    if (!fb_is_on(section, "tls", false)) {
        return;
    }
    const char *ca = fb_get(section, "tls.ca_file"), *cert = fb_get(section, "tls.crt_file");
    const char *key = fb_get(section, "tls.key_file"), *name = fb_get(section, "tls.vhost");
    if (verifies && ca == NULL && cert == NULL && key == NULL && name == NULL) {
        return;
    }
    struct made *tls = made_map(exporter, "tls");
    if (!verifies) {
        made_word(tls, "insecure_skip_verify", "true");
    }
    made_text_if(tls, "ca_file", ca);
    made_text_if(tls, "cert_file", cert);
    made_text_if(tls, "key_file", key);
    made_text_if(tls, "server_name_override", name);
    if (fb_get(section, "tls.key_passwd") != NULL) {
        fb_tell(conversion->config, FB_MISSING, section, "a key with a password has no equal");
    }
}

static void add_headers(struct conversion *conversion, struct made *exporter,
                        struct fb_section *section)
{
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "header")) != NULL;) {
        size_t size = strcspn(one->value, " \t");
        const char *value = one->value + size + strspn(one->value + size, " \t");
        made_text(made_map(exporter, "headers"),
                  fb_copy(conversion->config, hf_slice_of(one->value, size)), value);
    }
}

/* http_user and http_passwd, by an extension of its own. */
static void add_credentials(struct conversion *conversion, struct made *exporter,
                            struct plugin *output)
{
    struct fb_section *section = output->section;
    const char *user = fb_get(section, "http_user"), *password = fb_get(section, "http_passwd");
    struct plugin extension = {.section = section};
    if (user == NULL) {
        return;
    }
    struct made *made = convert_component(conversion, "extensions", "basicauth", &extension);
    struct made *client = made_map(made, "client_auth");
    made_text(client, "username", user);
    made_text(client, "password", password != NULL ? password : "");
    made_text(made_list(made_map(conversion->root, "service"), "extensions"), NULL, extension.id);
    made_text(made_map(exporter, "auth"), "authenticator", extension.id);
}

static void add_http(struct conversion *conversion, struct made *exporter, struct plugin *output)
{
    add_tls(conversion, exporter, output->section);
    add_headers(conversion, exporter, output->section);
    add_credentials(conversion, exporter, output);
    made_text_if(exporter, "proxy_url", fb_get(output->section, "proxy"));
}

/* ---- each of them ---- */

static void take_opentelemetry(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "otlphttp", output);
    static const char *const paths[][2] = {{"logs_uri", "logs_endpoint"},
                                           {"metrics_uri", "metrics_endpoint"},
                                           {"traces_uri", "traces_endpoint"}};
    made_text(exporter, "endpoint", url(conversion, section, "80", ""));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *path = fb_get(section, paths[i][0]);
        if (path != NULL) {
            made_text(exporter, paths[i][1], url(conversion, section, "80", path));
        }
    }
    made_text(exporter, "compression", fb_get_or(section, "compress", "none"));
    add_http(conversion, exporter, output);
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "add_label")) != NULL;) {
        fb_tell(conversion->config, FB_MISSING, section,
                "Add_Label %s: put it into the processor resource", one->value);
    }
    output->signals = PLUGIN_LOGS | PLUGIN_METRICS | PLUGIN_TRACES;
    (void)fb_get(section, "log_response_payload");
    (void)fb_get(section, "logs_body_key");
    (void)fb_get(section, "logs_body_key_attributes");
}

static void take_loki(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "loki", output);
    made_text(exporter, "endpoint",
              url(conversion, section, "3100", fb_get_or(section, "uri", "/loki/api/v1/push")));
    made_text(exporter, "format", "body");
    made_text_if(exporter, "tenant_id", fb_get(section, "tenant_id"));
    const char *keys = fb_get(section, "label_keys"), *labels = fb_get(section, "labels");
    while (keys != NULL && *keys != '\0') {
        size_t size = strcspn(keys, ",");
        const char *key = keys + strspn(keys, " $");
        if (key < keys + size) {
            const char *name =
                fb_copy(conversion->config, hf_slice_of(key, (size_t)(keys + size - key)));
            made_text(made_map(made_map(exporter, "labels"), "attributes"), name, "");
        }
        keys += keys[size] == ',' ? size + 1 : size;
    }
    if (labels != NULL) {
        fb_tell(conversion->config, FB_MISSING, section,
                "Labels %s: fixed labels are attributes of the resource (processor resource, with "
                "the attribute loki.resource.labels)",
                labels);
    }
    add_http(conversion, exporter, output);
    (void)fb_get(section, "line_format");
    (void)fb_get(section, "auto_kubernetes_labels");
}

static void take_elasticsearch(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "elasticsearch", output);
    const char *cloud = fb_get(section, "cloud_id"), *auth = fb_get(section, "cloud_auth");
    bool is_dated = fb_is_on(section, "logstash_format", false);
    if (cloud != NULL) {
        made_text(exporter, "cloudid", cloud);
    } else {
        made_text(exporter, "endpoint",
                  url(conversion, section, "9200", fb_get_or(section, "path", "")));
    }
    made_text(exporter, "logs_index",
              is_dated ? fb_get_or(section, "logstash_prefix", "logstash")
                       : fb_get_or(section, "index", "fluent-bit"));
    if (is_dated) {
        struct made *format = made_map(exporter, "logstash_format");
        made_word(format, "enabled", "true");
        made_text_if(format, "date_format", fb_get(section, "logstash_dateformat"));
        made_text_if(format, "prefix_separator", fb_get(section, "logstash_prefix_separator"));
    }
    made_text_if(exporter, "pipeline", fb_get(section, "pipeline"));
    made_text(made_map(exporter, "mapping"), "mode", "raw");
    const char *user = fb_get(section, "http_user"), *password = fb_get(section, "http_passwd");
    const char *colon = auth != NULL ? strchr(auth, ':') : NULL;
    if (colon != NULL) {
        user = fb_copy(conversion->config, hf_slice_of(auth, (size_t)(colon - auth)));
        password = colon + 1;
    }
    made_text_if(exporter, "user", user);
    made_text_if(exporter, "password", user != NULL ? password : NULL);
    made_text_if(exporter, "api_key", fb_get(section, "http_api_key"));
    add_tls(conversion, exporter, section);
    add_headers(conversion, exporter, section);
    (void)fb_get(section, "suppress_type_name");
    (void)fb_get(section, "type");
    (void)fb_get(section, "replace_dots");
    (void)fb_get(section, "trace_error");
    (void)fb_get(section, "time_key");
    (void)fb_get(section, "generate_id");
}

static void take_opensearch(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "opensearch", output);
    struct made *http = made_map(exporter, "http");
    bool is_dated = fb_is_on(section, "logstash_format", false);
    made_text(http, "endpoint", url(conversion, section, "9200", fb_get_or(section, "path", "")));
    made_text(exporter, "logs_index",
              is_dated ? fb_get_or(section, "logstash_prefix", "logstash")
                       : fb_get_or(section, "index", "fluent-bit"));
    if (is_dated) {
        made_text(exporter, "logs_index_time_format", "yyyy.MM.dd");
    }
    made_text_if(exporter, "pipeline", fb_get(section, "pipeline"));
    if (fb_is_on(section, "aws_auth", false)) {
        fb_tell(conversion->config, FB_MISSING, section,
                "AWS_Auth: use the extension sigv4auth with the service es");
    }
    add_http(conversion, http, output);
    (void)fb_get(section, "suppress_type_name");
    (void)fb_get(section, "type");
    (void)fb_get(section, "replace_dots");
    (void)fb_get(section, "generate_id");
}

static void take_splunk(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "splunk_hec", output);
    made_text(exporter, "endpoint", url(conversion, section, "8088", "/services/collector"));
    made_text(exporter, "token", fb_get_or(section, "splunk_token", ""));
    made_text_if(exporter, "source", fb_get(section, "event_source"));
    made_text_if(exporter, "sourcetype", fb_get(section, "event_sourcetype"));
    made_text_if(exporter, "index", fb_get(section, "event_index"));
    if (strcasecmp(fb_get_or(section, "compress", ""), "gzip") != 0) {
        made_word(exporter, "disable_compression", "true");
    }
    add_tls(conversion, exporter, section);
    (void)fb_get(section, "splunk_send_raw");
}

static void take_s3(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "awss3", output);
    struct made *uploader = made_map(exporter, "s3uploader");
    made_text(uploader, "region", fb_get_or(section, "region", "us-east-1"));
    made_text(uploader, "s3_bucket", fb_get_or(section, "bucket", ""));
    made_text_if(uploader, "role_arn", fb_get(section, "role_arn"));
    const char *endpoint = fb_get(section, "endpoint"), *format = fb_get(section, "s3_key_format");
    if (endpoint != NULL) {
        made_text(uploader, "endpoint", endpoint);
        made_word(uploader, "s3_force_path_style", "true");
    }
    const char *compression = fb_get(section, "compression");
    if (compression != NULL && strcasecmp(compression, "gzip") == 0) {
        made_text(uploader, "compression", "gzip");
    } else if (compression != NULL) {
        fb_tell(conversion->config, FB_MISSING, section, "compression %s has no equal",
                compression);
    }
    if (format != NULL) {
        fb_tell(conversion->config, FB_NOTE, section,
                "s3_key_format %s: objects are named by s3_prefix, s3_partition_format and the "
                "signal",
                format);
    }
    made_text(exporter, "marshaler", "body");
    (void)fb_get(section, "total_file_size");
    (void)fb_get(section, "upload_timeout");
    (void)fb_get(section, "use_put_object");
    (void)fb_get(section, "store_dir");
    (void)fb_get(section, "upload_chunk_size");
}

static void take_kafka(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "kafka", output);
    const char *topics = fb_get_or(section, "topics", "fluent-bit");
    made_text(exporter, "brokers", fb_get_or(section, "brokers", "localhost:9092"));
    if (strchr(topics, ',') != NULL) {
        fb_tell(conversion->config, FB_MISSING, section, "Topics %s: the first one is used",
                topics);
    }
    struct made *logs = made_map(exporter, "logs");
    made_text(logs, "topic",
              fb_copy(conversion->config, hf_slice_of(topics, strcspn(topics, ", "))));
    made_text(logs, "encoding", "raw");
    made_text_if(exporter, "client_id", fb_get(section, "client_id"));
    const char *user = fb_get(section, "rdkafka.sasl.username");
    if (user != NULL) {
        struct made *sasl = made_map(made_map(exporter, "auth"), "sasl");
        made_text(sasl, "username", user);
        made_text(sasl, "password", fb_get_or(section, "rdkafka.sasl.password", ""));
        made_text(sasl, "mechanism", fb_get_or(section, "rdkafka.sasl.mechanism", "PLAIN"));
    }
    if (strcasestr(fb_get_or(section, "rdkafka.security.protocol", ""), "ssl") != NULL) {
        struct made *tls = made_map(exporter, "tls");
        made_text_if(tls, "ca_file", fb_get(section, "rdkafka.ssl.ca.location"));
        made_text_if(tls, "cert_file", fb_get(section, "rdkafka.ssl.certificate.location"));
        made_text_if(tls, "key_file", fb_get(section, "rdkafka.ssl.key.location"));
    }
    (void)fb_get(section, "format");
    (void)fb_get(section, "timestamp_key");
    (void)fb_get(section, "timestamp_format");
    (void)fb_get(section, "queue_full_retries");
}

static void take_remote_write(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter =
        convert_component(conversion, "exporters", "prometheusremotewrite", output);
    made_text(exporter, "endpoint", url(conversion, section, "80", fb_get_or(section, "uri", "/")));
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "add_label")) != NULL;) {
        size_t size = strcspn(one->value, " \t");
        made_text(made_map(exporter, "external_labels"),
                  fb_copy(conversion->config, hf_slice_of(one->value, size)),
                  one->value + size + strspn(one->value + size, " \t"));
    }
    add_http(conversion, exporter, output);
    output->signals = PLUGIN_METRICS;
}

static void take_stdout(struct conversion *conversion, struct plugin *output)
{
    struct made *exporter = convert_component(conversion, "exporters", "debug", output);
    made_text(exporter, "verbosity", "detailed");
    output->signals = PLUGIN_LOGS | PLUGIN_METRICS | PLUGIN_TRACES;
    (void)fb_get(output->section, "format");
}

static void take_file(struct conversion *conversion, struct plugin *output)
{
    struct fb_section *section = output->section;
    struct made *exporter = convert_component(conversion, "exporters", "file", output);
    made_text(exporter, "path",
              fb_format(conversion->config, "%s/%s", fb_get_or(section, "path", "."),
                        fb_get_or(section, "file", "fluent-bit.log")));
    output->signals = PLUGIN_LOGS | PLUGIN_METRICS | PLUGIN_TRACES;
    fb_tell(conversion->config, FB_NOTE, section, "the file has OTLP/JSON, a request in a line");
    (void)fb_get(section, "format");
    (void)fb_get(section, "mkdir");
}

static void take_null(struct conversion *conversion, struct plugin *output)
{
    made_null(conversion->root == NULL ? NULL : made_map(conversion->root, "exporters"), "nop");
    output->id = "nop";
    output->signals = PLUGIN_LOGS | PLUGIN_METRICS | PLUGIN_TRACES;
}

void convert_output(struct conversion *conversion, struct plugin *output)
{
    static const struct {
        const char *name;
        void (*take)(struct conversion *conversion, struct plugin *output);
    } rows[] = {{"opentelemetry", take_opentelemetry},
                {"loki", take_loki},
                {"es", take_elasticsearch},
                {"opensearch", take_opensearch},
                {"splunk", take_splunk},
                {"s3", take_s3},
                {"kafka", take_kafka},
                {"prometheus_remote_write", take_remote_write},
                {"stdout", take_stdout},
                {"file", take_file},
                {"null", take_null}};
    static const struct {
        const char *name, *instead;
    } refused[] = {{"forward",
                    "there is no exporter of the forward protocol: send OTLP (otlp, otlphttp), "
                    "which Fluent Bit's input opentelemetry takes"},
                   {"http", "there is no exporter of plain JSON over HTTP: send OTLP (otlphttp)"}};
    const char *name = fb_plugin(conversion->config, output->section);
    output->signals = PLUGIN_LOGS;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            rows[i].take(conversion, output);
            return;
        }
    }
    const char *why = "the output has no equal here";
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        why = strcmp(refused[i].name, name) == 0 ? refused[i].instead : why;
    }
    fb_tell(conversion->config, FB_MISSING, output->section, "%s", why);
    for (struct fb_property *one = output->section->first; one != NULL; one = one->next) {
        one->is_used = true;
    }
}
