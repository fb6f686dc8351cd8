/*
 * awss3_object: the content of an archived object as an Export request. Any thread; no state.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/status.h>

/* By the end of its key: ".json" or ".binpb", and ".gz" or ".zst" behind. HF_UNSUPPORTED: another
 * end. HF_INVALID, HF_TOO_LARGE with a sentence in `reterr` (256 bytes); HF_NOMEM. */
HF_MUST_USE enum hf_status awss3_object_read(const char *key, enum hf_signal signal,
                                             struct hf_slice content, struct hf_batch **ret_batch,
                                             char *reterr);
