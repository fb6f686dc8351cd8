/*
 * pipeline: the operators of a receiver of logs, in the order in which entries pass them, and what
 * some of them hold back. Owned by one thread.
 */
#pragma once

#include "entry.h"

struct hf_log_pipeline;

#define HF_LOG_ERROR_MAX 512

struct hf_log_pipeline_ops {
    /* An entry has passed the last operator; borrowed. */
    void (*emit)(void *user, struct hf_log_entry *entry);
    /* An operator failed with an entry; `quiet`: the user asked for no warning. */
    void (*failed)(void *user, const char *operator_id, const char *why, bool quiet);
};

/*
 * `operators` is a list of the configuration, or nothing; borrowed. HF_INVALID: `reterr`
 * (HF_LOG_ERROR_MAX) says which operator and why; in the check of a configuration all are told, by
 * util/mistake.h. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_log_pipeline_new(const struct hf_value *operators,
                                               const struct hf_log_pipeline_ops *ops, void *user,
                                               struct hf_log_pipeline **ret_pipeline, char *reterr);
void hf_log_pipeline_free(struct hf_log_pipeline *pipeline);

/* Through all operators. */
void hf_log_pipeline_process(struct hf_log_pipeline *pipeline, struct hf_log_entry *entry);

/* Emits what was held too long. True: something is held still. */
bool hf_log_pipeline_tick(struct hf_log_pipeline *pipeline, uint64_t now_ns);

/* The lowest offset of an entry of that source that is held; UINT64_MAX: none. */
uint64_t hf_log_pipeline_held(const struct hf_log_pipeline *pipeline, const void *source);
/* The source is gone: what is held of it is emitted without it. */
void hf_log_pipeline_forget(struct hf_log_pipeline *pipeline, const void *source);
