/*
 * sts: credentials of a role, by the Security Token Service. The endpoint is that of the region, or
 * AWS_ENDPOINT_URL_STS. Blocks.
 */
#pragma once

#include <holdfast/status.h>

#include "credentials.h"

/* With a web identity's token, which is read from its file. `reterr` has 512 bytes. */
HF_MUST_USE enum hf_status aws_sts_web_identity(struct hf_http_fetcher *fetcher,
                                                const struct hf_aws_role *role,
                                                struct hf_aws_credentials *ret, char *reterr);
/* With credentials of one's own. */
HF_MUST_USE enum hf_status aws_sts_assume_role(struct hf_http_fetcher *fetcher,
                                               const struct hf_aws_role *role,
                                               const struct hf_aws_credentials *own,
                                               struct hf_aws_credentials *ret, char *reterr);
