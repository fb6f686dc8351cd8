/*
 * tail: reads lines as they are appended to files, through rotation by move, by copy-and-truncate
 * and through deletion, and knows for each file the place up to which its lines are committed.
 *
 * A file is known by its first bytes (fingerprint.h) and, while those agree, by its inode; never by
 * its name alone. A tail is driven by hf_tail_poll(): it looks for files, first drains those that
 * lost their name, then reads the others, and gives each entry to `line`. When `line` says that a
 * batch is full, and at the end of a poll, `commit` gets the places of all files that were read
 * since: they are to be stored in the same commit as the entries. `commit` returns when reading may
 * go on; a batch that is refused is the user's to keep and to offer again meanwhile.
 *
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_tail;

enum hf_tail_start { HF_TAIL_END = 0, HF_TAIL_BEGINNING };
enum hf_tail_long { HF_TAIL_SPLIT = 0, HF_TAIL_TRUNCATE };
enum hf_tail_compression { HF_TAIL_PLAIN = 0, HF_TAIL_GZIP, HF_TAIL_AUTO };
enum hf_tail_truncation { HF_TAIL_IGNORE = 0, HF_TAIL_READ_WHOLE, HF_TAIL_READ_NEW };
enum hf_tail_sort { HF_TAIL_NUMERIC = 0, HF_TAIL_ALPHABETICAL, HF_TAIL_TIMESTAMP, HF_TAIL_MTIME };

struct hf_tail_sort_rule {
    int64_t type; /* enum hf_tail_sort */
    const char *regex_key, *layout, *location;
    bool ascending;
};

struct hf_tail_config {
    struct hf_string_list include, exclude;
    uint64_t exclude_older_than_ns; /* 0: none */
    int64_t start_at; /* enum hf_tail_start: of files that are there at the first poll */
    uint64_t poll_interval_ns;
    uint64_t fingerprint_bytes, max_log_bytes;
    int64_t long_lines; /* enum hf_tail_long */
    int64_t max_concurrent_files, max_batches;
    const char *encoding;
    const char *line_start, *line_end; /* patterns, or NULL */
    bool omit_pattern, keep_leading, keep_trailing;
    uint64_t force_flush_ns; /* 0: never */
    bool delete_after_read;
    const char *header_pattern; /* NULL: none */
    int64_t compression;        /* enum hf_tail_compression */
    int64_t on_truncate;        /* enum hf_tail_truncation */
    struct {
        const char *regex, *group_by;
        int64_t top_n;
        struct hf_struct_list rules; /* struct hf_tail_sort_rule */
    } order;
};

/* A file as the user of a tail sees it. */
struct hf_tail_file {
    const char *path; /* as found; changes when the file is moved */
    uint64_t id;      /* of this file alone, also after a restart */
    void *context;    /* the user's; freed by `closed` */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    struct hf_slice text;   /* UTF-8, or bytes with the encoding `nop`; borrowed for the call */
    uint64_t offset;        /* where it begins */
    uint64_t record_number; /* from 1 */
    bool is_header;         /* matches header_pattern: its attributes are the file's */
};

struct hf_tail_ops {
    /* True: the batch is full, commit it. */
    bool (*line)(void *user, const struct hf_tail_line *line);
    /* Commits what `line` got, and these with it. False: the user is stopping; nothing was
     * committed, and the poll ends. */
    bool (*commit)(void *user, const struct hf_checkpoint *checkpoints, size_t count);
    /* The file has another path than before, or is new. */
    void (*named)(void *user, struct hf_tail_file *file);
    void (*closed)(void *user, struct hf_tail_file *file);
    /* The lowest offset of the file's entries that are held and not committed yet: the stored place
     * is not beyond it. UINT64_MAX: none. */
    uint64_t (*held)(void *user, const struct hf_tail_file *file);
    /* Visits the stored value of a name in each queue; see hf_node_checkpoint_each(). */
    enum hf_status (*stored)(void *user, struct hf_slice name,
                             void (*visit)(void *user, struct hf_slice value), void *visit_user);
    void (*say)(void *user, enum hf_log_level level, const char *path, const char *what);
};

/* NULL, or one sentence that names the key. */
const char *hf_tail_check(const struct hf_tail_config *config);

/* `config`, `ops` and `user` are borrowed. On failure `reterr` (HF_ERROR_MAX) is one sentence. */
HF_MUST_USE enum hf_status hf_tail_open(const struct hf_tail_config *config,
                                        const struct hf_tail_ops *ops, void *user,
                                        struct hf_tail **ret_tail, char *reterr);
void hf_tail_close(struct hf_tail *tail);

/* Reads the stored places, before the first poll. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_tail_load(struct hf_tail *tail);

/* One round. True: there is more to read at once. `now_ns` is monotonic. */
bool hf_tail_poll(struct hf_tail *tail, uint64_t now_ns);

struct hf_tail_stat {
    size_t files, open_files, reading_files;
};
void hf_tail_stat(const struct hf_tail *tail, struct hf_tail_stat *ret_stat);
