#include "log_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <holdfast/component.h>

#include "datagrams.h"
#include "streams.h"
#include "util/tls/tls.h"

#define DATAGRAM_BYTES_MAX 65536u
#define LOG_BYTES_LEAST ((uint64_t)64 << 10)

struct hf_log_listener {
    struct hf_log_listener_options options;
    struct hf_log_intake intake;
    struct hf_log_frames frames;
    struct hf_encoding encoding;
    struct hf_bytes decoded;
    struct hf_log_peers peers;
    bool adds_attributes;
    struct hf_streams *streams;
    struct hf_datagrams *datagrams;
};

/* ---- entries ---- */

static void take_text(struct hf_log_listener *listener, struct hf_slice bytes, void *source)
{
    struct hf_slice text;
    if (hf_encoding_decode(&listener->encoding, bytes, &listener->decoded, &text) != HF_OK) {
        hf_node_log(listener->options.node, HF_LOG_ERROR, "no memory for an entry: it is dropped");
        return;
    }
    hf_log_intake_take(&listener->intake, text, listener->encoding.kind == HF_ENCODING_NONE,
                       listener->adds_attributes ? &listener->peers : NULL, source);
}

static struct hf_batch *collect(void *user, uint64_t now_ns, bool is_last)
{
    struct hf_log_listener *listener = user;
    return hf_log_intake_collect(&listener->intake, now_ns, is_last);
}

static uint64_t due_ns(void *user)
{
    const struct hf_log_listener *listener = user;
    return listener->intake.due_ns;
}

/* ---- connections ---- */

static bool cut(void *user, struct hf_stream_peer *peer, struct hf_slice bytes, bool at_end,
                struct hf_stream_message *ret_message)
{
    const struct hf_log_listener *listener = user;
    /* Is the rest of a message that was too long to be skipped? The pointer is all that is kept. */
    bool skipping = peer->user != NULL;
    bool found = hf_log_frames_cut(&listener->frames, bytes, at_end, &skipping, ret_message);
    peer->user = skipping ? peer : NULL;
    return found;
}

static bool take_message(void *user, struct hf_stream_peer *peer, struct hf_slice message)
{
    struct hf_log_listener *listener = user;
    listener->peers.local = peer->local;
    listener->peers.remote = peer->remote;
    take_text(listener, message, peer);
    return true;
}

static void gone(void *user, struct hf_stream_peer *peer)
{
    struct hf_log_listener *listener = user;
    hf_log_intake_forget(&listener->intake, peer);
}

/* ---- datagrams ---- */

static void take_datagram(void *user, const struct hf_datagram *datagram)
{
    struct hf_log_listener *listener = user;
    struct hf_stream_message message;
    struct hf_slice rest = datagram->bytes;
    bool skipping = false;
    /* As the Go collector: control characters at the end are no part of it. */
    while (rest.size != 0 && rest.data[rest.size - 1] < 32) {
        rest.size--;
    }
    if (datagram->from != NULL && datagram->from_size <= sizeof(listener->peers.remote)) {
        memcpy(&listener->peers.remote, datagram->from, datagram->from_size);
    }
    while (rest.size != 0 &&
           hf_log_frames_cut(&listener->frames, rest, true, &skipping, &message)) {
        if (!message.is_nothing) {
            take_text(listener, message.bytes, NULL);
        }
        rest = hf_slice_of(rest.data + message.used, rest.size - message.used);
    }
}

/* ---- the main thread's side ---- */

static enum hf_status open_streams(struct hf_log_listener *listener, char *reterr)
{
    static const struct hf_streams_ops ops = {
        .cut = cut, .take = take_message, .gone = gone, .collect = collect, .due_ns = due_ns};
    const struct hf_log_tcp_config *config = listener->options.tcp;
    const struct hf_streams_options options = {
        .node = listener->options.node,
        .endpoint = config->listen_address,
        .transport = "tcp",
        .tls = config->tls,
        .message_bytes_max = (size_t)config->max_log_bytes,
        .connections_max = (uint64_t)config->max_connections,
        .idle_ns = config->idle_ns,
        .ops = &ops,
        .user = listener,
    };
    listener->adds_attributes = config->add_attributes;
    listener->peers.transport = "IP.TCP";
    return hf_streams_open(&options, &listener->streams, reterr);
}

static enum hf_status open_datagrams(struct hf_log_listener *listener, char *reterr)
{
    static const struct hf_datagrams_ops ops = {
        .take = take_datagram, .collect = collect, .due_ns = due_ns};
    const struct hf_log_udp_config *config = listener->options.udp;
    const struct hf_datagrams_options options = {
        .node = listener->options.node,
        .endpoint = config->listen_address,
        .transport = "udp",
        .packet_bytes_max = DATAGRAM_BYTES_MAX,
        .socket_buffer_bytes = config->socket_buffer_bytes,
        .ops = &ops,
        .user = listener,
    };
    listener->adds_attributes = config->add_attributes;
    listener->peers.transport = "IP.UDP";
    return hf_datagrams_open(&options, &listener->datagrams, reterr);
}

static struct hf_log_frames_options frames_of(const struct hf_log_listener_options *options)
{
    const struct hf_log_tcp_config *tcp = options->tcp;
    const struct hf_log_udp_config *udp = options->udp;
    if (tcp != NULL) {
        return (struct hf_log_frames_options){.framing = options->framing,
                                              .section = options->section,
                                              .start = tcp->line_start,
                                              .end = tcp->line_end,
                                              .omit_pattern = tcp->omit_pattern,
                                              .keep_leading = tcp->keep_leading,
                                              .keep_trailing = tcp->keep_trailing,
                                              .is_whole = tcp->one_log_per_packet,
                                              .bytes_max = (size_t)tcp->max_log_bytes};
    }
    bool has_pattern = udp->line_start != NULL || udp->line_end != NULL;
    return (struct hf_log_frames_options){.section = options->section,
                                          .start = udp->line_start,
                                          .end = udp->line_end,
                                          .omit_pattern = udp->omit_pattern,
                                          .keep_leading = udp->keep_leading,
                                          .keep_trailing = udp->keep_trailing,
                                          .is_whole = udp->one_log_per_packet || !has_pattern,
                                          .bytes_max = DATAGRAM_BYTES_MAX};
}

static enum hf_status open_parts(struct hf_log_listener *listener, char *reterr)
{
    const struct hf_log_listener_options *options = &listener->options;
    const struct hf_log_frames_options frames = frames_of(options);
    const char *encoding = options->tcp != NULL ? options->tcp->encoding : options->udp->encoding;
    enum hf_status status = hf_encoding_open(encoding, &listener->encoding);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%sencoding: %.100s is not known on this machine",
                 options->section, encoding);
        return status;
    }
    status = hf_log_frames_open(&listener->frames, &frames, &listener->encoding, reterr);
    if (status == HF_OK) {
        status = hf_log_intake_open(&listener->intake, options->node, options->intake,
                                    options->before, options->before_count, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    return options->tcp != NULL ? open_streams(listener, reterr) : open_datagrams(listener, reterr);
}

enum hf_status hf_log_listener_open(const struct hf_log_listener_options *options,
                                    struct hf_log_listener **ret, char *reterr)
{
    struct hf_log_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return HF_NOMEM;
    }
    listener->options = *options;
    enum hf_status status = open_parts(listener, reterr);
    if (status != HF_OK) {
        hf_log_listener_close(listener);
        return status;
    }
    *ret = listener;
    return HF_OK;
}

enum hf_status hf_log_listener_start(void *self, char *reterr)
{
    struct hf_log_listener *listener = self;
    return listener->streams != NULL ? hf_streams_start(listener->streams, reterr)
                                     : hf_datagrams_start(listener->datagrams, reterr);
}

void hf_log_listener_stop(void *self)
{
    struct hf_log_listener *listener = self;
    hf_streams_stop(listener->streams);
    hf_datagrams_stop(listener->datagrams);
}

void hf_log_listener_close(void *self)
{
    struct hf_log_listener *listener = self;
    if (listener == NULL) {
        return;
    }
    hf_streams_close(listener->streams);
    hf_datagrams_close(listener->datagrams);
    hf_log_intake_close(&listener->intake);
    hf_log_frames_close(&listener->frames);
    hf_encoding_close(&listener->encoding);
    hf_bytes_release(&listener->decoded);
    free(listener);
}

const char *hf_log_tcp_check(const struct hf_log_tcp_config *config)
{
    if (config->max_log_bytes < LOG_BYTES_LEAST) {
        return "max_log_size: expected 64KiB at least";
    }
    return config->tls != NULL ? hf_tls_server_check(config->tls) : NULL;
}
