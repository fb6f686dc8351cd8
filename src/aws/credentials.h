/*
 * credentials: where AWS keeps a program's credentials: the environment, a web identity, the shared
 * profile, the container's or pod's agent, the instance (IMDSv2); and a role that is assumed with
 * them. Blocks while it asks servers: for a thread of its own.
 */
#pragma once

#include <holdfast/status.h>

#include "http/fetch.h"
#include "sigv4.h"

/* What stands in a configuration; NULL or "": not set. */
struct hf_aws_role {
    const char *arn, *session_name, *sts_region, *external_id, *web_identity_token_file;
    const char *profile, *profile_file; /* of the shared file; not set: as the environment says */
};

/* HF_OK; HF_NOT_FOUND, HF_AGAIN, ... with a sentence in `reterr` (512 bytes), in which no secret
 * stands. HF_CLOSED: the fetcher was stopped. */
HF_MUST_USE enum hf_status hf_aws_credentials_find(struct hf_http_fetcher *fetcher,
                                                   const struct hf_aws_role *role,
                                                   struct hf_aws_credentials *ret, char *reterr);
