/*
 * streams: a thread that reads messages from connections, in clear or with TLS, and hands what they
 * become to the pipelines.
 *
 * Without answers in the protocol, what was read is committed before more is read; meanwhile TCP
 * makes the senders wait, as long as the queue is full. What has reached this machine and was not
 * read is lost with a kill: the protocol has no answer. A stop reads what has come, and the last
 * message of each connection though its end is missing.
 *
 * Open, start, stop and close: main thread; the ops: the reader's.
 */
#pragma once

#include <sys/socket.h>

#include <holdfast/node.h>

struct hf_streams;
struct hf_tls_config;

struct hf_stream_peer {
    struct sockaddr_storage local, remote;
    void *user; /* the receiver's, NULL at first */
};

struct hf_stream_message {
    struct hf_slice bytes;
    size_t used;     /* bytes that it takes of the connection */
    bool is_nothing; /* they are no message: only skipped */
};

struct hf_streams_ops {
    /* The first message of `bytes`. False: more bytes are needed. With `at_end` nothing more comes,
     * or nothing more has room. */
    bool (*cut)(void *user, struct hf_stream_peer *peer, struct hf_slice bytes, bool at_end,
                struct hf_stream_message *ret_message);
    /* False: the connection is to be closed. */
    bool (*take)(void *user, struct hf_stream_peer *peer, struct hf_slice message);
    void (*gone)(void *user, struct hf_stream_peer *peer); /* NULL: nothing to do */
    /* As of struct hf_datagrams_ops. */
    struct hf_batch *(*collect)(void *user, uint64_t now_ns, bool is_last);
    uint64_t (*due_ns)(void *user);
    /* After what was taken of the connections is on disk. `write` may be called then. NULL. */
    void (*committed)(void *user);
    bool (*place)(void *user, struct hf_checkpoint *ret_checkpoint); /* likewise */
};

struct hf_streams_options {
    struct hf_node *node;
    const char *endpoint;            /* host:port, or unix:///path */
    const char *transport;           /* of the counters; a literal */
    const struct hf_tls_config *tls; /* NULL: in clear */
    size_t message_bytes_max;
    uint64_t connections_max; /* 0: 10,000 */
    uint64_t idle_ns;         /* 0: connections may be silent for ever */
    const struct hf_streams_ops *ops;
    void *user;
};

/* HF_IO and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_streams_open(const struct hf_streams_options *options,
                                           struct hf_streams **ret, char *reterr);
HF_MUST_USE enum hf_status hf_streams_start(struct hf_streams *streams, char *reterr);
/* NULL is nothing, here and below. */
void hf_streams_stop(struct hf_streams *streams);
void hf_streams_close(struct hf_streams *streams);

/* Sends bytes to a peer, in `committed`; a peer that does not take them is closed. */
void hf_streams_write(struct hf_streams *streams, struct hf_stream_peer *peer,
                      struct hf_slice bytes);
