/*
 * allocator: jobs that a target allocator hands out: asked for at an interval; each has its targets
 * by http_sd from the same server. A job that has not changed goes on; while the allocator cannot
 * be asked, all do.
 *
 * new and free run on the main thread, the rest on the loop's. NULL is nothing.
 */
#pragma once

#include "receiver.h"

struct prom_allocator;

/* On failure `reterr` (HF_ERROR_MAX) holds a sentence. */
HF_MUST_USE enum hf_status prom_allocator_new(struct prom_receiver *receiver,
                                              struct prom_allocator **ret_allocator, char *reterr);
void prom_allocator_start(struct prom_allocator *allocator);
void prom_allocator_stop(struct prom_allocator *allocator);
void prom_allocator_free(struct prom_allocator *allocator);
