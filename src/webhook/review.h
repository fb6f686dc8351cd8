/*
 * review: the AdmissionReview (admission.k8s.io/v1) that the API server sends, and the answer.
 * Nothing is ever refused: a pod that cannot get its sidecar starts without one, with a warning.
 * Owned by one thread; texts live in the arena of the review.
 */
#pragma once

#include <stdbool.h>

#include "util/compress/compress.h"
#include "json/json.h"

struct hf_review {
    struct hf_slice uid, namespace;
    const struct hf_json *pod; /* NULL: it is not about a pod that is made */
};

/* HF_INVALID: it is no AdmissionReview of version v1; `reterr` (HF_JSON_ERROR_MAX) says why. */
HF_MUST_USE enum hf_status hf_review_read(struct hf_slice text, struct hf_arena *arena,
                                          struct hf_review *ret_review, char *reterr);

/* The answer's text is appended to `out`. `patch`: a JSON patch, empty for none; `warning`: one
 * for the person who makes the pod, NULL for none. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_review_answer(const struct hf_review *review, struct hf_slice patch,
                                            const char *warning, struct hf_bytes *out);
