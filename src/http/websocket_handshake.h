/*
 * websocket_handshake: the request and the answer that begin a WebSocket (RFC 6455, 4). No I/O; any
 * thread.
 */
#pragma once

#include "util/compress/compress.h"
#include "websocket.h"

#define HF_WEBSOCKET_KEY_SIZE 24u
#define HF_WEBSOCKET_ANSWER_MAX ((size_t)16 << 10)
#define HF_URL_BYTES_MAX 2048

/* Appends the request for `url` (http or https). HF_INVALID: the URL, or a header that cannot be
 * sent. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_websocket_write_request(struct hf_bytes *out, const char *url,
                                                      const char *user_agent, const char *key,
                                                      const struct hf_websocket_connect *connect);

/* How long the head of the answer is, its empty line included. HF_AGAIN: its end has not come yet.
 * HF_INVALID: it is none, or too long. */
HF_MUST_USE enum hf_status hf_websocket_answer_size(struct hf_slice in, size_t *ret_size);

/* HF_OK: the connection is a WebSocket now. Else HF_AGAIN with `ret_refusal`. */
HF_MUST_USE enum hf_status hf_websocket_read_answer(struct hf_slice head, const char *key,
                                                    struct hf_websocket_refusal *ret_refusal);
