#include "confighttp.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/compress/compress.h"
#include "util/proxy.h"

const struct hf_field hf_http_compression_param_fields[] = {
    {.key = "level",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_http_compression_params, level),
     .default_text = "0",
     .min = -7,
     .max = 22,
     .help = "Of zstd, gzip or deflate; 0: the fastest sensible. gzip and deflate know 1 to 3."},
    HF_FIELDS_END,
};

const char *hf_http_unix_path(const char *endpoint)
{
    if (endpoint == NULL || strncmp(endpoint, "unix:", 5) != 0) {
        return NULL;
    }
    return strncmp(endpoint, "unix://", 7) == 0 ? endpoint + 7 : endpoint + 5;
}

static enum hf_status coding_of(const char *name, enum hf_coding *ret_coding)
{
    return hf_coding_by_name(hf_slice_text(strcmp(name, "none") == 0 ? "" : name), ret_coding);
}

enum hf_coding hf_http_client_coding(const struct hf_http_client_config *config)
{
    enum hf_coding coding = HF_IDENTITY;
    if (config->compression != NULL && coding_of(config->compression, &coding) != HF_OK) {
        coding = HF_IDENTITY;
    }
    return coding;
}

const char *hf_http_client_expect_url(const char *key, const char *text)
{
    (void)key;
    return text[0] == '\0' || (hf_http_is_url(text) && strlen(text) < HF_URL_MAX)
               ? NULL
               : "http://host:port/path or https://...";
}

const char *hf_http_client_expect_endpoint(const char *key, const char *text)
{
    const char *path = hf_http_unix_path(text);
    (void)key;
    bool good = path != NULL ? path[0] == '/' : text[0] == '\0' || hf_http_is_url(text);
    return good && strlen(text) <= HF_URL_MAX - 64
               ? NULL
               : "http://host:port, https://host:port or unix:///path";
}

const char *hf_http_client_expect_compression(const char *key, const char *name)
{
    enum hf_coding coding;
    (void)key;
    return coding_of(name, &coding) == HF_OK
               ? NULL
               : "gzip, zstd, deflate, zlib, snappy, x-snappy-framed or none";
}

const char *hf_http_client_check(const struct hf_http_client_config *config)
{
    const char *wrong = hf_proxy_check(config->proxy_url);
    return wrong != NULL ? wrong : hf_tls_client_check(&config->tls);
}

const struct hf_field hf_http_keepalive_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_http_keepalive_config, enabled),
     .default_text = "true",
     .help = "Keep connections; otherwise each request has one of its own."},
    {.key = "max_idle_conns",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_http_keepalive_config, max_idle_conns),
     .default_text = "100",
     .min = 0,
     .max = 100000,
     .help = "Connections kept for reuse."},
    {.key = "idle_conn_timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_http_keepalive_config, idle_conn_timeout_ns),
     .default_text = "90s",
     .help = "How long an unused connection is kept."},
    HF_HTTP_IGNORED("max_idle_conns_per_host", "There is one host; max_idle_conns counts."),
    HF_FIELDS_END,
};

struct hf_http_client_options hf_http_client_options(const struct hf_http_client_config *config)
{
    const struct hf_http_keepalive_config flat = {
        .enabled = !config->disable_keep_alives,
        .max_idle_conns = config->max_idle_conns,
        .idle_conn_timeout_ns = config->idle_conn_timeout_ns,
    };
    const struct hf_http_keepalive_config *keepalive =
        config->keepalive != NULL ? config->keepalive : &flat;
    return (struct hf_http_client_options){
        .tls = &config->tls,
        .unix_socket = hf_http_unix_path(config->endpoint),
        .proxy_url = config->proxy_url,
        .max_conns = (uint64_t)config->max_conns_per_host,
        .max_idle_conns = (uint64_t)keepalive->max_idle_conns,
        .idle_timeout_ns = keepalive->idle_conn_timeout_ns,
        .disable_keep_alives = !keepalive->enabled,
    };
}

void hf_user_agent(char ret_text[HF_USER_AGENT_MAX])
{
    struct utsname system;
    bool known = uname(&system) == 0;
    snprintf(ret_text, HF_USER_AGENT_MAX, "Holdfast/" HF_VERSION " (linux/%s)",
             known ? system.machine : "unknown");
}
