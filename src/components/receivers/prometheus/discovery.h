/*
 * discovery: where a job's targets come from: its sources, each of which knows some targets, and
 * tells when these are others. The targets of the job are those of all its sources.
 *
 * A source embeds struct prom_source. make and free run on the main thread, free when the loop is
 * gone; the rest on the loop's.
 */
#pragma once

#include "receiver.h"

#define PROM_SOURCE_BYTES_MAX ((size_t)256 << 20) /* of what it has found */

struct prom_source_ops {
    void (*start)(struct prom_source *source);
    /* Nothing of it reports any more. */
    void (*stop)(struct prom_source *source);
    void (*free)(struct prom_source *source);
};

struct prom_source {
    const struct prom_source_ops *ops;
    struct prom_job_state *job;
    struct prom_source *next; /* of the job */
    const char *kind;         /* for the log: "file_sd" */
    struct prom_found *found;
    size_t found_count;
};

/* The sources that the job's configuration names. On failure `reterr` (HF_ERROR_MAX) holds a
 * sentence. */
HF_MUST_USE enum hf_status prom_discovery_make(struct prom_job_state *job, char *reterr);
void prom_discovery_free(struct prom_job_state *job);

void prom_discovery_start(struct prom_job_state *job);
void prom_discovery_stop(struct prom_job_state *job);
