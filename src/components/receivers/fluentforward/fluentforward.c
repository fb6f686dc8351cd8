/*
 * fluentforward: receives the events of Fluentd and Fluent Bit by their Forward protocol. A chunk
 * is acknowledged, if its sender asks for that, once it is on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/fluent.h"
#include "support/lines/datagrams.h"
#include "support/lines/streams.h"
#include "support/settings/confighttp_server.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define BATCH_BYTES_MAX ((size_t)8 << 20)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define CHUNK_BYTES_MAX 1024u
#define HEARTBEAT_BYTES_MAX 64u
#define UNFINISHED "the connection ended, or reached max_event_size, within an event"

struct fluentforward_config {
    const char *endpoint;
    uint64_t event_bytes_max;
};

/* A chunk whose records are not on disk yet. */
struct waiting {
    struct hf_stream_peer *peer;
    size_t at; /* of its answer, among `answers` */
    size_t size;
};

struct fluentforward {
    struct hf_node *node;
    const struct fluentforward_config *config;
    struct hf_streams *streams;
    struct hf_datagrams *heartbeats; /* NULL: a Unix socket has none */
    struct hf_builder builder;
    struct hf_bytes waiting, answers; /* struct waiting; bytes */
    struct hf_log_limiter said;
    struct hf_series *events, *failures, *records, *opened, *closed;
};

/* ---- events ---- */

static bool cut(void *user, struct hf_stream_peer *peer, struct hf_slice bytes, bool at_end,
                struct hf_stream_message *ret_message)
{
    size_t size = bytes.size;
    enum hf_fluent_step step = hf_fluent_measure(bytes, &size);
    (void)user;
    (void)peer;
    if (step == HF_FLUENT_MORE && !at_end) {
        return false;
    }
    /* What is no event is taken whole: take() says so, and the connection ends. */
    ret_message->used = step == HF_FLUENT_WHOLE ? size : bytes.size;
    ret_message->bytes = hf_slice_of(bytes.data, ret_message->used);
    return true;
}

static void complain(struct fluentforward *self, const struct hf_stream_peer *peer,
                     const char *what)
{
    const struct hf_datagram from = {.from = (const struct sockaddr *)&peer->remote};
    char text[HF_DATAGRAM_PEER_MAX];
    hf_datagram_peer(&from, text);
    hf_series_add(self->failures, 1);
    if (hf_log_limiter_allows(&self->said, text, what, hf_clock_coarse_ns())) {
        hf_node_log(self->node, HF_LOG_WARN, "%s: %s; closing the connection", text, what);
    }
}

/* {"ack": CHUNK} */
static bool put_answer(struct hf_bytes *out, struct hf_slice chunk)
{
    const uint8_t head[] = {
        0x81, 0xa3, 'a', 'c', 'k', 0xda, (uint8_t)(chunk.size >> 8), (uint8_t)chunk.size};
    return hf_bytes_append(out, hf_slice_of(head, sizeof(head))) == HF_OK &&
           hf_bytes_append(out, chunk) == HF_OK;
}

/* The sender is answered once what has been read is on disk. */
static bool remember(struct fluentforward *self, struct hf_stream_peer *peer, struct hf_slice chunk)
{
    struct waiting waiting = {.peer = peer, .at = self->answers.size};
    if (chunk.size == 0) {
        return true;
    }
    if (chunk.size > CHUNK_BYTES_MAX || !put_answer(&self->answers, chunk)) {
        return false;
    }
    waiting.size = self->answers.size - waiting.at;
    return hf_bytes_append(&self->waiting, hf_slice_of(&waiting, sizeof(waiting))) == HF_OK;
}

static bool take(void *user, struct hf_stream_peer *peer, struct hf_slice message)
{
    struct fluentforward *self = user;
    struct hf_fluent_event event;
    char error[HF_FLUENT_ERROR_MAX] = "";
    size_t size;
    if (peer->user == NULL) {
        peer->user = self; /* so that its end is counted */
        hf_series_add(self->opened, 1);
    }
    if (hf_fluent_measure(message, &size) != HF_FLUENT_WHOLE) {
        complain(self, peer, UNFINISHED);
        return false;
    }
    if (hf_build_items(&self->builder) == 0) {
        hf_build_resource(&self->builder, HF_EMPTY_SLICE);
        hf_build_scope(&self->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    }
    enum hf_status status = hf_fluent_read(message, &self->builder, &event, error);
    if (status != HF_OK) {
        complain(self, peer, status == HF_NOMEM ? hf_status_row(status)->says : error);
        return false;
    }
    hf_series_add(self->events, 1);
    hf_series_add(self->records, event.records);
    if (!remember(self, peer, event.chunk)) {
        complain(self, peer, "the name of a chunk is too long, or out of memory");
        return false;
    }
    return true;
}

static void gone(void *user, struct hf_stream_peer *peer)
{
    struct fluentforward *self = user;
    if (peer->user != NULL) {
        hf_series_add(self->closed, 1);
    }
}

static struct hf_batch *collect(void *user, uint64_t now_ns, bool is_last)
{
    struct fluentforward *self = user;
    (void)now_ns;
    (void)is_last;
    if (hf_build_items(&self->builder) != 0 && hf_build_finish(&self->builder) != HF_OK) {
        /* Their senders get no answer and send them again. */
        hf_node_log(self->node, HF_LOG_ERROR, "records are refused: out of memory");
        self->waiting.size = self->answers.size = 0;
    }
    return hf_build_take(&self->builder);
}

static void answer(void *user)
{
    struct fluentforward *self = user;
    for (size_t at = 0; at < self->waiting.size; at += sizeof(struct waiting)) {
        struct waiting waiting;
        memcpy(&waiting, self->waiting.data + at, sizeof(waiting));
        hf_streams_write(self->streams, waiting.peer,
                         hf_slice_of(self->answers.data + waiting.at, waiting.size));
    }
    self->waiting.size = self->answers.size = 0;
}

/* ---- heartbeats ---- */

static void take_heartbeat(void *user, const struct hf_datagram *datagram)
{
    struct fluentforward *self = user;
    hf_datagrams_reply(self->heartbeats, datagram, datagram->bytes);
}

static struct hf_batch *collect_nothing(void *user, uint64_t now_ns, bool is_last)
{
    (void)user;
    (void)now_ns;
    (void)is_last;
    return NULL;
}

/* ---- the component ---- */

static void close_receiver(void *from)
{
    struct fluentforward *self = from;
    hf_streams_close(self->streams);
    hf_datagrams_close(self->heartbeats);
    hf_builder_release(&self->builder);
    hf_bytes_release(&self->waiting);
    hf_bytes_release(&self->answers);
    hf_log_limiter_release(&self->said);
    free(self);
}

static struct hf_series *counter(const struct fluentforward *self, const char *name,
                                 const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(self->node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(self->node), &family, labels);
}

static bool make_counters(struct fluentforward *self)
{
    self->events = counter(self, "otelcol_fluent_events_parsed", "Events that were read.");
    self->failures = counter(self, "otelcol_fluent_parse_failures", "Events that were malformed.");
    self->records = counter(self, "otelcol_fluent_records_generated", "Records of the events.");
    self->opened =
        counter(self, "otelcol_fluent_opened_connections", "Connections that have sent something.");
    self->closed = counter(self, "otelcol_fluent_closed_connections", "Those that have ended.");
    return self->events != NULL && self->failures != NULL && self->records != NULL &&
           self->opened != NULL && self->closed != NULL;
}

static enum hf_status open_sockets(struct fluentforward *self, char *reterr)
{
    static const struct hf_streams_ops ops = {
        .cut = cut, .take = take, .gone = gone, .collect = collect, .committed = answer};
    static const struct hf_datagrams_ops heartbeat_ops = {.take = take_heartbeat,
                                                          .collect = collect_nothing};
    const char *endpoint = self->config->endpoint;
    const struct hf_streams_options options = {.node = self->node,
                                               .endpoint = endpoint,
                                               .transport = "tcp",
                                               .message_bytes_max =
                                                   (size_t)self->config->event_bytes_max,
                                               .ops = &ops,
                                               .user = self};
    const struct hf_datagrams_options heartbeats = {.node = self->node,
                                                    .endpoint = endpoint,
                                                    .transport = "udp",
                                                    .packet_bytes_max = HEARTBEAT_BYTES_MAX,
                                                    .ops = &heartbeat_ops,
                                                    .user = self};
    bool is_unix = strncmp(endpoint, "unix:", 5) == 0 || endpoint[0] == '/';
    enum hf_status status = hf_streams_open(&options, &self->streams, reterr);
    return status == HF_OK && !is_unix ? hf_datagrams_open(&heartbeats, &self->heartbeats, reterr)
                                       : status;
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct fluentforward *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return HF_NOMEM;
    }
    self->node = node;
    self->config = config;
    hf_builder_init(&self->builder, HF_LOGS, BATCH_BYTES_MAX);
    hf_log_limiter_init(&self->said, SAY_AGAIN_NS);
    enum hf_status status = make_counters(self) ? open_sockets(self, reterr) : HF_NOMEM;
    if (status != HF_OK) {
        close_receiver(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static enum hf_status start_receiver(void *from, char *reterr)
{
    struct fluentforward *self = from;
    enum hf_status status = hf_streams_start(self->streams, reterr);
    return status == HF_OK && self->heartbeats != NULL
               ? hf_datagrams_start(self->heartbeats, reterr)
               : status;
}

static void stop_receiver(void *from)
{
    struct fluentforward *self = from;
    hf_datagrams_stop(self->heartbeats);
    hf_streams_stop(self->streams);
}

#define AT(member) offsetof(struct fluentforward_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .required = true,
     .validate = hf_expect_listen,
     .help = "host:port, where heartbeats over UDP are answered too, or unix:///path."},
    {.key = "max_event_size",
     .type = HF_FIELD_BYTES,
     .offset = AT(event_bytes_max),
     .default_text = "16MiB",
     .min = 1 << 16,
     .max = 256 << 20,
     .help = "Largest event as it comes: a chunk of the sender's buffer."},
    HF_FIELDS_END,
};

static const char *const aliases[] = {"fluent_forward", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct fluentforward_config *config = from;
    hf_probe_listen(probe, config->endpoint);
}

const struct hf_component hf_receiver_fluentforward = {
    .type = "fluentforward",
    .aliases = aliases,
    .help =
        "Receives events of Fluentd and Fluent Bit; a chunk is acknowledged once it is on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct fluentforward_config),
    .fields = fields,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
