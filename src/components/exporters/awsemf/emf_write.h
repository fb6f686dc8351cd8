/*
 * emf_write: a group as JSON in the embedded metric format. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/status.h>

#include "emf_config.h"
#include "emf_groups.h"
#include "util/compress/compress.h"

/* Appends the object; what it needs besides is in `arena`. HF_NOMEM. */
HF_MUST_USE enum hf_status emf_write(const struct emf_config *config, const struct emf_rules *rules,
                                     const struct emf_group *group, struct hf_arena *arena,
                                     struct hf_bytes *out);
