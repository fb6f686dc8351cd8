#include "storage.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "data_dir_check.h"
#include "storage_internal.h"
#include "util/log/log.h"
#include "wal/lock.h"

#define DEFAULT_MAX_BYTES (UINT64_C(20) << 30)

static enum hf_status take_lock(struct hf_storage *store, const struct hf_storage_options *options,
                                char *reterr)
{
    pid_t holder = 0;
    enum wal_status status = wal_lock_try(store->lock, &holder);
    if (status == WAL_CLOSED && options->stop_requested != NULL && *options->stop_requested != 0) {
        snprintf(reterr, HF_ERROR_MAX, "another process (%d) has the data directory %.300s",
                 (int)holder, store->directory);
        return HF_CLOSED;
    }
    if (status == WAL_CLOSED) {
        hf_log_line(store->log, HF_LOG_WARN, "store",
                    "another process (%d) has the data directory %s; waiting to take over",
                    (int)holder, store->directory);
    }
    if (status == WAL_CLOSED && options->waiting != NULL) {
        options->waiting(options->user);
    }
    while (status == WAL_CLOSED) {
        if (options->stop_requested != NULL && *options->stop_requested != 0) {
            return HF_CLOSED;
        }
        status = wal_lock_wait(store->lock);
        if (status == WAL_OK) {
            hf_log_line(store->log, HF_LOG_INFO, "store", "took over the data directory %s",
                        store->directory);
        }
    }
    return hf_status_of_wal(status);
}

/* The limit is kept in a file, so that it does not shrink from start to start as the queue fills.
 */
static void find_default_limit(struct hf_storage *store)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/max_bytes", store->directory);
    /* Never through a link: what it led to would be overwritten. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool is_foreign = fd < 0 && errno != ENOENT;
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    unsigned long long kept = 0;
    if (file != NULL) {
        if (fscanf(file, "%llu", &kept) != 1) {
            kept = 0;
        }
        fclose(file);
    }
    if (kept < (1u << 20)) {
        struct statvfs info;
        kept = DEFAULT_MAX_BYTES;
        if (statvfs(store->directory, &info) == 0) {
            uint64_t half = (uint64_t)info.f_bavail * info.f_frsize / 2;
            kept = half < kept ? half : kept;
        }
        fd = is_foreign ? -1
                        : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        file = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (file == NULL) {
            hf_log_line(store->log, HF_LOG_WARN, "store",
                        "cannot keep the default limit of a queue in %s: %s; it is estimated again "
                        "at the next start",
                        path,
                        is_foreign ? "it is a link or no file of this user" : strerror(errno));
        }
        if (file != NULL) {
            fprintf(file, "%llu\n", kept);
            fclose(file);
        }
    }
    store->max_bytes = kept;
}

/* All directories above `directory`. An errno, or 0. */
static int sync_parents(const char *directory)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s", directory);
    int error = hf_storage_sync_directory(path[0] == '/' ? "/" : ".");
    for (char *slash = strchr(path + 1, '/'); slash != NULL && error == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = hf_storage_sync_directory(path);
        *slash = '/';
    }
    return error;
}

/* Warns when other users may write there: they could remove or replace the queue. Mounts of
 * Kubernetes often are so, so it is no error. */
static void warn_if_open_to_others(const struct hf_storage *store)
{
    struct stat info;
    if (stat(store->directory, &info) == 0 && (info.st_mode & S_IWOTH) != 0) {
        hf_log_line(store->log, HF_LOG_WARN, "store",
                    "the data directory %s may be written by every user (mode %04o): any of them "
                    "can remove or replace what is queued; chmod 0700 it",
                    store->directory, (unsigned)info.st_mode & 07777u);
    }
}

/* Returns why one could not be made, as an errno; 0: all are there. */
static int make_parents(const char *directory)
{
    char path[PATH_BYTES_MAX];
    int error = 0;
    snprintf(path, sizeof(path), "%s", directory);
    for (char *slash = strchr(path + 1, '/'); slash != NULL && error == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = mkdir(path, 0755) != 0 && errno != EEXIST ? errno : 0;
        *slash = '/';
    }
    return error;
}

/* Each queue makes a folder in it when it has to: two may set aside a record of the same number. */
static void make_damaged(const struct hf_storage *store)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/damaged", store->directory);
    (void)mkdir(path, 0700);
}

/* A full disk does not prevent the start: requests are refused then, and deliveries make room. */
static enum hf_status check_directory(const struct hf_storage *store, char *reterr)
{
    char where[512];
    int error = hf_data_dir_check(store->directory, store->no_fsync);
    if (error == 0) {
        return HF_OK;
    }
    hf_data_dir_describe(store->directory, where, sizeof(where));
    if (error == ENOSPC || error == EDQUOT) {
        hf_log_line(store->log, HF_LOG_WARN, "store",
                    "no room in the data directory for uid %u: %s (%s); data is refused until "
                    "there is",
                    (unsigned)geteuid(), strerror(error), where);
        return HF_OK;
    }
    snprintf(reterr, 512,
             "the data directory %.120s does not keep what uid %u writes: %s (%.220s); choose "
             "another with --data-dir",
             store->directory, (unsigned)geteuid(), strerror(error), where);
    return HF_IO;
}

enum hf_status hf_storage_open(const struct hf_storage_options *options,
                               struct hf_storage **ret_store, char *reterr)
{
    struct hf_storage *store = calloc(1, sizeof(*store));
    if (store == NULL || (store->directory = strdup(options->directory)) == NULL) {
        free(store);
        return HF_NOMEM;
    }
    store->log = options->log;
    store->no_fsync = options->no_fsync;
    pthread_rwlock_init(&store->holds, NULL); /* a thread may hold it more than once */
    pthread_mutex_init(&store->mutex, NULL);
    pthread_mutex_init(&store->arrivals.mutex, NULL);
    int unmade = store->directory[0] != '\0' ? make_parents(store->directory) : 0;
    enum wal_status opened = wal_lock_open(store->directory, &store->lock);
    if (opened == WAL_MISSING && unmade != 0) { /* rather why it is missing */
        errno = unmade;
        opened = unmade == EACCES || unmade == EPERM || unmade == EROFS ? WAL_NO_RIGHT : WAL_IO;
    }
    if (opened != WAL_OK) {
        hf_storage_explain(opened, store->directory, reterr);
        hf_storage_close(store);
        return hf_status_of_wal(opened);
    }
    int unsynced = store->no_fsync ? 0 : sync_parents(store->directory);
    if (unsynced != 0) {
        snprintf(reterr, HF_ERROR_MAX, "cannot make the data directory %.400s durable: %s",
                 store->directory, strerror(unsynced));
        hf_storage_close(store);
        return HF_IO;
    }
    snprintf(reterr, HF_ERROR_MAX, "cannot lock the data directory %.400s", store->directory);
    enum hf_status status = take_lock(store, options, reterr);
    if (status != HF_OK) {
        hf_storage_close(store);
        return status;
    }
    status = check_directory(store, reterr);
    if (status != HF_OK) {
        hf_storage_close(store);
        return status;
    }
    warn_if_open_to_others(store);
    make_damaged(store);
    hf_storage_remove_rest(store);
    find_default_limit(store);
    if (store->no_fsync) {
        hf_log_line(
            store->log, HF_LOG_WARN, "store",
            "fsync is off: a power cut may lose what was acknowledged in the last seconds; a "
            "kill of the process still loses nothing");
    }
    *ret_store = store;
    return HF_OK;
}

void hf_storage_close(struct hf_storage *store)
{
    if (store == NULL) {
        return;
    }
    hf_storage_close_queues(store);
    wal_lock_free(store->lock);
    pthread_mutex_destroy(&store->mutex);
    pthread_rwlock_destroy(&store->holds);
    pthread_mutex_destroy(&store->arrivals.mutex);
    free(store->directory);
    free(store);
}

struct hf_log *hf_storage_log(const struct hf_storage *store)
{
    return store->log;
}

const char *hf_storage_directory(const struct hf_storage *store)
{
    return store->directory;
}

void hf_storage_set_draining(struct hf_storage *store, bool draining)
{
    if (atomic_exchange(&store->draining, draining) != draining) {
        hf_log_line(store->log, HF_LOG_INFO, "store",
                    draining ? "draining: clients are refused, queued data is delivered"
                             : "draining has ended: data is accepted again");
    }
}

bool hf_storage_is_draining(const struct hf_storage *store)
{
    return atomic_load(&store->draining);
}

struct hf_arrivals *hf_storage_arrivals(struct hf_storage *store)
{
    return &store->arrivals;
}
