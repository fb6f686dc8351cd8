/*
 * sampler: the thread that asks the process for its status: every second while someone looks at the
 * console, every ten seconds otherwise, so that the history has no gaps and rates are known at the
 * first look. Pages are made of the latest snapshot and wait for nothing.
 *
 * As the worker it may be in a command when the graph stops, and holds it until then.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "snapshot.h"

struct hf_console_sampler;

struct hf_console_sampler_options {
    struct hf_node *node;
    /* The sampler's thread, with each new snapshot. */
    void (*on_snapshot)(void *user, struct hf_console_snapshot *snapshot);
    /* Likewise, at the end: no snapshot comes any more. */
    void (*on_end)(void *user);
    void *user;
};

/* HF_NOMEM; HF_IO: no thread. */
HF_MUST_USE enum hf_status hf_console_sampler_new(const struct hf_console_sampler_options *options,
                                                  struct hf_console_sampler **ret_sampler);
/* The latest snapshot with a reference for the caller; NULL: there is none yet. Someone looks. Any
 * thread. */
struct hf_console_snapshot *hf_console_sampler_look(struct hf_console_sampler *sampler);
/* Takes a snapshot soon, as after a change. Any thread. */
void hf_console_sampler_hurry(struct hf_console_sampler *sampler);
/* Waits for nothing. NULL is nothing. */
void hf_console_sampler_stop(struct hf_console_sampler *sampler);
/* When nothing holds the graph any more. NULL is nothing. */
void hf_console_sampler_free(struct hf_console_sampler *sampler);
