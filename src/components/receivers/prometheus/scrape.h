/*
 * scrape: when a target is asked, and asking it. The loop's thread.
 *
 * A target is due at whole intervals of its own, spread over the interval by its hash and steady
 * across restarts. What is due while its last scrape is in flight, or while batches of its lane
 * wait for room in a queue, is left out: nothing that was read is lost, and nothing piles up.
 */
#pragma once

#include "receiver.h"

/* Sets its timer. False: out of memory. */
HF_MUST_USE bool prom_scrape_start(struct prom_target *target);
/* Its timer stops; marks its series and frees it, now or when the scrape in flight has ended. */
void prom_scrape_end(struct prom_target *target);
/* At a stop: likewise, without markers, and the scrape in flight is cancelled. */
void prom_scrape_abandon(struct prom_target *target);

/* Moves the batches of a lane to its offer, as far as there is room. */
void prom_lane_pass_on(struct prom_lane *lane);
