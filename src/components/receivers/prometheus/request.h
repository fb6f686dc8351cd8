/*
 * request: the client of a job and the headers of its requests: accepted formats, credentials. The
 * loop's thread, but for open and close.
 */
#pragma once

#include "receiver.h"

struct prom_request {
    struct hf_header headers[PROM_HEADERS_MAX];
    size_t header_count;
    char timeout[32];
    char authorization[1024];
};

/* Makes the job's client, and what its requests have in common. On failure `reterr` (HF_ERROR_MAX)
 * holds a sentence. */
HF_MUST_USE enum hf_status prom_request_open(struct prom_job_state *job, char *reterr);
void prom_request_close(struct prom_job_state *job);

/* The headers of one scrape; they last as long as the request and the job. */
void prom_request_fill(struct prom_request *request, struct prom_job_state *job,
                       uint64_t timeout_ns);
