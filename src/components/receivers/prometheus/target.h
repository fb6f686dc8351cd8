/*
 * target: what is scraped: made of the labels that discovery has found, by the rules of the job.
 * The loop's thread.
 */
#pragma once

#include "receiver.h"

#define PROM_TARGET_ERROR_MAX 256

/*
 * HF_OK with a new target, or NULL when the rules drop it; HF_INVALID with a sentence in `reterr`
 * (PROM_TARGET_ERROR_MAX) when it cannot be scraped; HF_NOMEM.
 */
HF_MUST_USE enum hf_status prom_target_new(struct prom_job_state *job,
                                           const struct prom_found *found,
                                           struct prom_target **ret_target, char *reterr);
/* It has no scrape in flight, and its timer is not set. */
void prom_target_free(struct prom_target *target);

/* Forgets the series of its last scrape. */
void prom_series_release(struct prom_series *series);
