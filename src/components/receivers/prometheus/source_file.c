/*
 * source_file: lists of targets in files, JSON or YAML by their names. They are looked at every few
 * seconds, and read again when one has changed; a file that cannot be read keeps its targets.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "source.h"
#include "util/time/clock.h"

#define LOOK_EVERY_NS (5 * HF_NS_PER_S)
#define FILE_BYTES_MAX ((off_t)64 << 20)

/* A file that was read. */
struct listed {
    struct listed *next;
    char *path;
    struct timespec changed;
    ino_t inode;
    off_t size;
    struct hf_arena arena; /* of what it has */
    struct prom_found *found;
    size_t count;
    bool is_there; /* at the present look */
};

struct file_source {
    struct prom_source source; /* first */
    const struct prom_file_sd *config;
    struct hf_timer timer;
    uint64_t interval_ns;
    struct listed *files;
    struct prom_found *all; /* of all files */
};

/* ---- a file ---- */

static void free_listed(struct listed *file)
{
    hf_arena_release(&file->arena);
    free(file->path);
    free(file);
}

static char *read_whole(const char *path, size_t *ret_size)
{
    struct stat about;
    FILE *stream = fopen(path, "re");
    char *text = NULL;
    if (stream != NULL && fstat(fileno(stream), &about) == 0 && about.st_size <= FILE_BYTES_MAX) {
        text = malloc((size_t)about.st_size + 1);
    }
    if (text != NULL) {
        *ret_size = fread(text, 1, (size_t)about.st_size, stream);
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return text;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t size = strlen(path), ending_size = strlen(ending);
    return size >= ending_size && strcasecmp(path + size - ending_size, ending) == 0;
}

/* Reads the file's targets into an arena of their own; the old ones stay until that is done. */
static bool read_targets(struct file_source *files, struct listed *file)
{
    struct hf_arena arena = {.limit = PROM_SOURCE_BYTES_MAX};
    struct hf_target_group *groups = NULL;
    struct prom_found *found = NULL;
    size_t size = 0, group_count = 0, count = 0;
    char why[HF_TARGET_GROUPS_ERROR_MAX] = "it cannot be opened, or is too large";
    char *text = read_whole(file->path, &size);
    enum hf_status status = HF_IO;
    if (text != NULL) {
        status = ends_with(file->path, ".json")
                     ? hf_target_groups_read_json(hf_slice_of(text, size), &arena, &groups,
                                                  &group_count, why)
                     : hf_target_groups_read_yaml(hf_slice_of(text, size), &arena, &groups,
                                                  &group_count, why);
    }
    free(text);
    const struct hf_prom_label more = {hf_slice_text("__meta_filepath"), hf_slice_text(file->path)};
    if (status == HF_OK &&
        !prom_source_expand(groups, group_count, &more, &arena, &found, &count)) {
        snprintf(why, sizeof(why), "out of memory for its targets");
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        prom_source_say(&files->source, file->path, why);
        hf_arena_release(&arena);
        return false;
    }
    hf_arena_release(&file->arena);
    file->arena = arena;
    file->found = found;
    file->count = count;
    return true;
}

/* ---- looking at them ---- */

static struct listed *find_listed(struct file_source *files, const char *path)
{
    struct listed *file = files->files;
    while (file != NULL && strcmp(file->path, path) != 0) {
        file = file->next;
    }
    if (file != NULL) {
        return file;
    }
    file = calloc(1, sizeof(*file));
    char *copy = strdup(path);
    if (file == NULL || copy == NULL) {
        free(file);
        free(copy);
        return NULL;
    }
    file->path = copy;
    file->next = files->files;
    files->files = file;
    return file;
}

/* True: its targets are others than before. */
static bool look_at(struct file_source *files, const char *path)
{
    struct stat about;
    struct listed *file = stat(path, &about) == 0 ? find_listed(files, path) : NULL;
    if (file == NULL) {
        return false;
    }
    file->is_there = true;
    bool is_same = file->inode == about.st_ino && file->size == about.st_size &&
                   file->changed.tv_sec == about.st_mtim.tv_sec &&
                   file->changed.tv_nsec == about.st_mtim.tv_nsec;
    file->inode = about.st_ino;
    file->size = about.st_size;
    file->changed = about.st_mtim;
    return !is_same && read_targets(files, file);
}

/* The memory of files that are gone is given back only after their targets are. */
static struct listed *take_gone(struct file_source *files)
{
    struct listed *gone = NULL;
    for (struct listed **at = &files->files; *at != NULL;) {
        struct listed *file = *at;
        if (file->is_there) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        file->next = gone;
        gone = file;
    }
    return gone;
}

static void report(struct file_source *files)
{
    size_t count = 0;
    for (const struct listed *file = files->files; file != NULL; file = file->next) {
        count += file->count;
    }
    struct prom_found *all = calloc(count + 1, sizeof(*all));
    if (all == NULL) {
        prom_source_say(&files->source, "all files", "out of memory");
        return;
    }
    size_t used = 0;
    for (const struct listed *file = files->files; file != NULL; file = file->next) {
        if (file->count != 0) {
            memcpy(all + used, file->found, file->count * sizeof(*all));
        }
        used += file->count;
    }
    prom_source_report(&files->source, all, count);
    free(files->all);
    files->all = all;
}

static void look(struct file_source *files)
{
    bool has_changed = false;
    for (struct listed *file = files->files; file != NULL; file = file->next) {
        file->is_there = false;
    }
    for (size_t i = 0; i < files->config->files.count; i++) {
        glob_t names;
        if (glob(files->config->files.items[i], 0, NULL, &names) == 0) {
            for (size_t k = 0; k < names.gl_pathc; k++) {
                has_changed |= look_at(files, names.gl_pathv[k]);
            }
            globfree(&names);
        }
    }
    struct listed *gone = take_gone(files);
    if (has_changed || gone != NULL) {
        report(files);
    }
    while (gone != NULL) {
        struct listed *file = gone;
        gone = file->next;
        free_listed(file);
    }
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct file_source *files = HF_CONTAINER(timer, struct file_source, timer);
    look(files);
    if (hf_loop_timer_set(files->source.job->receiver->loop, timer, now_ns + files->interval_ns) !=
        HF_OK) {
        prom_source_say(&files->source, "all files", "out of memory");
    }
}

static void start(struct prom_source *source)
{
    struct file_source *files = (struct file_source *)source;
    fire(&files->timer, hf_clock_monotonic_ns());
}

static void stop(struct prom_source *source)
{
    struct file_source *files = (struct file_source *)source;
    hf_loop_timer_stop(source->job->receiver->loop, &files->timer);
}

static void free_source(struct prom_source *source)
{
    struct file_source *files = (struct file_source *)source;
    while (files->files != NULL) {
        struct listed *file = files->files;
        files->files = file->next;
        free_listed(file);
    }
    free(files->all);
    free(files);
}

struct prom_source *prom_source_file(struct prom_job_state *job, const struct prom_file_sd *config)
{
    static const struct prom_source_ops ops = {start, stop, free_source};
    struct file_source *files = calloc(1, sizeof(*files));
    if (files == NULL) {
        return NULL;
    }
    files->source = (struct prom_source){.ops = &ops, .job = job, .kind = "file_sd"};
    files->config = config;
    files->timer.fire = fire;
    files->interval_ns = LOOK_EVERY_NS;
    uint64_t interval_ns;
    if (prom_duration(config->refresh_interval, &interval_ns) && interval_ns < LOOK_EVERY_NS) {
        files->interval_ns = interval_ns;
    }
    return &files->source;
}
