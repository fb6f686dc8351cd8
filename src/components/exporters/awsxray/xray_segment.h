/*
 * xray_segment: a span as segment documents of X-Ray. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "util/compress/compress.h"
#include "util/regex/regex.h"
#include "xray_config.h"
#include "xray_span.h"

#define XRAY_DOCUMENTS_MAX 2u /* of one span */

struct xray_document {
    struct hf_slice text; /* JSON, in the arena */
    char id[XRAY_ID_SIZE + 1];
};

struct xray_maker {
    const struct xray_config *config;
    struct hf_regex *unfit; /* characters that a segment's name may not have */
    struct hf_arena *arena; /* borrowed; lives as long as the documents */
    struct hf_bytes text;   /* kept for the next span */
    uint64_t now_s;         /* Unix time */
};

/* HF_INVALID: the span has no form there, for what `ret_why` says (a constant). HF_NOMEM. */
HF_MUST_USE enum hf_status xray_segment_make(struct xray_maker *maker, struct hf_slice span,
                                             struct hf_slice resource,
                                             struct xray_document ret_documents[XRAY_DOCUMENTS_MAX],
                                             size_t *ret_count, const char **ret_why);
