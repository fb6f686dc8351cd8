/*
 * node_stub: a node for tests of one component, without a graph around it. It is included, not
 * linked. Set what the component asks for; what it logs can be looked at and waited for from
 * another thread.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "util/log/log_line.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"

struct hf_node {
    const char *id;
    unsigned signals;
    struct hf_metrics *metrics;
    struct hf_loop *loop; /* of the receivers, and of the sender */
    const char *const *metadata_keys;
    size_t metadata_key_count;
    const char *const *header_keys; /* of them, those that are sent on as headers */
    size_t header_key_count;
    bool wants_peer, wants_auth, is_not_durable;
    const struct hf_auth *auth;
    void *auth_self;
    const char *directory; /* the data directory; NULL: none */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t logged;
    char log[4096]; /* all lines, as far as they fit */
    size_t log_size;
    size_t error_count; /* lines of HF_LOG_ERROR */
};

/* The lock and the condition of a node: the rest is set as the test likes. */
static inline void node_stub_init(struct hf_node *node)
{
    pthread_mutex_init(&node->lock, NULL);
    pthread_cond_init(&node->logged, NULL);
}

/* Waits until a line with `text` was logged; false after ten seconds. */
static inline bool node_stub_wait_log(struct hf_node *node, const char *text)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&node->lock);
    bool in_time = true;
    while (strstr(node->log, text) == NULL && in_time) {
        in_time = pthread_cond_timedwait(&node->logged, &node->lock, &until) == 0;
    }
    bool found = strstr(node->log, text) != NULL;
    pthread_mutex_unlock(&node->lock);
    return found;
}

static inline void node_stub_forget_log(struct hf_node *node)
{
    pthread_mutex_lock(&node->lock);
    node->log_size = 0;
    node->log[0] = '\0';
    pthread_mutex_unlock(&node->lock);
}

const char *hf_node_id(const struct hf_node *node)
{
    return node->id;
}

const char *hf_node_counted_id(const struct hf_node *node)
{
    return node->id;
}

const char *hf_node_place_id(const struct hf_node *node)
{
    return node->id;
}

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    struct hf_node *stub = (struct hf_node *)node; /* a real one leads to a log elsewhere */
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&stub->lock);
    stub->error_count += level == HF_LOG_ERROR;
    size_t room = sizeof(stub->log) - stub->log_size;
    int size = vsnprintf(stub->log + stub->log_size, room, format, arguments);
    if (size >= 0 && (size_t)size + 1 < room) {
        stub->log_size += (size_t)size;
        stub->log[stub->log_size++] = '\n';
        stub->log[stub->log_size] = '\0';
    }
    pthread_cond_broadcast(&stub->logged);
    pthread_mutex_unlock(&stub->lock);
    va_end(arguments);
}

void hf_node_log_keys(const struct hf_node *node, enum hf_log_level level, const char *message,
                      const struct hf_log_key *keys)
{
    char fields[HF_LOG_FIELDS_MAX];
    hf_log_write_keys(keys, fields);
    hf_node_log(node, level, "%s\t{%s}", message, fields);
}

struct hf_metrics *hf_node_metrics(const struct hf_node *node)
{
    return node->metrics;
}

struct hf_loop *const *hf_node_loops(const struct hf_node *node, size_t *ret_count)
{
    *ret_count = 1;
    return &node->loop;
}

struct hf_loop *hf_node_own_loop(const struct hf_node *node)
{
    return node->loop;
}

unsigned hf_node_signals(const struct hf_node *node)
{
    return node->signals;
}

enum hf_status hf_node_auth(const struct hf_node *node, const char *id,
                            const struct hf_auth **ret_auth, void **ret_self)
{
    (void)id;
    if (node->auth == NULL) {
        return HF_NOT_FOUND;
    }
    *ret_auth = node->auth;
    *ret_self = node->auth_self;
    return HF_OK;
}

const char *const *hf_node_metadata_keys(const struct hf_node *node, size_t *ret_count)
{
    *ret_count = node->metadata_key_count;
    return node->metadata_keys;
}

bool hf_node_wants_peer(const struct hf_node *node)
{
    return node->wants_peer;
}

bool hf_node_wants_auth(const struct hf_node *node)
{
    return node->wants_auth;
}

bool hf_node_sends_header(const struct hf_node *node, const char *key)
{
    for (size_t i = 0; i < node->header_key_count; i++) {
        if (strcmp(node->header_keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t hf_node_memory(const struct hf_node *node)
{
    (void)node;
    return 0;
}

const char *hf_node_directory(const struct hf_node *node)
{
    return node->directory;
}

bool hf_node_is_durable(const struct hf_node *node)
{
    return !node->is_not_durable;
}
