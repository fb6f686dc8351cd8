/*
 * discovery: the targets of a job, from where its configuration says. The loop's thread.
 */
#pragma once

#include "receiver.h"

void prom_discovery_start(struct prom_job_state *job);
/* Nothing of it calls the job any more. */
void prom_discovery_stop(struct prom_job_state *job);
