#include "http.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "util/time/clock.h"

#define ANSWER_LIMIT_NS (30 * HF_NS_PER_S)
#define FAILURE_PAUSE_NS (50 * HF_NS_PER_MS)

static void drop(struct storm_http *http)
{
    if (http->fd >= 0) {
        hf_loop_remove(http->loop, http->fd, &http->io);
        close(http->fd);
    }
    http->fd = -1;
    http->connecting = false;
}

/* Told a little later: a server that is away must not be asked in a tight ring. */
static void give_up(struct storm_http *http)
{
    drop(http);
    if (http->busy && hf_loop_timer_set(http->loop, &http->limit,
                                        hf_clock_monotonic_ns() + FAILURE_PAUSE_NS) != HF_OK) {
        abort();
    }
}

static void connect_now(struct storm_http *http)
{
    int on = 1;
    http->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (http->fd < 0) {
        give_up(http);
        return;
    }
    setsockopt(http->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int result = connect(http->fd, (const struct sockaddr *)&http->address, sizeof(http->address));
    http->connecting = true;
    if ((result != 0 && errno != EINPROGRESS) ||
        hf_loop_add(http->loop, http->fd, EPOLLIN | EPOLLOUT, &http->io) != HF_OK) {
        give_up(http);
    }
}

/* As HTTP clients do: a connection that was kept, and ends before anything of an answer has come,
 * was closed for its idleness while the request was under way. That is tried on a new one, once. */
static void fail(struct storm_http *http)
{
    bool was_idle = http->busy && http->is_kept && http->got == 0;
    if (!was_idle) {
        give_up(http);
        return;
    }
    drop(http);
    http->is_kept = false;
    http->sent = 0;
    connect_now(http);
}

static void on_limit(struct hf_timer *timer, uint64_t now_ns)
{
    struct storm_http *http = HF_CONTAINER(timer, struct storm_http, limit);
    (void)now_ns;
    drop(http);
    http->busy = false;
    http->done(http, 0);
}

static void write_on(struct storm_http *http)
{
    size_t total = http->head.size + http->body.size;
    while (http->sent < total) {
        struct iovec parts[2];
        int count = 0;
        if (http->sent < http->head.size) {
            parts[count++] = (struct iovec){(void *)(uintptr_t)(http->head.data + http->sent),
                                            http->head.size - http->sent};
        }
        size_t skipped = http->sent > http->head.size ? http->sent - http->head.size : 0;
        parts[count++] = (struct iovec){(void *)(uintptr_t)(http->body.data + skipped),
                                        http->body.size - skipped};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t written = sendmsg(http->fd, &message, MSG_NOSIGNAL);
        if (written < 0 && errno == EAGAIN) {
            if (hf_loop_change(http->loop, http->fd, EPOLLIN | EPOLLOUT, &http->io) != HF_OK) {
                fail(http);
            }
            return;
        }
        if (written < 0) {
            fail(http);
            return;
        }
        http->sent += (size_t)written;
    }
}

/* Where the head of the answer ends, and how long its body is. */
static bool read_head(const struct storm_http *http, size_t *ret_head, size_t *ret_body,
                      bool *ret_close)
{
    const char *end = memmem(http->answer, http->got, "\r\n\r\n", 4);
    if (end == NULL) {
        return false;
    }
    *ret_head = (size_t)(end - http->answer) + 4;
    *ret_body = 0;
    *ret_close = false;
    for (const char *line = http->answer; line < end;) {
        const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        if (strncasecmp(line, "content-length:", 15) == 0) {
            *ret_body = strtoul(line + 15, NULL, 10);
        } else if (strncasecmp(line, "connection: close", 17) == 0 ||
                   strncasecmp(line, "transfer-encoding:", 18) == 0) {
            *ret_close = true;
        }
        line = next + 2;
    }
    return true;
}

static void read_on(struct storm_http *http)
{
    ssize_t got = recv(http->fd, http->answer + http->got, sizeof(http->answer) - 1 - http->got, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        fail(http);
        return;
    }
    http->got += (size_t)got;
    http->answer[http->got] = '\0';
    size_t head = 0;
    size_t body = 0;
    bool closing = false;
    if (!read_head(http, &head, &body, &closing) || http->got < head + body) {
        if (http->got == sizeof(http->answer) - 1) {
            fail(http);
        }
        return;
    }
    bool early = http->sent < http->head.size + http->body.size;
    if (closing || early) {
        drop(http);
    }
    if (!http->busy) {
        return; /* a server that says why it closes an idle connection */
    }
    hf_loop_timer_stop(http->loop, &http->limit);
    http->busy = false;
    http->done(http, head > 12 ? (int)strtol(http->answer + 9, NULL, 10) : 0);
}

static void on_ready(struct hf_io *io, uint32_t events)
{
    struct storm_http *http = HF_CONTAINER(io, struct storm_http, io);
    if ((events & EPOLLOUT) != 0) {
        http->connecting = false;
        if (hf_loop_change(http->loop, http->fd, EPOLLIN, io) != HF_OK) {
            fail(http);
            return;
        }
        write_on(http);
    }
    if (http->fd >= 0 && !http->connecting && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        read_on(http);
    }
}

void storm_http_init(struct storm_http *http)
{
    http->fd = -1;
    http->io.ready = on_ready;
    http->limit.fire = on_limit;
}

void storm_http_send(struct storm_http *http, struct hf_slice head, struct hf_slice body)
{
    http->head = head;
    http->body = body;
    http->sent = 0;
    http->got = 0;
    http->busy = true;
    http->is_kept = http->fd >= 0;
    if (hf_loop_timer_set(http->loop, &http->limit, hf_clock_monotonic_ns() + ANSWER_LIMIT_NS) !=
        HF_OK) {
        abort();
    }
    if (http->fd < 0) {
        connect_now(http);
    } else if (!http->connecting) {
        write_on(http);
    }
}

void storm_http_release(struct storm_http *http)
{
    drop(http);
    hf_loop_timer_stop(http->loop, &http->limit);
}
