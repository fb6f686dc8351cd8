/*
 * otlphttp: exports over OTLP/HTTP, as protobuf or JSON.
 */
#include <holdfast/component.h>

#include "pdata/payload.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/settings/confighttp.h"

enum encoding { ENCODING_PROTO = 0, ENCODING_JSON };

struct otlphttp_config {
    struct hf_http_client_config http;
    const char *signal_endpoints[HF_SIGNAL_COUNT];
    int64_t encoding;
    bool forward_gzip;
    bool once;
};

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    const struct otlphttp_config *config = user;
    const struct hf_export *export = post->export;
    if (config->encoding == ENCODING_JSON) {
        post->content_type = "application/json";
        return hf_payload_build_json(&post->payload, export->signal, export->bodies,
                                     export->body_count, post->coding, post->level);
    }
    /* Frames and members of a coding concatenate, but not every reader of gzip reads the second
     * member. */
    bool forward = post->coding != HF_GZIP || config->forward_gzip;
    post->content_type = "application/x-protobuf";
    return hf_payload_build(&post->payload, export->bodies, export->body_count, post->coding,
                            post->level, forward);
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    (void)user;
    (void)post;
    hf_http_judge_otlp(result, ret);
}

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    const struct otlphttp_config *config = from;
    struct hf_http_exporter_options options = {
        .node = node,
        .config = &config->http,
        .paths = {[HF_TRACES] = "/v1/traces",
                  [HF_METRICS] = "/v1/metrics",
                  [HF_LOGS] = "/v1/logs",
                  [HF_PROFILES] = "/v1development/profiles"},
        .ops = &ops,
        .user = (void *)config,
        .once = config->once,
    };
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        options.urls[signal] = config->signal_endpoints[signal];
    }
    struct hf_http_exporter *exporter;
    enum hf_status status = hf_http_exporter_open(&options, &exporter, reterr);
    if (status == HF_OK) {
        *ret_self = exporter;
    }
    return status;
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_config(const void *from)
{
    const struct otlphttp_config *config = from;
    bool any = is_given(config->http.endpoint);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        any = any || is_given(config->signal_endpoints[signal]);
    }
    return any ? hf_http_client_check(&config->http)
               : "at least one endpoint must be specified: endpoint, traces_endpoint, "
                 "metrics_endpoint, logs_endpoint or profiles_endpoint";
}

#define AT(member) offsetof(struct otlphttp_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_endpoint,
     .help = "Base URL, http(s)://host:port or unix:///path; /v1/<signal> is appended. Redirects "
             "307 and 308 are followed, at most five; to another host without headers and "
             "credentials, and none from https to http."},
    {.key = "traces_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_TRACES]),
     .validate = hf_http_client_expect_url,
     .help = "Whole URL for traces, used as it is."},
    {.key = "metrics_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_METRICS]),
     .validate = hf_http_client_expect_url,
     .help = "Whole URL for metrics, used as it is."},
    {.key = "logs_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_LOGS]),
     .validate = hf_http_client_expect_url,
     .help = "Whole URL for logs, used as it is."},
    {.key = "profiles_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_PROFILES]),
     .validate = hf_http_client_expect_url,
     .help =
         "Whole URL for profiles, used as it is; without it /v1development/profiles is appended "
         "to endpoint."},
    {.key = "encoding",
     .type = HF_FIELD_ENUM,
     .offset = AT(encoding),
     .default_text = "proto",
     .choices = (const char *const[]){"proto", "json", NULL},
     .help = "proto or json."},
    {.key = "forward_gzip",
     .type = HF_FIELD_BOOL,
     .offset = AT(forward_gzip),
     .default_text = "false",
     .help = "Send gzip members on as they came; only for backends that read several members."},
    {.key = "once",
     .type = HF_FIELD_BOOL,
     .offset = AT(once),
     .default_text = "false",
     .help = "Name the records of each request in the header holdfast-records, so that a Holdfast "
             "behind it stores none twice after a kill on either side; for others it is a header "
             "that they do not know."},
    HF_HTTP_COMPRESSION_FIELDS(struct otlphttp_config, http, "gzip"),
    HF_HTTP_CLIENT_FIELDS(struct otlphttp_config, http),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_send,
    .context_keys = hf_http_exporter_context_keys,
    .timeout = "30s",
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct otlphttp_config *config = from;
    hf_probe_http_client(probe, &config->http, NULL);
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        if (config->signal_endpoints[i] != NULL && config->signal_endpoints[i][0] != '\0') {
            hf_probe_http_client(probe, &config->http, config->signal_endpoints[i]);
        }
    }
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_otlphttp = {
    .type = "otlphttp",
    .aliases = (const char *const[]){"otlp_http", NULL},
    .help = "Sends OTLP over HTTP, as protobuf or JSON.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct otlphttp_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = hf_http_exporter_close,
    .exporter = &exporter_ops,
};
