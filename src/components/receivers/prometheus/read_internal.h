/*
 * read_internal: one answer that is being read. For read*.c only.
 */
#pragma once

#include "read.h"

#define KNOWN_HASHES_MAX 16u

struct reading {
    struct prom_receiver *receiver;
    struct prom_target *target;
    const struct prom_job_state *job;
    int64_t now_ms;
    uint64_t scraped, kept, added;
    size_t gone;    /* series of the last scrape that are not there now */
    bool is_varied; /* a sample is more than a series and a value: it is not replayed */
    bool is_old;    /* the body of an older scrape, of which the vanished series are marked */
    bool no_memory; /* the labels or texts of a series did not fit */
    const char *error;
    uint64_t known_hashes[KNOWN_HASHES_MAX]; /* of the target's first labels */
    size_t known_count;
};

/* Adds the labels of the target. False: no memory, or too many labels. */
HF_MUST_USE bool prom_read_target_labels(struct reading *reading, struct hf_prom_labels *labels);
/* Adds the labels that all series get. False: as above. */
HF_MUST_USE bool prom_read_external_labels(struct reading *reading, struct hf_prom_labels *labels);
/* Applies the rules for series. False: the series is left out, or `error` or `no_memory` is set. */
HF_MUST_USE bool prom_read_relabel(struct reading *reading, struct hf_slice *name,
                                   struct hf_prom_labels *labels);
/* False: `error` is set. */
HF_MUST_USE bool prom_read_is_within_limits(struct reading *reading, struct hf_slice name,
                                            const struct hf_prom_labels *labels);
