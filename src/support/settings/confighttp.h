/*
 * confighttp: the settings of HTTP clients, as every exporter over HTTP has them: one struct, its
 * fields, their checks, and the options of the transport made of them.
 *
 * A component embeds the struct in its own configuration and the rows in its own table:
 *
 *     struct my_config { struct hf_http_client_config http; ... };
 *     {.key = "endpoint", .type = HF_FIELD_STRING, .offset = offsetof(struct my_config,
 *      http.endpoint), .validate = hf_http_client_expect_endpoint, .help = "..."},
 *     HF_HTTP_CLIENT_FIELDS(struct my_config, http),
 *     HF_HTTP_COMPRESSION_FIELDS(struct my_config, http, "gzip"),
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/field.h>

#include "configauth.h"
#include "confighttp_keepalive.h"
#include "http/client.h"
#include "util/tls/tls.h"
#include "util/validators.h"

#define HF_URL_MAX 2048

struct hf_http_compression_params {
    int64_t level;
};

struct hf_http_client_config {
    const char *endpoint; /* the component's own row */
    const char *compression;
    struct hf_http_compression_params compression_params;
    struct hf_tls_config tls;
    struct hf_string_map headers;
    const char *proxy_url;
    const struct hf_auth_config *auth;
    int64_t max_idle_conns, max_conns_per_host;
    uint64_t idle_conn_timeout_ns;
    bool disable_keep_alives;
    const struct hf_http_keepalive_config *keepalive; /* counts instead of the three; may be NULL */
};

/* Values of fields: an http(s) URL, or none; also unix:///path; the name of a coding. */
const char *hf_http_client_expect_url(const char *key, const char *text);
const char *hf_http_client_expect_endpoint(const char *key, const char *text);
const char *hf_http_client_expect_compression(const char *key, const char *name);

/* What no single field can tell: NULL or a sentence. */
const char *hf_http_client_check(const struct hf_http_client_config *config);

/* The path of "unix:///path" or "unix:/path"; NULL for other endpoints. */
const char *hf_http_unix_path(const char *endpoint);

/* The coding of `compression`, which has been validated; absent: HF_IDENTITY. */
enum hf_coding hf_http_client_coding(const struct hf_http_client_config *config);

/* The options of the transport; the loop, the user agent and the callbacks are the caller's. */
struct hf_http_client_options hf_http_client_options(const struct hf_http_client_config *config);

/* "Holdfast/1.2.3 (linux/x86_64)" */
#define HF_USER_AGENT_MAX 128
void hf_user_agent(char ret_text[HF_USER_AGENT_MAX]);

extern const struct hf_field hf_http_compression_param_fields[];

/* clang-format off */
#define HF_HTTP_IGNORED(name, why)                                                                 \
    {.key = (name), .type = HF_FIELD_IGNORED, .help = (why)}

#define HF_HTTP_COMPRESSION_FIELDS(owner, at, preset)                                              \
    {.key = "compression",                                                                         \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.compression),                                                    \
     .default_text = (preset),                                                                     \
     .validate = hf_http_client_expect_compression,                                                \
     .help = "gzip, zstd, deflate, zlib, snappy, x-snappy-framed or none."},                       \
    {.key = "compression_params",                                                                  \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.compression_params),                                             \
     .inner = hf_http_compression_param_fields,                                                    \
     .help = "The level of the compression."}

#define HF_HTTP_CLIENT_FIELDS(owner, at)                                                           \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_client_fields,                                                                \
     .help = "How https:// endpoints are verified."},                                              \
    {.key = "headers",                                                                             \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, at.headers),                                                        \
     .validate = hf_expect_header,                                                                 \
     .help = "Headers of every request, instead of its own of the same name (Content-Type, "       \
             "User-Agent, Host); those of the connection and of the framing are refused."},        \
    {.key = "proxy_url",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.proxy_url),                                                      \
     .help = "Proxy, as a URL; absent: the environment's HTTP_PROXY, HTTPS_PROXY, NO_PROXY."},     \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.auth),                                                           \
     .inner = hf_auth_client_fields,                                                               \
     .inner_size = sizeof(struct hf_auth_config),                                                  \
     .help = "Credentials."},                                                                      \
    {.key = "max_idle_conns",                                                                      \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_idle_conns),                                                 \
     .default_text = "100",                                                                        \
     .min = 0,                                                                                     \
     .max = 100000,                                                                                \
     .help = "Connections kept for reuse."},                                                       \
    {.key = "max_conns_per_host",                                                                  \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_conns_per_host),                                             \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 100000,                                                                                \
     .help = "Connections at a time; 0: one a request in flight."},                                \
    {.key = "idle_conn_timeout",                                                                   \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.idle_conn_timeout_ns),                                           \
     .default_text = "90s",                                                                        \
     .help = "How long an unused connection is kept."},                                            \
    {.key = "disable_keep_alives",                                                                 \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.disable_keep_alives),                                            \
     .default_text = "false",                                                                      \
     .help = "A new connection for each request."},                                                \
    {.key = "keepalive",                                                                           \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.keepalive),                                                      \
     .inner = hf_http_keepalive_fields,                                                            \
     .inner_size = sizeof(struct hf_http_keepalive_config),                                        \
     .help = "Counts instead of max_idle_conns, idle_conn_timeout and disable_keep_alives."},      \
    HF_HTTP_IGNORED("dialer_middleware", "Connections are made as they are."),                     \
    HF_HTTP_IGNORED("middlewares", "Requests go out as they are."),                                \
    HF_HTTP_IGNORED("max_idle_conns_per_host", "There is one host; max_idle_conns counts."),       \
    HF_HTTP_IGNORED("read_buffer_size", "Buffers size themselves."),                               \
    HF_HTTP_IGNORED("write_buffer_size", "Buffers size themselves."),                              \
    HF_HTTP_IGNORED("http2_read_idle_timeout", "HTTP/1.1 is spoken."),                             \
    HF_HTTP_IGNORED("http2_ping_timeout", "HTTP/1.1 is spoken."),                                  \
    HF_HTTP_IGNORED("force_attempt_http2", "HTTP/1.1 is spoken."),                                 \
    HF_HTTP_IGNORED("cookies", "No cookies are kept.")
/* clang-format on */
