/*
 * file_output: an append-only file whose records are whole and on disk, or not there at all.
 *
 * A write that fails half-way is taken back, so that what follows it never stands behind a torn
 * record; what a crash left torn is cut when the file is opened. Rotation moves a full file aside
 * under a dated name. Anything that is no regular file (a pipe, a terminal) is only written to.
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_FILE_ERROR_MAX 512

struct hf_file_output_options {
    const char *path; /* borrowed as long as the output lives */
    bool fresh;       /* an existing file is rotated first */
    bool framed;      /* records begin with their length (4 bytes, big-endian); else lines */
    bool create_directory;
    mode_t directory_mode;
    uint64_t max_bytes;   /* a file that would grow beyond is moved aside; 0: never */
    uint32_t max_backups; /* 0: all are kept */
    uint32_t max_days;    /* 0: for ever */
    bool localtime;       /* in the names of what was moved aside; else UTC */
};

/* What opening found at the end of a file that was there. */
struct hf_file_output_found {
    uint64_t cut_bytes; /* of a torn record */
    bool completed;     /* a last line that is not ours got its newline */
    bool set_aside;     /* moved aside: as asked, or too large to look for a torn end */
};

struct hf_file_output;

/* HF_IO, HF_NOMEM; `reterr` (HF_FILE_ERROR_MAX) says what and why. */
HF_MUST_USE enum hf_status hf_file_output_open(const struct hf_file_output_options *options,
                                               struct hf_file_output **ret_output,
                                               struct hf_file_output_found *ret_found,
                                               char *reterr);

/*
 * Appends whole records and waits until they are on disk. HF_FULL: no space (ENOSPC, EDQUOT);
 * HF_IO. The file is as before then.
 */
HF_MUST_USE enum hf_status hf_file_output_write(struct hf_file_output *output,
                                                struct hf_slice records, char *reterr);

/* Undoes the last write, which went well: what else it belonged to did not. */
void hf_file_output_take_back(struct hf_file_output *output);

/* NULL is nothing to close. */
void hf_file_output_close(struct hf_file_output *output);
