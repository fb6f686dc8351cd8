/*
 * websocket: a client of WebSocket (RFC 6455) for a thread that does nothing else: each call waits.
 *
 * libcurl makes the connection: names, proxies of the environment, TLS by our settings. The
 * handshake and the frames are ours (docs/decisions/websocket.md). Pings are answered while a
 * message is waited for. Owned by one thread, but for stop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/tls/tls.h"

#define HF_WEBSOCKET_WHY_MAX 256

struct hf_websocket;

struct hf_websocket_options {
    const struct hf_tls_config *tls; /* for wss; borrowed until freed; NULL: the system's roots */
    const char *user_agent;          /* NULL: none */
    size_t message_bytes_max;        /* received; a longer one ends the connection */
    /* As of struct hf_http_client_options; this thread. */
    void (*on_reload_failed)(void *user, const char *why);
    void *user;
};

/* A ws or wss URL with a host. Any thread. */
bool hf_websocket_is_url(const char *text);

/* HF_NOMEM, HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_websocket_new(const struct hf_websocket_options *options,
                                            struct hf_websocket **ret_socket, char *reterr);
void hf_websocket_free(struct hf_websocket *socket);

/* Any thread: connect and receive end with HF_CLOSED, now and later; what is connected stays so. */
void hf_websocket_stop(struct hf_websocket *socket);

struct hf_websocket_connect {
    const char *url;
    const struct hf_header *headers; /* of the request, besides its own */
    size_t header_count;
    uint64_t timeout_ns; /* not 0 */
};

/* Why there is no connection. */
struct hf_websocket_refusal {
    char why[HF_WEBSOCKET_WHY_MAX];
    int code; /* of an answer that is no 101; 0: there was none */
    bool has_retry_after;
    uint64_t retry_after_ns;
};

/* Closes what was open before. HF_AGAIN with `ret_refusal`, HF_CLOSED after stop. */
HF_MUST_USE enum hf_status hf_websocket_connect(struct hf_websocket *socket,
                                                const struct hf_websocket_connect *connect,
                                                struct hf_websocket_refusal *ret_refusal);

/* One binary message. HF_AGAIN: the connection is gone; hf_websocket_why(). */
HF_MUST_USE enum hf_status hf_websocket_send(struct hf_websocket *socket, struct hf_slice message,
                                             uint64_t timeout_ns);

/* A whole message, binary or text, borrowed until the next call. HF_DEADLINE: none came in time.
 * HF_AGAIN: the connection is gone. HF_CLOSED: after stop. */
HF_MUST_USE enum hf_status hf_websocket_receive(struct hf_websocket *socket, uint64_t timeout_ns,
                                                struct hf_slice *ret_message);

/* Says goodbye and closes; nothing when it is not connected. */
void hf_websocket_close(struct hf_websocket *socket);

/* Why the last call failed; never NULL. */
const char *hf_websocket_why(const struct hf_websocket *socket);
