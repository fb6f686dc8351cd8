#include "split.h"

#include "wire.h"

/* What a message holds on the way down to the items. */
struct level {
    uint32_t inner;           /* field numbers, one bit each */
    const struct level *next; /* of those fields; NULL: they are the items */
};

static const struct level metric_data = {.inner = 1u << 1};
static const struct level metric = {.inner = 1u << 5 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 11,
                                    .next = &metric_data};
static const struct level metric_group = {.inner = 1u << 2, .next = &metric};
static const struct level item_group = {.inner = 1u << 2};
static const struct level profile = {.inner = 1u << 2}; /* the dictionary goes with each part */
static const struct level profile_group = {.inner = 1u << 2, .next = &profile};
static const struct level profile_element = {.inner = 1u << 2, .next = &profile_group};
static const struct level metric_element = {.inner = 1u << 2, .next = &metric_group};
static const struct level item_element = {.inner = 1u << 2, .next = &item_group};
static const struct level metric_request = {.inner = 1u << 1, .next = &metric_element};
static const struct level item_request = {.inner = 1u << 1, .next = &item_element};
static const struct level profile_request = {.inner = 1u << 1, .next = &profile_element};

static const struct level *const request_of[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = &item_request,
    [HF_METRICS] = &metric_request,
    [HF_LOGS] = &item_request,
    [HF_PROFILES] = &profile_request,
};

struct cut {
    struct hf_wire_writer writer;
    const struct hf_split_range *ranges, *end; /* those that are not behind the cursor yet */
    uint64_t at;                               /* number of the next item */
    uint64_t kept;                             /* items that were wanted so far */
    bool follows_kept; /* the last item was wanted; at first: the first one is */
};

static bool is_inner(const struct level *level, const struct hf_wire_field *field)
{
    return field->wire == HF_WIRE_BYTES && field->number < 32 &&
           (level->inner >> field->number & 1) != 0;
}

/* Is the next item wanted? Moves on to it. */
static bool take_item(struct cut *cut)
{
    while (cut->ranges != cut->end &&
           cut->at >= (uint64_t)cut->ranges->first + cut->ranges->count) {
        cut->ranges++;
    }
    bool wanted = cut->ranges != cut->end && cut->at >= cut->ranges->first;
    cut->at++;
    cut->kept += wanted;
    cut->follows_kept = wanted;
    return wanted;
}

/* At most five levels deep, by the chain of `level`. */
static bool cut_message(struct cut *cut, struct hf_slice message, const struct level *level)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (!is_inner(level, &field)) {
            hf_wire_put_raw(&cut->writer, field.whole);
            continue;
        }
        if (level->next == NULL) {
            if (take_item(cut)) {
                hf_wire_put_raw(&cut->writer, field.whole);
            }
            continue;
        }
        size_t size = cut->writer.out->size;
        uint64_t before = cut->at, kept = cut->kept;
        struct hf_wire_message inner = hf_wire_open(&cut->writer, field.number, field.bytes.size);
        if (!cut_message(cut, field.bytes, level->next)) {
            return false;
        }
        hf_wire_close(&cut->writer, inner);
        /* One without items goes with the item before it, so that it is in one part and one only.
         */
        bool is_wanted = cut->at != before ? cut->kept != kept : cut->follows_kept;
        if (!is_wanted) {
            cut->writer.out->size = size;
        }
    }
    return true;
}

enum hf_status hf_split_ranges(enum hf_signal signal, struct hf_slice raw,
                               const struct hf_split_range *ranges, size_t count,
                               struct hf_bytes *out)
{
    size_t size = out->size;
    struct cut cut = {.writer = {.out = out},
                      .ranges = ranges,
                      .end = ranges + count,
                      .follows_kept = ranges[0].first == 0};
    bool ok = cut_message(&cut, raw, request_of[signal]);
    enum hf_status status = ok ? hf_wire_status(&cut.writer) : HF_INVALID;
    if (status != HF_OK) {
        out->size = size;
    }
    return status;
}

enum hf_status hf_split(enum hf_signal signal, struct hf_slice raw, uint32_t first, uint32_t count,
                        struct hf_bytes *out)
{
    const struct hf_split_range range = {first, count};
    return hf_split_ranges(signal, raw, &range, 1, out);
}
