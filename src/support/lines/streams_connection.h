/*
 * streams_connection: the connections of a struct hf_streams. Owned by its reader.
 *
 * A connection that is closed stays, without its socket, until hf_connections_free_closed(): what
 * was taken of it may still be answered or refer to it.
 */
#pragma once

#include "streams.h"
#include "util/compress/compress.h"
#include "util/log/log_limiter.h"
#include "util/tls/tls.h"

struct hf_connection;

struct hf_connections {
    const struct hf_streams_options *options;
    int epoll_fd;
    struct hf_tls *tls;
    struct hf_connection *first;
    size_t count;                        /* of those that are open */
    uint64_t buffered_bytes, bytes_most; /* of all that wait for their message's end */
    bool has_more;                       /* one has bytes that epoll does not announce */
    struct hf_log_limiter said;
};

/* `options` are borrowed until the release. When TLS cannot be set up, `reterr` (HF_ERROR_MAX) is a
 * sentence. */
HF_MUST_USE enum hf_status hf_connections_init(struct hf_connections *connections,
                                               const struct hf_streams_options *options,
                                               int epoll_fd, uint64_t bytes_most, char *reterr);
void hf_connections_release(struct hf_connections *connections);

/* Takes the socket over. */
void hf_connections_add(struct hf_connections *connections, int fd,
                        const struct sockaddr_storage *remote);
/* Reads and takes what has come of one, of those that have_more, and of all before they close,
 * which tells whether there was something. */
void hf_connections_read(struct hf_connections *connections, struct hf_connection *connection);
void hf_connections_read_more(struct hf_connections *connections);
bool hf_connections_read_last(struct hf_connections *connections);
/* Takes what is left of messages whose end is missing, and closes all. */
void hf_connections_close(struct hf_connections *connections);
void hf_connections_close_idle(struct hf_connections *connections, uint64_t now_ns);
void hf_connections_free_closed(struct hf_connections *connections);
void hf_connections_write(struct hf_connections *connections, struct hf_stream_peer *peer,
                          struct hf_slice bytes);
