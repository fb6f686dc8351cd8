/*
 * prometheus_fold_internal: a request that is being folded. For prometheus_fold*.c only.
 */
#pragma once

#include "pdata/document.h"
#include "pdata/walk.h"
#include "prometheus_fold.h"

#define SCOPE_SCHEMA_URL 3 /* of ScopeMetrics */

/* What is found out once for each resource, scope and metric. */
struct position {
    const struct hf_message *resource_group, *scope_group, *metric;
    struct hf_hash of_resource, of_scope;
    struct hf_hash source;            /* of all that labels are made of but the point */
    struct hf_attributes *resource;   /* NULL: none */
    struct prometheus_family *family; /* NULL: its points have no place */
    bool is_delta;
};

static inline struct hf_slice prometheus_slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

/* ---- prometheus_fold_labels.c ---- */

/* Reads `job` and `instance` of a resource, which may be NULL. */
HF_MUST_USE enum hf_status prometheus_fold_identity(struct prometheus_fold *fold,
                                                    const struct hf_attributes *resource);
/* Adds both to the labels. */
HF_MUST_USE enum hf_status prometheus_fold_add_identity(struct prometheus_fold *fold);
/* Prints the labels of a point, valid until the next print. */
HF_MUST_USE enum hf_status prometheus_fold_labels(struct prometheus_fold *fold,
                                                  const struct hf_place *place,
                                                  const struct position *position,
                                                  struct hf_slice *ret_labels);
/* Has one of them the name of a constant label? */
bool prometheus_fold_clashes(const struct prometheus_fold *fold);
