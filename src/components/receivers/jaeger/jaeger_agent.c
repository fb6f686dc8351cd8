/*
 * jaeger_agent: Jaeger's clients over UDP: each datagram is a call of emitBatch, in Thrift's
 * compact or binary protocol.
 */
#include "jaeger_internal.h"
#include "util/metrics/metrics.h"

#define BATCH_BYTES_MAX ((size_t)4 << 20)
#define DATAGRAM_BYTES_MAX ((size_t)65536) /* UDP has none that is larger */
#define CUT "a datagram is longer than max_packet_size"

static void take(void *user, const struct hf_datagram *datagram)
{
    struct jaeger_agent *agent = user;
    char error[HF_JAEGER_ERROR_MAX] = CUT;
    char peer[HF_DATAGRAM_PEER_MAX];
    enum hf_status status = HF_INVALID;
    if (!datagram->is_cut) {
        status = hf_jaeger_read(datagram->bytes, agent->format, &agent->builder, error);
    }
    if (status != HF_OK) {
        hf_series_add(agent->malformed, 1);
        hf_datagram_peer(datagram, peer);
        hf_ingress_complain_of(&agent->receiver->base.ingress, peer, "malformed",
                               status == HF_NOMEM ? hf_status_row(status)->says : error);
    }
}

static struct hf_batch *collect(void *user, uint64_t now_ns, bool is_last)
{
    struct jaeger_agent *agent = user;
    (void)now_ns;
    (void)is_last;
    return hf_datagrams_collect_built(&agent->builder, agent->receiver->node, "spans of datagrams");
}

enum hf_status jaeger_agent_open(struct jaeger_agent *agent, struct jaeger_receiver *receiver,
                                 const struct jaeger_udp_config *config,
                                 enum hf_jaeger_format format, char *reterr)
{
    static const struct hf_datagrams_ops ops = {.take = take, .collect = collect};
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_errors",
        .type = HF_COUNTER,
        .help = "Requests and connections refused for what they are, by reason.",
    };
    const char *transport =
        format == HF_JAEGER_CALL_COMPACT ? "udp_thrift_compact" : "udp_thrift_binary";
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(receiver->node)},
                                      {"transport", transport},
                                      {"reason", "malformed"},
                                      {NULL, NULL}};
    agent->receiver = receiver;
    agent->format = format;
    agent->malformed = hf_metrics_series(hf_node_metrics(receiver->node), &family, labels);
    if (agent->malformed == NULL) {
        return HF_NOMEM;
    }
    size_t wanted = (size_t)config->packet_bytes_max;
    const struct hf_datagrams_options options = {
        .node = receiver->node,
        .endpoint = config->endpoint,
        .transport = transport,
        .packet_bytes_max = wanted < DATAGRAM_BYTES_MAX ? wanted : DATAGRAM_BYTES_MAX,
        .socket_buffer_bytes = config->socket_buffer_bytes,
        .ops = &ops,
        .user = agent,
    };
    hf_builder_init(&agent->builder, HF_TRACES, BATCH_BYTES_MAX);
    return hf_datagrams_open(&options, &agent->datagrams, reterr);
}

void jaeger_agent_close(struct jaeger_agent *agent)
{
    hf_datagrams_close(agent->datagrams);
    if (agent->receiver != NULL) {
        hf_builder_release(&agent->builder);
    }
}
