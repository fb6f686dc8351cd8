/*
 * read_file: YAML files that are no configuration, by a table of fields. Main thread.
 */
#pragma once

#include "config.h"

struct hf_config_memory;

/*
 * A YAML file by a table of fields, which is bound to the zeroed struct at `base`: for files that
 * are no configuration. False: it has mistakes; findings as hf_config_load() gives them. What was
 * bound lives in `*ret_memory`, to be freed by hf_config_file_free(), in either case.
 */
HF_MUST_USE bool hf_config_read_file(const char *path, const struct hf_field *fields, void *base,
                                     struct hf_config_memory **ret_memory,
                                     struct hf_finding **ret_findings, size_t *ret_finding_count);
void hf_config_file_free(struct hf_config_memory *memory);
