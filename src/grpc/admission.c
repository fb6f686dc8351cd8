/*
 * Who gets in: a new connection settles on the worker that has fewest, as long as its peer and all
 * together have not too many; then one that is idle has to go first, of the same peer or of any.
 */
#include "server_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEARCH_MAX 1024 /* idle connections looked at for one of a peer */

/* ---- idle ones ---- */

bool hf_grpc_evict(struct grpc_worker *worker)
{
    if (worker->idle == NULL) {
        return false;
    }
    hf_grpc_server_report(worker->idle, "too many connections: an idle one was closed");
    hf_grpc_connection_evict(worker->idle);
    return true;
}

static bool evict_of(struct grpc_worker *worker, const struct hf_peer *who)
{
    struct connection *connection = worker->idle;
    for (int i = 0; connection != NULL && i < SEARCH_MAX; i++, connection = connection->next_idle) {
        if (hf_peer_equal(&connection->who, who)) {
            hf_grpc_server_report(connection,
                                  "too many connections of one peer: an idle one was closed");
            hf_grpc_connection_evict(connection);
            return true;
        }
    }
    return false;
}

/* ---- arrivals ---- */

static void describe_peer(const struct sockaddr_storage *address, char ret_text[64])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(ret_text, 64, "%s:%u", host, ntohs(v4->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        if (mapped) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof(host));
        } else {
            inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        }
        snprintf(ret_text, 64, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        snprintf(ret_text, 64, "unix");
    }
}

/* A new socket on its way to the worker that will own it, or that may have an idle one to close. */
struct arrival {
    struct hf_task task;
    struct grpc_worker *worker;
    int fd;
    bool admitted;
    size_t asked; /* workers that have had none to close */
    struct hf_peer who;
    char peer[64];
};

static void turn_away(struct grpc_worker *worker, const struct arrival *arrival)
{
    const struct hf_grpc_server_options *options = &worker->server->options;
    if (options->on_error != NULL && !worker->stopping) {
        options->on_error(options->user, arrival->peer, "too many connections");
    }
    close(arrival->fd);
}

/* Its place in the census is the connection's from here on. */
static void settle_in(struct grpc_worker *worker, const struct arrival *arrival)
{
    if (worker->stopped) {
        atomic_fetch_sub(&worker->connection_count, 1);
        hf_census_leave(worker->server->census, &arrival->who);
        close(arrival->fd);
        return;
    }
    hf_grpc_connection_open(worker, arrival->fd, arrival->peer, arrival->who);
}

/* The worker with the fewest connections; the counts of others may be stale, which only costs
 * balance. */
static struct grpc_worker *choose_worker(struct grpc_worker *own)
{
    struct hf_grpc_server *server = own->server;
    struct grpc_worker *best = own;
    unsigned least = atomic_load_explicit(&own->connection_count, memory_order_relaxed);
    for (size_t i = 0; i < server->options.loop_count; i++) {
        struct grpc_worker *worker = &server->workers[i];
        unsigned count = atomic_load_explicit(&worker->connection_count, memory_order_relaxed);
        if (count < least) {
            least = count;
            best = worker;
        }
    }
    return best;
}

static void arrive(struct hf_task *task);

/* On the worker's thread, later. Without memory, *arrival stays as it is: false. */
static bool send_to(struct grpc_worker *worker, const struct arrival *arrival)
{
    struct arrival *sent = malloc(sizeof(*sent));
    if (sent == NULL) {
        return false;
    }
    *sent = *arrival;
    sent->task = (struct hf_task){.run = arrive};
    sent->worker = worker;
    hf_ref_take(&worker->server->ref);
    hf_loop_post(worker->loop, &sent->task);
    return true;
}

/* In the census: to its worker. */
static void place(struct grpc_worker *own, struct arrival *arrival)
{
    struct grpc_worker *worker = choose_worker(own);
    arrival->admitted = true;
    atomic_fetch_add(&worker->connection_count, 1);
    if (worker != own && send_to(worker, arrival)) {
        return;
    }
    if (worker != own) {
        atomic_fetch_sub(&worker->connection_count, 1);
        atomic_fetch_add(&own->connection_count, 1);
    }
    settle_in(own, arrival);
}

/* Too many: an idle one of this worker goes, or else of the next one that has any. */
static void make_room(struct grpc_worker *own, struct arrival *arrival,
                      enum hf_census_verdict verdict)
{
    struct hf_grpc_server *server = own->server;
    bool evicted = verdict == HF_CENSUS_PEER_FULL ? evict_of(own, &arrival->who)
                   : verdict == HF_CENSUS_FULL    ? hf_grpc_evict(own)
                                                  : false;
    if (evicted && hf_census_enter(server->census, &arrival->who) == HF_CENSUS_ADMITTED) {
        place(own, arrival);
        return;
    }
    size_t next = (size_t)(own - server->workers) + 1;
    if (++arrival->asked >= server->options.loop_count ||
        !send_to(&server->workers[next % server->options.loop_count], arrival)) {
        turn_away(own, arrival);
    }
}

static void try_to_admit(struct grpc_worker *own, struct arrival *arrival)
{
    enum hf_census_verdict verdict = hf_census_enter(own->server->census, &arrival->who);
    if (verdict == HF_CENSUS_ADMITTED) {
        place(own, arrival);
    } else {
        make_room(own, arrival, verdict);
    }
}

static void arrive(struct hf_task *task)
{
    struct arrival *arrival = HF_CONTAINER(task, struct arrival, task);
    struct grpc_worker *worker = arrival->worker;
    struct hf_grpc_server *server = worker->server;
    if (arrival->admitted) {
        settle_in(worker, arrival);
    } else if (worker->stopping) {
        close(arrival->fd);
    } else {
        try_to_admit(worker, arrival);
    }
    free(arrival);
    hf_ref_drop(&server->ref);
}

void hf_grpc_admit(struct grpc_worker *own, int fd, const struct sockaddr_storage *address)
{
    struct arrival arrival = {.fd = fd};
    describe_peer(address, arrival.peer);
    arrival.who = hf_peer_of_address((const struct sockaddr *)address);
    if (address->ss_family != AF_UNIX) {
        int on = 1;
        /* Only tuning: a connection without it works. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    try_to_admit(own, &arrival);
}
