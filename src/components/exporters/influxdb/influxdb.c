/*
 * influxdb: sends metrics, spans and log records to InfluxDB as lines of its line protocol, by the
 * interface of version 2 or 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "influx_lines.h"
#include "pdata/json_value.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "util/arena.h"
#include "json/json.h"

#define EXPORT_BYTES 2000000u /* of OTLP */
#define SECRET_MAX 1024u

struct influx_v1_config {
    bool enabled;
    const char *db, *username, *password;
};

struct influx_config {
    struct hf_http_client_config http;
    const char *org, *bucket, *token;
    struct influx_v1_config v1;
    struct hf_string_list span_dimensions, record_dimensions;
    int64_t schema, precision;
    int64_t payload_lines_max, payload_bytes_max;
};

struct influxdb {
    struct hf_http_exporter *http; /* first: its functions are the component's */
    const struct influx_config *config;
    struct influx_lines lines;
    struct hf_header header;
    char authorization[HF_JSON_BASE64_ROOM(SECRET_MAX) * 2 + 16];
    char url[HF_URL_MAX];
};

/* ---- requests ---- */

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct influxdb *influx = user;
    const struct influx_config *config = influx->config;
    const struct hf_export *export = post->export;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        influx->lines.received_ns = export->bodies[0].received_ns;
        status = influx_lines_write(&influx->lines, export->signal, raw, &post->payload.bytes);
    }
    post->left_out = influx->lines.left_out;
    if (post->left_out != 0) {
        snprintf(post->why, sizeof(post->why), "%s", influx->lines.why);
    }
    if (status != HF_OK || post->payload.bytes.size == 0) {
        return status;
    }
    bool is_large = influx->lines.writer.line_count > (uint64_t)config->payload_lines_max ||
                    post->payload.bytes.size > (uint64_t)config->payload_bytes_max;
    if (is_large && export->items > 1) {
        return HF_TOO_LARGE; /* it is halved */
    }
    post->content_type = "text/plain; charset=utf-8";
    post->headers = &influx->header;
    post->header_count = influx->header.value.size != 0;
    return hf_payload_seal(&post->payload, post->coding, post->level);
}

/* ---- answers ---- */

/* The `error` of version 1, the `message` of version 2. */
static void read_message(struct hf_slice body, struct hf_http_judgement *ret)
{
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    char error[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    if (hf_json_read(body, &arena, &root, error) == HF_OK) {
        struct hf_slice text = hf_json_text_of(root, "message");
        text = text.size != 0 ? text : hf_json_text_of(root, "error");
        if (text.size != 0) {
            int size = (int)(text.size < 250 ? text.size : 250);
            snprintf(ret->message, sizeof(ret->message), "%.*s", size, (const char *)text.data);
            ret->outcome.message = ret->message;
        }
    }
    hf_arena_release(&arena);
}

/* Words that are about the keys of this exporter, and not about lines. */
static bool is_about_the_setting(const char *message)
{
    static const char *const words[] = {"database is required", "please provide either",
                                        "bucket is required", "org is required"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(message, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/*
 * Of a partial write, of lines that cannot be read, or of values that their fields cannot have,
 * some points are refused and the others written. Writing those again changes nothing. So the
 * request is halved down to the points that are refused.
 */
static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    (void)user;
    (void)post;
    hf_http_judge(result, ret);
    if (ret->outcome.status == HF_OK) {
        return;
    }
    read_message(result->body, ret);
    const char *message = ret->outcome.message != NULL ? ret->outcome.message : "";
    if (result->code == 400 || result->code == 422) {
        ret->outcome.status = is_about_the_setting(message) ? HF_FORBIDDEN : HF_TOO_LARGE;
    }
}

/* ---- life ---- */

static void close_influx(void *self)
{
    struct influxdb *influx = self;
    hf_http_exporter_close(influx->http);
    influx_lines_release(&influx->lines);
    free(influx);
}

/* Appends to the URL; false: there is no room. */
static bool add_text(struct influxdb *influx, const char *text)
{
    size_t size = strlen(influx->url);
    int added = snprintf(influx->url + size, sizeof(influx->url) - size, "%s", text);
    return added >= 0 && (size_t)added < sizeof(influx->url) - size;
}

static bool add_value(struct influxdb *influx, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    bool fits = true;
    for (; *text != '\0' && fits; text++) {
        char one[8];
        snprintf(one, sizeof(one), strchr(plain, *text) != NULL ? "%c" : "%%%02X",
                 (unsigned char)*text);
        fits = add_text(influx, one);
    }
    return fits;
}

static bool add_query(struct influxdb *influx, const char *key, const char *value)
{
    const char *before = strchr(influx->url, '?') != NULL ? "&" : "?";
    return add_text(influx, before) && add_text(influx, key) && add_text(influx, "=") &&
           add_value(influx, value);
}

static const char *const precisions[] = {"ns", "us", "ms", "s", NULL};

/* The endpoint, with the path of the version when it has none, and what the query tells. */
static bool make_url(struct influxdb *influx)
{
    const struct influx_config *config = influx->config;
    const char *endpoint = config->http.endpoint;
    const char *host = strstr(endpoint, "://");
    host = host != NULL ? host + 3 : endpoint;
    const char *path = host + strcspn(host, "/?#");
    const char *query = path + strcspn(path, "?#");
    bool has_no_path = path == query || (path[0] == '/' && path + 1 == query);
    size_t size = (size_t)((has_no_path ? path : query) - endpoint);
    const char *end = query + strcspn(query, "#");
    int written = snprintf(influx->url, sizeof(influx->url), "%.*s%s%.*s", (int)size, endpoint,
                           !has_no_path         ? ""
                           : config->v1.enabled ? "/write"
                                                : "/api/v2/write",
                           (int)(end - query), query);
    if (written < 0 || (size_t)written >= sizeof(influx->url)) {
        return false;
    }
    bool fits = config->v1.enabled ? add_query(influx, "db", config->v1.db)
                                   : add_query(influx, "bucket", config->bucket) &&
                                         add_query(influx, "org", config->org);
    return fits && add_query(influx, "precision", precisions[config->precision]);
}

/* "Token TOKEN", or "Basic " and name and password. */
static void make_authorization(struct influxdb *influx)
{
    const struct influx_config *config = influx->config;
    char *text = influx->authorization;
    if (!config->v1.enabled && config->token[0] != '\0') {
        snprintf(text, sizeof(influx->authorization), "Token %s", config->token);
    } else if (config->v1.enabled && config->v1.username[0] != '\0' &&
               config->v1.password[0] != '\0') {
        char pair[2 * SECRET_MAX];
        snprintf(pair, sizeof(pair), "%s:%s", config->v1.username, config->v1.password);
        size_t size = (size_t)snprintf(text, sizeof(influx->authorization), "Basic ");
        size += hf_json_print_base64(hf_slice_text(pair), text + size);
        text[size] = '\0';
    }
    influx->header =
        (struct hf_header){hf_slice_text("authorization"), hf_slice_text(influx->authorization)};
}

static void set_up(struct influxdb *influx)
{
    static const uint64_t units[] = {1, 1000, 1000000, 1000000000};
    const struct influx_config *config = influx->config;
    influx->lines.schema = (enum influx_schema)config->schema;
    influx->lines.span_dimensions = &config->span_dimensions;
    influx->lines.record_dimensions = &config->record_dimensions;
    influx->lines.writer.unit_ns = units[config->precision];
    influx->lines.writer.no_unsigned = config->v1.enabled;
    make_authorization(influx);
}

static enum hf_status open_influx(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    struct influxdb *influx = calloc(1, sizeof(*influx));
    if (influx == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    influx->config = config;
    set_up(influx);
    enum hf_status status = HF_INVALID;
    if (make_url(influx)) {
        const struct hf_http_exporter_options options = {
            .node = node,
            .config = &influx->config->http,
            .urls = {influx->url, influx->url, influx->url},
            .ops = &ops,
            .user = influx,
        };
        status = hf_http_exporter_open(&options, &influx->http, reterr);
    } else {
        snprintf(reterr, HF_ERROR_MAX, "endpoint: the URL with its query is too long");
    }
    if (status != HF_OK) {
        close_influx(influx);
        return status;
    }
    *ret_self = influx;
    return HF_OK;
}

/* ---- keys ---- */

static bool has_twice(const struct hf_string_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(list->items[i], list->items[k]) == 0) {
                return true;
            }
        }
    }
    return false;
}

static const char *check_config(const void *from)
{
    const struct influx_config *config = from;
    if (config->v1.enabled ? config->v1.db[0] == '\0' : config->bucket[0] == '\0') {
        return config->v1.enabled ? "v1_compatibility: db is required"
                                  : "bucket is required, unless v1_compatibility::enabled is true";
    }
    if (strlen(config->token) >= SECRET_MAX || strlen(config->v1.username) >= SECRET_MAX ||
        strlen(config->v1.password) >= SECRET_MAX) {
        return "token, username and password have at most 1023 characters";
    }
    if (has_twice(&config->span_dimensions)) {
        return "span_dimensions: one is there twice";
    }
    return has_twice(&config->record_dimensions) ? "log_record_dimensions: one is there twice"
                                                 : hf_http_client_check(&config->http);
}

#define AT(member) offsetof(struct influx_config, member)

static const struct hf_field v1_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct influx_v1_config, enabled),
     .default_text = "false",
     .help = "Write by the interface of version 1: /write."},
    {.key = "db",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct influx_v1_config, db),
     .default_text = "",
     .help = "The database; required when it is enabled."},
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct influx_v1_config, username),
     .default_text = "",
     .help = "With a password: sent as Authorization: Basic."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct influx_v1_config, password),
     .default_text = "",
     .help = "The user's password."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .required = true,
     .validate = hf_http_client_expect_url,
     .help = "The URL of InfluxDB; without a path /api/v2/write, or /write of version 1."},
    {.key = "org",
     .type = HF_FIELD_STRING,
     .offset = AT(org),
     .default_text = "",
     .help = "The organization that owns the bucket."},
    {.key = "bucket",
     .type = HF_FIELD_STRING,
     .offset = AT(bucket),
     .default_text = "",
     .help = "The bucket; required, but with v1_compatibility."},
    {.key = "token",
     .type = HF_FIELD_SECRET,
     .offset = AT(token),
     .default_text = "",
     .help = "Sent as Authorization: Token TOKEN."},
    {.key = "v1_compatibility",
     .type = HF_FIELD_STRUCT,
     .offset = AT(v1),
     .inner = v1_fields,
     .help = "The interface of InfluxDB 1."},
    {.key = "span_dimensions",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(span_dimensions),
     .default_text = "service.name,span.name",
     .help = "Attributes that are tags of spans, besides trace_id and span_id; all others are in "
             "the field attributes."},
    {.key = "log_record_dimensions",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(record_dimensions),
     .default_text = "service.name",
     .help = "The same for log records."},
    {.key = "metrics_schema",
     .type = HF_FIELD_ENUM,
     .offset = AT(schema),
     .choices =
         (const char *const[]){"telegraf-prometheus-v1", "telegraf-prometheus-v2", "otel-v1", NULL},
     .default_text = "telegraf-prometheus-v1",
     .help = "How points become lines: a measurement per metric, all in the measurement "
             "prometheus, or a measurement per metric, unit and kind (sums and histograms only)."},
    {.key = "payload_max_lines",
     .type = HF_FIELD_INT,
     .offset = AT(payload_lines_max),
     .default_text = "10000",
     .min = 1,
     .max = 1e9,
     .help = "A request of more lines is halved."},
    {.key = "payload_max_bytes",
     .type = HF_FIELD_INT,
     .offset = AT(payload_bytes_max),
     .default_text = "10000000",
     .min = 1,
     .max = 1e9,
     .help = "A request that would be larger before its compression is halved."},
    {.key = "precision",
     .type = HF_FIELD_ENUM,
     .offset = AT(precision),
     .choices = precisions,
     .default_text = "ns",
     .help = "Of the times."},
    HF_HTTP_COMPRESSION_FIELDS(struct influx_config, http, "none"),
    HF_HTTP_CLIENT_FIELDS(struct influx_config, http),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_self_send,
    .context_keys = hf_http_exporter_self_context_keys,
    .timeout = "5s",
    .request_bytes_max = EXPORT_BYTES,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct influx_config *config = from;
    hf_probe_http_client(probe, &config->http, NULL);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_influxdb = {
    .type = "influxdb",
    .help = "Sends metrics, spans and log records to InfluxDB as lines of its line protocol, by "
            "the interface of version 2 or 1. Points that it refuses are dead letters, the others "
            "of their request are written.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct influx_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_influx,
    .close = close_influx,
    .exporter = &exporter_ops,
};
