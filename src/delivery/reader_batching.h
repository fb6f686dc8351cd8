/*
 * reader_batching: how the records of one queue become requests, and the metrics about that. The
 * delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* Takes the settings of batching from the exporter, or else from the pipeline. */
void hf_queue_reader_set_batching(struct queue_reader *reader);
/* Whether the two records may be sent in one request. */
bool hf_queue_reader_may_mix(const struct queue_reader *reader, const struct in_flight_record *a,
                             const struct in_flight_record *b);
/* `large`: it was sent because of its size, not because of the time it had waited. */
void hf_queue_reader_count_batch(const struct queue_reader *reader,
                                 const struct export_request *request, bool large);
