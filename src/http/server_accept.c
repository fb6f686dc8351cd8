/*
 * server_accept: the thread that accepts, and that watches over what was accepted. The server does
 * this itself: libmicrohttpd would shut the listening socket down at its end, which a reload and
 * the other holders of that socket must not see.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_greeting.h"
#include "server_internal.h"
#include "util/time/clock.h"

#define WATCH_PERIOD_MS 1000
#define RELIEF_PERIOD_MS 20
#define REFUSED_PAUSE_MS 100

static void take_in(struct hf_http_server *server, int fd, const struct sockaddr_storage *address,
                    socklen_t size)
{
    struct hf_peer who = hf_peer_of_address((const struct sockaddr *)address);
    if (!hf_http_count_in(server, &who)) {
        hf_http_server_complain(server, address, "too many connections");
        close(fd);
        return;
    }
    atomic_fetch_add(&server->greeting_count, 1);
    hf_http_greetings_take(server->greetings, fd, address, size);
}

/* Accepts what waits. False: nothing can be accepted at the moment. */
static bool accept_waiting(struct hf_http_server *server)
{
    for (size_t i = 0; i < HTTP_ACCEPT_BATCH; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        int fd = accept4(server->options.listen_fd, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* Out of descriptors or memory: a pause, or the loop would spin. */
            bool short_of =
                errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
            return !short_of || hf_http_evict(server);
        }
        take_in(server, fd, &address, size);
    }
    return true;
}

/* One turn: accepts, and looks after the slow. `able` is false after accepting failed. Returns the
 * same for the next. */
static bool accept_turn(struct hf_http_server *server, bool closing, bool able, bool watches)
{
    bool listens = !closing && able;
    struct pollfd ready[3] = {{.fd = server->wake_fd, .events = POLLIN},
                              {.fd = hf_http_greetings_fd(server->greetings), .events = POLLIN},
                              {.fd = server->options.listen_fd, .events = POLLIN}};
    int wait_ms = !closing && !listens                             ? REFUSED_PAUSE_MS
                  : hf_census_count(server->census) > 0 || watches ? WATCH_PERIOD_MS
                                                                   : -1;
    if (atomic_load_explicit(&server->pressed, memory_order_relaxed)) {
        wait_ms = RELIEF_PERIOD_MS;
    }
    int number = poll(ready, listens ? 3 : 2, wait_ms);
    if (number > 0 && ready[0].revents != 0) {
        eventfd_t value;
        (void)eventfd_read(server->wake_fd, &value);
    }
    if (number > 0 && ready[1].revents != 0) {
        hf_http_greetings_turn(server->greetings);
    }
    return !listens || number <= 0 || ready[2].revents == 0 || accept_waiting(server);
}

void *hf_http_accept_main(void *user)
{
    struct hf_http_server *server = user;
    uint64_t watched_ns = 0;
    bool able = true, watches = false;
    for (;;) {
        pthread_mutex_lock(&server->lock);
        bool closing = server->closing, ending = server->ending;
        if (closing && !server->accepts_no_more) {
            server->accepts_no_more = true;
            pthread_cond_broadcast(&server->changed);
        }
        pthread_mutex_unlock(&server->lock);
        if (ending) {
            return NULL;
        }
        able = accept_turn(server, closing, able, watches);
        uint64_t now_ns = hf_clock_coarse_ns();
        if (now_ns - watched_ns >= WATCH_PERIOD_MS * HF_NS_PER_MS) {
            watched_ns = now_ns;
            watches = hf_http_watch(server, now_ns);
            hf_http_greetings_sweep(server->greetings, now_ns);
        }
        if (now_ns - server->relieved_ns >= RELIEF_PERIOD_MS * HF_NS_PER_MS) {
            hf_http_relieve(server, now_ns);
        }
    }
}
