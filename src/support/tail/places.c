/*
 * places: how far each file is committed, as checkpoints of the queues: `places` holds how many
 * there are, `file/N` one each. Numbers of files that are forgotten are used again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tail_internal.h"
#include "util/grow.h"

#define VERSION 1u
#define NUMBERS 9u
#define FIXED_BYTES (2u + NUMBERS * 8u)
#define PATH_STORED_MAX (HF_CHECKPOINT_BYTES_MAX - FIXED_BYTES)
#define NAME_ROOM 24u
#define QUEUES_MAX 64u
#define SLOTS_MAX 1000000u

static const char places_name[] = "places";

static void put_number(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get_number(const uint8_t *at)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

/* Where the file would be read from after a restart. */
static uint64_t committed_offset(const struct hf_tail *tail, const struct file *file)
{
    uint64_t held = tail->ops->held(tail->user, &file->seen);
    return held < file->offset ? held : file->offset;
}

static size_t write_value(const struct hf_tail *tail, const struct file *file, uint8_t *out)
{
    const uint64_t numbers[NUMBERS] = {file->seen.id,
                                       file->device,
                                       file->inode,
                                       file->begin,
                                       committed_offset(tail, file),
                                       file->record_number,
                                       file->fingerprint.size,
                                       file->fingerprint.hash[0],
                                       file->fingerprint.hash[1]};
    size_t path_size = file->path != NULL ? strlen(file->path) : 0;
    out[0] = VERSION;
    out[1] = file->is_gzip;
    for (unsigned i = 0; i < NUMBERS; i++) {
        put_number(out + 2 + i * 8, numbers[i]);
    }
    path_size = path_size <= PATH_STORED_MAX ? path_size : 0;
    if (path_size != 0) {
        memcpy(out + FIXED_BYTES, file->path, path_size);
    }
    return FIXED_BYTES + path_size;
}

static bool read_value(struct hf_slice value, struct file *file, char *path)
{
    if (value.size < FIXED_BYTES || value.data[0] != VERSION) {
        return false;
    }
    uint64_t numbers[NUMBERS];
    for (unsigned i = 0; i < NUMBERS; i++) {
        numbers[i] = get_number(value.data + 2 + i * 8);
    }
    *file = (struct file){.seen = {.id = numbers[0]},
                          .device = numbers[1],
                          .inode = numbers[2],
                          .begin = numbers[3],
                          .offset = numbers[4],
                          .record_number = numbers[5],
                          .fingerprint = {(uint32_t)numbers[6], {numbers[7], numbers[8]}},
                          .is_gzip = value.data[1] != 0};
    memcpy(path, value.data + FIXED_BYTES, value.size - FIXED_BYTES);
    path[value.size - FIXED_BYTES] = '\0';
    return true;
}

/* ---- slots ---- */

static bool grow_slots(struct hf_tail *tail, uint32_t count)
{
    if (count > tail->slot_capacity) {
        uint32_t capacity = count * 2 + 64;
        uint8_t *used = realloc(tail->slot_used, capacity);
        if (used == NULL) {
            return false;
        }
        tail->slot_used = used;
        tail->slot_capacity = capacity;
    }
    memset(tail->slot_used + tail->slot_count, 0, count - tail->slot_count);
    tail->slot_count = count;
    return true;
}

bool hf_tail_take_slot(struct hf_tail *tail, struct file *file)
{
    uint8_t *unused = tail->slot_count != 0 ? memchr(tail->slot_used, 0, tail->slot_count) : NULL;
    uint32_t slot = unused != NULL ? (uint32_t)(unused - tail->slot_used) : tail->slot_count;
    if (unused == NULL) {
        if (slot >= SLOTS_MAX || !grow_slots(tail, slot + 1)) {
            return false; /* without a place: it is read from its beginning after a restart */
        }
        tail->slots_touched = true;
    }
    tail->slot_used[slot] = 1;
    file->slot = slot;
    return true;
}

void hf_tail_free_slot(struct hf_tail *tail, struct file *file)
{
    if (file->slot == NO_SLOT) {
        return;
    }
    if (tail->forgotten_count == tail->forgotten_capacity) {
        size_t capacity = tail->forgotten_capacity * 2 + 16;
        uint32_t *forgotten = reallocarray(tail->forgotten, capacity, sizeof(*forgotten));
        if (forgotten == NULL) {
            return; /* its value stays: some bytes */
        }
        tail->forgotten = forgotten;
        tail->forgotten_capacity = capacity;
    }
    tail->forgotten[tail->forgotten_count++] = file->slot;
    file->slot = NO_SLOT;
}

/* ---- loading ---- */

struct loading {
    struct hf_tail *tail;
    size_t queue;
    bool knows[QUEUES_MAX]; /* the queue has places at all */
    uint32_t slot_count;
    struct file file; /* of the slot that is visited */
    char path[HF_CHECKPOINT_BYTES_MAX];
    bool found, is_missing;
};

static void visit_count(void *user, struct hf_slice value)
{
    struct loading *loading = user;
    size_t queue = loading->queue++;
    if (value.size == 8 && queue < QUEUES_MAX) {
        uint64_t count = get_number(value.data);
        loading->knows[queue] = true;
        loading->slot_count = count > loading->slot_count && count <= SLOTS_MAX
                                  ? (uint32_t)count
                                  : loading->slot_count;
    }
}

/* The oldest place of the queues: one that has no place of the file has nothing of it. */
static void visit_place(void *user, struct hf_slice value)
{
    struct loading *loading = user;
    struct file file;
    char path[HF_CHECKPOINT_BYTES_MAX];
    size_t queue = loading->queue++;
    if (queue >= QUEUES_MAX || !loading->knows[queue]) {
        return; /* a pipeline that is new begins with what comes now */
    }
    if (!read_value(value, &file, path)) {
        loading->is_missing = true;
        return;
    }
    struct file *best = &loading->file;
    if (loading->found && best->seen.id == file.seen.id) {
        best->offset = file.offset < best->offset ? file.offset : best->offset;
        best->record_number =
            file.record_number < best->record_number ? file.record_number : best->record_number;
        return;
    }
    loading->is_missing = loading->is_missing || loading->found;
    if (!loading->found || file.seen.id > best->seen.id) {
        *best = file;
        memcpy(loading->path, path, sizeof(path));
    }
    loading->found = true;
}

static bool keep_place(struct loading *loading, uint32_t slot)
{
    struct hf_tail *tail = loading->tail;
    const struct file *stored = &loading->file;
    struct file *file = hf_tail_file_add(tail);
    if (file == NULL) {
        return false;
    }
    file->seen.id = stored->seen.id;
    file->device = stored->device;
    file->inode = stored->inode;
    file->begin = stored->begin;
    file->offset = loading->is_missing ? stored->begin : stored->offset;
    file->record_number = loading->is_missing ? 0 : stored->record_number;
    file->fingerprint = stored->fingerprint;
    file->is_gzip = stored->is_gzip;
    file->slot = slot;
    file->stored = file->offset;
    file->is_stored = !loading->is_missing;
    file->lost_since_ns = tail->now_ns;
    tail->slot_used[slot] = 1;
    tail->next_id = stored->seen.id >= tail->next_id ? stored->seen.id + 1 : tail->next_id;
    return loading->path[0] == '\0' || hf_tail_file_set_path(tail, file, loading->path);
}

enum hf_status hf_tail_load_places(struct hf_tail *tail)
{
    struct loading loading = {.tail = tail};
    enum hf_status status =
        tail->ops->stored(tail->user, hf_slice_text(places_name), visit_count, &loading);
    if (status != HF_OK || loading.slot_count == 0) {
        for (size_t i = 0; i < QUEUES_MAX; i++) {
            tail->has_loaded = tail->has_loaded || loading.knows[i];
        }
        return status;
    }
    tail->has_loaded = true;
    if (!grow_slots(tail, loading.slot_count)) {
        return HF_NOMEM;
    }
    for (uint32_t slot = 0; slot < loading.slot_count; slot++) {
        char name[NAME_ROOM];
        snprintf(name, sizeof(name), "file/%u", slot);
        loading.queue = 0;
        loading.found = loading.is_missing = false;
        status = tail->ops->stored(tail->user, hf_slice_text(name), visit_place, &loading);
        if (status != HF_OK || (loading.found && !keep_place(&loading, slot))) {
            return status != HF_OK ? status : HF_NOMEM;
        }
    }
    return HF_OK;
}

/* ---- committing ---- */

static bool has_moved(const struct hf_tail *tail, const struct file *file)
{
    return file->slot != NO_SLOT && file->is_touched &&
           (!file->is_stored || file->stored != committed_offset(tail, file));
}

static size_t count_moved(const struct hf_tail *tail)
{
    size_t count = 0;
    for (size_t i = 0; i < tail->file_count; i++) {
        count += has_moved(tail, tail->files[i]);
    }
    return count;
}

/* Room for so many checkpoints with their names and values. */
static bool make_room(struct hf_tail *tail, size_t count)
{
    size_t each = NAME_ROOM + HF_CHECKPOINT_BYTES_MAX;
    return hf_grow(&tail->checkpoints, &tail->checkpoint_capacity, count,
                   sizeof(*tail->checkpoints)) &&
           hf_bytes_reserve(&tail->values, count * each) == HF_OK;
}

static struct hf_checkpoint *add_checkpoint(struct hf_tail *tail, size_t *count, uint32_t slot)
{
    char *name = (char *)tail->values.data + tail->values.size;
    int size = snprintf(name, NAME_ROOM, "file/%u", slot);
    tail->values.size += NAME_ROOM;
    struct hf_checkpoint *checkpoint = &tail->checkpoints[(*count)++];
    *checkpoint = (struct hf_checkpoint){.name = hf_slice_of(name, (size_t)size)};
    return checkpoint;
}

static size_t write_checkpoints(struct hf_tail *tail)
{
    size_t count = 0;
    tail->values.size = 0;
    for (size_t i = 0; i < tail->forgotten_count; i++) {
        add_checkpoint(tail, &count, tail->forgotten[i]);
    }
    for (size_t i = 0; i < tail->file_count; i++) {
        struct file *file = tail->files[i];
        if (!has_moved(tail, file)) {
            continue;
        }
        struct hf_checkpoint *checkpoint = add_checkpoint(tail, &count, file->slot);
        uint8_t *value = tail->values.data + tail->values.size;
        size_t size = write_value(tail, file, value);
        tail->values.size += size;
        checkpoint->value = hf_slice_of(value, size);
    }
    if (tail->slots_touched) {
        uint8_t *value = tail->values.data + tail->values.size;
        put_number(value, tail->slot_count);
        tail->values.size += 8;
        tail->checkpoints[count++] = (struct hf_checkpoint){.name = hf_slice_text(places_name),
                                                            .value = hf_slice_of(value, 8)};
    }
    return count;
}

static void settle(struct hf_tail *tail)
{
    for (size_t i = 0; i < tail->file_count; i++) {
        struct file *file = tail->files[i];
        if (file->is_touched) {
            file->stored = committed_offset(tail, file);
            file->is_stored = true;
            file->is_touched = file->stored != file->offset;
        }
    }
    for (size_t i = 0; i < tail->forgotten_count; i++) {
        tail->slot_used[tail->forgotten[i]] = 0;
    }
    tail->forgotten_count = 0;
    tail->slots_touched = false;
}

bool hf_tail_commit(struct hf_tail *tail)
{
    size_t count = 0;
    if (!make_room(tail, count_moved(tail) + tail->forgotten_count + 1)) {
        tail->ops->say(tail->user, HF_LOG_WARN, "", "no memory to commit; reading waits");
        return false;
    }
    count = write_checkpoints(tail);
    if (!tail->ops->commit(tail->user, tail->checkpoints, count)) {
        return false;
    }
    settle(tail);
    return true;
}
