/*
 * reader: reads records from segment files: by LMDB from the tail, by an index and pread() from
 * closed segments. Neighbouring records are read with one call.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index.h"
#include "internal.h"
#include "pages_find.h"
#include "util/time/clock.h"

/* Bytes read for nothing rather than by a system call of their own. */
#define RANGE_GAP_MAX 8192u
/* A queue longer than this many segments is a backlog: its pages are given back as they are read.
 */
#define BACKLOG_SEGMENTS 4u

/* What one pread brings, shared by the records in it. */
struct buffer {
    struct hf_ref ref;
    uint8_t bytes[];
};

struct file_range {
    uint64_t start, end; /* in the file */
    size_t at;           /* in the buffer */
};

struct plan {
    struct wal_spot spots[WAL_READ_MOST];
    uint16_t range_of[WAL_READ_MOST];
    struct file_range ranges[WAL_READ_MOST];
    size_t spot_count, range_count, bytes;
    const uint8_t *origin; /* of all records of the segment */
};

static void free_buffer(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct buffer, ref));
}

void wal_hold(struct wal_segment *segment, struct wal_hold *ret_hold)
{
    segment->users++;
    segment->index_used_ns = hf_clock_coarse_ns();
    *ret_hold = (struct wal_hold){.segment = segment, .by_env = !segment->is_closed};
    if (ret_hold->by_env) {
        segment->env_users++;
    }
}

void wal_hold_release(struct wal *wal, struct wal_hold *hold)
{
    struct wal_segment *segment = hold->segment;

    assert(segment->users > 0);
    segment->users--;
    if (hold->by_env) {
        segment->env_users--;
    }
    /* The janitor may have waited for this to close or reclaim it. */
    if (segment->is_closed && segment->users == 0 &&
        (segment->env != NULL || wal->janitor.retired_count > 0)) {
        wal_janitor_call(wal);
    }
}

/* The index of a closed segment, made when it is missing. Two readers may make one at once: the
 * first stays. */
static enum wal_status get_index(struct wal *wal, struct wal_segment *segment, bool is_forced,
                                 struct wal_index **ret_index)
{
    pthread_mutex_lock(&wal->lock);
    struct wal_index *index = segment->index;
    struct wal_index_options options = {
        .directory_fd = wal->directory_fd,
        .name = segment->name,
        .first = segment->first,
        .end = segment->end,
        .is_forced = is_forced,
    };
    pthread_mutex_unlock(&wal->lock);
    if (index != NULL) {
        *ret_index = index;
        return WAL_OK;
    }

    enum wal_status status = wal_index_open(&options, &index);
    if (status != WAL_OK) {
        return status;
    }
    struct wal_index *surplus = NULL;
    pthread_mutex_lock(&wal->lock);
    if (segment->index == NULL) {
        segment->index = index;
        segment->is_broken = index->is_broken;
        wal->index_count++;
        if (wal->index_count > WAL_INDEXES_MAX) {
            wal_janitor_call(wal);
        }
    } else {
        surplus = index;
    }
    *ret_index = segment->index;
    pthread_mutex_unlock(&wal->lock);
    wal_index_free(surplus);
    return WAL_OK;
}

/* Neighbours in the file are read together, whatever their order (LMDB fills a leaf page from its
 * end). */
static void make_ranges(struct plan *plan)
{
    for (size_t i = 0; i < plan->spot_count; i++) {
        uint64_t start = plan->spots[i].offset;
        uint64_t end = start + plan->spots[i].size;
        if (plan->range_count > 0) {
            struct file_range *last = &plan->ranges[plan->range_count - 1];
            uint64_t joined_start = last->start < start ? last->start : start;
            uint64_t joined_end = last->end > end ? last->end : end;
            if (joined_end - joined_start <=
                last->end - last->start + plan->spots[i].size + RANGE_GAP_MAX) {
                last->start = joined_start;
                last->end = joined_end;
                plan->range_of[i] = (uint16_t)(plan->range_count - 1);
                continue;
            }
        }
        plan->ranges[plan->range_count] = (struct file_range){.start = start, .end = end};
        plan->range_of[i] = (uint16_t)plan->range_count;
        plan->range_count++;
    }
    for (size_t i = 0; i < plan->range_count; i++) {
        plan->ranges[i].at = plan->bytes;
        plan->bytes += (size_t)(plan->ranges[i].end - plan->ranges[i].start);
    }
}

/* Fills `size` bytes; what the file does not have becomes zeros, which pass no check. False: a read
 * error. */
static bool read_all(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(fd, bytes + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            memset(bytes + done, 0, size - done);
            return n == 0;
        }
        done += (size_t)n;
    }
    return true;
}

static const uint8_t *spot_bytes(const struct plan *plan, size_t i, const struct buffer *buffer)
{
    const struct file_range *range = &plan->ranges[plan->range_of[i]];

    return buffer->bytes + range->at + (plan->spots[i].offset - range->start);
}

static enum wal_status fetch(const struct plan *plan, int fd, bool is_forced, struct buffer *buffer)
{
    for (size_t s = 0; s < plan->range_count; s++) {
        const struct file_range *range = &plan->ranges[s];
        if (read_all(fd, buffer->bytes + range->at, (size_t)(range->end - range->start),
                     range->start)) {
            continue;
        }
        if (!is_forced) {
            return WAL_IO;
        }
        /* One by one, so that a bad block costs only the records on it. */
        for (size_t i = 0; i < plan->spot_count; i++) {
            if (plan->range_of[i] == s) {
                size_t at = range->at + (size_t)(plan->spots[i].offset - range->start);
                (void)read_all(fd, buffer->bytes + at, plan->spots[i].size, plan->spots[i].offset);
            }
        }
    }
    return WAL_OK;
}

static void add_record(struct wal_batch *batch, const uint8_t *value,
                       const struct wal_record_head *head, const uint8_t *origin,
                       struct buffer *buffer)
{
    hf_ref_take(&buffer->ref);
    struct wal_record *record = &batch->records[batch->count];
    batch->before[batch->count++] = head->before;
    *record = (struct wal_record){
        .sequence = head->sequence,
        .kind = head->kind,
        .coding = head->coding,
        .flags = head->flags,
        .items = head->items,
        .raw_bytes = head->raw_bytes,
        .time_ns = head->time_ns,
        .meta = wal_record_meta(value, head),
        .body = wal_record_body(value, head),
        .owner = &buffer->ref,
    };
    memcpy(record->origin, origin, sizeof(record->origin));
}

static void check_all(struct wal *wal, const struct plan *plan, struct buffer *buffer,
                      struct wal_batch *batch)
{
    for (size_t i = 0; i < plan->spot_count; i++) {
        const struct wal_spot *spot = &plan->spots[i];
        const uint8_t *value = spot_bytes(plan, i, buffer);
        struct wal_record_head head;
        if (wal_record_check(value, spot->size, &head) == WAL_OK &&
            head.sequence == spot->sequence) {
            add_record(batch, value, &head, plan->origin, buffer);
            continue;
        }
        wal_keep_damaged(wal, spot->sequence, value, spot->size);
    }
}

static enum wal_status read_plan(struct wal *wal, int fd, struct plan *plan,
                                 const struct wal_request *request, struct wal_batch *batch)
{
    make_ranges(plan);
    struct buffer *buffer = malloc(sizeof(*buffer) + plan->bytes);
    if (buffer == NULL) {
        return WAL_NOMEM;
    }
    hf_ref_init(&buffer->ref, free_buffer);
    enum wal_status status = fetch(plan, fd, request->is_forced, buffer);
    if (status == WAL_OK) {
        check_all(wal, plan, buffer, batch);
    }
    hf_ref_drop(&buffer->ref);
    return status;
}

/* The transaction is held over the reading: the writer may use a leaf page again two commits after
 * it was left. */
static enum wal_status read_by_env(struct wal *wal, struct wal_segment *segment, struct plan *plan,
                                   const struct wal_request *request, struct wal_batch *batch)
{
    struct wal_reading reading;

    enum wal_status status = wal_reading_begin(segment, &reading);
    if (status != WAL_OK) {
        return status;
    }
    plan->origin = wal->origin; /* LMDB opens nothing that this process did not write */
    status = wal_reading_find(segment, &reading, request->from, request->until, plan->spots,
                              request->most, request->most_bytes, &plan->spot_count);
    if (status == WAL_OK && plan->spot_count > 0) {
        status = read_plan(wal, segment->fd, plan, request, batch);
    }
    wal_reading_end(&reading);
    return status;
}

/* One record of a closed segment down its tree. False: not this way; the index knows. */
static bool read_alone(struct wal *wal, struct wal_segment *segment, struct plan *plan,
                       const struct wal_request *request, struct wal_batch *batch)
{
    static const uint8_t no_origin[WAL_ORIGIN_BYTES];
    struct stat info;
    uint64_t offset = 0, size = 0;
    int fd = openat(wal->directory_fd, segment->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool is_found = fd >= 0 && fstat(fd, &info) == 0 &&
                    wal_pages_find(fd, (uint64_t)info.st_size, WAL_KEY_RECORDS + request->from,
                                   &offset, &size) == WAL_OK &&
                    size > 0 && size <= WAL_RECORD_BYTES_MAX;

    if (is_found) {
        plan->spots[0] = (struct wal_spot){request->from, offset, (size_t)size};
        plan->spot_count = 1;
        plan->origin = no_origin;
        is_found = read_plan(wal, fd, plan, request, batch) == WAL_OK;
    }
    if (!is_found) {
        plan->spot_count = plan->range_count = plan->bytes = 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_found;
}

static enum wal_status read_by_index(struct wal *wal, struct wal_segment *segment,
                                     struct plan *plan, const struct wal_request *request,
                                     struct wal_batch *batch)
{
    struct wal_index *index = NULL;

    if (request->is_alone && read_alone(wal, segment, plan, request, batch)) {
        return WAL_OK;
    }
    enum wal_status status = get_index(wal, segment, request->is_forced, &index);
    if (status == WAL_MISSING || (status == WAL_IO && request->is_forced)) {
        return WAL_OK; /* nothing of it can be read: a gap */
    }
    if (status != WAL_OK) {
        return status;
    }
    plan->origin = index->origin;
    plan->spot_count = wal_index_find(index, request->from, request->until, plan->spots,
                                      request->most, request->most_bytes);
    if (plan->spot_count == 0) {
        return WAL_OK;
    }
    status = read_plan(wal, index->fd, plan, request, batch);
    pthread_mutex_lock(&wal->lock);
    bool is_backlog = wal->segment_count > BACKLOG_SEGMENTS;
    pthread_mutex_unlock(&wal->lock);
    for (size_t i = 0; is_backlog && i < plan->range_count; i++) {
        (void)posix_fadvise(index->fd, (off_t)plan->ranges[i].start,
                            (off_t)(plan->ranges[i].end - plan->ranges[i].start),
                            POSIX_FADV_DONTNEED);
    }
    return status;
}

enum wal_status wal_read(struct wal *wal, const struct wal_hold *hold,
                         const struct wal_request *request, struct wal_batch *batch)
{
    struct plan plan;

    assert(request->most >= 1 && request->most <= WAL_READ_MOST);
    plan.spot_count = 0;
    plan.range_count = 0;
    plan.bytes = 0;
    batch->count = 0;
    enum wal_status status = hold->by_env
                                 ? read_by_env(wal, hold->segment, &plan, request, batch)
                                 : read_by_index(wal, hold->segment, &plan, request, batch);
    if (status != WAL_OK) {
        return status;
    }
    size_t asked = 0;
    for (size_t i = 0; i < plan.spot_count; i++) {
        asked += plan.spots[i].size;
    }
    bool is_cut =
        plan.spot_count == request->most || (plan.spot_count > 0 && asked >= request->most_bytes);
    batch->look = is_cut ? plan.spots[plan.spot_count - 1].sequence + 1 : request->until;
    return WAL_OK;
}

/* One step of wal_locate(): the segment at or after `from`, or the end of the queue. */
static bool hold_next(struct wal *wal, uint64_t *from, struct wal_place *ret_end,
                      struct wal_hold *ret_hold, uint64_t *ret_until)
{
    pthread_mutex_lock(&wal->lock);
    *ret_end = (struct wal_place){wal->next_sequence, wal->total};
    size_t i = wal_segments_find(wal, *from);
    bool is_there = *from < wal->next_sequence && i < wal->segment_count;
    if (is_there) {
        struct wal_segment *segment = wal->segments[i];
        if (*from < segment->first) {
            *from = segment->first;
        }
        *ret_until = segment->end < wal->next_sequence ? segment->end : wal->next_sequence;
        wal_hold(segment, ret_hold);
    }
    pthread_mutex_unlock(&wal->lock);
    return is_there;
}

enum wal_status wal_locate(struct wal *wal, uint64_t sequence, struct wal_place *ret_place,
                           uint64_t *ret_time_ns)
{
    struct wal_place end;
    struct wal_hold hold;
    struct wal_record record;
    struct wal_batch batch = {.records = &record};
    uint64_t until = 0;

    while (hold_next(wal, &sequence, &end, &hold, &until)) {
        const struct wal_request request = {
            .from = sequence, .until = until, .most = 1, .is_forced = true};
        enum wal_status status = wal_read(wal, &hold, &request, &batch);
        pthread_mutex_lock(&wal->lock);
        wal_hold_release(wal, &hold);
        pthread_mutex_unlock(&wal->lock);
        if (status != WAL_OK) {
            return status;
        }
        if (batch.count > 0) {
            hf_ref_drop(record.owner);
            *ret_place = (struct wal_place){record.sequence, batch.before[0]};
            if (ret_time_ns != NULL) {
                *ret_time_ns = record.time_ns;
            }
            return WAL_OK;
        }
        sequence = batch.look;
    }
    *ret_place = end;
    return WAL_OK;
}
