/*
 * reclaim: makes the files of retired segments ready for use again, or removes them, and closes
 * what is not in use. The janitor's thread.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "index.h"
#include "internal.h"
#include "util/time/clock.h"

/* A file much smaller than a segment is not worth keeping, one much larger (other settings made it)
 * neither. */
#define SPARE_PART 2u

static bool is_worth_keeping(struct wal *wal, const struct wal_segment *segment)
{
    uint64_t spares = 0;

    pthread_mutex_lock(&wal->lock);
    uint64_t max = wal->limits.max_bytes, size = wal->segment_bytes;
    for (size_t i = 0; i < wal->spare_count; i++) {
        spares += wal->spare_bytes[i];
    }
    bool keep = wal->has_empty_pages && wal->spare_count < WAL_SPARES_MAX &&
                !wal->janitor.is_idle && wal->space.failed == WAL_OK && !wal_space_is_low(wal) &&
                segment->file_bytes >= size / SPARE_PART &&
                segment->file_bytes <= size * SPARE_PART &&
                (max == 0 || wal->space.used + spares + segment->file_bytes <= max);
    pthread_mutex_unlock(&wal->lock);
    return keep;
}

/*
 * Both first pages as in a file just made, durably, then out of the way under a passing name. The
 * old records stay behind: their sequence numbers give them away.
 */
static bool recycle(struct wal *wal, const struct wal_segment *segment)
{
    char name[WAL_FILE_NAME_BYTES];
    uint8_t empty_pages[sizeof(wal->empty_pages)];
    unsigned number = wal->janitor.next_spare++;

    pthread_mutex_lock(&wal->lock);
    memcpy(empty_pages, wal->empty_pages, sizeof(empty_pages)); /* the committer may replace them */
    pthread_mutex_unlock(&wal->lock);
    int fd = openat(wal->directory_fd, segment->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    bool is_ready =
        pwrite(fd, empty_pages, sizeof(empty_pages), 0) == (ssize_t)sizeof(empty_pages) &&
        (wal->options.no_fsync || fdatasync(fd) == 0);
    (void)close(fd);
    (void)snprintf(name, sizeof(name), "spare-%u.tmp", number);
    if (!is_ready || renameat(wal->directory_fd, segment->name, wal->directory_fd, name) != 0) {
        return false;
    }
    pthread_mutex_lock(&wal->lock);
    wal->spares[wal->spare_count] = number;
    wal->spare_bytes[wal->spare_count] = segment->file_bytes;
    wal->spare_count++;
    pthread_mutex_unlock(&wal->lock);
    return true;
}

static bool set_aside(struct wal *wal, const struct wal_segment *segment)
{
    char path[PATH_MAX];

    if (!wal_fs_set_aside(wal->directory_fd, segment->name, wal->damaged_directory, path,
                          sizeof(path))) {
        return false;
    }
    wal_notify(wal, &(struct wal_event){.kind = WAL_EVENT_DAMAGE, .path = path});
    return true;
}

static void reclaim_segment(struct wal *wal, struct wal_segment *segment, bool may_recycle)
{
    wal_segment_close_env(segment);
    bool is_gone = segment->name[0] == '\0' || (segment->is_broken && set_aside(wal, segment)) ||
                   (!segment->is_broken && may_recycle && is_worth_keeping(wal, segment) &&
                    recycle(wal, segment));
    if (!is_gone) {
        (void)unlinkat(wal->directory_fd, segment->name, 0);
    }
    pthread_mutex_lock(&wal->lock);
    wal->space.retired -= segment->bytes;
    pthread_cond_broadcast(&wal->janitor.done);
    pthread_mutex_unlock(&wal->lock);
    wal_segment_free(segment);
}

/* Takes one that has no reader any more. */
static struct wal_segment *take_retired(struct wal *wal)
{
    struct wal_janitor *janitor = &wal->janitor;
    struct wal_segment *segment = NULL;

    pthread_mutex_lock(&wal->lock);
    for (size_t i = 0; i < janitor->retired_count && segment == NULL; i++) {
        if (janitor->retired[i]->users == 0) {
            segment = janitor->retired[i];
            janitor->retired[i] = janitor->retired[--janitor->retired_count];
            wal->index_count -= segment->index != NULL;
        }
    }
    pthread_mutex_unlock(&wal->lock);
    return segment;
}

void wal_reclaim(struct wal *wal, bool is_safe, bool is_closing)
{
    bool is_any = false;

    for (struct wal_segment *s = take_retired(wal); s != NULL; s = take_retired(wal)) {
        reclaim_segment(wal, s, is_safe && !is_closing);
        is_any = true;
    }
    if (is_any) {
        if (!wal->options.no_fsync) {
            (void)fsync(wal->directory_fd); /* undone by a power cut, it costs repeats */
        }
        pthread_mutex_lock(&wal->lock);
        wal_release_drained(wal); /* segments that had no room in the list */
        pthread_mutex_unlock(&wal->lock);
    }
}

void wal_drop_spares(struct wal *wal)
{
    char name[WAL_FILE_NAME_BYTES];

    for (;;) {
        pthread_mutex_lock(&wal->lock);
        bool is_any = wal->spare_count > 0;
        unsigned number = is_any ? wal->spares[--wal->spare_count] : 0;
        pthread_mutex_unlock(&wal->lock);
        if (!is_any) {
            return;
        }
        (void)snprintf(name, sizeof(name), "spare-%u.tmp", number);
        (void)unlinkat(wal->directory_fd, name, 0);
    }
}

/* The unused end of a recycled file that was closed early. */
static void give_back_end(struct wal *wal, struct wal_segment *segment)
{
    struct wal_segment copy;

    pthread_mutex_lock(&wal->lock);
    copy = *segment;
    segment->is_trimmed = true;
    pthread_mutex_unlock(&wal->lock);
    if (copy.is_trimmed || copy.bytes == 0 ||
        copy.file_bytes < copy.bytes + copy.bytes / 8 + (64u << 10)) {
        return;
    }
    int fd = openat(wal->directory_fd, copy.name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        bool is_cut = ftruncate(fd, (off_t)copy.bytes) == 0;
        (void)close(fd);
        pthread_mutex_lock(&wal->lock);
        if (is_cut) {
            segment->file_bytes = copy.bytes;
        }
        pthread_mutex_unlock(&wal->lock);
    }
}

/* A closed segment whose environment has no reader. */
static struct wal_segment *find_closable(struct wal *wal)
{
    for (size_t i = wal->segment_count; i > 0; i--) {
        struct wal_segment *s = wal->segments[i - 1];
        if (s->is_closed && s->env != NULL && s->env_users == 0) {
            return s;
        }
    }
    return NULL;
}

static struct wal_index *take_unused_index(struct wal *wal, bool all)
{
    struct wal_segment *oldest = NULL;

    for (size_t i = 0; i < wal->segment_count; i++) {
        struct wal_segment *s = wal->segments[i];
        if (s->index != NULL && s->users == 0 &&
            (oldest == NULL || s->index_used_ns < oldest->index_used_ns)) {
            oldest = s;
        }
    }
    if (oldest == NULL || (!all && wal->index_count <= WAL_INDEXES_MAX)) {
        return NULL;
    }
    struct wal_index *index = oldest->index;
    oldest->index = NULL;
    wal->index_count--;
    return index;
}

void wal_close_unused(struct wal *wal, bool all)
{
    pthread_mutex_lock(&wal->lock);
    for (struct wal_segment *s = find_closable(wal); s != NULL; s = find_closable(wal)) {
        s->users++;
        pthread_mutex_unlock(&wal->lock);
        /* No reader begins to use the environment of a closed segment, so it can be closed here. */
        wal_segment_close_env(s);
        give_back_end(wal, s);
        pthread_mutex_lock(&wal->lock);
        s->users--;
    }
    for (struct wal_index *i = take_unused_index(wal, all); i != NULL;
         i = take_unused_index(wal, all)) {
        pthread_mutex_unlock(&wal->lock);
        wal_index_free(i);
        pthread_mutex_lock(&wal->lock);
    }
    pthread_mutex_unlock(&wal->lock);
}
