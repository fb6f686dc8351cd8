/*
 * read: one answer of a target, or that there was none, as batches on the target's lane: its
 * samples, markers for the series that have vanished, and the series that say how it went. The
 * loop's thread.
 */
#pragma once

#include "receiver.h"

struct prom_answer {
    struct hf_slice body;
    enum hf_expo_format format;
    const char *error;    /* why there is none; NULL: there is one */
    uint64_t started_ns;  /* Unix time, the time of the samples */
    uint64_t duration_ns; /* until the answer was there */
};

#define PROM_READ_ERROR_MAX 320

/*
 * Builds the batches into the lane's builder, which is finished. False: the scrape failed, for what
 * `reterr` (PROM_READ_ERROR_MAX) says; the batches say so, too.
 */
bool prom_read(struct prom_target *target, const struct prom_answer *answer, char *reterr);

/* Markers for all its series, as it is not scraped any more. */
void prom_read_end(struct prom_target *target);
