/*
 * rotate: begins a new segment file, and closes the one before it. The committer's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Names a recycled file, ready to be written, or a new one. */
static bool name_file(struct wal *wal, struct wal_segment *segment)
{
    pthread_mutex_lock(&wal->lock);
    bool is_spare = wal->spare_count > 0;
    if (is_spare) {
        wal->spare_count--;
        (void)snprintf(segment->name, sizeof(segment->name), "spare-%u.tmp",
                       wal->spares[wal->spare_count]);
    }
    pthread_mutex_unlock(&wal->lock);
    if (!is_spare) {
        (void)snprintf(segment->name, sizeof(segment->name), "new-%u.tmp", wal->next_file++);
    }
    return is_spare;
}

enum wal_status wal_rotate_create(struct wal *wal, struct wal_segment **ret_segment, int *ret_errno)
{
    uint8_t empty_pages[sizeof(wal->empty_pages)];
    struct wal_segment *segment = calloc(1, sizeof(*segment));

    if (segment == NULL) {
        *ret_errno = ENOMEM;
        return WAL_NOMEM;
    }
    segment->fd = -1;
    segment->first = wal->next_sequence; /* the committer's to change: no lock to look */
    segment->end = UINT64_MAX;
    segment->times = WAL_TIMES_NONE;
    segment->has_times = true;
    bool is_spare = name_file(wal, segment);
    enum wal_status status =
        wal_segment_open(segment, &wal->segment_options, is_spare ? NULL : empty_pages, ret_errno);
    if (status != WAL_OK) {
        wal_rotate_discard(wal, segment);
        return status;
    }
    if (!is_spare) {
        pthread_mutex_lock(&wal->lock);
        memcpy(wal->empty_pages, empty_pages, sizeof(empty_pages));
        wal->has_empty_pages = true;
        pthread_mutex_unlock(&wal->lock);
    }
    *ret_segment = segment;
    return WAL_OK;
}

void wal_rotate_discard(struct wal *wal, struct wal_segment *segment)
{
    uint64_t first = 0;

    /* One that has its name already stands in the place of the one before: it goes when that place
     * is taken again. */
    if (!wal_fs_parse_segment(segment->name, &first)) {
        (void)unlinkat(wal->directory_fd, segment->name, 0);
    }
    wal_segment_free(segment);
}

/* Lock held. */
static void close_tail(struct wal *wal)
{
    struct wal_segment *tail = wal->tail_segment;

    if (tail != NULL) {
        tail->end = wal->next_sequence;
        tail->is_closed = true;
        wal->tail_segment = NULL;
        wal_janitor_call(wal); /* closes the environment when it has no reader */
    }
}

void wal_rotate_close_tail(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    close_tail(wal);
    pthread_mutex_unlock(&wal->lock);
}

/* A segment without a record has the name of its successor, which has just taken its place in the
 * directory. Lock held. */
static void replace_empty(struct wal *wal, uint64_t first)
{
    if (wal->segment_count > 0 && wal->segments[wal->segment_count - 1]->first == first) {
        struct wal_segment *empty = wal->segments[--wal->segment_count];
        empty->name[0] = '\0';
        wal_retire(wal, empty);
    }
}

enum wal_status wal_rotate_install(struct wal *wal, struct wal_segment *segment, int *ret_errno)
{
    char name[WAL_FILE_NAME_BYTES];

    pthread_mutex_lock(&wal->lock);
    enum wal_status status = wal_segments_reserve(wal);
    if (status == WAL_OK && wal->janitor.retired_count == wal->janitor.retired_room) {
        status = WAL_NOMEM; /* the janitor is far behind */
    }
    pthread_mutex_unlock(&wal->lock);
    if (status != WAL_OK) {
        *ret_errno = ENOMEM;
        return status;
    }
    wal_fs_segment_name(segment->first, name);
    if (renameat(wal->directory_fd, segment->name, wal->directory_fd, name) != 0) {
        *ret_errno = errno;
        return wal_fs_status(errno);
    }
    memcpy(segment->name, name, sizeof(name));
    /* The name counts only now; until here nothing of the file was acknowledged. */
    if (!wal->options.no_fsync && fsync(wal->directory_fd) != 0) {
        *ret_errno = errno;
        /*
         * The name may be there after a crash, and would cut the range of the tail: what is
         * appended next must not go there, but into a file that takes this one's place.
         */
        wal_rotate_close_tail(wal);
        return wal_fs_status(*ret_errno);
    }
    pthread_mutex_lock(&wal->lock);
    close_tail(wal);
    replace_empty(wal, segment->first);
    wal->segments[wal->segment_count++] = segment;
    wal->tail_segment = segment;
    pthread_mutex_unlock(&wal->lock);
    return WAL_OK;
}
