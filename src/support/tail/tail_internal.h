/*
 * tail_internal: what the files of a tail share: the files it knows, the paths that are there now,
 * and what they lend each other. Owned by the tail's thread.
 */
#pragma once

#include <sys/stat.h>
#include <time.h>

#include "fingerprint.h"
#include "known.h"
#include "lines.h"
#include "order.h"
#include "paths.h"
#include "tail.h"
#include "watch.h"

#define NO_SLOT UINT32_MAX

struct file {
    struct hf_tail_file seen; /* first: what the user holds */
    char *path;
    struct hf_fingerprint fingerprint;
    uint64_t device, inode;
    struct file *next_inode, *next_bytes; /* in the chains of `known` */
    uint64_t begin;                       /* where reading began: not 0 with start_at: end */
    uint64_t offset;                      /* the next byte to read; of gzip files: of the text */
    uint64_t record_number;
    uint64_t stored; /* the place that the last commit had */
    bool is_stored;
    uint64_t size; /* when it was looked at last, as are these */
    struct timespec modified, died;
    int fd;
    uint32_t slot;    /* of its place in the queues */
    bool is_claimed;  /* a path leads to it now */
    bool is_replaced; /* truncated under its descriptor: what it held is gone */
    bool is_dead;     /* its last name is gone, since `died` */
    bool was_sought;  /* after it lost its name, its folder was searched */
    bool is_dirty;    /* there may be bytes to read */
    bool is_touched;  /* its place has moved since the last commit */
    bool is_gzip;
    bool is_skipping;  /* the rest of a truncated entry */
    bool has_header;   /* the lines at its beginning are still of the header */
    bool is_deletable; /* read to its end, to be removed after the commit */
    uint64_t partial_bytes, partial_since_ns; /* of an entry without an end */
    uint64_t lost_since_ns, read_ns;
};

/* One path that is there now. */
struct place {
    char *path;
    struct file *file; /* NULL: empty, or the same as another */
    bool is_there;
    struct stat stat;
};

struct hf_tail {
    const struct hf_tail_config *config;
    const struct hf_tail_ops *ops;
    void *user;
    struct hf_encoding encoding;
    struct hf_lines lines;
    struct hf_regex *header;
    struct hf_tail_order *order;
    struct hf_tail_watch *watch; /* NULL: every poll looks at all files */

    struct file **files;
    size_t file_count, file_capacity;
    struct place *places; /* sorted by path */
    size_t place_count;
    struct hf_known known; /* during a scan */
    size_t lost_count;     /* of its files that have no path */
    size_t open_count, open_max, reading_count;
    uint64_t next_id;

    /* Places in the queues: `slot_count` names are in use or free. */
    uint8_t *slot_used;
    uint32_t slot_count, slot_capacity;
    bool slots_touched;
    uint32_t *forgotten; /* slots whose value is to be removed with the next commit */
    size_t forgotten_count, forgotten_capacity;
    struct hf_bytes values; /* of the commit in flight */
    struct hf_checkpoint *checkpoints;
    size_t checkpoint_capacity;

    struct hf_bytes buffer, decoded, inflated;
    uint64_t inflated_id, inflated_size; /* whose text `inflated` is */
    uint8_t *head;
    struct hf_fingerprint *prefixes;
    size_t head_size;

    bool has_polled, has_loaded, is_stopping, wants_scan;
    bool is_busy; /* some file is to be read, committed or drained */
    uint64_t next_scan_ns, now_ns;
};

/* files.c */
struct file *hf_tail_file_add(struct hf_tail *tail);
void hf_tail_file_remove(struct hf_tail *tail, size_t index);
bool hf_tail_file_set_path(struct hf_tail *tail, struct file *file, const char *path);
/* Opens it when it is not; makes room among the open ones. False: errno. */
bool hf_tail_file_open(struct hf_tail *tail, struct file *file);
void hf_tail_file_close(struct hf_tail *tail, struct file *file);
/* Reads the first bytes behind `fd` into tail->head, and its prefixes. False: it cannot be read. */
bool hf_tail_read_head(struct hf_tail *tail, int fd, bool is_gzip);
bool hf_tail_is_gzip(const struct hf_tail *tail, int fd);
/* Do the bytes read last begin as the file did? */
bool hf_tail_head_matches(const struct hf_tail *tail, const struct file *file);

/* scan.c */
void hf_tail_scan(struct hf_tail *tail);
/* Reads what is left of files that lost their path; at last forgets them. */
void hf_tail_drain_lost(struct hf_tail *tail);
/* Looks at one file that is said to have changed. False: all must be looked at. */
bool hf_tail_look(struct hf_tail *tail, struct file *file);

/* reader.c */
/* Reads on; false: there is more. `at_end`: what is left is an entry, however it ends. */
bool hf_tail_read(struct hf_tail *tail, struct file *file, bool at_end);

/* places.c */
enum hf_status hf_tail_load_places(struct hf_tail *tail);
bool hf_tail_take_slot(struct hf_tail *tail, struct file *file);
void hf_tail_free_slot(struct hf_tail *tail, struct file *file);
/* Commits what was read, if anything. False: stopping. */
bool hf_tail_commit(struct hf_tail *tail);
