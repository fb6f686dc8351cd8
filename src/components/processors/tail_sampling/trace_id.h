/*
 * trace_id: the ids of traces, hashed so that a sender who chooses ids cannot choose places in
 * tables. Pure functions once seeded.
 */
#pragma once

#include <stdint.h>

#define HF_TRACE_ID_SIZE 16u

/* Once before the first use of tables; the main thread. */
void hf_trace_seed(void);

uint64_t hf_trace_hash(const uint8_t *id);
