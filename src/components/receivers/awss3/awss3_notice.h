/*
 * awss3_notice: a message of S3, or of SNS about one, that names new objects. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "aws/s3.h"
#include "awss3_config.h"
#include "json/json.h"

/* The records of a message, in `arena`: NULL for a message that tells of none, such as a bucket's
 * first. HF_INVALID: it is no message of S3; HF_TOO_LARGE: of the arena. */
HF_MUST_USE enum hf_status awss3_notice_read(struct hf_slice message, struct hf_arena *arena,
                                             const struct hf_json **ret_records);

/* The key of the next record that tells of a new object in the bucket, with the prefix, and goes on
 * behind it. False: there is none. */
HF_MUST_USE bool awss3_notice_next(const struct awss3_downloader *s3,
                                   const struct hf_json **records, char ret_key[HF_S3_KEY_MAX + 1]);

/* Which of `signals` the object is of, by the last part of its key, or else the only one.
 * HF_NOT_FOUND: one of the others; HF_INVALID: the key does not say. */
HF_MUST_USE enum hf_status awss3_notice_signal(const struct awss3_downloader *s3, const char *key,
                                               unsigned signals, enum hf_signal *ret_signal);
