#include "oauth2.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/clock.h"
#include "util/thread.h"

#define FAILED_WAIT_NS HF_NS_PER_S /* after a failure; doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define REFUSED_WAIT_NS (30 * HF_NS_PER_S) /* between renewals that refusals ask for */

struct hf_oauth2 {
    const struct hf_node *node;
    const struct hf_oauth2_config *config;
    const char *what;
    struct hf_http_fetcher *fetcher;
    pthread_t thread;
    bool is_running;      /* the thread was started */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted; /* `is_wanted`: renew it now */
    bool has_token, was_tried;
    struct hf_oauth2_token token;
    uint64_t end_ns;     /* of the token; 0: none */
    uint64_t refused_ns; /* when a refusal last had it renewed; 0: never */
};

/* ---- the thread ---- */

static void wait_until(struct hf_oauth2 *oauth2, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    while (!oauth2->is_stopping && !oauth2->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oauth2->changed, &oauth2->lock, &due);
    }
    oauth2->is_wanted = false;
}

/* When a token of that life is to be renewed: `expiry_buffer` before its end, or at the half of a
 * life that is no longer than that. */
static uint64_t renewal_ns(const struct hf_oauth2_config *config,
                           const struct hf_oauth2_token *token, uint64_t now_ns)
{
    if (!token->has_end) {
        return UINT64_MAX;
    }
    uint64_t buffer_ns = config->expiry_buffer_ns;
    uint64_t after_ns =
        token->life_ns > 2 * buffer_ns ? token->life_ns - buffer_ns : token->life_ns / 2;
    return now_ns + (after_ns > HF_NS_PER_S ? after_ns : HF_NS_PER_S);
}

#define FOREVER_NS (UINT64_C(100) * 365 * 24 * 3600 * HF_NS_PER_S)

static uint64_t take_token(struct hf_oauth2 *oauth2, const struct hf_oauth2_token *token)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t due_ns = renewal_ns(oauth2->config, token, now_ns);
    oauth2->token = *token;
    oauth2->has_token = true;
    oauth2->end_ns = token->has_end ? now_ns + token->life_ns : 0;
    return due_ns != UINT64_MAX ? due_ns : now_ns + FOREVER_NS;
}

static void *run(void *user)
{
    struct hf_oauth2 *oauth2 = user;
    struct hf_oauth2_token *token = calloc(1, sizeof(*token));
    enum hf_oauth2_style style = HF_OAUTH2_UNKNOWN;
    uint64_t failed_wait_ns = FAILED_WAIT_NS;
    pthread_mutex_lock(&oauth2->lock);
    while (!oauth2->is_stopping) {
        char error[HF_ERROR_MAX] = "no memory";
        pthread_mutex_unlock(&oauth2->lock);
        enum hf_status status =
            token != NULL
                ? hf_oauth2_request_token(oauth2->fetcher, oauth2->config, &style, token, error)
                : HF_NOMEM;
        if (status != HF_OK && status != HF_CLOSED) {
            hf_node_log(oauth2->node, HF_LOG_WARN, "%sno token: %s", oauth2->what, error);
        }
        pthread_mutex_lock(&oauth2->lock);
        uint64_t due_ns = hf_clock_monotonic_ns() + failed_wait_ns;
        if (status == HF_OK) {
            due_ns = take_token(oauth2, token);
        }
        failed_wait_ns = status == HF_OK                           ? FAILED_WAIT_NS
                         : 2 * failed_wait_ns < FAILED_WAIT_MAX_NS ? 2 * failed_wait_ns
                                                                   : FAILED_WAIT_MAX_NS;
        oauth2->was_tried = true;
        pthread_cond_broadcast(&oauth2->changed);
        wait_until(oauth2, due_ns);
    }
    pthread_mutex_unlock(&oauth2->lock);
    if (token != NULL) {
        explicit_bzero(token, sizeof(*token));
    }
    free(token);
    return NULL;
}

/* ---- what senders ask ---- */

/* Under the lock. */
static bool is_valid(const struct hf_oauth2 *oauth2)
{
    return oauth2->has_token && (oauth2->end_ns == 0 || hf_clock_monotonic_ns() < oauth2->end_ns);
}

enum hf_status hf_oauth2_add(struct hf_oauth2 *oauth2, struct hf_header_sink *sink)
{
    enum hf_status status = HF_UNAUTHENTICATED;
    pthread_mutex_lock(&oauth2->lock);
    if (is_valid(oauth2)) {
        status =
            sink->add(sink, hf_slice_text("authorization"), hf_slice_text(oauth2->token.header));
    }
    pthread_mutex_unlock(&oauth2->lock);
    return status == HF_INVALID ? HF_UNAUTHENTICATED : status;
}

bool hf_oauth2_copy(struct hf_oauth2 *oauth2, char *ret_header, size_t room)
{
    pthread_mutex_lock(&oauth2->lock);
    bool is_copied = is_valid(oauth2) && strlen(oauth2->token.header) < room;
    if (is_copied) {
        memcpy(ret_header, oauth2->token.header, strlen(oauth2->token.header) + 1);
    }
    pthread_mutex_unlock(&oauth2->lock);
    return is_copied;
}

void hf_oauth2_refused(struct hf_oauth2 *oauth2)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    pthread_mutex_lock(&oauth2->lock);
    if (oauth2->has_token &&
        (oauth2->refused_ns == 0 || now_ns - oauth2->refused_ns >= REFUSED_WAIT_NS)) {
        oauth2->refused_ns = now_ns;
        oauth2->is_wanted = true;
        pthread_cond_broadcast(&oauth2->changed);
    }
    pthread_mutex_unlock(&oauth2->lock);
}

/* ---- life ---- */

void hf_oauth2_wait(struct hf_oauth2 *oauth2, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    pthread_mutex_lock(&oauth2->lock);
    while (!oauth2->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oauth2->changed, &oauth2->lock, &due);
    }
    pthread_mutex_unlock(&oauth2->lock);
}

enum hf_status hf_oauth2_start(struct hf_oauth2 *oauth2, char *reterr)
{
    if (hf_thread_start(&oauth2->thread, NULL, run, oauth2) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the tokens");
        return HF_NOMEM;
    }
    oauth2->is_running = true;
    return HF_OK;
}

void hf_oauth2_stop(struct hf_oauth2 *oauth2)
{
    if (!oauth2->is_running) {
        return;
    }
    pthread_mutex_lock(&oauth2->lock);
    oauth2->is_stopping = true;
    pthread_cond_broadcast(&oauth2->changed);
    pthread_mutex_unlock(&oauth2->lock);
    hf_http_fetcher_stop(oauth2->fetcher);
    pthread_join(oauth2->thread, NULL);
    oauth2->is_running = false;
}

void hf_oauth2_free(struct hf_oauth2 *oauth2)
{
    if (oauth2 == NULL) {
        return;
    }
    hf_oauth2_stop(oauth2);
    hf_http_fetcher_free(oauth2->fetcher);
    pthread_cond_destroy(&oauth2->changed);
    pthread_mutex_destroy(&oauth2->lock);
    explicit_bzero(&oauth2->token, sizeof(oauth2->token));
    free(oauth2);
}

enum hf_status hf_oauth2_new(const struct hf_oauth2_options *options, struct hf_oauth2 **ret_oauth2,
                             char *reterr)
{
    struct hf_oauth2 *oauth2 = calloc(1, sizeof(*oauth2));
    pthread_condattr_t attributes;
    if (oauth2 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for tokens");
        return HF_NOMEM;
    }
    oauth2->node = options->node;
    oauth2->config = options->config;
    oauth2->what = options->what;
    pthread_mutex_init(&oauth2->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&oauth2->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    const struct hf_http_client_options client = {.tls = &oauth2->config->tls,
                                                  .proxy_url = oauth2->config->proxy_url};
    enum hf_status status = hf_http_fetcher_new(&client, &oauth2->fetcher, reterr);
    if (status != HF_OK) {
        hf_oauth2_free(oauth2);
        return status;
    }
    *ret_oauth2 = oauth2;
    return HF_OK;
}
