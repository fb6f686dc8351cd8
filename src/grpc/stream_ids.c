/* stream_ids: a bit for each of the latest numbers, which are odd and ascend. */
#include "stream_ids.h"

#include <assert.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

static uint32_t place_of(uint32_t id)
{
    return id / 2 % STREAM_IDS_KEPT;
}

static bool get(const uint64_t *bits, uint32_t place)
{
    return (bits[place / 64] >> (place % 64) & 1) != 0;
}

static void set(uint64_t *bits, uint32_t place, bool on)
{
    uint64_t bit = UINT64_C(1) << (place % 64);
    bits[place / 64] = on ? bits[place / 64] | bit : bits[place / 64] & ~bit;
}

/* Is it one of those that are remembered? */
static bool is_kept(const struct stream_ids *ids, uint32_t id)
{
    return id % 2 == 1 && id <= ids->highest && (ids->highest - id) / 2 < STREAM_IDS_KEPT;
}

void hf_grpc_ids_open(struct stream_ids *ids, uint32_t id)
{
    assert(id % 2 == 1 && id > ids->highest);
    /* From 0, which is no stream, the first is one step like any other. */
    uint32_t steps = id / 2 + 1 - (ids->highest + 1) / 2;
    if (steps >= STREAM_IDS_KEPT) {
        memset(ids->opened, 0, sizeof(ids->opened));
        memset(ids->finished, 0, sizeof(ids->finished));
    } else {
        for (uint32_t step = 0; step < steps; step++) {
            set(ids->opened, place_of(id - 2 * step), false);
            set(ids->finished, place_of(id - 2 * step), false);
        }
    }
    set(ids->opened, place_of(id), true);
    ids->highest = id;
}

void hf_grpc_ids_finish(struct stream_ids *ids, uint32_t id)
{
    if (is_kept(ids, id)) {
        set(ids->finished, place_of(id), true);
    }
}

bool hf_grpc_ids_is_finished(const struct stream_ids *ids, uint32_t id)
{
    return is_kept(ids, id) && get(ids->finished, place_of(id));
}

bool hf_grpc_ids_was_skipped(const struct stream_ids *ids, uint32_t id)
{
    return is_kept(ids, id) && !get(ids->opened, place_of(id));
}

static struct stream_fault judge(struct stream_ids *ids)
{
    const uint8_t *head = ids->head;
    uint8_t type = head[3], flags = head[4];
    uint32_t id = (uint32_t)(head[5] & 0x7f) << 24 | (uint32_t)head[6] << 16 |
                  (uint32_t)head[7] << 8 | (uint32_t)head[8];
    bool carries = type == NGHTTP2_DATA || type == NGHTTP2_HEADERS;
    if (carries && hf_grpc_ids_is_finished(ids, id)) {
        return (struct stream_fault){NGHTTP2_STREAM_CLOSED,
                                     "a frame on a stream that the client has closed"};
    }
    if (type == NGHTTP2_HEADERS && hf_grpc_ids_was_skipped(ids, id)) {
        return (struct stream_fault){NGHTTP2_PROTOCOL_ERROR,
                                     "a stream with a lower number than the one before"};
    }
    if (type == NGHTTP2_HEADERS && id % 2 == 1 && id > ids->highest) {
        hf_grpc_ids_open(ids, id);
    }
    if ((carries && (flags & NGHTTP2_FLAG_END_STREAM) != 0) || type == NGHTTP2_RST_STREAM) {
        hf_grpc_ids_finish(ids, id);
    }
    return (struct stream_fault){0};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t hf_grpc_ids_walk(struct stream_ids *ids, const uint8_t *data, size_t size,
                        struct stream_fault *ret_fault)
{
    *ret_fault = (struct stream_fault){0};
    size_t at = least(NGHTTP2_CLIENT_MAGIC_LEN - ids->passed, size);
    ids->passed += at;
    while (at < size) {
        size_t step = least(ids->payload_left, size - at);
        ids->payload_left -= step;
        at += step;
        step = least(sizeof(ids->head) - ids->head_bytes, size - at);
        memcpy(ids->head + ids->head_bytes, data + at, step);
        if (ids->head_bytes + step == sizeof(ids->head)) {
            *ret_fault = judge(ids);
            if (ret_fault->code != 0) {
                return at;
            }
            ids->payload_left =
                (size_t)ids->head[0] << 16 | (size_t)ids->head[1] << 8 | (size_t)ids->head[2];
            ids->head_bytes = 0;
        } else {
            ids->head_bytes += step;
        }
        at += step;
    }
    return size;
}
