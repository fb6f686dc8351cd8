/*
 * awsxray: receives segments as the X-Ray daemon does, a datagram each. The protocol has no
 * answers: what was read is committed before more is read.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/xray.h"
#include "support/lines/datagrams.h"
#include "support/probe/probe_inputs.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"
#include "util/validators.h"

#define PACKET_BYTES_MAX 65536u /* as the daemon reads them */
#define BATCH_BYTES_MAX ((size_t)4 << 20)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

struct xray_config {
    const char *endpoint;
    int64_t transport;
    uint64_t socket_buffer_bytes;
    struct hf_value proxy;
};

struct receiver {
    struct hf_node *node;
    struct hf_datagrams *datagrams;
    struct hf_builder builder;
    struct hf_log_limiter said;
    struct hf_series *malformed;
};

static void take(void *user, const struct hf_datagram *datagram)
{
    struct receiver *receiver = user;
    char error[HF_XRAY_ERROR_MAX] = "a datagram is longer than 65536 bytes";
    char peer[HF_DATAGRAM_PEER_MAX];
    enum hf_status status = HF_INVALID;
    if (!datagram->is_cut) {
        status = hf_xray_read(datagram->bytes, &receiver->builder, error);
    }
    if (status == HF_OK) {
        return;
    }
    hf_series_add(receiver->malformed, 1);
    hf_datagram_peer(datagram, peer);
    const char *what = status == HF_NOMEM ? hf_status_row(status)->says : error;
    if (hf_log_limiter_allows(&receiver->said, peer, what, hf_clock_monotonic_ns())) {
        hf_node_log(receiver->node, HF_LOG_WARN, "a datagram of %s is refused: %s", peer, what);
    }
}

static struct hf_batch *collect(void *user, uint64_t now_ns, bool is_last)
{
    struct receiver *receiver = user;
    (void)now_ns;
    (void)is_last;
    return hf_datagrams_collect_built(&receiver->builder, receiver->node, "spans");
}

/* ---- life ---- */

static void close_receiver(void *self)
{
    struct receiver *receiver = self;
    hf_datagrams_close(receiver->datagrams);
    hf_builder_release(&receiver->builder);
    hf_log_limiter_release(&receiver->said);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    static const struct hf_datagrams_ops ops = {.take = take, .collect = collect};
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_errors",
        .type = HF_COUNTER,
        .help = "Requests and connections refused for what they are, by reason.",
    };
    const struct xray_config *config = from;
    const struct hf_label labels[] = {{"receiver", hf_node_id(node)},
                                      {"transport", "udp"},
                                      {"reason", "malformed"},
                                      {NULL, NULL}};
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    hf_builder_init(&receiver->builder, HF_TRACES, BATCH_BYTES_MAX);
    hf_log_limiter_init(&receiver->said, SAY_AGAIN_NS);
    receiver->malformed = hf_metrics_series(hf_node_metrics(node), &family, labels);
    const struct hf_datagrams_options options = {
        .node = node,
        .endpoint = config->endpoint,
        .transport = "udp",
        .packet_bytes_max = PACKET_BYTES_MAX,
        .socket_buffer_bytes = config->socket_buffer_bytes,
        .ops = &ops,
        .user = receiver,
    };
    enum hf_status status = receiver->malformed != NULL
                                ? hf_datagrams_open(&options, &receiver->datagrams, reterr)
                                : HF_NOMEM;
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct receiver *receiver = self;
    return hf_datagrams_start(receiver->datagrams, reterr);
}

static void stop_receiver(void *self)
{
    struct receiver *receiver = self;
    hf_datagrams_stop(receiver->datagrams);
}

/* ---- keys ---- */

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct xray_config *config = from;
    hf_probe_udp(probe, config->endpoint);
}

static const char *check_receiver(const void *from)
{
    const struct xray_config *config = from;
    return config->proxy.type != HF_VALUE_NONE
               ? "proxy_server: the proxy for sampling rules of X-Ray is not served; remove the "
                 "section, and SDKs sample by their local rules"
               : NULL;
}

static const char *const transports[] = {"udp", NULL};

#define AT(member) offsetof(struct xray_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .default_text = "localhost:2000",
     .validate = hf_expect_listen,
     .help = "host:port."},
    {.key = "transport",
     .type = HF_FIELD_ENUM,
     .offset = AT(transport),
     .choices = transports,
     .default_text = "udp",
     .help = "How segments come."},
    {.key = "socket_buffer_size",
     .type = HF_FIELD_BYTES,
     .offset = AT(socket_buffer_bytes),
     .default_text = "0",
     .help = "The socket's buffer, in which datagrams wait while others are committed; 0: as the "
             "system has it."},
    {.key = "dialer", .type = HF_FIELD_IGNORED, .help = "Without effect: it listens."},
    {.key = "proxy_server",
     .type = HF_FIELD_VALUE,
     .offset = AT(proxy),
     .help = "Must be absent: the proxy for sampling rules of X-Ray is not served."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_awsxray = {
    .type = "awsxray",
    .aliases = (const char *const[]){"aws_xray", NULL},
    .help = "Receives segments of AWS X-Ray over UDP, as its daemon does. No sender is answered: "
            "what comes while the queue is full waits in the socket's buffer, and what has no room "
            "there is lost and counted.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct xray_config),
    .fields = fields,
    .check = check_receiver,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
