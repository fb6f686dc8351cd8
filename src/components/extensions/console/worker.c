#include "worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "util/thread.h"

struct hf_console_worker {
    struct hf_console_worker_options options;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct hf_console_request *first, **last;
    size_t waiting;
    bool stopping;
};

/* NULL: it is to end. */
static struct hf_console_request *next_request(struct hf_console_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->first == NULL && !worker->stopping) {
        pthread_cond_wait(&worker->changed, &worker->lock);
    }
    struct hf_console_request *request = worker->first;
    if (request != NULL) {
        worker->first = request->next;
        worker->last = worker->first != NULL ? worker->last : &worker->first;
        worker->waiting--;
    }
    pthread_mutex_unlock(&worker->lock);
    return request;
}

static bool is_stopping(struct hf_console_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stopping = worker->stopping;
    pthread_mutex_unlock(&worker->lock);
    return stopping;
}

static void *worker_main(void *user)
{
    struct hf_console_worker *worker = user;
    struct hf_node *node = worker->options.node;
    struct hf_console_request *request;
    while ((request = next_request(worker)) != NULL) {
        if (is_stopping(worker)) {
            worker->options.refuse(worker->options.user, request);
        } else {
            worker->options.run(worker->options.user, request);
        }
    }
    hf_node_release(node);
    return NULL;
}

enum hf_status hf_console_worker_new(const struct hf_console_worker_options *options,
                                     struct hf_console_worker **ret_worker)
{
    struct hf_console_worker *worker = calloc(1, sizeof(*worker));
    pthread_t thread;
    if (worker == NULL) {
        return HF_NOMEM;
    }
    worker->options = *options;
    worker->last = &worker->first;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    hf_node_hold(options->node);
    int failed = hf_thread_start(&thread, NULL, worker_main, worker);
    if (failed != 0) {
        hf_node_release(options->node);
        hf_console_worker_free(worker);
        return HF_IO;
    }
    pthread_setname_np(thread, "hf-console");
    pthread_detach(thread);
    *ret_worker = worker;
    return HF_OK;
}

bool hf_console_worker_add(struct hf_console_worker *worker, struct hf_console_request *request)
{
    pthread_mutex_lock(&worker->lock);
    bool taken = worker->waiting < HF_CONSOLE_WAITING_MAX && !worker->stopping;
    if (taken) {
        request->next = NULL;
        *worker->last = request;
        worker->last = &request->next;
        worker->waiting++;
        pthread_cond_signal(&worker->changed);
    }
    pthread_mutex_unlock(&worker->lock);
    return taken;
}

void hf_console_worker_stop(struct hf_console_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void hf_console_worker_free(struct hf_console_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
