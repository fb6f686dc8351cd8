#include "resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <holdfast/ref.h>

#include "util/thread.h"

#define STACK_BYTES (1024u * 1024)

struct hf_grpc_lookup {
    struct hf_task task;
    struct hf_grpc_target target;
    void (*done)(void *user, const struct hf_grpc_lookup_result *result);
    void *user;
    /* Written by the thread before it posts. */
    struct hf_grpc_address addresses[HF_GRPC_ADDRESSES_MAX];
    size_t count;
    char error[384];

    pthread_mutex_t lock; /* of what follows */
    struct hf_loop *loop; /* NULL: cancelled */
};

void hf_grpc_address_describe(const struct hf_grpc_address *address, char *ret_text, size_t room)
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_storage *storage = &address->storage;
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(ret_text, room, "%s:%u", host, ntohs(v4->sin_port));
    } else if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        snprintf(ret_text, room, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        snprintf(ret_text, room, "%s", ((const struct sockaddr_un *)storage)->sun_path);
    }
}

bool hf_grpc_address_equal(const struct hf_grpc_address *a, const struct hf_grpc_address *b)
{
    return a->size == b->size && memcmp(&a->storage, &b->storage, a->size) == 0;
}

bool hf_grpc_resolve_literal(const struct hf_grpc_target *target,
                             struct hf_grpc_address *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    if (target->is_unix) {
        struct sockaddr_un *path = (struct sockaddr_un *)&ret_address->storage;
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, target->host, strnlen(target->host, sizeof(path->sun_path) - 1));
        ret_address->size = sizeof(*path);
        return true;
    }
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    if (getaddrinfo(target->host, target->port, &hints, &list) != 0) {
        return false;
    }
    memcpy(&ret_address->storage, list->ai_addr, list->ai_addrlen);
    ret_address->size = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

static void free_lookup(struct hf_grpc_lookup *lookup)
{
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

static void look_up(struct hf_grpc_lookup *lookup)
{
    struct addrinfo *list = NULL;
    /* Both families: AI_ADDRCONFIG would hide 127.0.0.1 where the network has only IPv6. What
     * cannot be reached fails at once, and the next is tried. */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int failed = getaddrinfo(lookup->target.host, lookup->target.port, &hints, &list);
    for (const struct addrinfo *item = list; item != NULL && lookup->count < HF_GRPC_ADDRESSES_MAX;
         item = item->ai_next) {
        struct hf_grpc_address *address = &lookup->addresses[lookup->count++];
        memcpy(&address->storage, item->ai_addr, item->ai_addrlen);
        address->size = item->ai_addrlen;
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    if (lookup->count == 0) {
        snprintf(lookup->error, sizeof(lookup->error), "cannot resolve %s: %s", lookup->target.host,
                 failed != 0 ? gai_strerror(failed) : "no addresses");
    }
}

static void *lookup_main(void *argument)
{
    struct hf_grpc_lookup *lookup = argument;
    look_up(lookup);
    pthread_mutex_lock(&lookup->lock);
    bool wanted = lookup->loop != NULL;
    if (wanted) {
        /* With the lock held, so that a cancel cannot let the loop go in between. */
        hf_loop_post(lookup->loop, &lookup->task);
    }
    pthread_mutex_unlock(&lookup->lock);
    if (!wanted) {
        free_lookup(lookup);
    }
    return NULL;
}

static void deliver(struct hf_task *task)
{
    struct hf_grpc_lookup *lookup = HF_CONTAINER(task, struct hf_grpc_lookup, task);
    pthread_mutex_lock(&lookup->lock);
    bool wanted = lookup->loop != NULL;
    pthread_mutex_unlock(&lookup->lock);
    if (wanted) {
        const struct hf_grpc_lookup_result result = {
            .addresses = lookup->addresses,
            .count = lookup->count,
            .error = lookup->count == 0 ? lookup->error : NULL,
        };
        lookup->done(lookup->user, &result);
    }
    free_lookup(lookup);
}

void hf_grpc_resolve_cancel(struct hf_grpc_lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    lookup->loop = NULL; /* the next of the two, the thread or the posted task, frees it */
    pthread_mutex_unlock(&lookup->lock);
}

static bool start_thread(struct hf_grpc_lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_t thread;
    bool started = hf_thread_start(&thread, &attributes, lookup_main, lookup) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

enum hf_status hf_grpc_resolve_start(struct hf_loop *loop, const struct hf_grpc_target *target,
                                     void (*done)(void *user,
                                                  const struct hf_grpc_lookup_result *result),
                                     void *user, struct hf_grpc_lookup **ret_lookup)
{
    struct hf_grpc_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return HF_NOMEM;
    }
    lookup->task.run = deliver;
    lookup->target = *target;
    lookup->done = done;
    lookup->user = user;
    lookup->loop = loop;
    pthread_mutex_init(&lookup->lock, NULL);
    if (!start_thread(lookup)) {
        free_lookup(lookup);
        return HF_NOMEM;
    }
    *ret_lookup = lookup;
    return HF_OK;
}
