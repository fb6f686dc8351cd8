/*
 * host_scope: the service and region that a host of AWS stands for, where the configuration names
 * none: aps-workspaces.eu-west-1.amazonaws.com is "aps" in "eu-west-1". The second label is the
 * region. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#define HF_AWS_REGION_MAX 65u

struct hf_aws_host_scope {
    const char *service; /* constant */
    char region[HF_AWS_REGION_MAX];
};

/* False: the URL's host is none of the known ones, or has no region; *ret is empty texts. */
bool hf_aws_host_scope(const char *url, struct hf_aws_host_scope *ret);
