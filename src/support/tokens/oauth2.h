/*
 * oauth2: a token of an OAuth 2.0 server, fetched before it is needed and renewed before it ends.
 *
 * A token_keeper with one server of tokens. A meeting place; new, start, stop and free run on one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/node.h>

#include "oauth2_request.h"

struct hf_oauth2;

struct hf_oauth2_options {
    const struct hf_oauth2_config *config; /* borrowed */
    const struct hf_node *node;            /* for the log */
    const char *what;                      /* before its lines, borrowed: "job \"a\": " */
};

/* On failure `reterr` (HF_ERROR_MAX) holds a sentence. */
HF_MUST_USE enum hf_status hf_oauth2_new(const struct hf_oauth2_options *options,
                                         struct hf_oauth2 **ret_oauth2, char *reterr);
HF_MUST_USE enum hf_status hf_oauth2_start(struct hf_oauth2 *oauth2, char *reterr);
/* Waits until the first token is there or could not be had, but not beyond `due_ns` (monotonic). */
void hf_oauth2_wait(struct hf_oauth2 *oauth2, uint64_t due_ns);
/* The last token stays, for what is still in flight. Idempotent. */
void hf_oauth2_stop(struct hf_oauth2 *oauth2);
/* Stops it. NULL is nothing. */
void hf_oauth2_free(struct hf_oauth2 *oauth2);

/* The value of the header authorization, while it is valid. Any thread. */
HF_MUST_USE bool hf_oauth2_copy(struct hf_oauth2 *oauth2, char ret_header[HF_TOKEN_MAX]);
/* Gives it to the sink. HF_UNAUTHENTICATED: there is no valid one. Any thread. */
HF_MUST_USE enum hf_status hf_oauth2_add(struct hf_oauth2 *oauth2, struct hf_header_sink *sink);
/* Why there is none, as hf_token_keeper_explain(). Any thread. */
void hf_oauth2_explain(struct hf_oauth2 *oauth2, char *ret_text, size_t room);
/* A server has refused the token. Any thread. */
void hf_oauth2_refused(struct hf_oauth2 *oauth2);
