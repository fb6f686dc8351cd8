/*
 * redis_command: commands of Redis and Valkey, one per line, without the values that they store or
 * look for; keys stay. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* Appends the commands with single blanks between their words. Of a command with more words than
 * HF_REDIS_WORDS_MAX the rest becomes one "?". HF_NOMEM. */
#define HF_REDIS_WORDS_MAX 256u
HF_MUST_USE enum hf_status hf_redis_mask(struct hf_slice commands, struct hf_bytes *out);
