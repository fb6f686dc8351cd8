#include "configgrpc.h"

#include <stdio.h>
#include <string.h>

#include "grpc/target.h"
#include "util/compress/compress.h"

const struct hf_field hf_grpc_client_keepalive_fields[] = {
    {.key = "time",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_grpc_client_keepalive, time_ns),
     .default_text = "10s",
     .help = "Ping after that much silence."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_grpc_client_keepalive, timeout_ns),
     .default_text = "10s",
     .help = "Time to answer a ping."},
    {.key = "permit_without_stream",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_grpc_client_keepalive, permit_without_stream),
     .help = "Ping without calls too."},
    HF_FIELDS_END,
};

/* "https://host:port" forces TLS, "http://" forces it off; the rest is the target. */
static const char *strip_scheme(const char *endpoint, bool *ret_https, bool *ret_http)
{
    *ret_https = strncmp(endpoint, "https://", 8) == 0;
    *ret_http = strncmp(endpoint, "http://", 7) == 0;
    return *ret_https ? endpoint + 8 : *ret_http ? endpoint + 7 : endpoint;
}

/* The target within an endpoint: no scheme of TLS, and no slash after the port of a URL. */
static void target_of(const char *endpoint, char *ret_target, size_t room)
{
    bool https;
    bool http;
    snprintf(ret_target, room, "%s", strip_scheme(endpoint, &https, &http));
    size_t size = strlen(ret_target);
    if ((https || http) && size != 0 && ret_target[size - 1] == '/') {
        ret_target[size - 1] = '\0';
    }
}

const char *hf_grpc_client_expect_endpoint(const char *key, const char *text)
{
    char target[HF_GRPC_TARGET_MAX];
    struct hf_grpc_target parsed;
    (void)key;
    target_of(text, target, sizeof(target));
    return hf_grpc_target_parse(target, &parsed) == HF_OK
               ? NULL
               : "host:port, dns:///host:port, http(s)://host:port or unix:///path";
}

const char *hf_grpc_client_expect_compression(const char *key, const char *name)
{
    (void)key;
    bool known = strcmp(name, "gzip") == 0 || strcmp(name, "zstd") == 0 ||
                 strcmp(name, "snappy") == 0 || strcmp(name, "none") == 0 || name[0] == '\0';
    return known ? NULL : "gzip, zstd, snappy or none";
}

const char *hf_grpc_client_expect_balancer(const char *key, const char *name)
{
    (void)key;
    bool known = strcmp(name, "pick_first") == 0 || strcmp(name, "round_robin") == 0;
    return known ? NULL : "pick_first or round_robin";
}

const char *hf_grpc_client_check(const struct hf_grpc_client_config *config)
{
    struct hf_grpc_proxy proxy;
    /* Not by `expect`: what is written there may hold a password. */
    if (config->proxy_url != NULL && config->proxy_url[0] != '\0' &&
        hf_grpc_proxy_parse(config->proxy_url, &proxy) != HF_OK) {
        return "proxy_url: expected http://[user:password@]host:port; encrypted and SOCKS proxies "
               "are not supported for gRPC";
    }
    return hf_tls_client_check(&config->tls);
}

enum hf_coding hf_grpc_client_coding(const struct hf_grpc_client_config *config)
{
    enum hf_coding coding = HF_IDENTITY;
    bool is_none = strcmp(config->compression, "none") == 0;
    if (hf_coding_by_name(hf_slice_text(is_none ? "identity" : config->compression), &coding) !=
        HF_OK) {
        return HF_IDENTITY;
    }
    /* gRPC's snappy is the framed format. */
    return coding == HF_SNAPPY_BLOCK ? HF_SNAPPY_FRAMED : coding;
}

void hf_grpc_client_endpoint(const struct hf_grpc_client_config *config,
                             struct hf_grpc_endpoint *ret_endpoint)
{
    bool https;
    bool http;
    (void)strip_scheme(config->endpoint, &https, &http);
    target_of(config->endpoint, ret_endpoint->target, sizeof(ret_endpoint->target));
    bool has_ca = config->tls.ca_file != NULL || config->tls.ca_pem != NULL;
    ret_endpoint->is_plain = !https && (http || (config->tls.insecure && !has_ca));
}

struct hf_grpc_client_options hf_grpc_client_options(const struct hf_grpc_client_config *config,
                                                     const struct hf_grpc_endpoint *endpoint)
{
    const struct hf_grpc_client_keepalive *keepalive = config->keepalive;
    return (struct hf_grpc_client_options){
        .target = endpoint->target,
        .server_name = config->tls.server_name_override,
        .authority = config->authority,
        .user_agent = config->user_agent,
        .round_robin = strcmp(config->balancer_name, "round_robin") == 0,
        .proxy_url = config->proxy_url != NULL ? config->proxy_url : "",
        .keepalive_time_ns = keepalive != NULL ? keepalive->time_ns : 0,
        .keepalive_timeout_ns = keepalive != NULL ? keepalive->timeout_ns : 0,
        .permit_without_stream = keepalive != NULL && keepalive->permit_without_stream,
    };
}
