/*
 * storage_internal: what the files of the storage share: storage.c, the directory and its lock;
 * queues.c, the queues in it; storage_paths.c, names and errors.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "arrivals.h"
#include "storage.h"

#define PATH_BYTES_MAX 4096

/* An open queue. */
struct open_queue {
    struct open_queue *next;
    const char *kind; /* one of HF_STORAGE_... */
    char *id;
    struct wal *wal;
    struct wal_limits limits;    /* in force */
    bool is_asked;               /* the limits are a configuration's, not presumed */
    struct wal_consumer *reader; /* of dead letters: keeps them until an operator takes them */
    struct hf_storage *store;
};

struct hf_storage {
    char *directory;
    struct hf_log *log;
    struct wal_lock *lock;
    bool no_fsync;
    uint64_t max_bytes;
    /* Who reads has it while using a queue that is not its own; who removes one has it alone, or
     * comes again later. Taken before the mutex. */
    pthread_rwlock_t holds;
    pthread_mutex_t mutex; /* guards the next three */
    struct open_queue *queues;
    size_t count;
    struct hf_requeue_watch *watches;
    atomic_bool draining;
    struct hf_arrivals arrivals;
};

/* storage_paths.c: an error of the directory as one sentence with its path and the uid. */
void hf_storage_explain(enum wal_status status, const char *path, char *reterr);
/* An errno: a name in it may not be durable; 0: it is. */
int hf_storage_sync_directory(const char *path);

/* queues.c */
void hf_storage_close_queues(struct hf_storage *store);
/* The open queue of a pipeline; NULL: none. It stays while it is held. */
struct open_queue *hf_storage_find_queue(struct hf_storage *store, const char *pipeline);
/* Takes it out of the list: no one else has it then; and ends it. */
void hf_storage_take_out(struct hf_storage *store, struct open_queue *queue);
void hf_storage_close_queue(struct open_queue *queue);

/* drained.c: removes the rest of folders whose removal a kill has interrupted. */
void hf_storage_remove_rest(const struct hf_storage *store);
