#include "journald_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "pdata/utf8.h"

/* No control characters but tabs and line ends: systemd shows such a text as it is. */
static bool is_printable(struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_c1 = byte == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0;
        if ((byte < ' ' && byte != '\t' && byte != '\n') || byte == 0x7f || is_c1) {
            return false;
        }
    }
    return hf_utf8_is_valid(text);
}

static bool numbers_of(struct hf_arena *arena, struct hf_slice bytes,
                       struct hf_expr_value *ret_value)
{
    struct hf_expr_list *list = hf_expr_list_new(arena, bytes.size);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        list->items[list->count++] = hf_expr_number(bytes.data[i]);
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
    return true;
}

static bool make_value(struct journald_fields *fields, struct hf_slice name, struct hf_slice value,
                       struct hf_expr_value *ret_value)
{
    bool is_message = hf_slice_is(name, "MESSAGE");
    if (!is_printable(value) && !(fields->converts_bytes && is_message)) {
        return numbers_of(fields->arena, value, ret_value);
    }
    struct hf_slice copy =
        value.size != 0 ? hf_expr_copy_text(fields->arena, value) : hf_slice_of("", 0);
    *ret_value = hf_expr_string(copy);
    return copy.data != NULL;
}

/* A second value of a field: both in a list. A list of numbers is one value. */
static bool join(struct journald_fields *fields, struct hf_expr_pair *pair,
                 struct hf_expr_value value)
{
    bool is_list = pair->value.type == HF_EXPR_LIST && pair->value.list->count != 0 &&
                   pair->value.list->items[0].type != HF_EXPR_DOUBLE;
    if (!is_list) {
        struct hf_expr_list *list = hf_expr_list_new(fields->arena, 2);
        if (list == NULL) {
            return false;
        }
        list->items[list->count++] = pair->value;
        pair->value = (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
    }
    return hf_expr_list_add(fields->arena, pair->value.list, value) == HF_OK;
}

bool journald_add_field(void *user, struct hf_slice name, struct hf_slice value)
{
    struct journald_fields *fields = user;
    struct hf_expr_pair *pair = hf_expr_map_find(fields->map, name);
    struct hf_expr_value made;
    if (!make_value(fields, name, value, &made)) {
        return false;
    }
    if (pair != NULL) {
        return join(fields, pair, made);
    }
    struct hf_slice key = hf_expr_copy_text(fields->arena, name);
    return key.data != NULL && hf_expr_map_add(fields->arena, fields->map, key, made) == HF_OK;
}

enum hf_status journald_add_about(struct journald_fields *fields,
                                  const struct hf_journal_entry *entry)
{
    char monotonic[24];
    snprintf(monotonic, sizeof(monotonic), "%" PRIu64, entry->monotonic_us);
    bool added =
        journald_add_field(fields, hf_slice_text("__CURSOR"), hf_slice_text(entry->cursor)) &&
        journald_add_field(fields, hf_slice_text("__MONOTONIC_TIMESTAMP"),
                           hf_slice_text(monotonic));
    return added ? HF_OK : HF_NOMEM;
}
