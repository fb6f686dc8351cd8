/*
 * send: the load. One thread, any number of connections, a fixed number of requests in flight on
 * each; a request's number is marked in the truth file when its OK has arrived, not before.
 *
 * Over HTTP each place in flight is a connection of its own: HTTP/1.1 has one request at a time.
 */
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "body.h"
#include "counters.h"
#include "grpc/client.h"
#include "http.h"
#include "storm.h"
#include "truth.h"
#include "util/time/clock.h"

#define RETRY_NS (50 * HF_NS_PER_MS)
#define ATTEMPT_NS (30 * HF_NS_PER_S)
#define LATENCY_BUCKETS 2048 /* 64 a power of two, from 1 us */

struct sender;

/* A place for one request in flight. */
struct slot {
    struct sender *sender;
    struct hf_grpc_client *grpc;
    struct hf_grpc_request grpc_call;
    struct storm_http *http;
    struct hf_timer again;
    struct storm_body body;
    struct hf_bytes coded;
    struct hf_slice piece;
    char head[512]; /* of an HTTP request */
    uint64_t number, started_ns;
    bool busy;
};

struct sender {
    const struct storm_options *options;
    struct hf_loop *loop;
    struct hf_grpc_client **clients;
    struct sockaddr_in address; /* of an HTTP target */
    struct slot *slots;
    size_t slot_count, turn; /* the slot that is looked at first for the next request */
    struct hf_bytes *pool;
    struct storm_truth acked;
    struct storm_counters *counters;
    struct hf_timer tick;
    struct hf_io pace;
    int pace_fd;
    uint64_t next, end, started_ns, deadline_ns, ended_ns;
    uint64_t in_flight, behind; /* behind: most requests that were due and had no place */
    uint64_t latency[LATENCY_BUCKETS];
};

static const char *const grpc_paths[HF_SIGNAL_COUNT] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

static void note_latency(struct sender *sender, uint64_t ns)
{
    uint64_t us = ns / 1000 + 1;
    unsigned power = 63u - (unsigned)__builtin_clzll(us);
    uint64_t part = power >= 6 ? (us >> (power - 6)) & 63 : (us << (6 - power)) & 63;
    size_t bucket = power * 64 + part;
    sender->latency[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1]++;
}

static double latency_ms(const struct sender *sender, double share)
{
    uint64_t wanted = (uint64_t)((double)sender->counters->acknowledged * share);
    uint64_t seen = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += sender->latency[i];
        if (seen > wanted) {
            return ((double)(UINT64_C(1) << (i / 64)) * (1.0 + (double)(i % 64) / 64.0)) / 1000.0;
        }
    }
    return 0;
}

static bool is_over(const struct sender *sender)
{
    return sender->next >= sender->end || hf_clock_monotonic_ns() >= sender->deadline_ns;
}

static void launch(struct slot *slot);

/* When all is answered; with --hold, the connections stay open for a while. */
static void finish_if_over(struct sender *sender)
{
    if (sender->in_flight != 0 || !is_over(sender)) {
        return;
    }
    uint64_t now_ns = hf_clock_monotonic_ns();
    sender->ended_ns = sender->ended_ns != 0 ? sender->ended_ns : now_ns;
    if (now_ns >= sender->ended_ns + (uint64_t)(sender->options->hold * 1e9)) {
        hf_loop_stop(sender->loop);
    }
}

/* With a rate, requests start at their time; without, as places are free. */
static uint64_t due(const struct sender *sender)
{
    if (sender->options->rate <= 0) {
        return UINT64_MAX;
    }
    double seconds = (double)(hf_clock_monotonic_ns() - sender->started_ns) / 1e9;
    return (uint64_t)(seconds * sender->options->rate / sender->options->items);
}

static void prepare(struct slot *slot)
{
    struct sender *sender = slot->sender;
    const struct storm_options *options = sender->options;
    if (sender->pool != NULL) {
        const struct hf_bytes *made = &sender->pool[slot->number % options->pool];
        slot->piece = hf_slice_of(made->data, made->size);
        return;
    }
    storm_body_number(&slot->body, slot->number);
    slot->piece = hf_slice_of(slot->body.bytes.data, slot->body.bytes.size);
    if (options->coding != HF_IDENTITY) {
        slot->coded.size = 0;
        if (hf_encode(options->coding, 0, &slot->piece, 1, &slot->coded) != HF_OK) {
            abort();
        }
        slot->piece = hf_slice_of(slot->coded.data, slot->coded.size);
    }
}

static void start_next(struct slot *slot)
{
    struct sender *sender = slot->sender;
    if (slot->busy || is_over(sender) || sender->next - sender->options->first >= due(sender)) {
        return;
    }
    slot->busy = true;
    slot->number = sender->next++;
    sender->in_flight++;
    prepare(slot);
    slot->started_ns = hf_clock_monotonic_ns();
    launch(slot);
}

static void settle(struct slot *slot, bool ok, bool refused)
{
    struct sender *sender = slot->sender;
    struct storm_counters *counters = sender->counters;
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (ok) {
        note_latency(sender, now_ns - slot->started_ns);
        if (sender->acked.marks != NULL && !storm_truth_mark(&sender->acked, slot->number)) {
            fputs("the file of acknowledged requests is full\n", stderr);
            abort();
        }
        counters->acknowledged++;
        counters->items += sender->options->items;
        counters->last_ns = now_ns;
    } else {
        *(refused ? &counters->refused : &counters->failed) += 1;
        if (sender->options->keep_refused && now_ns < sender->deadline_ns &&
            hf_loop_timer_set(sender->loop, &slot->again, now_ns + RETRY_NS) == HF_OK) {
            return;
        }
    }
    slot->busy = false;
    sender->in_flight--;
    start_next(slot);
    finish_if_over(sender);
}

static void send_again(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    launch(HF_CONTAINER(timer, struct slot, again));
}

static void on_grpc(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    bool refused = result->code == 14 || result->code == 8 || result->code == 4;
    settle(HF_CONTAINER(request, struct slot, grpc_call), result->code == 0, refused);
}

static void on_http(struct storm_http *http, int code)
{
    struct slot *slot = http->user;
    settle(slot, code == 200, code == 429 || (code >= 502 && code <= 504));
}

static void launch(struct slot *slot)
{
    struct sender *sender = slot->sender;
    const struct storm_options *options = sender->options;
    sender->counters->requests++;
    if (options->http) {
        bool coded = options->coding != HF_IDENTITY;
        int size = snprintf(
            slot->head, sizeof(slot->head),
            "POST /v1/%s HTTP/1.1\r\nHost: %.200s\r\n"
            "User-Agent: holdfast-storm\r\n"
            "Content-Type: application/x-protobuf\r\n%s%s%s"
            "Content-Length: %zu\r\n\r\n",
            hf_signal_name(options->signal), options->target, coded ? "Content-Encoding: " : "",
            coded ? hf_coding_name(options->coding) : "", coded ? "\r\n" : "", slot->piece.size);
        storm_http_send(slot->http, hf_slice_of(slot->head, (size_t)size), slot->piece);
        return;
    }
    slot->grpc_call = (struct hf_grpc_request){
        .path = grpc_paths[options->signal],
        .pieces = &slot->piece,
        .piece_count = 1,
        .coding = options->coding,
        .deadline_ns = hf_loop_now_ns(sender->loop) + ATTEMPT_NS,
        .done = on_grpc,
    };
    hf_grpc_client_call(slot->grpc, &slot->grpc_call);
}

/* Starts what is due, each time beginning behind the slot that was started last, so that all
 * connections have their share. */
static void start_due(struct sender *sender)
{
    size_t first = sender->turn;
    for (size_t i = 0; i < sender->slot_count; i++) {
        size_t at = (first + i) % sender->slot_count;
        uint64_t before = sender->next;
        if (is_over(sender) || before - sender->options->first >= due(sender)) {
            return;
        }
        start_next(&sender->slots[at]);
        if (sender->next != before) {
            sender->turn = at + 1;
        }
    }
    uint64_t waiting = due(sender) - (sender->next - sender->options->first);
    if (sender->options->rate > 0 && waiting > sender->behind && !is_over(sender)) {
        sender->behind = waiting;
    }
}

static void on_pace(struct hf_io *io, uint32_t events)
{
    struct sender *sender = HF_CONTAINER(io, struct sender, pace);
    uint64_t expirations = 0;
    (void)events;
    if (read(sender->pace_fd, &expirations, sizeof(expirations)) > 0) {
        start_due(sender);
    }
}

static void on_tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct sender *sender = HF_CONTAINER(timer, struct sender, tick);
    start_due(sender);
    finish_if_over(sender);
    if (hf_loop_timer_set(sender->loop, &sender->tick, now_ns + 20 * HF_NS_PER_MS) != HF_OK) {
        hf_loop_stop(sender->loop);
    }
}

/* A request's period, as a timer that keeps it better than the loop's milliseconds. */
static bool make_pace(struct sender *sender)
{
    const struct storm_options *options = sender->options;
    if (options->rate <= 0) {
        return true;
    }
    double period_ns = 1e9 * options->items / options->rate;
    period_ns = period_ns < 100e3 ? 100e3 : period_ns;
    struct timespec period = {.tv_sec = (time_t)(period_ns / 1e9),
                              .tv_nsec = (long)period_ns % 1000000000};
    const struct itimerspec when = {.it_interval = period, .it_value = period};
    sender->pace.ready = on_pace;
    sender->pace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return sender->pace_fd >= 0 && timerfd_settime(sender->pace_fd, 0, &when, NULL) == 0 &&
           hf_loop_add(sender->loop, sender->pace_fd, EPOLLIN, &sender->pace) == HF_OK;
}

static bool make_body(struct storm_body *body, const struct storm_options *options, uint64_t seed)
{
    bool is_made = options->failed
                       ? storm_body_make_failed(body, options->signal, options->items, seed)
                       : storm_body_make(body, options->signal, options->items, seed);
    body->trace_spans = options->signal == HF_TRACES ? options->trace_spans : 0;
    body->trace_requests = options->trace_requests;
    body->span_names = options->signal == HF_TRACES ? options->span_names : 0;
    body->pod_names = options->pod_names;
    return is_made;
}

static bool make_pool(struct sender *sender)
{
    const struct storm_options *options = sender->options;
    if (options->pool == 0) {
        return true;
    }
    sender->pool = calloc(options->pool, sizeof(*sender->pool));
    for (unsigned i = 0; sender->pool != NULL && i < options->pool; i++) {
        struct storm_body body;
        if (!make_body(&body, options, i + 1)) {
            return false;
        }
        storm_body_number(&body, i);
        struct hf_slice plain = hf_slice_of(body.bytes.data, body.bytes.size);
        enum hf_status status = options->coding == HF_IDENTITY
                                    ? hf_bytes_append(&sender->pool[i], plain)
                                    : hf_encode(options->coding, 0, &plain, 1, &sender->pool[i]);
        storm_body_release(&body);
        if (status != HF_OK) {
            return false;
        }
    }
    return sender->pool != NULL;
}

static bool make_clients(struct sender *sender)
{
    const struct storm_options *options = sender->options;
    char error[512] = "out of memory";
    for (unsigned i = 0; i < options->connections; i++) {
        const struct hf_grpc_client_options grpc = {
            .loop = sender->loop, .target = options->target, .user_agent = "holdfast-storm"};
        if (hf_grpc_client_new(&grpc, &sender->clients[i], error) != HF_OK) {
            fprintf(stderr, "%s\n", error);
            return false;
        }
    }
    return true;
}

static bool find_address(struct sender *sender)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256];
    const char *colon = strrchr(sender->options->target, ':');
    snprintf(host, sizeof(host), "%.*s", colon != NULL ? (int)(colon - sender->options->target) : 0,
             sender->options->target);
    if (colon == NULL || getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        fprintf(stderr, "not an address: %s\n", sender->options->target);
        return false;
    }
    memcpy(&sender->address, found->ai_addr, sizeof(sender->address));
    freeaddrinfo(found);
    return true;
}

static bool make_slot(struct sender *sender, size_t i)
{
    const struct storm_options *options = sender->options;
    struct slot *slot = &sender->slots[i];
    slot->sender = sender;
    slot->again.fire = send_again;
    if (options->http) {
        slot->http = calloc(1, sizeof(*slot->http));
        if (slot->http == NULL) {
            return false;
        }
        slot->http->loop = sender->loop;
        slot->http->address = sender->address;
        slot->http->done = on_http;
        slot->http->user = slot;
        storm_http_init(slot->http);
    } else {
        slot->grpc = sender->clients[i % options->connections];
    }
    return sender->pool != NULL || make_body(&slot->body, options, i + 1);
}

static bool open_sender(struct sender *sender)
{
    const struct storm_options *options = sender->options;
    sender->slot_count = (size_t)options->connections * options->in_flight;
    sender->slots = calloc(sender->slot_count, sizeof(*sender->slots));
    sender->clients = calloc(options->connections, sizeof(struct hf_grpc_client *));
    sender->counters = storm_counters_open(options->status);
    if (sender->slots == NULL || sender->clients == NULL || sender->counters == NULL ||
        hf_loop_new(&sender->loop) != HF_OK || !make_pool(sender) || !make_pace(sender) ||
        !(options->http ? find_address(sender) : make_clients(sender))) {
        return false;
    }
    if (options->acked != NULL &&
        !storm_truth_open(&sender->acked, options->acked, options->capacity)) {
        perror(options->acked);
        return false;
    }
    for (size_t i = 0; i < sender->slot_count; i++) {
        if (!make_slot(sender, i)) {
            return false;
        }
    }
    return true;
}

static void report(const struct sender *sender)
{
    const struct storm_counters *counters = sender->counters;
    double seconds = (double)(sender->ended_ns - sender->started_ns) / 1e9;
    printf("{\"sent\":%" PRIu64 ",\"acknowledged\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"failed\":%" PRIu64 ",\"items\":%" PRIu64
           ",\"seconds\":%.3f,\"items_per_second\":%.0f,\"cpu_seconds\":%.3f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"behind\":%" PRIu64 ",\"next\":%" PRIu64 "}\n",
           counters->requests, counters->acknowledged, counters->refused, counters->failed,
           counters->items, seconds, (double)counters->items / seconds, storm_cpu_seconds(),
           latency_ms(sender, 0.5), latency_ms(sender, 0.99), latency_ms(sender, 0.999),
           sender->behind, sender->next);
    fflush(stdout);
}

static void close_sender(struct sender *sender)
{
    for (unsigned i = 0; sender->clients != NULL && i < sender->options->connections; i++) {
        if (sender->clients[i] != NULL) {
            hf_grpc_client_free(sender->clients[i]);
        }
    }
    for (size_t i = 0; sender->slots != NULL && i < sender->slot_count; i++) {
        if (sender->slots[i].http != NULL) {
            storm_http_release(sender->slots[i].http);
            free(sender->slots[i].http);
        }
        storm_body_release(&sender->slots[i].body);
        hf_bytes_release(&sender->slots[i].coded);
    }
    for (unsigned i = 0; sender->pool != NULL && i < sender->options->pool; i++) {
        hf_bytes_release(&sender->pool[i]);
    }
    storm_truth_close(&sender->acked);
    if (sender->loop != NULL) {
        hf_loop_free(sender->loop);
    }
    free(sender->pool);
    free(sender->slots);
    free(sender->clients);
}

int storm_send(const struct storm_options *options)
{
    struct sender sender = {.options = options, .next = options->first};
    int code = 1;
    if (open_sender(&sender)) {
        sender.started_ns = hf_clock_monotonic_ns();
        sender.end = options->requests != 0 ? options->first + options->requests : UINT64_MAX;
        sender.deadline_ns = sender.started_ns + (uint64_t)(options->seconds * 1e9);
        sender.counters->first_ns = sender.started_ns;
        sender.tick.fire = on_tick;
        if (hf_loop_timer_set(sender.loop, &sender.tick, sender.started_ns) == HF_OK) {
            hf_loop_run(sender.loop);
            report(&sender);
            code = 0;
        }
    }
    close_sender(&sender);
    return code;
}
