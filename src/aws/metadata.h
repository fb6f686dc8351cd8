/*
 * metadata: credentials that the surroundings hand out over HTTP: the agent of ECS and of EKS pod
 * identities, and the instance (IMDSv2). Blocks.
 */
#pragma once

#include <holdfast/status.h>

#include "http/fetch.h"
#include "sigv4.h"

/* HF_NOT_FOUND: the environment names no agent. Others with a sentence in `reterr` (512 bytes). */
HF_MUST_USE enum hf_status aws_container_fetch(struct hf_http_fetcher *fetcher,
                                               struct hf_aws_credentials *ret, char *reterr);
/* HF_NOT_FOUND: AWS_EC2_METADATA_DISABLED, or no answer: this is no instance. */
HF_MUST_USE enum hf_status aws_instance_fetch(struct hf_http_fetcher *fetcher,
                                              struct hf_aws_credentials *ret, char *reterr);
