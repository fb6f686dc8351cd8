/*
 * endpoints: the endpoints of services, counted over the slices that name them: by address type and
 * zone.
 *
 * Owned by the client's thread; the texts are those of the records of the slices.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "objects.h"
#include "record.h"

struct endpoint_count {
    struct hf_slice service, address_type, zone;
    int64_t ready, serving, terminating;
};

/* Zeroed at first, endpoint_tally_release() at last. */
struct endpoint_tally {
    struct endpoint_count *counts;
    size_t count, capacity;
    bool failed; /* memory has run out */
};

/* An EndpointSlice into a record. */
void cluster_describe_slice(struct record *record, const struct cluster_wanted *wanted,
                            const struct hf_json *object);

/* Adds the slice of that record. */
void endpoint_tally_add(struct endpoint_tally *tally, const struct record *record);
/* After the last one, before the first find. */
void endpoint_tally_sort(struct endpoint_tally *tally);
/* Those of one service, `ret_count` of them. */
const struct endpoint_count *endpoint_tally_find(const struct endpoint_tally *tally,
                                                 struct hf_slice service, size_t *ret_count);
void endpoint_tally_release(struct endpoint_tally *tally);
