/*
 * tcplog: receives log records over TCP.
 */
#include <holdfast/component.h>

#include "support/lines/log_listener.h"
#include "support/probe/probe_server.h"

struct tcplog_config {
    struct hf_log_tcp_config tcp;
    struct hf_log_intake_config intake;
};

static enum hf_status open_receiver(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct tcplog_config *config = from;
    const struct hf_log_listener_options options = {
        .node = node, .intake = &config->intake, .tcp = &config->tcp, .section = ""};
    struct hf_log_listener *listener = NULL;
    enum hf_status status = hf_log_listener_open(&options, &listener, reterr);
    if (status == HF_OK) {
        *ret_self = listener;
    }
    return status;
}

static const char *check_config(const void *from)
{
    const struct tcplog_config *config = from;
    const char *wrong = hf_log_tcp_check(&config->tcp);
    return wrong != NULL ? wrong : hf_log_entries_check(&config->intake.entries);
}

static const struct hf_field fields[] = {
    HF_LOG_TCP_FIELDS(struct tcplog_config, tcp),
    HF_LOG_INTAKE_FIELDS(struct tcplog_config, intake),
    HF_FIELDS_END,
};

static const char *const aliases[] = {"tcp_log", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct tcplog_config *config = from;
    hf_probe_listen(probe, config->tcp.listen_address);
    hf_probe_own_tls(probe, config->tcp.tls);
}

const struct hf_component hf_receiver_tcplog = {
    .type = "tcplog",
    .aliases = aliases,
    .help = "Receives lines over TCP; the protocol has no answer: what was read is on disk before "
            "more is read.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct tcplog_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = hf_log_listener_start,
    .stop = hf_log_listener_stop,
    .close = hf_log_listener_close,
};
