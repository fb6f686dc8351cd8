/*
 * stage: what the drivers of the crash tests share: a directory to work in, and victims run under
 * the shim.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "truth.h"

enum { STAGE_LIFE = 8192 /* numbers a life has */, STAGE_COMMAND_MAX = 256 };

struct stage {
    const char *victim, *shim; /* paths; borrowed */
    char base[512];            /* removed at the end */
    char directory[600], truth[600], state_path[600], log[600];
    struct crash_state *state;
};

/* Makes a directory below `parent` (NULL: memory, where a sync costs nothing). Exits with words
 * when it cannot. */
void stage_open(struct stage *stage, const char *parent, const char *victim, const char *shim);
void stage_close(struct stage *stage);
/* Removes all that a directory holds, or makes it. */
void stage_empty(const char *directory);
/* An empty directory, no truth, no log. */
void stage_clear(struct stage *stage);

struct stage_run {
    const char *mode; /* "fill", "drain", "verify" */
    uint64_t first;
    unsigned count;
    bool is_patient;
    const char *kill, *fail; /* values of HF_SHIM_KILL and HF_SHIM_FAIL, or NULL */
    bool has_log;
    bool is_aside; /* its truth does not count */
};

/* Runs one victim to its end; returns what waitpid() says. `stage->state` tells what the shim did.
 */
int stage_run(struct stage *stage, const struct stage_run *run);

/* All truths so far; the caller's to free. */
struct truth *stage_truths(const struct stage *stage, size_t *ret_count);
