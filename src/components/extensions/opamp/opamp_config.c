#include "opamp_config.h"

#include "http/client.h"
#include "http/websocket.h"
#include "opamp_uid.h"
#include "util/validators.h"

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *opamp_check_config(const void *from)
{
    const struct opamp_config *config = from;
    const struct opamp_server_config *ws = config->server.ws, *http = config->server.http;
    struct opamp_uid uid;
    if (ws == NULL && http == NULL) {
        return "server: opamp server must have at least ws or http set";
    }
    if (ws != NULL && http != NULL) {
        return "server: opamp server must have only ws or http set";
    }
    const struct opamp_server_config *server = ws != NULL ? ws : http;
    if (!given(server->endpoint)) {
        return "server: opamp server endpoint must be provided";
    }
    if (ws != NULL && !hf_websocket_is_url(ws->endpoint)) {
        return "server::ws::endpoint: expected a URL such as wss://host:4320/v1/opamp";
    }
    if (http != NULL && !hf_http_is_url(http->endpoint)) {
        return "server::http::endpoint: expected a URL such as https://host:4320/v1/opamp";
    }
    if (given(config->instance_uid) && !opamp_uid_read(config->instance_uid, &uid)) {
        return "instance_uid: opamp instance_uid is invalid: expected a UUID of 36 characters, or "
               "a ULID of 26";
    }
    return hf_tls_client_check(&server->tls);
}

#define SERVER(member) offsetof(struct opamp_server_config, member)
#define AT(member) offsetof(struct opamp_config, member)
#define WITHIN(outer, member) (AT(outer.member) - AT(outer))

/* clang-format off */
#define SERVER_FIELDS(example)                                                                     \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = SERVER(endpoint),                                                                   \
     .help = "URL of the server, such as " example "."},                                           \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = SERVER(tls),                                                                        \
     .inner = hf_tls_client_fields,                                                                \
     .help = "How the server is verified."},                                                       \
    {.key = "headers",                                                                             \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = SERVER(headers),                                                                    \
     .validate = hf_expect_header,                                                                 \
     .is_secret = true,                                                                            \
     .help = "Headers of each request, and of the one that begins the WebSocket."},                \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_REF,                                                                         \
     .offset = SERVER(auth),                                                                       \
     .help = "The extension that adds credentials."}
/* clang-format on */

static const struct hf_field ws_fields[] = {
    SERVER_FIELDS("wss://host:4320/v1/opamp"),
    HF_FIELDS_END,
};

static const struct hf_field http_fields[] = {
    SERVER_FIELDS("https://host:4320/v1/opamp"),
    {.key = "polling_interval",
     .type = HF_FIELD_DURATION,
     .offset = SERVER(polling_interval_ns),
     .default_text = "30s",
     .help = "How often the server is asked when there is nothing to report; 0: 30 s."},
    HF_FIELDS_END,
};

static const struct hf_field server_fields[] = {
    {.key = "ws",
     .type = HF_FIELD_OPTIONAL,
     .offset = WITHIN(server, ws),
     .inner = ws_fields,
     .inner_size = sizeof(struct opamp_server_config),
     .help = "The server, over a WebSocket that stays open."},
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .offset = WITHIN(server, http),
     .inner = http_fields,
     .inner_size = sizeof(struct opamp_server_config),
     .help = "The server, by requests over HTTP."},
    HF_FIELDS_END,
};

static const struct hf_field capability_fields[] = {
    {.key = "reports_effective_config",
     .type = HF_FIELD_BOOL,
     .offset = WITHIN(capabilities, reports_effective_config),
     .default_text = "true",
     .help = "Report the configuration in effect, with its secrets redacted."},
    {.key = "reports_health",
     .type = HF_FIELD_BOOL,
     .offset = WITHIN(capabilities, reports_health),
     .default_text = "true",
     .help = "Report how the process, its pipelines and components fare, when it changes."},
    {.key = "reports_available_components",
     .type = HF_FIELD_BOOL,
     .offset = WITHIN(capabilities, reports_available_components),
     .default_text = "true",
     .help = "Report which components are built in: a hash, and the list when it is asked for."},
    {.key = "accepts_restart_command",
     .type = HF_FIELD_BOOL,
     .offset = WITHIN(capabilities, accepts_restart_command),
     .help = "Reload the configuration, as at SIGHUP, when the server sends the restart command."},
    {.key = "reports_heartbeat",
     .type = HF_FIELD_IGNORED,
     .help = "The server does not set the interval of heartbeats."},
    HF_FIELDS_END,
};

static const struct hf_field description_fields[] = {
    {.key = "non_identifying_attributes",
     .type = HF_FIELD_MAP,
     .offset = WITHIN(description, non_identifying),
     .help = "Attributes beside those that are found out: os.type, os.description, host.arch, "
             "host.name."},
    {.key = "include_resource_attributes",
     .type = HF_FIELD_BOOL,
     .offset = WITHIN(description, include_resource),
     .help = "The attributes of service::telemetry::resource, too."},
    HF_FIELDS_END,
};

const struct hf_field opamp_fields[] = {
    {.key = "server",
     .type = HF_FIELD_STRUCT,
     .offset = AT(server),
     .inner = server_fields,
     .help = "Where it reports to: ws or http."},
    {.key = "instance_uid",
     .type = HF_FIELD_STRING,
     .offset = AT(instance_uid),
     .help = "A UUID, or a ULID, that stays the same over restarts. Absent: the process's "
             "service.instance.id, when that is a UUID."},
    {.key = "capabilities",
     .type = HF_FIELD_STRUCT,
     .offset = AT(capabilities),
     .inner = capability_fields,
     .help = "What it reports and takes. A configuration of the server's is never applied: that is "
             "the supervisor's."},
    {.key = "agent_description",
     .type = HF_FIELD_STRUCT,
     .offset = AT(description),
     .inner = description_fields,
     .help = "What it says of itself."},
    {.key = "ppid",
     .type = HF_FIELD_INT,
     .offset = AT(ppid),
     .default_text = "0",
     .min = 0,
     .max = INT32_MAX,
     .help = "A process, usually the supervisor: when it has ended, this one stops, as at SIGTERM. "
             "0: none."},
    {.key = "ppid_poll_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(ppid_poll_interval_ns),
     .default_text = "5s",
     .help = "How often that is looked at."},
    HF_FIELDS_END,
};
