/*
 * confighttp_server: the settings of HTTP servers: one struct, its fields, their checks, and the
 * options of the transport made of them. As confighttp.h: embed the struct and the rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "configauth.h"
#include "http/server.h"
#include "util/tls/tls.h"
#include "util/validators.h"

struct hf_http_server_config {
    const char *endpoint, *mode;
    bool endpoint_written;
    const struct hf_tls_config *tls;
    const struct hf_cors_config *cors;
    uint64_t max_request_body_size;
    uint64_t read_timeout_ns, min_read_rate;
    int64_t max_connections, max_connections_per_peer;
    struct hf_string_map response_headers;
    struct hf_string_list compression_algorithms;
    bool compression_algorithms_written;
    const struct hf_auth_config *auth;
    bool include_metadata;
};

/* What no single field can tell: NULL or a sentence. */
const char *hf_http_server_check(const struct hf_http_server_config *config);

/* The options of the transport; the socket, the limits of memory and the callbacks are the
 * caller's. */
struct hf_http_server_options hf_http_server_options(const struct hf_http_server_config *config);

/* The mode of a Unix socket: three octal digits, with or without a 0 before them. */
const char *hf_server_expect_mode(const char *key, const char *text);

#define HF_SERVER_MODE_HELP                                                                        \
    "Mode of a Unix socket, in octal such as 0660; to connect one needs the right to write. "      \
    "Absent: the process's umask decides."
#define HF_SERVER_CONNECTIONS_HELP                                                                 \
    "Connections at once; when there are more, the one that is idle for longest is closed."
#define HF_SERVER_PER_PEER_HELP                                                                    \
    "The same for one address (IPv6: one /64 network; unix: all); 0: no limit of its own."
#define HF_SERVER_IGNORED(name, why)                                                               \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }

/* clang-format off */
/* What even a server of one fixed answer has. */
#define HF_HTTP_SERVER_BASE_FIELDS(owner, at, preset)                                              \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.endpoint),                                                       \
     .default_text = (preset),                                                                     \
     .present_offset = offsetof(owner, at.endpoint_written),                                       \
     .validate = hf_expect_listen,                                                                 \
     .help = "host:port or unix:///path."},                                                        \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_server_fields,                                                                \
     .inner_size = sizeof(struct hf_tls_config),                                                   \
     .help = "Encryption; absent: cleartext."},                                                    \
    {.key = "cors",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.cors),                                                           \
     .inner = hf_cors_fields,                                                                      \
     .inner_size = sizeof(struct hf_cors_config),                                                  \
     .help = "Which web pages may send requests."},                                                \
    {.key = "response_headers",                                                                    \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, at.response_headers),                                               \
     .validate = hf_expect_header,                                                                 \
     .help = "Headers of every answer."}

#define HF_HTTP_SERVER_FIELDS(owner, at, preset)                                                   \
    HF_HTTP_SERVER_BASE_FIELDS(owner, at, preset),                                                 \
    {.key = "max_request_body_size",                                                               \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.max_request_body_size),                                          \
     .default_text = "64MiB",                                                                      \
     .min = 0,                                                                                     \
     .max = (double)(UINT64_C(1) << 50),                                                           \
     .help = "Largest body, before and after decompression; 0: 256 MiB, of which no more is "      \
             "used."},                                                                             \
    {.key = "max_connections",                                                                     \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_connections),                                                \
     .default_text = "10000",                                                                      \
     .min = 1,                                                                                     \
     .max = 1e6,                                                                                   \
     .help = HF_SERVER_CONNECTIONS_HELP},                                                          \
    {.key = "max_connections_per_peer",                                                            \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_connections_per_peer),                                       \
     .default_text = "5000",                                                                       \
     .min = 0,                                                                                     \
     .max = 1e6,                                                                                   \
     .help = HF_SERVER_PER_PEER_HELP},                                                             \
    {.key = "compression_algorithms",                                                              \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = offsetof(owner, at.compression_algorithms),                                         \
     .present_offset = offsetof(owner, at.compression_algorithms_written),                         \
     .help = "Content codings that are accepted; absent: all."},                                   \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.auth),                                                           \
     .inner = hf_auth_server_fields,                                                               \
     .inner_size = sizeof(struct hf_auth_config),                                                  \
     .help = "Who may send."},                                                                     \
    {.key = "include_metadata",                                                                    \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.include_metadata),                                               \
     .help = "Keep the request headers that components downstream ask for (from_context, "         \
             "metadata_keys)."},                                                                   \
    {.key = "mode",                                                                                \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.mode),                                                           \
     .validate = hf_server_expect_mode,                                                            \
     .help = HF_SERVER_MODE_HELP},                                                                 \
    {.key = "read_timeout",                                                                        \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.read_timeout_ns),                                                \
     .default_text = "10m",                                                                        \
     .help = "Time for a body to come whole; 0: 10m."},                                            \
    {.key = "min_read_rate",                                                                       \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.min_read_rate),                                                  \
     .default_text = "1KiB",                                                                       \
     .min = 0,                                                                                     \
     .max = 1 << 30,                                                                               \
     .help = "Bytes of a body that must come each second after its first 30 s; 0: 1KiB."},         \
    HF_SERVER_IGNORED("transport", "The endpoint tells: host:port or unix:///path."),              \
    HF_SERVER_IGNORED("read_header_timeout", "Slow senders are bounded by themselves."),           \
    HF_SERVER_IGNORED("write_timeout", "Slow readers are bounded by themselves."),                 \
    HF_SERVER_IGNORED("idle_timeout", "Idle connections cost almost nothing."),                    \
    HF_SERVER_IGNORED("middlewares", "Processors do their work."),                                 \
    HF_SERVER_IGNORED("keep_alives_enabled", "Connections are kept alive."),                       \
    HF_SERVER_IGNORED("keepalive", "Connections are kept alive.")
/* clang-format on */
