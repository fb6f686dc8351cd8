/*
 * gen_ai_normalize: the attributes of one span, by one source.
 */
#pragma once

#include "gen_ai_run.h"

/* True: an attribute was written. */
bool gen_ai_normalize(struct gen_ai_run *run, const struct gen_ai_rules *rules,
                      struct hf_attributes *attributes);
