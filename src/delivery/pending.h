/*
 * pending: makes requests of the pending records, as the batching of the pipeline or of the
 * exporter says. The delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* Whether the pending records fill a request. */
bool hf_pending_is_enough(const struct queue_reader *reader);
/* Whether the records in flight take all the memory they may take; isolated requests have a limit
 * of their own. */
bool hf_pending_is_memory_full(const struct hf_delivery *delivery);
/* The next request, when it is large enough or its records have waited long enough; NULL: not yet,
 * or out of memory. There is a pending record. */
struct export_request *hf_pending_next_request(struct queue_reader *reader, uint64_t now_ns);
