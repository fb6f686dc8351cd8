/*
 * A whole connection of the gRPC server, fed with bytes. Must reach: every callback of session.c,
 * hf_grpc_call_take_header, hf_grpc_call_data, hf_grpc_call_end, hf_grpc_call_answer,
 * hf_grpc_call_refuse, hf_grpc_connection_break, hf_grpc_connection_kill.
 *
 * The first byte says whether the client's preface and SETTINGS are put before the rest. A message
 * that begins with `H` is answered when its connection is gone.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <grpc/server_internal.h>

#define INPUT_MAX (60u * 1024)
#define HELD_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct hf_loop *loop;
    struct hf_grpc_server *server;
    struct hf_task watch;
    int fd; /* the client's end */
    struct hf_grpc_call *held[HELD_MAX];
    size_t held_count;
} fuzz;

static void on_message(void *user, struct hf_grpc_call *call)
{
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    (void)user;
    assert(message->raw.size <= 1 << 20);
    if (message->raw.size > 0 && message->raw.data[0] == 'H' && fuzz.held_count < HELD_MAX) {
        fuzz.held[fuzz.held_count++] = call;
        return;
    }
    struct hf_grpc_answer answer = {.message = message->raw};
    if (hf_grpc_call_header(call, "fail").size != 0) {
        answer = (struct hf_grpc_answer){.code = 14, .error = "\x01%", .retry_delay_ns = 7};
    }
    hf_grpc_call_answer(call, &answer);
}

static enum hf_status converse(void *user, struct hf_slice message, struct hf_bytes *answer)
{
    (void)user;
    return message.size > 9 ? HF_INVALID : hf_bytes_append(answer, message);
}

static void on_error(void *user, const char *peer, const char *what)
{
    (void)user;
    assert(peer != NULL && what != NULL);
}

/* Reads what the server says, and ends the run when the server is done with the connection. */
static void watch(struct hf_task *task)
{
    char sink[4096];
    while (recv(fuzz.fd, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
    }
    if (fuzz.server->workers[0].connections == NULL) {
        hf_loop_stop(fuzz.loop);
    } else {
        hf_loop_defer(fuzz.loop, task);
    }
}

static void set_up(void)
{
    static char user[] = "user";
    static const struct hf_grpc_method methods[] = {{.path = "/t.S/M", .user = user},
                                                    {.path = "/t.S/N", .user = user},
                                                    {.path = "/t.S/T", .converse = converse}};
    char error[512];
    enum hf_status status = hf_loop_new(&fuzz.loop);
    assert(status == HF_OK);
    const struct hf_grpc_server_options options = {
        .listen_fd = open("/dev/null", O_RDONLY), /* nothing is ever accepted */
        .loops = &fuzz.loop,
        .loop_count = 1,
        .message_bytes_max = 1 << 20,
        .streams_max = 32,
        .buffered_bytes_max = 4 << 20,
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .on_message = on_message,
        .on_error = on_error,
    };
    status = hf_grpc_server_new(&options, &fuzz.server, error);
    assert(status == HF_OK);
    (void)status;
    fuzz.watch.run = watch;
}

static void say(const void *bytes, size_t size)
{
    ssize_t sent = send(fuzz.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    assert(sent == (ssize_t)size); /* the socket's buffer holds the largest input */
    (void)sent;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    if (fuzz.loop == NULL) {
        set_up();
    }
    int fds[2];
    int failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    assert(failed == 0);
    (void)failed;
    fuzz.fd = fds[1];
    struct grpc_worker *worker = &fuzz.server->workers[0];
    atomic_fetch_add(&worker->connection_count, 1);
    const struct hf_peer who = hf_peer_of_text("unix");
    enum hf_census_verdict verdict = hf_census_enter(fuzz.server->census, &who);
    assert(verdict == HF_CENSUS_ADMITTED);
    (void)verdict;
    hf_grpc_connection_open(worker, fds[0], "fuzz", who);
    if ((data[0] & 1) != 0) {
        say(greeting, sizeof(greeting));
    }
    say(data + 1, size - 1);
    shutdown(fuzz.fd, SHUT_WR);
    hf_loop_defer(fuzz.loop, &fuzz.watch);
    hf_loop_run(fuzz.loop);
    while (fuzz.held_count > 0) {
        hf_grpc_call_answer(fuzz.held[--fuzz.held_count],
                            &(struct hf_grpc_answer){.code = 14, .error = "late"});
    }
    assert(worker->call_count == 0 && worker->handed == 0);
    close(fuzz.fd);
    return 0;
}
