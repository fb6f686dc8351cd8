/*
 * metric_names: names of metrics, as they are or as patterns that match anywhere. Compiled once;
 * immutable then, any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_metric_names;

/* `names` is borrowed, `key` is for messages. HF_INVALID with one sentence in `reterr`
 * (HF_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_metric_names_new(const char *key, struct hf_string_list names,
                                               bool are_patterns,
                                               struct hf_metric_names **ret_names, char *reterr);
void hf_metric_names_free(struct hf_metric_names *names);
bool hf_metric_names_match(const struct hf_metric_names *names, struct hf_slice name);
