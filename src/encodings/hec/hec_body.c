#include "hec_body.h"

#include <stddef.h>

#include "util/blank.h"

static void skip(struct hf_slice *rest, size_t size)
{
    *rest = hf_slice_of(rest->data + size, rest->size - size);
}

static void skip_blanks(struct hf_slice *rest)
{
    while (rest->size != 0 && hf_is_json_blank(rest->data[0])) {
        skip(rest, 1);
    }
}

static bool take(struct hf_slice *rest, char byte)
{
    bool is_there = rest->size != 0 && rest->data[0] == (uint8_t)byte;
    if (is_there) {
        skip(rest, 1);
        skip_blanks(rest);
    }
    return is_there;
}

/* The size of the object at the front; 0: there is none, or it is not closed. */
static size_t object_size(struct hf_slice text)
{
    size_t depth = 0;
    bool is_text = false;
    if (text.size == 0 || text.data[0] != '{') {
        return 0;
    }
    for (size_t at = 0; at < text.size; at++) {
        uint8_t byte = text.data[at];
        if (is_text) {
            at += byte == '\\';
            is_text = byte != '"';
        } else if (byte == '"') {
            is_text = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if ((byte == '}' || byte == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return 0;
}

/* Whether the list or the body ends here. */
static bool is_end(struct hf_hec_body *body)
{
    return (!body->is_list || take(&body->rest, ']')) && body->rest.size == 0;
}

enum hf_hec_cut hf_hec_cut(struct hf_hec_body *body, struct hf_slice *ret_event)
{
    bool is_first = !body->is_begun;
    skip_blanks(&body->rest);
    if (is_first) {
        body->is_begun = true;
        body->is_list = take(&body->rest, '[');
    }
    struct hf_hec_body before = *body;
    if (is_end(body)) {
        return HF_HEC_CUT_END;
    }
    *body = before;
    if (body->is_list && !is_first && !take(&body->rest, ',')) {
        return HF_HEC_CUT_BAD;
    }
    size_t size = object_size(body->rest);
    if (size == 0) {
        return HF_HEC_CUT_BAD;
    }
    *ret_event = hf_slice_of(body->rest.data, size);
    skip(&body->rest, size);
    return HF_HEC_CUT_EVENT;
}
