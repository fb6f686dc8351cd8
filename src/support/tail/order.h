/*
 * order: which of the files that are found are read, where not all are: grouped and sorted by what
 * a pattern finds in their names, the first so many of each group. Owned by one thread.
 */
#pragma once

#include <holdfast/component.h>
#include <holdfast/status.h>

#include "paths.h"
#include "tail.h"

struct hf_tail_order;

/* NULL with HF_OK: all are read. HF_INVALID: `reterr` (HF_ERROR_MAX) says why. */
HF_MUST_USE enum hf_status hf_tail_order_open(const struct hf_tail_config *config,
                                              struct hf_tail_order **ret_order, char *reterr);
void hf_tail_order_close(struct hf_tail_order *order);

/* Leaves in `paths`, sorted by name, those that are read. NULL is nothing. */
void hf_tail_order_apply(struct hf_tail_order *order, struct hf_paths *paths);
