/*
 * file_watch: small files of configuration and credentials, and whether they have changed. A change
 * is seen by inode, size and time of change, so that both rewritten files and replaced symbolic
 * links (as Kubernetes mounts secrets) count. Owned by one thread, or under its owner's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <holdfast/status.h>

#define HF_WATCHED_BYTES_MAX (1u << 20)

struct hf_file_watch {
    const char *path; /* borrowed */
    ino_t inode;
    off_t size;
    struct timespec changed;
    uint64_t next_look_ns;
};

/*
 * Has the file changed since it was last said to be? Looks at most every `interval_ns`; the first
 * look says yes. A missing file counts as unchanged: the content that was read last stays valid.
 */
HF_MUST_USE bool hf_file_watch_changed(struct hf_file_watch *watched, uint64_t now_ns,
                                       uint64_t interval_ns);

/*
 * The whole file as a NUL-terminated text; malloc'd, the caller frees. HF_IO, HF_TOO_LARGE
 * (HF_WATCHED_BYTES_MAX), HF_NOMEM: `reterr` (512 bytes) is a sentence with the path.
 */
HF_MUST_USE enum hf_status hf_file_watch_read(const char *path, char **ret_text, char *reterr);
/* The same without the blanks and line breaks at its end, as a file with a secret is meant. */
HF_MUST_USE enum hf_status hf_file_watch_read_secret(const char *path, char **ret_text,
                                                     char *reterr);
