/*
 * server_relief: ends bodies that come too slowly, and the slowest when all of them together hold
 * too much. Gives memory back to the system when much less is held than before.
 *
 * All by the thread that accepts. The library reads a connection on a thread of its own and takes
 * an answer only behind the body: the refusal is written to the socket itself, which no other
 * thread writes to while a body is coming, and then the socket has no more to read.
 */
#include <malloc.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "server_internal.h"
#include "util/time/clock.h"

#define TRIM_INTERVAL_NS (5 * HF_NS_PER_S)

void hf_http_press(struct hf_http_server *server)
{
    if (!atomic_exchange_explicit(&server->pressed, true, memory_order_relaxed)) {
        (void)eventfd_write(server->wake_fd, 1);
    }
}

/* Under the lock, which keeps the descriptor open. False: it has come to its end meanwhile. */
static bool end_body(const struct hf_http_server *server, struct http_connection *connection)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                 "Retry-After: 1\r\nContent-Length: 0\r\n\r\n";
    int coming = BODY_COMING;
    if (!atomic_compare_exchange_strong(&connection->body, &coming, BODY_ENDED)) {
        return false;
    }
    if (server->tls == NULL) {
        (void)send(connection->fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    (void)shutdown(connection->fd, server->tls == NULL ? SHUT_RD : SHUT_RDWR);
    return true;
}

/* False: no body is coming. */
static bool look(struct http_connection *connection, size_t *ret_bytes)
{
    if (atomic_load_explicit(&connection->body, memory_order_acquire) != BODY_COMING) {
        return false;
    }
    uint64_t since_ns = atomic_load_explicit(&connection->body_since_ns, memory_order_relaxed);
    size_t bytes = (size_t)atomic_load_explicit(&connection->body_bytes, memory_order_relaxed);
    if (since_ns == 0) {
        return false; /* it is over */
    }
    if (since_ns != connection->pace.begun_ns) {
        hf_intake_pace_begin(&connection->pace, since_ns);
    }
    /* Less than before: the next body of the connection has begun just now. */
    *ret_bytes = bytes > connection->pace.mark_bytes ? bytes : connection->pace.mark_bytes;
    return true;
}

static void check(const struct hf_http_server *server, struct http_connection *at, uint64_t now_ns)
{
    size_t bytes = 0;
    uint64_t deadline_ns = atomic_load_explicit(&at->deadline_ns, memory_order_relaxed);
    if (deadline_ns != 0 && now_ns > deadline_ns) {
        (void)shutdown(at->fd, SHUT_RDWR);
    } else if (look(at, &bytes)) {
        bool late = hf_intake_pace_is_late(&at->pace, now_ns, bytes, server->options.body_time_ns,
                                           server->options.body_rate);
        hf_intake_pace_mark(&at->pace, now_ns, bytes);
        if (late) {
            (void)end_body(server, at);
        }
    }
}

/* True: not yet, but it is to be asked again. */
static bool trim(struct hf_http_server *server, uint64_t now_ns)
{
    size_t held = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    server->held_peak = held > server->held_peak ? held : server->held_peak;
    if (atomic_exchange_explicit(&server->decoded_much, false, memory_order_relaxed)) {
        server->held_peak += HTTP_TRIM_BYTES; /* it was not there for long enough to be seen */
    }
    if (server->held_peak < HTTP_TRIM_BYTES) {
        return false;
    }
    if (held <= server->held_peak / 2 && now_ns - server->trimmed_ns >= TRIM_INTERVAL_NS) {
        malloc_trim(0);
        server->trimmed_ns = now_ns;
        server->held_peak = held;
        return false;
    }
    return true;
}

bool hf_http_watch(struct hf_http_server *server, uint64_t now_ns)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_connection *at = server->connections; at != NULL; at = at->next) {
        check(server, at, now_ns);
    }
    pthread_mutex_unlock(&server->lock);
    return trim(server, now_ns);
}

/* Under the lock. Returns what is held by bodies that were ended and are on their way out. */
static size_t find(struct hf_http_server *server, uint64_t now_ns,
                   struct hf_intake_victims *ret_victims)
{
    size_t ended = 0;
    ret_victims->count = 0;
    for (struct http_connection *at = server->connections; at != NULL; at = at->next) {
        size_t held = atomic_load_explicit(&at->held, memory_order_relaxed), bytes = 0;
        if (atomic_load_explicit(&at->body, memory_order_relaxed) == BODY_ENDED) {
            ended += held;
        } else if (held != 0 && look(at, &bytes)) {
            size_t sender_held = 0;
            if (at->sender != NULL) {
                sender_held = atomic_load_explicit(&at->sender->held, memory_order_relaxed);
            }
            uint64_t rate = hf_intake_pace_rate(&at->pace, now_ns, bytes);
            if (now_ns > at->pace.begun_ns + HF_INTAKE_YOUNG_NS) {
                hf_intake_victims_add(ret_victims,
                                      hf_intake_key(&server->limits, sender_held, rate), at);
            }
        }
    }
    return ended;
}

void hf_http_relieve(struct hf_http_server *server, uint64_t now_ns)
{
    struct hf_intake_victims victims;
    if (!atomic_exchange_explicit(&server->pressed, false, memory_order_relaxed)) {
        return;
    }
    server->relieved_ns = now_ns;
    size_t held = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    server->held_peak = held > server->held_peak ? held : server->held_peak;
    pthread_mutex_lock(&server->lock);
    size_t ended = find(server, now_ns, &victims);
    held = held > ended ? held - ended : 0;
    for (size_t i = 0; i < victims.count && held > server->limits.relieved; i++) {
        struct http_connection *victim = victims.items[i].message;
        size_t freed = atomic_load_explicit(&victim->held, memory_order_relaxed);
        if (end_body(server, victim)) {
            held -= freed < held ? freed : held;
        }
    }
    bool again = held >= server->limits.soft || server->waiting.first != NULL;
    pthread_mutex_unlock(&server->lock);
    if (again) {
        atomic_store_explicit(&server->pressed, true, memory_order_relaxed);
    }
}
