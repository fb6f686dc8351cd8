/*
 * get: one stored record by its sequence, without a consumer.
 */
#include "internal.h"

/* False: no segment has it. Lock held. */
static bool hold_segment_of(struct wal *wal, uint64_t sequence, struct wal_hold *ret_hold)
{
    size_t i = wal_segments_find(wal, sequence);
    if (i == wal->segment_count || sequence < wal->segments[i]->first ||
        sequence >= wal->segments[i]->end) {
        return false;
    }
    wal_hold(wal->segments[i], ret_hold);
    return true;
}

static enum wal_status get(struct wal *wal, uint64_t sequence, bool is_alone,
                           struct wal_record *ret_record)
{
    const struct wal_request request = {
        .from = sequence, .until = sequence + 1, .most = 1, .most_bytes = 1, .is_alone = is_alone};
    struct wal_batch batch = {.records = ret_record};
    struct wal_hold hold;
    pthread_mutex_lock(&wal->lock);
    bool is_held = hold_segment_of(wal, sequence, &hold);
    pthread_mutex_unlock(&wal->lock);
    if (!is_held) {
        return WAL_MISSING;
    }
    enum wal_status status = wal_read(wal, &hold, &request, &batch);
    pthread_mutex_lock(&wal->lock);
    wal_hold_release(wal, &hold);
    pthread_mutex_unlock(&wal->lock);
    return status == WAL_OK && batch.count == 0 ? WAL_MISSING : status;
}

enum wal_status wal_get(struct wal *wal, uint64_t sequence, struct wal_record *ret_record)
{
    return get(wal, sequence, false, ret_record);
}

enum wal_status wal_get_alone(struct wal *wal, uint64_t sequence, struct wal_record *ret_record)
{
    return get(wal, sequence, true, ret_record);
}
