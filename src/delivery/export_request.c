#include "export_request.h"

#include <assert.h>
#include <stdlib.h>

#include <holdfast/node.h>

#include "in_flight.h"
#include "pdata/split.h"
#include "request_lists.h"

static bool is_whole(const struct record_range *range)
{
    return range->first == 0 && range->count == range->record->stored.items;
}

/* Appends those items of one record as a request of their own. */
static enum hf_status copy_items(const struct wal_record *record,
                                 const struct hf_split_range *ranges, size_t count,
                                 struct hf_bytes *out)
{
    enum hf_signal signal = (enum hf_signal)record->kind;
    if (record->coding == HF_IDENTITY) {
        return hf_split_ranges(signal, record->body, ranges, count, out);
    }
    struct hf_bytes raw = {0};
    enum hf_status status = hf_decode((enum hf_coding)record->coding, record->body,
                                      (size_t)record->raw_bytes + 1, &raw);
    if (status == HF_OK) {
        status = hf_split_ranges(signal, hf_slice_of(raw.data, raw.size), ranges, count, out);
    }
    hf_bytes_release(&raw);
    return status;
}

/* Likewise of `count` ranges of the same record. */
static enum hf_status copy_ranges(const struct record_range *ranges, size_t count,
                                  struct hf_bytes *out)
{
    struct hf_split_range one;
    struct hf_split_range *items = count == 1 ? &one : calloc(count, sizeof(*items));
    if (items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct hf_split_range){ranges[i].first, ranges[i].count};
    }
    enum hf_status status = copy_items(&ranges->record->stored, items, count, out);
    if (items != &one) {
        free(items);
    }
    return status;
}

static struct hf_export_body body_of(const struct record_range *range)
{
    const struct wal_record *record = &range->record->stored;
    return (struct hf_export_body){
        .wire = record->body,
        .coding = (enum hf_coding)record->coding,
        .items = range->count,
        .raw_size = record->raw_bytes,
        .received_ns = record->time_ns,
    };
}

/* How many ranges at the beginning are of the same record: they have one body. */
static size_t count_of_record(const struct record_range *ranges, size_t count)
{
    size_t same = 1;
    while (same < count && ranges[same].record == ranges->record) {
        same++;
    }
    return same;
}

/* The body of `count` ranges of one record. That of a part of it is in `range_body`, which may
 * still move: its place is set at the end. */
static enum hf_status fill_body(struct export_request *request, const struct record_range *ranges,
                                size_t count)
{
    struct hf_export_body *body = &request->bodies[request->export.body_count++];
    size_t before = request->range_body.size;
    *body = body_of(ranges);
    if (!is_whole(ranges)) {
        enum hf_status status = copy_ranges(ranges, count, &request->range_body);
        if (status != HF_OK) {
            return status;
        }
        for (size_t i = 1; i < count; i++) {
            body->items += ranges[i].count;
        }
        body->raw_size = request->range_body.size - before;
        body->wire = hf_slice_of(NULL, (size_t)body->raw_size);
        body->coding = HF_IDENTITY;
    }
    request->export.items += body->items;
    request->export.raw_size += body->raw_size;
    return HF_OK;
}

static void place_bodies(struct export_request *request)
{
    size_t at = 0;
    for (size_t i = 0; i < request->export.body_count; i++) {
        struct hf_slice *wire = &request->bodies[i].wire;
        if (wire->data == NULL && wire->size != 0) {
            *wire = hf_slice_of(request->range_body.data + at, wire->size);
            at += wire->size;
        }
    }
}

static void name_sources(struct export_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct record_range *range = &request->ranges[i];
        request->sources[i] = (struct hf_export_range){
            .sequence = range->record->stored.sequence,
            .received_ns = range->record->stored.time_ns,
            .first = range->first,
            .count = range->count,
            .record_items = range->record->stored.items,
            .origin = range->record->stored.origin,
        };
    }
    const struct hf_pipeline *pipeline = request->reader->pipeline;
    request->export.ranges = request->sources;
    request->export.range_count = request->count;
    request->export.queue = pipeline != NULL ? hf_pipeline_id(pipeline) : "";
}

static struct export_request *new_request(struct queue_reader *reader,
                                          const struct record_range *ranges, size_t count)
{
    assert(count != 0);
    struct export_request *request = calloc(
        1, sizeof(*request) + count * (sizeof(struct record_range) + sizeof(struct hf_export_body) +
                                       sizeof(struct hf_export_range)));
    if (request == NULL) {
        return NULL;
    }
    request->reader = reader;
    request->count = count;
    request->bodies = (struct hf_export_body *)(request + 1);
    request->ranges = (struct record_range *)(request->bodies + count);
    request->sources = (struct hf_export_range *)(request->ranges + count);
    memcpy(request->ranges, ranges, count * sizeof(*ranges));
    name_sources(request);
    request->export.signal = (enum hf_signal)ranges[0].record->stored.kind;
    request->export.bodies = request->bodies;
    request->export.meta = ranges[0].record->stored.meta;
    return request;
}

enum hf_status hf_export_request_new(struct queue_reader *reader, const struct record_range *ranges,
                                     size_t count, struct export_request **ret_request)
{
    struct export_request *request = new_request(reader, ranges, count);
    if (request == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count;) {
        size_t same = count_of_record(ranges + i, count - i);
        enum hf_status status = fill_body(request, ranges + i, same);
        if (status != HF_OK) {
            hf_export_request_free(request);
            return status;
        }
        i += same;
    }
    place_bodies(request);
    *ret_request = request;
    return HF_OK;
}

struct export_request *hf_export_request_new_uncut(struct queue_reader *reader,
                                                   const struct record_range *range)
{
    struct export_request *request = new_request(reader, range, 1);
    if (request != NULL) {
        request->bodies[0] = body_of(range);
        request->export.body_count = 1;
        request->export.items = range->count;
        request->export.raw_size = request->bodies[0].raw_size;
    }
    return request;
}

struct export_request *hf_export_request_new_settled(struct queue_reader *reader,
                                                     const struct record_range *ranges,
                                                     size_t count)
{
    struct export_request *request = new_request(reader, ranges, count);
    for (size_t i = 0; request != NULL && i < count; i++) {
        request->export.items += ranges[i].count;
    }
    return request;
}

void hf_export_request_free(struct export_request *request)
{
    hf_isolated_forget(request);
    hf_bytes_release(&request->range_body);
    free(request);
}

/* The record's own outcome, once its last item is done with. The ranges of one record may have had
 * different outcomes. */
static struct wal_ack ack_of(const struct in_flight_record *record)
{
    struct wal_ack ack = {
        .sequence = record->stored.sequence,
        .items = record->stored.items,
        .raw_bytes = record->stored.raw_bytes,
        .outcome = record->outcome,
        .drop = record->drop,
    };
    if (record->delivered != 0 || record->outcome == WAL_DELIVERED) {
        ack.outcome = WAL_DELIVERED;
        ack.drop = WAL_DROP_REJECTED;
        ack.dead_lettered_items = record->dead_lettered;
        ack.rejected_items = record->stored.items - record->delivered - record->dead_lettered;
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
        struct in_flight_record *record = range->record;
        /* A partial success does not say which items were refused: the first ones stand for them.
         */
        uint32_t refused = rejected < range->count ? (uint32_t)rejected : range->count;
        rejected -= refused;
        assert(record->open >= range->count);
        record->open -= range->count;
        record->delivered += outcome == WAL_DELIVERED ? range->count - refused : 0;
        record->dead_lettered += outcome == WAL_DEAD_LETTERED ? range->count : 0;
        record->outcome = outcome;
        record->drop = drop;
        if (record->open != 0) {
            hf_in_flight_unload(reader, record);
            continue;
        }
        acks[ack_count++] = ack_of(record);
        hf_in_flight_release(reader, record);
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
    const struct record_range cut[2] = {{range.record, range.first, half},
                                        {range.record, range.first + half, range.count - half}};
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
        /* The request is kept as it is, and tried again later. */
        reader->failing = true;
        reader->resume_ns = hf_loop_now_ns(reader->delivery->loop) +
                            reader->delivery->config->retry.initial_interval_ns;
        hf_waiting_add(request->reader, request);
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
