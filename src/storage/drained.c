/*
 * drained: removes the folder of a queue that nothing is appended to any more, once all consumers
 * that it knows are done with it.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "storage_internal.h"
#include "util/log.h"

/* Queues with a name that begins with a dot are none. A folder gets it before its files go, so that
 * a kill leaves either the whole queue or none. */
#define REMOVED ".removed-"

static void queue_path(const struct hf_storage *store, const char *prefix, const char *pipeline,
                       char *out)
{
    char escaped[3 * WAL_NAME_BYTES_MAX + 1];
    hf_storage_escape(pipeline, escaped);
    snprintf(out, PATH_BYTES_MAX, "%s/" HF_STORAGE_QUEUE "/%s%s", store->directory, prefix,
             escaped);
}

bool hf_storage_has_queue(struct hf_storage *store, const char *pipeline)
{
    char path[PATH_BYTES_MAX];
    struct stat info;
    if (strlen(pipeline) > WAL_NAME_BYTES_MAX) {
        return false;
    }
    queue_path(store, "", pipeline, path);
    return hf_storage_is_open(store, HF_STORAGE_QUEUE, pipeline) ||
           (lstat(path, &info) == 0 && S_ISDIR(info.st_mode));
}

/* Its files are in the folder itself. */
static void remove_folder(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *found;
    char file[PATH_BYTES_MAX];
    while (directory != NULL && (found = readdir(directory)) != NULL) {
        int size = snprintf(file, sizeof(file), "%s/%s", path, found->d_name);
        if (size > 0 && (size_t)size < sizeof(file)) {
            (void)unlink(file); /* "." and ".." cannot be */
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    (void)rmdir(path); /* what is left is tried again at the next start */
}

void hf_storage_remove_rest(const struct hf_storage *store)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/" HF_STORAGE_QUEUE, store->directory);
    DIR *directory = opendir(path);
    const struct dirent *found;
    char rest[PATH_BYTES_MAX];
    while (directory != NULL && (found = readdir(directory)) != NULL) {
        bool is_rest = strncmp(found->d_name, REMOVED, strlen(REMOVED)) == 0;
        int size = snprintf(rest, sizeof(rest), "%s/%s", path, found->d_name);
        if (is_rest && size > 0 && (size_t)size < sizeof(rest)) {
            remove_folder(rest);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
}

struct sum {
    size_t consumers;
    uint64_t records;
};

static void add_up(void *user, const struct wal_consumer_stat *stat)
{
    struct sum *sum = user;
    sum->consumers++;
    sum->records += stat->accounting.queued.records;
}

/* With no consumer all that is stored counts as waiting: who was to have it is not known. */
static bool is_drained(const char *path)
{
    const struct wal_options options = {.directory = path, .read_only = true};
    struct wal *wal = NULL;
    struct wal_stat stat;
    struct sum sum = {0};
    if (wal_open(&options, &wal) != WAL_OK) {
        return false;
    }
    wal_stat(wal, &stat);
    bool is_done = wal_consumer_each(wal, add_up, &sum) == WAL_OK && sum.records == 0 &&
                   (sum.consumers != 0 || stat.first_sequence == stat.next_sequence);
    wal_close(wal);
    return is_done;
}

bool hf_storage_remove_drained(struct hf_storage *store, const char *pipeline)
{
    char path[PATH_BYTES_MAX], removed[PATH_BYTES_MAX];
    if (hf_storage_is_open(store, HF_STORAGE_QUEUE, pipeline)) {
        return false;
    }
    queue_path(store, "", pipeline, path);
    queue_path(store, REMOVED, pipeline, removed);
    if (!is_drained(path)) {
        return false;
    }
    remove_folder(removed);
    if (rename(path, removed) != 0) {
        return false;
    }
    remove_folder(removed);
    hf_log_line(store->log, HF_LOG_INFO, pipeline,
                "this queue was one of the shards of its pipeline; it is empty, and removed");
    return true;
}
