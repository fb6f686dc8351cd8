/*
 * storage: the data directory: its lock, the queue of each pipeline, the dead letters of each
 * exporter, and those of them that were requeued.
 *
 *   DIR/lock                     one process; see wal/lock.h
 *   DIR/queue/<pipeline>/        ids escaped: traces%2F2
 *   DIR/deadletter/<exporter>/   the same format
 *   DIR/requeue/<exporter>/      likewise; read by that exporter alone
 *   DIR/damaged/<kind>-<id>/     damaged records and files of that queue
 *   DIR/probe                    for a moment at the start, see data_dir_check.h
 *   DIR/max_bytes                the default limit of a queue, computed at the first start and kept
 *
 * Outlives the graph: a reload finds its queues open. The store is opened and closed on the main
 * thread, without any call under way; its queues on any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "wal/wal.h"

struct hf_arrivals;
struct hf_log;
struct hf_storage;

struct hf_storage_options {
    const char *directory;
    bool no_fsync;
    struct hf_log *log;
    void (*waiting)(void *user); /* called once when another process has the lock; may be NULL */
    void *user;
    const volatile int *stop_requested; /* ends the wait for the lock when it becomes non-zero */
};

/*
 * Makes the directory, takes its lock (waiting for another process, with a line in the log),
 * computes the default limit. On failure `reterr` (HF_ERROR_MAX) is one sentence with uid, path and
 * advice. HF_CLOSED: asked to stop while waiting.
 */
HF_MUST_USE enum hf_status hf_storage_open(const struct hf_storage_options *options,
                                           struct hf_storage **ret_store, char *reterr);
/* Closes every queue. NULL is nothing. */
void hf_storage_close(struct hf_storage *store);

/* The log that it was opened with; any thread. */
struct hf_log *hf_storage_log(const struct hf_storage *store);
const char *hf_storage_directory(const struct hf_storage *store);

/* Kinds of queues, and the names of their folders. */
#define HF_STORAGE_QUEUE "queue"
#define HF_STORAGE_DEAD_LETTERS "deadletter"
#define HF_STORAGE_REQUEUE "requeue"

struct hf_queue_options {
    uint64_t max_bytes; /* 0: the default of the directory */
    unsigned parts;     /* queues that the limit is divided among; 0 is 1 */
    bool drop_oldest;
};

/* The queue of that pipeline: the open one, with the limits that it has, or opened now. The
 * store's. On failure, of the disk or of memory, `reterr` (512 bytes) is a sentence. Any thread. */
HF_MUST_USE enum hf_status hf_storage_queue(struct hf_storage *store, const char *pipeline,
                                            const struct hf_queue_options *options,
                                            struct wal **ret_wal, char *reterr);

/* Is there a queue of a pipeline of that id: open, or a folder? Main thread. */
bool hf_storage_has_queue(struct hf_storage *store, const char *pipeline);
/* Are all consumers that the open queue knows done with all of it? */
bool hf_storage_is_drained(struct hf_storage *store, const char *pipeline);
/*
 * Closes and removes a queue that nothing appends to and no consumer has open, once all consumers
 * that it knows are done with it. False: it stays, for now. Main thread.
 */
bool hf_storage_remove_drained(struct hf_storage *store, const char *pipeline);

/* Until it is released no queue is removed: for a user of a `struct wal` that is not its own queue.
 * May be nested. Any thread; a NULL store is nothing. */
void hf_storage_hold(struct hf_storage *store);
void hf_storage_release(struct hf_storage *store);

/* Puts the limits of a configuration in force, and says in the log which of them are new. Nothing
 * is deleted to get below: see wal_set_limits(). */
void hf_storage_limit_queue(struct hf_storage *store, const char *pipeline,
                            const struct hf_queue_options *options);

/* The dead letters of that exporter, made when first needed, with those limits. NULL when they
 * cannot be opened. */
struct wal *hf_storage_dead_letters(struct hf_storage *store, const char *exporter,
                                    const struct wal_limits *limits);
/* Likewise for the existing dead letters of an exporter, requeued or not. */
void hf_storage_limit_dead_letters(struct hf_storage *store, const char *exporter,
                                   const struct wal_limits *limits);

/* The queue of requeued dead letters of that exporter, made when first needed. As
 * hf_storage_queue(). */
HF_MUST_USE enum hf_status hf_storage_requeue(struct hf_storage *store, const char *exporter,
                                              struct wal **ret_wal, char *reterr);

/* A delivery that is notified when its exporter gets requeued dead letters. Memory of the delivery.
 */
struct hf_requeue_watch {
    struct hf_requeue_watch *next; /* the store's */
    const char *exporter;
    /* The thread that makes the queue; must not block or call back. */
    void (*made)(void *user, struct wal *wal);
    void *user;
};

/* The queue when there is one; otherwise NULL, and `made` is called when there is. */
struct wal *hf_storage_watch_requeue(struct hf_storage *store, struct hf_requeue_watch *watch);
/* Returns when `made` is not called any more. One that does not watch: nothing. */
void hf_storage_unwatch_requeue(struct hf_storage *store, struct hf_requeue_watch *watch);
/* Whether a delivery of that exporter runs. */
bool hf_storage_is_watched(struct hf_storage *store, const char *exporter);

/* Opens every queue of the directory that is not open yet, with default limits, so that all are
 * listed and counted. False when one cannot be opened; the log says which and why. */
bool hf_storage_open_all(struct hf_storage *store);

/* The consumer that keeps the dead letters until an operator takes them. For the control thread
 * only; NULL: no dead letters. */
struct wal_consumer *hf_storage_dead_letter_reader(struct hf_storage *store, const char *exporter);

/* Every open queue, none of which is removed meanwhile. `visit` may call any of this. */
void hf_storage_each(struct hf_storage *store,
                     void (*visit)(void *user, const char *kind, const char *id, struct wal *wal),
                     void *user);

/* Draining: new data is refused while the exporters go on; lasts until it is taken back or the
 * store closes. Any thread. */
void hf_storage_set_draining(struct hf_storage *store, bool draining);
bool hf_storage_is_draining(const struct hf_storage *store);

/* The requests that name their records, see arrivals.h. The store's; any thread. */
struct hf_arrivals *hf_storage_arrivals(struct hf_storage *store);

/* Is every queue able to take data? Otherwise `ret_why` says why one of them is not. */
bool hf_storage_is_healthy(struct hf_storage *store, char *ret_why, size_t room);

enum hf_status hf_status_of_wal(enum wal_status status); /* as components are told it */

/* "traces/2" -> "traces%2F2" and back; `out` has room for 3 * strlen + 1. */
void hf_storage_escape(const char *id, char *out);
void hf_storage_unescape(const char *name, char *out);

/* The consumer's name in a dead-letter queue. */
#define HF_DEAD_LETTER_READER "operator"
