/*
 * duplicates: counts equal log records, with the first of each as it came. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "pdata/walk.h"
#include "support/state/interval.h"
#include "util/hash.h"
#include "util/time/zone.h"

struct logdedup_duplicates;

struct logdedup_form {
    const char *count_attribute;
    const struct hf_zone *zone; /* of the two times */
};

/* NULL: out of memory. */
struct logdedup_duplicates *logdedup_duplicates_new(size_t bytes_max,
                                                    const struct logdedup_form *form);
void logdedup_duplicates_free(struct logdedup_duplicates *duplicates);

/* The records that are added from here on belong together: they are all taken back, or none. */
void logdedup_duplicates_begin(struct logdedup_duplicates *duplicates);
void logdedup_duplicates_take_back(struct logdedup_duplicates *duplicates);

/* Counts the record at that place, which was observed then; `origin` and `key` say which are equal.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status logdedup_duplicates_add(struct logdedup_duplicates *duplicates,
                                                   struct hf_hash origin, struct hf_hash key,
                                                   const struct hf_place *place,
                                                   uint64_t observed_ns);
bool logdedup_duplicates_is_full(const struct logdedup_duplicates *duplicates);

/* Appends one record for each as batches, with the time of now, and forgets them. HF_NOMEM: they
 * are kept. */
HF_MUST_USE enum hf_status logdedup_duplicates_flush(struct logdedup_duplicates *duplicates,
                                                     uint64_t now_ns,
                                                     struct hf_interval_list *list);
