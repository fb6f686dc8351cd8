/*
 * input: what a test gives in, as batches.
 */
#pragma once

#include "test_file.h"

/* Calls `visit` with each batch (borrowed) until it fails. HF_INVALID and others with a sentence in
 * `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status
hf_test_input_each(const struct hf_test_input *input, const char *folder,
                   enum hf_status (*visit)(void *user, struct hf_batch *batch, char *reterr),
                   void *user, char *reterr);
