#include "once.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoints.h"
#include "pdata/split.h"
#include "record_window.h"
#include "util/compress/compress.h"
#include "util/time/clock.h"

/* The name of a window among a queue's checkpoints. Those of receivers begin with an id, which is
 * never empty. */
static const uint8_t prefix[] = {0, 'o', 'n', 'c', 'e'};
static_assert(sizeof(prefix) + HF_ORIGIN_BYTES == HF_ONCE_NAME_BYTES, "a name is this long");

/* Ranges of items that are left of a request: between those of a window. */
#define CUTS_MAX (HF_RECORD_NAMES_RUNS_MAX + HF_RECORD_WINDOW_RANGES + 2u)

/* ---- the request ---- */

/* Adds a part to the ranges, which ascend. False: too many. */
static bool add_range(struct hf_once *once, const struct hf_record_part *part)
{
    struct hf_record_range range = hf_record_range_of(part);
    size_t count = once->arrival.count;
    if (count != 0 && hf_record_place_compare(once->ranges[count - 1].to, range.from) == 0) {
        once->ranges[count - 1].to = range.to;
        return true;
    }
    if (count == HF_RECORD_NAMES_RUNS_MAX) {
        return false;
    }
    once->ranges[count] = range;
    once->arrival.count++;
    return true;
}

/* Whether the value names the items of the batch, all of them and no others. */
static bool read_names(struct hf_once *once)
{
    struct hf_record_names names;
    struct hf_record_part part;
    uint64_t items = 0;
    if (!hf_record_names_open(once->names, &names)) {
        return false;
    }
    memcpy(once->arrival.origin, names.origin, HF_ORIGIN_BYTES);
    while (items <= once->batch->items && hf_record_names_next(&names, &part)) {
        items += part.count;
        if (!add_range(once, &part)) {
            return false;
        }
    }
    return !names.is_bad && items == once->batch->items && items != 0;
}

/* The committer's thread. */
static size_t update_window(void *user, struct hf_slice value, uint8_t *ret_value)
{
    const struct hf_once *once = user;
    struct hf_record_window window = {.count = 0};
    (void)hf_record_window_read(value, &window);
    for (size_t i = 0; i < once->arrival.count; i++) {
        hf_record_window_add(&window, once->ranges[i]);
    }
    window.used_s = once->now_s;
    return hf_record_window_write(&window, ret_value);
}

enum hf_status hf_once_begin(struct hf_arrivals *arrivals, struct hf_slice names,
                             struct hf_batch *batch, struct hf_once **ret_once)
{
    struct hf_once *once = malloc(sizeof(*once));
    *ret_once = NULL;
    if (once == NULL) {
        return HF_NOMEM;
    }
    once->arrivals = arrivals;
    once->arrival = (struct hf_arrival){.ranges = once->ranges};
    once->names = names;
    once->batch = batch;
    once->now_s = (uint32_t)(hf_clock_unix_ns() / HF_NS_PER_S);
    if (!read_names(once)) {
        free(once);
        return HF_OK;
    }
    if (!hf_arrivals_begin(arrivals, &once->arrival)) {
        free(once);
        return HF_AGAIN;
    }
    memcpy(once->name, prefix, sizeof(prefix));
    memcpy(once->name + sizeof(prefix), once->arrival.origin, HF_ORIGIN_BYTES);
    once->checkpoints[0] = (struct wal_checkpoint){
        .name = hf_slice_of(once->name, sizeof(once->name)), .update = update_window, .user = once};
    once->checkpoint_count = 1;
    *ret_once = once;
    return HF_OK;
}

void hf_once_end(struct hf_once *once)
{
    if (once != NULL) {
        hf_arrivals_end(once->arrivals, &once->arrival);
        free(once);
    }
}

/* ---- what the queues know ---- */

/* The sender that was silent for longest. */
struct search {
    size_t count;
    uint32_t used_s;
    uint8_t name[HF_ONCE_NAME_BYTES];
};

static void visit_sender(void *user, struct hf_slice name, struct hf_slice value)
{
    struct search *search = user;
    uint32_t used_s = hf_record_window_used(value);
    if (name.size == sizeof(search->name) && (search->count == 0 || used_s < search->used_s)) {
        search->used_s = used_s;
        memcpy(search->name, name.data, name.size);
    }
    search->count++;
}

/* Makes room for a sender that is new to the queue. */
static void forget_one(struct hf_once *once, const struct hf_pipeline *pipeline)
{
    struct search search = {.count = 0};
    wal_checkpoint_each(pipeline->wal, hf_slice_of(prefix, sizeof(prefix)), visit_sender, &search);
    if (search.count >= HF_ONCE_SENDERS_MAX && once->checkpoint_count == 1) {
        memcpy(once->forgotten, search.name, sizeof(search.name));
        once->checkpoints[once->checkpoint_count++] =
            (struct wal_checkpoint){.name = hf_slice_of(once->forgotten, sizeof(once->forgotten))};
    }
}

struct reading {
    struct hf_once *once;
    struct hf_record_window window; /* what all the queues have that were read */
    size_t queues;
};

static enum hf_status read_window(void *user, struct hf_pipeline *pipeline)
{
    struct reading *reading = user;
    struct hf_record_window window = {.count = 0};
    uint8_t value[WAL_CHECKPOINT_BYTES_MAX];
    size_t size = 0;
    if (wal_checkpoint_get(pipeline->wal, reading->once->checkpoints[0].name, value, &size) ==
        WAL_OK) {
        (void)hf_record_window_read(hf_slice_of(value, size), &window);
    } else {
        forget_one(reading->once, pipeline);
    }
    if (reading->queues++ == 0) {
        reading->window = window;
    } else {
        hf_record_window_intersect(&reading->window, &window);
    }
    return HF_OK;
}

/* ---- cutting ---- */

struct cuts {
    struct hf_split_range items[CUTS_MAX]; /* of the batch, that are kept */
    size_t count;
    uint32_t kept;
};

/* False: too many. */
static bool keep_items(struct cuts *cuts, uint32_t first, uint32_t count)
{
    cuts->kept += count;
    if (cuts->count != 0) {
        struct hf_split_range *last = &cuts->items[cuts->count - 1];
        if (last->first + last->count == first) {
            last->count += count;
            return true;
        }
    }
    if (cuts->count == CUTS_MAX) {
        return false;
    }
    cuts->items[cuts->count++] = (struct hf_split_range){first, count};
    return true;
}

/* The end of what the window has from that item of the record on; `item` itself: nothing. */
static uint32_t known_until(const struct hf_record_window *window,
                            const struct hf_record_part *part, uint32_t item, uint32_t *ret_next)
{
    const struct hf_record_place at = {part->sequence, item};
    uint32_t end = part->first + part->count;
    *ret_next = end;
    for (size_t i = 0; i < window->count; i++) {
        const struct hf_record_range *range = &window->ranges[i];
        bool begins_behind = hf_record_place_compare(at, range->from) < 0;
        if (begins_behind && range->from.sequence == part->sequence &&
            range->from.item < *ret_next) {
            *ret_next = range->from.item; /* until there nothing is known */
        }
        if (!begins_behind && hf_record_place_compare(at, range->to) < 0) {
            return range->to.sequence == part->sequence && range->to.item < end ? range->to.item
                                                                                : end;
        }
    }
    return item;
}

/* Keeps what is new of one part, which begins at the item `offset` of the batch. */
static bool cut_part(const struct hf_record_window *window, const struct hf_record_part *part,
                     uint32_t offset, struct cuts *cuts)
{
    uint32_t end = part->first + part->count;
    bool is_good = true;
    for (uint32_t item = part->first; item < end && is_good;) {
        uint32_t next = end;
        uint32_t known = known_until(window, part, item, &next);
        if (known == item) {
            is_good = keep_items(cuts, offset + (item - part->first), next - item);
        }
        item = known != item ? known : next;
    }
    return is_good;
}

static bool cut_all(const struct hf_once *once, const struct hf_record_window *window,
                    struct cuts *cuts)
{
    struct hf_record_names names;
    struct hf_record_part part;
    uint32_t offset = 0;
    bool is_good = hf_record_names_open(once->names, &names);
    while (is_good && hf_record_names_next(&names, &part)) {
        is_good = cut_part(window, &part, offset, cuts);
        offset += part.count;
    }
    return is_good;
}

/* The items that are kept, as a batch of their own. One that cannot be cut stays whole. */
static enum hf_status cut_batch(const struct hf_once *once, const struct hf_record_window *window,
                                struct hf_batch **ret_batch)
{
    struct hf_batch *whole = once->batch;
    struct cuts cuts = {.count = 0};
    struct hf_bytes bytes = {0};
    enum hf_status status = HF_INVALID;
    if (cut_all(once, window, &cuts)) {
        status = hf_split_ranges(whole->signal, whole->raw, cuts.items, cuts.count, &bytes);
    }
    if (status == HF_OK) {
        *ret_batch = hf_batch_new(whole->signal, bytes.size, whole->meta);
        status = *ret_batch != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK) {
        memcpy(hf_batch_room(*ret_batch), bytes.data, bytes.size);
        hf_batch_seal(*ret_batch, bytes.size, cuts.kept);
        (*ret_batch)->received_ns = whole->received_ns;
    } else if (status != HF_NOMEM) {
        hf_ref_take(&whole->ref);
        *ret_batch = whole;
        status = HF_OK;
    }
    hf_bytes_release(&bytes);
    return status;
}

enum hf_status hf_once_keep(struct hf_once *once, struct hf_pipeline *pipeline,
                            struct hf_batch **ret_batch)
{
    struct reading reading = {.once = once};
    bool has_all = true, meets = false;
    enum hf_status status = hf_pipelines_each_queue(&pipeline, 1, read_window, &reading);
    if (status != HF_OK) {
        return status;
    }
    for (size_t i = 0; i < once->arrival.count; i++) {
        has_all = has_all && hf_record_window_has(&reading.window, once->ranges[i]);
        meets = meets || hf_record_window_meets(&reading.window, once->ranges[i]);
    }
    *ret_batch = NULL;
    if (reading.queues != 0 && has_all) {
        return HF_OK;
    }
    if (!meets) {
        hf_ref_take(&once->batch->ref);
        *ret_batch = once->batch;
        return HF_OK;
    }
    return cut_batch(once, &reading.window, ret_batch);
}
