#include "payload.h"

#include <assert.h>
#include <stdlib.h>

#include "json.h"

/* Buffers beyond this are given back after the request that needed them. */
#define KEPT_BYTES (8u << 20)

void hf_payload_release(struct hf_payload *payload)
{
    if (payload == NULL) {
        return;
    }
    free(payload->slices);
    hf_bytes_release(&payload->bytes);
    hf_bytes_release(&payload->scratch);
    *payload = (struct hf_payload){0};
}

static void empty(struct hf_bytes *bytes)
{
    bytes->size = 0;
    if (bytes->capacity > KEPT_BYTES) {
        hf_bytes_release(bytes);
    }
}

static void swap(struct hf_bytes *a, struct hf_bytes *b)
{
    struct hf_bytes held = *a;
    *a = *b;
    *b = held;
}

static enum hf_status begin(struct hf_payload *payload, size_t count)
{
    assert(count > 0);
    empty(&payload->bytes);
    empty(&payload->scratch);
    payload->count = 0;
    payload->size = 0;
    if (count <= payload->capacity) {
        return HF_OK;
    }
    struct hf_slice *slices = reallocarray(payload->slices, count, sizeof(*slices));
    if (slices == NULL) {
        return HF_NOMEM;
    }
    payload->slices = slices;
    payload->capacity = count;
    return HF_OK;
}

/*
 * While a buffer grows it may move, so a slice of it has no address until the buffer is complete:
 * its slices follow each other there, in their order here.
 */
static const struct hf_slice *settle(struct hf_slice *slices, size_t count,
                                     const struct hf_bytes *made)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (slices[i].data == NULL && slices[i].size != 0) {
            slices[i].data = made->data + at;
            at += slices[i].size;
        }
    }
    assert(at <= made->size);
    return slices;
}

static bool concatenates(enum hf_coding coding)
{
    return coding == HF_GZIP || coding == HF_ZSTD || coding == HF_SNAPPY_FRAMED;
}

/* The bodies as plain bytes at `slices`: by reference, or decoded into `made`. */
static enum hf_status decode_run(const struct hf_export_body *bodies, size_t count,
                                 struct hf_slice *slices, struct hf_bytes *made)
{
    for (size_t i = 0; i < count; i++) {
        const struct hf_export_body *piece = &bodies[i];
        if (piece->coding == HF_IDENTITY) {
            slices[i] = piece->wire;
            continue;
        }
        size_t before = made->size;
        enum hf_status status = hf_decode_append(piece->coding, piece->wire, piece->raw_size, made);
        if (status == HF_NOMEM) {
            return status;
        }
        if (status != HF_OK || made->size - before != piece->raw_size) {
            return HF_CORRUPT;
        }
        slices[i] = (struct hf_slice){NULL, made->size - before};
    }
    return HF_OK;
}

/* Pieces that cannot go out as they are. */
static enum hf_status add_run(struct hf_payload *payload, const struct hf_export_body *bodies,
                              size_t count, enum hf_coding coding, int level)
{
    struct hf_slice *slices = payload->slices + payload->count;
    if (coding == HF_IDENTITY) {
        payload->count += count;
        return decode_run(bodies, count, slices, &payload->bytes);
    }
    payload->scratch.size = 0;
    enum hf_status status = decode_run(bodies, count, slices, &payload->scratch);
    if (status != HF_OK) {
        return status;
    }
    size_t before = payload->bytes.size;
    status =
        hf_encode(coding, level, settle(slices, count, &payload->scratch), count, &payload->bytes);
    slices[0] = (struct hf_slice){NULL, payload->bytes.size - before};
    payload->count++;
    return status;
}

enum hf_status hf_payload_build(struct hf_payload *payload, const struct hf_export_body *bodies,
                                size_t count, enum hf_coding coding, int level, bool forward_coded)
{
    enum hf_status status = begin(payload, count);
    bool forwards = coding == HF_IDENTITY || count == 1 || (forward_coded && concatenates(coding));
    size_t at = 0;
    while (at < count && status == HF_OK) {
        size_t end = at;
        while (end < count && !(forwards && bodies[end].coding == coding)) {
            end++;
        }
        if (end > at) {
            status = add_run(payload, bodies + at, end - at, coding, level);
        } else {
            payload->slices[payload->count++] = bodies[at].wire;
            end = at + 1;
        }
        at = end;
    }
    if (status != HF_OK) {
        payload->count = 0;
        return status;
    }
    settle(payload->slices, payload->count, &payload->bytes);
    for (size_t i = 0; i < payload->count; i++) {
        payload->size += payload->slices[i].size;
    }
    return HF_OK;
}

/* The body as one text: where it is, or in `scratch`, so that `bytes` is free. */
static enum hf_status join(struct hf_payload *payload, struct hf_slice *ret_raw)
{
    if (payload->count == 1) {
        swap(&payload->bytes, &payload->scratch); /* the slice's memory stays where it is */
        *ret_raw = payload->slices[0];
        return HF_OK;
    }
    payload->scratch.size = 0;
    enum hf_status status = hf_bytes_reserve(&payload->scratch, payload->size);
    for (size_t i = 0; i < payload->count && status == HF_OK; i++) {
        status = hf_bytes_append(&payload->scratch, payload->slices[i]);
    }
    *ret_raw = hf_slice_of(payload->scratch.data, payload->scratch.size);
    return status;
}

enum hf_status hf_payload_read(struct hf_payload *payload, const struct hf_export_body *bodies,
                               size_t count, struct hf_slice *ret_raw)
{
    enum hf_status status = hf_payload_build(payload, bodies, count, HF_IDENTITY, 0, false);
    *ret_raw = HF_EMPTY_SLICE;
    if (status == HF_OK) {
        status = join(payload, ret_raw);
    }
    payload->count = 0;
    payload->bytes.size = 0;
    return status;
}

enum hf_status hf_payload_seal(struct hf_payload *payload, enum hf_coding coding, int level)
{
    assert(payload->capacity > 0 && "hf_payload_read() comes first");
    if (coding != HF_IDENTITY) {
        struct hf_slice plain = hf_slice_of(payload->bytes.data, payload->bytes.size);
        payload->scratch.size = 0;
        enum hf_status status = hf_encode(coding, level, &plain, 1, &payload->scratch);
        swap(&payload->bytes, &payload->scratch);
        if (status != HF_OK) {
            return status;
        }
    }
    payload->slices[0] = hf_slice_of(payload->bytes.data, payload->bytes.size);
    payload->count = 1;
    payload->size = payload->bytes.size;
    return HF_OK;
}

enum hf_status hf_payload_build_json(struct hf_payload *payload, enum hf_signal signal,
                                     const struct hf_export_body *bodies, size_t count,
                                     enum hf_coding coding, int level)
{
    struct hf_slice raw;
    enum hf_status status = hf_payload_read(payload, bodies, count, &raw);
    if (status == HF_OK) {
        status = hf_json_from_proto(signal, raw, &payload->bytes);
    }
    if (status == HF_OK) {
        status = hf_payload_seal(payload, coding, level);
    }
    return status == HF_INVALID ? HF_CORRUPT : status;
}
