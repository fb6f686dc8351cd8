/*
 * metadata: what the surroundings tell over HTTP: credentials by the agent of ECS and of EKS pod
 * identities, and by the instance (IMDSv2), which knows its region too. Blocks.
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
/* The region of the instance. HF_NOT_FOUND likewise. */
HF_MUST_USE enum hf_status aws_instance_region(struct hf_http_fetcher *fetcher, char *ret_region,
                                               size_t size, char *reterr);
