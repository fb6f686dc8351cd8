#include "outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct rescued {
    struct rescued *next;
    uint8_t bytes[];
};

void hf_grpc_outbox_init(struct hf_grpc_outbox *outbox, size_t flush_bytes)
{
    /* The arrays are written before they are read. */
    outbox->first = outbox->count = 0;
    outbox->bytes = outbox->copied = 0;
    outbox->flush_bytes = flush_bytes;
    outbox->rescued = NULL;
}

void hf_grpc_outbox_release(struct hf_grpc_outbox *outbox)
{
    while (outbox->rescued != NULL) {
        struct rescued *next = outbox->rescued->next;
        free(outbox->rescued);
        outbox->rescued = next;
    }
    hf_grpc_outbox_init(outbox, outbox->flush_bytes);
}

bool hf_grpc_outbox_is_full(const struct hf_grpc_outbox *outbox)
{
    return outbox->count + HF_GRPC_OUTBOX_FRAME_PIECES + 4 > HF_GRPC_OUTBOX_PIECES ||
           outbox->copied + HF_GRPC_OUTBOX_COPY_MAX > HF_GRPC_OUTBOX_COPIES ||
           outbox->bytes >= outbox->flush_bytes;
}

bool hf_grpc_outbox_is_empty(const struct hf_grpc_outbox *outbox)
{
    return outbox->bytes == 0;
}

static void push(struct hf_grpc_outbox *outbox, const void *owner, struct hf_slice bytes)
{
    if (bytes.size == 0) {
        return;
    }
    outbox->bytes += bytes.size;
    if (owner == NULL && outbox->count > outbox->first &&
        outbox->owners[outbox->count - 1] == NULL) {
        struct iovec *last = &outbox->pieces[outbox->count - 1];
        if ((uint8_t *)last->iov_base + last->iov_len == bytes.data) {
            last->iov_len += bytes.size;
            return;
        }
    }
    assert(outbox->count < HF_GRPC_OUTBOX_PIECES);
    outbox->pieces[outbox->count] = (struct iovec){
        .iov_base = (void *)(uintptr_t)bytes.data, /* only read from */
        .iov_len = bytes.size,
    };
    outbox->owners[outbox->count++] = owner;
}

void hf_grpc_outbox_copy(struct hf_grpc_outbox *outbox, struct hf_slice bytes)
{
    assert(bytes.size <= HF_GRPC_OUTBOX_COPIES - outbox->copied);
    uint8_t *room = outbox->copies + outbox->copied;
    memcpy(room, bytes.data, bytes.size);
    outbox->copied += bytes.size;
    push(outbox, NULL, hf_slice_of(room, bytes.size));
}

void hf_grpc_outbox_lend(struct hf_grpc_outbox *outbox, const void *owner, struct hf_slice bytes)
{
    assert(owner != NULL);
    push(outbox, owner, bytes);
}

void hf_grpc_outbox_advance(struct hf_grpc_outbox *outbox, size_t written)
{
    assert(written <= outbox->bytes);
    outbox->bytes -= written;
    while (written > 0) {
        struct iovec *piece = &outbox->pieces[outbox->first];
        size_t taken = written < piece->iov_len ? written : piece->iov_len;
        piece->iov_base = (uint8_t *)piece->iov_base + taken;
        piece->iov_len -= taken;
        written -= taken;
        if (piece->iov_len == 0) {
            outbox->first++;
        }
    }
    if (outbox->bytes == 0) {
        hf_grpc_outbox_release(outbox);
    }
}

bool hf_grpc_outbox_rescue(struct hf_grpc_outbox *outbox, const void *owner)
{
    size_t size = 0;
    for (int i = outbox->first; i < outbox->count; i++) {
        size += outbox->owners[i] == owner ? outbox->pieces[i].iov_len : 0;
    }
    if (size == 0) {
        return true;
    }
    struct rescued *rescued = malloc(sizeof(*rescued) + size);
    if (rescued == NULL) {
        return false;
    }
    rescued->next = outbox->rescued;
    outbox->rescued = rescued;
    uint8_t *room = rescued->bytes;
    for (int i = outbox->first; i < outbox->count; i++) {
        if (outbox->owners[i] == owner) {
            memcpy(room, outbox->pieces[i].iov_base, outbox->pieces[i].iov_len);
            outbox->pieces[i].iov_base = room;
            outbox->owners[i] = NULL;
            room += outbox->pieces[i].iov_len;
        }
    }
    return true;
}
