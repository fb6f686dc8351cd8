#include "datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "support/scrape/submitter.h"
#include "util/metrics/metrics.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define AT_ONCE 32u     /* datagrams of one call */
#define ROUND_MAX 4096u /* and until they are handed over, and of so many bytes */
#define ROUND_BYTES_MAX ((size_t)4 << 20)
#define WAIT_FIRST_NS (50 * HF_NS_PER_MS)
#define WAIT_MAX_NS (2 * HF_NS_PER_S)
#define CONTROL_BYTES CMSG_SPACE(sizeof(uint32_t))

struct slot {
    struct sockaddr_storage from;
    struct iovec bytes;
    char control[CONTROL_BYTES] __attribute__((aligned(8)));
};

struct hf_datagrams {
    struct hf_datagrams_options options;
    int fd, stop_fd;
    struct hf_submitter submitter;
    struct hf_series *dropped;
    uint32_t dropped_before; /* the kernel's counter when it was last read */
    bool has_count;
    struct slot slots[AT_ONCE];
    struct mmsghdr headers[AT_ONCE];
    uint8_t *room;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_succeeded; /* set before the stop */
};

void hf_datagram_peer(const struct hf_datagram *datagram, char ret_text[HF_DATAGRAM_PEER_MAX])
{
    const struct sockaddr *from = datagram->from;
    const void *address = NULL;
    snprintf(ret_text, HF_DATAGRAM_PEER_MAX, "unix");
    if (from == NULL) {
        return;
    }
    if (from->sa_family == AF_INET) {
        address = &((const struct sockaddr_in *)(const void *)from)->sin_addr;
    } else if (from->sa_family == AF_INET6) {
        address = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    }
    if (address != NULL) {
        (void)inet_ntop(from->sa_family, address, ret_text, HF_DATAGRAM_PEER_MAX);
    }
}

/* ---- the reader ---- */

/* The kernel tells with a datagram how many it had no room for, since the socket was made. */
static void count_dropped(struct hf_datagrams *datagrams, struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        uint32_t total;
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL) {
            continue;
        }
        memcpy(&total, CMSG_DATA(part), sizeof(total));
        if (datagrams->has_count && total != datagrams->dropped_before) {
            hf_series_add(datagrams->dropped, (int64_t)(total - datagrams->dropped_before));
        }
        datagrams->dropped_before = total;
        datagrams->has_count = true;
    }
}

static void prepare(struct hf_datagrams *datagrams)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        struct slot *slot = &datagrams->slots[i];
        slot->bytes.iov_base = datagrams->room + i * datagrams->options.packet_bytes_max;
        slot->bytes.iov_len = datagrams->options.packet_bytes_max;
        datagrams->headers[i].msg_hdr = (struct msghdr){.msg_name = &slot->from,
                                                        .msg_namelen = sizeof(slot->from),
                                                        .msg_iov = &slot->bytes,
                                                        .msg_iovlen = 1,
                                                        .msg_control = slot->control,
                                                        .msg_controllen = sizeof(slot->control)};
    }
}

/* The datagrams that are there, up to a round; how many. */
static size_t read_round(struct hf_datagrams *datagrams)
{
    const struct hf_datagrams_options *options = &datagrams->options;
    size_t taken = 0, bytes = 0;
    int count = AT_ONCE;
    while (count == (int)AT_ONCE && taken < ROUND_MAX && bytes < ROUND_BYTES_MAX) {
        prepare(datagrams);
        count = recvmmsg(datagrams->fd, datagrams->headers, AT_ONCE, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            struct msghdr *header = &datagrams->headers[i].msg_hdr;
            const struct hf_datagram datagram = {
                .bytes =
                    hf_slice_of(datagrams->slots[i].bytes.iov_base, datagrams->headers[i].msg_len),
                .is_cut = (header->msg_flags & MSG_TRUNC) != 0,
                .from = header->msg_namelen == 0 ? NULL : header->msg_name,
                .from_size = header->msg_namelen,
            };
            bytes += datagram.bytes.size;
            count_dropped(datagrams, header);
            options->ops->take(options->user, &datagram);
        }
        taken += count > 0 ? (size_t)count : 0;
    }
    return taken;
}

static bool submit(struct hf_datagrams *datagrams, struct hf_batch *batch)
{
    const struct hf_datagrams_options *options = &datagrams->options;
    struct hf_checkpoint checkpoint;
    bool has_place = options->ops->place != NULL && options->ops->place(options->user, &checkpoint);
    return hf_submitter_add(&datagrams->submitter, batch, &checkpoint, has_place ? 1 : 0) &&
           hf_submitter_wait(&datagrams->submitter);
}

/* Hands over what is ready, and waits until it is on disk. False: it stops, and no queue took it.
 */
static bool hand_over(struct hf_datagrams *datagrams, bool is_last)
{
    const struct hf_datagrams_options *options = &datagrams->options;
    uint64_t now_ns = hf_clock_monotonic_ns();
    bool go_on = true;
    struct hf_batch *batch = options->ops->collect(options->user, now_ns, is_last);
    while (batch != NULL) {
        uint32_t items = batch->items;
        bool taken = go_on && submit(datagrams, batch);
        if (!go_on) {
            hf_ref_drop(&batch->ref);
        }
        go_on = taken;
        if (!taken && options->ops->place == NULL) {
            hf_node_log(options->node, HF_LOG_WARN,
                        "%u items of datagrams are lost with the stop: no queue has room for them",
                        items);
        }
        batch = options->ops->collect(options->user, now_ns, is_last);
    }
    return go_on;
}

static int wait_ms(const struct hf_datagrams *datagrams)
{
    const struct hf_datagrams_options *options = &datagrams->options;
    uint64_t due_ns =
        options->ops->due_ns != NULL ? options->ops->due_ns(options->user) : UINT64_MAX;
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (due_ns == UINT64_MAX) {
        return -1;
    }
    uint64_t ms = due_ns <= now_ns ? 0 : (due_ns - now_ns) / HF_NS_PER_MS + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void *read_datagrams(void *of)
{
    struct hf_datagrams *datagrams = of;
    struct pollfd fds[] = {{.fd = datagrams->fd, .events = POLLIN},
                           {.fd = datagrams->stop_fd, .events = POLLIN}};
    bool go_on = true;
    while (go_on && (fds[1].revents & POLLIN) == 0) {
        if (poll(fds, 2, wait_ms(datagrams)) < 0 && errno != EINTR) {
            break;
        }
        (void)read_round(datagrams);
        go_on = hand_over(datagrams, false);
    }
    /* Another graph that goes on with the socket reads the rest. */
    while (go_on && !atomic_load(&datagrams->is_succeeded) && read_round(datagrams) != 0) {
        go_on = hand_over(datagrams, false);
    }
    (void)hand_over(datagrams, true);
    return NULL;
}

/* ---- the main thread's side ---- */

static struct hf_series *dropped_series(const struct hf_datagrams_options *options)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_dropped_datagrams",
        .type = HF_COUNTER,
        .help = "Datagrams for which the socket's buffer had no room.",
    };
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(options->node)},
                                      {"transport", options->transport},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(options->node), &family, labels);
}

static void tune_socket(const struct hf_datagrams *datagrams)
{
    int on = 1;
    uint64_t wanted = datagrams->options.socket_buffer_bytes;
    int bytes = wanted > INT_MAX ? INT_MAX : (int)wanted;
    (void)setsockopt(datagrams->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    if (bytes != 0 &&
        setsockopt(datagrams->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0) {
        hf_node_log(datagrams->options.node, HF_LOG_WARN,
                    "the socket of %s keeps its buffer's size: %s", datagrams->options.endpoint,
                    strerror(errno));
    }
}

enum hf_status hf_datagrams_open(const struct hf_datagrams_options *options,
                                 struct hf_datagrams **ret, char *reterr)
{
    struct hf_datagrams *datagrams = calloc(1, sizeof(*datagrams));
    char endpoint[300];
    if (datagrams == NULL) {
        return HF_NOMEM;
    }
    datagrams->options = *options;
    datagrams->fd = -1;
    datagrams->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    datagrams->room = malloc(AT_ONCE * options->packet_bytes_max);
    datagrams->dropped = dropped_series(options);
    hf_submitter_init(&datagrams->submitter, options->node);
    datagrams->submitter.transport = options->transport;
    datagrams->submitter.wait_first_ns = WAIT_FIRST_NS;
    datagrams->submitter.wait_max_ns = WAIT_MAX_NS;
    bool made = datagrams->stop_fd >= 0 && datagrams->room != NULL && datagrams->dropped != NULL;
    enum hf_status status =
        made ? hf_node_add_transport(options->node, options->transport) : HF_NOMEM;
    if (status == HF_OK) {
        snprintf(endpoint, sizeof(endpoint), options->is_unix ? "unixgram://%s" : "udp://%s",
                 options->endpoint);
        status =
            hf_node_listen_mode(options->node, endpoint, options->mode, &datagrams->fd, reterr);
    }
    if (status != HF_OK) {
        hf_datagrams_close(datagrams);
        return status;
    }
    tune_socket(datagrams);
    *ret = datagrams;
    return HF_OK;
}

enum hf_status hf_datagrams_start(struct hf_datagrams *datagrams, char *reterr)
{
    int error = hf_thread_start(&datagrams->thread, NULL, read_datagrams, datagrams);
    if (error != 0) {
        snprintf(reterr, HF_ERROR_MAX, "starting the thread of %s failed: %s",
                 datagrams->options.endpoint, strerror(error));
        return HF_IO;
    }
    datagrams->has_thread = true;
    (void)pthread_setname_np(datagrams->thread, "datagrams");
    return HF_OK;
}

void hf_datagrams_stop(struct hf_datagrams *datagrams)
{
    uint64_t one = 1;
    if (datagrams == NULL || !datagrams->has_thread) {
        return;
    }
    atomic_store(&datagrams->is_succeeded, hf_node_is_succeeded(datagrams->options.node));
    (void)!write(datagrams->stop_fd, &one, sizeof(one));
    hf_submitter_stop(&datagrams->submitter);
    pthread_join(datagrams->thread, NULL);
    datagrams->has_thread = false;
}

void hf_datagrams_close(struct hf_datagrams *datagrams)
{
    if (datagrams == NULL) {
        return;
    }
    if (datagrams->fd >= 0) {
        close(datagrams->fd);
    }
    if (datagrams->stop_fd >= 0) {
        close(datagrams->stop_fd);
    }
    hf_submitter_release(&datagrams->submitter);
    free(datagrams->room);
    free(datagrams);
}

void hf_datagrams_reply(struct hf_datagrams *datagrams, const struct hf_datagram *datagram,
                        struct hf_slice bytes)
{
    if (datagram->from != NULL) {
        (void)!sendto(datagrams->fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL,
                      datagram->from, datagram->from_size);
    }
}

struct hf_batch *hf_datagrams_collect_built(struct hf_builder *builder, struct hf_node *node,
                                            const char *what)
{
    if (hf_build_items(builder) != 0 && hf_build_finish(builder) != HF_OK) {
        hf_node_log(node, HF_LOG_ERROR, "%s are lost: out of memory", what);
    }
    return hf_build_take(builder);
}
