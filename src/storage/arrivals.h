/*
 * arrivals: the requests with record names (util/record_names.h) that are on their way to the
 * disk. While one is, a second one of the same records is not taken: whether the first will be
 * stored is not known yet. A meeting place of all threads that take requests; outlives a reload.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/record_names.h"

#define HF_ARRIVALS_BUCKETS 64u

/* Memory of the request. */
struct hf_arrival {
    struct hf_arrival *next;         /* the table's */
    uint8_t origin[HF_ORIGIN_BYTES]; /* random bytes */
    const struct hf_record_range *ranges;
    size_t count;
};

struct hf_arrivals {
    pthread_mutex_t mutex;
    struct hf_arrival *buckets[HF_ARRIVALS_BUCKETS];
};

/* False: one that has some of the same items is on its way; nothing was added. */
bool hf_arrivals_begin(struct hf_arrivals *arrivals, struct hf_arrival *arrival);
void hf_arrivals_end(struct hf_arrivals *arrivals, struct hf_arrival *arrival);
