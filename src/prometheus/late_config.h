/*
 * late_config: a part of a configuration that comes while the process runs, such as the jobs that a
 * target allocator hands out: bound by a table of fields as the loader does.
 *
 * Owned by one thread, immutable once read.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_late_config;

#define HF_LATE_CONFIG_ERROR_MAX 512

/*
 * `text` is JSON or YAML: a map of names, each with an inner struct of `inner` fields and
 * `inner_size` bytes. Keys that are not known are left out. HF_INVALID with a sentence in `reterr`
 * (HF_LATE_CONFIG_ERROR_MAX); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_late_config_read(struct hf_slice text, const struct hf_field *inner,
                                               size_t inner_size,
                                               struct hf_late_config **ret_config, char *reterr);
/* The same of one struct: `text` is a map of its fields; a key that is not known is a mistake.
 * `file` stands in sentences. `ret_struct` lives as long as the configuration. */
HF_MUST_USE enum hf_status hf_late_config_read_one(struct hf_slice text, const char *file,
                                                   const struct hf_field *fields,
                                                   size_t struct_size,
                                                   struct hf_late_config **ret_config,
                                                   const void **ret_struct, char *reterr);
/* The names and their structs, which live as long as it. */
const struct hf_struct_map *hf_late_config_map(const struct hf_late_config *config);
void hf_late_config_free(struct hf_late_config *config);
