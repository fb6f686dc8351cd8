/*
 * intake: what tests of receivers share: a node whose submissions wait for the test to answer them,
 * and sockets on loopback. It is included, not linked.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"

#include <holdfast/overview.h>

static int listening_fd = -1, datagram_fd = -1; /* the latest of each */
#define SUBMITTED_MAX 16u

/* What was submitted and not answered yet, a ring: a receiver may submit several at once. */
static struct submitted {
    struct hf_batch *batch;
    struct hf_reply *reply;
} submitted[SUBMITTED_MAX];
static size_t submitted_count, answered_count; /* ever */
static pthread_mutex_t submitted_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t has_submitted;

/* ---- what the graph lends ---- */

enum hf_status hf_node_listen_mode(struct hf_node *node, const char *endpoint, const char *mode,
                                   int *ret_fd, char *reterr)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_udp = strncmp(endpoint, "udp:", 4) == 0;
    (void)node, (void)mode, (void)reterr;
    int type = (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(is_udp || listen(fd, 16) == 0);
    int *kept = is_udp ? &datagram_fd : &listening_fd;
    if (*kept >= 0) {
        close(*kept);
    }
    *kept = dup(fd);
    *ret_fd = fd;
    return HF_OK;
}

enum hf_status hf_node_listen(struct hf_node *node, const char *endpoint, int *ret_fd, char *reterr)
{
    return hf_node_listen_mode(node, endpoint, NULL, ret_fd, reterr);
}

enum hf_status hf_node_add_transport(struct hf_node *node, const char *name)
{
    (void)node, (void)name;
    return HF_OK;
}

void hf_submit(struct hf_node *node, struct hf_batch *batch, const char *transport,
               struct hf_reply *reply)
{
    (void)node, (void)transport;
    hf_ref_take(&batch->ref);
    pthread_mutex_lock(&submitted_lock);
    assert_true(submitted_count - answered_count < SUBMITTED_MAX);
    submitted[submitted_count++ % SUBMITTED_MAX] = (struct submitted){batch, reply};
    pthread_mutex_unlock(&submitted_lock);
    sem_post(&has_submitted);
}

void hf_submit_with(struct hf_node *node, struct hf_batch *batch,
                    const struct hf_submit_options *options, struct hf_reply *reply)
{
    hf_submit(node, batch, options->transport, reply);
}

bool hf_node_is_succeeded(const struct hf_node *node)
{
    (void)node;
    return false;
}

void hf_node_hold(struct hf_node *node)
{
    (void)node;
}

void hf_node_release(struct hf_node *node)
{
    (void)node;
}

/* ---- the test's side ---- */

static inline struct submitted next_submitted(bool is_answered)
{
    pthread_mutex_lock(&submitted_lock);
    struct submitted next = submitted[answered_count % SUBMITTED_MAX];
    answered_count += is_answered;
    pthread_mutex_unlock(&submitted_lock);
    return next;
}

/* The next batch that the receiver submits; it waits for answer(). */
static inline struct hf_batch *await_batch(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(&has_submitted, &until), 0);
    return next_submitted(false).batch;
}

static inline void answer(enum hf_status status)
{
    struct submitted next = next_submitted(true);
    next.reply->done(next.reply, status);
    hf_ref_drop(&next.batch->ref);
}

static inline struct sockaddr_in address_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return address;
}

static inline int connect_to_it(void)
{
    struct sockaddr_in address = address_of(listening_fd);
    const struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline bool has_bytes(const struct hf_batch *batch, const char *part)
{
    return memmem(batch->raw.data, batch->raw.size, part, strlen(part)) != NULL;
}

struct intake {
    struct hf_node node;
    struct made_config made;
    const struct hf_component *component;
    void *self;
};

static inline void open_intake(struct intake *intake, const struct hf_component *component,
                               const char *const pairs[][2])
{
    char error[HF_ERROR_MAX] = "";
    *intake = (struct intake){.component = component,
                              .node = {.id = component->type, .signals = component->signals}};
    node_stub_init(&intake->node);
    sem_init(&has_submitted, 0, 0);
    assert_int_equal(hf_metrics_new(&intake->node.metrics), HF_OK);
    assert_int_equal(hf_loop_new(&intake->node.loop), HF_OK);
    assert_int_equal(hf_loop_start_thread(intake->node.loop, "loop"), HF_OK);
    made_config(&intake->made, component, pairs);
    const char *wrong = component->check != NULL ? component->check(intake->made.config) : NULL;
    if (wrong != NULL ||
        component->open(&intake->node, intake->made.config, &intake->self, error) != HF_OK ||
        component->start(intake->self, error) != HF_OK) {
        fail_msg("%s", wrong != NULL ? wrong : error);
    }
}

static inline void close_intake(struct intake *intake)
{
    intake->component->stop(intake->self);
    hf_loop_join(intake->node.loop);
    intake->component->close(intake->self);
    hf_loop_free(intake->node.loop);
    hf_metrics_free(intake->node.metrics);
    made_config_release(&intake->made);
    sem_destroy(&has_submitted);
}
