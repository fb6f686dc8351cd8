#include "pending.h"

#include <assert.h>
#include <stdlib.h>

#include "dead_letter.h"
#include "delivery_state.h"
#include "export_request.h"
#include "in_flight.h"
#include "reader_batching.h"

/* Most bytes of records in memory of one delivery: a further request is begun only below it. */
#define IN_FLIGHT_BYTES_MAX ((size_t)8 << 20)

bool hf_pending_is_enough(const struct queue_reader *reader)
{
    const struct batch_limits *batch_limits = &reader->batch_limits;
    bool wanted = batch_limits->items_wanted != 0 || batch_limits->bytes_wanted != 0;
    if (!wanted) {
        return reader->pending_items >= batch_limits->items_max ||
               reader->pending_bytes >= batch_limits->bytes_max;
    }
    return (batch_limits->items_wanted != 0 &&
            reader->pending_items >= batch_limits->items_wanted) ||
           (batch_limits->bytes_wanted != 0 &&
            reader->pending_bytes >= batch_limits->bytes_wanted) ||
           reader->pending_bytes >= batch_limits->bytes_max;
}

bool hf_pending_is_memory_full(const struct hf_delivery *delivery)
{
    /* There is room for the largest request that the exporter wants, and for what comes next. */
    size_t request = (size_t)delivery->node->component->exporter->request_bytes_max;
    size_t most = request > IN_FLIGHT_BYTES_MAX / 2 ? 2 * request : IN_FLIGHT_BYTES_MAX;
    return delivery->in_flight_bytes >= most + delivery->isolated_bytes;
}

static bool has_waited(const struct queue_reader *reader, uint64_t now_ns)
{
    bool wanted = reader->batch_limits.items_wanted != 0 || reader->batch_limits.bytes_wanted != 0;
    return !wanted || now_ns - reader->pending_since_ns >= reader->batch_limits.wait_ns ||
           hf_pending_is_memory_full(reader->delivery);
}

/* How many of the pending records go into the next request, at least 1; `*ret_border`: the record
 * behind them must not be in the same request. */
static size_t count_for_request(const struct queue_reader *reader, bool *ret_border)
{
    const struct batch_limits *batch_limits = &reader->batch_limits;
    uint64_t items = 0;
    uint64_t bytes = 0;
    size_t count = 0;
    *ret_border = false;
    for (const struct in_flight_record *record = reader->pending; record != NULL;
         record = record->next) {
        uint32_t left = record->stored.items - record->taken;
        if (count != 0 && !hf_queue_reader_may_mix(reader, reader->pending, record)) {
            *ret_border = true;
            break;
        }
        bool reached = batch_limits->items_wanted != 0 && items >= batch_limits->items_wanted;
        bool full = items + left > batch_limits->items_max ||
                    bytes + record->stored.raw_bytes > batch_limits->bytes_max;
        if (count != 0 && (reached || full)) {
            break;
        }
        count++;
        items += left;
        bytes += record->stored.raw_bytes;
        if (record->taken != 0) {
            break; /* the rest of a split record is sent alone */
        }
    }
    return count;
}

/* Moves a record that cannot be split to the dead letters, so that it does not block the others. */
static void dead_letter_rest(struct queue_reader *reader)
{
    const struct in_flight_record *record = reader->pending;
    const struct record_range rest = {reader->pending, record->taken,
                                      record->stored.items - record->taken};
    struct export_request *request = hf_export_request_new_uncut(reader, &rest);
    if (request != NULL) {
        struct in_flight_record *taken = hf_in_flight_take_pending(reader);
        taken->taken = taken->stored.items;
        hf_export_request_dead_letter(
            request,
            &(const struct hf_outcome){
                .status = HF_CORRUPT, .message = "the record cannot be cut into smaller requests"});
        hf_delivery_pump_later(reader->delivery);
    }
}

/* Is the first pending record more than one request may have? */
static bool is_too_large(const struct queue_reader *reader)
{
    const struct batch_limits *limits = &reader->batch_limits;
    const struct wal_record *record = &reader->pending->stored;
    return record->items > limits->items_max ||
           (limits->own_bytes_max != 0 && record->raw_bytes > limits->own_bytes_max);
}

/* The request of `*count` items of a record, or of fewer until they are within the exporter's own
 * limit; a single item may be above it. */
static enum hf_status make_range(struct queue_reader *reader, uint32_t *count,
                                 struct export_request **ret_request)
{
    struct in_flight_record *record = reader->pending;
    uint64_t bytes_max = reader->batch_limits.own_bytes_max;
    for (;;) {
        const struct record_range range = {record, record->taken, *count};
        enum hf_status status = hf_export_request_new(reader, &range, 1, ret_request);
        if (status != HF_OK || bytes_max == 0 || *count == 1 ||
            (*ret_request)->export.raw_size <= bytes_max) {
            return status;
        }
        hf_export_request_free(*ret_request);
        *count /= 2;
    }
}

/* A record that is more than a request may have is sent in several requests. */
static struct export_request *make_range_request(struct queue_reader *reader)
{
    struct in_flight_record *record = reader->pending;
    uint32_t left = record->stored.items - record->taken;
    uint32_t count =
        left > reader->batch_limits.items_max ? (uint32_t)reader->batch_limits.items_max : left;
    struct export_request *request = NULL;
    enum hf_status status = make_range(reader, &count, &request);
    if (status != HF_OK && status != HF_NOMEM) {
        dead_letter_rest(reader);
    }
    if (status != HF_OK) {
        return NULL;
    }
    if (count == left) {
        hf_in_flight_take_pending(reader);
    } else {
        reader->pending_items -= count;
    }
    record->taken += count;
    return request;
}

static struct export_request *make_request(struct queue_reader *reader, size_t count)
{
    const struct in_flight_record *first = reader->pending;
    if (first->taken != 0 || is_too_large(reader)) {
        return make_range_request(reader);
    }
    struct record_range few[RECORDS_AT_ONCE];
    struct record_range *ranges = count <= RECORDS_AT_ONCE ? few : calloc(count, sizeof(*ranges));
    if (ranges == NULL) {
        return NULL;
    }
    struct in_flight_record *record = reader->pending;
    for (size_t i = 0; i < count; i++, record = record->next) {
        ranges[i] = (struct record_range){record, 0, record->stored.items};
    }
    struct export_request *request = NULL;
    enum hf_status status = hf_export_request_new(reader, ranges, count, &request);
    assert(status == HF_OK || status == HF_NOMEM); /* whole records are not split */
    for (size_t i = 0; request != NULL && i < count; i++) {
        struct in_flight_record *taken = hf_in_flight_take_pending(reader);
        taken->taken = taken->stored.items;
    }
    if (ranges != few) {
        free(ranges);
    }
    return request;
}

struct export_request *hf_pending_next_request(struct queue_reader *reader, uint64_t now_ns)
{
    bool border = false;
    size_t count = count_for_request(reader, &border);
    bool large = border || hf_pending_is_enough(reader) || reader->batch_limits.wait_ns == 0;
    if (!large && !has_waited(reader, now_ns)) {
        return NULL;
    }
    struct export_request *request = make_request(reader, count);
    if (request != NULL) {
        hf_queue_reader_count_batch(reader, request, large);
    }
    return request;
}
