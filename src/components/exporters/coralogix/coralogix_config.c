#include "coralogix_config.h"

#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct coralogix_config, member)
#define LIMIT(member) offsetof(struct coralogix_rate_limiter, member)
#define DOMAIN_MAX 253u

/* For the rows of configgrpc.h. */
struct transport {
    struct hf_grpc_client_config grpc;
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Configurations of the Go collector may say "https://" for an endpoint that is not there. */
static bool is_place(const char *endpoint)
{
    return is_given(endpoint) && strcmp(endpoint, "https://") != 0 &&
           strcmp(endpoint, "http://") != 0;
}

/* ---- the place of a signal ---- */

static bool has_scheme(const char *endpoint)
{
    return strncmp(endpoint, "https://", 8) == 0 || strncmp(endpoint, "http://", 7) == 0;
}

static void put_endpoint(const struct coralogix_config *config, const char *own,
                         struct coralogix_target *target)
{
    bool is_http = config->protocol == CORALOGIX_HTTP;
    if (own != NULL) {
        snprintf(target->endpoint, sizeof(target->endpoint), "%s%s",
                 is_http && !has_scheme(own) ? "https://" : "", own);
    } else {
        bool is_private = config->private_link && strstr(config->domain, "private.") == NULL;
        snprintf(target->endpoint, sizeof(target->endpoint), "%singress.%s%s:443",
                 is_http ? "https://" : "", is_private ? "private." : "", config->domain);
    }
    target->client.endpoint = target->endpoint;
}

static bool says_tls(const struct hf_tls_config *tls)
{
    return tls->insecure || tls->insecure_skip_verify || is_given(tls->ca_file);
}

/* Takes what the signal says into the settings of the domain. True: it says something. */
static bool merge(const struct hf_grpc_client_config *own, struct hf_grpc_client_config *client)
{
    const struct hf_grpc_client_config before = *client;
    client->compression = own->compression != NULL ? own->compression : client->compression;
    client->compression_level =
        own->compression_level != 0 ? own->compression_level : client->compression_level;
    client->tls = says_tls(&own->tls) ? own->tls : client->tls;
    client->keepalive = own->keepalive != NULL ? own->keepalive : client->keepalive;
    client->balancer_name =
        strcmp(own->balancer_name, "pick_first") != 0 ? own->balancer_name : client->balancer_name;
    client->authority = is_given(own->authority) ? own->authority : client->authority;
    client->user_agent = is_given(own->user_agent) ? own->user_agent : client->user_agent;
    client->proxy_url = is_given(own->proxy_url) ? own->proxy_url : client->proxy_url;
    client->auth = own->auth != NULL ? own->auth : client->auth;
    client->headers = own->headers;
    return own->headers.count != 0 || says_tls(&own->tls) || own->auth != NULL ||
           own->keepalive != NULL || client->compression != before.compression ||
           client->compression_level != before.compression_level ||
           client->authority != before.authority || client->user_agent != before.user_agent ||
           client->proxy_url != before.proxy_url ||
           strcmp(client->balancer_name, before.balancer_name) != 0;
}

bool coralogix_target_of(const struct coralogix_config *config, enum hf_signal signal,
                         struct coralogix_target *ret_target)
{
    const struct hf_grpc_client_config *own = &config->signals[signal];
    if (config->protocol == CORALOGIX_HTTP && signal == HF_PROFILES) {
        return false;
    }
    *ret_target = (struct coralogix_target){.client = *own};
    if (is_place(own->endpoint)) {
        ret_target->client.compression = own->compression != NULL ? own->compression : "gzip";
        put_endpoint(config, own->endpoint, ret_target);
        return true;
    }
    if (!is_place(config->domain)) {
        return false;
    }
    ret_target->client = config->domain_settings;
    ret_target->domain_headers = config->domain_settings.headers;
    ret_target->is_of_domain = !merge(own, &ret_target->client);
    put_endpoint(config, NULL, ret_target);
    return true;
}

/* ---- checks ---- */

static const char *check_places(const struct coralogix_config *config)
{
    bool any = is_place(config->domain);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        any = any || is_place(config->signals[signal].endpoint);
    }
    if (!any) {
        return "one of domain, traces::endpoint, metrics::endpoint, logs::endpoint and "
               "profiles::endpoint must be specified";
    }
    if (config->protocol == CORALOGIX_HTTP && is_place(config->signals[HF_PROFILES].endpoint)) {
        return "profiles::endpoint: profiles are not sent over HTTP; set protocol to grpc";
    }
    return NULL;
}

const char *coralogix_check(const void *from)
{
    const struct coralogix_config *config = from;
    const char *problem = check_places(config);
    if (problem == NULL && !is_given(config->private_key)) {
        problem = "private_key must be specified";
    }
    if (problem == NULL && hf_expect_grpc_header("authorization", config->private_key) != NULL) {
        problem = "private_key: it cannot be sent in a header; it holds a line break or another "
                  "control character";
    }
    if (problem == NULL && !is_given(config->application_name)) {
        problem = "application_name must be specified";
    }
    if (problem == NULL && config->rate_limiter.enabled && config->rate_limiter.threshold <= 0) {
        problem = "rate_limiter::threshold must be greater than 0";
    }
    if (problem == NULL && config->rate_limiter.enabled && config->rate_limiter.duration_ns == 0) {
        problem = "rate_limiter::duration must be greater than 0";
    }
    if (problem == NULL) {
        problem = hf_grpc_client_check(&config->domain_settings);
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT && problem == NULL; signal++) {
        problem = hf_grpc_client_check(&config->signals[signal]);
    }
    return problem;
}

static const char *expect_endpoint(const char *key, const char *text)
{
    if (!is_place(text)) {
        return NULL;
    }
    const char *expected = hf_grpc_client_expect_endpoint(key, text);
    return expected == NULL && strlen(text) > HF_GRPC_TARGET_MAX - 16 ? "a shorter endpoint"
                                                                      : expected;
}

static const char *expect_domain(const char *key, const char *text)
{
    (void)key;
    if (!is_place(text)) {
        return NULL;
    }
    bool is_good = strlen(text) <= DOMAIN_MAX && strpbrk(text, "/:@?# \t") == NULL;
    return is_good ? NULL : "a domain such as eu2.coralogix.com";
}

/* ---- keys ---- */

static const struct hf_field domain_fields[] = {
    HF_HTTP_IGNORED("endpoint", "The endpoint is that of domain."),
    HF_HTTP_IGNORED("timeout", "The exporter's own timeout counts, for each request."),
    HF_HTTP_IGNORED("accept_encoding", "Answers are small and come without compression."),
    HF_GRPC_CLIENT_FIELDS_BUT_ENDPOINT(struct transport, grpc),
    HF_FIELDS_END,
};

static const struct hf_field signal_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_grpc_client_config, endpoint),
     .validate = expect_endpoint,
     .help = "host:port, in place of that of domain; domain_settings do not count then."},
    HF_HTTP_IGNORED("timeout", "The exporter's own timeout counts, for each request."),
    HF_HTTP_IGNORED("accept_encoding", "Answers are small and come without compression."),
    HF_GRPC_CLIENT_FIELDS_PRESET(struct transport, grpc, NULL),
    HF_FIELDS_END,
};

static const struct hf_field rate_limiter_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = LIMIT(enabled),
     .default_text = "false",
     .help = "Pause when Coralogix says again and again that the quota is used up. The records "
             "stay in the queue; the Go collector discards them."},
    {.key = "threshold",
     .type = HF_FIELD_INT,
     .offset = LIMIT(threshold),
     .default_text = "10",
     .min = 0,
     .max = 1e9,
     .help = "Such answers in a row before a pause."},
    {.key = "duration",
     .type = HF_FIELD_DURATION,
     .offset = LIMIT(duration_ns),
     .default_text = "1m",
     .help = "The length of the pause."},
    HF_FIELDS_END,
};

#define SIGNAL_FIELD(name, signal)                                                                 \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_STRUCT, .offset = AT(signals[signal]),                     \
        .inner = signal_fields,                                                                    \
        .help = "How " name " are sent; what is absent is taken from domain_settings."             \
    }

#define OLD "A key of the trace endpoint before OTLP, which Coralogix no longer has."

const struct hf_field coralogix_fields[] = {
    {.key = "protocol",
     .type = HF_FIELD_ENUM,
     .offset = AT(protocol),
     .default_text = "grpc",
     .choices = (const char *const[]){"grpc", "http", NULL},
     .help = "OTLP over gRPC, or over HTTP as protobuf, which carries no profiles."},
    {.key = "domain",
     .type = HF_FIELD_STRING,
     .offset = AT(domain),
     .validate = expect_domain,
     .help = "The domain of the account, such as eu2.coralogix.com; requests go to port 443 of "
             "ingress.DOMAIN."},
    {.key = "domain_settings",
     .type = HF_FIELD_STRUCT,
     .offset = AT(domain_settings),
     .inner = domain_fields,
     .help = "How ingress.DOMAIN is reached."},
    {.key = "private_link",
     .type = HF_FIELD_BOOL,
     .offset = AT(private_link),
     .default_text = "false",
     .help = "Send to ingress.private.DOMAIN, over AWS PrivateLink."},
    {.key = "private_key",
     .type = HF_FIELD_SECRET,
     .offset = AT(private_key),
     .required = true,
     .help = "The key of the account, sent as the bearer token of each request."},
    {.key = "application_name",
     .type = HF_FIELD_STRING,
     .offset = AT(application_name),
     .required = true,
     .help = "The attribute cx.application.name of each resource."},
    {.key = "subsystem_name",
     .type = HF_FIELD_STRING,
     .offset = AT(subsystem_name),
     .help = "The attribute cx.subsystem.name; absent: the resource keeps its own."},
    {.key = "application_name_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(application_attributes),
     .help = "Resource attributes; the first that is not empty is used in place of "
             "application_name."},
    {.key = "subsystem_name_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(subsystem_attributes),
     .help = "Likewise, in place of subsystem_name."},
    SIGNAL_FIELD("traces", HF_TRACES),
    SIGNAL_FIELD("metrics", HF_METRICS),
    SIGNAL_FIELD("logs", HF_LOGS),
    SIGNAL_FIELD("profiles", HF_PROFILES),
    {.key = "rate_limiter",
     .type = HF_FIELD_STRUCT,
     .offset = AT(rate_limiter),
     .inner = rate_limiter_fields,
     .help = "What happens when the quota of the account is used up."},
    HF_HTTP_IGNORED("batcher", "The pipeline's batch processor and sending_queue::batch batch."),
    HF_HTTP_IGNORED("endpoint", OLD),
    HF_HTTP_IGNORED("compression", OLD),
    HF_HTTP_IGNORED("tls", OLD),
    HF_HTTP_IGNORED("keepalive", OLD),
    HF_HTTP_IGNORED("read_buffer_size", OLD),
    HF_HTTP_IGNORED("write_buffer_size", OLD),
    HF_HTTP_IGNORED("wait_for_ready", OLD),
    HF_HTTP_IGNORED("headers", OLD),
    HF_HTTP_IGNORED("balancer_name", OLD),
    HF_HTTP_IGNORED("authority", OLD),
    HF_HTTP_IGNORED("auth", OLD),
    HF_FIELDS_END,
};
