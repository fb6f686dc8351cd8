/*
 * log_entries_check: the keys of receivers of log texts, made and thrown away.
 */
#include <stdio.h>

#include <holdfast/component.h>

#include "log_entries.h"
#include "util/mistake.h"

static void emit_nothing(void *user, struct hf_log_entry *entry)
{
    (void)user;
    (void)entry;
}

static void say_nothing(void *user, const char *operator_id, const char *why, bool quiet)
{
    (void)user;
    (void)operator_id;
    (void)why;
    (void)quiet;
}

const char *hf_log_operators_check(const struct hf_value *operators)
{
    static const struct hf_log_pipeline_ops nothing = {.emit = emit_nothing, .failed = say_nothing};
    static _Thread_local char sentence[HF_LOG_ERROR_MAX];
    struct hf_log_pipeline *pipeline = NULL;
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status = hf_log_pipeline_new(operators, &nothing, NULL, &pipeline, sentence);
    hf_log_pipeline_free(pipeline);
    return status == HF_OK ? NULL : sentence;
}

const char *hf_log_entries_check(const struct hf_log_entries_config *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_log_labels labels = {0};
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status =
        hf_log_labels_init(&labels, &config->attributes, &config->resource, sentence);
    hf_log_labels_release(&labels);
    const char *wrong = status == HF_OK ? NULL : sentence;
    if (wrong != NULL && !hf_mistake(wrong)) {
        return wrong;
    }
    const char *operators = hf_log_operators_check(&config->operators);
    return operators != NULL ? operators : wrong;
}
