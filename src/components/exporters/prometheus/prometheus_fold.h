/*
 * prometheus_fold: puts the points of a request into the table of series. To fold the same request
 * twice changes nothing: what is not newer than the stored point is in it already.
 *
 * Owned by one thread; the table's lock is the caller's.
 */
#pragma once

#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "prometheus_config.h"
#include "prometheus_labels.h"
#include "prometheus_table.h"

struct prometheus_fold {
    const struct prometheus_config *config;
    struct prometheus_table *table;
    struct hf_prom_naming naming;
    struct hf_bytes constant_names; /* each behind a NUL, and one at the end */
    struct hf_bytes constant_text;  /* the constant labels as printed */
    struct hf_bytes name, job, instance;
    struct prometheus_labels labels;
    uint64_t now_ns;   /* Unix time of the request being folded */
    uint64_t rejected; /* points of it that have no place */
    const char *why;   /* of the last of them */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_fold_init(struct prometheus_fold *fold,
                                                const struct prometheus_config *config,
                                                struct prometheus_table *table);
/* `raw` has passed hf_scan(). HF_NOMEM and HF_INVALID: part of it is folded. */
HF_MUST_USE enum hf_status prometheus_fold_request(struct prometheus_fold *fold,
                                                   struct hf_slice raw);
void prometheus_fold_release(struct prometheus_fold *fold);
