/*
 * wal: a durable queue of records with any number of consumers, in LMDB segment files.
 *
 * A record is appended once and read by each consumer at its own pace; it leaves the disk when the
 * last consumer has acknowledged it. Order is FIFO. Delivery is at least once: after a crash a
 * consumer may see again what it had not acknowledged, or acknowledged in the last moment; nothing
 * else repeats and nothing is missing.
 *
 *   DIR/N.seg         LMDB environments, each named by its first sequence number; only appended to
 *   DIR/cursors.lmdb  what each consumer has acknowledged, and its accounting
 *
 * Threads: the library runs two of its own for each queue: the committer (group commit,
 * completions) and the janitor (cursors, drained segments). wal_close() comes when no other call is
 * under way; a consumer belongs to one thread at a time; all the rest may be called on any thread.
 *
 * The library writes no log: it reports by `event` and wal_stat(). It knows nothing of
 * what a body means.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/ref.h>
#include <holdfast/slice.h>

#define WAL_FORMAT_VERSION 1
#define WAL_BODY_BYTES_MAX (256u << 20)
#define WAL_META_BYTES_MAX 65535u
#define WAL_NAME_BYTES_MAX 255u
#define WAL_CHECKPOINT_BYTES_MAX 1024u
#define WAL_ORIGIN_BYTES 16u
#define WAL_MUST_USE __attribute__((warn_unused_result))

enum wal_status {
    WAL_OK = 0,
    WAL_FULL,  /* max_bytes, or a consumer's limit, is reached: push back; room comes when consumers
                  acknowledge */
    WAL_SHARE, /* the tenant has its share of max_bytes: push back on its senders alone */
    WAL_NO_SPACE, /* the file system is full, or below the floor of free space: likewise */
    WAL_CLOSED,   /* the queue is closing: nothing was appended */
    WAL_IO, /* read or write error, errno kept in wal_stat: nothing of this group counts as appended
             */
    WAL_CORRUPT, /* what was read failed its check */
    WAL_NOMEM,
    WAL_TOO_LARGE, /* over WAL_BODY_BYTES_MAX or WAL_META_BYTES_MAX, or larger than max_bytes */
    WAL_TOO_NEW,   /* written by a newer format version */
    WAL_REMOTE,    /* the directory is on a network file system */
    WAL_NO_RIGHT,  /* the directory cannot be made or written by this user */
    WAL_MISSING,   /* no such directory, consumer or record */
};

/* One short sentence a status; never NULL. */
const char *wal_status_text(enum wal_status status);

/* ---- the queue ---- */

enum wal_event_kind {
    WAL_EVENT_DAMAGE, /* records or a file set aside: `records`, `bytes`, `path` (where it went) */
    WAL_EVENT_CURSORS_LOST, /* consumers start at the oldest segment: repeats, no loss */
    WAL_EVENT_WRITE_FAILED, /* a commit failed: `error` is errno */
    WAL_EVENT_WRITE_BACK,   /* commits succeed again */
    /* The consumers' places cannot be written: `error`, and `is_refusing` while nothing is admitted
     * for that reason. It is tried again until it succeeds. */
    WAL_EVENT_CURSORS_FAILED,
    WAL_EVENT_CURSORS_BACK, /* they are written again */
    WAL_EVENT_DROPPED,      /* drop_oldest or orphan pressure skipped `records` of `consumer` */
};

struct wal_event {
    enum wal_event_kind kind;
    uint64_t records, bytes; /* 0 when not known */
    int error;
    bool is_refusing;
    const char *path;     /* borrowed for the call; may be NULL */
    const char *consumer; /* likewise */
};

struct wal_options {
    const char *directory; /* made with mode 0700 when absent, its parent must exist; copied */
    /* Where damaged files are moved; NULL: DIR/damaged; made when needed. */
    const char *damaged_directory;
    uint64_t segment_bytes; /* a segment is rotated at this size; 0: 64 MiB; at least 1 MiB */
    /* On disk, kept within one segment (an eighth of it at most); 0: no limit of its own. */
    uint64_t max_bytes;
    /* Appends are refused when less is available; 0: 5 % of the file system, at most 1 GiB. */
    uint64_t free_floor_bytes;
    size_t group_records; /* most records of a commit; 0: 64 */
    size_t group_bytes;   /* 0: 4 MiB */
    size_t tail_bytes; /* most bytes of bodies kept in memory for consumers at the tail; 0: 8 MiB */
    bool no_fsync;    /* true: a power cut may lose what was acknowledged; SIGKILL still does not */
    bool drop_oldest; /* full: the slowest consumer skips its oldest records instead of WAL_FULL */
    /* Inspect a directory that no process writes: nothing is created, moved or repaired. */
    bool read_only;
    /* Called on any of the library's threads; must not call back; may be NULL. */
    void (*event)(void *user, const struct wal_event *event);
    void *user;
};

struct wal;

/*
 * Opens or creates a queue; reads no backlog, whatever its size. The caller holds the directory's
 * lock (lock.h). Damage is never a reason to fail. WAL_NO_RIGHT, WAL_REMOTE, WAL_TOO_NEW, WAL_IO,
 * WAL_NO_SPACE (a new queue on a full disk), WAL_NOMEM, WAL_MISSING (the parent, or with
 * read_only the directory, does not exist).
 */
WAL_MUST_USE enum wal_status wal_open(const struct wal_options *options, struct wal **ret_wal);

/*
 * Refuses new appends, commits and completes those that wait, writes the cursors, frees. All
 * consumers must be closed. NULL is nothing.
 */
void wal_close(struct wal *wal);

/* What may change while the queue runs; as in `struct wal_options`. */
struct wal_limits {
    uint64_t max_bytes;
    bool drop_oldest;
};

/*
 * Puts other limits in force, for every wal_admit() that begins after it; what was admitted before
 * stays admitted. Cannot fail and deletes nothing itself: below what is stored, the queue is full
 * until it has drained, or, with drop_oldest, until the next commits have evicted enough.
 * Kept in memory only: the next opening has its own. Any thread.
 */
void wal_set_limits(struct wal *wal, const struct wal_limits *limits);

/* ---- appending ---- */

/* Input checkpoint: the latest value of each name survives in the same commit as its record. */
struct wal_checkpoint {
    struct hf_slice name;  /* at most WAL_NAME_BYTES_MAX */
    struct hf_slice value; /* at most WAL_CHECKPOINT_BYTES_MAX; empty: forget the name */
    /*
     * When not NULL, instead of `value`: makes the new value of the present one, which is empty
     * when there is none, and has what the appends before this one in its group made of it. So it
     * never tells of a record that is not committed. Writes to `ret_value`, of
     * WAL_CHECKPOINT_BYTES_MAX; the size, 0 to forget the name. The committer's thread, once,
     * before `done`, under the queue's lock: memory work only.
     */
    size_t (*update)(void *user, struct hf_slice value, uint8_t *ret_value);
    void *user;
};

/* One record to append. The caller's memory, the queue's from wal_append() until `done`. */
struct wal_append {
    struct wal_append *next; /* the queue's */
    uint8_t kind; /* the caller's own, 0 to 255, kept as it is; so are coding and flags */
    uint8_t coding;
    uint16_t flags;
    uint32_t items;     /* the number of items in the accounting */
    uint64_t raw_bytes; /* the number of bytes in the accounting */
    uint64_t time_ns;   /* Unix time; the age of the record is counted from it */
    struct hf_slice meta, body;
    struct hf_ref *owner; /* keeps meta and body alive; the queue takes references of its own */
    const struct wal_checkpoint *checkpoints; /* borrowed until done */
    size_t checkpoint_count;
    /* Whose disk space it takes, a hash or another number; 0: no one's. `tenant_share`: thousandths
     * of max_bytes that the tenant may have; 0: all of it. */
    uint64_t tenant;
    uint32_t tenant_share;
    /*
     * The committer's thread, once, after the group is durable (or was refused). It may free the
     * append; it must not block. Completions of one group are called one after another in order of
     * append.
     */
    void (*done)(struct wal_append *append, enum wal_status status);
    uint64_t sequence;     /* set before `done` when WAL_OK */
    size_t admitted_bytes; /* the queue's */
};

/*
 * Takes room for one record of these sizes, so that several queues can be asked before any is
 * written to. WAL_OK, WAL_FULL, WAL_SHARE, WAL_NO_SPACE, WAL_IO (the last commits failed; one
 * append at a time is let through to try), WAL_TOO_LARGE, WAL_CLOSED. An admitted record is either
 * given to wal_append() or taken back by wal_admit_cancel().
 */
WAL_MUST_USE enum wal_status wal_admit(struct wal *wal, struct wal_append *append);
void wal_admit_cancel(struct wal *wal, struct wal_append *append);

/* Hands over an admitted append. Cannot fail here: `done` gets the result. */
void wal_append(struct wal *wal, struct wal_append *append);

/* The stored value of a checkpoint: copied into `value` (room of 1,024), size in `ret_size`.
 * WAL_MISSING. Any thread. */
WAL_MUST_USE enum wal_status wal_checkpoint_get(struct wal *wal, struct hf_slice name,
                                                uint8_t *value, size_t *ret_size);

/* Visits every stored checkpoint whose name begins with `prefix`, under the queue's lock: memory
 * work only, and no call of this library. Any thread. */
void wal_checkpoint_each(struct wal *wal, struct hf_slice prefix,
                         void (*visit)(void *user, struct hf_slice name, struct hf_slice value),
                         void *user);

/*
 * The next stored name that begins with `prefix`, from number `*at` on (0 at first), which steps
 * behind it: copied into `name` (room of WAL_NAME_BYTES_MAX). False: there are no more. Names that
 * come meanwhile may be missed. Any thread.
 */
WAL_MUST_USE bool wal_checkpoint_next(struct wal *wal, struct hf_slice prefix, uint32_t *at,
                                      uint8_t *name, size_t *ret_size);

/* ---- consuming ---- */

struct wal_consumer;

struct wal_consumer_options {
    const char *name;  /* at most WAL_NAME_BYTES_MAX; one open consumer a name */
    bool from_oldest;  /* a name that is new begins at the oldest record, not at the present */
    const char *adopt; /* take over the cursor and the accounting of that consumer, which is
                          removed; NULL: none */
    uint64_t limit_records, limit_items,
        limit_bytes; /* backlog at which wal_admit() says WAL_FULL; 0: none */
    /*
     * Called by the committer's thread when records are there after wal_consumer_read() had found
     * none; once for each such finding. Must not block. May be NULL.
     */
    void (*wake)(void *user);
    void *user;
};

/*
 * WAL_NOMEM, WAL_TOO_LARGE (name), WAL_MISSING (`adopt` names no stored consumer, or one that is
 * open; the consumer is not opened), WAL_CLOSED (read_only, or `name` is open), WAL_IO. The place
 * of a new name is durable on return; if the disk does not take it, nothing is admitted
 * (WAL_NO_SPACE) until it does. When both `name` and `adopt` are stored, the cursor that stands
 * lower is kept: repeats, no loss.
 */
WAL_MUST_USE enum wal_status wal_consumer_open(struct wal *wal,
                                               const struct wal_consumer_options *options,
                                               struct wal_consumer **ret_consumer);
/* Writes its cursor. What it read and did not acknowledge is read again by the next of its name.
 * All its records are released before. */
void wal_consumer_close(struct wal_consumer *consumer);

struct wal_record {
    uint64_t sequence;
    uint8_t kind, coding;
    uint16_t flags;
    uint32_t items;
    uint64_t raw_bytes;
    uint64_t time_ns;
    struct hf_slice meta, body;
    struct hf_ref *owner; /* a reference: hf_ref_drop(owner) when done with meta and body */
    /*
     * The opening of the queue in which it was appended, random. With the sequence it names the
     * record for ever: a restored copy of the directory, or one that lost its end, goes on under
     * another origin. All zero: not known (an earlier version wrote it, or its file is damaged).
     */
    uint8_t origin[WAL_ORIGIN_BYTES];
};

/*
 * Reads on: up to `most` records and about `most_bytes` of bodies (at least one record), in order.
 * `*ret_count` 0: there is nothing now, and `wake` is armed. A damaged record is set aside, counted
 * as dropped{damaged}, and skipped. WAL_IO, WAL_NOMEM: nothing was read, try later.
 */
WAL_MUST_USE enum wal_status wal_consumer_read(struct wal_consumer *consumer, size_t most,
                                               size_t most_bytes, struct wal_record *records,
                                               size_t *ret_count);

/*
 * Reads new records past a long backlog: while the consumer is behind by more than
 * `tail_bytes` of raw bytes, a second reading position begins at the present and follows the end,
 * in order. When it has itself fallen that far behind, it begins at the present again; the allowed
 * distance grows each few times that happens. `*ret_count` 0: nothing is there, or the backlog is
 * short; no wake is armed. Each record is read once, by one of the two functions, unless the queue
 * is opened again or wal_consumer_rewind() is called. The same thread as wal_consumer_read().
 * Errors likewise.
 */
WAL_MUST_USE enum wal_status wal_consumer_read_live(struct wal_consumer *consumer, size_t most,
                                                    size_t most_bytes, struct wal_record *records,
                                                    size_t *ret_count);

/* Why items left the queue without being delivered. The numbers are stored: never renumber. */
enum wal_drop {
    WAL_DROP_REJECTED = 0, /* by the backend, in a partial success */
    WAL_DROP_OVERFLOW,     /* drop_oldest */
    WAL_DROP_DAMAGED,
    WAL_DROP_GAVE_UP,   /* the user's own limit on age or attempts */
    WAL_DROP_OPERATOR,  /* `queue drop` */
    WAL_DROP_ORPHANED,  /* it has no reader and room was needed */
    WAL_DROP_PERMANENT, /* refused for good and dead letters are off */
    WAL_DROP_PROCESSOR, /* a processor's decision */
    WAL_DROP_COUNT
};
const char *
wal_drop_name(enum wal_drop drop); /* "rejected_by_backend", "overflow", "damaged", ... */

enum wal_outcome { WAL_DELIVERED, WAL_DEAD_LETTERED, WAL_DROPPED };

struct wal_ack {
    uint64_t sequence;
    uint32_t items;     /* of the record, as read */
    uint64_t raw_bytes; /* likewise */
    enum wal_outcome outcome;
    enum wal_drop drop;           /* why it, or rejected_items of it, were dropped */
    uint32_t rejected_items;      /* WAL_DELIVERED: that many of them were dropped instead */
    uint32_t dead_lettered_items; /* WAL_DELIVERED: that many became dead letters instead */
};

/* Marks records as done with, in any order; a record acknowledged twice counts once. Memory only:
 * the janitor writes it within 200 ms. */
void wal_consumer_ack(struct wal_consumer *consumer, const struct wal_ack *acks, size_t count);

/* Forgets the records that were read and not acknowledged: they will be read again. */
void wal_consumer_rewind(struct wal_consumer *consumer);

/*
 * Reads one stored record again, whether it was read or not; what a consumer has not acknowledged
 * is stored, unless it was skipped or damaged. WAL_MISSING: it is not there. WAL_IO, WAL_NOMEM. Any
 * thread.
 */
WAL_MUST_USE enum wal_status wal_get(struct wal *wal, uint64_t sequence,
                                     struct wal_record *ret_record);
/* The same for few records of many segments: costs some reads of a page each, where wal_get() reads
 * the places of all records of a segment, once. The record has no `origin`. */
WAL_MUST_USE enum wal_status wal_get_alone(struct wal *wal, uint64_t sequence,
                                           struct wal_record *ret_record);

/* Removes a stored consumer that is not open, and its claim on the backlog. WAL_MISSING. */
WAL_MUST_USE enum wal_status wal_consumer_remove(struct wal *wal, const char *name);

/* ---- inspecting ---- */

struct wal_amount {
    uint64_t records, items, bytes; /* bytes: raw_bytes */
};

/* accepted = delivered + queued + dead_lettered + sum of dropped[], in items and bytes, always. */
struct wal_accounting {
    struct wal_amount accepted, delivered, queued, dead_lettered, dropped[WAL_DROP_COUNT];
};

struct wal_consumer_stat {
    char name[WAL_NAME_BYTES_MAX + 1];
    bool open;               /* false: an orphan */
    uint64_t low;            /* all before it is acknowledged */
    uint64_t oldest_time_ns; /* of the oldest record not acknowledged; 0: none or not known */
    struct wal_accounting accounting;
};

#define WAL_HISTOGRAM_BUCKETS 16 /* upper bounds 2^k * 16 us, the last unbounded */
#define WAL_GROUP_BUCKETS 8      /* 1, 2, 4, ... 64, more */

struct wal_stat {
    uint64_t disk_bytes, disk_bytes_max,
        free_bytes; /* of segments; the limit; available on the file system */
    uint64_t segments, spare_segments;
    uint64_t first_sequence, next_sequence;
    uint64_t admitted;          /* records that are not committed yet */
    struct wal_amount appended; /* since the queue was made */
    uint64_t commits, commit_ns_total, fsync_ns_total, commit_histogram[WAL_HISTOGRAM_BUCKETS];
    uint64_t group_total, group_histogram[WAL_GROUP_BUCKETS];
    uint64_t refused_full, refused_share, refused_space, refused_io;
    uint64_t damaged_records, damaged_bytes;
    uint64_t tail_bytes;       /* bodies held in memory */
    bool healthy;              /* the last commit succeeded and appends are admitted */
    const char *refusal;       /* why appends are refused, a few words; NULL: they are not */
    int refusal_error;         /* errno of the cause; 0: none */
    int last_error;            /* errno of the last failure, 0: none */
    double append_bytes_per_s; /* on disk, over the last minute */
};

/* Snapshots; any thread. */
void wal_stat(struct wal *wal, struct wal_stat *ret_stat);
/* Every stored consumer, open or not; `visit` is called with no lock held. WAL_NOMEM. */
WAL_MUST_USE enum wal_status
wal_consumer_each(struct wal *wal, void (*visit)(void *user, const struct wal_consumer_stat *stat),
                  void *user);

/* Has that consumer, open or not, acknowledged the record? False also when there is none of that
 * name. Any thread. */
bool wal_is_acknowledged(struct wal *wal, const char *consumer, uint64_t sequence);

/* One file of the queue. */
struct wal_segment_stat {
    uint64_t first, end;        /* sequences: from `first` on, below `end` */
    uint64_t bytes, file_bytes; /* in use; of the file, which may be a recycled one */
    bool is_tail;               /* being written */
    bool is_broken;             /* damaged: set aside when it is drained */
};

/* Every segment, oldest first; `visit` is called with no lock held. WAL_NOMEM. Any thread. */
WAL_MUST_USE enum wal_status
wal_segment_each(struct wal *wal, void (*visit)(void *user, const struct wal_segment_stat *stat),
                 void *user);

/* What is in the queue, by its accounting: what was appended without what has left the disk.
 * Records that became damaged meanwhile are in it. WAL_IO, WAL_NOMEM. Any thread. */
WAL_MUST_USE enum wal_status wal_stored(struct wal *wal, struct wal_amount *ret_amount);

/*
 * Looks at records without being a consumer: from the first with sequence >= `from`, up to the
 * present, until `visit` returns false. The record is borrowed for the call. `damaged` records are
 * passed with an empty body. WAL_IO, WAL_NOMEM: not all was shown. Any thread.
 */
WAL_MUST_USE enum wal_status
wal_scan(struct wal *wal, uint64_t from,
         bool (*visit)(void *user, const struct wal_record *record, bool damaged), void *user);

/* From the one on, before the other; by `time_ns` of records. */
struct wal_period {
    uint64_t since_ns, until_ns;
};

/* The same without the segments that are known to have nothing of that period. Those that are read
 * are shown whole: `visit` looks at each record's time. */
WAL_MUST_USE enum wal_status
wal_scan_period(struct wal *wal, uint64_t from, const struct wal_period *period,
                bool (*visit)(void *user, const struct wal_record *record, bool damaged),
                void *user);
