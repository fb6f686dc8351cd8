#include "json_any.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#define ERROR_TEXT_MAX 128

static struct hf_slice make(struct hf_any_maker *maker, yajl_val node);

static struct hf_slice make_list(struct hf_any_maker *maker, yajl_val node)
{
    size_t count = YAJL_GET_ARRAY(node)->len;
    struct hf_slice *values = hf_arena_take(maker->arena, (count + 1) * sizeof(*values));
    if (values == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = make(maker, YAJL_GET_ARRAY(node)->values[i]);
    }
    return hf_any_make_list(maker, values, count);
}

static struct hf_slice make_map(struct hf_any_maker *maker, yajl_val node)
{
    size_t count = YAJL_GET_OBJECT(node)->len;
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i].key = hf_slice_text(YAJL_GET_OBJECT(node)->keys[i]);
        pairs[i].value = make(maker, YAJL_GET_OBJECT(node)->values[i]);
    }
    return hf_any_make_map(maker, pairs, count);
}

static struct hf_slice make(struct hf_any_maker *maker, yajl_val node)
{
    if (YAJL_IS_STRING(node)) {
        return hf_any_make_string(maker, hf_slice_text(YAJL_GET_STRING(node)));
    }
    if (YAJL_IS_INTEGER(node)) {
        return hf_any_make_int(maker, YAJL_GET_INTEGER(node));
    }
    if (YAJL_IS_NUMBER(node)) {
        return hf_any_make_double(maker, YAJL_GET_DOUBLE(node));
    }
    if (YAJL_IS_TRUE(node) || YAJL_IS_FALSE(node)) {
        return hf_any_make_bool(maker, YAJL_IS_TRUE(node));
    }
    if (YAJL_IS_ARRAY(node)) {
        return make_list(maker, node);
    }
    return YAJL_IS_OBJECT(node) ? make_map(maker, node) : HF_EMPTY_SLICE;
}

/* Brackets that are open at once at most, whatever stands in strings: never fewer than there are.
 */
static unsigned depth_of(struct hf_slice text)
{
    unsigned depth = 0, most = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        most = depth > most ? depth : most;
    }
    return most;
}

enum hf_status hf_json_any(struct hf_any_maker *maker, struct hf_slice text,
                           struct hf_slice *ret_value)
{
    char why[ERROR_TEXT_MAX];
    if (text.size > HF_JSON_ANY_BYTES_MAX) {
        return HF_TOO_LARGE;
    }
    /* The library walks down on the stack, and its texts end at a NUL. */
    if (depth_of(text) > HF_JSON_ANY_DEPTH_MAX || text.size == 0 ||
        memchr(text.data, '\0', text.size) != NULL) {
        return HF_INVALID;
    }
    char *copy = strndup((const char *)text.data, text.size);
    if (copy == NULL) {
        return HF_NOMEM;
    }
    yajl_val root = yajl_tree_parse(copy, why, sizeof(why));
    free(copy);
    if (root == NULL) {
        return HF_INVALID;
    }
    struct hf_slice value = make(maker, root);
    yajl_tree_free(root);
    if (maker->failed) {
        return HF_NOMEM;
    }
    *ret_value = value;
    return HF_OK;
}

struct hf_slice hf_json_any_text(struct hf_any_maker *maker, struct hf_slice value,
                                 const char *path)
{
    while (*path != '\0') {
        size_t size = strcspn(path, ".");
        struct hf_any any = hf_any_read(value);
        if (any.type != HF_ANY_MAP || !hf_any_look_up(&any, hf_slice_of(path, size), &value)) {
            return HF_EMPTY_SLICE;
        }
        path += size + (path[size] == '.');
    }
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    struct hf_bytes text = {0};
    struct hf_slice kept = HF_EMPTY_SLICE;
    if (any.type != HF_ANY_MAP && any.type != HF_ANY_ARRAY && hf_any_text(value, &text) == HF_OK &&
        text.size > 0) {
        uint8_t *room = hf_arena_take(maker->arena, text.size);
        maker->failed |= room == NULL;
        if (room != NULL) {
            memcpy(room, text.data, text.size);
            kept = hf_slice_of(room, text.size);
        }
    }
    hf_bytes_release(&text);
    return kept;
}
