#include "job_files.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "prometheus/late_config.h"
#include "util/compress/compress.h"

#define FILE_BYTES_MAX ((size_t)4 << 20)
#define FILES_MAX 1024u
#define PIECE_BYTES ((size_t)64 << 10)

struct jobs_of_file {
    struct hf_struct_list jobs; /* struct prom_job */
};

struct prom_job_files {
    struct hf_late_config *configs[FILES_MAX];
    const struct jobs_of_file *files[FILES_MAX];
    size_t count;
};

static const struct hf_field fields[] = {
    {.key = "scrape_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct jobs_of_file, jobs),
     .inner = prom_job_fields,
     .inner_size = sizeof(struct prom_job),
     .help = "The jobs."},
    HF_FIELDS_END,
};

void prom_job_files_free(struct prom_job_files *files)
{
    for (size_t i = 0; files != NULL && i < files->count; i++) {
        hf_late_config_free(files->configs[i]);
    }
    free(files);
}

size_t prom_job_files_count(const struct prom_job_files *files)
{
    size_t count = 0;
    for (size_t i = 0; files != NULL && i < files->count; i++) {
        count += files->files[i]->jobs.count;
    }
    return count;
}

const struct prom_job *prom_job_files_at(const struct prom_job_files *files, size_t index)
{
    size_t i = 0;
    while (index >= files->files[i]->jobs.count) {
        index -= files->files[i++]->jobs.count;
    }
    return (const struct prom_job *)files->files[i]->jobs.items + index;
}

/* ---- reading ---- */

static enum hf_status read_text(const char *path, struct hf_bytes *text, char *reterr)
{
    FILE *stream = fopen(path, "re");
    enum hf_status status = stream != NULL ? HF_OK : HF_INVALID;
    size_t got = 1;
    text->size = 0;
    while (status == HF_OK && got != 0 && text->size <= FILE_BYTES_MAX) {
        status = hf_bytes_reserve(text, text->size + PIECE_BYTES);
        if (status == HF_OK) {
            got = fread(text->data + text->size, 1, PIECE_BYTES, stream);
            text->size += got;
        }
    }
    if (status == HF_INVALID || (stream != NULL && ferror(stream) != 0)) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: %.300s: %s", path,
                 strerror(errno));
        status = HF_INVALID;
    } else if (status == HF_OK && text->size > FILE_BYTES_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: %.300s is larger than 4 MiB",
                 path);
        status = HF_INVALID;
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return status;
}

static bool is_taken(const struct prom_job_files *files, const struct prom_file_config *config,
                     const char *name, size_t before)
{
    const struct prom_job *jobs = config->jobs.items;
    bool found = false;
    for (size_t i = 0; i < config->jobs.count && !found; i++) {
        found = strcmp(jobs[i].job_name, name) == 0;
    }
    for (size_t i = 0; i < before && !found; i++) {
        found = strcmp(prom_job_files_at(files, i)->job_name, name) == 0;
    }
    return found;
}

/* The jobs of the last file. */
static enum hf_status check_jobs(const struct prom_job_files *files,
                                 const struct prom_file_config *config, const char *path,
                                 char *reterr)
{
    size_t count = prom_job_files_count(files);
    size_t first = count - files->files[files->count - 1]->jobs.count;
    for (size_t i = first; i < count; i++) {
        const struct prom_job *job = prom_job_files_at(files, i);
        const char *why = prom_check_job(&config->global, job);
        if (why == NULL && is_taken(files, config, job->job_name, i)) {
            why = "there are two jobs of one name; rename one";
        }
        if (why != NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%.200s: job \"%.60s\": %.200s", path, job->job_name,
                     why);
            return HF_INVALID;
        }
    }
    return HF_OK;
}

static enum hf_status read_file(struct prom_job_files *files, const char *path,
                                const struct prom_file_config *config, struct hf_bytes *text,
                                char *reterr)
{
    const void *made = NULL;
    char why[HF_LATE_CONFIG_ERROR_MAX];
    if (files->count == FILES_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: more than %u files",
                 FILES_MAX);
        return HF_INVALID;
    }
    enum hf_status status = read_text(path, text, reterr);
    if (status != HF_OK) {
        return status;
    }
    status = hf_late_config_read_one(hf_slice_of(text->data, text->size), path, fields,
                                     sizeof(struct jobs_of_file), &files->configs[files->count],
                                     &made, why);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: %.400s", why);
        return status;
    }
    files->files[files->count++] = made;
    return check_jobs(files, config, path, reterr);
}

static enum hf_status read_pattern(struct prom_job_files *files, const char *pattern,
                                   const struct prom_file_config *config, char *reterr)
{
    struct hf_bytes text = {0};
    glob_t found = {0};
    enum hf_status status = HF_OK;
    int rc = glob(pattern, 0, NULL, &found);
    if (rc != 0 && rc != GLOB_NOMATCH) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: %.300s cannot be looked for",
                 pattern);
        status = HF_INVALID;
    } else if (rc == GLOB_NOMATCH && strpbrk(pattern, "*?[") == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "config: scrape_config_files: there is no file %.300s",
                 pattern);
        status = HF_INVALID;
    }
    for (size_t i = 0; status == HF_OK && i < found.gl_pathc; i++) {
        status = read_file(files, found.gl_pathv[i], config, &text, reterr);
    }
    globfree(&found);
    hf_bytes_release(&text);
    return status;
}

enum hf_status prom_job_files_read(const struct prom_file_config *config,
                                   struct prom_job_files **ret_files, char *reterr)
{
    struct prom_job_files *files = calloc(1, sizeof(*files));
    enum hf_status status = files != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; status == HF_OK && i < config->job_files.count; i++) {
        status = read_pattern(files, config->job_files.items[i], config, reterr);
    }
    if (status != HF_OK) {
        prom_job_files_free(files);
        return status;
    }
    *ret_files = files;
    return HF_OK;
}
