/*
 * endpoints: slices of the endpoints of services, as records, and counted over all of them.
 *
 * Owned by the client's thread; the texts of a tally are those of the records.
 */
#pragma once

#include "endpoint_tally.h"
#include "objects.h"
#include "record.h"

/* An EndpointSlice into a record. */
void cluster_describe_slice(struct record *record, const struct cluster_wanted *wanted,
                            const struct hf_json *object);

/* Adds the slice of that record. */
void endpoint_tally_add(struct endpoint_tally *tally, const struct record *record);
