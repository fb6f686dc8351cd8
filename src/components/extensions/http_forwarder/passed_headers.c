#include "passed_headers.h"

#include <string.h>
#include <strings.h>

#include "util/header_text.h"

static bool is_named(struct hf_slice name, const char *wanted)
{
    return name.size == strlen(wanted) &&
           strncasecmp((const char *)name.data, wanted, name.size) == 0;
}

static void append(struct hf_passed_headers *passed, struct hf_bytes *to, struct hf_slice more)
{
    if (passed->status == HF_OK) {
        passed->status =
            to->size + more.size > HF_PASSED_BYTES_MAX ? HF_TOO_LARGE : hf_bytes_append(to, more);
    }
}

void hf_passed_headers_look(void *user, struct hf_slice name, struct hf_slice value)
{
    struct hf_passed_headers *passed = user;
    if (is_named(name, "connection")) {
        append(passed, &passed->hop, value);
        append(passed, &passed->hop, hf_slice_text(","));
    }
}

static bool is_in_list(struct hf_slice list, struct hf_slice name)
{
    while (list.size != 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        struct hf_slice word = hf_header_trim(hf_slice_of(list.data, size));
        if (word.size == name.size &&
            strncasecmp((const char *)word.data, (const char *)name.data, name.size) == 0) {
            return true;
        }
        size_t step = comma != NULL ? size + 1 : size;
        list = hf_slice_of(list.data + step, list.size - step);
    }
    return false;
}

void hf_passed_headers_take(void *user, struct hf_slice name, struct hf_slice value)
{
    struct hf_passed_headers *passed = user;
    if (!hf_header_is_framing(name) && !is_named(name, "proxy-authenticate") &&
        !is_named(name, "proxy-authorization") &&
        !is_in_list(hf_slice_of(passed->hop.data, passed->hop.size), name)) {
        hf_passed_headers_put(passed, name, value);
    }
}

void hf_passed_headers_put(struct hf_passed_headers *passed, struct hf_slice name,
                           struct hf_slice value)
{
    static const struct hf_slice nul = {(const uint8_t *)"", 1};
    size_t begin = passed->text.size;
    append(passed, &passed->text, name);
    append(passed, &passed->text, nul);
    append(passed, &passed->text, value);
    append(passed, &passed->text, nul);
    if (passed->status != HF_OK) {
        passed->text.size = begin;
        return;
    }
    for (size_t i = begin; i < begin + name.size; i++) {
        uint8_t letter = passed->text.data[i];
        passed->text.data[i] = letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter;
    }
    passed->count++;
}

bool hf_passed_headers_next(const struct hf_passed_headers *passed, size_t *at,
                            struct hf_http_answer_header *ret_header)
{
    if (*at >= passed->text.size) {
        return false;
    }
    ret_header->name = (const char *)passed->text.data + *at;
    ret_header->value = ret_header->name + strlen(ret_header->name) + 1;
    *at += strlen(ret_header->name) + strlen(ret_header->value) + 2;
    return true;
}

void hf_passed_headers_release(struct hf_passed_headers *passed)
{
    hf_bytes_release(&passed->hop);
    hf_bytes_release(&passed->text);
}
