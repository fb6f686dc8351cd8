/*
 * reader: reads records ahead, shapes them into requests, and paces the sending of one queue's
 * data.
 */
#include <assert.h>
#include <stdlib.h>

#include "export_request.h"
#include "isolation.h"
#include "requeue.h"
#include "util/clock.h"

#define RECORDS_AT_ONCE 64
#define READ_BYTES ((size_t)1 << 20)
#define SENDS_AT_ONCE 64
#define READ_AGAIN_NS UINT64_C(1000000000) /* after a read error */

/* What a record costs while it is inflight: what was stored, and what it is decoded to on its way
 * out.
 */
static size_t cost_of(const struct wal_record *record)
{
    return record->body.size + (record->coding != HF_IDENTITY ? (size_t)record->raw_bytes : 0);
}

static void add_spare(struct queue_reader *reader, struct in_flight_record *inflight)
{
    inflight->next = reader->spares;
    reader->spares = inflight;
    reader->spare_count++;
}

void hf_held_release(struct queue_reader *reader, struct in_flight_record *inflight)
{
    reader->delivery->held_bytes -= cost_of(&inflight->record);
    hf_ref_drop(inflight->record.owner);
    if (reader->spare_count < RECORDS_AT_ONCE) {
        add_spare(reader, inflight);
    } else {
        free(inflight);
    }
}

/*
 * Room for what a read gives, before it is read: a record that could not be inflight would be seen
 * again only after a new start. Returns for how many there is.
 */
static size_t make_room(struct queue_reader *reader)
{
    while (reader->spare_count < RECORDS_AT_ONCE) {
        struct in_flight_record *inflight = malloc(sizeof(*inflight));
        if (inflight == NULL) {
            break;
        }
        add_spare(reader, inflight);
    }
    return reader->spare_count;
}

static void hold(struct queue_reader *reader, const struct wal_record *record)
{
    struct in_flight_record *inflight = reader->spares;
    assert(inflight != NULL);
    reader->spares = inflight->next;
    reader->spare_count--;
    *inflight = (struct in_flight_record){.record = *record, .open = record->items};
    if (reader->pending == NULL) {
        reader->pending_since_ns = hf_loop_now_ns(reader->delivery->loop);
        reader->pending_end = &reader->pending;
    }
    *reader->pending_end = inflight;
    reader->pending_end = &inflight->next;
    reader->pending_items += record->items;
    reader->pending_bytes += record->raw_bytes;
    reader->delivery->held_bytes += cost_of(record);
}

/* A record without items has nothing to send, one of no known signal has nobody to take it. */
static bool is_sendable(const struct wal_record *record)
{
    return record->items != 0 && record->kind < HF_SIGNAL_COUNT;
}

/* What cannot be sent is done with as it is read. */
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

/* Reads one group more. False: nothing was there, or no memory. */
static bool read_more(struct queue_reader *reader)
{
    struct wal_record records[RECORDS_AT_ONCE];
    size_t count = 0, room = make_room(reader);
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
            hold(reader, &records[i]);
        }
    }
    return count != 0;
}

static bool is_enough(const struct queue_reader *reader)
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

/* What stands aside has a bound of its own. */
static bool is_memory_full(const struct hf_delivery *delivery)
{
    return delivery->held_bytes >= HELD_BYTES_MAX + delivery->isolated_bytes;
}

static bool has_waited(const struct queue_reader *reader, uint64_t now_ns)
{
    bool wanted = reader->batch_limits.items_wanted != 0 || reader->batch_limits.bytes_wanted != 0;
    return !wanted || now_ns - reader->pending_since_ns >= reader->batch_limits.wait_ns ||
           is_memory_full(reader->delivery);
}

/* How many of the pending records go into one request, at least 1; `*ret_border`: a record that
 * must not be mixed follows. */
static size_t count_for_request(const struct queue_reader *reader, bool *ret_border)
{
    const struct batch_limits *batch_limits = &reader->batch_limits;
    uint64_t items = 0;
    uint64_t bytes = 0;
    size_t count = 0;
    *ret_border = false;
    for (const struct in_flight_record *inflight = reader->pending; inflight != NULL;
         inflight = inflight->next) {
        uint32_t left = inflight->record.items - inflight->taken;
        if (count != 0 && !hf_queue_reader_may_mix(reader, reader->pending, inflight)) {
            *ret_border = true;
            break;
        }
        bool reached = batch_limits->items_wanted != 0 && items >= batch_limits->items_wanted;
        bool full = items + left > batch_limits->items_max ||
                    bytes + inflight->record.raw_bytes > batch_limits->bytes_max;
        if (count != 0 && (reached || full)) {
            break;
        }
        count++;
        items += left;
        bytes += inflight->record.raw_bytes;
        if (inflight->taken != 0) {
            break; /* the rest of a cut record goes alone */
        }
    }
    return count;
}

static struct in_flight_record *take_pending(struct queue_reader *reader)
{
    struct in_flight_record *inflight = reader->pending;
    reader->pending = inflight->next;
    if (reader->pending == NULL) {
        reader->pending_end = &reader->pending;
    }
    inflight->next = NULL;
    reader->pending_items -= inflight->record.items - inflight->taken;
    reader->pending_bytes -= inflight->record.raw_bytes;
    reader->pending_since_ns = hf_loop_now_ns(reader->delivery->loop);
    return inflight;
}

/* A record that cannot be cut never could: it makes way for the others. */
static void bury_uncut(struct queue_reader *reader)
{
    const struct in_flight_record *inflight = reader->pending;
    const struct record_range rest = {reader->pending, inflight->taken,
                                      inflight->record.items - inflight->taken};
    struct export_request *request = hf_request_new_uncut(reader, &rest);
    if (request != NULL) {
        struct in_flight_record *taken = take_pending(reader);
        taken->taken = taken->record.items;
        hf_export_request_dead_letter(
            request,
            &(const struct hf_outcome){
                .status = HF_CORRUPT, .message = "the record cannot be cut into smaller requests"});
        hf_delivery_pump_later(reader->delivery);
    }
}

/* A record with more items than a request may have is sent in runs. */
static struct export_request *make_run(struct queue_reader *reader)
{
    struct in_flight_record *inflight = reader->pending;
    uint32_t left = inflight->record.items - inflight->taken;
    uint32_t count =
        left > reader->batch_limits.items_max ? (uint32_t)reader->batch_limits.items_max : left;
    struct record_range range = {inflight, inflight->taken, count};
    struct export_request *request = NULL;
    enum hf_status status = hf_export_request_new(reader, &range, 1, &request);
    if (status != HF_OK && status != HF_NOMEM) {
        bury_uncut(reader);
    }
    if (status != HF_OK) {
        return NULL;
    }
    if (count == left) {
        take_pending(reader);
    } else {
        reader->pending_items -= count;
    }
    inflight->taken += count;
    return request;
}

static struct export_request *make_request(struct queue_reader *reader, size_t count)
{
    const struct in_flight_record *first = reader->pending;
    if (first->taken != 0 || first->record.items > reader->batch_limits.items_max) {
        return make_run(reader);
    }
    struct record_range few[RECORDS_AT_ONCE];
    struct record_range *ranges = count <= RECORDS_AT_ONCE ? few : calloc(count, sizeof(*ranges));
    if (ranges == NULL) {
        return NULL;
    }
    struct in_flight_record *inflight = reader->pending;
    for (size_t i = 0; i < count; i++, inflight = inflight->next) {
        ranges[i] = (struct record_range){inflight, 0, inflight->record.items};
    }
    struct export_request *request = NULL;
    enum hf_status status = hf_export_request_new(reader, ranges, count, &request);
    assert(status == HF_OK || status == HF_NOMEM); /* whole records are not cut */
    for (size_t i = 0; request != NULL && i < count; i++) {
        struct in_flight_record *taken = take_pending(reader);
        taken->taken = taken->record.items;
    }
    if (ranges != few) {
        free(ranges);
    }
    return request;
}

static bool is_too_old(const struct queue_reader *reader, const struct in_flight_record *inflight,
                       uint64_t unix_ns)
{
    uint64_t age_max_ns = reader->delivery->config->queue.max_age_ns;
    return unix_ns > inflight->record.time_ns && unix_ns - inflight->record.time_ns > age_max_ns;
}

static void tell_too_old(struct queue_reader *reader, uint64_t items)
{
    if (items != 0) {
        hf_node_log(reader->delivery->node, HF_LOG_WARN,
                    "dropped %llu items that are older than max_age", (unsigned long long)items);
    }
}

/* Drops the oldest of the pending while they are older than the user wants to deliver. What is sent
 * in range goes on. */
static void drop_pending_too_old(struct queue_reader *reader)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (reader->pending != NULL && reader->pending->taken == 0 &&
           is_too_old(reader, reader->pending, unix_ns)) {
        struct in_flight_record *inflight = take_pending(reader);
        struct wal_ack ack = {.sequence = inflight->record.sequence,
                              .items = inflight->record.items,
                              .raw_bytes = inflight->record.raw_bytes,
                              .outcome = WAL_DROPPED,
                              .drop = WAL_DROP_GAVE_UP};
        items += inflight->record.items;
        hf_series_add(reader->delivery->send_failed[inflight->record.kind], inflight->record.items);
        wal_consumer_ack(reader->backlog->consumer, &ack, 1);
        hf_held_release(reader, inflight);
    }
    tell_too_old(reader, items);
}

static bool is_request_too_old(const struct export_request *request, uint64_t unix_ns)
{
    return is_too_old(request->reader, request->ranges[request->count - 1].inflight, unix_ns);
}

static uint64_t drop_too_old(struct export_request *request)
{
    uint64_t items = request->export.items;
    hf_series_add(request->reader->delivery->send_failed[request->export.signal], (int64_t)items);
    hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
    return items;
}

/* The same for requests that wait to be repeated: one goes when its youngest record is too old. */
static void drop_waiting_too_old(struct queue_reader *reader)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (reader->waiting != NULL && is_request_too_old(reader->waiting, unix_ns)) {
        struct export_request *request = reader->waiting;
        reader->waiting = request->next;
        items += drop_too_old(request);
    }
    tell_too_old(reader, items);
}

static struct export_request *take_isolated(struct queue_reader *reader, uint64_t now_ns)
{
    struct export_request *request = hf_isolated_take(reader, now_ns, reader->failing);
    if (request == NULL || reader->delivery->config->queue.max_age_ns == 0 ||
        !is_request_too_old(request, hf_clock_unix_ns())) {
        return request;
    }
    tell_too_old(reader, drop_too_old(request));
    hf_delivery_pump_later(reader->delivery); /* the next one in its turn */
    return NULL;
}

static struct export_request *next_request(struct queue_reader *reader, uint64_t now_ns)
{
    bool has_room = hf_isolated_has_room(reader->backlog);
    while (has_room && !is_enough(reader) && !reader->dry && !is_memory_full(reader->delivery)) {
        if (!read_more(reader)) {
            break;
        }
    }
    /* A reader whose share is held by others still gets its one request. */
    if (reader->pending == NULL && has_room && !reader->dry && !reader->backlog->failing &&
        reader->backlog->in_flight == 0) {
        (void)read_more(reader);
    }
    if (reader->delivery->config->queue.max_age_ns != 0) {
        drop_pending_too_old(reader);
        if (reader->pending == NULL && !reader->dry) {
            hf_delivery_pump_later(
                reader->delivery); /* others get their turn while this one looks on */
        }
    }
    if (reader->pending == NULL) {
        return NULL;
    }
    bool border = false;
    size_t count = count_for_request(reader, &border);
    bool large = border || is_enough(reader) || reader->batch_limits.wait_ns == 0;
    if (!large && !has_waited(reader, now_ns)) {
        return NULL;
    }
    struct export_request *request = make_request(reader, count);
    if (request != NULL) {
        hf_queue_reader_count_batch(reader, request, large);
    }
    return request;
}

static void send_request(struct queue_reader *reader, struct export_request *request,
                         uint64_t now_ns)
{
    struct hf_delivery *delivery = reader->delivery;
    uint64_t timeout_ns = delivery->config->timeout_ns;
    reader->in_flight++;
    delivery->in_flight++;
    request->round = delivery->window.round;
    if (!request->aside.is_suspect) {
        request->aside.passed = reader->backlog->passed;
    }
    hf_meter_take(&delivery->meter, request->export.raw_size, now_ns);
    request->export.attempt++;
    request->export.deadline_ns = timeout_ns != 0 ? now_ns + timeout_ns : 0;
    delivery->node->component->send(delivery->node->self, &request->export);
}

static void set_timer(struct queue_reader *reader, uint64_t now_ns)
{
    struct hf_loop *loop = reader->delivery->loop;
    uint64_t due_ns = 0;
    if (reader->delivery->in_flight >= reader->delivery->window.now) {
        hf_loop_timer_stop(loop, &reader->timer); /* the next completion looks after all readers */
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
    if (!hf_meter_is_free(&reader->delivery->meter, now_ns) &&
        due_ns < reader->delivery->meter.free_ns) {
        due_ns = reader->delivery->meter.free_ns;
    }
    if (due_ns == 0) {
        hf_loop_timer_stop(loop, &reader->timer);
        return;
    }
    if (due_ns <= now_ns) {
        due_ns = now_ns + 1000000; /* held back by memory: a completion comes first */
    }
    if (hf_loop_timer_set(loop, &reader->timer, due_ns) != HF_OK) {
        return; /* out of memory: the next completion or record pumps */
    }
}

/* What is to be repeated, else what comes next; NULL: nothing now. */
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

/* Of a hundred requests, as many come from the live reader as its share says; what one of the two
 * does not use is the other's. */
static struct export_request *take_in_turn(struct queue_reader *reader, uint64_t now_ns)
{
    struct queue_reader *fresh = reader->live;
    if (fresh == NULL) {
        return take_from(reader, now_ns);
    }
    unsigned share = (unsigned)reader->delivery->config->queue.fresh_share;
    unsigned credit = reader->live_credit + share;
    bool fresh_first = credit >= 100;
    fresh->dry = false; /* nobody wakes it: it is asked each time */
    struct export_request *request = take_from(fresh_first ? fresh : reader, now_ns);
    if (request == NULL) {
        request = take_from(fresh_first ? reader : fresh, now_ns);
    }
    if (request != NULL && request->reader == fresh) {
        credit = credit > 100 ? credit - 100 : 0;
    } else if (fresh_first) {
        credit = 100 - share; /* its turn comes again, but no more is saved up */
    }
    reader->live_credit = credit;
    return request;
}

/* While the backend fails, what it has not failed at yet is tried first: if that passes, the others
 * are the fault. */
static struct export_request *take(struct queue_reader *reader, uint64_t now_ns)
{
    struct export_request *request = reader->failing ? NULL : take_isolated(reader, now_ns);
    if (request == NULL) {
        request = take_in_turn(reader, now_ns);
    }
    return request == NULL && reader->failing ? take_isolated(reader, now_ns) : request;
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
    /* An exporter that is done at once would keep this thread here for ever: others get their turn.
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
}

void hf_queue_reader_woken(struct hf_task *task)
{
    struct queue_reader *reader = HF_CONTAINER(task, struct queue_reader, wake);
    reader->dry = false;
    hf_queue_reader_pump(reader);
}

void hf_queue_reader_wake(void *user)
{
    struct queue_reader *reader = user;
    hf_loop_post(reader->delivery->loop, &reader->wake);
}

void hf_queue_reader_timer(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    hf_delivery_pump_later(HF_CONTAINER(timer, struct queue_reader, timer)->delivery);
}

static uint64_t sequence_of(const struct export_request *request)
{
    return request->ranges[0].inflight->record.sequence;
}

void hf_queue_reader_put_back(struct queue_reader *reader, struct export_request *request)
{
    struct export_request **at = &reader->waiting;
    while (*at != NULL && (sequence_of(*at) < sequence_of(request) ||
                           (sequence_of(*at) == sequence_of(request) &&
                            (*at)->ranges[0].first < request->ranges[0].first))) {
        at = &(*at)->next;
    }
    request->next = *at;
    *at = request;
}

/* Unacknowledged. */
static void let_go(struct export_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        struct record_range *range = &request->ranges[i];
        range->inflight->open -= range->count;
        if (range->inflight->open == 0) {
            hf_held_release(request->reader, range->inflight);
        }
    }
    hf_export_request_free(request);
}

void hf_queue_reader_drop_all(struct queue_reader *reader)
{
    /* Before the live reader's: some are of that one. */
    struct export_request *isolated;
    while ((isolated = hf_isolated_take(reader, 0, true)) != NULL) {
        let_go(isolated);
    }
    if (reader->live != NULL) {
        hf_queue_reader_drop_all(reader->live);
    }
    while (reader->waiting != NULL) {
        struct export_request *request = reader->waiting;
        reader->waiting = request->next;
        let_go(request);
    }
    while (reader->pending != NULL) {
        struct in_flight_record *inflight = take_pending(reader);
        inflight->open -= inflight->record.items - inflight->taken;
        if (inflight->open == 0) {
            hf_held_release(reader, inflight);
        }
    }
    while (reader->spares != NULL) {
        struct in_flight_record *spare = reader->spares;
        reader->spares = spare->next;
        reader->spare_count--;
        free(spare);
    }
}
