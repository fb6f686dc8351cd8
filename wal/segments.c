/*
 * segments: the list of segments of a queue, in order of their first sequence number. Lock held.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

#include "index.h"

enum wal_status wal_segments_reserve(struct wal *wal)
{
    if (wal->segment_count < wal->segment_room) {
        return WAL_OK;
    }
    size_t room = wal->segment_room * 2 + 16;
    struct wal_segment **segments = reallocarray(wal->segments, room, sizeof(*segments));
    if (segments == NULL) {
        return WAL_NOMEM;
    }
    wal->segments = segments;
    wal->segment_room = room;
    return WAL_OK;
}

size_t wal_segments_find(const struct wal *wal, uint64_t sequence)
{
    size_t low = 0, high = wal->segment_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wal->segments[middle]->end <= sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void wal_segment_free(struct wal_segment *segment)
{
    if (segment != NULL) {
        assert(segment->users == 0);
        wal_segment_close_env(segment);
        wal_index_free(segment->index);
        free(segment->tenants);
        free(segment);
    }
}

uint64_t wal_first_sequence(const struct wal *wal)
{
    return wal->segment_count > 0 ? wal->segments[0]->first : wal->next_sequence;
}
