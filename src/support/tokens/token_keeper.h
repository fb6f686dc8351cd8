/*
 * token_keeper: a token that goes with requests, fetched and renewed by a thread of its own.
 *
 * Senders only read it. Until the first one is there, and after one ended that could not be
 * renewed, there is none. A backend that refuses the token has it renewed once, and not again
 * within half a minute. A meeting place: any thread, but for start, stop and free, which are the
 * owner's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/status.h>

#define HF_TOKEN_MAX 16384u

struct hf_token {
    char header[HF_TOKEN_MAX]; /* "Bearer TOKEN" */
    bool has_end;
    uint64_t life_ns; /* from its receipt */
};

struct hf_token_keeper;

struct hf_token_keeper_options {
    /* The keeper's thread; may block. HF_CLOSED: `wake` was called. Others with a sentence in
     * `reterr` (HF_ERROR_MAX), in which no secret stands. */
    enum hf_status (*fetch)(void *user, struct hf_token *ret_token, char *reterr);
    void (*wake)(void *user); /* any thread: ends a fetch that is under way, and later ones */
    void (*on_failed)(void *user, const char *why); /* the keeper's thread */
    /* How long before its end a token is renewed; one that lives less than twice as long: at the
     * half of its life. */
    uint64_t buffer_ns;
    void *user;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_token_keeper_new(const struct hf_token_keeper_options *options,
                                               struct hf_token_keeper **ret_keeper);

/* HF_NOMEM with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_token_keeper_start(struct hf_token_keeper *keeper, char *reterr);

/* How long a component waits for the first token when it starts, so that what is in its queue need
 * not be tried without. */
#define HF_TOKEN_START_WAIT_NS UINT64_C(3000000000)

/* Waits until the first token is there or could not be had, but not beyond `due_ns` (monotonic). */
void hf_token_keeper_wait(struct hf_token_keeper *keeper, uint64_t due_ns);

/* Ends the thread. The last token stays, for what is still in flight. Idempotent. */
void hf_token_keeper_stop(struct hf_token_keeper *keeper);

/* NULL: nothing. */
void hf_token_keeper_free(struct hf_token_keeper *keeper);

/* Adds the header of that name. HF_UNAUTHENTICATED: there is no token now. */
HF_MUST_USE enum hf_status hf_token_keeper_add(struct hf_token_keeper *keeper, const char *name,
                                               struct hf_header_sink *sink);

/* The header's value; false: there is none now. */
HF_MUST_USE bool hf_token_keeper_copy(struct hf_token_keeper *keeper,
                                      char ret_header[HF_TOKEN_MAX]);

/* Why the last fetch failed, cut to `room` bytes; "": it did not, or there was none yet. */
void hf_token_keeper_explain(struct hf_token_keeper *keeper, char *ret_text, size_t room);

/* A backend did not accept the token. Does not block. */
void hf_token_keeper_refused(struct hf_token_keeper *keeper);
