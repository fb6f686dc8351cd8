/*
 * debug_output: text to a terminal, a pipe or a file that may be slow, without ever waiting for it.
 *
 * What cannot be written at once waits in a bounded buffer; text that does not fit there is left
 * out, and how many lines it had is said when there is room again. Owned by the loop's thread;
 * opened before it runs, closed after.
 */
#pragma once

#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/loop.h"

#define HF_DEBUG_WAITING_MAX (1u << 20) /* bytes that may wait */

struct hf_debug_output;

/* `path`: "stdout", "stderr" or a file, which is appended to. HF_IO (errno), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_debug_output_open(struct hf_loop *loop, const char *path,
                                                struct hf_debug_output **ret_output);

/* Whole lines. */
void hf_debug_output_write(struct hf_debug_output *output, struct hf_slice text);

/* What still waits is tried once more and then forgotten. NULL is nothing to close. */
void hf_debug_output_close(struct hf_debug_output *output);
