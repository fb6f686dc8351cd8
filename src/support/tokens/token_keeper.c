#include "token_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "util/thread.h"
#include "util/time/clock.h"

#define FAILED_WAIT_NS HF_NS_PER_S /* after a failure; doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define REFUSED_WAIT_NS (30 * HF_NS_PER_S) /* between renewals that refusals ask for */
#define FOREVER_NS (UINT64_C(100) * 365 * 24 * 3600 * HF_NS_PER_S)

struct hf_token_keeper {
    struct hf_token_keeper_options options;
    pthread_t thread;
    bool is_running;      /* the thread was started */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted; /* `is_wanted`: renew it now */
    bool has_token, was_tried;
    struct hf_token token;
    uint64_t end_ns;            /* of the token; 0: none */
    uint64_t refused_ns;        /* when a refusal last had it renewed; 0: never */
    char failure[HF_ERROR_MAX]; /* of the last fetch; "": none */
};

/* ---- the thread ---- */

static struct timespec time_of(uint64_t due_ns)
{
    return (struct timespec){.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                             .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
}

static void wait_until(struct hf_token_keeper *keeper, uint64_t due_ns)
{
    const struct timespec due = time_of(due_ns);
    while (!keeper->is_stopping && !keeper->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&keeper->changed, &keeper->lock, &due);
    }
    keeper->is_wanted = false;
}

/* After what time a token of that life is to be renewed. */
static uint64_t renewal_ns(uint64_t buffer_ns, const struct hf_token *token)
{
    if (!token->has_end) {
        return FOREVER_NS;
    }
    uint64_t after_ns =
        token->life_ns > 2 * buffer_ns ? token->life_ns - buffer_ns : token->life_ns / 2;
    return after_ns > HF_NS_PER_S ? after_ns : HF_NS_PER_S;
}

static uint64_t take_token(struct hf_token_keeper *keeper, const struct hf_token *token)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    keeper->token = *token;
    keeper->has_token = true;
    keeper->end_ns = token->has_end ? now_ns + token->life_ns : 0;
    return now_ns + renewal_ns(keeper->options.buffer_ns, token);
}

static void *run(void *user)
{
    struct hf_token_keeper *keeper = user;
    const struct hf_token_keeper_options *options = &keeper->options;
    struct hf_token *token = calloc(1, sizeof(*token));
    uint64_t failed_wait_ns = FAILED_WAIT_NS;
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->is_stopping) {
        char error[HF_ERROR_MAX] = "no memory";
        pthread_mutex_unlock(&keeper->lock);
        enum hf_status status =
            token != NULL ? options->fetch(options->user, token, error) : HF_NOMEM;
        if (status != HF_OK && status != HF_CLOSED) {
            options->on_failed(options->user, error);
        }
        pthread_mutex_lock(&keeper->lock);
        uint64_t due_ns = hf_clock_monotonic_ns() + failed_wait_ns;
        if (status == HF_OK) {
            due_ns = take_token(keeper, token);
        }
        snprintf(keeper->failure, sizeof(keeper->failure), "%s", status == HF_OK ? "" : error);
        failed_wait_ns = status == HF_OK                           ? FAILED_WAIT_NS
                         : 2 * failed_wait_ns < FAILED_WAIT_MAX_NS ? 2 * failed_wait_ns
                                                                   : FAILED_WAIT_MAX_NS;
        keeper->was_tried = true;
        pthread_cond_broadcast(&keeper->changed);
        wait_until(keeper, due_ns);
    }
    pthread_mutex_unlock(&keeper->lock);
    if (token != NULL) {
        explicit_bzero(token, sizeof(*token));
    }
    free(token);
    return NULL;
}

/* ---- what senders ask ---- */

static bool is_valid(const struct hf_token_keeper *keeper)
{
    return keeper->has_token && (keeper->end_ns == 0 || hf_clock_monotonic_ns() < keeper->end_ns);
}

enum hf_status hf_token_keeper_add(struct hf_token_keeper *keeper, const char *name,
                                   struct hf_header_sink *sink)
{
    enum hf_status status = HF_UNAUTHENTICATED;
    pthread_mutex_lock(&keeper->lock);
    if (is_valid(keeper)) {
        status = sink->add(sink, hf_slice_text(name), hf_slice_text(keeper->token.header));
    }
    pthread_mutex_unlock(&keeper->lock);
    return status == HF_INVALID ? HF_UNAUTHENTICATED : status;
}

bool hf_token_keeper_copy(struct hf_token_keeper *keeper, char ret_header[HF_TOKEN_MAX])
{
    pthread_mutex_lock(&keeper->lock);
    bool has_one = is_valid(keeper);
    if (has_one) {
        memcpy(ret_header, keeper->token.header, strlen(keeper->token.header) + 1);
    }
    pthread_mutex_unlock(&keeper->lock);
    return has_one;
}

void hf_token_keeper_explain(struct hf_token_keeper *keeper, char *ret_text, size_t room)
{
    pthread_mutex_lock(&keeper->lock);
    snprintf(ret_text, room, "%s", keeper->failure);
    pthread_mutex_unlock(&keeper->lock);
}

void hf_token_keeper_refused(struct hf_token_keeper *keeper)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    pthread_mutex_lock(&keeper->lock);
    if (keeper->has_token &&
        (keeper->refused_ns == 0 || now_ns - keeper->refused_ns >= REFUSED_WAIT_NS)) {
        keeper->refused_ns = now_ns;
        keeper->is_wanted = true;
        pthread_cond_broadcast(&keeper->changed);
    }
    pthread_mutex_unlock(&keeper->lock);
}

/* ---- life ---- */

enum hf_status hf_token_keeper_new(const struct hf_token_keeper_options *options,
                                   struct hf_token_keeper **ret_keeper)
{
    struct hf_token_keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t attributes;
    if (keeper == NULL) {
        return HF_NOMEM;
    }
    keeper->options = *options;
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *ret_keeper = keeper;
    return HF_OK;
}

void hf_token_keeper_wait(struct hf_token_keeper *keeper, uint64_t due_ns)
{
    const struct timespec due = time_of(due_ns);
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&keeper->changed, &keeper->lock, &due);
    }
    pthread_mutex_unlock(&keeper->lock);
}

enum hf_status hf_token_keeper_start(struct hf_token_keeper *keeper, char *reterr)
{
    if (hf_thread_start(&keeper->thread, NULL, run, keeper) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the tokens");
        return HF_NOMEM;
    }
    keeper->is_running = true;
    return HF_OK;
}

void hf_token_keeper_stop(struct hf_token_keeper *keeper)
{
    if (!keeper->is_running) {
        return;
    }
    pthread_mutex_lock(&keeper->lock);
    keeper->is_stopping = true;
    pthread_cond_broadcast(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    keeper->options.wake(keeper->options.user);
    pthread_join(keeper->thread, NULL);
    keeper->is_running = false;
}

void hf_token_keeper_free(struct hf_token_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    hf_token_keeper_stop(keeper);
    pthread_cond_destroy(&keeper->changed);
    pthread_mutex_destroy(&keeper->lock);
    explicit_bzero(&keeper->token, sizeof(keeper->token));
    free(keeper);
}
