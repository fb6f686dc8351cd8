/*
 * state_file: what a component remembers over a restart, in a file of its own that is replaced as a
 * whole: after a kill or a power cut it is the old one or the new one. Values stand in the byte
 * order of the machine, under a checksum.
 *
 * A reader sees values before the checksum is known: what it builds of them counts only when
 * hf_state_file_read_end() says HF_OK. Both are owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <holdfast/node.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HF_STATE_MAGIC_SIZE 8u

/*
 * DIR/ID.state, with the bytes of the id that do not belong in a file name in hex; the caller
 * frees. `ret_path` is NULL when there is no data directory. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_state_file_path(const struct hf_node *node, char **ret_path);

struct hf_state_writer {
    const char *path;
    char *next; /* the file that is being written */
    FILE *file;
    uint32_t crc;
    enum hf_status status;
};

/* `path` is borrowed until the end. `magic` has HF_STATE_MAGIC_SIZE bytes. A failure is noted, and
 * told by hf_state_file_write_end(). */
void hf_state_file_write_begin(struct hf_state_writer *writer, const char *path, const char *magic);
void hf_state_file_put(struct hf_state_writer *writer, const void *data, size_t size);
void hf_state_put_u64(struct hf_state_writer *writer, uint64_t value);
/* The size and the bytes. */
void hf_state_file_put_bytes(struct hf_state_writer *writer, struct hf_slice bytes);
/* Syncs the file and puts it in place. HF_IO with errno, HF_NOMEM: the old one is still there. */
HF_MUST_USE enum hf_status hf_state_file_write_end(struct hf_state_writer *writer);

struct hf_state_reader {
    FILE *file;
    uint32_t crc;
    enum hf_status status;
};

/* HF_NOT_FOUND: there is no file. HF_IO with errno. HF_CORRUPT: another magic. Nothing is open
 * then. */
HF_MUST_USE enum hf_status hf_state_file_read_begin(struct hf_state_reader *reader,
                                                    const char *path, const char *magic);
/* False: the file is cut short or cannot be read; all that follow fail too. */
bool hf_state_file_get(struct hf_state_reader *reader, void *ret_data, size_t size);
/* 0 when it fails. */
uint64_t hf_state_get_u64(struct hf_state_reader *reader);
/* Into `bytes`, whose content it replaces; at most HF_STATE_BYTES_MAX. */
bool hf_state_file_get_bytes(struct hf_state_reader *reader, struct hf_bytes *bytes);
#define HF_STATE_BYTES_MAX (16u << 20)
/* Checks the checksum: the content counts, and behind it may be records (state_log.h). HF_CORRUPT,
 * HF_IO. */
HF_MUST_USE enum hf_status hf_state_file_read_check(struct hf_state_reader *reader);
/* Closes one whose content was checked. */
void hf_state_file_read_close(struct hf_state_reader *reader);
/* Checks the checksum, behind which is nothing, and closes. HF_CORRUPT, HF_IO, HF_NOMEM: what was
 * read does not count. */
HF_MUST_USE enum hf_status hf_state_file_read_end(struct hf_state_reader *reader);
