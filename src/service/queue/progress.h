/*
 * progress: how far a long command is, among the lines of its answer. A client that asked for it
 * (`--progress`) takes these lines out and shows them; each begins with HF_PROGRESS_MARK, then
 * "DONE TOTAL". Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HF_PROGRESS_MARK '\x1e'

struct hf_progress {
    FILE *out; /* NULL: nothing is said */
    uint64_t done, total;
    uint64_t said_ns;
};

void hf_progress_begin(struct hf_progress *progress, bool is_wanted, uint64_t total, FILE *out);
/* So much more is done. Says it a few times a second. */
void hf_progress_step(struct hf_progress *progress, uint64_t more);
