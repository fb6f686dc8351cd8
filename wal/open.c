/*
 * open: the options, the threads, and the way in and out. What is found in the directory is
 * recover.c's.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "recover.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define SEGMENT_BYTES (UINT64_C(64) << 20)
#define SEGMENT_BYTES_MAX (UINT64_C(4) << 30)
#define GROUP_RECORDS 64u
#define GROUP_BYTES ((size_t)4 << 20)
#define TAIL_BYTES ((size_t)8 << 20)
/* Address space only, for the largest record and its pages; no memory. */
#define MAP_SLACK_BYTES (UINT64_C(512) << 20)
#define RETIRED_MAX 64u

static void fill_options(struct wal_options *options)
{
    options->segment_bytes = options->segment_bytes == 0 ? SEGMENT_BYTES : options->segment_bytes;
    if (options->segment_bytes < WAL_SEGMENT_BYTES_MIN) {
        options->segment_bytes = WAL_SEGMENT_BYTES_MIN;
    }
    if (options->segment_bytes > SEGMENT_BYTES_MAX) {
        options->segment_bytes = SEGMENT_BYTES_MAX;
    }
    options->group_records = options->group_records == 0 ? GROUP_RECORDS : options->group_records;
    options->group_bytes = options->group_bytes == 0 ? GROUP_BYTES : options->group_bytes;
    options->tail_bytes = options->tail_bytes == 0 ? TAIL_BYTES : options->tail_bytes;
}

static bool copy_paths(struct wal *wal, const struct wal_options *options)
{
    wal->directory = strdup(options->directory);
    if (options->damaged_directory != NULL) {
        wal->damaged_directory = strdup(options->damaged_directory);
    } else if (asprintf(&wal->damaged_directory, "%s/damaged", options->directory) < 0) {
        wal->damaged_directory = NULL;
    }
    wal->options.directory = wal->directory;
    wal->options.damaged_directory = wal->damaged_directory;
    return wal->directory != NULL && wal->damaged_directory != NULL;
}

static bool init_waiting(struct wal *wal)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool is_ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(&wal->janitor.wake, &attributes) == 0 &&
                    pthread_cond_init(&wal->janitor.done, NULL) == 0 &&
                    pthread_mutex_init(&wal->lock, NULL) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return is_ready;
}

static void free_consumers(struct wal_consumer *consumer)
{
    while (consumer != NULL) {
        struct wal_consumer *next = consumer->next;
        assert(!consumer->is_open);
        wal_consumer_free(consumer);
        consumer = next;
    }
}

static void free_wal(struct wal *wal)
{
    struct wal_drops drops = {.count = 0};

    while (!wal_tail_release(&wal->tail, &drops)) {
        wal_drops_flush(&drops);
    }
    wal_drops_flush(&drops);
    for (size_t i = 0; i < wal->segment_count; i++) {
        wal_segment_free(wal->segments[i]);
    }
    for (size_t i = 0; i < wal->janitor.retired_count; i++) {
        wal_segment_free(wal->janitor.retired[i]);
    }
    free(wal->segments);
    free(wal->janitor.retired);
    free_consumers(wal->consumers);
    free_consumers(wal->removed);
    wal_checkpoints_release(&wal->checkpoints);
    wal_tenants_release(&wal->tenants);
    if (wal->directory_fd >= 0) {
        (void)close(wal->directory_fd);
    }
    (void)pthread_mutex_destroy(&wal->lock);
    (void)pthread_cond_destroy(&wal->janitor.wake);
    (void)pthread_cond_destroy(&wal->janitor.done);
    free(wal->directory);
    free(wal->damaged_directory);
    free(wal);
}

static struct wal *new_wal(const struct wal_options *options)
{
    struct wal *wal = calloc(1, sizeof(*wal));

    if (wal == NULL) {
        return NULL;
    }
    if (!init_waiting(wal)) {
        free(wal);
        return NULL;
    }
    wal->options = *options;
    wal->directory_fd = -1;
    wal_submit_init(&wal->submit);
    fill_options(&wal->options);
    wal_space_limit(wal, &(struct wal_limits){options->max_bytes, options->drop_oldest});
    wal->tail.bytes_max = wal->options.tail_bytes;
    wal->janitor.retired = calloc(RETIRED_MAX, sizeof(struct wal_segment *));
    wal->janitor.retired_room = RETIRED_MAX;
    if (!copy_paths(wal, options) || wal->janitor.retired == NULL ||
        getrandom(wal->origin, sizeof(wal->origin), 0) != (ssize_t)sizeof(wal->origin)) {
        free_wal(wal);
        return NULL;
    }
    wal->appended_ns = hf_clock_coarse_ns();
    return wal;
}

static enum wal_status open_directory(struct wal *wal)
{
    enum wal_status status =
        wal_fs_open_directory(wal->directory, !wal->options.read_only, &wal->directory_fd);

    wal->segment_options = (struct wal_segment_options){
        .directory = wal->directory,
        .directory_fd = wal->directory_fd,
        .map_bytes = wal->options.segment_bytes + wal->options.segment_bytes / 4 +
                     2 * wal->options.group_bytes + MAP_SLACK_BYTES,
        .no_fsync = wal->options.no_fsync,
    };
    wal->janitor.store = (struct wal_store){
        .directory = wal->directory,
        .directory_fd = wal->directory_fd,
        .no_fsync = wal->options.no_fsync,
    };
    return status;
}

/* The library's threads take no signal: they are the program's. */
static enum wal_status start_threads(struct wal *wal)
{
    sigset_t all, before;

    hf_thread_signals(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    wal->janitor.is_running = true; /* it may have ended when pthread_create() returns */
    wal->has_janitor = pthread_create(&wal->janitor.thread, NULL, wal_janitor_run, wal) == 0;
    if (wal->has_janitor) {
        (void)pthread_setname_np(wal->janitor.thread, "wal-janitor");
        wal->has_committer = pthread_create(&wal->committer, NULL, wal_committer_run, wal) == 0;
    }
    if (wal->has_committer) {
        (void)pthread_setname_np(wal->committer, "wal-commit");
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return wal->has_committer ? WAL_OK : WAL_NOMEM;
}

static void stop_threads(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    wal->is_closing = true;
    pthread_mutex_unlock(&wal->lock);
    if (wal->has_committer) {
        wal_submit_call(&wal->submit);
        (void)pthread_join(wal->committer, NULL);
        wal->has_committer = false;
    }
    if (wal->has_janitor) {
        pthread_mutex_lock(&wal->lock);
        wal->janitor.is_stopping = true;
        wal_janitor_call(wal);
        pthread_mutex_unlock(&wal->lock);
        (void)pthread_join(wal->janitor.thread, NULL);
    }
}

static enum wal_status open_all(struct wal *wal)
{
    bool must_write = false;

    enum wal_status status = open_directory(wal);
    if (status == WAL_OK) {
        status = wal_recover(wal, &must_write);
    }
    if (status != WAL_OK || wal->options.read_only) {
        return status;
    }
    status = start_threads(wal);
    if (status != WAL_OK || !must_write) {
        return status;
    }
    pthread_mutex_lock(&wal->lock);
    status = wal_janitor_flush(wal, true);
    bool has_live = wal->segment_count == 0 && wal->consumers == NULL;
    pthread_mutex_unlock(&wal->lock);
    /* A queue that holds something is opened whatever the disk says: it must be drained. */
    return has_live ? status : WAL_OK;
}

enum wal_status wal_open(const struct wal_options *options, struct wal **ret_wal)
{
    assert(options->directory != NULL);
    struct wal *wal = new_wal(options);

    if (wal == NULL) {
        return WAL_NOMEM;
    }
    enum wal_status status = open_all(wal);
    if (status != WAL_OK) {
        stop_threads(wal);
        free_wal(wal);
        return status;
    }
    *ret_wal = wal;
    return WAL_OK;
}

void wal_close(struct wal *wal)
{
    if (wal != NULL) {
        stop_threads(wal);
        free_wal(wal);
    }
}
