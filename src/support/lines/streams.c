#include "streams.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "streams_connection.h"
#include "support/scrape/submitter.h"
#include "util/intake.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define EVENTS 64
#define CONNECTIONS_DEFAULT 10000u
#define WAIT_FIRST_NS (50 * HF_NS_PER_MS)
#define WAIT_MAX_NS (2 * HF_NS_PER_S)
#define IDLE_LOOK_NS HF_NS_PER_S

struct hf_streams {
    struct hf_streams_options options;
    struct hf_connections connections;
    int fd, stop_fd, epoll_fd;
    struct hf_submitter submitter;
    uint64_t looked_ns; /* when idle connections were looked for last */
    pthread_t thread;
    bool has_thread;
};

/* ---- the reader ---- */

static void accept_all(struct hf_streams *streams)
{
    uint64_t most = streams->options.connections_max != 0 ? streams->options.connections_max
                                                          : CONNECTIONS_DEFAULT;
    for (;;) {
        struct sockaddr_storage remote = {0};
        socklen_t size = sizeof(remote);
        int fd =
            accept4(streams->fd, (struct sockaddr *)&remote, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) {
            continue;
        }
        if (fd < 0) {
            return;
        }
        if (streams->connections.count >= most) {
            hf_node_log(streams->options.node, HF_LOG_WARN,
                        "a connection is refused: %llu are open, as many as are allowed",
                        (unsigned long long)most);
            close(fd);
        } else {
            hf_connections_add(&streams->connections, fd, &remote);
        }
    }
}

static bool submit(struct hf_streams *streams, struct hf_batch *batch)
{
    const struct hf_streams_options *options = &streams->options;
    struct hf_checkpoint checkpoint;
    bool has_place = options->ops->place != NULL && options->ops->place(options->user, &checkpoint);
    return hf_submitter_add(&streams->submitter, batch, &checkpoint, has_place ? 1 : 0) &&
           hf_submitter_wait(&streams->submitter);
}

/* Hands over what is ready, and waits until it is on disk. False: it stops, and no queue took it.
 */
static bool hand_over(struct hf_streams *streams, bool is_last)
{
    const struct hf_streams_options *options = &streams->options;
    uint64_t now_ns = hf_clock_monotonic_ns();
    bool go_on = true;
    struct hf_batch *batch = options->ops->collect(options->user, now_ns, is_last);
    while (batch != NULL) {
        uint32_t items = batch->items;
        if (!go_on) {
            hf_ref_drop(&batch->ref);
        }
        go_on = go_on && submit(streams, batch);
        if (!go_on && options->ops->place == NULL) {
            hf_node_log(options->node, HF_LOG_WARN,
                        "%u items are lost with the stop: no queue has room for them", items);
        }
        batch = options->ops->collect(options->user, now_ns, is_last);
    }
    if (go_on && options->ops->committed != NULL) {
        options->ops->committed(options->user);
    }
    return go_on;
}

static int wait_ms(const struct hf_streams *streams)
{
    const struct hf_streams_options *options = &streams->options;
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t due_ns =
        options->ops->due_ns != NULL ? options->ops->due_ns(options->user) : UINT64_MAX;
    if (streams->connections.has_more) {
        return 0;
    }
    if (options->idle_ns != 0 && due_ns > now_ns + IDLE_LOOK_NS) {
        due_ns = now_ns + IDLE_LOOK_NS;
    }
    if (due_ns == UINT64_MAX) {
        return -1;
    }
    uint64_t ms = due_ns <= now_ns ? 0 : (due_ns - now_ns) / HF_NS_PER_MS + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void close_idle(struct hf_streams *streams)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (streams->options.idle_ns != 0 && now_ns - streams->looked_ns >= IDLE_LOOK_NS) {
        streams->looked_ns = now_ns;
        hf_connections_close_idle(&streams->connections, now_ns);
    }
}

/* False: it is to stop. */
static bool read_ready(struct hf_streams *streams)
{
    struct epoll_event events[EVENTS];
    bool go_on = true;
    int count = epoll_wait(streams->epoll_fd, events, EVENTS, wait_ms(streams));
    hf_connections_read_more(&streams->connections);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &streams->stop_fd) {
            go_on = false;
        } else if (events[i].data.ptr == &streams->fd) {
            accept_all(streams);
        } else {
            hf_connections_read(&streams->connections, events[i].data.ptr);
        }
    }
    close_idle(streams);
    return go_on;
}

static void *read_streams(void *of)
{
    struct hf_streams *streams = of;
    bool is_taken = true;
    while (read_ready(streams) && is_taken) {
        is_taken = hand_over(streams, false);
        hf_connections_free_closed(&streams->connections);
    }
    while (is_taken && hf_connections_read_last(&streams->connections)) {
        is_taken = hand_over(streams, false);
    }
    hf_connections_close(&streams->connections);
    (void)hand_over(streams, true);
    hf_connections_free_closed(&streams->connections);
    return NULL;
}

/* ---- the main thread's side ---- */

static enum hf_status open_sockets(struct hf_streams *streams, char *reterr)
{
    const struct hf_streams_options *options = &streams->options;
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = &streams->stop_fd};
    struct epoll_event listener = {.events = EPOLLIN, .data.ptr = &streams->fd};
    streams->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    streams->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (streams->stop_fd < 0 || streams->epoll_fd < 0 ||
        epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, streams->stop_fd, &stop) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "making the reader of %s failed: %s", options->endpoint,
                 strerror(errno));
        return HF_IO;
    }
    enum hf_status status = hf_node_listen(options->node, options->endpoint, &streams->fd, reterr);
    if (status == HF_OK &&
        epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, streams->fd, &listener) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "watching %s failed: %s", options->endpoint,
                 strerror(errno));
        status = HF_IO;
    }
    return status;
}

enum hf_status hf_streams_open(const struct hf_streams_options *options, struct hf_streams **ret,
                               char *reterr)
{
    struct hf_streams *streams = calloc(1, sizeof(*streams));
    if (streams == NULL) {
        return HF_NOMEM;
    }
    streams->options = *options;
    streams->fd = streams->stop_fd = streams->epoll_fd = -1;
    hf_submitter_init(&streams->submitter, options->node);
    streams->submitter.transport = options->transport;
    streams->submitter.wait_first_ns = WAIT_FIRST_NS;
    streams->submitter.wait_max_ns = WAIT_MAX_NS;
    enum hf_status status = hf_node_add_transport(options->node, options->transport);
    status = status == HF_OK ? open_sockets(streams, reterr) : status;
    if (status == HF_OK) {
        status = hf_connections_init(&streams->connections, &streams->options, streams->epoll_fd,
                                     hf_intake_total(hf_node_memory(options->node)), reterr);
    }
    if (status != HF_OK) {
        hf_streams_close(streams);
        return status;
    }
    *ret = streams;
    return HF_OK;
}

enum hf_status hf_streams_start(struct hf_streams *streams, char *reterr)
{
    int error = hf_thread_start(&streams->thread, NULL, read_streams, streams);
    if (error != 0) {
        snprintf(reterr, HF_ERROR_MAX, "starting the thread of %s failed: %s",
                 streams->options.endpoint, strerror(error));
        return HF_IO;
    }
    streams->has_thread = true;
    (void)pthread_setname_np(streams->thread, "streams");
    return HF_OK;
}

void hf_streams_stop(struct hf_streams *streams)
{
    uint64_t one = 1;
    if (streams == NULL || !streams->has_thread) {
        return;
    }
    (void)!write(streams->stop_fd, &one, sizeof(one));
    hf_submitter_stop(&streams->submitter);
    pthread_join(streams->thread, NULL);
    streams->has_thread = false;
}

void hf_streams_close(struct hf_streams *streams)
{
    if (streams == NULL) {
        return;
    }
    hf_connections_release(&streams->connections);
    for (size_t i = 0; i < 3; i++) {
        int fd = i == 0 ? streams->fd : i == 1 ? streams->stop_fd : streams->epoll_fd;
        if (fd >= 0) {
            close(fd);
        }
    }
    hf_submitter_release(&streams->submitter);
    free(streams);
}

void hf_streams_write(struct hf_streams *streams, struct hf_stream_peer *peer,
                      struct hf_slice bytes)
{
    hf_connections_write(&streams->connections, peer, bytes);
}
