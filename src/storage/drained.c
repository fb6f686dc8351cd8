/*
 * drained: closes and removes a queue that nothing is appended to any more, once all consumers that
 * it knows are done with it.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "storage_internal.h"
#include "util/log/log.h"

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
    return hf_storage_find_queue(store, pipeline) != NULL ||
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
    bool is_open;
};

static void add_up(void *user, const struct wal_consumer_stat *stat)
{
    struct sum *sum = user;
    sum->consumers++;
    sum->records += stat->accounting.queued.records;
    sum->is_open = sum->is_open || stat->open;
}

/* With no consumer all that is stored counts as waiting: who was to have it is not known. */
static bool is_drained(struct wal *wal, bool *ret_is_open)
{
    struct wal_stat stat;
    struct sum sum = {0};
    wal_stat(wal, &stat);
    bool is_done = wal_consumer_each(wal, add_up, &sum) == WAL_OK && sum.records == 0 &&
                   stat.admitted == 0 &&
                   (sum.consumers != 0 || stat.first_sequence == stat.next_sequence);
    *ret_is_open = sum.is_open;
    return is_done;
}

bool hf_storage_is_drained(struct hf_storage *store, const char *pipeline)
{
    bool is_open = false;
    hf_storage_hold(store);
    const struct open_queue *queue = hf_storage_find_queue(store, pipeline);
    bool is_done = queue != NULL && is_drained(queue->wal, &is_open);
    hf_storage_release(store);
    return is_done;
}

/* Of a folder that is not open. */
static bool is_folder_drained(const char *path)
{
    const struct wal_options options = {.directory = path, .read_only = true};
    struct wal *wal = NULL;
    bool is_open = false;
    if (wal_open(&options, &wal) != WAL_OK) {
        return false;
    }
    bool is_done = is_drained(wal, &is_open);
    wal_close(wal);
    return is_done;
}

/* Closes the queue if it is open. False: something is in it, or someone has it. */
static bool end_drained(struct hf_storage *store, const char *pipeline, const char *path)
{
    if (pthread_rwlock_trywrlock(&store->holds) != 0) {
        return false;
    }
    struct open_queue *queue = hf_storage_find_queue(store, pipeline);
    bool is_open = false;
    bool is_done = queue != NULL ? is_drained(queue->wal, &is_open) && !is_open : true;
    if (queue != NULL && is_done) {
        hf_storage_take_out(store, queue);
    }
    pthread_rwlock_unlock(&store->holds);
    if (queue == NULL) {
        return is_folder_drained(path);
    }
    if (is_done) {
        hf_storage_close_queue(queue);
    }
    return is_done;
}

bool hf_storage_remove_drained(struct hf_storage *store, const char *pipeline)
{
    char path[PATH_BYTES_MAX], removed[PATH_BYTES_MAX];
    queue_path(store, "", pipeline, path);
    queue_path(store, REMOVED, pipeline, removed);
    if (!end_drained(store, pipeline, path)) {
        return false;
    }
    remove_folder(removed);
    if (rename(path, removed) == 0) { /* otherwise at the next start */
        remove_folder(removed);
        hf_log_line(store->log, HF_LOG_INFO, pipeline,
                    "this queue was one of the shards of its pipeline; it is empty, and removed");
    }
    return true;
}
