#include "json_list.h"

#include <string.h>

#include "util/blank.h"

static struct hf_slice without_blanks(struct hf_slice text)
{
    while (text.size != 0 && hf_is_json_blank(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    return text;
}

/* The quote that ends the string whose first quote is at `at`; the text's size: none does. */
static size_t string_end(struct hf_slice text, size_t at)
{
    for (at++; at < text.size; at++) {
        const uint8_t *quote = memchr(text.data + at, '"', text.size - at);
        size_t slashes = 0;
        if (quote == NULL) {
            return text.size;
        }
        size_t end = (size_t)(quote - text.data);
        while (end - slashes > at && text.data[end - slashes - 1] == '\\') {
            slashes++;
        }
        if (slashes % 2 == 0) {
            return end;
        }
        at = end;
    }
    return text.size;
}

/* Bytes of the value at the front: up to a comma or bracket that is not within it. */
static size_t value_size(struct hf_slice text)
{
    size_t depth = 0, at;
    for (at = 0; at < text.size; at++) {
        uint8_t byte = text.data[at];
        if (byte == '"') {
            at = string_end(text, at);
        } else if (byte == '[' || byte == '{') {
            depth++;
        } else if (depth == 0 && (byte == ',' || byte == ']' || byte == '}')) {
            return at;
        } else if (byte == ']' || byte == '}') {
            depth--;
        }
    }
    return text.size;
}

static struct hf_slice behind(struct hf_slice text, size_t size)
{
    return hf_slice_of(text.data + size, text.size - size);
}

enum hf_json_list_step hf_json_list_next(struct hf_json_list *list, struct hf_slice *ret_element)
{
    struct hf_slice text = without_blanks(list->rest);
    uint8_t expected = list->is_begun ? ',' : '[';
    bool ends = text.size != 0 && list->is_begun && text.data[0] == ']';
    if (!ends && (text.size == 0 || text.data[0] != expected)) {
        return HF_JSON_LIST_BROKEN;
    }
    text = without_blanks(behind(text, 1));
    ends = ends || (!list->is_begun && text.size != 0 && text.data[0] == ']');
    if (ends) {
        text = list->is_begun ? text : without_blanks(behind(text, 1));
        return text.size == 0 ? HF_JSON_LIST_END : HF_JSON_LIST_BROKEN;
    }
    size_t size = value_size(text);
    if (size == 0 || size == text.size) {
        return HF_JSON_LIST_BROKEN;
    }
    *ret_element = hf_slice_of(text.data, size);
    *list = (struct hf_json_list){behind(text, size), true};
    return HF_JSON_LIST_ELEMENT;
}
