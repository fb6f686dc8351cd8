/*
 * trial: checks a configuration that someone pasted, by `holdfast validate` in a process of its
 * own: nothing of it is opened, started or written. It gets no environment, a limit of processor
 * time, 10 s in all, and its words are cut.
 *
 * Blocks for as long: the worker's thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HF_CONSOLE_TRIAL_BYTES_MAX (512u << 10) /* of a configuration */

/* NULL: it may be tried; else a sentence that says what it may not have. References to files would
 * read what the one who pasted it may not see. */
const char *hf_console_trial_refusal(const char *text);

/* Its words to `out`; `*ret_is_valid` when it found no error. HF_IO with errno: no process.
 * HF_AGAIN: it took too long. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_console_try(const char *text, struct hf_bytes *out,
                                          bool *ret_is_valid);
