/*
 * state_log: records behind the content of a state file, for what changes faster than all of it can
 * be written: each is appended as a frame (frames.h). A new state file, which takes the place
 * of the old one with its records, has none; only a process that has written the file appends to
 * it, so that a record that a kill has cut short is the last one. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "state_file.h"

struct hf_state_log {
    int fd;                       /* -1: closed */
    uint64_t content_bytes, size; /* of the file without records; of the records */
};

/* Opens the file that was written last. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_state_log_open(struct hf_state_log *log, const char *path);
/* Appends a record: a number and bytes. On failure, HF_IO with errno, it is closed: what follows
 * would not be read. */
HF_MUST_USE enum hf_status hf_state_log_append(struct hf_state_log *log, uint64_t number,
                                               struct hf_slice bytes);
/* All of it is on disk. HF_IO with errno: it is closed. */
HF_MUST_USE enum hf_status hf_state_log_sync(struct hf_state_log *log);
/* A closed one is nothing. */
void hf_state_log_close(struct hf_state_log *log);

struct hf_state_record {
    uint64_t number;
    struct hf_slice bytes;
};

/* The next record behind the content, after hf_state_file_read_check(); its bytes are in `room`
 * until the next call. False: there is none that is whole, or no memory, which is the reader's
 * status. */
HF_MUST_USE bool hf_state_log_next(struct hf_state_reader *reader, struct hf_bytes *room,
                                   struct hf_state_record *ret_record);
