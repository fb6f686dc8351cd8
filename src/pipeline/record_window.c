#include "record_window.h"

#include <assert.h>
#include <string.h>

#include "wal/wal.h"

#define VERSION 1u

struct head {
    uint32_t version, used_s;
};

struct stored_range {
    uint64_t from_sequence, to_sequence;
    uint32_t from_item, to_item;
};

static_assert(sizeof(struct head) == 8 && sizeof(struct stored_range) == 24, "no padding");
static_assert(sizeof(struct head) + HF_RECORD_WINDOW_RANGES * sizeof(struct stored_range) <=
                  WAL_CHECKPOINT_BYTES_MAX,
              "a window fits a checkpoint");

static bool is_before(struct hf_record_place a, struct hf_record_place b)
{
    return hf_record_place_compare(a, b) < 0;
}

static bool read_head(struct hf_slice value, struct head *ret_head)
{
    if (value.size < sizeof(*ret_head)) {
        return false;
    }
    memcpy(ret_head, value.data, sizeof(*ret_head));
    return ret_head->version == VERSION;
}

uint32_t hf_record_window_used(struct hf_slice value)
{
    struct head head;
    return read_head(value, &head) ? head.used_s : 0;
}

bool hf_record_window_read(struct hf_slice value, struct hf_record_window *ret_window)
{
    struct head head;
    if (!read_head(value, &head)) {
        return false;
    }
    size_t count = (value.size - sizeof(head)) / sizeof(struct stored_range);
    ret_window->used_s = head.used_s;
    ret_window->count = count < HF_RECORD_WINDOW_RANGES ? count : HF_RECORD_WINDOW_RANGES;
    for (size_t i = 0; i < ret_window->count; i++) {
        struct stored_range stored;
        memcpy(&stored, value.data + sizeof(head) + i * sizeof(stored), sizeof(stored));
        ret_window->ranges[i] = (struct hf_record_range){
            .from = {stored.from_sequence, stored.from_item},
            .to = {stored.to_sequence, stored.to_item},
        };
    }
    return true;
}

size_t hf_record_window_write(const struct hf_record_window *window, uint8_t *ret_value)
{
    const struct head head = {VERSION, window->used_s};
    memcpy(ret_value, &head, sizeof(head));
    for (size_t i = 0; i < window->count; i++) {
        const struct hf_record_range *range = &window->ranges[i];
        const struct stored_range stored = {range->from.sequence, range->to.sequence,
                                            range->from.item, range->to.item};
        memcpy(ret_value + sizeof(head) + i * sizeof(stored), &stored, sizeof(stored));
    }
    return sizeof(head) + window->count * sizeof(struct stored_range);
}

void hf_record_window_add(struct hf_record_window *window, struct hf_record_range range)
{
    struct hf_record_range kept[HF_RECORD_WINDOW_RANGES + 1];
    struct hf_record_range joined = range;
    size_t count = 1;
    for (size_t i = 0; i < window->count; i++) {
        const struct hf_record_range *old = &window->ranges[i];
        if (is_before(range.to, old->from) || is_before(old->to, range.from)) {
            kept[count++] = *old;
            continue;
        }
        joined.from = is_before(old->from, joined.from) ? old->from : joined.from;
        joined.to = is_before(joined.to, old->to) ? old->to : joined.to;
    }
    kept[0] = joined;
    window->count = count < HF_RECORD_WINDOW_RANGES ? count : HF_RECORD_WINDOW_RANGES;
    memcpy(window->ranges, kept, window->count * sizeof(kept[0]));
}

bool hf_record_window_has(const struct hf_record_window *window, struct hf_record_range range)
{
    for (size_t i = 0; i < window->count; i++) {
        if (!is_before(range.from, window->ranges[i].from) &&
            !is_before(window->ranges[i].to, range.to)) {
            return true;
        }
    }
    return false;
}

bool hf_record_window_meets(const struct hf_record_window *window, struct hf_record_range range)
{
    for (size_t i = 0; i < window->count; i++) {
        if (is_before(range.from, window->ranges[i].to) &&
            is_before(window->ranges[i].from, range.to)) {
            return true;
        }
    }
    return false;
}

void hf_record_window_intersect(struct hf_record_window *window,
                                const struct hf_record_window *other)
{
    const struct hf_record_window before = *window;
    window->count = 0;
    for (size_t i = 0; i < before.count; i++) {
        for (size_t j = 0; j < other->count && window->count < HF_RECORD_WINDOW_RANGES; j++) {
            const struct hf_record_range *a = &before.ranges[i], *b = &other->ranges[j];
            struct hf_record_range both = {
                .from = is_before(a->from, b->from) ? b->from : a->from,
                .to = is_before(a->to, b->to) ? a->to : b->to,
            };
            if (is_before(both.from, both.to)) {
                window->ranges[window->count++] = both;
            }
        }
    }
}
