/*
 * write_all: bytes into a file, however many calls it takes. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* False with errno: it failed, and what was written until then stays. A signal repeats the call. */
HF_MUST_USE bool hf_write_all(int fd, struct hf_slice bytes);
