/*
 * configgrpc_server: the settings of gRPC servers: one struct, its fields, their checks, and the
 * options of the transport made of them. As confighttp.h: embed the struct and the rows.
 */
#pragma once

#include "confighttp_server.h"
#include "grpc/server.h"

struct hf_grpc_server_keepalive {
    struct {
        uint64_t max_connection_idle_ns, max_connection_age_ns, max_connection_age_grace_ns;
        uint64_t time_ns, timeout_ns;
    } server;
    struct {
        uint64_t min_time_ns;
        bool permit_without_stream;
    } enforcement;
};

struct hf_grpc_server_config {
    const char *endpoint;
    bool endpoint_written;
    const char *transport, *mode;
    const struct hf_tls_config *tls;
    int64_t max_recv_msg_size_mib, max_concurrent_streams, read_buffer_size;
    int64_t max_connections, max_connections_per_peer;
    struct hf_grpc_server_keepalive keepalive;
    const struct hf_auth_config *auth;
    bool include_metadata;
    uint64_t read_timeout_ns, min_read_rate;
};

extern const struct hf_field hf_grpc_server_keepalive_fields[];

/* What no single field can tell: NULL or a sentence. */
const char *hf_grpc_server_check(const struct hf_grpc_server_config *config);

/* The options of the transport; the socket, the limits of memory, the methods and the callbacks are
 * the caller's. */
struct hf_grpc_server_options hf_grpc_server_options(const struct hf_grpc_server_config *config);

/* clang-format off */
#define HF_GRPC_SERVER_FIELDS(owner, at, preset)                                                   \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.endpoint),                                                       \
     .default_text = (preset),                                                                     \
     .present_offset = offsetof(owner, at.endpoint_written),                                       \
     .validate = hf_expect_listen,                                                                 \
     .help = "host:port or unix:///path."},                                                        \
    {.key = "transport",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.transport),                                                      \
     .default_text = "tcp",                                                                        \
     .help = "tcp, or unix with a path as endpoint."},                                             \
    {.key = "mode",                                                                                \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.mode),                                                           \
     .validate = hf_server_expect_mode,                                                            \
     .help = HF_SERVER_MODE_HELP},                                                                 \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_server_fields,                                                                \
     .inner_size = sizeof(struct hf_tls_config),                                                   \
     .help = "Encryption; absent: cleartext."},                                                    \
    {.key = "max_recv_msg_size_mib",                                                               \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_recv_msg_size_mib),                                          \
     .default_text = "4",                                                                          \
     .min = 0,                                                                                     \
     .max = INT32_MAX,                                                                             \
     .help = "Largest message, before and after decompression; 0: 4. At most 256, and a quarter "  \
             "of the memory, are used."},                                                          \
    {.key = "max_concurrent_streams",                                                              \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_concurrent_streams),                                         \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 1e6,                                                                                   \
     .help = "Calls at once on a connection; 0: 1,000."},                                          \
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
    {.key = "read_buffer_size",                                                                    \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.read_buffer_size),                                               \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 16 << 20,                                                                              \
     .help = "Bytes read at once; 0: 256 KiB."},                                                   \
    {.key = "keepalive",                                                                           \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.keepalive),                                                      \
     .inner = hf_grpc_server_keepalive_fields,                                                     \
     .help = "Pings and ages of connections."},                                                    \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.auth),                                                           \
     .inner = hf_auth_server_fields,                                                               \
     .inner_size = sizeof(struct hf_auth_config),                                                  \
     .help = "Who may send."},                                                                     \
    {.key = "include_metadata",                                                                    \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.include_metadata),                                               \
     .help = "Keep the request metadata that components downstream ask for (from_context, "        \
             "metadata_keys)."},                                                                   \
    {.key = "read_timeout",                                                                        \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.read_timeout_ns),                                                \
     .default_text = "10m",                                                                        \
     .help = "Time for a message to come whole; 0: 10m."},                                         \
    {.key = "min_read_rate",                                                                       \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.min_read_rate),                                                  \
     .default_text = "1KiB",                                                                       \
     .min = 0,                                                                                     \
     .max = 1 << 30,                                                                               \
     .help = "Bytes of a message that must come each second after its first 30 s; 0: 1KiB."},      \
    HF_SERVER_IGNORED("write_buffer_size", "Answers are gathered by themselves."),                 \
    HF_SERVER_IGNORED("middlewares", "Processors do their work."),                                 \
    HF_SERVER_IGNORED("dialer", "A server opens no connections.")
/* clang-format on */
