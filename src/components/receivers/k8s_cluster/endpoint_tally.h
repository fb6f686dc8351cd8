/*
 * endpoint_tally: the endpoints of services, counted by address type and zone.
 *
 * Owned by one thread; the texts are borrowed until its release.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

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

/* Adds what one slice has of a service, an address type and a zone. */
void endpoint_tally_put(struct endpoint_tally *tally, const struct endpoint_count *count);
/* After the last one, before the first find. */
void endpoint_tally_sort(struct endpoint_tally *tally);
/* Those of one service, `ret_count` of them. */
const struct endpoint_count *endpoint_tally_find(const struct endpoint_tally *tally,
                                                 struct hf_slice service, size_t *ret_count);
void endpoint_tally_release(struct endpoint_tally *tally);
