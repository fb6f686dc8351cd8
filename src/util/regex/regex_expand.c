#include "regex_expand.h"

#include <string.h>

static size_t word_at(struct hf_slice text, size_t at)
{
    size_t start = at;
    while (at < text.size) {
        uint8_t byte = text.data[at];
        bool is_of_word = byte == '_' || (byte >= '0' && byte <= '9') ||
                          ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
        if (!is_of_word) {
            break;
        }
        at++;
    }
    return at - start;
}

/* Digits alone; what is larger than any group stays so. */
static bool read_number(struct hf_slice name, size_t *ret_number)
{
    size_t number = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') {
            return false;
        }
        number = number > HF_REGEX_GROUPS_MAX ? number : 10 * number + (name.data[i] - '0');
    }
    *ret_number = number;
    return name.size > 0;
}

/* The group that a name or a number says; nothing when there is none. */
static struct hf_slice group_named(const struct hf_regex *regex, const struct hf_slice *groups,
                                   struct hf_slice name)
{
    size_t count = hf_regex_group_count(regex);
    size_t number;
    if (read_number(name, &number)) {
        return number <= count ? groups[number] : HF_EMPTY_SLICE;
    }
    struct hf_slice found = HF_EMPTY_SLICE;
    for (size_t group = 1; group <= count; group++) {
        const char *known = hf_regex_group_name(regex, group);
        if (known != NULL && hf_slice_is(name, known) && groups[group].data != NULL) {
            found = groups[group];
        }
    }
    return found;
}

/* `$name`, `${name}` or `$$` behind `at`, which is the dollar: how long; 0: a dollar alone. */
static size_t reference_at(struct hf_slice text, size_t at, struct hf_slice *ret_name)
{
    bool is_braced = at + 1 < text.size && text.data[at + 1] == '{';
    size_t start = at + 1 + is_braced;
    size_t size = start < text.size ? word_at(text, start) : 0;
    *ret_name = hf_slice_of(text.data + start, size);
    if (size == 0 || (is_braced && (start + size >= text.size || text.data[start + size] != '}'))) {
        return 0;
    }
    return 1 + size + 2 * (size_t)is_braced;
}

enum hf_status hf_regex_expand(const struct hf_regex *regex, struct hf_slice text,
                               const struct hf_slice *groups, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    size_t at = 0;
    while (status == HF_OK && at < text.size) {
        const uint8_t *dollar = memchr(text.data + at, '$', text.size - at);
        size_t plain = dollar == NULL ? text.size - at : (size_t)(dollar - text.data) - at;
        struct hf_slice name;
        status = hf_bytes_append(out, hf_slice_of(text.data + at, plain));
        at += plain;
        if (status != HF_OK || at == text.size) {
            break;
        }
        if (at + 1 < text.size && text.data[at + 1] == '$') {
            status = hf_bytes_append(out, hf_slice_text("$"));
            at += 2;
            continue;
        }
        size_t size = reference_at(text, at, &name);
        struct hf_slice more = size == 0 ? hf_slice_text("$") : group_named(regex, groups, name);
        status = more.size > 0 ? hf_bytes_append(out, more) : HF_OK;
        at += size == 0 ? 1 : size;
    }
    return status;
}

static size_t rune_size(struct hf_slice text, size_t at)
{
    size_t size = 1;
    while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

/* Go replaces no empty match that stands directly behind another match. */
enum hf_status hf_regex_replace_all(const struct hf_regex *regex, struct hf_slice text,
                                    struct hf_slice replacement, struct hf_bytes *out)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    size_t at = 0, copied = 0;
    while (at <= text.size) {
        bool found = false;
        enum hf_status status = hf_regex_search(regex, text, at, groups, &found);
        if (status != HF_OK) {
            return status;
        }
        if (!found) {
            break;
        }
        /* Of an empty text the match has an address of its own. */
        size_t start = text.size == 0 ? 0 : (size_t)(groups[0].data - text.data);
        size_t end = start + groups[0].size;
        status = hf_bytes_append(out, hf_slice_of(text.data + copied, start - copied));
        if (status == HF_OK && (end > copied || start == 0)) {
            status = hf_regex_expand(regex, replacement, groups, out);
        }
        if (status != HF_OK) {
            return status;
        }
        copied = end;
        at = end > at ? end : at + (at < text.size ? rune_size(text, at) : 1);
    }
    return hf_bytes_append(out, hf_slice_of(text.data + copied, text.size - copied));
}
