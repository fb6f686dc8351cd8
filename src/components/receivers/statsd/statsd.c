/*
 * statsd: receives StatsD lines over UDP, TCP or a Unix socket and hands on what an interval adds
 * up to. No sender is answered, so nothing is promised for a line; what was read is kept all the
 * same: statsd_interval.c.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "statsd_internal.h"
#include "support/probe/probe_inputs.h"
#include "util/time/clock.h"

#define PACKET_BYTES_MAX 65535u
#define LINE_BYTES_MAX ((size_t)64 << 10)
#define BATCH_BYTES_MAX ((size_t)4 << 20)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

/* The address of a sender, as text: with its port unless `enable_ip_only_aggregation`. */
static void name_sender(const struct statsd *statsd, const struct sockaddr *from, char *ret_text)
{
    const struct sockaddr_in *ip4 = (const void *)from;
    const struct sockaddr_in6 *ip6 = (const void *)from;
    char ip[INET6_ADDRSTRLEN] = "";
    bool is_ip6 = from != NULL && from->sa_family == AF_INET6;
    ret_text[0] = '\0';
    if (statsd->config->ignores_host || from == NULL || (from->sa_family != AF_INET && !is_ip6)) {
        return;
    }
    if (is_ip6 && IN6_IS_ADDR_V4MAPPED(&ip6->sin6_addr)) {
        (void)inet_ntop(AF_INET, &ip6->sin6_addr.s6_addr[12], ip, sizeof(ip));
        is_ip6 = false;
    } else {
        (void)inet_ntop(from->sa_family,
                        is_ip6 ? (const void *)&ip6->sin6_addr : (const void *)&ip4->sin_addr, ip,
                        sizeof(ip));
    }
    unsigned port = ntohs(ip4->sin_port); /* at the same place in both */
    if (statsd->config->by_ip) {
        snprintf(ret_text, STATSD_SENDER_MAX, "%s", ip);
    } else {
        snprintf(ret_text, STATSD_SENDER_MAX, is_ip6 ? "[%s]:%u" : "%s:%u", ip, port);
    }
}

static void take_datagram(void *user, const struct hf_datagram *datagram)
{
    struct statsd *statsd = user;
    struct hf_slice rest = datagram->bytes;
    char sender[STATSD_SENDER_MAX];
    name_sender(statsd, datagram->from, sender);
    while (rest.size != 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;
        if (size != 0) {
            statsd_take_line(statsd, sender, hf_slice_of(rest.data, size));
        }
        size += end != NULL ? 1 : 0;
        rest = hf_slice_of(rest.data + size, rest.size - size);
    }
}

static bool cut_line(void *user, struct hf_stream_peer *peer, struct hf_slice bytes, bool at_end,
                     struct hf_stream_message *ret_message)
{
    const uint8_t *end = bytes.size != 0 ? memchr(bytes.data, '\n', bytes.size) : NULL;
    (void)user;
    (void)peer;
    if (bytes.size == 0 || (end == NULL && !at_end)) {
        return false;
    }
    size_t size = end != NULL ? (size_t)(end - bytes.data) : bytes.size;
    *ret_message = (struct hf_stream_message){.used = size + (end != NULL ? 1 : 0)};
    while (size != 0 && bytes.data[size - 1] <= ' ') {
        size--;
    }
    size_t start = 0;
    while (start < size && bytes.data[start] <= ' ') {
        start++;
    }
    ret_message->bytes = hf_slice_of(bytes.data + start, size - start);
    ret_message->is_nothing = start == size;
    return true;
}

static bool take_message(void *user, struct hf_stream_peer *peer, struct hf_slice message)
{
    struct statsd *statsd = user;
    char sender[STATSD_SENDER_MAX];
    name_sender(statsd, (const struct sockaddr *)&peer->remote, sender);
    statsd_take_line(statsd, sender, message);
    return true;
}

/* ---- life ---- */

static const char *endpoint_of(const struct statsd_config *config)
{
    return config->endpoint != NULL ? config->endpoint
           : statsd_is_unix(config) ? "/var/run/statsd-receiver.sock"
                                    : "localhost:8125";
}

static enum hf_status open_sockets(struct statsd *statsd, char *reterr)
{
    static const struct hf_streams_ops stream_ops = {.cut = cut_line,
                                                     .take = take_message,
                                                     .collect = statsd_collect,
                                                     .due_ns = statsd_due_ns,
                                                     .place = statsd_place};
    static const struct hf_datagrams_ops datagram_ops = {.take = take_datagram,
                                                         .collect = statsd_collect,
                                                         .due_ns = statsd_due_ns,
                                                         .place = statsd_place};
    const struct statsd_config *config = statsd->config;
    bool is_unix = statsd_is_unix(config);
    const char *endpoint = endpoint_of(config);
    const struct hf_streams_options streams = {.node = statsd->node,
                                               .endpoint = endpoint,
                                               .transport = "tcp",
                                               .message_bytes_max = LINE_BYTES_MAX,
                                               .ops = &stream_ops,
                                               .user = statsd};
    const struct hf_datagrams_options datagrams = {.node = statsd->node,
                                                   .endpoint = endpoint,
                                                   .is_unix = is_unix,
                                                   .mode = config->mode,
                                                   .transport = is_unix ? "unixgram" : "udp",
                                                   .packet_bytes_max = PACKET_BYTES_MAX,
                                                   .socket_buffer_bytes =
                                                       config->socket_buffer_bytes,
                                                   .ops = &datagram_ops,
                                                   .user = statsd};
    return statsd_is_stream(config) ? hf_streams_open(&streams, &statsd->streams, reterr)
                                    : hf_datagrams_open(&datagrams, &statsd->datagrams, reterr);
}

static struct hf_series *counter(const struct statsd *statsd, const char *parse_success)
{
    static const struct hf_metric_family family = {
        .name = "otelcol_receiver_received_statsd_metrics",
        .type = HF_COUNTER,
        .help = "Lines that were read, and those that could not be.",
    };
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(statsd->node)},
                                      {"parse_success", parse_success},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(statsd->node), &family, labels);
}

static void close_statsd(void *self)
{
    struct statsd *statsd = self;
    if (statsd == NULL) {
        return;
    }
    hf_datagrams_close(statsd->datagrams);
    hf_streams_close(statsd->streams);
    hf_turn_leave(statsd->turn);
    if (statsd->ahead != NULL) {
        hf_ref_drop(&statsd->ahead->ref);
    }
    statsd_store_release(&statsd->store);
    statsd_rules_release(&statsd->rules);
    hf_builder_release(&statsd->builder);
    hf_log_limiter_release(&statsd->said);
    hf_bytes_release(&statsd->early);
    free(statsd->path);
    free(statsd);
}

static enum hf_status open_parts(struct statsd *statsd, char *reterr)
{
    enum hf_status status = statsd_rules_init(&statsd->rules, statsd->config, reterr);
    if (status == HF_OK) {
        status =
            statsd_store_init(&statsd->store, statsd->config, &statsd->rules, hf_clock_unix_ns());
    }
    status = status == HF_OK ? hf_state_file_path(statsd->node, &statsd->path) : status;
    statsd->parsed = counter(statsd, "true");
    statsd->failed = counter(statsd, "false");
    if (status == HF_OK && (statsd->parsed == NULL || statsd->failed == NULL)) {
        status = HF_NOMEM;
    }
    return status == HF_OK ? open_sockets(statsd, reterr) : status;
}

static enum hf_status open_statsd(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct statsd *statsd = calloc(1, sizeof(*statsd));
    if (statsd == NULL) {
        return HF_NOMEM;
    }
    statsd->node = node;
    statsd->config = config;
    hf_builder_init(&statsd->builder, HF_METRICS, BATCH_BYTES_MAX);
    hf_log_limiter_init(&statsd->said, SAY_AGAIN_NS);
    enum hf_status status = open_parts(statsd, reterr);
    if (status != HF_OK) {
        close_statsd(statsd);
        return status;
    }
    *ret_self = statsd;
    return HF_OK;
}

static enum hf_status start_statsd(void *self, char *reterr)
{
    struct statsd *statsd = self;
    enum hf_status status = hf_turn_join(hf_node_place_id(statsd->node), &statsd->turn);
    if (status != HF_OK) {
        return status;
    }
    statsd->flush_due_ns = hf_clock_monotonic_ns() + statsd->config->interval_ns;
    return statsd->streams != NULL ? hf_streams_start(statsd->streams, reterr)
                                   : hf_datagrams_start(statsd->datagrams, reterr);
}

static void stop_statsd(void *self)
{
    struct statsd *statsd = self;
    hf_datagrams_stop(statsd->datagrams);
    hf_streams_stop(statsd->streams);
    hf_turn_leave(statsd->turn);
    statsd->turn = NULL;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct statsd_config *config = from;
    char text[HF_PROBE_TEXT_MAX];
    if (statsd_is_unix(config)) {
        snprintf(text, sizeof(text), "unixgram://%s", endpoint_of(config));
        hf_probe_listen(probe, text);
    } else if (statsd_is_stream(config)) {
        hf_probe_listen(probe, endpoint_of(config));
    } else {
        hf_probe_udp(probe, endpoint_of(config));
    }
}

const struct hf_component hf_receiver_statsd = {
    .type = "statsd",
    .help = "Receives StatsD and DogStatsD lines over UDP, TCP or a Unix socket and hands on what "
            "an interval adds up to. Of what was read a kill costs the last second; a stop and a "
            "reload hand over what there is.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct statsd_config),
    .fields = statsd_fields,
    .check = statsd_check,
    .probe = probe_outside,
    .open = open_statsd,
    .start = start_statsd,
    .stop = stop_statsd,
    .close = close_statsd,
};
