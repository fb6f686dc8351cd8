/*
 * reader: reads one file on from its place and gives its entries to the user.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tail_internal.h"
#include "util/regex/regex.h"

#define READ_BYTES ((size_t)256 * 1024)
#define TURN_BYTES ((uint64_t)16 << 20) /* of one file before the others have their turn */

/* Asked after bytes were read: was the file truncated and written again before? Then they are not
 * its. What it held is in a copy, which the next scan finds. */
static bool is_still_the_same(struct hf_tail *tail, struct file *file)
{
    if (hf_tail_read_head(tail, file->fd, false) && hf_tail_head_matches(tail, file)) {
        return true;
    }
    tail->wants_scan = true;
    return false;
}

/* The next bytes, in `ret`; false: none, or an error. */
static bool fill(struct hf_tail *tail, struct file *file, size_t room, struct hf_slice *ret)
{
    if (file->is_gzip) {
        if (tail->inflated_id != file->seen.id || tail->inflated_size != file->size) {
            if (!hf_tail_read_head(tail, file->fd, true)) {
                return false;
            }
            tail->inflated_id = file->seen.id;
            tail->inflated_size = file->size;
        }
        size_t size = tail->inflated.size;
        size_t from = file->offset < size ? (size_t)file->offset : size;
        *ret = hf_slice_of(tail->inflated.data + from, size - from < room ? size - from : room);
        return ret->size != 0;
    }
    if (hf_bytes_reserve(&tail->buffer, room) != HF_OK) {
        return false;
    }
    ssize_t got = pread(file->fd, tail->buffer.data, room, (off_t)file->offset);
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        tail->ops->say(tail->user, HF_LOG_WARN, file->path, strerror(errno));
    }
    *ret = hf_slice_of(tail->buffer.data, got > 0 ? (size_t)got : 0);
    return got > 0 && is_still_the_same(tail, file);
}

/* Is the line of the header that stands at the beginning of the file? */
static bool is_header(struct hf_tail *tail, struct file *file, struct hf_slice text)
{
    if (file->has_header && (tail->header == NULL || !hf_regex_matches(tail->header, text))) {
        file->has_header = false;
    }
    return file->has_header;
}

/* Gives one entry to the user. False: stopping. */
static bool give(struct hf_tail *tail, struct file *file, const struct hf_line *line)
{
    struct hf_slice text;
    uint64_t start = file->offset;
    if (line->text.size == 0) {
        file->offset += line->used;
        return true;
    }
    if (hf_encoding_decode(&tail->encoding, line->text, &tail->decoded, &text) != HF_OK) {
        return false;
    }
    bool header = is_header(tail, file, text);
    file->record_number += !header;
    file->offset += line->used;
    struct hf_tail_line entry = {.file = &file->seen,
                                 .text = text,
                                 .offset = start,
                                 .record_number = file->record_number,
                                 .is_header = header};
    bool full = tail->ops->line(tail->user, &entry);
    file->is_touched = true;
    return !full || hf_tail_commit(tail);
}

/* What is left has no end yet: does it count as an entry by now? */
static bool is_ripe(struct hf_tail *tail, struct file *file, uint64_t left)
{
    if (left != file->partial_bytes) {
        file->partial_bytes = left;
        file->partial_since_ns = tail->now_ns;
    }
    uint64_t wait_ns = tail->config->force_flush_ns;
    return wait_ns != 0 && tail->now_ns - file->partial_since_ns >= wait_ns;
}

/* The entries of `bytes`, which begin at the file's offset. Returns what they took. */
static size_t give_all(struct hf_tail *tail, struct file *file, struct hf_slice bytes, bool at_end)
{
    size_t used = 0;
    struct hf_line line;
    while (used < bytes.size && !tail->is_stopping &&
           hf_lines_next(&tail->lines, hf_slice_of(bytes.data + used, bytes.size - used), at_end,
                         &file->is_skipping, &line)) {
        if (!give(tail, file, &line)) {
            tail->is_stopping = true;
        }
        used += line.used;
    }
    if (used != 0) {
        file->is_touched = true;
        file->partial_bytes = 0;
    }
    return used;
}

/* The attributes of the header are needed again after a restart: reads its lines once more. */
static void read_header(struct hf_tail *tail, struct file *file)
{
    struct file again = *file;
    struct hf_slice bytes;
    struct hf_line line;
    bool skipping = false;
    size_t used = 0;
    again.offset = 0;
    if (!fill(tail, &again, READ_BYTES, &bytes)) {
        return;
    }
    while (file->has_header && used < file->offset &&
           hf_lines_next(&tail->lines, hf_slice_of(bytes.data + used, bytes.size - used), false,
                         &skipping, &line)) {
        struct hf_slice text;
        used += line.used;
        if (hf_encoding_decode(&tail->encoding, line.text, &tail->decoded, &text) == HF_OK &&
            text.size != 0 && is_header(tail, file, text)) {
            struct hf_tail_line entry = {.file = &file->seen, .text = text, .is_header = true};
            (void)tail->ops->line(tail->user, &entry); /* nothing is added to the batch */
        }
    }
}

bool hf_tail_read(struct hf_tail *tail, struct file *file, bool at_end)
{
    size_t room = READ_BYTES;
    size_t room_max = tail->lines.bytes_max + READ_BYTES;
    uint64_t until = file->offset + TURN_BYTES;
    struct hf_slice bytes;
    if (!hf_tail_file_open(tail, file)) {
        return errno != EMFILE;
    }
    if (file->has_header && file->offset != 0) {
        read_header(tail, file);
    }
    file->read_ns = tail->now_ns;
    while (!tail->is_stopping && file->offset < until) {
        if (!fill(tail, file, room, &bytes)) {
            return true;
        }
        bool is_last = bytes.size < room;
        size_t used = give_all(tail, file, bytes, false);
        size_t left = bytes.size - used;
        if (is_last) {
            if (left != 0 && !tail->is_stopping && (is_ripe(tail, file, left) || at_end)) {
                give_all(tail, file, hf_slice_of(bytes.data + used, left), true);
            }
            return true;
        }
        if (used == 0) {
            if (room >= room_max) {
                give_all(tail, file, bytes, true);
            }
            room = room * 2 < room_max ? room * 2 : room_max;
        }
    }
    return false;
}
