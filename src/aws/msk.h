/*
 * msk: the tokens by which clients sign in to Amazon MSK with IAM: a signed URL, in base64. Any
 * thread.
 */
#pragma once

#include <stddef.h>

#include <holdfast/status.h>

#include "host_scope.h"
#include "session.h"

/* Writes the token of a region with a NUL; `ret_end_s` is its end in Unix time. HF_UNAUTHENTICATED:
 * there are no credentials now. HF_TOO_LARGE, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_aws_msk_token(struct hf_aws_session *session, const char *region,
                                            const char *user_agent, char *room, size_t size,
                                            uint64_t *ret_end_s);
