/*
 * udplog: receives log records over UDP.
 */
#include <holdfast/component.h>

#include "support/lines/log_listener.h"
#include "support/probe/probe_inputs.h"

struct udplog_config {
    struct hf_log_udp_config udp;
    struct hf_log_intake_config intake;
};

static enum hf_status open_receiver(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct udplog_config *config = from;
    const struct hf_log_listener_options options = {
        .node = node, .intake = &config->intake, .udp = &config->udp, .section = ""};
    struct hf_log_listener *listener = NULL;
    enum hf_status status = hf_log_listener_open(&options, &listener, reterr);
    if (status == HF_OK) {
        *ret_self = listener;
    }
    return status;
}

static const char *check_config(const void *from)
{
    const struct udplog_config *config = from;
    return hf_log_entries_check(&config->intake.entries);
}

static const struct hf_field fields[] = {
    HF_LOG_UDP_FIELDS(struct udplog_config, udp),
    HF_LOG_INTAKE_FIELDS(struct udplog_config, intake),
    HF_FIELDS_END,
};

static const char *const aliases[] = {"udp_log", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct udplog_config *config = from;
    hf_probe_udp(probe, config->udp.listen_address);
}

const struct hf_component hf_receiver_udplog = {
    .type = "udplog",
    .aliases = aliases,
    .help = "Receives datagrams of log records over UDP; what comes while the queue is full waits "
            "in the socket's buffer, and is counted when it has no room there.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct udplog_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = hf_log_listener_start,
    .stop = hf_log_listener_stop,
    .close = hf_log_listener_close,
};
