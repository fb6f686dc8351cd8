/*
 * event: reports events to the owner of the queue, and keeps damaged records for inspection.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* More damaged records than this are counted but not kept. */
#define SET_ASIDE_MAX 1000u

void wal_notify(struct wal *wal, const struct wal_event *event)
{
    if (wal->options.event != NULL) {
        wal->options.event(wal->options.user, event);
    }
}

void wal_damaged_path(const struct wal *wal, uint64_t sequence, char *ret_path, size_t size)
{
    (void)snprintf(ret_path, size, "%s/%020" PRIu64 ".record", wal->damaged_directory, sequence);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    /* Exclusively: several consumers come past the same record. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        return;
    }
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        at += n;
        size -= (size_t)n;
    }
    (void)close(fd);
}

void wal_keep_damaged(struct wal *wal, uint64_t sequence, const void *bytes, size_t size)
{
    char path[PATH_MAX];

    if (wal->options.read_only) {
        return;
    }
    pthread_mutex_lock(&wal->lock);
    bool is_over = wal->set_aside_count >= SET_ASIDE_MAX;
    wal->set_aside_count++;
    pthread_mutex_unlock(&wal->lock);
    if (!is_over) {
        (void)mkdir(wal->damaged_directory, 0700);
        wal_damaged_path(wal, sequence, path, sizeof(path));
        write_file(path, bytes, size);
    }
}

void wal_notify_damage(struct wal *wal, uint64_t first, uint64_t upto, struct wal_amount amount)
{
    char path[PATH_MAX];

    if (amount.records == 0) {
        return; /* sequences that were never given away */
    }
    pthread_mutex_lock(&wal->lock);
    size_t i = wal_segments_find(wal, first);
    bool is_new = true;
    if (i < wal->segment_count) {
        is_new = wal->segments[i]->damage_upto < upto;
        wal->segments[i]->damage_upto = is_new ? upto : wal->segments[i]->damage_upto;
    }
    if (is_new) {
        wal->stat.damaged_records += amount.records;
        wal->stat.damaged_bytes += amount.bytes;
    }
    pthread_mutex_unlock(&wal->lock);
    if (is_new) {
        wal_damaged_path(wal, first, path, sizeof(path));
        wal_notify(wal, &(struct wal_event){.kind = WAL_EVENT_DAMAGE,
                                            .records = amount.records,
                                            .bytes = amount.bytes,
                                            .path = access(path, F_OK) == 0 ? path : NULL});
    }
}
