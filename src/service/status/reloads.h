/*
 * reloads: the last configurations that were given to the process, and what became of each. The
 * main thread adds, any thread reads; bounded.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

#include "config/config.h"
#include "json/json_out.h"

#define HF_RELOADS_KEPT 20u
#define HF_RELOAD_CHANGES_MAX 4096u

enum hf_reload_result {
    HF_RELOAD_STARTED,    /* the configuration that the process began with */
    HF_RELOAD_TAKEN,      /* it runs */
    HF_RELOAD_INVALID,    /* it has errors; the one before it runs */
    HF_RELOAD_NOT_STARTED /* it is valid and could not be started; the one before it runs */
};

struct hf_reloads;

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_reloads_new(struct hf_reloads **ret_reloads);
/* NULL is nothing. */
void hf_reloads_free(struct hf_reloads *reloads);

/*
 * `began_ns`: when it was given, monotonic. `why` (copied, cut; NULL: none) says why it does not
 * run. `before` and `after` (NULL: not known) are compared now. Out of memory: without the changes.
 */
void hf_reloads_add(struct hf_reloads *reloads, enum hf_reload_result result, uint64_t began_ns,
                    const char *why, const struct hf_config *before, const struct hf_config *after);

/* A list, oldest first. */
void hf_reloads_write(struct hf_reloads *reloads, struct hf_json_out *json, const char *key);
