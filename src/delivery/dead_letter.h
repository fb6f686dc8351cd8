/*
 * dead_letter: moves a request that the backend refused for good to the dead letters, with the
 * backend's message, before it leaves the queue. The delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* The limits that the configuration sets for the dead letters. Any thread. */
struct wal_limits hf_dead_letter_limits(const struct hf_delivery *delivery);
/* Moves a request with one body to the dead letters or through the pipeline for them, or drops it
 * when they are disabled. While they have no room, it is isolated and tried again. What the
 * pipeline can never take goes to the dead letters. */
void hf_export_request_dead_letter(struct export_request *request,
                                   const struct hf_outcome *outcome);
