/*
 * loki_labels: the labels of a stream as text, `{job="a", env='b'}`, as PromQL writes a metric. No
 * state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

#define HF_LOKI_LABELS_MAX 256u

struct hf_loki_label {
    struct hf_slice name, value;
};

struct hf_loki_labels {
    struct hf_loki_label items[HF_LOKI_LABELS_MAX];
    size_t count;
};

/* Internal labels are left out. Values with escapes are in the arena, the others in `text`. NULL,
 * or what is wrong. */
const char *hf_loki_labels_read(struct hf_slice text, struct hf_arena *arena,
                                struct hf_loki_labels *ret_labels);
/* As reading does: false when there is no more room. Internal ones are left out. */
bool hf_loki_labels_add(struct hf_loki_labels *labels, struct hf_slice name, struct hf_slice value);
bool hf_loki_labels_have(const struct hf_loki_labels *labels, struct hf_slice name);
