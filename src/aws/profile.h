/*
 * profile: credentials of the shared file, ~/.aws/credentials or AWS_SHARED_CREDENTIALS_FILE, under
 * AWS_PROFILE or "default". Any thread; no state.
 */
#pragma once

#include <holdfast/status.h>

#include "sigv4.h"

/* `profile` and `path` NULL or "": as the environment says. HF_NOT_FOUND: no such file or profile,
 * but for one that is named here or in AWS_PROFILE, which must be there: HF_INVALID with a sentence
 * in `reterr` (512 bytes). */
HF_MUST_USE enum hf_status aws_profile_read(const char *profile, const char *path,
                                            struct hf_aws_credentials *ret, char *reterr);

/* Of such a file's text. HF_NOT_FOUND: it has no such profile. HF_INVALID: keys are missing. */
HF_MUST_USE enum hf_status aws_profile_find(const char *text, const char *profile,
                                            struct hf_aws_credentials *ret);
