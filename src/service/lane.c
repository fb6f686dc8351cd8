/*
 * lane: reads records ahead, shapes them into requests, and paces the sending of one queue's data.
 */
#include <assert.h>
#include <stdlib.h>

#include "../util/clock.h"
#include "isolated.h"
#include "request.h"
#include "requeued.h"

#define RECORDS_AT_ONCE 64
#define READ_BYTES ((size_t)1 << 20)
#define SENDS_AT_ONCE 64
#define READ_AGAIN_NS UINT64_C(1000000000) /* after a read error */

/* What a record costs while it is held: what was stored, and what it is decoded to on its way out.
 */
static size_t cost_of(const struct wal_record *record)
{
    return record->body.size + (record->coding != HF_IDENTITY ? (size_t)record->raw_bytes : 0);
}

static void add_spare(struct lane *lane, struct held *held)
{
    held->next = lane->spares;
    lane->spares = held;
    lane->spare_count++;
}

void hf_held_release(struct lane *lane, struct held *held)
{
    lane->sender->held_bytes -= cost_of(&held->record);
    hf_ref_drop(held->record.owner);
    if (lane->spare_count < RECORDS_AT_ONCE) {
        add_spare(lane, held);
    } else {
        free(held);
    }
}

/*
 * Room for what a read gives, before it is read: a record that could not be held would be seen
 * again only after a new start. Returns for how many there is.
 */
static size_t make_room(struct lane *lane)
{
    while (lane->spare_count < RECORDS_AT_ONCE) {
        struct held *held = malloc(sizeof(*held));
        if (held == NULL) {
            break;
        }
        add_spare(lane, held);
    }
    return lane->spare_count;
}

static void hold(struct lane *lane, const struct wal_record *record)
{
    struct held *held = lane->spares;
    assert(held != NULL);
    lane->spares = held->next;
    lane->spare_count--;
    *held = (struct held){.record = *record, .open = record->items};
    if (lane->pending == NULL) {
        lane->pending_since_ns = hf_loop_now_ns(lane->sender->loop);
        lane->pending_end = &lane->pending;
    }
    *lane->pending_end = held;
    lane->pending_end = &held->next;
    lane->pending_items += record->items;
    lane->pending_bytes += record->raw_bytes;
    lane->sender->held_bytes += cost_of(record);
}

/* A record without items has nothing to send, one of no known signal has nobody to take it. */
static bool is_sendable(const struct wal_record *record)
{
    return record->items != 0 && record->kind < HF_SIGNAL_COUNT;
}

/* What cannot be sent is done with as it is read. */
static void skip(struct lane *lane, struct wal_record *record)
{
    struct wal_ack ack = {.sequence = record->sequence,
                          .items = record->items,
                          .raw_bytes = record->raw_bytes,
                          .fate = record->items == 0 ? WAL_DELIVERED : WAL_DROPPED,
                          .drop = WAL_DROP_DAMAGED};
    hf_ref_drop(record->owner);
    wal_consumer_ack(lane->whole->consumer, &ack, 1);
}

/* Reads one group more. False: nothing was there, or no memory. */
static bool read_more(struct lane *lane)
{
    struct wal_record records[RECORDS_AT_ONCE];
    size_t count = 0, room = make_room(lane);
    struct wal_consumer *consumer = lane->whole->consumer;
    bool is_whole = lane == lane->whole;
    enum wal_status status =
        room == 0  ? WAL_NOMEM
        : is_whole ? wal_consumer_read(consumer, room, READ_BYTES, records, &count)
                   : wal_consumer_read_fresh(consumer, room, READ_BYTES, records, &count);
    if (status != WAL_OK) {
        lane->whole->failing = true;
        lane->whole->resume_ns = hf_loop_now_ns(lane->sender->loop) + READ_AGAIN_NS;
        return false;
    }
    lane->dry = count == 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_sendable(&records[i])) {
            skip(lane, &records[i]);
        } else {
            hold(lane, &records[i]);
        }
    }
    return count != 0;
}

static bool is_enough(const struct lane *lane)
{
    const struct shaping *shaping = &lane->shaping;
    bool wanted = shaping->items_wanted != 0 || shaping->bytes_wanted != 0;
    if (!wanted) {
        return lane->pending_items >= shaping->items_max ||
               lane->pending_bytes >= shaping->bytes_max;
    }
    return (shaping->items_wanted != 0 && lane->pending_items >= shaping->items_wanted) ||
           (shaping->bytes_wanted != 0 && lane->pending_bytes >= shaping->bytes_wanted) ||
           lane->pending_bytes >= shaping->bytes_max;
}

/* What stands aside has a bound of its own. */
static bool is_memory_full(const struct hf_sender *sender)
{
    return sender->held_bytes >= HELD_BYTES_MAX + sender->isolated_bytes;
}

static bool has_waited(const struct lane *lane, uint64_t now_ns)
{
    bool wanted = lane->shaping.items_wanted != 0 || lane->shaping.bytes_wanted != 0;
    return !wanted || now_ns - lane->pending_since_ns >= lane->shaping.wait_ns ||
           is_memory_full(lane->sender);
}

/* How many of the pending records go into one request, at least 1; `*ret_border`: a record that
 * must not be mixed follows. */
static size_t count_for_request(const struct lane *lane, bool *ret_border)
{
    const struct shaping *shaping = &lane->shaping;
    uint64_t items = 0;
    uint64_t bytes = 0;
    size_t count = 0;
    *ret_border = false;
    for (const struct held *held = lane->pending; held != NULL; held = held->next) {
        uint32_t left = held->record.items - held->taken;
        if (count != 0 && !hf_lane_may_mix(lane, lane->pending, held)) {
            *ret_border = true;
            break;
        }
        bool reached = shaping->items_wanted != 0 && items >= shaping->items_wanted;
        bool full = items + left > shaping->items_max ||
                    bytes + held->record.raw_bytes > shaping->bytes_max;
        if (count != 0 && (reached || full)) {
            break;
        }
        count++;
        items += left;
        bytes += held->record.raw_bytes;
        if (held->taken != 0) {
            break; /* the rest of a cut record goes alone */
        }
    }
    return count;
}

static struct held *take_pending(struct lane *lane)
{
    struct held *held = lane->pending;
    lane->pending = held->next;
    if (lane->pending == NULL) {
        lane->pending_end = &lane->pending;
    }
    held->next = NULL;
    lane->pending_items -= held->record.items - held->taken;
    lane->pending_bytes -= held->record.raw_bytes;
    lane->pending_since_ns = hf_loop_now_ns(lane->sender->loop);
    return held;
}

/* A record that cannot be cut never could: it makes way for the others. */
static void bury_uncut(struct lane *lane)
{
    const struct held *held = lane->pending;
    const struct part rest = {lane->pending, held->taken, held->record.items - held->taken};
    struct request *request = hf_request_new_uncut(lane, &rest);
    if (request != NULL) {
        struct held *taken = take_pending(lane);
        taken->taken = taken->record.items;
        hf_request_bury(request, &(const struct hf_outcome){
                                     .status = HF_CORRUPT,
                                     .message = "the record cannot be cut into smaller requests"});
        hf_sender_pump_later(lane->sender);
    }
}

/* A record with more items than a request may have is sent in runs. */
static struct request *make_run(struct lane *lane)
{
    struct held *held = lane->pending;
    uint32_t left = held->record.items - held->taken;
    uint32_t count = left > lane->shaping.items_max ? (uint32_t)lane->shaping.items_max : left;
    struct part part = {held, held->taken, count};
    struct request *request = NULL;
    enum hf_status status = hf_request_new(lane, &part, 1, &request);
    if (status != HF_OK && status != HF_NOMEM) {
        bury_uncut(lane);
    }
    if (status != HF_OK) {
        return NULL;
    }
    if (count == left) {
        take_pending(lane);
    } else {
        lane->pending_items -= count;
    }
    held->taken += count;
    return request;
}

static struct request *make_request(struct lane *lane, size_t count)
{
    const struct held *first = lane->pending;
    if (first->taken != 0 || first->record.items > lane->shaping.items_max) {
        return make_run(lane);
    }
    struct part few[RECORDS_AT_ONCE];
    struct part *parts = count <= RECORDS_AT_ONCE ? few : calloc(count, sizeof(*parts));
    if (parts == NULL) {
        return NULL;
    }
    struct held *held = lane->pending;
    for (size_t i = 0; i < count; i++, held = held->next) {
        parts[i] = (struct part){held, 0, held->record.items};
    }
    struct request *request = NULL;
    enum hf_status status = hf_request_new(lane, parts, count, &request);
    assert(status == HF_OK || status == HF_NOMEM); /* whole records are not cut */
    for (size_t i = 0; request != NULL && i < count; i++) {
        struct held *taken = take_pending(lane);
        taken->taken = taken->record.items;
    }
    if (parts != few) {
        free(parts);
    }
    return request;
}

static bool is_too_old(const struct lane *lane, const struct held *held, uint64_t unix_ns)
{
    uint64_t age_max_ns = lane->sender->config->queue.max_age_ns;
    return unix_ns > held->record.time_ns && unix_ns - held->record.time_ns > age_max_ns;
}

static void tell_too_old(struct lane *lane, uint64_t items)
{
    if (items != 0) {
        hf_node_log(lane->sender->node, HF_LOG_WARN,
                    "dropped %llu items that are older than max_age", (unsigned long long)items);
    }
}

/* Drops the oldest of the pending while they are older than the user wants to deliver. What is sent
 * in part goes on. */
static void drop_pending_too_old(struct lane *lane)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (lane->pending != NULL && lane->pending->taken == 0 &&
           is_too_old(lane, lane->pending, unix_ns)) {
        struct held *held = take_pending(lane);
        struct wal_ack ack = {.sequence = held->record.sequence,
                              .items = held->record.items,
                              .raw_bytes = held->record.raw_bytes,
                              .fate = WAL_DROPPED,
                              .drop = WAL_DROP_GAVE_UP};
        items += held->record.items;
        hf_series_add(lane->sender->send_failed[held->record.kind], held->record.items);
        wal_consumer_ack(lane->whole->consumer, &ack, 1);
        hf_held_release(lane, held);
    }
    tell_too_old(lane, items);
}

static bool is_request_too_old(const struct request *request, uint64_t unix_ns)
{
    return is_too_old(request->lane, request->parts[request->count - 1].held, unix_ns);
}

static uint64_t drop_too_old(struct request *request)
{
    uint64_t items = request->export.items;
    hf_series_add(request->lane->sender->send_failed[request->export.signal], (int64_t)items);
    hf_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
    return items;
}

/* The same for requests that wait to be repeated: one goes when its youngest record is too old. */
static void drop_waiting_too_old(struct lane *lane)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t items = 0;
    while (lane->waiting != NULL && is_request_too_old(lane->waiting, unix_ns)) {
        struct request *request = lane->waiting;
        lane->waiting = request->next;
        items += drop_too_old(request);
    }
    tell_too_old(lane, items);
}

static struct request *take_isolated(struct lane *lane, uint64_t now_ns)
{
    struct request *request = hf_isolated_take(lane, now_ns, lane->failing);
    if (request == NULL || lane->sender->config->queue.max_age_ns == 0 ||
        !is_request_too_old(request, hf_clock_unix_ns())) {
        return request;
    }
    tell_too_old(lane, drop_too_old(request));
    hf_sender_pump_later(lane->sender); /* the next one in its turn */
    return NULL;
}

static struct request *next_request(struct lane *lane, uint64_t now_ns)
{
    bool has_room = hf_isolated_has_room(lane->whole);
    while (has_room && !is_enough(lane) && !lane->dry && !is_memory_full(lane->sender)) {
        if (!read_more(lane)) {
            break;
        }
    }
    /* A lane whose share is held by others still gets its one request. */
    if (lane->pending == NULL && has_room && !lane->dry && !lane->whole->failing &&
        lane->whole->in_flight == 0) {
        (void)read_more(lane);
    }
    if (lane->sender->config->queue.max_age_ns != 0) {
        drop_pending_too_old(lane);
        if (lane->pending == NULL && !lane->dry) {
            hf_sender_pump_later(lane->sender); /* others get their turn while this one looks on */
        }
    }
    if (lane->pending == NULL) {
        return NULL;
    }
    bool border = false;
    size_t count = count_for_request(lane, &border);
    bool large = border || is_enough(lane) || lane->shaping.wait_ns == 0;
    if (!large && !has_waited(lane, now_ns)) {
        return NULL;
    }
    struct request *request = make_request(lane, count);
    if (request != NULL) {
        hf_lane_count_batch(lane, request, large);
    }
    return request;
}

static void send_request(struct lane *lane, struct request *request, uint64_t now_ns)
{
    struct hf_sender *sender = lane->sender;
    uint64_t timeout_ns = sender->config->timeout_ns;
    lane->in_flight++;
    sender->in_flight++;
    request->round = sender->window.round;
    if (!request->aside.is_suspect) {
        request->aside.passed = lane->whole->passed;
    }
    hf_meter_take(&sender->meter, request->export.raw_size, now_ns);
    request->export.attempt++;
    request->export.deadline_ns = timeout_ns != 0 ? now_ns + timeout_ns : 0;
    sender->node->component->send(sender->node->self, &request->export);
}

static void set_timer(struct lane *lane, uint64_t now_ns)
{
    struct hf_loop *loop = lane->sender->loop;
    uint64_t due_ns = 0;
    if (lane->sender->in_flight >= lane->sender->window.now) {
        hf_loop_timer_stop(loop, &lane->timer); /* the next completion looks after all lanes */
        return;
    }
    if (lane->whole->failing && lane->whole->in_flight == 0) {
        due_ns = lane->whole->resume_ns;
    } else if (lane->pending != NULL && !lane->whole->failing) {
        due_ns = lane->pending_since_ns + lane->shaping.wait_ns;
    }
    uint64_t isolated_ns = lane->failing ? 0 : hf_isolated_due_ns(lane);
    if (isolated_ns != 0 && (due_ns == 0 || isolated_ns < due_ns)) {
        due_ns = isolated_ns;
    }
    if (!hf_meter_is_free(&lane->sender->meter, now_ns) && due_ns < lane->sender->meter.free_ns) {
        due_ns = lane->sender->meter.free_ns;
    }
    if (due_ns == 0) {
        hf_loop_timer_stop(loop, &lane->timer);
        return;
    }
    if (due_ns <= now_ns) {
        due_ns = now_ns + 1000000; /* held back by memory: a completion comes first */
    }
    if (hf_loop_timer_set(loop, &lane->timer, due_ns) != HF_OK) {
        return; /* out of memory: the next completion or record pumps */
    }
}

/* What is to be repeated, else what comes next; NULL: nothing now. */
static struct request *take_from(struct lane *lane, uint64_t now_ns)
{
    if (lane->sender->config->queue.max_age_ns != 0) {
        drop_waiting_too_old(lane);
    }
    struct request *request = lane->waiting;
    if (request == NULL) {
        return next_request(lane, now_ns);
    }
    lane->waiting = request->next;
    request->next = NULL;
    return request;
}

/* Of a hundred requests, as many come from the fresh lane as its share says; what one of the two
 * does not use is the other's. */
static struct request *take_in_turn(struct lane *lane, uint64_t now_ns)
{
    struct lane *fresh = lane->fresh;
    if (fresh == NULL) {
        return take_from(lane, now_ns);
    }
    unsigned share = (unsigned)lane->sender->config->queue.fresh_share;
    unsigned credit = lane->fresh_credit + share;
    bool fresh_first = credit >= 100;
    fresh->dry = false; /* nobody wakes it: it is asked each time */
    struct request *request = take_from(fresh_first ? fresh : lane, now_ns);
    if (request == NULL) {
        request = take_from(fresh_first ? lane : fresh, now_ns);
    }
    if (request != NULL && request->lane == fresh) {
        credit = credit > 100 ? credit - 100 : 0;
    } else if (fresh_first) {
        credit = 100 - share; /* its turn comes again, but no more is saved up */
    }
    lane->fresh_credit = credit;
    return request;
}

/* While the backend fails, what it has not failed at yet is tried first: if that passes, the others
 * are the fault. */
static struct request *take(struct lane *lane, uint64_t now_ns)
{
    struct request *request = lane->failing ? NULL : take_isolated(lane, now_ns);
    if (request == NULL) {
        request = take_in_turn(lane, now_ns);
    }
    return request == NULL && lane->failing ? take_isolated(lane, now_ns) : request;
}

void hf_lane_pump(struct lane *lane)
{
    struct hf_sender *sender = lane->sender;
    if (!sender->running || sender->stopping) {
        return;
    }
    uint64_t now_ns = hf_loop_now_ns(sender->loop);
    if (!hf_requeued_is_open(lane)) {
        set_timer(lane, now_ns);
        return;
    }
    /* An exporter that is done at once would keep this thread here for ever: others get their turn.
     */
    unsigned sends_left = SENDS_AT_ONCE;
    while (sender->in_flight < sender->window.now && hf_meter_is_free(&sender->meter, now_ns)) {
        if (sends_left-- == 0) {
            hf_sender_pump_later(sender);
            break;
        }
        if (lane->failing && (lane->in_flight != 0 || now_ns < lane->resume_ns)) {
            break; /* one request probes the backend at a time */
        }
        struct request *request = take(lane, now_ns);
        if (request == NULL) {
            break;
        }
        send_request(lane, request, now_ns);
    }
    set_timer(lane, now_ns);
    if (lane->fresh != NULL) {
        set_timer(lane->fresh, now_ns);
    }
}

void hf_lane_woken(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, wake);
    lane->dry = false;
    hf_lane_pump(lane);
}

void hf_lane_wake(void *user)
{
    struct lane *lane = user;
    hf_loop_post(lane->sender->loop, &lane->wake);
}

void hf_lane_timer(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    hf_sender_pump_later(HF_CONTAINER(timer, struct lane, timer)->sender);
}

static uint64_t sequence_of(const struct request *request)
{
    return request->parts[0].held->record.sequence;
}

void hf_lane_put_back(struct lane *lane, struct request *request)
{
    struct request **at = &lane->waiting;
    while (*at != NULL && (sequence_of(*at) < sequence_of(request) ||
                           (sequence_of(*at) == sequence_of(request) &&
                            (*at)->parts[0].first < request->parts[0].first))) {
        at = &(*at)->next;
    }
    request->next = *at;
    *at = request;
}

/* Unacknowledged. */
static void let_go(struct request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        struct part *part = &request->parts[i];
        part->held->open -= part->count;
        if (part->held->open == 0) {
            hf_held_release(request->lane, part->held);
        }
    }
    hf_request_free(request);
}

void hf_lane_drop_all(struct lane *lane)
{
    /* Before the fresh lane's: some are of that one. */
    struct request *isolated;
    while ((isolated = hf_isolated_take(lane, 0, true)) != NULL) {
        let_go(isolated);
    }
    if (lane->fresh != NULL) {
        hf_lane_drop_all(lane->fresh);
    }
    while (lane->waiting != NULL) {
        struct request *request = lane->waiting;
        lane->waiting = request->next;
        let_go(request);
    }
    while (lane->pending != NULL) {
        struct held *held = take_pending(lane);
        held->open -= held->record.items - held->taken;
        if (held->open == 0) {
            hf_held_release(lane, held);
        }
    }
    while (lane->spares != NULL) {
        struct held *spare = lane->spares;
        lane->spares = spare->next;
        lane->spare_count--;
        free(spare);
    }
}
