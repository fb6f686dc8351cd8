#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/loop.h"
#include "util/time/clock.h"

/* ---- names ---- */

/* A look-up that is waited for on a loop of its own. */
struct lookup {
    struct hf_timer timer;
    struct hf_io stop;
    struct hf_loop *loop;
    struct hf_grpc_lookup *running;
    struct hf_dial_addresses *found;
    enum hf_status status;
    char *error;
};

static void end_lookup(struct lookup *lookup, enum hf_status status, const char *why)
{
    if (lookup->running != NULL) {
        hf_grpc_resolve_cancel(lookup->running);
        lookup->running = NULL;
    }
    lookup->status = status;
    snprintf(lookup->error, HF_ERROR_MAX, "%s", why);
    hf_loop_stop(lookup->loop);
}

static void on_found(void *user, const struct hf_grpc_lookup_result *result)
{
    struct lookup *lookup = user;
    lookup->running = NULL;
    lookup->found->count = result->count;
    if (result->count != 0) {
        memcpy(lookup->found->items, result->addresses,
               result->count * sizeof(result->addresses[0]));
    }
    end_lookup(lookup, result->count != 0 ? HF_OK : HF_NOT_FOUND,
               result->error != NULL ? result->error : "the name has no address");
}

static void on_late(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    end_lookup(HF_CONTAINER(timer, struct lookup, timer), HF_DEADLINE,
               "the name server does not answer");
}

static void on_stop(struct hf_io *io, uint32_t events)
{
    (void)events;
    end_lookup(HF_CONTAINER(io, struct lookup, stop), HF_CLOSED, "stopping");
}

static enum hf_status begin_lookup(struct lookup *lookup, const struct hf_grpc_target *target,
                                   const struct hf_patience *patience)
{
    enum hf_status status = hf_loop_new(&lookup->loop);
    if (status == HF_OK && patience->stop_fd >= 0) {
        status = hf_loop_add(lookup->loop, patience->stop_fd, EPOLLIN, &lookup->stop);
    }
    if (status == HF_OK) {
        status = hf_loop_timer_set(lookup->loop, &lookup->timer, patience->until_ns);
    }
    return status == HF_OK
               ? hf_grpc_resolve_start(lookup->loop, target, on_found, lookup, &lookup->running)
               : status;
}

enum hf_status hf_dial_find(const struct hf_grpc_target *target, const struct hf_patience *patience,
                            struct hf_dial_addresses *ret_addresses, char *reterr)
{
    struct lookup lookup = {.timer = {.fire = on_late},
                            .stop = {.ready = on_stop},
                            .found = ret_addresses,
                            .error = reterr};
    if (hf_grpc_resolve_literal(target, &ret_addresses->items[0])) {
        ret_addresses->count = 1;
        return HF_OK;
    }
    ret_addresses->count = 0;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    lookup.status = begin_lookup(&lookup, target, patience);
    if (lookup.status == HF_OK) {
        hf_loop_run(lookup.loop);
    }
    if (lookup.loop != NULL) {
        hf_loop_free(lookup.loop);
    }
    return lookup.status;
}

/* ---- connections ---- */

static int give_up(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

int hf_dial_connect(const struct hf_grpc_address *address, const struct hf_patience *patience)
{
    int error = 0;
    socklen_t size = sizeof(error);
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)&address->storage, address->size) == 0) {
        return fd;
    }
    if (errno != EINPROGRESS) {
        return give_up(fd, errno);
    }
    enum hf_status status = hf_wait_for(fd, POLLOUT, patience);
    if (status != HF_OK) {
        return give_up(fd, status == HF_DEADLINE ? ETIMEDOUT
                           : status == HF_CLOSED ? ECANCELED
                                                 : errno);
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? fd : give_up(fd, error);
}

static int connect_any(const struct hf_dial_addresses *addresses, int family,
                       const struct hf_patience *patience, char *reterr)
{
    int fd = -1;
    snprintf(reterr, HF_ERROR_MAX, "the name has no address of that family");
    errno = EHOSTUNREACH;
    for (size_t i = 0; i < addresses->count && fd < 0; i++) {
        const struct hf_grpc_address *address = &addresses->items[i];
        if (family != AF_UNSPEC && address->storage.ss_family != family) {
            continue;
        }
        fd = hf_dial_connect(address, patience);
        if (fd < 0) {
            char name[128];
            int error = errno;
            hf_grpc_address_describe(address, name, sizeof(name));
            snprintf(reterr, HF_ERROR_MAX, "connecting to %s failed: %s", name, strerror(error));
            errno = error;
        }
    }
    return fd;
}

int hf_dial(const struct hf_grpc_target *target, int family, const struct hf_patience *patience,
            char *reterr)
{
    int fd = -1;
    struct hf_dial_addresses *addresses = malloc(sizeof(*addresses));
    if (addresses == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        errno = ENOMEM;
        return -1;
    }
    enum hf_status status = hf_dial_find(target, patience, addresses, reterr);
    if (status == HF_OK) {
        fd = connect_any(addresses, family, patience, reterr);
    } else {
        errno = status == HF_CLOSED ? ECANCELED : EHOSTUNREACH;
    }
    int error = errno;
    free(addresses);
    errno = error;
    return fd;
}

static enum hf_status each(const struct hf_dial_addresses *found, int family,
                           enum hf_status (*connect)(void *user, const char *address, char *reterr),
                           void *user, char *reterr)
{
    enum hf_status status = HF_AGAIN;
    snprintf(reterr, HF_ERROR_MAX, "the name has no address of that family");
    for (size_t i = 0; i < found->count && status == HF_AGAIN; i++) {
        char text[NI_MAXHOST];
        const struct sockaddr *address = (const struct sockaddr *)&found->items[i].storage;
        bool fits = family == AF_UNSPEC || family == address->sa_family;
        if (fits && getnameinfo(address, found->items[i].size, text, sizeof(text), NULL, 0,
                                NI_NUMERICHOST) == 0) {
            status = connect(user, text, reterr);
        }
    }
    return status;
}

enum hf_status
hf_dial_each(const struct hf_grpc_target *target, int family, const struct hf_patience *patience,
             enum hf_status (*connect)(void *user, const char *address, char *reterr), void *user,
             char *reterr)
{
    if (target->is_unix) {
        return connect(user, target->host, reterr);
    }
    struct hf_dial_addresses *found = malloc(sizeof(*found));
    if (found == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = hf_dial_find(target, patience, found, reterr);
    status = status == HF_OK ? each(found, family, connect, user, reterr) : status;
    free(found);
    return status;
}

struct hf_patience hf_dial_patience(const struct hf_patience *patience, uint64_t timeout_ns)
{
    struct hf_patience shorter = *patience;
    uint64_t until_ns = hf_clock_monotonic_ns() + timeout_ns;
    if (timeout_ns != 0 && until_ns < shorter.until_ns) {
        shorter.until_ns = until_ns;
    }
    return shorter;
}

enum hf_stream_result hf_dial_shake(struct hf_stream *stream, int fd,
                                    const struct hf_patience *patience)
{
    enum hf_stream_result result = hf_stream_handshake(stream);
    while (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        if (hf_wait_for(fd, result == HF_STREAM_WANT_READ ? POLLIN : POLLOUT, patience) != HF_OK) {
            return result;
        }
        result = hf_stream_handshake(stream);
    }
    return result;
}
