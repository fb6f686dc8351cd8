/*
 * region: the region of AWS where the configuration names none: AWS_REGION, AWS_DEFAULT_REGION, or
 * what the instance says. Blocks while it asks that; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

#include "host_scope.h"

/* `asks_instance` false: the environment alone is looked at. HF_NOT_FOUND and others with a
 * sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_aws_region_find(bool asks_instance,
                                              char ret_region[HF_AWS_REGION_MAX], char *reterr);
