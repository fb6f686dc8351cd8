/*
 * google_session: a token of Google Cloud that is kept valid by a thread of its own, by the
 * application default credentials (google_credentials.h), and what goes with it: the project.
 *
 * The credentials are read again for each token. A meeting place: any thread, but for start, stop
 * and free, which are the owner's.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/auth.h>
#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

#include "token_keeper.h"

struct hf_google_session;

#define HF_GOOGLE_NAME_MAX 256u

struct hf_google_session_options {
    const struct hf_node *node;   /* for the log */
    struct hf_string_list scopes; /* borrowed until free; of an access token */
    const char *audience;         /* an ID token for it; NULL or "": an access token */
    const char *project;          /* NULL or "": found */
    const char *quota_project;    /* NULL or "": that of the credentials, if any */
    bool wants_zone;              /* the machine's zone is asked for */
};

/* HF_NOMEM and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_google_session_new(const struct hf_google_session_options *options,
                                                 struct hf_google_session **ret_session,
                                                 char *reterr);
/* Begins, and waits at most 3 s for the first token; without one it is asked for again later. HF_IO
 * with a sentence in `reterr`: there is no thread. */
HF_MUST_USE enum hf_status hf_google_session_start(struct hf_google_session *session, char *reterr);
/* Idempotent. */
void hf_google_session_stop(struct hf_google_session *session);
/* NULL: nothing. */
void hf_google_session_free(struct hf_google_session *session);

/* The token under the name of that header. HF_UNAUTHENTICATED: there is none now. */
HF_MUST_USE enum hf_status hf_google_session_add(struct hf_google_session *session,
                                                 const char *header, struct hf_header_sink *sink);
/* The value of that header; false: there is none now. */
HF_MUST_USE bool hf_google_session_copy(struct hf_google_session *session,
                                        char ret_header[HF_TOKEN_MAX]);
/* A service did not accept the token. Does not block. */
void hf_google_session_refused(struct hf_google_session *session);
/* Why there is none, as hf_token_keeper_explain(). */
void hf_google_session_explain(struct hf_google_session *session, char *ret_text, size_t room);

/* What was found with the token; "": nothing. */
struct hf_google_facts {
    char project[HF_GOOGLE_NAME_MAX], quota_project[HF_GOOGLE_NAME_MAX];
    char region[HF_GOOGLE_NAME_MAX]; /* of the machine's zone */
};
void hf_google_session_look(struct hf_google_session *session, struct hf_google_facts *ret_facts);
