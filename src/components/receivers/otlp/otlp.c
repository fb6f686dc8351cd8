/*
 * otlp: the OTLP receiver: one listener a protocol, for all pipelines that name it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp_receiver.h"
#include "util/clock.h"
#include "util/intake.h"
#include "util/metrics.h"
#include "util/validators.h"

#define AUTH_PREFIX "auth."
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

enum hf_status otlp_find_auth(const struct hf_node *node, const struct otlp_auth_config *config,
                              struct otlp_auth *ret_auth, char *reterr)
{
    *ret_auth = (struct otlp_auth){NULL, NULL};
    if (config == NULL || config->authenticator == NULL) {
        return HF_OK;
    }
    enum hf_status status =
        hf_node_auth(node, config->authenticator, &ret_auth->ops, &ret_auth->self);
    if (status != HF_OK || ret_auth->ops->check == NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth::authenticator: %s does not authenticate servers; use bearertokenauth or "
                 "basicauth",
                 config->authenticator);
        return HF_INVALID;
    }
    return HF_OK;
}

void otlp_find_wanted(const struct hf_node *node, const char *protocol, bool include_metadata,
                      struct otlp_wanted *ret_wanted)
{
    struct otlp_wanted wanted = {
        .node = node, .peer = hf_node_wants_peer(node), .auth = hf_node_wants_auth(node)};
    const char *header = NULL;
    wanted.keys = hf_node_metadata_keys(node, &wanted.key_count);
    for (size_t i = 0; i < wanted.key_count; i++) {
        bool is_auth = strncmp(wanted.keys[i], AUTH_PREFIX, strlen(AUTH_PREFIX)) == 0;
        header = is_auth ? header : wanted.keys[i];
    }
    wanted.headers = header != NULL && include_metadata;
    if (header != NULL && !include_metadata) {
        hf_node_log(node, HF_LOG_WARN,
                    "protocols::%s: the header %s is asked for downstream, but not kept without "
                    "include_metadata: true",
                    protocol, header);
    }
    *ret_wanted = wanted;
}

uint64_t otlp_intake_total(const struct hf_node *node, const char *key, uint64_t most)
{
    uint64_t total = hf_intake_total(hf_node_memory(node));
    uint64_t largest = hf_intake_limits_of(total).message;
    if (most > largest) {
        hf_node_log(node, HF_LOG_WARN,
                    "%s: %" PRIu64 " MiB are more than the memory allows; larger requests than "
                    "%" PRIu64 " MiB are refused",
                    key, most >> 20, largest >> 20);
    }
    return total;
}

struct hf_series *otlp_error_series(const struct hf_node *node, const char *transport,
                                    const char *reason)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_errors",
        .type = HF_COUNTER,
        .help = "Requests and connections refused for what they are, by reason.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_id(node)}, {"transport", transport}, {"reason", reason}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

bool otlp_may_complain(struct otlp_receiver *receiver, const char *peer, const char *kind)
{
    return hf_log_limiter_allows(&receiver->said, peer, kind, hf_clock_coarse_ns());
}

void otlp_say(struct otlp_receiver *receiver, const char *peer, const char *what)
{
    uint64_t withheld = hf_log_limiter_take_withheld(&receiver->said);
    if (withheld == 0) {
        hf_node_log(receiver->node, HF_LOG_WARN, "%s: %s", peer, what);
    } else {
        hf_node_log(receiver->node, HF_LOG_WARN,
                    "%s: %s (and %" PRIu64 " refusals before it that were not logged)", peer, what,
                    withheld);
    }
}

void otlp_complain_of(struct otlp_receiver *receiver, const char *peer, const char *kind,
                      const char *what)
{
    if (otlp_may_complain(receiver, peer, kind)) {
        otlp_say(receiver, peer, what);
    }
}

void otlp_complain(struct otlp_receiver *receiver, const char *peer, const char *what)
{
    otlp_complain_of(receiver, peer, what, what);
}

void otlp_complain_refused(struct otlp_receiver *receiver, const char *peer, enum hf_status status)
{
    if (status != HF_CLOSED) {
        otlp_complain(receiver, peer, hf_status_row(status)->says);
    }
}

void otlp_warn_reload(const struct otlp_receiver *receiver, const char *protocol, const char *why)
{
    hf_node_log(receiver->node, HF_LOG_WARN,
                "protocols::%s: the renewed files are not used, the old ones stay: %s", protocol,
                why);
}

void otlp_warn_default(const struct hf_node *node, const char *protocol, const char *endpoint,
                       bool written)
{
    if (!written) {
        hf_node_log(
            node, HF_LOG_WARN,
            "protocols::%s::endpoint is not set: listening on %s, open to every network of this "
            "machine; set localhost or one address to narrow it",
            protocol, endpoint);
    }
}

size_t otlp_message_limit(const struct hf_node *node, const char *key, uint64_t wanted_bytes,
                          uint64_t memory_bytes)
{
    uint64_t share = memory_bytes / 4; /* the message as it came, unpacked, and others beside it */
    uint64_t most = share < OTLP_MESSAGE_BYTES_MAX ? share : OTLP_MESSAGE_BYTES_MAX;

    most = most > OTLP_MESSAGE_BYTES_DEFAULT ? most : OTLP_MESSAGE_BYTES_DEFAULT;
    if (wanted_bytes <= most) {
        return (size_t)wanted_bytes;
    }
    hf_node_log(node, HF_LOG_WARN,
                "%s allows %llu MiB, of which %llu MiB are used: a record of the queue holds 256 "
                "MiB, and one message gets at most a quarter of the memory",
                key, (unsigned long long)(wanted_bytes >> 20), (unsigned long long)(most >> 20));
    return (size_t)most;
}

static void close_receiver(void *self)
{
    struct otlp_receiver *receiver = self;
    otlp_grpc_close(receiver->grpc);
    otlp_http_close(receiver->http);
    hf_log_limiter_release(&receiver->said);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct otlp_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    hf_log_limiter_init(&receiver->said, SAY_AGAIN_NS);
    enum hf_status status = HF_OK;
    if (receiver->config->protocols.grpc != NULL) {
        status = otlp_grpc_open(receiver, &receiver->grpc, reterr);
    }
    if (status == HF_OK && receiver->config->protocols.http != NULL) {
        status = otlp_http_open(receiver, &receiver->http, reterr);
    }
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct otlp_receiver *receiver = self;
    enum hf_status status = HF_OK;
    if (receiver->http != NULL) {
        status = otlp_http_start(receiver->http, reterr);
    }
    if (status == HF_OK && receiver->grpc != NULL) {
        otlp_grpc_start(receiver->grpc);
    }
    return status;
}

static void stop_receiver(void *self)
{
    struct otlp_receiver *receiver = self;
    uint64_t until_ns = hf_clock_monotonic_ns() + OTLP_STOP_GRACE_NS;
    otlp_grpc_stop(receiver->grpc);
    otlp_http_stop(receiver->http, until_ns);
}

/* A request has one signal: each needs a path of its own. */
static const char *check_paths(const struct otlp_http_config *http)
{
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        for (int j = i + 1; j < HF_SIGNAL_COUNT; j++) {
            const char *one = http->url_paths[i], *other = http->url_paths[j];
            if (strcmp(one + (one[0] == '/'), other + (other[0] == '/')) == 0) {
                return "traces_url_path, metrics_url_path and logs_url_path must differ";
            }
        }
    }
    return NULL;
}

static const char *check_config(const void *from)
{
    const struct otlp_config *config = from;
    const struct otlp_grpc_config *grpc = config->protocols.grpc;
    const struct otlp_http_config *http = config->protocols.http;
    const char *wrong = NULL;
    if (grpc == NULL && http == NULL) {
        return "must specify at least one protocol when using the OTLP receiver";
    }
    if (grpc != NULL && grpc->tls != NULL) {
        wrong = hf_tls_server_check(grpc->tls);
    }
    if (wrong == NULL && http != NULL && http->tls != NULL) {
        wrong = hf_tls_server_check(http->tls);
    }
    if (wrong == NULL && http != NULL) {
        wrong = check_paths(http);
    }
    return wrong;
}

static const struct hf_field auth_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct otlp_auth_config, authenticator),
     .required = true,
     .help = "The extension that checks credentials."},
    {.key = "request_params",
     .type = HF_FIELD_IGNORED,
     .help = "Request parameters are not offered to authenticators."},
    HF_FIELDS_END,
};

#define KEEPALIVE(member) offsetof(struct otlp_keepalive_config, member)

static const struct hf_field server_parameter_fields[] = {
    {.key = "max_connection_idle",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_idle_ns),
     .help = "Close idle connections after."},
    {.key = "max_connection_age",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_age_ns),
     .help = "Close connections after."},
    {.key = "max_connection_age_grace",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_age_grace_ns),
     .help = "Time left to calls on a connection that is over its age."},
    {.key = "time",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.time_ns),
     .default_text = "2h",
     .help = "Ping after that much silence."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.timeout_ns),
     .default_text = "20s",
     .help = "Time to answer a ping."},
    HF_FIELDS_END,
};

static const struct hf_field enforcement_fields[] = {
    {.key = "min_time",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(enforcement.min_time_ns),
     .default_text = "5m",
     .help = "Clients may not ping more often."},
    {.key = "permit_without_stream",
     .type = HF_FIELD_BOOL,
     .offset = KEEPALIVE(enforcement.permit_without_stream),
     .help = "Clients may ping without calls."},
    HF_FIELDS_END,
};

static const struct hf_field keepalive_fields[] = {
    {.key = "server_parameters",
     .type = HF_FIELD_STRUCT,
     .inner = server_parameter_fields,
     .help = "Pings and ages."},
    {.key = "enforcement_policy",
     .type = HF_FIELD_STRUCT,
     .inner = enforcement_fields,
     .help = "What clients may do."},
    HF_FIELDS_END,
};

#define OTLP_MAX_CONNECTIONS_HELP                                                                  \
    "Connections at once; when there are more, the one that is idle for longest is closed."
#define OTLP_MAX_PER_PEER_HELP                                                                     \
    "The same for one address (IPv6: one /64 network; unix: all); 0: no limit of its own."

#define GRPC(member) offsetof(struct otlp_grpc_config, member)

static const char *expect_mode(const char *key, const char *text)
{
    size_t size = strspn(text, "01234567");
    (void)key;
    return text[size] == '\0' && (size == 3 || (size == 4 && text[0] == '0'))
               ? NULL
               : "an octal mode such as \"0660\"";
}

#define MODE_HELP                                                                                  \
    "Mode of a Unix socket, in octal such as 0660; to connect one needs the right to write. "      \
    "Absent: the process's umask decides."

static const struct hf_field grpc_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = GRPC(endpoint),
     .default_text = "0.0.0.0:4317",
     .present_offset = GRPC(endpoint_written),
     .validate = hf_expect_listen,
     .help = "host:port or unix:///path."},
    {.key = "transport",
     .type = HF_FIELD_STRING,
     .offset = GRPC(transport),
     .default_text = "tcp",
     .help = "tcp, or unix with a path as endpoint."},
    {.key = "mode",
     .type = HF_FIELD_STRING,
     .offset = GRPC(mode),
     .validate = expect_mode,
     .help = MODE_HELP},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .offset = GRPC(tls),
     .inner = hf_tls_server_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "Encryption; absent: cleartext."},
    {.key = "max_recv_msg_size_mib",
     .type = HF_FIELD_INT,
     .offset = GRPC(max_recv_msg_size_mib),
     .default_text = "4",
     .min = 0,
     .max = INT32_MAX,
     .help = "Largest message, before and after decompression; 0: 4. At most 256, and a quarter of "
             "the memory, are used."},
    {.key = "max_concurrent_streams",
     .type = HF_FIELD_INT,
     .offset = GRPC(max_concurrent_streams),
     .default_text = "0",
     .min = 0,
     .max = 1e6,
     .help = "Calls at once on a connection; 0: 1,000."},
    {.key = "max_connections",
     .type = HF_FIELD_INT,
     .offset = GRPC(max_connections),
     .default_text = "10000",
     .min = 1,
     .max = 1e6,
     .help = OTLP_MAX_CONNECTIONS_HELP},
    {.key = "max_connections_per_peer",
     .type = HF_FIELD_INT,
     .offset = GRPC(max_connections_per_peer),
     .default_text = "5000",
     .min = 0,
     .max = 1e6,
     .help = OTLP_MAX_PER_PEER_HELP},
    {.key = "read_buffer_size",
     .type = HF_FIELD_INT,
     .offset = GRPC(read_buffer_size),
     .default_text = "0",
     .min = 0,
     .max = 16 << 20,
     .help = "Bytes read at once; 0: 256 KiB."},
    {.key = "write_buffer_size",
     .type = HF_FIELD_IGNORED,
     .help = "Answers are gathered by themselves."},
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Processors do their work."},
    {.key = "dialer", .type = HF_FIELD_IGNORED, .help = "A server dials nobody."},
    {.key = "keepalive",
     .type = HF_FIELD_STRUCT,
     .offset = GRPC(keepalive),
     .inner = keepalive_fields,
     .help = "Pings and ages of connections."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = GRPC(auth),
     .inner = auth_fields,
     .inner_size = sizeof(struct otlp_auth_config),
     .help = "Who may send."},
    {.key = "include_metadata",
     .type = HF_FIELD_BOOL,
     .offset = GRPC(include_metadata),
     .help = "Keep the request metadata that components downstream ask for (from_context, "
             "metadata_keys)."},
    {.key = "read_timeout",
     .type = HF_FIELD_DURATION,
     .offset = GRPC(read_timeout_ns),
     .default_text = "10m",
     .help = "Time for a message to come whole; 0: 10m."},
    {.key = "min_read_rate",
     .type = HF_FIELD_BYTES,
     .offset = GRPC(min_read_rate),
     .default_text = "1KiB",
     .min = 0,
     .max = 1 << 30,
     .help = "Bytes of a message that must come each second after its first 30 s; 0: 1KiB."},
    HF_FIELDS_END,
};

#define HTTP(member) offsetof(struct otlp_http_config, member)

static const struct hf_field http_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = HTTP(endpoint),
     .default_text = "0.0.0.0:4318",
     .present_offset = HTTP(endpoint_written),
     .validate = hf_expect_listen,
     .help = "host:port or unix:///path."},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .offset = HTTP(tls),
     .inner = hf_tls_server_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "Encryption; absent: cleartext."},
    {.key = "cors",
     .type = HF_FIELD_OPTIONAL,
     .offset = HTTP(cors),
     .inner = hf_cors_fields,
     .inner_size = sizeof(struct hf_cors_config),
     .help = "Which web pages may send."},
    {.key = "max_request_body_size",
     .type = HF_FIELD_BYTES,
     .offset = HTTP(max_request_body_size),
     .default_text = "64MiB",
     .min = 0,
     .max = (double)(UINT64_C(1) << 50),
     .help = "Largest body, before and after decompression; 0: 256 MiB, of which no more is used."},
    {.key = "max_connections",
     .type = HF_FIELD_INT,
     .offset = HTTP(max_connections),
     .default_text = "10000",
     .min = 1,
     .max = 1e6,
     .help = OTLP_MAX_CONNECTIONS_HELP},
    {.key = "max_connections_per_peer",
     .type = HF_FIELD_INT,
     .offset = HTTP(max_connections_per_peer),
     .default_text = "5000",
     .min = 0,
     .max = 1e6,
     .help = OTLP_MAX_PER_PEER_HELP},
    {.key = "response_headers",
     .type = HF_FIELD_MAP,
     .offset = HTTP(response_headers),
     .validate = hf_expect_header,
     .help = "Headers of every answer."},
    {.key = "compression_algorithms",
     .type = HF_FIELD_STRING_LIST,
     .offset = HTTP(compression_algorithms),
     .present_offset = HTTP(compression_algorithms_written),
     .help = "Content codings that are accepted; absent: all."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = HTTP(auth),
     .inner = auth_fields,
     .inner_size = sizeof(struct otlp_auth_config),
     .help = "Who may send."},
    {.key = "include_metadata",
     .type = HF_FIELD_BOOL,
     .offset = HTTP(include_metadata),
     .help = "Keep the request headers that components downstream ask for (from_context, "
             "metadata_keys)."},
    {.key = "traces_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_TRACES]),
     .default_text = "/v1/traces",
     .validate = hf_expect_path,
     .help = "Path of traces."},
    {.key = "metrics_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_METRICS]),
     .default_text = "/v1/metrics",
     .validate = hf_expect_path,
     .help = "Path of metrics."},
    {.key = "logs_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_LOGS]),
     .default_text = "/v1/logs",
     .validate = hf_expect_path,
     .help = "Path of logs."},
    {.key = "profiles_url_path", .type = HF_FIELD_IGNORED, .help = "Profiles are not carried."},
    {.key = "mode",
     .type = HF_FIELD_STRING,
     .offset = HTTP(mode),
     .validate = expect_mode,
     .help = MODE_HELP},
    {.key = "transport",
     .type = HF_FIELD_IGNORED,
     .help = "The endpoint tells: host:port or unix:///path."},
    {.key = "read_timeout",
     .type = HF_FIELD_DURATION,
     .offset = HTTP(read_timeout_ns),
     .default_text = "10m",
     .help = "Time for a body to come whole; 0: 10m."},
    {.key = "min_read_rate",
     .type = HF_FIELD_BYTES,
     .offset = HTTP(min_read_rate),
     .default_text = "1KiB",
     .min = 0,
     .max = 1 << 30,
     .help = "Bytes of a body that must come each second after its first 30 s; 0: 1KiB."},
    {.key = "read_header_timeout",
     .type = HF_FIELD_IGNORED,
     .help = "Slow senders are bounded by themselves."},
    {.key = "write_timeout",
     .type = HF_FIELD_IGNORED,
     .help = "Slow readers are bounded by themselves."},
    {.key = "idle_timeout",
     .type = HF_FIELD_IGNORED,
     .help = "Idle connections cost almost nothing."},
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Processors do their work."},
    {.key = "keep_alives_enabled", .type = HF_FIELD_IGNORED, .help = "Connections are kept alive."},
    HF_FIELDS_END,
};

static const struct hf_field protocol_fields[] = {
    {.key = "grpc",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct otlp_config, protocols.grpc),
     .null_enables = true,
     .inner = grpc_fields,
     .inner_size = sizeof(struct otlp_grpc_config),
     .help = "OTLP/gRPC."},
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct otlp_config, protocols.http),
     .null_enables = true,
     .inner = http_fields,
     .inner_size = sizeof(struct otlp_http_config),
     .help = "OTLP/HTTP, protobuf and JSON."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "protocols",
     .type = HF_FIELD_STRUCT,
     .inner = protocol_fields,
     .help = "Which protocols to serve; at least one."},
    {.key = "strict_utf8",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, strict_utf8),
     .default_text = "false",
     .help = "Refuse requests with strings that are not UTF-8; otherwise each invalid sequence is "
             "replaced by U+FFFD."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_otlp = {
    .type = "otlp",
    .help = "Receives OTLP over gRPC and HTTP; answers OK once the data is on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct otlp_config),
    .fields = fields,
    .check = check_config,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
