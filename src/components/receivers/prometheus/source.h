/*
 * source: the kinds of sources, and what they share. See discovery.h.
 */
#pragma once

#include "config_discovery.h"
#include "discovery.h"
#include "prometheus/target_groups.h"

/* NULL: out of memory, or for what `reterr` (HF_ERROR_MAX) says. Main thread. */
struct prom_source *prom_source_static(struct prom_job_state *job);
struct prom_source *prom_source_file(struct prom_job_state *job, const struct prom_file_sd *config);
struct prom_source *prom_source_http(struct prom_job_state *job, const struct prom_http_sd *config,
                                     char *reterr);
struct prom_source *prom_source_dns(struct prom_job_state *job, const struct prom_dns_sd *config);
struct prom_source *prom_source_kubernetes(struct prom_job_state *job,
                                           const struct prom_kube_sd *config, char *reterr);

/* The source has found others: tells the job, which has copied what it needs when this returns. */
void prom_source_report(struct prom_source *source, struct prom_found *found, size_t count);

/* Something went wrong: logged, at most once a minute for each sentence. */
void prom_source_say(const struct prom_source *source, const char *what, const char *why);

/* Appends the targets of groups to `found`, each with `more`. All in the arena. False: no memory.
 */
HF_MUST_USE bool prom_source_expand(const struct hf_target_group *groups, size_t count,
                                    const struct hf_prom_label *more, struct hf_arena *arena,
                                    struct prom_found **ret_found, size_t *ret_count);
