/*
 * configgrpc: the settings of gRPC clients: one struct, its fields, their checks, and the options
 * of the transport made of them. As confighttp.h: embed the struct and the rows.
 */
#pragma once

#include "confighttp.h"
#include "grpc/client.h"

#define HF_GRPC_TARGET_MAX 512

struct hf_grpc_client_keepalive {
    uint64_t time_ns, timeout_ns;
    bool permit_without_stream;
};

struct hf_grpc_client_config {
    const char *endpoint;
    const char *compression;
    int64_t compression_level;
    struct hf_tls_config tls;
    struct hf_string_map headers;
    const struct hf_grpc_client_keepalive *keepalive;
    const char *balancer_name, *authority, *user_agent, *proxy_url;
    const struct hf_auth_config *auth;
};

extern const struct hf_field hf_grpc_client_keepalive_fields[];

const char *hf_grpc_client_expect_endpoint(const char *key, const char *text);
const char *hf_grpc_client_expect_compression(const char *key, const char *name);
const char *hf_grpc_client_expect_balancer(const char *key, const char *name);

/* What no single field can tell: NULL or a sentence. */
const char *hf_grpc_client_check(const struct hf_grpc_client_config *config);

/* The coding of `compression`, which has been validated. */
enum hf_coding hf_grpc_client_coding(const struct hf_grpc_client_config *config);

/* A client's endpoint as the transport wants it. */
struct hf_grpc_endpoint {
    char target[HF_GRPC_TARGET_MAX];
    bool is_plain; /* no TLS: by its scheme, or by `tls: {insecure: true}` */
};
void hf_grpc_client_endpoint(const struct hf_grpc_client_config *config,
                             struct hf_grpc_endpoint *ret_endpoint);

/* The options of the transport; the loop, TLS, the default user agent and the callbacks are the
 * caller's. `endpoint` is borrowed. */
struct hf_grpc_client_options hf_grpc_client_options(const struct hf_grpc_client_config *config,
                                                     const struct hf_grpc_endpoint *endpoint);

/* clang-format off */
#define HF_GRPC_CLIENT_FIELDS(owner, at)                                                           \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.endpoint),                                                       \
     .required = true,                                                                             \
     .validate = hf_grpc_client_expect_endpoint,                                                   \
     .help = "host:port, dns:///host:port, http(s)://host:port or unix:///path."},                 \
    HF_GRPC_CLIENT_FIELDS_BUT_ENDPOINT(owner, at)

/* Of a client whose endpoint is found elsewhere. */
#define HF_GRPC_CLIENT_FIELDS_BUT_ENDPOINT(owner, at)                                              \
    HF_GRPC_CLIENT_FIELDS_PRESET(owner, at, "gzip")

/* Likewise, with a default of `compression`; NULL: it is NULL when absent, and the component sets
 * it before it uses the struct. */
#define HF_GRPC_CLIENT_FIELDS_PRESET(owner, at, preset)                                            \
    {.key = "compression",                                                                         \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.compression),                                                    \
     .default_text = (preset),                                                                     \
     .validate = hf_grpc_client_expect_compression,                                                \
     .help = "gzip, zstd, snappy or none."},                                                       \
    {.key = "compression_level",                                                                   \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.compression_level),                                              \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 19,                                                                                    \
     .help = "Of zstd or gzip; 0: the fastest sensible."},                                         \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_client_fields,                                                                \
     .help = "Encryption; on unless insecure: true."},                                             \
    {.key = "headers",                                                                             \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, at.headers),                                                        \
     .validate = hf_expect_grpc_header,                                                            \
     .help = "Metadata of every request; what gRPC sets itself is refused, but user-agent."},      \
    {.key = "keepalive",                                                                           \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.keepalive),                                                      \
     .inner = hf_grpc_client_keepalive_fields,                                                     \
     .inner_size = sizeof(struct hf_grpc_client_keepalive),                                        \
     .help = "Pings; absent: none."},                                                              \
    {.key = "balancer_name",                                                                       \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.balancer_name),                                                  \
     .default_text = "pick_first",                                                                 \
     .validate = hf_grpc_client_expect_balancer,                                                   \
     .help = "pick_first or round_robin over the resolved addresses."},                            \
    {.key = "authority",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.authority),                                                      \
     .help = "The :authority header; absent: the endpoint."},                                      \
    {.key = "user_agent",                                                                          \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.user_agent),                                                     \
     .help = "The User-Agent header; absent: the name and version of Holdfast."},                  \
    HF_HTTP_IGNORED("middlewares", "Requests go out as they are."),                                \
    HF_HTTP_IGNORED("dialer_middleware", "Connections are made as they are."),                     \
    {.key = "proxy_url",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.proxy_url),                                                      \
     .help = "HTTP proxy (CONNECT), http://[user:password@]host:port; absent: the environment's "  \
             "HTTPS_PROXY and NO_PROXY."},                                                         \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.auth),                                                           \
     .inner = hf_auth_client_fields,                                                               \
     .inner_size = sizeof(struct hf_auth_config),                                                  \
     .help = "Credentials."},                                                                      \
    HF_HTTP_IGNORED("wait_for_ready", "The queue waits for the backend."),                         \
    HF_HTTP_IGNORED("read_buffer_size", "Buffers size themselves."),                               \
    HF_HTTP_IGNORED("write_buffer_size", "Buffers size themselves.")
/* clang-format on */
