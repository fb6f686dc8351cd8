#include "discovery.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "source.h"

/* Sources of the same kind stay in their order; false: it is NULL. */
static bool add(struct prom_job_state *job, struct prom_source *source)
{
    if (source != NULL) {
        source->next = job->sources;
        job->sources = source;
    }
    return source != NULL;
}

enum hf_status prom_discovery_make(struct prom_job_state *job, char *reterr)
{
    const struct prom_job *config = job->config;
    const struct prom_file_sd *files = config->files.items;
    const struct prom_http_sd *https = config->https.items;
    const struct prom_dns_sd *dns = config->dns.items;
    const struct prom_kube_sd *kubernetes = config->kubernetes.items;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    bool made = add(job, prom_source_static(job));
    for (size_t i = 0; i < config->files.count && made; i++) {
        made = add(job, prom_source_file(job, &files[i]));
    }
    for (size_t i = 0; i < config->https.count && made; i++) {
        made = add(job, prom_source_http(job, &https[i], reterr));
    }
    for (size_t i = 0; i < config->dns.count && made; i++) {
        made = add(job, prom_source_dns(job, &dns[i]));
    }
    for (size_t i = 0; i < config->kubernetes.count && made; i++) {
        made = add(job, prom_source_kubernetes(job, &kubernetes[i], reterr));
    }
    return made ? HF_OK : HF_INVALID;
}

void prom_discovery_free(struct prom_job_state *job)
{
    while (job->sources != NULL) {
        struct prom_source *source = job->sources;
        job->sources = source->next;
        source->ops->free(source);
    }
}

void prom_discovery_start(struct prom_job_state *job)
{
    for (struct prom_source *source = job->sources; source != NULL; source = source->next) {
        source->ops->start(source);
    }
}

void prom_discovery_stop(struct prom_job_state *job)
{
    for (struct prom_source *source = job->sources; source != NULL; source = source->next) {
        source->ops->stop(source);
    }
}
