#include "recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amount.h"
#include "head.h"
#include "index.h"
#include "raw.h"

/* ---- the directory ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static enum wal_status add_segment(struct wal *wal, const char *name, uint64_t first)
{
    struct stat info;

    if (fstatat(wal->directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
        return WAL_OK;
    }
    struct wal_segment *segment = calloc(1, sizeof(*segment));
    if (segment == NULL || wal_segments_reserve(wal) != WAL_OK) {
        free(segment);
        return WAL_NOMEM;
    }
    segment->first = first;
    segment->fd = -1;
    wal_fs_segment_name(first, segment->name);
    segment->bytes = (uint64_t)info.st_size;
    segment->file_bytes = segment->bytes;
    segment->is_closed = true;
    segment->is_tenants_unread = true;
    segment->is_times_unread = true;
    wal->segments[wal->segment_count++] = segment;
    return WAL_OK;
}

static int compare_segments(const void *a, const void *b)
{
    const struct wal_segment *x = *(struct wal_segment *const *)a;
    const struct wal_segment *y = *(struct wal_segment *const *)b;

    return (x->first > y->first) - (x->first < y->first);
}

static enum wal_status list_directory(struct wal *wal)
{
    enum wal_status status = WAL_OK;
    /* A descriptor of its own: closedir() closes it, and reading moves its offset. */
    int fd = openat(wal->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return wal_fs_status(errno);
    }
    for (struct dirent *e = readdir(directory); e != NULL && status == WAL_OK;
         e = readdir(directory)) {
        uint64_t first = 0;
        if (wal_fs_parse_segment(e->d_name, &first)) {
            status = add_segment(wal, e->d_name, first);
        } else if (!wal->options.read_only &&
                   (ends_with(e->d_name, ".tmp") || ends_with(e->d_name, "-lock"))) {
            /* What a process left that was killed while making or recycling a file: nothing in it
             * counts. */
            (void)unlinkat(wal->directory_fd, e->d_name, 0);
        }
    }
    (void)closedir(directory);
    if (wal->segment_count > 1) {
        qsort(wal->segments, wal->segment_count, sizeof(*wal->segments), compare_segments);
    }
    for (size_t i = 0; i < wal->segment_count; i++) {
        wal->segments[i]->end =
            i + 1 < wal->segment_count ? wal->segments[i + 1]->first : UINT64_MAX;
        wal->space.used += wal->segments[i]->bytes;
    }
    return status;
}

/* ---- the cursors ---- */

struct loading {
    struct wal *wal;
    struct wal_store_end end;
    bool has_end;
    enum wal_status status;
};

static void load_consumer(void *user, const char *name, struct wal_cursor *cursor)
{
    struct loading *loading = user;
    struct wal_consumer *consumer = calloc(1, sizeof(*consumer));

    if (consumer == NULL) {
        wal_cursor_release(cursor);
        loading->status = WAL_NOMEM;
        return;
    }
    consumer->wal = loading->wal;
    memcpy(consumer->name, name, strlen(name) + 1);
    consumer->cursor = *cursor;
    consumer->next = loading->wal->consumers;
    loading->wal->consumers = consumer;
}

static void load_end(void *user, const struct wal_store_end *end)
{
    struct loading *loading = user;

    loading->end = *end;
    loading->has_end = true;
}

static void lose_cursors(struct wal *wal)
{
    char path[PATH_MAX];
    bool is_moved =
        !wal->options.read_only && wal_fs_set_aside(wal->directory_fd, WAL_STORE_NAME,
                                                    wal->damaged_directory, path, sizeof(path));

    wal->are_cursors_lost = true;
    wal_notify(wal,
               &(struct wal_event){.kind = WAL_EVENT_CURSORS_LOST, .path = is_moved ? path : NULL});
}

static enum wal_status load_cursors(struct wal *wal, struct loading *loading, bool *ret_must_write)
{
    const struct wal_store_visitor visitor = {
        .consumer = load_consumer, .end = load_end, .user = loading};

    enum wal_status status = wal_store_load(wal->directory_fd, &visitor);
    if (loading->status != WAL_OK) {
        return loading->status;
    }
    wal->are_cursors_lost = loading->has_end && loading->end.are_cursors_lost;
    *ret_must_write = status != WAL_OK;
    switch (status) {
    case WAL_OK:
        return WAL_OK;
    case WAL_MISSING:
        /* Segments without cursors: the file was removed, or lost in a power cut. */
        if (wal->segment_count > 0) {
            wal->are_cursors_lost = true;
            wal_notify(wal, &(struct wal_event){.kind = WAL_EVENT_CURSORS_LOST});
        }
        return WAL_OK;
    case WAL_CORRUPT:
    case WAL_IO:
        lose_cursors(wal);
        return WAL_OK;
    default:
        return status;
    }
}

/* ---- the last segment ---- */

struct last {
    struct wal *wal;
    bool wants_checkpoints;
    bool has_head;
    struct wal_segment_head head;
    enum wal_status status;
};

static void load_row(void *user, uint64_t key, struct hf_slice value)
{
    struct last *last = user;

    if (key == 0) {
        enum wal_status status = wal_segment_head_check(value, &last->head);
        last->has_head = status == WAL_OK;
        if (status == WAL_TOO_NEW) {
            last->status = status;
        }
    } else if (last->wants_checkpoints &&
               wal_checkpoints_load(&last->wal->checkpoints, key, value) == WAL_NOMEM) {
        last->status = WAL_NOMEM;
    }
}

/* The end of the last good record; false when there is none. */
static bool read_last_good(const struct wal_index *index, struct wal_place *ret_end)
{
    for (size_t i = index->count; i > 0; i--) {
        const struct wal_index_slot *slot = &index->slots[i - 1];
        struct wal_record_head head;
        uint8_t *value = slot->size == 0 ? NULL : malloc(slot->size);
        bool is_good =
            value != NULL &&
            wal_raw_read(index->fd, value, slot->size, (uint64_t)slot->half_offset * 2) == WAL_OK &&
            wal_record_check(value, slot->size, &head) == WAL_OK &&
            head.sequence == index->first + i - 1;
        free(value);
        if (is_good) {
            struct wal_amount own = {1, head.items, head.raw_bytes};
            *ret_end = (struct wal_place){head.sequence + 1, wal_amount_add(head.before, own)};
            return true;
        }
    }
    return false;
}

/*
 * Where a segment ends. `ret_next` is what no record of it has reached; `ret_end` the last place of
 * which the totals are known, false when none is.
 */
static enum wal_status look_into(struct wal *wal, struct wal_segment *segment, struct last *last,
                                 uint64_t *ret_next, struct wal_place *ret_end, bool *ret_has_end)
{
    struct wal_index_options options = {
        .directory_fd = wal->directory_fd,
        .name = segment->name,
        .first = segment->first,
        .end = segment->end,
        .row = load_row,
        .user = last,
    };
    struct wal_index *index = NULL;

    options.is_forced =
        true; /* an open that fails for one bad block would be worse than the block */
    enum wal_status status = wal_index_open(&options, &index);
    *ret_has_end = false;
    *ret_next = segment->first;
    if (status == WAL_NOMEM || last->status != WAL_OK) {
        wal_index_free(index);
        return last->status != WAL_OK ? last->status : status;
    }
    if (status != WAL_OK) {
        segment->is_broken = true;
        return WAL_OK;
    }
    *ret_next += index->count;
    if (index->is_broken) {
        /* Some that were given away may be gone: a number must never come twice. */
        *ret_next += index->file_bytes / WAL_RECORD_HEAD_BYTES + 1;
    }
    *ret_has_end = read_last_good(index, ret_end);
    if (!*ret_has_end && last->has_head) {
        *ret_end = (struct wal_place){segment->first, last->head.before};
        *ret_has_end = true;
    }
    segment->is_broken = index->is_broken;
    segment->index = index;
    wal->index_count++;
    return WAL_OK;
}

/*
 * The process before was perhaps killed in a commit that is in the page cache and not on the disk.
 * What is read now will be delivered, numbered behind and stored in the next segment's checkpoints:
 * it must not be gone after a power cut while those are there. A failure is ignored: what was
 * acknowledged is durable without this.
 */
static void sync_last(const struct wal *wal)
{
    const struct wal_segment *segment =
        wal->segment_count > 0 ? wal->segments[wal->segment_count - 1] : NULL;

    if (segment != NULL && segment->index != NULL && !wal->options.no_fsync &&
        !wal->options.read_only) {
        (void)fdatasync(segment->index->fd);
    }
}

/* Reads segments from the last one backwards, until one has the totals and the checkpoints. */
static enum wal_status find_end(struct wal *wal)
{
    bool has_end = false, has_checkpoints = false;

    for (size_t i = wal->segment_count; i > 0 && !(has_end && has_checkpoints); i--) {
        struct last last = {.wal = wal, .wants_checkpoints = !has_checkpoints};
        struct wal_place end = {0};
        uint64_t next = 0;
        bool has_this = false;
        enum wal_status status =
            look_into(wal, wal->segments[i - 1], &last, &next, &end, &has_this);
        if (status != WAL_OK) {
            return status;
        }
        has_checkpoints |= last.has_head;
        wal->next_sequence = next > wal->next_sequence ? next : wal->next_sequence;
        if (has_this && !has_end) {
            wal->total = end.total;
            has_end = true;
        }
    }
    return WAL_OK;
}

/* The cursors know too how far the queue had come. */
static void raise_end(struct wal *wal, const struct loading *loading)
{
    if (loading->has_end) {
        wal->next_sequence = loading->end.place.sequence > wal->next_sequence
                                 ? loading->end.place.sequence
                                 : wal->next_sequence;
        wal->total = wal_amount_max(wal->total, loading->end.place.total);
    }
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        const struct wal_cursor *cursor = &c->cursor;
        uint64_t upto =
            cursor->range_count > 0 ? cursor->ranges[cursor->range_count - 1].end : cursor->low;
        wal->next_sequence = upto > wal->next_sequence ? upto : wal->next_sequence;
        wal->total =
            wal_amount_max(wal->total, wal_amount_add(cursor->low_total, cursor->range_sum));
    }
    if (wal->segment_count > 0) {
        wal->segments[wal->segment_count - 1]->end = wal->next_sequence;
    }
}

/*
 * A last segment that was cut says so itself, but not what it held. Where the cursors know how far
 * the queue had come, the records are counted as consumers come to the gap; here are the rest, of
 * which the number is not known.
 */
static void notify_cut_end(struct wal *wal, const struct loading *loading)
{
    const struct wal_segment *last =
        wal->segment_count > 0 ? wal->segments[wal->segment_count - 1] : NULL;

    if (last == NULL || last->index == NULL || last->index->cut_bytes == 0 ||
        last->index->cut_bytes > wal->options.segment_bytes + WAL_BODY_BYTES_MAX ||
        (loading->has_end && loading->end.place.sequence > last->first + last->index->count)) {
        return;
    }
    wal->stat.damaged_bytes += last->index->cut_bytes;
    wal_notify(wal, &(struct wal_event){.kind = WAL_EVENT_DAMAGE, .bytes = last->index->cut_bytes});
}

/*
 * A cursor below the first segment is older than the removal of what it points to: the last cursors
 * were not synced, and a power cut took them. It had acknowledged those records, or they would be
 * there.
 */
static enum wal_status move_up(struct wal *wal, struct wal_consumer *consumer, uint64_t first)
{
    struct wal_cursor *cursor = &consumer->cursor;
    struct wal_place place = {first, wal->total};

    while (cursor->low < place.sequence) {
        enum wal_status status = wal_locate(wal, place.sequence, &place, NULL);
        if (status != WAL_OK) {
            return status;
        }
        if (wal_cursor_has(cursor, place.sequence)) {
            (void)wal_cursor_skip(cursor, &place);
            continue;
        }
        struct wal_place low = {cursor->low, cursor->low_total};
        (void)wal_cursor_absorb(cursor, low, place, &cursor->delivered);
        consumer->is_dirty = true;
    }
    return WAL_OK;
}

enum wal_status wal_recover(struct wal *wal, bool *ret_must_write)
{
    struct loading loading = {.wal = wal};

    enum wal_status status = list_directory(wal);
    if (status == WAL_OK) {
        status = load_cursors(wal, &loading, ret_must_write);
    }
    if (status == WAL_OK) {
        status = find_end(wal);
    }
    if (status != WAL_OK) {
        return status;
    }
    sync_last(wal);
    notify_cut_end(wal, &loading);
    raise_end(wal, &loading);
    uint64_t first = wal_first_sequence(wal);
    for (struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (c->cursor.low < first && status == WAL_OK) {
            status = move_up(wal, c, first);
            *ret_must_write = true;
        }
    }
    return status == WAL_NOMEM ? status : WAL_OK;
}
