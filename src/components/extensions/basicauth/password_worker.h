/*
 * password_worker: checks passwords whose hashes are expensive, on a thread of its own.
 *
 * What waits is bounded, in all and per peer, and so is the time that a peer's wrong passwords may
 * cost: a quarter of the thread, after a second at once. Among those who may, the peer that has
 * cost least comes first, so that one who sends many never stands before the others. The same
 * credentials of the same peer are checked once for all requests that wait for them; requests whose
 * clients have gone are dropped unchecked. What has waited too long is told to try again.
 *
 * A meeting place; any thread, but for start, stop and free, which are the main thread's.
 */
#pragma once

#include <holdfast/auth.h>

struct password_worker;

struct password_worker_options {
    /* The worker's thread: HF_OK or HF_UNAUTHENTICATED. */
    enum hf_status (*verify)(void *user, const char *name, const char *password);
    /* Likewise, after HF_OK: what is known of the client. */
    void (*describe)(void *user, const char *name, const char *password,
                     struct hf_meta_writer *meta);
    void (*ended)(void *user); /* the thread uses nothing of `user` any more; may be NULL */
    void *user;
};

/* HF_NOMEM, or HF_IO (errno) without a thread. */
HF_MUST_USE enum hf_status password_worker_start(const struct password_worker_options *options,
                                                 struct password_worker **ret_worker);
/* Ends in wait->done(). Copies the texts. */
void password_worker_ask(struct password_worker *worker, const char *peer, const char *name,
                         const char *password, struct hf_auth_wait *wait);
/* What waits, and what comes later, is answered HF_CLOSED; the thread ends after the hash that it
 * is at, and is not waited for. */
void password_worker_stop(struct password_worker *worker);
/* Waits for the thread. NULL is nothing. */
void password_worker_free(struct password_worker *worker);
