#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>

struct hf_log_pipeline {
    const struct hf_log_pipeline_ops *ops;
    void *user;
};

enum hf_status hf_log_pipeline_new(const struct hf_value *operators,
                                   const struct hf_log_pipeline_ops *ops, void *user,
                                   struct hf_log_pipeline **ret_pipeline, char *reterr)
{
    struct hf_log_pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (pipeline == NULL) {
        return HF_NOMEM;
    }
    pipeline->ops = ops;
    pipeline->user = user;
    if (operators->count != 0) {
        snprintf(reterr, HF_LOG_ERROR_MAX, "operators: no operator is known");
        free(pipeline);
        return HF_INVALID;
    }
    *ret_pipeline = pipeline;
    return HF_OK;
}

void hf_log_pipeline_free(struct hf_log_pipeline *pipeline)
{
    free(pipeline);
}

void hf_log_pipeline_process(struct hf_log_pipeline *pipeline, struct hf_log_entry *entry)
{
    pipeline->ops->emit(pipeline->user, entry);
}

bool hf_log_pipeline_tick(struct hf_log_pipeline *pipeline, uint64_t now_ns)
{
    (void)pipeline;
    (void)now_ns;
    return false;
}

uint64_t hf_log_pipeline_held(const struct hf_log_pipeline *pipeline, const void *source)
{
    (void)pipeline;
    (void)source;
    return UINT64_MAX;
}

void hf_log_pipeline_forget(struct hf_log_pipeline *pipeline, const void *source)
{
    (void)pipeline;
    (void)source;
}
