#include "queue_reader.h"

#include <stdlib.h>

#include "delivery_state.h"
#include "export_request.h"
#include "held.h"
#include "in_flight.h"
#include "node/taps.h"
#include "pending.h"
#include "reader_batching.h"
#include "request_lists.h"
#include "requeue.h"
#include "tapped_export.h"
#include "util/time/clock.h"

#define READ_BYTES ((size_t)1 << 20)
#define SENDS_AT_ONCE 64
#define READ_AGAIN_NS UINT64_C(1000000000) /* after a read error */

/* A record without items has nothing to send, and a record of an unknown signal cannot be sent. */
static bool is_sendable(const struct wal_record *record)
{
    return record->items != 0 && record->kind < HF_SIGNAL_COUNT;
}

/* Acknowledges a record that can never be sent, so that it does not block the queue. */
static void skip(struct queue_reader *reader, struct wal_record *record)
{
    struct wal_ack ack = {.sequence = record->sequence,
                          .items = record->items,
                          .raw_bytes = record->raw_bytes,
                          .outcome = record->items == 0 ? WAL_DELIVERED : WAL_DROPPED,
                          .drop = WAL_DROP_DAMAGED};
    hf_ref_drop(record->owner);
    wal_consumer_ack(reader->backlog->consumer, &ack, 1);
}

/* Reads more records. False: there were none, or out of memory. */
static bool read_more(struct queue_reader *reader)
{
    struct wal_record records[RECORDS_AT_ONCE];
    size_t count = 0, room = hf_in_flight_reserve(reader);
    struct wal_consumer *consumer = reader->backlog->consumer;
    bool is_whole = reader == reader->backlog;
    enum wal_status status =
        room == 0  ? WAL_NOMEM
        : is_whole ? wal_consumer_read(consumer, room, READ_BYTES, records, &count)
                   : wal_consumer_read_live(consumer, room, READ_BYTES, records, &count);
    if (status != WAL_OK) {
        reader->backlog->failing = true;
        reader->backlog->resume_ns = hf_loop_now_ns(reader->delivery->loop) + READ_AGAIN_NS;
        return false;
    }
    reader->dry = count == 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_sendable(&records[i])) {
            skip(reader, &records[i]);
        } else {
            hf_in_flight_add(reader, &records[i]);
        }
    }
    return count != 0;
}

static bool is_too_old(const struct queue_reader *reader, const struct in_flight_record *record,
                       uint64_t unix_ns)
{
    uint64_t age_max_ns = reader->delivery->config->queue.max_age_ns;
    return unix_ns > record->stored.time_ns && unix_ns - record->stored.time_ns > age_max_ns;
}

static void log_too_old(struct queue_reader *reader, uint64_t items)
{
    if (items != 0) {
        hf_node_log_keys(reader->delivery->node, HF_LOG_WARN,
                         "Dropping items that are older than max_age.",
                         HF_LOG_KEYS(HF_LOG_NUMBER("dropped_items", items)));
    }
}

/* Drops the oldest pending records while they are older than max_age. A record that was sent in
 * part is still sent. */
static void drop_pending_too_old(struct queue_reader *reader)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (reader->pending != NULL && reader->pending->taken == 0 &&
           is_too_old(reader, reader->pending, unix_ns)) {
        struct in_flight_record *record = hf_in_flight_take_pending(reader);
        struct wal_ack ack = {.sequence = record->stored.sequence,
                              .items = record->stored.items,
                              .raw_bytes = record->stored.raw_bytes,
                              .outcome = WAL_DROPPED,
                              .drop = WAL_DROP_GAVE_UP};
        items += record->stored.items;
        hf_series_add(reader->delivery->send_failed[record->stored.kind], record->stored.items);
        wal_consumer_ack(reader->backlog->consumer, &ack, 1);
        hf_in_flight_release(reader, record);
    }
    log_too_old(reader, items);
}

static bool is_request_too_old(const struct export_request *request, uint64_t unix_ns)
{
    return is_too_old(request->reader, request->ranges[request->count - 1].record, unix_ns);
}

static uint64_t drop_too_old(struct export_request *request)
{
    uint64_t items = request->export.items;
    hf_series_add(request->reader->delivery->send_failed[request->export.signal], (int64_t)items);
    hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
    return items;
}

/* The same for requests that wait to be sent again: a request is dropped when its youngest record
 * is too old. */
static void drop_waiting_too_old(struct queue_reader *reader)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (reader->waiting != NULL && is_request_too_old(reader->waiting, unix_ns)) {
        struct export_request *request = reader->waiting;
        reader->waiting = request->next;
        items += drop_too_old(request);
    }
    log_too_old(reader, items);
}

static struct export_request *take_isolated(struct queue_reader *reader, uint64_t now_ns)
{
    struct export_request *request = hf_isolated_take(reader, now_ns, reader->failing);
    if (request == NULL || reader->delivery->config->queue.max_age_ns == 0 ||
        !is_request_too_old(request, hf_clock_unix_ns())) {
        return request;
    }
    log_too_old(reader, drop_too_old(request));
    hf_delivery_pump_later(reader->delivery); /* the next one in its turn */
    return NULL;
}

/* A request whose group may be tried. */
static struct export_request *take_held(struct queue_reader *reader, uint64_t now_ns)
{
    struct export_request *request = hf_held_take(reader, now_ns);
    if (request != NULL && reader->delivery->config->queue.max_age_ns != 0 &&
        is_request_too_old(request, hf_clock_unix_ns())) {
        uint32_t group = request->group;
        log_too_old(reader, drop_too_old(request));
        hf_held_answered(reader, group);
        hf_held_settled(reader, group);
        hf_delivery_pump_later(reader->delivery);
        return NULL;
    }
    return request;
}

static struct export_request *next_request(struct queue_reader *reader, uint64_t now_ns)
{
    bool has_room = hf_isolated_has_room(reader->backlog) && hf_held_has_room(reader->backlog);
    while (has_room && !hf_pending_is_enough(reader) && !reader->dry &&
           !hf_pending_is_memory_full(reader->delivery)) {
        if (!read_more(reader)) {
            break;
        }
    }
    /* A reader still gets one request when others take all the memory. */
    if (reader->pending == NULL && has_room && !reader->dry && !reader->backlog->failing &&
        reader->backlog->in_flight == 0) {
        (void)read_more(reader);
    }
    if (reader->delivery->config->queue.max_age_ns != 0) {
        drop_pending_too_old(reader);
        if (reader->pending == NULL && !reader->dry) {
            hf_delivery_pump_later(
                reader->delivery); /* other readers get their turn before this one reads on */
        }
    }
    return reader->pending != NULL ? hf_pending_next_request(reader, now_ns) : NULL;
}

static void send_request(struct queue_reader *reader, struct export_request *request,
                         uint64_t now_ns)
{
    struct hf_delivery *delivery = reader->delivery;
    uint64_t timeout_ns = delivery->config->timeout_ns;
    reader->in_flight++;
    delivery->in_flight++;
    request->round = delivery->window.round;
    if (!request->isolation.is_suspect) {
        request->isolation.passed = reader->backlog->passed;
    }
    hf_meter_take(&delivery->meter, request->export.raw_size, now_ns);
    request->export.attempt++;
    request->span_start_ns = hf_own_span_begin(delivery->span_names[request->export.signal]);
    request->export.deadline_ns = timeout_ns != 0 ? now_ns + timeout_ns : 0;
    if (hf_taps_are_open(delivery->node->host)) {
        hf_tapped_export(delivery->node, request);
    }
    delivery->node->component->exporter->send(delivery->node->self, &request->export);
}

static void set_timer(struct queue_reader *reader, uint64_t now_ns)
{
    struct hf_loop *loop = reader->delivery->loop;
    uint64_t due_ns = 0;
    if (reader->delivery->in_flight >= reader->delivery->window.now) {
        hf_loop_timer_stop(loop, &reader->timer); /* the next completion pumps all readers */
        return;
    }
    if (reader->backlog->failing && reader->backlog->in_flight == 0) {
        due_ns = reader->backlog->resume_ns;
    } else if (reader->pending != NULL && !reader->backlog->failing) {
        due_ns = reader->pending_since_ns + reader->batch_limits.wait_ns;
    }
    uint64_t isolated_ns = reader->failing ? 0 : hf_isolated_due_ns(reader);
    if (isolated_ns != 0 && (due_ns == 0 || isolated_ns < due_ns)) {
        due_ns = isolated_ns;
    }
    uint64_t held_ns = reader->failing ? 0 : hf_held_due_ns(reader);
    if (held_ns != 0 && (due_ns == 0 || held_ns < due_ns)) {
        due_ns = held_ns;
    }
    if (!hf_meter_is_free(&reader->delivery->meter, now_ns) &&
        due_ns < reader->delivery->meter.free_ns) {
        due_ns = reader->delivery->meter.free_ns;
    }
    if (due_ns == 0) {
        hf_loop_timer_stop(loop, &reader->timer);
        return;
    }
    if (due_ns <= now_ns) {
        due_ns = now_ns + 1000000; /* memory is full: a completion comes first */
    }
    if (hf_loop_timer_set(loop, &reader->timer, due_ns) != HF_OK) {
        return; /* out of memory: the next completion or record pumps */
    }
}

/* A request that is to be sent again, otherwise a new one; NULL: there is none now. */
static struct export_request *take_from(struct queue_reader *reader, uint64_t now_ns)
{
    if (reader->delivery->config->queue.max_age_ns != 0) {
        drop_waiting_too_old(reader);
    }
    struct export_request *request = reader->waiting;
    if (request == NULL) {
        return next_request(reader, now_ns);
    }
    reader->waiting = request->next;
    request->next = NULL;
    return request;
}

/* The live reader gets as many of a hundred requests as its share says; each of the two may use
 * what the other leaves. */
static struct export_request *take_in_turn(struct queue_reader *reader, uint64_t now_ns)
{
    struct queue_reader *live = reader->live;
    if (live == NULL) {
        return take_from(reader, now_ns);
    }
    unsigned share = (unsigned)reader->delivery->config->queue.fresh_share;
    unsigned credit = reader->live_credit + share;
    bool live_first = credit >= 100;
    live->dry = false; /* it has no wake-up: it is asked each time */
    struct export_request *request = take_from(live_first ? live : reader, now_ns);
    if (request == NULL) {
        request = take_from(live_first ? reader : live, now_ns);
    }
    if (request != NULL && request->reader == live) {
        credit = credit > 100 ? credit - 100 : 0;
    } else if (live_first) {
        credit = 100 - share; /* it gets its turn again, but its credit does not grow further */
    }
    reader->live_credit = credit;
    return request;
}

/* While the backend fails, a request that it has not failed at yet is tried first: if that one is
 * delivered, the isolated requests are the cause. */
static struct export_request *take(struct queue_reader *reader, uint64_t now_ns)
{
    struct export_request *request = reader->failing ? NULL : take_isolated(reader, now_ns);
    if (request == NULL && !reader->failing) {
        request = take_held(reader, now_ns);
    }
    if (request == NULL) {
        request = take_in_turn(reader, now_ns);
    }
    if (request == NULL && reader->failing) {
        request = take_isolated(reader, now_ns);
    }
    return request == NULL && reader->failing ? take_held(reader, now_ns) : request;
}

/* For hf_delivery_look(): plain stores that no one waits for. */
static void show(struct queue_reader *reader)
{
    struct hf_delivery *delivery = reader->delivery;
    const struct queue_reader *live = reader->live;
    size_t isolated = reader->isolated.count + (live != NULL ? live->isolated.count : 0);
    atomic_store_explicit(&reader->shown_held, reader->held.records, memory_order_relaxed);
    atomic_store_explicit(&reader->shown_isolated, isolated, memory_order_relaxed);
    atomic_store_explicit(&delivery->shown_in_flight, delivery->in_flight, memory_order_relaxed);
    atomic_store_explicit(&delivery->shown_window, (unsigned)delivery->window.now,
                          memory_order_relaxed);
}

void hf_queue_reader_pump(struct queue_reader *reader)
{
    struct hf_delivery *delivery = reader->delivery;
    if (!delivery->running || delivery->stopping) {
        return;
    }
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    if (!hf_requeued_is_open(reader)) {
        set_timer(reader, now_ns);
        return;
    }
    /* An exporter that completes at once would keep this thread here for ever: other readers get
     * their turn.
     */
    unsigned sends_left = SENDS_AT_ONCE;
    while (delivery->in_flight < delivery->window.now &&
           hf_meter_is_free(&delivery->meter, now_ns)) {
        if (sends_left-- == 0) {
            hf_delivery_pump_later(delivery);
            break;
        }
        if (reader->failing && (reader->in_flight != 0 || now_ns < reader->resume_ns)) {
            break; /* one request probes the backend at a time */
        }
        struct export_request *request = take(reader, now_ns);
        if (request == NULL) {
            break;
        }
        send_request(reader, request, now_ns);
    }
    set_timer(reader, now_ns);
    if (reader->live != NULL) {
        set_timer(reader->live, now_ns);
    }
    show(reader);
}

static void woken(struct hf_task *task)
{
    struct queue_reader *reader = HF_CONTAINER(task, struct queue_reader, wake);
    reader->dry = false;
    hf_queue_reader_pump(reader);
}

static void timer_fired(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    hf_delivery_pump_later(HF_CONTAINER(timer, struct queue_reader, timer)->delivery);
}

/* Unacknowledged. */
static void release_request(struct export_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        struct record_range *range = &request->ranges[i];
        range->record->open -= range->count;
        if (range->record->open == 0) {
            hf_in_flight_release(request->reader, range->record);
        }
    }
    hf_export_request_free(request);
}

void hf_queue_reader_drop_all(struct queue_reader *reader)
{
    /* Before the live reader: some of these requests are of that reader. */
    hf_held_drop_all(reader);
    struct export_request *isolated;
    while ((isolated = hf_isolated_take(reader, 0, true)) != NULL) {
        release_request(isolated);
    }
    if (reader->live != NULL) {
        hf_queue_reader_drop_all(reader->live);
    }
    while (reader->waiting != NULL) {
        struct export_request *request = reader->waiting;
        reader->waiting = request->next;
        release_request(request);
    }
    while (reader->pending != NULL) {
        struct in_flight_record *record = hf_in_flight_take_pending(reader);
        record->open -= record->stored.items - record->taken;
        if (record->open == 0) {
            hf_in_flight_release(reader, record);
        }
    }
    hf_in_flight_free_spares(reader);
}

static void init_reader(struct queue_reader *reader, struct hf_delivery *delivery,
                        const struct hf_pipeline *pipeline)
{
    reader->delivery = delivery;
    reader->pipeline = pipeline;
    reader->pending_end = &reader->pending;
    reader->wake.run = woken;
    reader->timer.fire = timer_fired;
    hf_queue_reader_set_batching(reader);
}

struct queue_reader *hf_queue_reader_new(struct hf_delivery *delivery,
                                         const struct hf_pipeline *pipeline)
{
    /* Requeued dead letters need no live reader. */
    bool has_live = pipeline != NULL && delivery->config->queue.fresh_share != 0;
    struct queue_reader *reader = calloc(has_live ? 2 : 1, sizeof(*reader));
    if (reader == NULL) {
        return NULL;
    }
    reader->next = delivery->readers;
    delivery->readers = reader;
    init_reader(reader, delivery, pipeline);
    reader->backlog = reader;
    if (has_live) {
        reader->live = reader + 1;
        init_reader(reader->live, delivery, pipeline);
        reader->live->backlog = reader;
    }
    return reader;
}
