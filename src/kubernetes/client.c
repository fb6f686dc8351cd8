#include "client.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define PROBE_IDLE_NS (30 * HF_NS_PER_S)

struct hf_kube_client {
    struct hf_kube_client *next;
    unsigned users;
    struct hf_kube_access access;
    struct hf_loop *loop;
    struct hf_http_client *http;
    struct hf_kube_watch *watches; /* the loop's thread */
    uint64_t dice;                 /* likewise */
};

/* The clients of the process. */
static pthread_mutex_t clients_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hf_kube_client *clients;

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same(const struct hf_kube_access *a, const struct hf_kube_access *b)
{
    const struct hf_tls_config *one = &a->tls, *other = &b->tls;
    return same_text(a->url, b->url) && same_text(a->token_file, b->token_file) &&
           same_text(a->authorization, b->authorization) && same_text(a->proxy_url, b->proxy_url) &&
           same_text(one->ca_file, other->ca_file) && same_text(one->ca_pem, other->ca_pem) &&
           same_text(one->cert_file, other->cert_file) &&
           same_text(one->cert_pem, other->cert_pem) && same_text(one->key_file, other->key_file) &&
           same_text(one->key_pem, other->key_pem) &&
           same_text(one->server_name_override, other->server_name_override) &&
           one->insecure_skip_verify == other->insecure_skip_verify;
}

static void free_client(struct hf_kube_client *client)
{
    hf_http_client_free(client->http);
    hf_loop_free(client->loop);
    hf_kube_access_release(&client->access);
    free(client);
}

/* Takes over `access`. */
static enum hf_status make(struct hf_kube_access *access, struct hf_kube_client **ret_client,
                           char *reterr)
{
    struct hf_kube_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        hf_kube_access_release(access);
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    client->users = 1;
    client->access = *access;
    client->dice = hf_clock_monotonic_ns() | 1;
    enum hf_status status = hf_loop_new(&client->loop);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "making the thread for the Kubernetes API failed");
        free_client(client);
        return status;
    }
    const struct hf_http_client_options options = {
        .loop = client->loop,
        .tls = access->has_tls ? &client->access.tls : NULL,
        .user_agent = "holdfast/" HF_VERSION,
        .proxy_url = access->proxy_url,
        .probe_idle_ns = PROBE_IDLE_NS,
        .bearer_token_file = access->token_file,
        .accept_gzip = true,
    };
    status = hf_http_client_new(&options, &client->http, reterr);
    if (status == HF_OK) {
        status = hf_loop_start_thread(client->loop, "kubernetes");
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "starting the thread for the Kubernetes API failed");
        }
    }
    if (status != HF_OK) {
        free_client(client);
        return status;
    }
    *ret_client = client;
    return HF_OK;
}

enum hf_status hf_kube_client_open(const struct hf_kube_config *config,
                                   struct hf_kube_client **ret_client, char *reterr)
{
    struct hf_kube_access access;
    enum hf_status status = hf_kube_access_find(config, &access, reterr);
    return status == HF_OK ? hf_kube_client_open_at(&access, ret_client, reterr) : status;
}

enum hf_status hf_kube_client_open_at(struct hf_kube_access *access,
                                      struct hf_kube_client **ret_client, char *reterr)
{
    enum hf_status status = HF_OK;
    pthread_mutex_lock(&clients_lock);
    struct hf_kube_client *client = clients;
    while (client != NULL && !is_same(&client->access, access)) {
        client = client->next;
    }
    if (client != NULL) {
        client->users++;
        hf_kube_access_release(access);
    } else {
        status = make(access, &client, reterr);
        if (status == HF_OK) {
            client->next = clients;
            clients = client;
        }
    }
    pthread_mutex_unlock(&clients_lock);
    if (status == HF_OK) {
        *ret_client = client;
    }
    return status;
}

void hf_kube_client_close(struct hf_kube_client *client)
{
    if (client == NULL) {
        return;
    }
    assert(!hf_loop_is_own_thread(client->loop));
    pthread_mutex_lock(&clients_lock);
    bool is_last = --client->users == 0;
    if (is_last) {
        struct hf_kube_client **place = &clients;
        while (*place != client) {
            place = &(*place)->next;
        }
        *place = client->next;
    }
    pthread_mutex_unlock(&clients_lock);
    if (is_last) {
        hf_loop_join(client->loop);
        assert(client->watches == NULL);
        free_client(client);
    }
}

struct hf_loop *hf_kube_client_loop(const struct hf_kube_client *client)
{
    return client->loop;
}

/* A call from another thread. */
struct errand {
    struct hf_task task;
    void (*function)(void *user);
    void *user;
    sem_t done;
};

static void do_errand(struct hf_task *task)
{
    struct errand *errand = HF_CONTAINER(task, struct errand, task);
    errand->function(errand->user);
    sem_post(&errand->done);
}

void hf_kube_client_run(struct hf_kube_client *client, void (*function)(void *user), void *user)
{
    if (hf_loop_is_own_thread(client->loop)) {
        function(user);
        return;
    }
    struct errand errand = {.task.run = do_errand, .function = function, .user = user};
    sem_init(&errand.done, 0, 0);
    hf_loop_post(client->loop, &errand.task);
    while (sem_wait(&errand.done) != 0 && errno == EINTR) {
    }
    sem_destroy(&errand.done);
}

const struct hf_kube_access *hf_kube_client_access(const struct hf_kube_client *client)
{
    return &client->access;
}

struct hf_http_client *hf_kube_client_http(const struct hf_kube_client *client)
{
    return client->http;
}

struct hf_kube_watch **hf_kube_client_watches(struct hf_kube_client *client)
{
    return &client->watches;
}

double hf_kube_client_draw(struct hf_kube_client *client)
{
    client->dice ^= client->dice << 13;
    client->dice ^= client->dice >> 7;
    client->dice ^= client->dice << 17;
    return (double)(client->dice >> 11) / 9007199254740992.0;
}
