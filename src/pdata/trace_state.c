#include "trace_state.h"

#include <string.h>

#include "wire.h"

/* "key=value" */
struct state_member {
    struct hf_slice key, value;
};

static bool next_member(struct hf_slice *rest, struct state_member *ret_member)
{
    if (rest->size == 0) {
        return false;
    }
    const uint8_t *comma = memchr(rest->data, ',', rest->size);
    size_t size = comma != NULL ? (size_t)(comma - rest->data) : rest->size;
    struct hf_slice text = {rest->data, size};
    size_t taken = comma != NULL ? size + 1 : size;
    *rest = (struct hf_slice){rest->data + taken, rest->size - taken};
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = (struct hf_slice){text.data + 1, text.size - 1};
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    const uint8_t *sign = text.size > 0 ? memchr(text.data, '=', text.size) : NULL;
    if (sign == NULL) {
        *ret_member = (struct state_member){text, HF_EMPTY_SLICE};
        return true;
    }
    size_t key = (size_t)(sign - text.data);
    *ret_member = (struct state_member){{text.data, key}, {sign + 1, text.size - key - 1}};
    return true;
}

/* Every member has a key and a value. */
static bool is_state(struct hf_slice state)
{
    struct state_member one;
    while (next_member(&state, &one)) {
        if (one.key.size == 0 || one.value.size == 0) {
            return false;
        }
    }
    return true;
}

bool hf_trace_state_find(struct hf_slice state, struct hf_slice key, struct hf_slice *ret_value)
{
    struct state_member one;
    bool is_good = is_state(state);
    while (is_good && next_member(&state, &one)) {
        if (hf_slice_equal(one.key, key)) {
            *ret_value = one.value;
            return true;
        }
    }
    return false;
}

static void put_member(struct hf_wire_writer *writer, struct hf_slice key, struct hf_slice value)
{
    hf_wire_put_raw(writer, hf_slice_text(writer->out->size > 0 ? "," : ""));
    hf_wire_put_raw(writer, key);
    hf_wire_put_raw(writer, hf_slice_text("="));
    hf_wire_put_raw(writer, value);
}

bool hf_trace_state_put(struct hf_arena *arena, struct hf_slice state, struct hf_slice key,
                        struct hf_slice value, struct hf_slice *ret_state)
{
    struct state_member one;
    struct hf_bytes room = {.capacity = state.size + key.size + value.size + 2};
    if (!is_state(state) || key.size == 0 || value.size == 0) {
        return false;
    }
    room.data = hf_arena_take(arena, room.capacity);
    if (room.data == NULL) {
        return false;
    }
    struct hf_wire_writer writer = {.out = &room};
    put_member(&writer, key, value);
    while (next_member(&state, &one)) {
        if (!hf_slice_equal(one.key, key)) {
            put_member(&writer, one.key, one.value);
        }
    }
    *ret_state = hf_slice_of(room.data, room.size);
    return true;
}
