/*
 * internal: the structures and functions that the files of the queue share.
 *
 * Three kinds of threads meet here. The committer alone creates and writes segments; the janitor
 * alone writes cursors and reclaim files; any thread may admit, append, read. What they share
 * is guarded by `lock`, which is held for memory work only: no file is touched and no callback
 * called with it.
 *
 * The segments follow each other without overlap: a record belongs to the segment in whose [first,
 * end) its sequence lies, and does not count in any other file. So a failed commit leaves nothing
 * that counts: the next segment begins at the same sequence.
 */
#pragma once

#include <pthread.h>

#include "checkpoints.h"
#include "cursor.h"
#include "retry.h"
#include "segment.h"
#include "store.h"
#include "submit.h"
#include "tail.h"
#include "tenants.h"
#include "wal.h"

#define WAL_SEGMENT_BYTES_MIN (UINT64_C(1) << 20)
#define WAL_SPARES_MAX 2u
#define WAL_INDEXES_MAX 2u /* kept open beyond those in use */
#define WAL_READ_MOST 256u /* records of one read */
#define WAL_RATE_SECONDS 60u

#define WAL_LIVE_RANGES_MAX 64u

/* How far one reading position has come. */
struct wal_read_position {
    struct wal_place position; /* all before it is done with or in flight */
    uint64_t look; /* records from here on were not looked at yet; above `position` while the size
                      of a gap is unknown */
};

/* A range that the live position has read: all of it is done with or in flight. */
struct wal_read_range {
    struct wal_place first, end;
};

struct wal_consumer {
    struct wal_consumer *next;
    struct wal *wal;
    char name[WAL_NAME_BYTES_MAX + 1];
    struct wal_cursor cursor;
    bool is_open, is_dirty;
    bool is_stored;                      /* a row of its name exists, durably */
    struct wal_consumer_options options; /* names are not kept */
    bool is_armed;                       /* nothing was found: wake at the next record */
    bool is_blocked;                     /* too many ranges */
    bool is_wake_pending;                /* a wake, without a record */
    bool is_waking;                      /* the committer is in `wake` */
    struct wal_read_position backlog;
    /* Above it: live_ranges, which ascend and do not touch, and above those the range that still
     * grows, from `live_first` to `live.position`, while `has_live`. */
    bool has_live;
    struct wal_read_position live;
    struct wal_place live_first;
    struct wal_read_range live_ranges[WAL_LIVE_RANGES_MAX];
    size_t live_range_count;
    size_t in_flight;
    unsigned io_failures;
    uint64_t aged, aged_time_ns; /* the time of the record at a low that was looked up */
};

struct wal_space {
    uint64_t used;              /* of segments, as admission counts it */
    uint64_t retired;           /* of segments out of the queue whose files are still there */
    uint64_t outstanding_bytes; /* admitted, not committed */
    struct wal_amount outstanding;
    enum wal_status failed;   /* of the last commit */
    uint64_t tried_ns;        /* when one was last let through in spite of it */
    uint64_t checked_ns;      /* free space */
    uint64_t unchecked_bytes; /* admitted since */
    uint64_t available, floor, size;
};

struct wal_janitor {
    pthread_t thread;
    struct wal_store store; /* its own; the rest is under the queue's lock */
    unsigned next_spare;    /* likewise */
    pthread_cond_t wake;
    pthread_cond_t done; /* also: a wake of a consumer has returned */
    bool is_running, is_stopping, is_called;
    bool is_dirty; /* some cursor, since dirty_ns */
    uint64_t dirty_ns;
    uint64_t asked, done_upto, synced_upto; /* tickets of wal_janitor_flush() */
    bool is_sync_asked;
    enum wal_status status;       /* of the last write */
    int error;                    /* errno of it */
    struct wal_segment **retired; /* out of the queue, files still there */
    size_t retired_count, retired_room;
    struct wal_retry retry;   /* of a write of cursors that failed */
    struct wal_retry probe;   /* of commits, while they fail and there is no append */
    bool is_failing;          /* WAL_EVENT_CURSORS_FAILED was reported */
    bool is_refusing;         /* that event said that nothing is admitted */
    bool is_replace_asked;    /* everything is acknowledged and room is needed at once */
    bool is_spare_drop_asked; /* the spares are of other limits */
    bool is_idle;             /* spares and indexes were released for an idle queue */
};

struct wal {
    /* Fixed after the opening. */
    struct wal_options options; /* completed with what 0 stands for, but for what `limits` has;
                                   paths are own copies */
    char *directory, *damaged_directory;
    int directory_fd;
    struct wal_segment_options segment_options;
    uint8_t origin[WAL_ORIGIN_BYTES]; /* of what this opening appends */
    bool has_committer, has_janitor;

    struct wal_submit submit;

    /* The committer's own. */
    pthread_t committer;
    struct wal_segment
        *tail_segment; /* being written; NULL: none since the start or the last failure */
    struct wal_append *waiting, *waiting_last;
    unsigned next_file;
    bool is_failing; /* WAL_EVENT_WRITE_FAILED was reported */

    pthread_mutex_t lock;
    /* All below: under the lock. */
    bool is_closing;
    struct wal_limits limits;
    uint64_t segment_bytes; /* of the options, or less: as `limits` allow */
    struct wal_segment **segments;
    size_t segment_count, segment_room, index_count;
    uint64_t next_sequence;
    struct wal_amount total; /* of everything ever appended */
    struct wal_tail tail;
    struct wal_checkpoints checkpoints;
    struct wal_tenants tenants;
    struct wal_consumer *consumers;
    struct wal_consumer *removed; /* their rows are still stored */
    bool is_row_pending;   /* a new consumer's place is not durable yet: nothing is admitted */
    bool are_cursors_lost; /* a new name begins at the oldest record */
    struct wal_space space;
    unsigned spares[WAL_SPARES_MAX]; /* numbers of "spare-N.tmp", ready to be written */
    uint64_t spare_bytes[WAL_SPARES_MAX];
    size_t spare_count;
    uint8_t empty_pages[2 * 4096];
    bool has_empty_pages;
    bool is_rotate_asked; /* the janitor wants an empty tail segment */
    uint64_t appended_ns; /* monotonic, of the last commit */
    unsigned set_aside_count;
    struct wal_stat stat; /* the counters in it */
    uint64_t rate_bytes[WAL_RATE_SECONDS], rate_second;
    uint64_t rate_began; /* the second of the first append; 0: none yet */
    struct wal_janitor janitor;
};

/* ---- space.c ---- */

/* Takes other limits, and the size of segments that goes with them. Lock held. */
void wal_space_limit(struct wal *wal, const struct wal_limits *limits);
/* Whether the file system is too full for a new record. Lock held. */
bool wal_space_is_low(struct wal *wal);
/* Whether the queue is too full for a record of usual size. Lock held. */
bool wal_space_is_full(struct wal *wal);
/* Gives the janitor a segment that is no longer part of the queue; its list has room. Lock held. */
void wal_retire(struct wal *wal, struct wal_segment *segment);
/* The lowest sequence that some stored consumer still needs; UINT64_MAX without consumers. Lock
 * held. */
uint64_t wal_needed_from(const struct wal *wal);
/* Takes drained segments out of the queue, for the janitor to reclaim. Lock held. */
void wal_release_drained(struct wal *wal);
/* Evicts as the options allow (drop_oldest, orphans) until `bytes` more fit, and waits for the
 * janitor to reclaim files. The committer, without the lock. */
void wal_make_room(struct wal *wal, uint64_t bytes);

/* ---- commit.c, publish.c ---- */

void *wal_committer_run(void *wal);
struct wal_commit_times {
    uint64_t whole_ns, sync_ns;
};
/* After a good commit: makes a group visible and completes it. */
void wal_publish(struct wal *wal, struct wal_append *group, const struct wal_commit_times *times);
void wal_refuse(struct wal *wal, struct wal_append *group, enum wal_status status);
/* Whether `read_pos` is so near to the end that it is served from memory. Lock held. */
bool wal_follows(const struct wal *wal, const struct wal_read_position *read_pos);
/* Calls consumers that wait for records. The committer, without the lock. */
void wal_wake_consumers(struct wal *wal);
/* Removes records from the tail in memory that no consumer near the end still has to read, as far
 * as `drops` has room; true when there is more to remove. Lock held. */
bool wal_trim_tail(struct wal *wal, struct wal_drops *drops);

/* ---- consumer_read.c ---- */

/* Begins to read at the lowest record that is not done with, and nowhere else. Lock held. */
void wal_read_position_reset(struct wal_consumer *consumer);

/* ---- rotate.c: the committer's ---- */

/* A file open for writing under a passing name; nothing of it is in the queue yet. */
WAL_MUST_USE enum wal_status wal_rotate_create(struct wal *wal, struct wal_segment **ret_segment,
                                               int *ret_errno);
/* After its first commit: gives it its name, durably, closes the tail before it and puts it into
 * the queue. */
WAL_MUST_USE enum wal_status wal_rotate_install(struct wal *wal, struct wal_segment *segment,
                                                int *ret_errno);
/* Removes a file that was never installed. */
void wal_rotate_discard(struct wal *wal, struct wal_segment *segment);
/* The tail is written no more. */
void wal_rotate_close_tail(struct wal *wal);

/* ---- janitor.c ---- */

void *wal_janitor_run(void *wal);

/* ---- janitor_requests.c; lock held ---- */

/* Wakes the janitor. */
void wal_janitor_call(struct wal *wal);
/* The consumer's cursor has to be written. */
void wal_mark_dirty(struct wal *wal, struct wal_consumer *consumer);
/* Waits until all cursors as they are now are written, durably when `sync`. Releases the lock while
 * it waits. */
enum wal_status wal_janitor_flush(struct wal *wal, bool sync);

/* ---- segments.c: the run of segments; lock held ---- */

/* Room for one more. WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_segments_reserve(struct wal *wal);
/* Index of the segment that holds `sequence` or, if none does, of the first above it; segment_count
 * when there is none. */
size_t wal_segments_find(const struct wal *wal, uint64_t sequence);
void wal_segment_free(struct wal_segment *segment);
/* First sequence that is still stored, or the next one. */
uint64_t wal_first_sequence(const struct wal *wal);

/* ---- reader.c ---- */

struct wal_request {
    uint64_t from, until;
    size_t most, most_bytes;
    bool is_forced; /* a record that cannot be read counts as damaged */
    bool is_alone;  /* one record here and there: no index is made for it, its origin is not read */
};

struct wal_batch {
    struct wal_record *records; /* the caller's room for `most`; each takes a reference */
    struct wal_amount before[WAL_READ_MOST];
    size_t count;
    uint64_t look; /* all below was looked at */
};

/* A segment in use by a reader: it is neither closed nor reclaimed meanwhile. Lock held. */
struct wal_hold {
    struct wal_segment *segment;
    bool by_env; /* it was the tail: read by LMDB */
};
void wal_hold(struct wal_segment *segment, struct wal_hold *ret_hold);
void wal_hold_release(struct wal *wal, struct wal_hold *hold);

/* Reads from a segment that is held. Damaged records are left out. WAL_IO, WAL_NOMEM: nothing was
 * read. Any thread, without the lock. */
WAL_MUST_USE enum wal_status wal_read(struct wal *wal, const struct wal_hold *hold,
                                      const struct wal_request *request, struct wal_batch *batch);

/*
 * The first good record at or above `sequence`, as a place; the end of the queue when there is
 * none. Any thread, without the lock.
 */
WAL_MUST_USE enum wal_status wal_locate(struct wal *wal, uint64_t sequence,
                                        struct wal_place *ret_place, uint64_t *ret_time_ns);

/* ---- event.c ---- */

void wal_notify(struct wal *wal, const struct wal_event *event);
/* Where a damaged record is kept. */
void wal_damaged_path(const struct wal *wal, uint64_t sequence, char *ret_path, size_t size);
/* Keeps the bytes of a damaged record, once. */
void wal_keep_damaged(struct wal *wal, uint64_t sequence, const void *bytes, size_t size);
/* Counts and reports [first, upto) as damaged, except what was reported before. Without the lock.
 */
void wal_notify_damage(struct wal *wal, uint64_t first, uint64_t upto, struct wal_amount amount);

/* ---- reclaim.c: the janitor's ---- */

/* Recycles, sets aside or unlinks the files of retired segments. `is_safe`: the cursors past them
 * are durable. */
void wal_reclaim(struct wal *wal, bool is_safe, bool is_closing);
/* Unlinks the spare files. */
void wal_drop_spares(struct wal *wal);
/* Closes environments and indexes that are not in use; with `all`, also the indexes kept for the
 * next reader. */
void wal_close_unused(struct wal *wal, bool all);

/* ---- consumer.c ---- */

struct wal_consumer *wal_consumer_find(struct wal *wal, const char *name);
void wal_consumer_free(struct wal_consumer *consumer);
