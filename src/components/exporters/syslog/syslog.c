/*
 * syslog: sends log records as syslog messages, over TCP, TLS, UDP or a Unix socket.
 *
 * One request at a time, so that messages keep their order. What a peer confirms is in
 * syslog_peer.h; a request that fails is sent again as a whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/payload.h"
#include "support/probe/probe_server.h"
#include "support/settings/missing_ca.h"
#include "syslog_lines.h"
#include "syslog_peer.h"

#define EXPORT_BYTES (1u << 20) /* of OTLP; what becomes of it is about as large */
#define DATAGRAM_BYTES_MAX 65507u
#define UNIX_PATH_MAX 107u /* of sockaddr_un */

enum network { NETWORK_TCP = 0, NETWORK_UDP, NETWORK_UNIX };

struct syslog_config {
    const char *endpoint;
    int64_t port, network, protocol;
    bool enable_octet_counting;
    struct hf_tls_config tls;
};

struct syslog_exporter {
    struct hf_node *node;
    const struct syslog_config *config;
    struct hf_tls *tls; /* NULL: in clear */
    struct hf_grpc_target target;
    struct syslog_peer *peer;
    struct syslog_lines lines;
    struct hf_payload payload;
    struct hf_export *export; /* the one that is being sent; NULL: none */
    bool has_warned;
};

/* ---- sending ---- */

static void end_export(struct syslog_exporter *exporter, enum hf_status status, const char *why)
{
    struct hf_export *export = exporter->export;
    const struct hf_outcome outcome = {
        .status = status,
        .message = why,
        .items = status == HF_OK ? exporter->lines.refused : NULL,
        .item_count = status == HF_OK ? exporter->lines.refused_count : 0,
    };
    exporter->export = NULL;
    hf_export_done(export, &outcome);
}

static void on_sent(void *user, enum hf_status status, const char *why)
{
    end_export(user, status, why);
}

/* Once: it is about the configuration. */
static void warn_of_textless(struct syslog_exporter *exporter)
{
    if (exporter->lines.textless != 0 && !exporter->has_warned) {
        exporter->has_warned = true;
        hf_node_log(exporter->node, HF_LOG_WARN,
                    "records without the attribute message are sent without a text; to send the "
                    "body, use the processor transform: set(attributes[\"message\"], body)");
    }
}

static void send_export(void *self, struct hf_export *export)
{
    struct syslog_exporter *exporter = self;
    struct syslog_lines *lines = &exporter->lines;
    struct hf_slice raw;
    exporter->export = export;
    enum hf_status status =
        hf_payload_read(&exporter->payload, export->bodies, export->body_count, &raw);
    status = status == HF_OK ? syslog_lines_write(lines, raw) : status;
    if (status != HF_OK) {
        end_export(exporter, status, "the records cannot be written as syslog messages");
        return;
    }
    warn_of_textless(exporter);
    if (lines->bytes.size == 0 && !export->is_probe) {
        end_export(exporter, HF_OK, NULL);
        return;
    }
    const struct syslog_sending sending = {
        .bytes = hf_slice_of(lines->bytes.data, lines->bytes.size),
        .ends = lines->ends,
        .count = lines->count,
        .deadline_ns = export->deadline_ns,
    };
    syslog_peer_send(exporter->peer, &sending);
}

/* ---- the exporter ---- */

static bool has_tls(const struct syslog_config *config)
{
    bool has_ca = config->tls.ca_file != NULL || config->tls.ca_pem != NULL;
    return config->network == NETWORK_TCP && (!config->tls.insecure || has_ca);
}

/* The host without the brackets that an IPv6 address may have. */
static struct hf_grpc_target target_of(const struct syslog_config *config)
{
    struct hf_grpc_target target = {.is_unix = config->network == NETWORK_UNIX};
    const char *host = config->endpoint;
    size_t size = strlen(host);
    if (!target.is_unix && size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    snprintf(target.host, sizeof(target.host), "%.*s", (int)size, host);
    snprintf(target.port, sizeof(target.port), "%u", (unsigned)config->port);
    return target;
}

static void close_exporter(void *self)
{
    struct syslog_exporter *exporter = self;
    syslog_peer_free(exporter->peer);
    if (exporter->export != NULL) {
        end_export(exporter, HF_CLOSED, "the exporter stops");
    }
    hf_tls_free(exporter->tls);
    syslog_lines_release(&exporter->lines);
    hf_payload_release(&exporter->payload);
    free(exporter);
}

static void on_reload_failed(void *user, const char *why)
{
    const struct syslog_exporter *exporter = user;
    hf_node_log(exporter->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static enum hf_status open_tls(struct syslog_exporter *exporter, char *reterr)
{
    const struct hf_tls_config *tls = &exporter->config->tls;
    enum hf_status status = hf_tls_new_client(tls, "", &exporter->tls, reterr);
    if (status == HF_OK) {
        hf_tls_report_to(exporter->tls, on_reload_failed, exporter);
        hf_warn_of_missing_ca(exporter->node, tls);
    }
    return status;
}

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct syslog_config *config = from;
    struct syslog_exporter *exporter = calloc(1, sizeof(*exporter));
    snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    if (exporter == NULL) {
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->target = target_of(config);
    exporter->lines = (struct syslog_lines){
        .protocol = (enum syslog_protocol)config->protocol,
        .counts_octets = config->enable_octet_counting,
        .ends_at_breaks = config->network != NETWORK_UDP && !config->enable_octet_counting,
        .line_bytes_max = config->network == NETWORK_UDP ? DATAGRAM_BYTES_MAX : 0,
    };
    enum hf_status status = has_tls(config) ? open_tls(exporter, reterr) : HF_OK;
    if (status == HF_OK) {
        const char *server_name = config->tls.server_name_override;
        bool is_named = server_name != NULL && server_name[0] != '\0';
        const struct syslog_peer_options options = {
            .node = node,
            .loop = hf_node_own_loop(node),
            .target = exporter->target,
            .is_datagrams = config->network == NETWORK_UDP,
            .tls = exporter->tls,
            .server_name = is_named ? server_name : exporter->target.host,
            .done = on_sent,
            .user = exporter,
        };
        status = syslog_peer_new(&options, &exporter->peer);
    }
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

/* ---- keys ---- */

static const char *check_host(const char *endpoint)
{
    const char *colon = strchr(endpoint, ':');
    if (strlen(endpoint) >= sizeof(((struct hf_grpc_target *)NULL)->host)) {
        return "endpoint: the host is too long";
    }
    if (strpbrk(endpoint, "/ ") != NULL) {
        return "endpoint: expected a host, such as syslog.example.com";
    }
    bool is_bracketed = endpoint[0] == '[' && endpoint[strlen(endpoint) - 1] == ']';
    bool has_port =
        colon != NULL && !is_bracketed && (endpoint[0] == '[' || strchr(colon + 1, ':') == NULL);
    return has_port ? "endpoint: expected a host without a port, which is the key port" : NULL;
}

static const char *check_config(const void *from)
{
    const struct syslog_config *config = from;
    const char *endpoint = config->endpoint;
    if (endpoint == NULL || endpoint[0] == '\0') {
        return "endpoint must be specified";
    }
    if (config->enable_octet_counting && config->protocol != SYSLOG_RFC5424) {
        return "enable_octet_counting is only supported with the protocol rfc5424";
    }
    if (config->network == NETWORK_UNIX) {
        return strlen(endpoint) > UNIX_PATH_MAX ? "endpoint: the path is too long for a socket"
                                                : NULL;
    }
    const char *problem = check_host(endpoint);
    return problem == NULL && config->network == NETWORK_TCP ? hf_tls_client_check(&config->tls)
                                                             : problem;
}

#define AT(member) offsetof(struct syslog_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .required = true,
     .help = "The host of the syslog server; with network unix the path of its socket."},
    {.key = "port",
     .type = HF_FIELD_INT,
     .offset = AT(port),
     .default_text = "514",
     .min = 1,
     .max = 65535,
     .help = "Its port."},
    {.key = "network",
     .type = HF_FIELD_ENUM,
     .offset = AT(network),
     .default_text = "tcp",
     .choices = (const char *const[]){"tcp", "udp", "unix", NULL},
     .help = "tcp, with TLS unless tls::insecure; udp, a datagram for each message, which is "
             "not confirmed; or unix, a stream socket on this machine."},
    {.key = "protocol",
     .type = HF_FIELD_ENUM,
     .offset = AT(protocol),
     .default_text = "rfc5424",
     .choices = (const char *const[]){"rfc5424", "rfc3164", NULL},
     .help =
         "The form of a message. Its fields are the attributes priority, version, hostname, "
         "appname, proc_id, msg_id, structured_data and message of the record; RFC 3164 has "
         "priority, hostname, appname and message. The record's body is not sent. A blank within "
         "a field of the header is sent as _."},
    {.key = "enable_octet_counting",
     .type = HF_FIELD_BOOL,
     .offset = AT(enable_octet_counting),
     .default_text = "false",
     .help =
         "Put the length before each message (RFC 6587), so that a line break inside does not "
         "end it; with rfc5424. Without it, one in a message over tcp or unix is sent as #012."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "Encryption of tcp; on unless insecure: true."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "5s",
    .in_flight = 1,
    .request_bytes_max = EXPORT_BYTES,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct syslog_config *config = from;
    const struct hf_grpc_target target = target_of(config);
    if (config->network == NETWORK_UDP) {
        hf_probe_say(probe, "udp", target.host, HF_PROBE_WARNING,
                     "a server that takes datagrams does not say that it is there");
        return;
    }
    const struct hf_probe_server server = {
        .host = target.host,
        .port = target.port,
        .path = target.is_unix ? target.host : NULL,
        .tls = has_tls(config) ? &config->tls : NULL,
        .alpn = "",
    };
    hf_probe_server(probe, &server);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_syslog = {
    .type = "syslog",
    .help = "Sends syslog messages over TCP, TLS, UDP or a Unix socket. Syslog has no "
            "acknowledgement: delivered means that the operating system of the server has "
            "confirmed every byte and the server has not closed the connection.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct syslog_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
