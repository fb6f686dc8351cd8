/*
 * mask: what stands in place of a secret: a fixed text, or a hash by which equal ones are still
 * known. Immutable after start; any thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_regex;

/* In the order of the choices in redaction.c. */
enum hf_mask_kind {
    HF_MASK_STARS = 0,
    HF_MASK_MD5,
    HF_MASK_SHA1,
    HF_MASK_SHA3,
    HF_MASK_HMAC_SHA256,
    HF_MASK_HMAC_SHA512
};

struct hf_mask {
    enum hf_mask_kind kind;
    struct hf_slice key;   /* of the HMACs */
    struct hf_slice stars; /* the fixed text; empty: **** */
};

/* Appends what stands for `secret`; stars where the system has no such hash. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_mask_put(const struct hf_mask *mask, struct hf_slice secret,
                                       struct hf_bytes *out);

/*
 * Appends `text` with each match of `regex` masked. A text whose matches cannot be found in
 * reasonable time is masked as a whole. HF_NOT_FOUND: there is no match, and nothing is appended;
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_mask_matches(const struct hf_mask *mask, const struct hf_regex *regex,
                                           struct hf_slice text, struct hf_bytes *out);
/* The same with a regex that matches each line as a whole. */
HF_MUST_USE enum hf_status hf_mask_lines(const struct hf_mask *mask, struct hf_slice text,
                                         struct hf_bytes *out);
