/*
 * sink: the backend that knows the truth. Every item that arrives in a request that it answers OK
 * is marked before the answer; what else it does with requests are its orders (orders.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "body.h"
#include "counters.h"
#include "grpc/server.h"
#include "http/server.h"
#include "orders.h"
#include "storm.h"
#include "truth.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define MESSAGE_BYTES_MAX ((size_t)256 << 20)

struct sink {
    const struct storm_options *options;
    struct hf_loop *loop;
    struct hf_grpc_server *grpc;
    struct hf_http_server *http;
    struct storm_truth arrived;
    struct storm_counters *counters;
    struct storm_orders orders;
    struct hf_io commands, signals;
    int command_fd, signal_fd;
    struct hf_timer end;
};

/* A request that is answered later: over gRPC or HTTP. */
struct late {
    struct hf_task task; /* to the loop's thread, whose timers they are */
    struct hf_timer timer;
    struct sink *sink;
    struct hf_grpc_call *call;
    struct hf_http_request *request;
    struct storm_order order;
};

static void mark(void *user, uint64_t number)
{
    struct sink *sink = user;
    if (number < sink->arrived.count && sink->arrived.marks[number] != 0) {
        sink->counters->repeated++;
    }
    if (!storm_truth_mark(&sink->arrived, number)) {
        sink->counters->failed++;
    }
}

/* Counts and marks what arrived. False: not an Export request. */
static bool take(struct sink *sink, enum hf_signal signal, struct hf_slice raw)
{
    struct storm_counters *counters = sink->counters;
    bool marking = sink->arrived.marks != NULL;
    int64_t items = storm_body_read(signal, raw, marking ? mark : NULL, sink);
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (items < 0) {
        counters->failed++;
        return false;
    }
    if (counters->first_ns == 0) {
        counters->first_ns = now_ns;
    }
    counters->last_ns = now_ns;
    counters->requests++;
    counters->items += (uint64_t)items;
    counters->acknowledged++;
    return true;
}

/* Takes what the order lets it take; the order is then how to answer. */
static void carry_out(struct sink *sink, enum hf_signal signal, struct hf_slice raw, int invalid,
                      struct storm_order *order)
{
    if (order->code != 0) {
        sink->counters->refused++;
    } else if (!take(sink, signal, raw)) {
        *order = (struct storm_order){.code = invalid};
    }
}

/* Export*ServiceResponse {1 partial_success {1 rejected, 2 error_message}}. */
static size_t partial_success(uint64_t rejected, uint8_t room[32])
{
    uint8_t inner[24];
    size_t size = 0;
    inner[size++] = 0x08;
    for (; rejected >= 0x80; rejected >>= 7) {
        inner[size++] = (uint8_t)(rejected | 0x80);
    }
    inner[size++] = (uint8_t)rejected;
    memcpy(inner + size,
           "\x12\x07"
           "as told",
           9);
    size += 9;
    room[0] = 0x0a;
    room[1] = (uint8_t)size;
    memcpy(room + 2, inner, size);
    return size + 2;
}

static void answer_grpc(struct hf_grpc_call *call, struct storm_order order)
{
    uint8_t message[32];
    struct hf_grpc_answer words = {.code = order.code};
    if (order.code != 0) {
        words.error = "as told";
        words.retry_delay_ns = order.conduct == STORM_ANSWER ? order.delay_ns : 0;
    } else if (order.rejected != 0) {
        words.message = hf_slice_of(message, partial_success(order.rejected, message));
    }
    hf_grpc_call_answer(call, &words);
}

static void answer_http(struct hf_http_request *request, struct storm_order order)
{
    uint8_t message[32];
    struct hf_http_answer words = {.status = order.code != 0 ? order.code : 200,
                                   .content_type = "application/x-protobuf"};
    if (order.code != 0 && order.conduct == STORM_ANSWER) {
        words.retry_after_s = (order.delay_ns + HF_NS_PER_S - 1) / HF_NS_PER_S;
    } else if (order.rejected != 0) {
        words.body = hf_slice_of(message, partial_success(order.rejected, message));
    }
    hf_http_answer(request, &words);
}

static void answer_late(struct hf_timer *timer, uint64_t now_ns)
{
    struct late *late = HF_CONTAINER(timer, struct late, timer);
    (void)now_ns;
    if (late->call != NULL) {
        answer_grpc(late->call, late->order);
    } else {
        answer_http(late->request, late->order);
    }
    free(late);
}

static void set_late(struct hf_task *task)
{
    struct late *late = HF_CONTAINER(task, struct late, task);
    uint64_t due_ns = hf_loop_now_ns(late->sink->loop) + late->order.delay_ns;
    if (hf_loop_timer_set(late->sink->loop, &late->timer, due_ns) != HF_OK) {
        abort();
    }
}

static void answer_later(struct sink *sink, struct hf_grpc_call *call,
                         struct hf_http_request *request, struct storm_order order)
{
    struct late *late = calloc(1, sizeof(*late));
    if (late == NULL) {
        abort();
    }
    *late = (struct late){.task = {.run = set_late},
                          .timer = {.fire = answer_late},
                          .sink = sink,
                          .call = call,
                          .request = request,
                          .order = order};
    hf_loop_post(sink->loop, &late->task);
}

static void on_message(void *user, struct hf_grpc_call *call)
{
    struct sink *sink = user;
    const enum hf_signal *signal = hf_grpc_call_user(call);
    struct storm_order order = storm_orders_next(&sink->orders);
    carry_out(sink, *signal, hf_grpc_call_message(call)->raw, 3, &order);
    if (order.conduct == STORM_ANSWER_LATER) {
        answer_later(sink, call, NULL, order);
        return;
    }
    if (order.conduct == STORM_CUT) {
        /* The first five bytes of a HEADERS frame. */
        storm_cut(hf_grpc_call_peer(call), "\0\0\x20\x01\x04", 5);
    }
    answer_grpc(call, order);
}

static enum hf_signal signal_of_path(const char *path)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *name = hf_signal_name((enum hf_signal)signal);
        size_t size = strlen(name);
        size_t length = strlen(path);
        if (length > size && strcmp(path + length - size, name) == 0) {
            return (enum hf_signal)signal;
        }
    }
    return HF_TRACES;
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct sink *sink = user;
    struct storm_order order = storm_orders_next(&sink->orders);
    if (fault != HF_OK) {
        sink->counters->failed++;
        order = (struct storm_order){.code = 400};
    } else {
        carry_out(sink, signal_of_path(hf_http_path(request)), hf_http_request_body(request)->raw,
                  400, &order);
    }
    if (order.conduct == STORM_ANSWER_LATER) {
        answer_later(sink, NULL, request, order);
        return;
    }
    if (order.conduct == STORM_CUT) {
        static const char begun[] = "HTTP/1.1 200 OK\r\nContent-Le";
        storm_cut(hf_http_peer(request), begun, sizeof(begun) - 1);
    }
    answer_http(request, order);
}

/* ---- orders while it runs ---- */

static void on_commands(struct hf_io *io, uint32_t events)
{
    struct sink *sink = HF_CONTAINER(io, struct sink, commands);
    char text[512];
    (void)events;
    ssize_t got = read(sink->command_fd, text, sizeof(text) - 1);
    if (got <= 0) {
        return;
    }
    text[got] = '\0';
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] != '\0' && !storm_orders_take(&sink->orders, line)) {
            fprintf(stderr, "not an order: %s\n", line);
        }
    }
}

static void on_signal(struct hf_io *io, uint32_t events)
{
    (void)events;
    hf_loop_stop(HF_CONTAINER(io, struct sink, signals)->loop);
}

static void on_end(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    hf_loop_stop(HF_CONTAINER(timer, struct sink, end)->loop);
}

/* ---- life ---- */

static int listen_on(const char *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    const char *colon = strrchr(target, ':');
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)strtoul(colon != NULL ? colon + 1 : target, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("listen");
        return -1;
    }
    printf("{\"port\":%u}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static bool serve(struct sink *sink)
{
    static enum hf_signal signals[HF_SIGNAL_COUNT] = {HF_TRACES, HF_METRICS, HF_LOGS};
    const struct hf_grpc_method methods[] = {
        {.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
         .user = &signals[0]},
        {.path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
         .user = &signals[1]},
        {.path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export", .user = &signals[2]},
    };
    char error[512] = "";
    int fd = listen_on(sink->options->target);
    enum hf_status status = fd >= 0 ? HF_OK : HF_IO;
    if (status == HF_OK && sink->options->http) {
        const struct hf_http_server_options http = {.listen_fd = fd,
                                                    .body_bytes_max = MESSAGE_BYTES_MAX,
                                                    .on_request = on_request,
                                                    .user = sink};
        status = hf_http_server_new(&http, &sink->http, error);
    } else if (status == HF_OK) {
        const struct hf_grpc_server_options grpc = {.listen_fd = fd,
                                                    .loops = &sink->loop,
                                                    .loop_count = 1,
                                                    .message_bytes_max = MESSAGE_BYTES_MAX,
                                                    .methods = methods,
                                                    .method_count = 3,
                                                    .on_message = on_message,
                                                    .user = sink};
        status = hf_grpc_server_new(&grpc, &sink->grpc, error);
        if (status == HF_OK) {
            hf_grpc_server_start(sink->grpc);
        }
    }
    if (status != HF_OK) {
        fprintf(stderr, "%s\n", error);
    }
    return status == HF_OK;
}

static bool watch(struct sink *sink)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sink->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    sink->signals.ready = on_signal;
    sink->commands.ready = on_commands;
    sink->end.fire = on_end;
    if (sink->signal_fd < 0 ||
        hf_loop_add(sink->loop, sink->signal_fd, EPOLLIN, &sink->signals) != HF_OK) {
        return false;
    }
    if (sink->options->commands != NULL) {
        /* Opened for writing too, so that it has no end when a writer goes. */
        sink->command_fd = open(sink->options->commands, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (sink->command_fd < 0 ||
            hf_loop_add(sink->loop, sink->command_fd, EPOLLIN, &sink->commands) != HF_OK) {
            perror(sink->options->commands);
            return false;
        }
    }
    return sink->options->seconds <= 0 ||
           hf_loop_timer_set(sink->loop, &sink->end,
                             hf_clock_monotonic_ns() + (uint64_t)(sink->options->seconds * 1e9)) ==
               HF_OK;
}

static void report(const struct sink *sink)
{
    const struct storm_counters *counters = sink->counters;
    printf("{\"requests\":%" PRIu64 ",\"items\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"malformed\":%" PRIu64 ",\"repeated\":%" PRIu64
           ",\"cpu_seconds\":%.3f,\"seconds\":%.3f}\n",
           counters->requests, counters->items, counters->refused, counters->failed,
           counters->repeated, storm_cpu_seconds(),
           (double)(counters->last_ns - counters->first_ns) / 1e9);
}

int storm_sink(const struct storm_options *options)
{
    struct sink sink = {.options = options, .command_fd = -1, .signal_fd = -1};
    sigset_t signals;
    int code = 1;
    /* Before any thread: all of them leave the signals to the descriptor. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (options->arrived != NULL &&
        !storm_truth_open(&sink.arrived, options->arrived, options->capacity)) {
        perror(options->arrived);
        return 1;
    }
    sink.counters = storm_counters_open(options->status);
    if (sink.counters == NULL || hf_loop_new(&sink.loop) != HF_OK) {
        fputs("cannot begin\n", stderr);
        return 1;
    }
    if (serve(&sink) && watch(&sink)) {
        hf_loop_run(sink.loop);
        report(&sink);
        code = 0;
    }
    /* Calls that hang are abandoned with the process: nothing waits for them. */
    storm_truth_close(&sink.arrived);
    fflush(stdout);
    _exit(code);
}
