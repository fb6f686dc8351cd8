/*
 * scalar: what a piece of text means as a number, a boolean, a duration or a size. Pure functions;
 * any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

/* What a plain scalar reads as. */
enum hf_scalar_type hf_scalar_type_of(const char *text);

enum hf_scalar_result { HF_SCALAR_GOOD = 0, HF_SCALAR_BAD, HF_SCALAR_RANGE };

/* true, True, TRUE, false, False, FALSE. */
HF_MUST_USE bool hf_scalar_bool(const char *text, bool *ret_value);
/* Decimal, 0x, 0o, 0b, a leading 0 as octal; also a whole number with a fraction or exponent
 * (1e+06). RANGE: not within int64_t. */
HF_MUST_USE enum hf_scalar_result hf_scalar_int(const char *text, int64_t *ret_value);
/* Also .inf, -.inf, .nan and the forms of hf_scalar_int. */
HF_MUST_USE enum hf_scalar_result hf_scalar_double(const char *text, double *ret_value);
/* Go's durations, in nanoseconds. On failure `reterr` is one sentence without the text. */
HF_MUST_USE bool hf_scalar_duration(const char *text, int64_t *ret_ns, const char **reterr);
/* 1024, 64KB, 512MiB, 1.5 GiB, 2Gi. RANGE: more than int64_t holds. */
HF_MUST_USE enum hf_scalar_result hf_scalar_bytes(const char *text, uint64_t *ret_bytes);

/* Shortest common forms, for messages: "1m30s", "512MiB". */
struct hf_shown hf_scalar_show_duration(double nanoseconds);
struct hf_shown hf_scalar_show_bytes(double bytes);
