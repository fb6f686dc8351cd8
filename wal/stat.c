/*
 * stat: snapshots of the queue, its consumers and its checkpoints for their owner.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "util/time/clock.h"

static double rate(const struct wal *wal)
{
    uint64_t second = hf_clock_coarse_ns() / HF_NS_PER_S;
    uint64_t sum = 0;

    for (uint64_t age = 0; age < WAL_RATE_SECONDS && age <= second; age++) {
        uint64_t at = second - age;
        if (at <= wal->rate_second && wal->rate_second - at < WAL_RATE_SECONDS) {
            sum += wal->rate_bytes[at % WAL_RATE_SECONDS];
        }
    }
    /* A queue that is younger than the window is measured over its age. */
    uint64_t lived = wal->rate_began != 0 ? second - wal->rate_began + 1 : 1;
    return (double)sum / (double)(lived < WAL_RATE_SECONDS ? lived : WAL_RATE_SECONDS);
}

/* Why the queue refuses appends now; NULL: it does not. Lock held. */
static const char *refusal(struct wal *wal, bool is_low, int *ret_error)
{
    if (wal->is_closing) {
        return "it is being closed";
    }
    if (wal->space.failed != WAL_OK) {
        *ret_error = wal->stat.last_error;
        return "its last commit failed";
    }
    if (wal->is_row_pending && wal->janitor.status != WAL_OK) {
        *ret_error = wal->janitor.error;
        return "the cursors of its exporters cannot be written";
    }
    if (is_low) {
        return "the file system is nearly full";
    }
    return wal_space_is_full(wal) ? "it is full" : NULL;
}

void wal_stat(struct wal *wal, struct wal_stat *ret_stat)
{
    pthread_mutex_lock(&wal->lock);
    bool is_low = wal_space_is_low(wal);
    struct wal_stat stat = wal->stat;
    stat.disk_bytes = 0;
    for (size_t i = 0; i < wal->segment_count; i++) {
        const struct wal_segment *s = wal->segments[i];
        stat.disk_bytes += s->file_bytes > s->bytes ? s->file_bytes : s->bytes;
    }
    for (size_t i = 0; i < wal->spare_count; i++) {
        stat.disk_bytes += wal->spare_bytes[i];
    }
    for (size_t i = 0; i < wal->janitor.retired_count; i++) {
        const struct wal_segment *s = wal->janitor.retired[i];
        stat.disk_bytes += s->name[0] != '\0' ? s->file_bytes : 0;
    }
    stat.disk_bytes_max = wal->limits.max_bytes;
    stat.free_bytes = wal->space.available;
    stat.segments = wal->segment_count;
    stat.spare_segments = wal->spare_count;
    stat.first_sequence = wal_first_sequence(wal);
    stat.next_sequence = wal->next_sequence;
    stat.admitted = wal->space.outstanding.records;
    stat.appended = wal->total;
    stat.tail_bytes = wal->tail.bytes;
    stat.append_bytes_per_s = rate(wal);
    stat.refusal = refusal(wal, is_low, &stat.refusal_error);
    stat.healthy = stat.refusal == NULL;
    pthread_mutex_unlock(&wal->lock);
    *ret_stat = stat;
}

static void fill(const struct wal *wal, const struct wal_consumer *consumer,
                 struct wal_consumer_stat *ret_stat)
{
    *ret_stat = (struct wal_consumer_stat){.open = consumer->is_open, .low = consumer->cursor.low};
    memcpy(ret_stat->name, consumer->name, sizeof(consumer->name));
    wal_cursor_accounting(&consumer->cursor, wal->total, &ret_stat->accounting);
    if (consumer->cursor.low >= wal->next_sequence) {
        return;
    }
    const struct wal_tail_entry *entry = wal_tail_find(&wal->tail, consumer->cursor.low);
    if (entry != NULL) {
        ret_stat->oldest_time_ns = entry->record.time_ns;
    } else if (consumer->aged == consumer->cursor.low) {
        ret_stat->oldest_time_ns = consumer->aged_time_ns;
    }
}

/* The time of a record that is only on disk, kept until the consumer moves past it. */
static void look_up_time(struct wal *wal, struct wal_consumer_stat *stat)
{
    struct wal_place place;
    uint64_t time_ns = 0;

    if (stat->oldest_time_ns != 0 || stat->accounting.queued.records == 0 ||
        wal_locate(wal, stat->low, &place, &time_ns) != WAL_OK) {
        return;
    }
    stat->oldest_time_ns = time_ns;
    pthread_mutex_lock(&wal->lock);
    struct wal_consumer *consumer = wal_consumer_find(wal, stat->name);
    if (consumer != NULL) {
        consumer->aged = stat->low;
        consumer->aged_time_ns = time_ns;
    }
    pthread_mutex_unlock(&wal->lock);
}

enum wal_status wal_consumer_each(struct wal *wal,
                                  void (*visit)(void *user, const struct wal_consumer_stat *stat),
                                  void *user)
{
    size_t count = 0, filled = 0;

    pthread_mutex_lock(&wal->lock);
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        count++;
    }
    struct wal_consumer_stat *stats = calloc(count + 1, sizeof(*stats));
    for (const struct wal_consumer *c = wal->consumers; c != NULL && stats != NULL; c = c->next) {
        fill(wal, c, &stats[filled++]);
    }
    pthread_mutex_unlock(&wal->lock);
    if (stats == NULL) {
        return WAL_NOMEM;
    }
    for (size_t i = 0; i < filled; i++) {
        look_up_time(wal, &stats[i]);
        visit(user, &stats[i]);
    }
    free(stats);
    return WAL_OK;
}

bool wal_is_acknowledged(struct wal *wal, const char *consumer, uint64_t sequence)
{
    pthread_mutex_lock(&wal->lock);
    const struct wal_consumer *found = wal_consumer_find(wal, consumer);
    bool is_acknowledged = found != NULL && wal_cursor_has(&found->cursor, sequence);
    pthread_mutex_unlock(&wal->lock);
    return is_acknowledged;
}

static struct wal_segment_stat segment_stat(const struct wal *wal,
                                            const struct wal_segment *segment)
{
    bool is_tail = segment == wal->tail_segment;
    return (struct wal_segment_stat){.first = segment->first,
                                     .end = segment->end == UINT64_MAX ? wal->next_sequence
                                                                       : segment->end,
                                     .bytes = segment->bytes,
                                     .file_bytes = segment->file_bytes,
                                     .is_tail = is_tail,
                                     .is_broken = segment->is_broken};
}

enum wal_status wal_segment_each(struct wal *wal,
                                 void (*visit)(void *user, const struct wal_segment_stat *stat),
                                 void *user)
{
    pthread_mutex_lock(&wal->lock);
    size_t count = wal->segment_count;
    struct wal_segment_stat *stats = calloc(count + 1, sizeof(*stats));
    for (size_t i = 0; i < count && stats != NULL; i++) {
        stats[i] = segment_stat(wal, wal->segments[i]);
    }
    pthread_mutex_unlock(&wal->lock);
    if (stats == NULL) {
        return WAL_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        visit(user, &stats[i]);
    }
    free(stats);
    return WAL_OK;
}

/* Is it on disk, with a name that begins so? */
static bool is_stored_below(const struct wal_checkpoint_entry *entry, struct hf_slice prefix)
{
    return entry->name != NULL && entry->is_stored && entry->name_size >= prefix.size &&
           (prefix.size == 0 || memcmp(entry->name, prefix.data, prefix.size) == 0);
}

void wal_checkpoint_each(struct wal *wal, struct hf_slice prefix,
                         void (*visit)(void *user, struct hf_slice name, struct hf_slice value),
                         void *user)
{
    pthread_mutex_lock(&wal->lock);
    for (uint32_t i = 0; i < wal->checkpoints.count; i++) {
        const struct wal_checkpoint_entry *entry = &wal->checkpoints.entries[i];
        if (is_stored_below(entry, prefix)) {
            visit(user, hf_slice_of(entry->name, entry->name_size),
                  hf_slice_of(entry->value, entry->value_size));
        }
    }
    pthread_mutex_unlock(&wal->lock);
}

enum wal_status wal_checkpoint_get(struct wal *wal, struct hf_slice name, uint8_t *value,
                                   size_t *ret_size)
{
    assert(name.size != 0 && value != NULL);
    enum wal_status status = WAL_MISSING;

    pthread_mutex_lock(&wal->lock);
    const struct wal_checkpoint_entry *entry = wal_checkpoints_find(&wal->checkpoints, name);
    if (entry != NULL && entry->is_stored) {
        memcpy(value, entry->value, entry->value_size);
        *ret_size = entry->value_size;
        status = WAL_OK;
    }
    pthread_mutex_unlock(&wal->lock);
    return status;
}

bool wal_checkpoint_next(struct wal *wal, struct hf_slice prefix, uint32_t *at, uint8_t *name,
                         size_t *ret_size)
{
    bool found = false;

    pthread_mutex_lock(&wal->lock);
    for (; *at < wal->checkpoints.count && !found; (*at)++) {
        const struct wal_checkpoint_entry *entry = &wal->checkpoints.entries[*at];
        found = is_stored_below(entry, prefix);
        if (found) {
            memcpy(name, entry->name, entry->name_size);
            *ret_size = entry->name_size;
        }
    }
    pthread_mutex_unlock(&wal->lock);
    return found;
}
