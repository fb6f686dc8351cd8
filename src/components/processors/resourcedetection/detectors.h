/*
 * detectors: runs detectors side by side, within a time, and keeps what they found, first of the
 * list first. The main thread opens, starts and closes it; hf_detectors_facts() is for any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "detect.h"

struct hf_detectors;

struct hf_detector_use {
    const struct hf_detector *detector;
    const struct hf_detector_config *config;
};

struct hf_detectors_options {
    struct hf_node *node;
    const struct hf_detector_use *uses; /* borrowed until freed, as what they point to */
    size_t count;
    uint64_t timeout_ns, refresh_interval_ns; /* interval 0: once */
    bool retries, fail_on_missing_metadata;
    uint64_t retry_initial_ns, retry_max_ns;
    double retry_multiplier;
    struct hf_string_list only; /* attributes; empty: all */
};

/* Immutable; lives as long as the detectors. */
struct hf_facts {
    struct hf_facts *next; /* an older one */
    struct hf_arena arena;
    struct hf_attribute *items; /* keys and values */
    size_t count;
};

HF_MUST_USE enum hf_status hf_detectors_new(const struct hf_detectors_options *options,
                                            struct hf_detectors **ret_detectors);
/* The first detection: takes the timeout at most. HF_AGAIN with a sentence in `reterr`
 * (HF_ERROR_MAX): a service is missing that must be there. */
HF_MUST_USE enum hf_status hf_detectors_start(struct hf_detectors *detectors, char *reterr);
/* Ends the refreshing. */
void hf_detectors_stop(struct hf_detectors *detectors);
/* Waits for detectors that are late: the system's resolver cannot be interrupted. */
void hf_detectors_free(struct hf_detectors *detectors);

/* What is known now. NULL: nothing. */
const struct hf_facts *hf_detectors_facts(const struct hf_detectors *detectors);
