/*
 * websocket_frame: the frames of WebSocket (RFC 6455, 5) as a client reads and writes them. No I/O.
 *
 * Fragments are joined to whole messages within a limit; control frames come between them as they
 * arrive. Compression and other extensions are not offered, so reserved bits are an error. Owned by
 * one thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_websocket_opcode {
    HF_WEBSOCKET_CONTINUATION = 0,
    HF_WEBSOCKET_TEXT = 1,
    HF_WEBSOCKET_BINARY = 2,
    HF_WEBSOCKET_CLOSE = 8,
    HF_WEBSOCKET_PING = 9,
    HF_WEBSOCKET_PONG = 10
};

#define HF_WEBSOCKET_HEAD_MAX 14u
#define HF_WEBSOCKET_CONTROL_MAX 125u
#define HF_WEBSOCKET_MASK_SIZE 4u

/* The reader of a connection; zeroed but for `limit`. */
struct hf_websocket_reader {
    size_t limit;            /* bytes of a message */
    struct hf_bytes message; /* the fragments so far */
    enum hf_websocket_opcode opcode;
    bool is_fragmented; /* more of a message is to come */
    bool is_taken;      /* `message` was lent out whole */
};

/* A whole message or a control frame. `payload` is borrowed until the next call, and as long as the
 * input. */
struct hf_websocket_event {
    enum hf_websocket_opcode opcode;
    struct hf_slice payload;
};

/*
 * Takes the next event from the front of `in`. HF_AGAIN: more bytes are needed; what stands in `in`
 * then is the beginning of a frame, to be kept. HF_INVALID: against the protocol. HF_TOO_LARGE: a
 * message over the limit. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_websocket_read(struct hf_websocket_reader *reader,
                                             struct hf_slice *in,
                                             struct hf_websocket_event *ret_event);
void hf_websocket_reader_release(struct hf_websocket_reader *reader);

/* Appends one final frame with that mask, which is to be random. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_websocket_write(struct hf_bytes *out, enum hf_websocket_opcode opcode,
                                              struct hf_slice payload,
                                              const uint8_t mask[HF_WEBSOCKET_MASK_SIZE]);
