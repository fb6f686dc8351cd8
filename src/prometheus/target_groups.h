/*
 * target_groups: the lists of targets that file_sd and http_sd read: groups of targets with the
 * labels that these have in common, as JSON or YAML. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "labels.h"
#include "util/arena.h"

struct hf_target_group {
    const struct hf_slice *targets;
    size_t target_count;
    const struct hf_prom_label *labels;
    size_t label_count;
};

#define HF_TARGET_GROUPS_ERROR_MAX 320

/*
 * All of it is in `arena`. HF_INVALID with one sentence in `reterr` (HF_TARGET_GROUPS_ERROR_MAX);
 * HF_TOO_LARGE, HF_NOMEM likewise.
 */
HF_MUST_USE enum hf_status hf_target_groups_read_json(struct hf_slice text, struct hf_arena *arena,
                                                      struct hf_target_group **ret_groups,
                                                      size_t *ret_count, char *reterr);
HF_MUST_USE enum hf_status hf_target_groups_read_yaml(struct hf_slice text, struct hf_arena *arena,
                                                      struct hf_target_group **ret_groups,
                                                      size_t *ret_count, char *reterr);
