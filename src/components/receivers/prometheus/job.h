/*
 * job: one entry of scrape_configs and its targets. open and close run on the main thread, the rest
 * on the loop's.
 */
#pragma once

#include "receiver.h"

/* On failure `reterr` (HF_ERROR_MAX) holds a sentence, and the job is to be closed. */
HF_MUST_USE enum hf_status prom_job_open(struct prom_receiver *receiver,
                                         const struct prom_job *config,
                                         struct prom_job_state *ret_job, char *reterr);
void prom_job_close(struct prom_job_state *job);

/*
 * These are all targets that discovery knows of the job by now: new ones are scraped from now on,
 * those that are no more get staleness markers.
 */
void prom_job_set_targets(struct prom_job_state *job, const struct prom_found *found, size_t count);

/* At a stop. */
void prom_job_abandon_targets(struct prom_job_state *job);
