/*
 * request: making a request of records, cutting it, and settling it with the queue.
 */
#include <assert.h>
#include <stdlib.h>

#include "export_request.h"
#include "isolation.h"
#include "pdata/split.h"

static bool is_whole(const struct record_range *range)
{
    return range->first == 0 && range->count == range->inflight->record.items;
}

/* The bytes of a run of a record's items, as a request of their own. */
static enum hf_status cut_run(const struct record_range *range, struct hf_bytes *out)
{
    const struct wal_record *record = &range->inflight->record;
    enum hf_signal signal = (enum hf_signal)record->kind;
    if (record->coding == HF_IDENTITY) {
        return hf_split(signal, record->body, range->first, range->count, out);
    }
    struct hf_bytes raw = {0};
    enum hf_status status = hf_decode((enum hf_coding)record->coding, record->body,
                                      (size_t)record->raw_bytes + 1, &raw);
    if (status == HF_OK) {
        status = hf_split(signal, hf_slice_of(raw.data, raw.size), range->first, range->count, out);
    }
    hf_bytes_release(&raw);
    return status;
}

static struct hf_export_body whole_of(const struct record_range *range)
{
    const struct wal_record *record = &range->inflight->record;
    return (struct hf_export_body){
        .wire = record->body,
        .coding = (enum hf_coding)record->coding,
        .items = range->count,
        .raw_size = record->raw_bytes,
        .received_ns = record->time_ns,
    };
}

static enum hf_status fill_piece(struct export_request *request, size_t i)
{
    const struct record_range *range = &request->ranges[i];
    struct hf_export_body *piece = &request->bodies[i];
    *piece = whole_of(range);
    if (is_whole(range)) {
        return HF_OK;
    }
    assert(request->count == 1);
    enum hf_status status = cut_run(range, &request->cut);
    piece->wire = hf_slice_of(request->cut.data, request->cut.size);
    piece->coding = HF_IDENTITY;
    piece->raw_size = request->cut.size;
    return status;
}

static struct export_request *new_request(struct queue_reader *reader,
                                          const struct record_range *ranges, size_t count)
{
    assert(count != 0);
    struct export_request *request =
        calloc(1, sizeof(*request) +
                      count * (sizeof(struct record_range) + sizeof(struct hf_export_body)));
    if (request == NULL) {
        return NULL;
    }
    request->reader = reader;
    request->count = count;
    request->bodies = (struct hf_export_body *)(request + 1);
    request->ranges = (struct record_range *)(request->bodies + count);
    memcpy(request->ranges, ranges, count * sizeof(*ranges));
    request->export.signal = (enum hf_signal)ranges[0].inflight->record.kind;
    request->export.bodies = request->bodies;
    request->export.body_count = count;
    request->export.meta = ranges[0].inflight->record.meta;
    return request;
}

enum hf_status hf_export_request_new(struct queue_reader *reader, const struct record_range *ranges,
                                     size_t count, struct export_request **ret_request)
{
    struct export_request *request = new_request(reader, ranges, count);
    if (request == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        enum hf_status status = fill_piece(request, i);
        if (status != HF_OK) {
            hf_export_request_free(request);
            return status;
        }
        request->export.items += request->bodies[i].items;
        request->export.raw_size += request->bodies[i].raw_size;
    }
    *ret_request = request;
    return HF_OK;
}

struct export_request *hf_request_new_uncut(struct queue_reader *reader,
                                            const struct record_range *range)
{
    struct export_request *request = new_request(reader, range, 1);
    if (request != NULL) {
        request->bodies[0] = whole_of(range);
        request->export.items = range->count;
        request->export.raw_size = request->bodies[0].raw_size;
    }
    return request;
}

void hf_export_request_free(struct export_request *request)
{
    hf_isolated_forget(request);
    hf_bytes_release(&request->cut);
    free(request);
}

/* The record's own outcome, once its last item is done with. Runs of one record may have ended
 * differently. */
static struct wal_ack ack_of(const struct in_flight_record *inflight)
{
    struct wal_ack ack = {
        .sequence = inflight->record.sequence,
        .items = inflight->record.items,
        .raw_bytes = inflight->record.raw_bytes,
        .outcome = inflight->outcome,
        .drop = inflight->drop,
    };
    if (inflight->delivered != 0 || inflight->outcome == WAL_DELIVERED) {
        ack.outcome = WAL_DELIVERED;
        ack.drop = WAL_DROP_REJECTED;
        ack.rejected_items = inflight->record.items - inflight->delivered;
    }
    return ack;
}

#define ACKS_AT_ONCE 64

void hf_export_request_resolve(struct export_request *request, enum wal_outcome outcome,
                               enum wal_drop drop, uint64_t rejected)
{
    struct queue_reader *reader = request->reader;
    struct wal_ack acks[ACKS_AT_ONCE];
    size_t ack_count = 0;
    for (size_t i = 0; i < request->count; i++) {
        struct record_range *range = &request->ranges[i];
        struct in_flight_record *inflight = range->inflight;
        /* A partial success does not say which items were refused: the first ones stand for them.
         */
        uint32_t refused = rejected < range->count ? (uint32_t)rejected : range->count;
        rejected -= refused;
        assert(inflight->open >= range->count);
        inflight->open -= range->count;
        inflight->delivered += outcome == WAL_DELIVERED ? range->count - refused : 0;
        inflight->outcome = outcome;
        inflight->drop = drop;
        if (inflight->open != 0) {
            continue;
        }
        acks[ack_count++] = ack_of(inflight);
        hf_held_release(reader, inflight);
        if (ack_count == ACKS_AT_ONCE) {
            wal_consumer_ack(reader->backlog->consumer, acks, ack_count);
            ack_count = 0;
        }
    }
    if (ack_count != 0) {
        wal_consumer_ack(reader->backlog->consumer, acks, ack_count);
    }
    hf_export_request_free(request);
}

/* By records; a single record by its items. */
static enum hf_status make_halves(const struct export_request *request,
                                  struct export_request *ret_halves[2])
{
    struct queue_reader *reader = request->reader;
    struct record_range range = request->ranges[0];
    uint32_t half = range.count / 2;
    const struct record_range cut[2] = {{range.inflight, range.first, half},
                                        {range.inflight, range.first + half, range.count - half}};
    size_t middle = request->count / 2;
    bool is_record = request->count == 1;
    enum hf_status status =
        is_record ? hf_export_request_new(reader, &cut[0], 1, &ret_halves[0])
                  : hf_export_request_new(reader, request->ranges, middle, &ret_halves[0]);
    if (status != HF_OK) {
        return status;
    }
    status = is_record ? hf_export_request_new(reader, &cut[1], 1, &ret_halves[1])
                       : hf_export_request_new(reader, request->ranges + middle,
                                               request->count - middle, &ret_halves[1]);
    if (status != HF_OK) {
        hf_export_request_free(ret_halves[0]);
    }
    return status;
}

bool hf_export_request_halve(struct export_request *request)
{
    struct export_request *halves[2];
    struct queue_reader *reader = request->reader->backlog;
    if (request->count == 1 && request->ranges[0].count == 1) {
        return false;
    }
    enum hf_status status = make_halves(request, halves);
    if (status == HF_NOMEM) {
        /* The whole is kept, and tried again when there may be memory. */
        reader->failing = true;
        reader->resume_ns = hf_loop_now_ns(reader->delivery->loop) +
                            reader->delivery->config->retry.initial_interval_ns;
        hf_queue_reader_put_back(request->reader, request);
        return true;
    }
    if (status != HF_OK) {
        return false;
    }
    hf_isolated_inherit(request, halves[0]);
    hf_isolated_inherit(request, halves[1]);
    hf_export_request_free(request);
    return true;
}
