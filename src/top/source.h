/*
 * source: where `holdfast top` gets its answers from.
 */
#pragma once

#include <stddef.h>

#include <holdfast/status.h>

#define HF_TOP_WHY_MAX 256

struct hf_top_source {
    /* One answer to `status`, malloc'd. Not HF_OK: `reterr` (HF_TOP_WHY_MAX) says why not. Takes a
     * few seconds at most. */
    enum hf_status (*ask)(void *user, char **ret_text, size_t *ret_size, char *reterr);
    void *user;
    unsigned long long interval_ns;
};
