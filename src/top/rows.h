/*
 * rows: makes the rows of one part from the newest answer and the one before it.
 */
#pragma once

#include "answer.h"

/* False: out of memory. `top->parts` is empty at first. */
HF_MUST_USE bool hf_top_make_rows(struct hf_top *top);
/* How fast the number at `way` grows; -1: not known. `before` may be NULL. */
double hf_top_rate(const struct hf_top *top, const struct hf_json *now,
                   const struct hf_json *before, const char *way);
