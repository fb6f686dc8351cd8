/*
 * outbox: what a connection has to write, gathered for one sendmsg: small frames are copied, bodies
 * are pointed at.
 *
 * The lender of bytes gets them back when they have been written, or by hf_grpc_outbox_rescue(),
 * which copies what is still to be written. Bounded: the pieces, the copies and the bytes each have
 * a limit, and full is when one is near. Owned by its connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_GRPC_OUTBOX_PIECES 512
#define HF_GRPC_OUTBOX_COPIES (64u * 1024)
/* Room that there is when it is not full: for the pieces of one frame, and for one copy. */
#define HF_GRPC_OUTBOX_FRAME_PIECES 64
#define HF_GRPC_OUTBOX_COPY_MAX (18u * 1024)

struct rescued;

struct hf_grpc_outbox {
    struct iovec pieces[HF_GRPC_OUTBOX_PIECES];
    const void *owners[HF_GRPC_OUTBOX_PIECES]; /* who lent it; NULL: copied */
    int first, count;                          /* pieces before `first` are written */
    size_t bytes, flush_bytes;                 /* to be written; enough for one write */
    size_t copied;
    struct rescued *rescued; /* lent bytes whose owners are gone */
    uint8_t copies[HF_GRPC_OUTBOX_COPIES];
};

/* Begins empty; `flush_bytes`: it is full from there on. */
void hf_grpc_outbox_init(struct hf_grpc_outbox *outbox, size_t flush_bytes);
void hf_grpc_outbox_release(struct hf_grpc_outbox *outbox);

bool hf_grpc_outbox_is_full(const struct hf_grpc_outbox *outbox);
bool hf_grpc_outbox_is_empty(const struct hf_grpc_outbox *outbox);
/* At most HF_GRPC_OUTBOX_COPY_MAX bytes, when it is not full. */
void hf_grpc_outbox_copy(struct hf_grpc_outbox *outbox, struct hf_slice bytes);
/* When it was not full at the beginning of the frame. */
void hf_grpc_outbox_lend(struct hf_grpc_outbox *outbox, const void *owner, struct hf_slice bytes);
/* `written` bytes from the front have been taken. */
void hf_grpc_outbox_advance(struct hf_grpc_outbox *outbox, size_t written);
/* Copies what `owner` has lent and is not written yet. False when out of memory: nothing changed.
 */
HF_MUST_USE bool hf_grpc_outbox_rescue(struct hf_grpc_outbox *outbox, const void *owner);
