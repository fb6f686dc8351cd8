/*
 * call_texts: functions of texts.
 */
#include "call.h"
#include "util/base64.h"
#include "util/letter_case.h"
#include "util/rune.h"

#define TEXT_MAX ((size_t)1 << 20) /* bytes of a text that repeat() makes */

static const struct hf_expr_value nil;

/* No letter has another case of more than twice its bytes. */
static struct hf_expr_value change_case(struct scope *scope, const struct node *node,
                                        uint32_t (*change)(uint32_t))
{
    struct hf_slice text;
    size_t size = 0;
    if (!expr_text_argument(scope, node, 0, &text)) {
        return nil;
    }
    uint8_t *out = hf_arena_take(scope->arena, 2 * text.size + HF_RUNE_MAX);
    for (size_t at = 0; out != NULL && at < text.size;) {
        struct hf_rune rune = hf_rune_at(text, at);
        if (rune.code == HF_RUNE_BAD) {
            memcpy(out + size, text.data + at, rune.size);
            size += rune.size;
        } else {
            size += hf_rune_put(change(rune.code), out + size);
        }
        at += rune.size;
    }
    return expr_text_value(scope, out, size);
}

struct hf_expr_value call_lower(struct scope *scope, const struct node *node)
{
    return change_case(scope, node, hf_rune_to_lower);
}

struct hf_expr_value call_upper(struct scope *scope, const struct node *node)
{
    return change_case(scope, node, hf_rune_to_upper);
}

struct hf_expr_value call_trim(struct scope *scope, const struct node *node)
{
    struct hf_slice text, set = hf_slice_text(" \t\r\n\v\f");
    if (!expr_text_argument(scope, node, 0, &text) ||
        (node->count > 1 && !expr_text_argument(scope, node, 1, &set))) {
        return nil;
    }
    while (text.size != 0 && memchr(set.data, text.data[0], set.size) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && memchr(set.data, text.data[text.size - 1], set.size) != NULL) {
        text.size--;
    }
    return hf_expr_string(text);
}

static struct hf_expr_value affix(struct scope *scope, const struct node *node, bool at_start,
                                  bool cut)
{
    struct hf_slice text, part = hf_slice_text(" ");
    if (!expr_text_argument(scope, node, 0, &text) ||
        (node->count > 1 && !expr_text_argument(scope, node, 1, &part))) {
        return nil;
    }
    bool has = part.size <= text.size &&
               (part.size == 0 || memcmp(at_start ? text.data : text.data + text.size - part.size,
                                         part.data, part.size) == 0);
    if (!cut) {
        return hf_expr_boolean(has);
    }
    if (has && part.size != 0) {
        text = hf_slice_of(at_start ? text.data + part.size : text.data, text.size - part.size);
    }
    return hf_expr_string(text);
}

struct hf_expr_value call_trim_prefix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, true, true);
}

struct hf_expr_value call_trim_suffix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, false, true);
}

struct hf_expr_value call_has_prefix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, true, false);
}

struct hf_expr_value call_has_suffix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, false, false);
}

/* The end of the first part, and of what separates it from the rest; false: it is all one part. An
 * empty separator stands behind each character. */
static bool find_part(struct hf_slice text, struct hf_slice by, size_t *ret_size, size_t *ret_next)
{
    if (by.size == 0) {
        *ret_size = *ret_next = text.size != 0 ? hf_rune_at(text, 0).size : 0;
        return *ret_size < text.size;
    }
    const uint8_t *found = text.size != 0 ? memmem(text.data, text.size, by.data, by.size) : NULL;
    *ret_size = found != NULL ? (size_t)(found - text.data) : text.size;
    *ret_next = *ret_size + by.size;
    return found != NULL;
}

/* Parts of a text, with what separates them (`keeps`) or without; the third argument is the most
 * parts, negative: no limit. */
static struct hf_expr_value split(struct scope *scope, const struct node *node, bool keeps)
{
    struct hf_slice text, by;
    int64_t most = -1;
    if (!expr_text_argument(scope, node, 0, &text) || !expr_text_argument(scope, node, 1, &by) ||
        (node->count > 2 && !expr_int_argument(scope, node, 2, &most))) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, 8);
    bool more = most != 0 && (by.size != 0 || text.size != 0);
    for (int64_t count = 1; list != NULL && more; count++) {
        size_t size = text.size, next = text.size;
        more = count != most && find_part(text, by, &size, &next);
        struct hf_slice part = hf_slice_of(text.data, !more ? text.size : keeps ? next : size);
        if (hf_expr_list_add(scope->arena, list, hf_expr_string(part)) != HF_OK) {
            list = NULL;
        }
        text = more ? hf_slice_of(text.data + next, text.size - next) : text;
    }
    return expr_list_value(scope, list);
}

struct hf_expr_value call_split(struct scope *scope, const struct node *node)
{
    return split(scope, node, false);
}

struct hf_expr_value call_split_after(struct scope *scope, const struct node *node)
{
    return split(scope, node, true);
}

struct hf_expr_value call_join(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    struct hf_slice by = HF_EMPTY_SLICE;
    size_t size = 0;
    if (of.type != HF_EXPR_LIST || (node->count > 1 && !expr_text_argument(scope, node, 1, &by))) {
        return expr_fail(scope, "join needs a list of texts");
    }
    for (size_t i = 0; i < of.list->count; i++) {
        if (of.list->items[i].type != HF_EXPR_STRING) {
            return expr_fail(scope, "join needs a list of texts");
        }
        size += of.list->items[i].text.size + by.size;
    }
    uint8_t *out = hf_arena_take(scope->arena, size + 1);
    size_t at = 0;
    for (size_t i = 0; out != NULL && i < of.list->count; i++) {
        struct hf_slice parts[] = {i != 0 ? by : HF_EMPTY_SLICE, of.list->items[i].text};
        for (int k = 0; k < 2; k++) {
            if (parts[k].size != 0) {
                memcpy(out + at, parts[k].data, parts[k].size);
                at += parts[k].size;
            }
        }
    }
    return out != NULL ? hf_expr_string(hf_slice_of(out, at)) : expr_no_memory(scope);
}

/* Each of the second argument is the third; the fourth is the most of them. */
struct hf_expr_value call_replace(struct scope *scope, const struct node *node)
{
    struct hf_slice text, old, new;
    int64_t most = -1;
    if (!expr_text_argument(scope, node, 0, &text) || !expr_text_argument(scope, node, 1, &old) ||
        !expr_text_argument(scope, node, 2, &new) ||
        (node->count > 3 && !expr_int_argument(scope, node, 3, &most))) {
        return nil;
    }
    if (old.size == 0) {
        return expr_fail(scope, "replace needs a text to look for");
    }
    size_t room = text.size + (text.size / old.size + 1) * new.size;
    uint8_t *out = room <= TEXT_MAX ? hf_arena_take(scope->arena, room + 1) : NULL;
    size_t size = 0, part, next;
    for (; out != NULL && most != 0 && find_part(text, old, &part, &next); most--) {
        memcpy(out + size, text.data, part);
        memcpy(out + size + part, new.size != 0 ? new.data : out, new.size);
        size += part + new.size;
        text = hf_slice_of(text.data + next, text.size - next);
    }
    if (out != NULL && text.size != 0) {
        memcpy(out + size, text.data, text.size);
    }
    return expr_text_value(scope, out, size + text.size);
}

struct hf_expr_value call_repeat(struct scope *scope, const struct node *node)
{
    struct hf_slice text;
    int64_t times = 0;
    if (!expr_text_argument(scope, node, 0, &text) || !expr_int_argument(scope, node, 1, &times)) {
        return nil;
    }
    if (times < 0 || (text.size != 0 && (uint64_t)times > TEXT_MAX / text.size)) {
        return expr_fail(scope, "repeat makes texts of at most 1 MiB");
    }
    size_t size = text.size != 0 ? (size_t)times * text.size : 0;
    uint8_t *out = hf_arena_take(scope->arena, size + 1);
    for (size_t at = 0; out != NULL && at < size; at += text.size) {
        memcpy(out + at, text.data, text.size);
    }
    return expr_text_value(scope, out, size);
}

struct hf_expr_value call_index_of(struct scope *scope, const struct node *node)
{
    struct hf_slice text, part;
    if (!expr_text_argument(scope, node, 0, &text) || !expr_text_argument(scope, node, 1, &part)) {
        return nil;
    }
    const uint8_t *found = part.size == 0   ? text.data
                           : text.size != 0 ? memmem(text.data, text.size, part.data, part.size)
                                            : NULL;
    return hf_expr_integer(found != NULL ? found - text.data : -1);
}

struct hf_expr_value call_last_index_of(struct scope *scope, const struct node *node)
{
    struct hf_slice text, part;
    if (!expr_text_argument(scope, node, 0, &text) || !expr_text_argument(scope, node, 1, &part)) {
        return nil;
    }
    for (size_t at = text.size + 1; at-- > part.size;) {
        size_t from = at - part.size;
        if (part.size == 0 || memcmp(text.data + from, part.data, part.size) == 0) {
            return hf_expr_integer((int64_t)from);
        }
    }
    return hf_expr_integer(part.size == 0 ? 0 : -1);
}

struct hf_expr_value call_to_base64(struct scope *scope, const struct node *node)
{
    struct hf_slice text;
    if (!expr_text_argument(scope, node, 0, &text)) {
        return nil;
    }
    char *out = hf_arena_take(scope->arena, HF_BASE64_SIZE(text.size) + 1);
    return expr_text_value(scope, out, out != NULL ? hf_base64_print(text, out) : 0);
}

struct hf_expr_value call_from_base64(struct scope *scope, const struct node *node)
{
    struct hf_slice text;
    size_t size = 0;
    if (!expr_text_argument(scope, node, 0, &text)) {
        return nil;
    }
    uint8_t *out = hf_arena_take(scope->arena, HF_BASE64_DECODED_SIZE(text.size));
    if (out != NULL && !hf_base64_decode(text, 0, out, &size)) {
        return expr_fail(scope, "fromBase64 needs base64");
    }
    return expr_text_value(scope, out, size);
}
