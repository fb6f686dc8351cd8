#include "session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/thread.h"
#include "util/time/clock.h"

#define ERROR_MAX 512u
#define START_WAIT_NS (3 * HF_NS_PER_S) /* for the first credentials, in start */
#define FAILED_WAIT_NS HF_NS_PER_S      /* after a failure; doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define REFUSED_WAIT_NS (30 * HF_NS_PER_S)
#define RENEW_NS (3600 * HF_NS_PER_S) /* of those without an end: a file may change */
#define BEFORE_END_S 300u

struct hf_aws_session {
    struct hf_aws_session_options options;
    struct hf_http_fetcher *fetcher;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted, was_tried, has_credentials;
    struct hf_aws_credentials credentials;
    uint64_t refused_ns;
};

/* ---- the thread ---- */

/* How long these credentials are used: until five minutes before their end, or half of a life that
 * is no longer than ten. */
static uint64_t use_ns(const struct hf_aws_credentials *credentials)
{
    uint64_t now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    if (credentials->expires_s == 0) {
        return RENEW_NS;
    }
    uint64_t life_s = credentials->expires_s > now_s ? credentials->expires_s - now_s : 0;
    uint64_t use_s = life_s > 2 * BEFORE_END_S ? life_s - BEFORE_END_S : life_s / 2;
    uint64_t use = (use_s != 0 ? use_s : 1) * HF_NS_PER_S;
    return use < RENEW_NS ? use : RENEW_NS;
}

static void wait_until(struct hf_aws_session *session, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    while (!session->is_stopping && !session->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&session->changed, &session->lock, &due);
    }
    session->is_wanted = false;
}

static void *run(void *user)
{
    struct hf_aws_session *session = user;
    struct hf_aws_credentials found;
    uint64_t failed_wait_ns = FAILED_WAIT_NS;
    pthread_mutex_lock(&session->lock);
    while (!session->is_stopping) {
        char error[ERROR_MAX];
        pthread_mutex_unlock(&session->lock);
        enum hf_status status =
            hf_aws_credentials_find(session->fetcher, session->options.role, &found, error);
        if (status != HF_OK && status != HF_CLOSED && session->options.on_failed != NULL) {
            session->options.on_failed(session->options.user, error);
        }
        pthread_mutex_lock(&session->lock);
        uint64_t wait_ns = failed_wait_ns;
        failed_wait_ns =
            2 * failed_wait_ns < FAILED_WAIT_MAX_NS ? 2 * failed_wait_ns : FAILED_WAIT_MAX_NS;
        if (status == HF_OK) {
            session->credentials = found;
            session->has_credentials = true;
            wait_ns = use_ns(&found);
            failed_wait_ns = FAILED_WAIT_NS;
        }
        session->was_tried = true;
        pthread_cond_broadcast(&session->changed);
        wait_until(session, hf_clock_monotonic_ns() + wait_ns);
    }
    pthread_mutex_unlock(&session->lock);
    explicit_bzero(&found, sizeof(found));
    return NULL;
}

/* ---- signing ---- */

static bool copy_credentials(struct hf_aws_session *session, struct hf_aws_credentials *ret)
{
    pthread_mutex_lock(&session->lock);
    const struct hf_aws_credentials *kept = &session->credentials;
    bool is_valid = session->has_credentials &&
                    (kept->expires_s == 0 || kept->expires_s > hf_clock_unix_ns() / HF_NS_PER_S);
    if (is_valid) {
        *ret = *kept;
    }
    pthread_mutex_unlock(&session->lock);
    return is_valid;
}

enum hf_status hf_aws_session_sign(struct hf_aws_session *session,
                                   const struct hf_sigv4_request *request,
                                   struct hf_aws_signature *ret)
{
    struct hf_aws_credentials credentials;
    struct hf_sigv4_request dated = *request;
    if (!copy_credentials(session, &credentials)) {
        return HF_UNAUTHENTICATED;
    }
    dated.time_s = hf_clock_unix_ns() / HF_NS_PER_S;
    enum hf_status status = hf_sigv4_sign(&credentials, &dated, &ret->made);
    snprintf(ret->token, sizeof(ret->token), "%s", credentials.session_token);
    explicit_bzero(&credentials, sizeof(credentials));
    return status == HF_OK ? HF_OK : HF_UNAUTHENTICATED; /* no fault of the data */
}

enum hf_status hf_aws_session_presign(struct hf_aws_session *session,
                                      const struct hf_sigv4_request *request, uint32_t life_s,
                                      struct hf_bytes *out, uint64_t *ret_expires_s)
{
    struct hf_aws_credentials credentials;
    struct hf_sigv4_request dated = *request;
    if (!copy_credentials(session, &credentials)) {
        return HF_UNAUTHENTICATED;
    }
    dated.time_s = hf_clock_unix_ns() / HF_NS_PER_S;
    enum hf_status status = hf_sigv4_presign(&credentials, &dated, life_s, out);
    uint64_t expires_s = dated.time_s + life_s;
    *ret_expires_s = credentials.expires_s != 0 && credentials.expires_s < expires_s
                         ? credentials.expires_s
                         : expires_s;
    explicit_bzero(&credentials, sizeof(credentials));
    return status == HF_OK ? HF_OK : HF_UNAUTHENTICATED;
}

void hf_aws_session_refused(struct hf_aws_session *session)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    pthread_mutex_lock(&session->lock);
    if (session->refused_ns == 0 || now_ns - session->refused_ns >= REFUSED_WAIT_NS) {
        session->refused_ns = now_ns;
        session->is_wanted = true;
        pthread_cond_broadcast(&session->changed);
    }
    pthread_mutex_unlock(&session->lock);
}

/* ---- life ---- */

enum hf_status hf_aws_session_new(const struct hf_aws_session_options *options,
                                  struct hf_aws_session **ret_session, char *reterr)
{
    struct hf_aws_session *session = calloc(1, sizeof(*session));
    pthread_condattr_t attributes;
    if (session == NULL) {
        snprintf(reterr, ERROR_MAX, "no memory for the credentials");
        return HF_NOMEM;
    }
    session->options = *options;
    pthread_mutex_init(&session->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&session->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    const struct hf_http_client_options client = {.response_bytes_max = (size_t)1 << 20};
    enum hf_status status = hf_http_fetcher_new(&client, &session->fetcher, reterr);
    if (status != HF_OK) {
        hf_aws_session_free(session);
        return status;
    }
    *ret_session = session;
    return HF_OK;
}

enum hf_status hf_aws_session_start(struct hf_aws_session *session, char *reterr)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + START_WAIT_NS;
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    if (hf_thread_start(&session->thread, NULL, run, session) != 0) {
        snprintf(reterr, ERROR_MAX, "no thread for the credentials");
        return HF_NOMEM;
    }
    session->is_running = true;
    pthread_mutex_lock(&session->lock);
    while (!session->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&session->changed, &session->lock, &due);
    }
    pthread_mutex_unlock(&session->lock);
    return HF_OK;
}

void hf_aws_session_stop(struct hf_aws_session *session)
{
    if (!session->is_running) {
        return;
    }
    pthread_mutex_lock(&session->lock);
    session->is_stopping = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->lock);
    hf_http_fetcher_stop(session->fetcher);
    pthread_join(session->thread, NULL);
    session->is_running = false;
}

void hf_aws_session_free(struct hf_aws_session *session)
{
    if (session == NULL) {
        return;
    }
    hf_aws_session_stop(session);
    hf_http_fetcher_free(session->fetcher);
    pthread_cond_destroy(&session->changed);
    pthread_mutex_destroy(&session->lock);
    explicit_bzero(&session->credentials, sizeof(session->credentials));
    free(session);
}
