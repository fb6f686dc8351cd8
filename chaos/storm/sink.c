/*
 * sink: the backend that knows the truth. Every item that arrives in a request answered OK is
 * marked; the sink can be told to refuse with any code, to hang, to answer slowly, or to answer
 * after it has thrown the data away.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/grpc/server.h"
#include "../../src/http/server.h"
#include "../../src/util/clock.h"
#include "../../src/util/loop.h"
#include "body.h"
#include "storm.h"
#include "truth.h"

#define MESSAGE_BYTES_MAX ((size_t)256 << 20)
#define RETRY_DELAY_NS (20 * HF_NS_PER_MS)

enum mode { MODE_OK, MODE_CODE, MODE_RETRY, MODE_HANG, MODE_SLOW };

struct sink {
    const struct storm_options *options;
    struct hf_loop *loop;
    struct hf_grpc_server *grpc;
    struct hf_http_server *http;
    struct storm_truth arrived;
    struct hf_io commands, signals;
    int command_fd, signal_fd;
    struct hf_timer end;
    _Atomic int mode;
    _Atomic int code;
    _Atomic uint64_t delay_ns;
    _Atomic uint64_t requests, items, refused, malformed, repeated;
    _Atomic uint64_t first_ns, last_ns;
};

/* A call that is answered later. */
struct late {
    struct hf_timer timer;
    struct sink *sink;
    struct hf_grpc_call *call;
    int code;
};

static void mark(void *user, uint64_t number)
{
    struct sink *sink = user;
    if (number < sink->arrived.count && sink->arrived.marks[number] != 0) {
        sink->repeated++;
    }
    if (!storm_truth_mark(&sink->arrived, number)) {
        sink->malformed++;
    }
}

/* Counts and marks what arrived. False: not an Export request. */
static bool take(struct sink *sink, enum hf_signal signal, struct hf_slice raw)
{
    bool marking = sink->arrived.marks != NULL;
    int64_t items = storm_body_read(signal, raw, marking ? mark : NULL, sink);
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t never = 0;
    if (items < 0) {
        sink->malformed++;
        return false;
    }
    atomic_compare_exchange_strong(&sink->first_ns, &never, now_ns);
    atomic_store(&sink->last_ns, now_ns);
    sink->requests++;
    sink->items += (uint64_t)items;
    return true;
}

static void answer(struct hf_grpc_call *call, int code, uint64_t retry_ns)
{
    const struct hf_grpc_answer words = {
        .code = code, .error = code != 0 ? "as told" : NULL, .retry_delay_ns = retry_ns};
    hf_grpc_call_answer(call, &words);
}

static void answer_late(struct hf_timer *timer, uint64_t now_ns)
{
    struct late *late = HF_CONTAINER(timer, struct late, timer);
    (void)now_ns;
    answer(late->call, late->code, 0);
    free(late);
}

static void wait_and_answer(struct sink *sink, struct hf_grpc_call *call, uint64_t delay_ns,
                            int code)
{
    struct late *late = calloc(1, sizeof(*late));
    if (late == NULL) {
        answer(call, 14, 0);
        return;
    }
    *late = (struct late){.timer = {.fire = answer_late}, .sink = sink, .call = call, .code = code};
    if (hf_loop_timer_set(sink->loop, &late->timer, hf_loop_now_ns(sink->loop) + delay_ns) !=
        HF_OK) {
        answer(call, 14, 0);
        free(late);
    }
}

static void on_message(void *user, struct hf_grpc_call *call)
{
    struct sink *sink = user;
    const enum hf_signal *signal = hf_grpc_call_user(call);
    enum mode mode = (enum mode)atomic_load(&sink->mode);
    if (mode == MODE_CODE || mode == MODE_RETRY) {
        sink->refused++;
        answer(call, atomic_load(&sink->code), mode == MODE_RETRY ? RETRY_DELAY_NS : 0);
        return;
    }
    if (mode == MODE_HANG) {
        /* Longer than any sender waits; never marked. */
        sink->refused++;
        wait_and_answer(sink, call, 3600 * HF_NS_PER_S, 14);
        return;
    }
    bool fine = take(sink, *signal, hf_grpc_call_message(call)->raw);
    if (mode == MODE_SLOW) {
        wait_and_answer(sink, call, atomic_load(&sink->delay_ns), fine ? 0 : 3);
        return;
    }
    answer(call, fine ? 0 : 3, 0);
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
    enum mode mode = (enum mode)atomic_load(&sink->mode);
    struct hf_http_answer words = {.status = 200, .content_type = "application/x-protobuf"};
    if (mode == MODE_CODE || mode == MODE_RETRY) {
        sink->refused++;
        words.status = atomic_load(&sink->code);
        words.retry_after_s = mode == MODE_RETRY ? 1 : 0;
    } else if (fault != HF_OK || !take(sink, signal_of_path(hf_http_path(request)),
                                       hf_http_request_body(request)->raw)) {
        words.status = 400;
    }
    hf_http_answer(request, &words);
}

/* ---- orders while it runs ---- */

static void obey(struct sink *sink, const char *line)
{
    int code = 0;
    unsigned delay_ms = 0;
    if (strcmp(line, "ok") == 0) {
        atomic_store(&sink->mode, MODE_OK);
    } else if (sscanf(line, "code %d", &code) == 1) {
        atomic_store(&sink->code, code);
        atomic_store(&sink->mode, MODE_CODE);
    } else if (sscanf(line, "retry %d", &code) == 1) {
        atomic_store(&sink->code, code);
        atomic_store(&sink->mode, MODE_RETRY);
    } else if (strcmp(line, "hang") == 0) {
        atomic_store(&sink->mode, MODE_HANG);
    } else if (sscanf(line, "slow %u", &delay_ms) == 1) {
        atomic_store(&sink->delay_ns, delay_ms * HF_NS_PER_MS);
        atomic_store(&sink->mode, MODE_SLOW);
    } else {
        fprintf(stderr, "not an order: %s\n", line);
    }
}

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
        if (line[0] != '\0') {
            obey(sink, line);
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
        {"/opentelemetry.proto.collector.trace.v1.TraceService/Export", &signals[0]},
        {"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", &signals[1]},
        {"/opentelemetry.proto.collector.logs.v1.LogsService/Export", &signals[2]},
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

static void report(struct sink *sink)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf(
        "{\"requests\":%llu,\"items\":%llu,\"refused\":%llu,\"malformed\":%llu,\"repeated\":%llu,"
        "\"cpu_seconds\":%.3f,\"seconds\":%.3f}\n",
        (unsigned long long)sink->requests, (unsigned long long)sink->items,
        (unsigned long long)sink->refused, (unsigned long long)sink->malformed,
        (unsigned long long)sink->repeated, cpu, (double)(sink->last_ns - sink->first_ns) / 1e9);
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
    if (hf_loop_new(&sink.loop) != HF_OK) {
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
