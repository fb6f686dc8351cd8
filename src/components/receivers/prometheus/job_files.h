/*
 * job_files: the jobs that stand in files of their own (`scrape_config_files`), read once at the
 * start. Main thread; immutable once read.
 */
#pragma once

#include "config.h"

struct prom_job_files;

/* Reads the files of all patterns. HF_INVALID with a sentence that names the file in `reterr`
 * (HF_ERROR_MAX): no file has that name, it is no YAML, or a job of it is wrong. HF_NOMEM. */
HF_MUST_USE enum hf_status prom_job_files_read(const struct prom_file_config *config,
                                               struct prom_job_files **ret_files, char *reterr);
/* NULL is nothing, here and below. */
void prom_job_files_free(struct prom_job_files *files);

size_t prom_job_files_count(const struct prom_job_files *files);
const struct prom_job *prom_job_files_at(const struct prom_job_files *files, size_t index);
