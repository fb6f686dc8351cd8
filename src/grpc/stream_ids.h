/*
 * stream_ids: which of its latest streams has a client opened, and which has it closed itself?
 *
 * nghttp2 forgets a stream when it is over, and ignores what still comes for it, without a word.
 * That is right when the server ended it: the rest was on its way. What comes on a stream that the
 * client itself had ended, or a request with a lower number than the one before, is a fault (RFC
 * 9113, 5.1 and 5.1.1). The last 256 streams are remembered; older ones are ignored as nghttp2
 * does.
 *
 * So the heads of the frames are looked at before nghttp2 gets them. Part of its connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_IDS_KEPT 256u

struct stream_ids {
    uint32_t highest;
    uint64_t opened[STREAM_IDS_KEPT / 64], finished[STREAM_IDS_KEPT / 64];
    /* Where the bytes so far have ended. */
    size_t passed;     /* of what stands before the first frame */
    uint8_t head[9];   /* of the frame that is coming */
    size_t head_bytes; /* of it so far */
    size_t payload_left;
};

struct stream_fault {
    uint32_t code; /* HTTP/2's; 0: none */
    const char *what;
};

/* The next bytes of the client. Returns how many of them nghttp2 may have: all, or those before the
 * end of the head of a frame with a fault. */
size_t hf_grpc_ids_walk(struct stream_ids *ids, const uint8_t *data, size_t size,
                        struct stream_fault *ret_fault);

/* A request with a number above `highest`: what was passed over can never be opened. */
void hf_grpc_ids_open(struct stream_ids *ids, uint32_t id);
/* The client has sent END_STREAM or RST_STREAM. */
void hf_grpc_ids_finish(struct stream_ids *ids, uint32_t id);
/* For a stream that is no more: has the client closed it? Did it ever open it? Both are false for
 * one that is too old. */
bool hf_grpc_ids_is_finished(const struct stream_ids *ids, uint32_t id);
bool hf_grpc_ids_was_skipped(const struct stream_ids *ids, uint32_t id);
