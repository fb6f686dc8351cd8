/*
 * send: the load. One thread, any number of connections, a fixed number of requests in flight on
 * each; a request's number is marked in the truth file when its OK has arrived, not before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../src/grpc/client.h"
#include "../../src/http/client.h"
#include "../../src/util/clock.h"
#include "../../src/util/loop.h"
#include "body.h"
#include "storm.h"
#include "truth.h"

#define RETRY_NS (50 * HF_NS_PER_MS)
#define ATTEMPT_NS (30 * HF_NS_PER_S)
#define LATENCY_BUCKETS 2048 /* 64 a power of two, from 1 us */

struct sender;

/* A place for one request in flight. */
struct slot {
    struct sender *sender;
    struct hf_grpc_client *grpc;
    struct hf_grpc_request grpc_call;
    struct hf_http_call http_call;
    struct hf_timer again;
    struct storm_body body;
    struct hf_bytes coded;
    struct hf_slice piece;
    uint64_t number, started_ns;
    bool busy;
};

struct sender {
    const struct storm_options *options;
    struct hf_loop *loop;
    struct hf_grpc_client **clients;
    struct hf_http_client *http;
    struct slot *slots;
    size_t slot_count;
    struct hf_bytes *pool;
    struct storm_truth acked;
    struct hf_timer tick;
    char url[512];
    uint64_t next, end, started_ns, deadline_ns;
    uint64_t sent, ok, refused, failed, in_flight;
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
    uint64_t wanted = (uint64_t)((double)sender->ok * share);
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

static void finish_if_over(struct sender *sender)
{
    if (sender->in_flight == 0 && is_over(sender)) {
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
    bool again =
        !ok && sender->options->keep_refused && hf_clock_monotonic_ns() < sender->deadline_ns;
    sender->ok += ok ? 1 : 0;
    sender->refused += refused ? 1 : 0;
    sender->failed += !ok && !refused ? 1 : 0;
    if (ok) {
        note_latency(sender, hf_clock_monotonic_ns() - slot->started_ns);
        if (sender->acked.marks != NULL && !storm_truth_mark(&sender->acked, slot->number)) {
            fputs("the file of acknowledged requests is full\n", stderr);
            abort();
        }
    } else if (again) {
        if (hf_loop_timer_set(sender->loop, &slot->again,
                              hf_loop_now_ns(sender->loop) + RETRY_NS) == HF_OK) {
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

static void on_http(struct hf_http_call *call, const struct hf_http_result *result)
{
    bool answered = result->status == HF_OK;
    bool refused = answered && (result->code == 429 || result->code == 503);
    settle(HF_CONTAINER(call, struct slot, http_call), answered && result->code == 200, refused);
}

static void launch(struct slot *slot)
{
    struct sender *sender = slot->sender;
    uint64_t deadline_ns = hf_loop_now_ns(sender->loop) + ATTEMPT_NS;
    sender->sent++;
    if (sender->options->http) {
        slot->http_call = (struct hf_http_call){
            .method = "POST",
            .url = sender->url,
            .content_type = "application/x-protobuf",
            .content_encoding = sender->options->coding == HF_IDENTITY
                                    ? NULL
                                    : hf_coding_name(sender->options->coding),
            .pieces = &slot->piece,
            .piece_count = 1,
            .deadline_ns = deadline_ns,
            .done = on_http,
        };
        hf_http_client_call(sender->http, &slot->http_call);
        return;
    }
    slot->grpc_call = (struct hf_grpc_request){
        .path = grpc_paths[sender->options->signal],
        .pieces = &slot->piece,
        .piece_count = 1,
        .coding = sender->options->coding,
        .deadline_ns = deadline_ns,
        .done = on_grpc,
    };
    hf_grpc_client_call(slot->grpc, &slot->grpc_call);
}

static void on_tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct sender *sender = HF_CONTAINER(timer, struct sender, tick);
    for (size_t i = 0; i < sender->slot_count; i++) {
        start_next(&sender->slots[i]);
    }
    finish_if_over(sender);
    uint64_t step_ns = sender->options->rate > 0 ? HF_NS_PER_MS : 100 * HF_NS_PER_MS;
    if (hf_loop_timer_set(sender->loop, &sender->tick, now_ns + step_ns) != HF_OK) {
        hf_loop_stop(sender->loop);
    }
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
        if (!storm_body_make(&body, options->signal, options->items, i + 1)) {
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
    enum hf_status status = HF_OK;
    if (options->http) {
        const struct hf_http_client_options http = {.loop = sender->loop,
                                                    .user_agent = "holdfast-storm",
                                                    .max_conns = options->connections};
        status = hf_http_client_new(&http, &sender->http, error);
    }
    for (unsigned i = 0; !options->http && status == HF_OK && i < options->connections; i++) {
        const struct hf_grpc_client_options grpc = {
            .loop = sender->loop, .target = options->target, .user_agent = "holdfast-storm"};
        status = hf_grpc_client_new(&grpc, &sender->clients[i], error);
    }
    if (status != HF_OK) {
        fprintf(stderr, "%s\n", error);
    }
    return status == HF_OK;
}

static bool open_sender(struct sender *sender)
{
    const struct storm_options *options = sender->options;
    sender->slot_count = (size_t)options->connections * options->in_flight;
    sender->slots = calloc(sender->slot_count, sizeof(*sender->slots));
    sender->clients = calloc(options->connections, sizeof(struct hf_grpc_client *));
    snprintf(sender->url, sizeof(sender->url), "http://%s/v1/%s", options->target,
             hf_signal_name(options->signal));
    if (sender->slots == NULL || sender->clients == NULL || hf_loop_new(&sender->loop) != HF_OK ||
        !make_pool(sender) || !make_clients(sender)) {
        return false;
    }
    if (options->acked != NULL &&
        !storm_truth_open(&sender->acked, options->acked, options->capacity)) {
        perror(options->acked);
        return false;
    }
    for (size_t i = 0; i < sender->slot_count; i++) {
        struct slot *slot = &sender->slots[i];
        slot->sender = sender;
        slot->grpc = sender->clients[i % options->connections];
        slot->again.fire = send_again;
        if (sender->pool == NULL &&
            !storm_body_make(&slot->body, options->signal, options->items, i + 1)) {
            return false;
        }
    }
    return true;
}

static void report(const struct sender *sender, uint64_t ended_ns)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    double seconds = (double)(ended_ns - sender->started_ns) / 1e9;
    printf("{\"sent\":%llu,\"acknowledged\":%llu,\"refused\":%llu,\"failed\":%llu,\"items\":%llu,"
           "\"seconds\":%.3f,\"items_per_second\":%.0f,\"cpu_seconds\":%.3f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"next\":%llu}\n",
           (unsigned long long)sender->sent, (unsigned long long)sender->ok,
           (unsigned long long)sender->refused, (unsigned long long)sender->failed,
           (unsigned long long)(sender->ok * sender->options->items), seconds,
           (double)(sender->ok * sender->options->items) / seconds, cpu, latency_ms(sender, 0.5),
           latency_ms(sender, 0.99), latency_ms(sender, 0.999), (unsigned long long)sender->next);
}

static void close_sender(struct sender *sender)
{
    for (unsigned i = 0; sender->clients != NULL && i < sender->options->connections; i++) {
        if (sender->clients[i] != NULL) {
            hf_grpc_client_free(sender->clients[i]);
        }
    }
    if (sender->http != NULL) {
        hf_http_client_free(sender->http);
    }
    for (size_t i = 0; sender->slots != NULL && i < sender->slot_count; i++) {
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
        sender.tick.fire = on_tick;
        if (hf_loop_timer_set(sender.loop, &sender.tick, sender.started_ns) == HF_OK) {
            hf_loop_run(sender.loop);
            report(&sender, hf_clock_monotonic_ns());
            code = 0;
        }
    }
    close_sender(&sender);
    return code;
}
