/*
 * refusal: why a queue takes nothing, in words. Any thread; no state.
 */
#pragma once

#include "wal/wal.h"

#define HF_REFUSAL_MAX 256u

/* With the words of the operating system where it failed; "": the queue takes data. */
void hf_refusal_say(const struct wal_stat *stat, char ret_why[HF_REFUSAL_MAX]);
