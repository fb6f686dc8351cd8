#include "zipkin_parts.h"

#include <math.h>
#include <string.h>

#include "pdata/any_make.h"
#include "pdata/build_spans.h"
#include "pdata/json_any.h"
#include "pdata/json_value.h"
#include "util/hex.h"

bool hf_zipkin_is_link_number(struct hf_slice key, unsigned number)
{
    static const char prefix[] = "otlp.link.";
    const size_t at = sizeof(prefix) - 1;
    uint64_t value;
    bool is_plain = key.size > at && key.size <= at + 3 &&
                    (key.data[at] != '0' || key.size == at + 1) && key.data[at] != '-';
    return is_plain && hf_json_read_u64(hf_slice_of(key.data + at, key.size - at), &value) &&
           value == number;
}

/* Cuts the text before the first '|' off. False: there is none. */
static bool cut_front(struct hf_slice *text, struct hf_slice *ret_front)
{
    const uint8_t *bar = text->size == 0 ? NULL : memchr(text->data, '|', text->size);
    if (bar == NULL) {
        return false;
    }
    size_t size = (size_t)(bar - text->data);
    *ret_front = hf_slice_of(text->data, size);
    *text = hf_slice_of(bar + 1, text->size - size - 1);
    return true;
}

/* "JSON|DROPPED": a map of attributes, and a number. */
static bool read_tail(struct hf_slice text, struct hf_arena *arena, struct hf_any *ret_map,
                      uint32_t *ret_dropped)
{
    const uint8_t *bar = text.size == 0 ? NULL : memrchr(text.data, '|', text.size);
    if (bar == NULL || bar == text.data || text.data[0] != '{') {
        return false;
    }
    size_t size = (size_t)(bar - text.data);
    struct hf_any_maker maker = {.arena = arena};
    struct hf_slice value;
    uint64_t dropped;
    if (!hf_json_read_u64(hf_slice_of(bar + 1, text.size - size - 1), &dropped) ||
        dropped > UINT32_MAX ||
        hf_json_any(&maker, hf_slice_of(text.data, size), &value) != HF_OK || maker.failed) {
        return false;
    }
    *ret_map = hf_any_read(value);
    *ret_dropped = (uint32_t)dropped;
    return ret_map->type == HF_ANY_MAP;
}

/* Whole numbers are integers, however they are written. */
static void put_attributes(struct hf_builder *builder, const struct hf_any *map)
{
    struct hf_wire items = hf_any_items(map);
    struct hf_any_pair pair;
    while (hf_any_next_pair(&items, &pair)) {
        struct hf_any value = hf_any_read(pair.value);
        if (value.type == HF_ANY_DOUBLE && fabs(value.number) < 9e18 &&
            value.number == floor(value.number)) {
            hf_build_attribute_int(builder, pair.key, (int64_t)value.number);
        } else if (value.type != HF_ANY_EMPTY) {
            hf_build_attribute_value(builder, pair.key, pair.value);
        }
    }
}

static bool read_id(struct hf_slice text, size_t size, uint8_t *room, struct hf_slice *ret_id)
{
    *ret_id = hf_slice_of(room, text.size == 0 ? 0 : size);
    return text.size == 0 || (text.size == 2 * size && hf_hex_read(text, room));
}

bool hf_zipkin_put_link(struct hf_builder *builder, struct hf_slice text, struct hf_arena *arena)
{
    struct hf_slice trace, span;
    uint8_t trace_room[16], span_room[8];
    struct hf_build_link link = {0};
    struct hf_any map;
    if (!cut_front(&text, &trace) || !cut_front(&text, &span) ||
        !cut_front(&text, &link.trace_state) || !read_id(trace, 16, trace_room, &link.trace_id) ||
        !read_id(span, 8, span_room, &link.span_id) ||
        !read_tail(text, arena, &map, &link.dropped_attributes)) {
        return false;
    }
    hf_build_link(builder, &link);
    put_attributes(builder, &map);
    hf_build_end(builder);
    return true;
}

void hf_zipkin_put_event(struct hf_builder *builder, const struct hf_zipkin_annotation *annotation,
                         struct hf_arena *arena)
{
    struct hf_slice name, rest = annotation->value;
    struct hf_any map = {0};
    uint32_t dropped = 0;
    if (!cut_front(&rest, &name) || !read_tail(rest, arena, &map, &dropped)) {
        name = annotation->value;
        map = (struct hf_any){.type = HF_ANY_EMPTY};
    }
    hf_build_event(builder, hf_zipkin_ns(annotation->time_us), name);
    if (map.type == HF_ANY_MAP) {
        put_attributes(builder, &map);
        hf_build_event_dropped(builder, dropped);
    }
    hf_build_end(builder);
}
