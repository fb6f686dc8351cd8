/*
 * request: making a request of records, cutting it, and settling it with the queue.
 */
#include <assert.h>
#include <stdlib.h>

#include "../otlp/split.h"
#include "isolated.h"
#include "request.h"

static bool is_whole(const struct part *part)
{
    return part->first == 0 && part->count == part->held->record.items;
}

/* The bytes of a run of a record's items, as a request of their own. */
static enum hf_status cut_run(const struct part *part, struct hf_bytes *out)
{
    const struct wal_record *record = &part->held->record;
    enum hf_signal signal = (enum hf_signal)record->kind;
    if (record->coding == HF_IDENTITY) {
        return hf_split(signal, record->body, part->first, part->count, out);
    }
    struct hf_bytes raw = {0};
    enum hf_status status = hf_decode((enum hf_coding)record->coding, record->body,
                                      (size_t)record->raw_bytes + 1, &raw);
    if (status == HF_OK) {
        status = hf_split(signal, hf_slice_of(raw.data, raw.size), part->first, part->count, out);
    }
    hf_bytes_release(&raw);
    return status;
}

static struct hf_piece whole_of(const struct part *part)
{
    const struct wal_record *record = &part->held->record;
    return (struct hf_piece){
        .wire = record->body,
        .coding = (enum hf_coding)record->coding,
        .items = part->count,
        .raw_size = record->raw_bytes,
        .received_ns = record->time_ns,
    };
}

static enum hf_status fill_piece(struct request *request, size_t i)
{
    const struct part *part = &request->parts[i];
    struct hf_piece *piece = &request->pieces[i];
    *piece = whole_of(part);
    if (is_whole(part)) {
        return HF_OK;
    }
    assert(request->count == 1);
    enum hf_status status = cut_run(part, &request->cut);
    piece->wire = hf_slice_of(request->cut.data, request->cut.size);
    piece->coding = HF_IDENTITY;
    piece->raw_size = request->cut.size;
    return status;
}

static struct request *new_request(struct lane *lane, const struct part *parts, size_t count)
{
    assert(count != 0);
    struct request *request =
        calloc(1, sizeof(*request) + count * (sizeof(struct part) + sizeof(struct hf_piece)));
    if (request == NULL) {
        return NULL;
    }
    request->lane = lane;
    request->count = count;
    request->pieces = (struct hf_piece *)(request + 1);
    request->parts = (struct part *)(request->pieces + count);
    memcpy(request->parts, parts, count * sizeof(*parts));
    request->export.signal = (enum hf_signal)parts[0].held->record.kind;
    request->export.pieces = request->pieces;
    request->export.piece_count = count;
    request->export.meta = parts[0].held->record.meta;
    return request;
}

enum hf_status hf_request_new(struct lane *lane, const struct part *parts, size_t count,
                              struct request **ret_request)
{
    struct request *request = new_request(lane, parts, count);
    if (request == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        enum hf_status status = fill_piece(request, i);
        if (status != HF_OK) {
            hf_request_free(request);
            return status;
        }
        request->export.items += request->pieces[i].items;
        request->export.raw_size += request->pieces[i].raw_size;
    }
    *ret_request = request;
    return HF_OK;
}

struct request *hf_request_new_uncut(struct lane *lane, const struct part *part)
{
    struct request *request = new_request(lane, part, 1);
    if (request != NULL) {
        request->pieces[0] = whole_of(part);
        request->export.items = part->count;
        request->export.raw_size = request->pieces[0].raw_size;
    }
    return request;
}

void hf_request_free(struct request *request)
{
    hf_isolated_forget(request);
    hf_bytes_release(&request->cut);
    free(request);
}

/* The record's own fate, once its last item is done with. Runs of one record may have ended
 * differently. */
static struct wal_ack ack_of(const struct held *held)
{
    struct wal_ack ack = {
        .sequence = held->record.sequence,
        .items = held->record.items,
        .raw_bytes = held->record.raw_bytes,
        .fate = held->fate,
        .drop = held->drop,
    };
    if (held->delivered != 0 || held->fate == WAL_DELIVERED) {
        ack.fate = WAL_DELIVERED;
        ack.drop = WAL_DROP_REJECTED;
        ack.rejected_items = held->record.items - held->delivered;
    }
    return ack;
}

#define ACKS_AT_ONCE 64

void hf_request_resolve(struct request *request, enum wal_fate fate, enum wal_drop drop,
                        uint64_t rejected)
{
    struct lane *lane = request->lane;
    struct wal_ack acks[ACKS_AT_ONCE];
    size_t ack_count = 0;
    for (size_t i = 0; i < request->count; i++) {
        struct part *part = &request->parts[i];
        struct held *held = part->held;
        /* A partial success does not say which items were refused: the first ones stand for them.
         */
        uint32_t refused = rejected < part->count ? (uint32_t)rejected : part->count;
        rejected -= refused;
        assert(held->open >= part->count);
        held->open -= part->count;
        held->delivered += fate == WAL_DELIVERED ? part->count - refused : 0;
        held->fate = fate;
        held->drop = drop;
        if (held->open != 0) {
            continue;
        }
        acks[ack_count++] = ack_of(held);
        hf_held_release(lane, held);
        if (ack_count == ACKS_AT_ONCE) {
            wal_consumer_ack(lane->whole->consumer, acks, ack_count);
            ack_count = 0;
        }
    }
    if (ack_count != 0) {
        wal_consumer_ack(lane->whole->consumer, acks, ack_count);
    }
    hf_request_free(request);
}

/* By records; a single record by its items. */
static enum hf_status make_halves(const struct request *request, struct request *ret_halves[2])
{
    struct lane *lane = request->lane;
    struct part part = request->parts[0];
    uint32_t half = part.count / 2;
    const struct part cut[2] = {{part.held, part.first, half},
                                {part.held, part.first + half, part.count - half}};
    size_t middle = request->count / 2;
    bool is_record = request->count == 1;
    enum hf_status status = is_record
                                ? hf_request_new(lane, &cut[0], 1, &ret_halves[0])
                                : hf_request_new(lane, request->parts, middle, &ret_halves[0]);
    if (status != HF_OK) {
        return status;
    }
    status = is_record ? hf_request_new(lane, &cut[1], 1, &ret_halves[1])
                       : hf_request_new(lane, request->parts + middle, request->count - middle,
                                        &ret_halves[1]);
    if (status != HF_OK) {
        hf_request_free(ret_halves[0]);
    }
    return status;
}

bool hf_request_halve(struct request *request)
{
    struct request *halves[2];
    struct lane *lane = request->lane->whole;
    if (request->count == 1 && request->parts[0].count == 1) {
        return false;
    }
    enum hf_status status = make_halves(request, halves);
    if (status == HF_NOMEM) {
        /* The whole is kept, and tried again when there may be memory. */
        lane->failing = true;
        lane->resume_ns =
            hf_loop_now_ns(lane->sender->loop) + lane->sender->config->retry.initial_interval_ns;
        hf_lane_put_back(request->lane, request);
        return true;
    }
    if (status != HF_OK) {
        return false;
    }
    hf_isolated_inherit(request, halves[0]);
    hf_isolated_inherit(request, halves[1]);
    hf_request_free(request);
    return true;
}
