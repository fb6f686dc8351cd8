/* Converters of texts. */
#include <inttypes.h>
#include <string.h>
#include <wctype.h>

#include "function.h"
#include "util/letter_case.h"
#include "util/rune.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

bool hf_ottl_mend_text(struct hf_ottl_run *run, struct hf_slice text,
                       struct hf_ottl_value *ret_value)
{
    bool is_good = true;
    for (size_t at = 0; is_good && at < text.size;) {
        struct hf_rune rune = hf_rune_at(text, at);
        is_good = rune.code != HF_RUNE_BAD || rune.size > 1;
        at += rune.size;
    }
    *ret_value = hf_ottl_string(text);
    if (is_good) {
        return true;
    }
    hf_ottl_start_text(run);
    for (size_t at = 0; at < text.size;) {
        struct hf_rune rune = hf_rune_at(text, at);
        uint8_t room[HF_RUNE_MAX];
        hf_ottl_add_text(run, hf_slice_of(room, hf_rune_put(rune.code, room)));
        at += rune.size;
    }
    return hf_ottl_end_text(run, ret_value);
}

/* ---- joining and cutting ---- */

CONVERTER(concat)
{
    struct hf_ottl_value *items;
    size_t count;
    if (!hf_ottl_items_of(run, call, 0, HF_ARG_STRING_LIKES, &items, &count)) {
        return false;
    }
    hf_ottl_start_text(run);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            hf_ottl_add_text(run, arguments[1].bytes);
        }
        hf_ottl_add_text(run,
                         items[i].type == HF_OTTL_NIL ? hf_slice_text("<nil>") : items[i].bytes);
    }
    return hf_ottl_end_text(run, ret_value);
}

static bool is_rune_start(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

CONVERTER(substring)
{
    struct hf_slice text = arguments[0].bytes;
    int64_t start = arguments[1].integer, length = arguments[2].integer;
    int64_t size = (int64_t)text.size;
    (void)call;
    if (start < 0) {
        return hf_ottl_fail(
            run, "invalid start for substring function, %" PRId64 " cannot be negative", start);
    }
    if (length <= 0) {
        return hf_ottl_fail(
            run, "invalid length for substring function, %" PRId64 " cannot be negative or zero",
            length);
    }
    if (start > size || length > size - start) {
        return hf_ottl_fail(run,
                            "invalid range for substring function, %" PRId64 "+%" PRId64
                            " cannot be greater than the length of target string(%" PRId64 ")",
                            start, length, size);
    }
    int64_t end = start + length;
    if (arguments[3].type == HF_OTTL_BOOL && arguments[3].integer != 0) {
        while (start < size && !is_rune_start(text.data[start])) {
            start++;
        }
        while (start < end && end < size && !is_rune_start(text.data[end])) {
            end--;
        }
        end = end < start ? start : end;
    }
    return hf_ottl_mend_text(run, hf_slice_of(text.data + start, (size_t)(end - start)), ret_value);
}

static const uint8_t *find(struct hf_slice text, size_t at, struct hf_slice part)
{
    return memmem(text.data + at, text.size - at, part.data, part.size);
}

/* How many pieces there are between the delimiters; an empty delimiter: characters. */
static size_t count_pieces(struct hf_slice text, struct hf_slice delimiter)
{
    size_t count = delimiter.size == 0 ? 0 : 1;
    for (size_t at = 0; at < text.size;) {
        if (delimiter.size == 0) {
            at += hf_rune_at(text, at).size;
        } else {
            const uint8_t *found = find(text, at, delimiter);
            if (found == NULL) {
                break;
            }
            at = (size_t)(found - text.data) + delimiter.size;
        }
        count++;
    }
    return count;
}

CONVERTER(split)
{
    struct hf_slice text = arguments[0].bytes, delimiter = arguments[1].bytes;
    size_t count = count_pieces(text, delimiter);
    size_t at = 0;
    struct hf_slice *pieces = hf_ottl_take(run, (count + 1) * sizeof(*pieces));
    (void)call;
    if (pieces == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *found =
            delimiter.size > 0 && at < text.size ? find(text, at, delimiter) : NULL;
        size_t size = delimiter.size == 0 ? hf_rune_at(text, at).size
                      : found != NULL     ? (size_t)(found - text.data) - at
                                          : text.size - at;
        struct hf_ottl_value piece = hf_ottl_string(hf_slice_of(text.data + at, size));
        if (!hf_ottl_encode(run, &piece, &pieces[i])) {
            return false;
        }
        at += size + delimiter.size;
    }
    return hf_ottl_list_of(run, pieces, count, ret_value);
}

static bool is_in(struct hf_slice set, struct hf_rune rune)
{
    for (size_t at = 0; at < set.size;) {
        struct hf_rune one = hf_rune_at(set, at);
        if (one.code == rune.code) {
            return true;
        }
        at += one.size;
    }
    return false;
}

CONVERTER(trim)
{
    struct hf_slice text = arguments[0].bytes;
    struct hf_slice set = call->nodes[1] != NULL ? arguments[1].bytes : hf_slice_text(" ");
    size_t start = 0, end = text.size;
    (void)run;
    while (start < end && is_in(set, hf_rune_at(text, start))) {
        start += hf_rune_at(text, start).size;
    }
    while (end > start) {
        size_t last = end - 1;
        while (last > start && !is_rune_start(text.data[last])) {
            last--;
        }
        if (!is_in(set, hf_rune_at(hf_slice_of(text.data, end), last))) {
            break;
        }
        end = last;
    }
    *ret_value = hf_ottl_string(hf_slice_of(text.data + start, end - start));
    return true;
}

static bool begins(struct hf_slice text, struct hf_slice part)
{
    return part.size <= text.size && hf_slice_equal(hf_slice_of(text.data, part.size), part);
}

static bool ends(struct hf_slice text, struct hf_slice part)
{
    return part.size <= text.size &&
           hf_slice_equal(hf_slice_of(text.data + text.size - part.size, part.size), part);
}

CONVERTER(has_prefix)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_bool(begins(arguments[0].bytes, arguments[1].bytes));
    return true;
}

CONVERTER(has_suffix)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_bool(ends(arguments[0].bytes, arguments[1].bytes));
    return true;
}

CONVERTER(trim_prefix)
{
    struct hf_slice text = arguments[0].bytes, part = arguments[1].bytes;
    size_t cut = begins(text, part) ? part.size : 0;
    (void)run;
    (void)call;
    *ret_value = hf_ottl_string(hf_slice_of(text.data + cut, text.size - cut));
    return true;
}

CONVERTER(trim_suffix)
{
    struct hf_slice text = arguments[0].bytes, part = arguments[1].bytes;
    size_t cut = ends(text, part) ? part.size : 0;
    (void)run;
    (void)call;
    *ret_value = hf_ottl_string(hf_slice_of(text.data, text.size - cut));
    return true;
}

/* ---- letter case ---- */

static void add_rune(struct hf_ottl_run *run, uint32_t code)
{
    uint8_t room[HF_RUNE_MAX];
    hf_ottl_add_text(run, hf_slice_of(room, hf_rune_put(code, room)));
}

static bool change_case(struct hf_ottl_run *run, struct hf_slice text,
                        uint32_t (*change)(uint32_t code), struct hf_ottl_value *ret_value)
{
    hf_ottl_start_text(run);
    for (size_t at = 0; at < text.size;) {
        struct hf_rune rune = hf_rune_at(text, at);
        add_rune(run, change(rune.code));
        at += rune.size;
    }
    return hf_ottl_end_text(run, ret_value);
}

/* What a byte is, for the words of a name; letters are ASCII's. */
enum byte_class { OTHER = 0, SMALL, CAPITAL, DIGIT };

static enum byte_class class_at(struct hf_slice text, size_t at)
{
    uint8_t byte = at < text.size ? text.data[at] : 0;
    return byte >= 'a' && byte <= 'z'   ? SMALL
           : byte >= 'A' && byte <= 'Z' ? CAPITAL
           : byte >= '0' && byte <= '9' ? DIGIT
                                        : OTHER;
}

static bool is_separator(uint8_t byte)
{
    return byte == '_' || byte == '-' || byte == '.' || byte == ' ';
}

static struct hf_slice trim_blanks(struct hf_slice text)
{
    while (text.size > 0 && memchr(" \t\r\n\v\f", text.data[0], 6) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && memchr(" \t\r\n\v\f", text.data[text.size - 1], 6) != NULL) {
        text.size--;
    }
    return text;
}

/*
 * Where another class of byte begins, a word does; but the last of several capital letters belongs
 * to the small one behind it.
 */
static bool to_snake(struct hf_ottl_run *run, struct hf_slice text, struct hf_ottl_value *ret_value)
{
    text = trim_blanks(text);
    hf_ottl_start_text(run);
    for (size_t at = 0; at < text.size; at++) {
        enum byte_class own = class_at(text, at), next = class_at(text, at + 1);
        uint8_t byte = own == CAPITAL ? (uint8_t)(text.data[at] + 32) : text.data[at];
        bool changes = own != OTHER && next != OTHER && own != next;
        bool is_inner = own == CAPITAL && next == SMALL;
        if (is_inner && at > 0 && class_at(text, at - 1) == CAPITAL) {
            hf_ottl_add_text(run, hf_slice_text("_"));
        }
        if (own == OTHER && is_separator(byte)) {
            byte = '_';
        }
        hf_ottl_add_text(run, hf_slice_of(&byte, 1));
        if (changes && !is_inner) {
            hf_ottl_add_text(run, hf_slice_text("_"));
        }
    }
    return hf_ottl_end_text(run, ret_value);
}

/* Words begin with a capital letter and have no other; what is neither a letter nor a digit is left
 * out. */
static bool to_camel(struct hf_ottl_run *run, struct hf_slice text, struct hf_ottl_value *ret_value)
{
    bool is_first = true, was_capital = false;
    text = hf_slice_is(trim_blanks(text), "ID") ? hf_slice_text("id") : trim_blanks(text);
    hf_ottl_start_text(run);
    for (size_t at = 0; at < text.size; at++) {
        enum byte_class own = class_at(text, at);
        uint8_t byte = text.data[at];
        if (own == OTHER) {
            is_first = is_separator(byte);
            was_capital = false;
            continue;
        }
        if (is_first && own == SMALL) {
            byte = (uint8_t)(byte - 32);
        } else if (!is_first && own == CAPITAL && was_capital) {
            byte = (uint8_t)(byte + 32);
        }
        hf_ottl_add_text(run, hf_slice_of(&byte, 1));
        was_capital = own == CAPITAL;
        is_first = own == DIGIT;
    }
    return hf_ottl_end_text(run, ret_value);
}

CONVERTER(to_lower_case)
{
    (void)call;
    return change_case(run, arguments[0].bytes, hf_rune_to_lower, ret_value);
}

CONVERTER(to_upper_case)
{
    (void)call;
    return change_case(run, arguments[0].bytes, hf_rune_to_upper, ret_value);
}

CONVERTER(to_snake_case)
{
    (void)call;
    return to_snake(run, arguments[0].bytes, ret_value);
}

CONVERTER(to_camel_case)
{
    (void)call;
    return to_camel(run, arguments[0].bytes, ret_value);
}

static enum hf_status check_case(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    static const char *const cases[] = {"lower", "upper", "snake", "camel"};
    struct hf_slice text = hf_ottl_literal_text(call, 1, "");
    (void)at;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (hf_slice_is(text, cases[i])) {
            return HF_OK;
        }
    }
    return hf_ottl_refuse(fault, call->nodes[1]->at,
                          "the case must be \"lower\", \"upper\", \"snake\" or \"camel\"");
}

CONVERTER(convert_case)
{
    struct hf_slice text = arguments[0].bytes;
    (void)call;
    switch (arguments[1].bytes.data[0]) {
    case 'l':
        return change_case(run, text, hf_rune_to_lower, ret_value);
    case 'u':
        return change_case(run, text, hf_rune_to_upper, ret_value);
    case 's':
        return to_snake(run, text, ret_value);
    default:
        return to_camel(run, text, ret_value);
    }
}

#define OF_TEXT                                                                                    \
    {                                                                                              \
        {                                                                                          \
            "target", HF_ARG_STRING                                                                \
        }                                                                                          \
    }

const struct hf_ottl_function hf_ottl_texts[] = {
    {.name = "Concat",
     .arguments = {{"vals", HF_ARG_STRING_LIKES}, {"delimiter", HF_ARG_STRING}},
     .run = concat},
    {.name = "Substring",
     .arguments = {{"target", HF_ARG_STRING},
                   {"start", HF_ARG_INT},
                   {"length", HF_ARG_INT},
                   {"utf8_safe", HF_ARG_BOOL | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = substring},
    {.name = "Split",
     .arguments = {{"target", HF_ARG_STRING}, {"delimiter", HF_ARG_STRING}},
     .run = split},
    {.name = "Trim",
     .arguments = {{"target", HF_ARG_STRING},
                   {"replacement", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = trim},
    {.name = "TrimPrefix",
     .arguments = {{"target", HF_ARG_STRING}, {"prefix", HF_ARG_STRING}},
     .run = trim_prefix},
    {.name = "TrimSuffix",
     .arguments = {{"target", HF_ARG_STRING}, {"suffix", HF_ARG_STRING}},
     .run = trim_suffix},
    {.name = "HasPrefix",
     .arguments = {{"target", HF_ARG_STRING}, {"prefix", HF_ARG_STRING}},
     .run = has_prefix},
    {.name = "HasSuffix",
     .arguments = {{"target", HF_ARG_STRING}, {"suffix", HF_ARG_STRING}},
     .run = has_suffix},
    {.name = "ConvertCase",
     .arguments = {{"target", HF_ARG_STRING}, {"to_case", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = convert_case,
     .check = check_case},
    {.name = "ToLowerCase", .arguments = OF_TEXT, .run = to_lower_case},
    {.name = "ToUpperCase", .arguments = OF_TEXT, .run = to_upper_case},
    {.name = "ToSnakeCase", .arguments = OF_TEXT, .run = to_snake_case},
    {.name = "ToCamelCase", .arguments = OF_TEXT, .run = to_camel_case},
    {.name = NULL},
};
