/*
 * session: credentials of AWS that are kept valid by a thread of their own, and requests signed
 * with them.
 *
 * The thread finds the credentials by their chain (credentials.h) and renews them before they end;
 * senders only sign. Until there are any, nothing can be signed. Credentials that a service refused
 * are found again, at most twice a minute. A meeting place: any thread, but for start, stop and
 * free, which are the owner's.
 */
#pragma once

#include <holdfast/status.h>

#include "credentials.h"

struct hf_aws_session;

struct hf_aws_session_options {
    const struct hf_aws_role *role; /* borrowed until free */
    /* No credentials were found, for what `why` says. The session's thread; may be NULL. */
    void (*on_failed)(void *user, const char *why);
    void *user;
};

/* HF_NOMEM and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_aws_session_new(const struct hf_aws_session_options *options,
                                              struct hf_aws_session **ret_session, char *reterr);

/* Begins, and waits at most 3 s for the first credentials. HF_NOMEM with a sentence in `reterr`. */
HF_MUST_USE enum hf_status hf_aws_session_start(struct hf_aws_session *session, char *reterr);

/* Ends the thread. The last credentials stay, for what is still in flight. Idempotent. */
void hf_aws_session_stop(struct hf_aws_session *session);

/* NULL: nothing. */
void hf_aws_session_free(struct hf_aws_session *session);

/* A service did not accept the credentials: they are found again. Does not block. */
void hf_aws_session_refused(struct hf_aws_session *session);

/* What is to be added to a request, as headers. */
struct hf_aws_signature {
    struct hf_sigv4 made;
    char token[HF_AWS_TOKEN_MAX]; /* x-amz-security-token; "": none */
};

/* Signs with the credentials of now; `time_s` of the request is set here. HF_UNAUTHENTICATED: there
 * are none, or the request cannot be signed. */
HF_MUST_USE enum hf_status hf_aws_session_sign(struct hf_aws_session *session,
                                               const struct hf_sigv4_request *request,
                                               struct hf_aws_signature *ret);

/* Appends the request's URL, signed as hf_sigv4_presign() does and otherwise as above;
 * `ret_expires_s` is when it is no longer good, in Unix time. */
HF_MUST_USE enum hf_status hf_aws_session_presign(struct hf_aws_session *session,
                                                  const struct hf_sigv4_request *request,
                                                  uint32_t life_s, struct hf_bytes *out,
                                                  uint64_t *ret_expires_s);
