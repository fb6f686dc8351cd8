/*
 * bearer: tokens of SASL OAUTHBEARER. The library asks for one when a client is made and again
 * before the time of the last one is over, on a background thread of the client, so that nothing
 * needs to poll for it.
 *
 * A token is asked for again after 12 seconds at most, however long it lives: its source may have a
 * new one by then, because the brokers refused the old one, for example. After a failure it
 * is asked for again in 10 seconds; the last token stays meanwhile.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "library.h"

#define HF_KAFKA_TOKEN_MAX 49152u

struct hf_kafka_token {
    char text[HF_KAFKA_TOKEN_MAX];
    uint64_t end_s; /* Unix time; 0: not known */
};

/* Where tokens come from. It outlives the clients that use it. */
struct hf_kafka_token_source {
    /* The library's threads, several at a time; must not block. HF_UNAUTHENTICATED and others with
     * a sentence in `reterr` (HF_ERROR_MAX), in which no secret stands. */
    enum hf_status (*get)(void *user, struct hf_kafka_token *ret_token, char *reterr);
    /* How it went: NULL is good, otherwise why the client has no new token. The same threads. */
    void (*tell)(void *user, const char *why);
    /* The brokers refused the token. Any thread; must not block. */
    void (*refused)(void *user);
    void *user;
};

/* A client's part; the opaque of a client's properties begins with it. */
struct hf_kafka_bearer {
    const struct hf_kafka_library *library;
    const struct hf_kafka_token_source *source; /* NULL: the client signs in otherwise */
    atomic_bool has_token;                      /* the last one that was asked for came */
};

/* The properties of a client whose tokens come from a source. */
void hf_kafka_bearer_prepare(const struct hf_kafka_library *library, rd_kafka_conf_t *conf);

/* The client may ask for tokens from now on. False: it cannot; `reterr` (HF_ERROR_MAX) says why. */
HF_MUST_USE bool hf_kafka_bearer_begin(struct hf_kafka_bearer *bearer, rd_kafka_t *handle,
                                       char *reterr);

/* An error of the client as a whole: a token that was refused is renewed. Any thread. */
void hf_kafka_bearer_note(const struct hf_kafka_bearer *bearer, rd_kafka_resp_err_t error);
