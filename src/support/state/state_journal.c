/*
 * state_journal: the file of a state store: a head, then frames of entries with a checksum each.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames.h"
#include "state_internal.h"
#include "util/compress/compress.h"
#include "util/sync_directory.h"
#include "util/time/clock.h"
#include "util/write_all.h"

/* Native byte order: the file stays on its machine. */
#define MAGIC "HFSTATE1"
#define FORMAT_BYTES 16u                /* the magic, and a hash of the format */
#define HEAD_BYTES 24u                  /* then when it was born */
#define FRAME_BYTES ((size_t)256 << 10) /* a frame ends when it is larger */
#define REMOVED UINT32_MAX              /* in place of a size */
#define WASTE_BYTES ((uint64_t)4 << 20) /* out of date before the file is rewritten */

static void head_of(const struct hf_state *state, uint8_t *head)
{
    uint64_t format = hf_hash_64(hf_slice_text(state->format));
    memcpy(head, MAGIC, sizeof(format));
    memcpy(head + sizeof(format), &format, sizeof(format));
    memcpy(head + FORMAT_BYTES, &state->born_ns, sizeof(state->born_ns));
}

/* ---- writing ---- */

struct journal {
    int fd;
    struct hf_bytes frame;
    uint64_t written;
    enum hf_status status;
};

static void write_all(struct journal *journal, struct hf_slice bytes)
{
    if (journal->status == HF_OK) {
        journal->status = hf_write_all(journal->fd, bytes) ? HF_OK : HF_IO;
        journal->written += bytes.size; /* of no use when it has failed: all is written again */
    }
}

static void end_frame(struct journal *journal)
{
    struct hf_bytes *frame = &journal->frame;
    if (journal->status != HF_OK || frame->size <= HF_FRAME_HEAD_BYTES) {
        return;
    }
    hf_frame_head(frame->data,
                  hf_slice_of(frame->data + HF_FRAME_HEAD_BYTES, frame->size - HF_FRAME_HEAD_BYTES),
                  HF_EMPTY_SLICE);
    write_all(journal, hf_slice_of(frame->data, frame->size));
    frame->size = 0;
}

static void put(struct journal *journal, const void *data, size_t size)
{
    if (journal->status == HF_OK) {
        journal->status = hf_bytes_append(&journal->frame, hf_slice_of(data, size));
    }
}

static void put_entry(struct journal *journal, struct hf_hash key, uint64_t touched_ns,
                      const uint8_t *value, uint32_t size)
{
    static const uint8_t room[HF_FRAME_HEAD_BYTES];
    if (journal->frame.size > FRAME_BYTES) {
        end_frame(journal);
    }
    if (journal->frame.size == 0) {
        put(journal, room, sizeof(room));
    }
    put(journal, &key, sizeof(key));
    put(journal, &touched_ns, sizeof(touched_ns));
    put(journal, &size, sizeof(size));
    if (size != REMOVED && size > 0) {
        put(journal, value, size);
    }
}

/* The whole in a new file, which replaces the old one. */
static enum hf_status rewrite(struct hf_state *state)
{
    char next[PATH_MAX];
    uint8_t head[HEAD_BYTES];
    snprintf(next, sizeof(next), "%s.new", state->path);
    struct journal journal = {.fd = open(next, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (journal.fd < 0) {
        return HF_IO;
    }
    head_of(state, head);
    write_all(&journal, hf_slice_of(head, sizeof(head)));
    for (struct hf_state_entry *entry = state->oldest; entry != NULL; entry = entry->newer) {
        if (entry->has_value) {
            put_entry(&journal, entry->key, entry->touched_ns, entry->value, entry->size);
        }
    }
    end_frame(&journal);
    hf_bytes_release(&journal.frame);
    if (journal.status == HF_OK && (fsync(journal.fd) != 0 || rename(next, state->path) != 0 ||
                                    hf_sync_parent(state->path) != HF_OK)) {
        journal.status = HF_IO;
    }
    if (journal.status != HF_OK) {
        int saved = errno;
        close(journal.fd);
        unlink(next);
        errno = saved;
        return journal.status;
    }
    if (state->fd >= 0) {
        close(state->fd);
    }
    state->fd = journal.fd;
    state->file_bytes = journal.written;
    return HF_OK;
}

static enum hf_status append(struct hf_state *state)
{
    struct journal journal = {.fd = state->fd};
    /* A key that was removed and came again is in both lists: its value counts. */
    for (size_t i = 0; i < state->removed_count; i++) {
        put_entry(&journal, state->removed[i], 0, NULL, REMOVED);
    }
    for (struct hf_state_entry *entry = state->dirty; entry != NULL; entry = entry->next_dirty) {
        put_entry(&journal, entry->key, entry->touched_ns, entry->value, entry->size);
    }
    end_frame(&journal);
    hf_bytes_release(&journal.frame);
    if (journal.status == HF_OK && fdatasync(state->fd) != 0) {
        journal.status = HF_IO;
    }
    state->file_bytes += journal.written;
    return journal.status;
}

enum hf_status hf_state_commit(struct hf_state *state)
{
    if (!hf_state_is_dirty(state)) {
        return HF_OK;
    }
    enum hf_status status = HF_OK;
    bool is_wasteful = state->file_bytes > 2 * state->live_bytes + WASTE_BYTES;
    if (state->path != NULL) {
        status =
            state->fd < 0 || state->must_rewrite || is_wasteful ? rewrite(state) : append(state);
    }
    if (status != HF_OK) {
        state->must_rewrite = true; /* how much of it is on the disk is not known */
        return status;
    }
    hf_state_settle(state);
    return HF_OK;
}

/* ---- reading ---- */

/* HF_CORRUPT: an entry is cut short. */
static enum hf_status restore_frame(struct hf_state *state, struct hf_slice frame)
{
    while (frame.size > 0) {
        struct hf_hash key;
        uint64_t touched_ns;
        uint32_t size;
        if (frame.size < HF_STATE_ENTRY_HEAD) {
            return HF_CORRUPT;
        }
        memcpy(&key, frame.data, sizeof(key));
        memcpy(&touched_ns, frame.data + sizeof(key), sizeof(touched_ns));
        memcpy(&size, frame.data + sizeof(key) + sizeof(touched_ns), sizeof(size));
        frame = hf_slice_of(frame.data + HF_STATE_ENTRY_HEAD, frame.size - HF_STATE_ENTRY_HEAD);
        if (size == REMOVED) {
            hf_state_forget(state, key);
            continue;
        }
        if (size > frame.size) {
            return HF_CORRUPT;
        }
        enum hf_status status =
            hf_state_restore(state, key, hf_slice_of(frame.data, size), touched_ns);
        if (status != HF_OK) {
            return status;
        }
        frame = hf_slice_of(frame.data + size, frame.size - size);
    }
    return HF_OK;
}

/* One frame after another, as long as they are good. */
static enum hf_status read_frames(struct hf_state *state, FILE *file)
{
    struct hf_bytes frame = {0};
    enum hf_status status;
    while ((status = hf_frame_next(file, &frame)) == HF_OK &&
           (status = restore_frame(state, hf_slice_of(frame.data, frame.size))) == HF_OK) {
        state->file_bytes += HF_FRAME_HEAD_BYTES + frame.size;
    }
    hf_bytes_release(&frame);
    return status == HF_NOT_FOUND || status == HF_CORRUPT ? HF_OK : status;
}

static enum hf_status read_file(struct hf_state *state, FILE *file, uint64_t *ret_lost)
{
    uint8_t head[HEAD_BYTES], wanted[HEAD_BYTES];
    struct stat found;
    if (fstat(fileno(file), &found) != 0) {
        return HF_IO;
    }
    head_of(state, wanted);
    if (fread(head, sizeof(head), 1, file) != 1 || memcmp(head, wanted, FORMAT_BYTES) != 0) {
        state->must_rewrite = true;
        return HF_UNSUPPORTED;
    }
    memcpy(&state->born_ns, head + FORMAT_BYTES, sizeof(state->born_ns));
    state->file_bytes = HEAD_BYTES;
    enum hf_status status = read_frames(state, file);
    *ret_lost = (uint64_t)found.st_size - state->file_bytes;
    state->must_rewrite |= *ret_lost != 0;
    return status;
}

enum hf_status hf_state_load(struct hf_state *state, uint64_t *ret_lost)
{
    *ret_lost = 0;
    hf_state_clear(state);
    if (state->fd >= 0) {
        close(state->fd);
        state->fd = -1;
    }
    state->file_bytes = 0;
    state->must_rewrite = false;
    state->born_ns = hf_clock_unix_ns();
    if (state->path == NULL) {
        return HF_OK;
    }
    FILE *file = fopen(state->path, "rbe");
    if (file == NULL) {
        return errno == ENOENT ? HF_OK : HF_IO;
    }
    /* For appending; without it, the next commit writes a new file. */
    state->fd = open(state->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    enum hf_status status = read_file(state, file, ret_lost);
    fclose(file);
    if (status == HF_UNSUPPORTED) {
        hf_state_clear(state);
    }
    /* What reading dropped for lack of room needs no mark: the next commit writes it. */
    return status;
}
