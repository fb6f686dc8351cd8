/*
 * series: the last values of each number that is drawn as a sparkline. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_TOP_VALUES 60u /* kept of each */

struct hf_top_series {
    struct hf_top_series *next;
    char *key;
    double values[HF_TOP_VALUES]; /* oldest first */
    size_t count;
    bool is_seen; /* in this round */
};

/* Adds a value to the series of that key, made when it is new. NULL: out of memory. */
const struct hf_top_series *hf_top_series_add(struct hf_top_series **list, const char *key,
                                              double value);
/* Ends a round: forgets the series that got no value in it. */
void hf_top_series_sweep(struct hf_top_series **list);
void hf_top_series_free(struct hf_top_series **list);
