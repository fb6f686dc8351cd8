/*
 * syslog: receives syslog messages, RFC 5424 and RFC 3164, over TCP or UDP.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/lines/log_listener.h"
#include "support/probe/probe_inputs.h"
#include "support/probe/probe_server.h"

enum { PROTOCOL_NONE = 0, PROTOCOL_3164, PROTOCOL_5424 };

static const char *const protocols[] = {"none", "rfc3164", "rfc5424", NULL};
static const char *const trailers[] = {"LF", "NUL", NULL};
static const char *const on_errors[] = {"send", "send_quiet", "drop", "drop_quiet", NULL};

struct syslog_config {
    const struct hf_log_tcp_config *tcp;
    const struct hf_log_udp_config *udp;
    struct hf_log_intake_config intake;
    int64_t protocol, on_error, octets_max, trailer;
    const char *location;
    bool counts_octets, trailer_written, allows_no_pri;
};

#define PARSER_KEYS 7

/* The parser's configuration, as a user would write it among the operators. */
struct parser {
    const char *keys[PARSER_KEYS];
    struct hf_value values[PARSER_KEYS];
};

static struct hf_value text_value(const char *text)
{
    return (struct hf_value){.type = HF_VALUE_STRING, .string = text};
}

static struct hf_value bool_value(bool boolean)
{
    return (struct hf_value){
        .type = HF_VALUE_BOOL, .string = boolean ? "true" : "false", .boolean = boolean};
}

static struct hf_value describe_parser(const struct syslog_config *config, struct parser *parser)
{
    *parser = (struct parser){
        .keys = {"type", "protocol", "location", "on_error", "allow_skip_pri_header",
                 "enable_octet_counting", "max_octets"},
        .values = {text_value("syslog_parser"),
                   text_value(protocols[config->protocol]),
                   text_value(config->location),
                   text_value(on_errors[config->on_error]),
                   bool_value(config->allows_no_pri),
                   bool_value(config->counts_octets),
                   {.type = HF_VALUE_INT, .string = "", .integer = config->octets_max}},
    };
    return (struct hf_value){
        .type = HF_VALUE_MAP, .keys = parser->keys, .items = parser->values, .count = PARSER_KEYS};
}

struct syslog_receiver {
    struct parser parser; /* the operator borrows it */
    struct hf_log_listener *listener;
};

static void close_receiver(void *self)
{
    struct syslog_receiver *receiver = self;
    hf_log_listener_close(receiver->listener);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct syslog_config *config = from;
    struct syslog_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    const struct hf_value before = describe_parser(config, &receiver->parser);
    bool is_nul = config->trailer_written && config->trailer == 1;
    const struct hf_log_listener_options options = {
        .node = node,
        .intake = &config->intake,
        .tcp = config->tcp,
        .udp = config->tcp == NULL ? config->udp : NULL,
        .section = config->tcp != NULL ? "tcp::" : "udp::",
        .framing = config->counts_octets ? HF_LOG_FRAMING_OCTETS
                   : is_nul              ? HF_LOG_FRAMING_NUL
                                         : HF_LOG_FRAMING_LINES,
        .before = &before,
        .before_count = 1,
    };
    enum hf_status status = hf_log_listener_open(&options, &receiver->listener, reterr);
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct syslog_receiver *receiver = self;
    return hf_log_listener_start(receiver->listener, reterr);
}

static void stop_receiver(void *self)
{
    struct syslog_receiver *receiver = self;
    hf_log_listener_stop(receiver->listener);
}

static const char *check_config(const void *from)
{
    const struct syslog_config *config = from;
    if (config->tcp == NULL && config->udp == NULL) {
        return "need tcp config or udp config";
    }
    if (config->tcp != NULL && config->udp != NULL) {
        return "tcp and udp exclude each other: use two receivers, syslog/tcp and syslog/udp";
    }
    if (config->udp != NULL && (config->counts_octets || config->trailer_written)) {
        return "enable_octet_counting and non_transparent_framing_trailer are not for udp";
    }
    if (config->counts_octets && config->trailer_written) {
        return "enable_octet_counting and non_transparent_framing_trailer exclude each other";
    }
    if (config->trailer_written && config->protocol == PROTOCOL_3164) {
        return "non_transparent_framing_trailer is for rfc5424";
    }
    const char *wrong = config->tcp != NULL ? hf_log_tcp_check(config->tcp) : NULL;
    return wrong != NULL ? wrong : hf_log_entries_check(&config->intake.entries);
}

struct syslog_tcp {
    struct hf_log_tcp_config tcp;
};

struct syslog_udp {
    struct hf_log_udp_config udp;
};

static const struct hf_field tcp_fields[] = {
    HF_LOG_TCP_FIELDS(struct syslog_tcp, tcp),
    HF_FIELDS_END,
};

static const struct hf_field udp_fields[] = {
    HF_LOG_UDP_FIELDS(struct syslog_udp, udp),
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct syslog_config, member)

static const struct hf_field fields[] = {
    {.key = "protocol",
     .type = HF_FIELD_ENUM,
     .offset = AT(protocol),
     .required = true,
     .choices = protocols,
     .help = "rfc5424, rfc3164, or none for any text."},
    {.key = "location",
     .type = HF_FIELD_STRING,
     .offset = AT(location),
     .default_text = "UTC",
     .help = "IANA time zone of the times of RFC 3164, which name none."},
    {.key = "enable_octet_counting",
     .type = HF_FIELD_BOOL,
     .offset = AT(counts_octets),
     .default_text = "false",
     .help = "tcp: a count of bytes stands before each message (RFC 6587)."},
    {.key = "max_octets",
     .type = HF_FIELD_INT,
     .offset = AT(octets_max),
     .default_text = "8192",
     .min = 1,
     .max = 64 << 20,
     .help = "Largest count; longer messages are not parsed."},
    {.key = "non_transparent_framing_trailer",
     .type = HF_FIELD_ENUM,
     .offset = AT(trailer),
     .present_offset = AT(trailer_written),
     .choices = trailers,
     .help = "tcp: LF or NUL behind each message (RFC 6587)."},
    {.key = "allow_skip_pri_header",
     .type = HF_FIELD_BOOL,
     .offset = AT(allows_no_pri),
     .default_text = "false",
     .help = "Messages without <priority> are parsed too."},
    {.key = "on_error",
     .type = HF_FIELD_ENUM,
     .offset = AT(on_error),
     .default_text = "send",
     .choices = on_errors,
     .help =
         "A text that is no syslog message: send it as it is, or drop it; quiet: without a line "
         "in the log."},
    {.key = "tcp",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(tcp),
     .inner = tcp_fields,
     .inner_size = sizeof(struct hf_log_tcp_config),
     .help = "Messages over TCP, a line each unless framed otherwise. The protocol has no answer: "
             "what was read is on disk before more is read."},
    {.key = "udp",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(udp),
     .inner = udp_fields,
     .inner_size = sizeof(struct hf_log_udp_config),
     .help = "Messages over UDP, a datagram each."},
    HF_LOG_INTAKE_FIELDS(struct syslog_config, intake),
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct syslog_config *config = from;
    if (config->tcp != NULL) {
        hf_probe_listen(probe, config->tcp->listen_address);
        hf_probe_own_tls(probe, config->tcp->tls);
    }
    hf_probe_udp(probe, config->udp != NULL ? config->udp->listen_address : NULL);
}

const struct hf_component hf_receiver_syslog = {
    .type = "syslog",
    .help = "Receives syslog messages over TCP, TLS or UDP and makes attributes of their fields.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct syslog_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
