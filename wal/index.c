#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "head.h"
#include "pages.h"
#include "raw.h"
#include "salvage.h"

/* Rows below the records are never larger than a checkpoint's. */
#define ROW_BYTES_MAX 4096u

/* Most that are looked for in a broken file: those of a whole one, since it may have been cut
 * short. */
#define RESCUED_MAX ((UINT64_C(64) << 20) / WAL_RECORD_HEAD_BYTES)

struct building {
    const struct wal_index_options *options;
    struct wal_index *index;
    size_t room;
    uint64_t count_max; /* more records do not fit in a file of that size */
    enum wal_status status;
    bool is_beyond; /* a key that no file of this size can hold */
};

static bool grow(struct building *building, size_t count)
{
    struct wal_index *index = building->index;

    if (count > building->room) {
        size_t room = count + count / 2 + 64;
        struct wal_index_slot *slots = reallocarray(index->slots, room, sizeof(*slots));
        if (slots == NULL) {
            building->status = WAL_NOMEM;
            return false;
        }
        index->slots = slots;
        building->room = room;
    }
    memset(index->slots + index->count, 0, (count - index->count) * sizeof(*index->slots));
    index->count = count;
    return true;
}

static bool add(struct building *building, uint64_t sequence, uint64_t offset, uint64_t size)
{
    struct wal_index *index = building->index;
    const struct wal_index_options *options = building->options;

    if (sequence < options->first || sequence >= options->end) {
        return true;
    }
    uint64_t at = sequence - index->first;
    if (at >= building->count_max || size == 0 || size > WAL_RECORD_BYTES_MAX || offset % 2 != 0 ||
        offset / 2 > UINT32_MAX) {
        building->is_beyond = true;
        return true;
    }
    if (at >= index->count && !grow(building, at + 1)) {
        return false;
    }
    index->slots[at] = (struct wal_index_slot){(uint32_t)(offset / 2), (uint32_t)size};
    return true;
}

static bool visit_row(struct building *building, uint64_t key, uint64_t offset, uint64_t size)
{
    uint8_t value[ROW_BYTES_MAX];

    bool is_origin = key == WAL_KEY_ORIGIN;
    if ((building->options->row == NULL && !is_origin) || size > sizeof(value) ||
        wal_raw_read(building->index->fd, value, size, offset) != WAL_OK) {
        return true;
    }
    if (is_origin) {
        wal_origin_row_read(hf_slice_of(value, size), building->index->origin);
    } else {
        building->options->row(building->options->user, key, hf_slice_of(value, size));
    }
    return true;
}

static bool visit_entry(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct building *building = user;

    if (key < WAL_KEY_RECORDS) {
        return visit_row(building, key, offset, size);
    }
    return add(building, key - WAL_KEY_RECORDS, offset, size);
}

static bool visit_rescued(void *user, uint64_t offset, uint64_t size)
{
    struct building *building = user;
    struct wal_record_head head;

    if (wal_raw_read(building->index->fd, &head, sizeof(head), offset) != WAL_OK) {
        return true;
    }
    return add(building, head.sequence, offset, size);
}

static enum wal_status fill(struct building *building)
{
    struct wal_index *index = building->index;
    struct wal_pages_result result;

    enum wal_status status =
        wal_pages_walk(index->fd, index->file_bytes, &result, visit_entry, building);
    if (building->status != WAL_OK) {
        return building->status;
    }
    if (status == WAL_OK && !building->is_beyond) {
        return WAL_OK;
    }
    if (status == WAL_NOMEM || (status == WAL_IO && !building->options->is_forced)) {
        return status;
    }
    index->is_broken = true;
    memset(index->origin, 0, sizeof(index->origin));
    index->cut_bytes =
        result.file_bytes > index->file_bytes ? result.file_bytes - index->file_bytes : 0;
    index->count =
        0; /* nothing in a broken tree is trusted: only records with a good checksum count */
    if (building->count_max < RESCUED_MAX) {
        building->count_max = RESCUED_MAX;
    }
    status = wal_salvage(index->fd, index->file_bytes, visit_rescued, building);
    if (building->status != WAL_OK) {
        return building->status;
    }
    return status == WAL_IO && building->options->is_forced ? WAL_OK : status;
}

enum wal_status wal_index_open(const struct wal_index_options *options,
                               struct wal_index **ret_index)
{
    struct stat info;
    struct wal_index *index = calloc(1, sizeof(*index));

    if (index == NULL) {
        return WAL_NOMEM;
    }
    index->first = options->first;
    index->fd = openat(options->directory_fd, options->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (index->fd < 0 || fstat(index->fd, &info) != 0) {
        enum wal_status status = errno == ENOENT ? WAL_MISSING : WAL_IO;
        wal_index_free(index);
        return status;
    }
    index->file_bytes = (uint64_t)info.st_size;
    struct building building = {.options = options,
                                .index = index,
                                .count_max = index->file_bytes / WAL_RECORD_HEAD_BYTES + 1};
    enum wal_status status = fill(&building);
    if (status != WAL_OK) {
        wal_index_free(index);
        return status;
    }
    *ret_index = index;
    return WAL_OK;
}

void wal_index_free(struct wal_index *index)
{
    if (index != NULL) {
        if (index->fd >= 0) {
            (void)close(index->fd);
        }
        free(index->slots);
        free(index);
    }
}

size_t wal_index_find(const struct wal_index *index, uint64_t from, uint64_t until,
                      struct wal_spot *spots, size_t most, size_t most_bytes)
{
    size_t count = 0, bytes = 0;
    uint64_t sequence = from < index->first ? index->first : from;

    while (sequence < until && sequence - index->first < index->count && count < most &&
           (count == 0 || bytes < most_bytes)) {
        const struct wal_index_slot *slot = &index->slots[sequence - index->first];
        if (slot->size != 0) {
            spots[count++] = (struct wal_spot){
                .sequence = sequence,
                .offset = (uint64_t)slot->half_offset * 2,
                .size = slot->size,
            };
            bytes += slot->size;
        }
        sequence++;
    }
    return count;
}
