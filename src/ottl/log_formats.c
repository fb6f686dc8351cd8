/* Converters of whole lines of well-known log formats: CEF, CLF, ELF and LEEF. */
#include <string.h>
#include <strings.h>

#include "function.h"
#include "util/hex.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- texts ---- */

static bool put_value(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                      const struct hf_ottl_value *value)
{
    struct hf_slice encoded;
    return hf_ottl_encode(run, value, &encoded) && hf_ottl_pairs_put(run, pairs, key, encoded);
}

static bool put_text(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                     struct hf_slice text)
{
    struct hf_ottl_value value = hf_ottl_string(text);
    return put_value(run, pairs, hf_slice_text(key), &value);
}

/* The part up to `byte`, which is taken too. False: it is not there, and nothing is taken. */
static bool cut(struct hf_slice *text, char byte, struct hf_slice *ret_part)
{
    const uint8_t *found = text->size > 0 ? memchr(text->data, byte, text->size) : NULL;
    if (found == NULL) {
        return false;
    }
    size_t size = (size_t)(found - text->data);
    *ret_part = hf_slice_of(text->data, size);
    *text = hf_slice_of(found + 1, text->size - size - 1);
    return true;
}

/* From the first `word` on. False: there is none. */
static bool start_at(struct hf_slice text, const char *word, struct hf_slice *ret_text)
{
    const uint8_t *found = text.size > 0 ? memmem(text.data, text.size, word, strlen(word)) : NULL;
    if (found == NULL) {
        return false;
    }
    *ret_text = hf_slice_of(found, text.size - (size_t)(found - text.data));
    return true;
}

/* What stands for a character behind a backslash; -1: nothing. */
typedef int unescape(uint8_t byte);

static bool without_escapes(struct hf_ottl_run *run, struct hf_slice text, unescape *meaning,
                            struct hf_slice *ret_text)
{
    uint8_t *room;
    size_t size = 0;
    *ret_text = text;
    if (text.size == 0 || memchr(text.data, '\\', text.size) == NULL) {
        return true;
    }
    room = hf_ottl_take(run, text.size);
    if (room == NULL) {
        return false;
    }
    for (size_t at = 0; at < text.size; at++) {
        int meant = text.data[at] == '\\' && at + 1 < text.size ? meaning(text.data[at + 1]) : -1;
        room[size++] = meant >= 0 ? (uint8_t)meant : text.data[at];
        at += meant >= 0;
    }
    *ret_text = hf_slice_of(room, size);
    return true;
}

/* ---- CEF ---- */

#define CEF_FIELDS 7u

static int cef_header_escape(uint8_t byte)
{
    return byte == '|' || byte == '\\' ? byte : -1;
}

static int cef_value_escape(uint8_t byte)
{
    return byte == '\\' || byte == '=' ? byte : byte == 'n' ? '\n' : byte == 'r' ? '\r' : -1;
}

/* Fields between bars that no backslash precedes. False: there are not so many. */
static bool cef_fields(struct hf_slice *text, struct hf_slice fields[CEF_FIELDS])
{
    size_t count = 0, start = 0;
    for (size_t at = 0; at < text->size && count < CEF_FIELDS; at++) {
        if (text->data[at] == '\\' && at + 1 < text->size &&
            cef_header_escape(text->data[at + 1]) >= 0) {
            at++;
        } else if (text->data[at] == '|') {
            fields[count++] = hf_slice_of(text->data + start, at - start);
            start = at + 1;
        }
    }
    if (count == CEF_FIELDS - 1) {
        fields[count++] = hf_slice_of(text->data + start, text->size - start);
        start = text->size;
    }
    *text = hf_slice_of(text->data + start, text->size - start);
    return count == CEF_FIELDS;
}

static bool is_key_byte(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* The size of the key that stands at `at` with '=' behind it; 0: none does. */
static size_t cef_key_at(struct hf_slice text, size_t at)
{
    size_t end = at;
    if (at > 0 && text.data[at - 1] != ' ') {
        return 0;
    }
    while (end < text.size && is_key_byte(text.data[end])) {
        end++;
    }
    return end < text.size && text.data[end] == '=' ? end - at : 0;
}

static bool put_extension(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                          struct hf_slice text)
{
    struct hf_slice value;
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    if (!without_escapes(run, text, cef_value_escape, &value)) {
        return false;
    }
    struct hf_ottl_value string = hf_ottl_string(value);
    return put_value(run, pairs, key, &string);
}

static bool cef_extensions(struct hf_ottl_run *run, struct hf_slice text,
                           struct hf_ottl_pairs *pairs)
{
    struct hf_slice key = HF_EMPTY_SLICE;
    size_t start = 0;
    for (size_t at = 0; at < text.size;) {
        size_t size = cef_key_at(text, at);
        if (size == 0) {
            at++;
            continue;
        }
        if (key.size > 0 &&
            !put_extension(run, pairs, key, hf_slice_of(text.data + start, at - start))) {
            return false;
        }
        key = hf_slice_of(text.data + at, size);
        start = at + size + 1;
        at = start;
    }
    return key.size == 0 ||
           put_extension(run, pairs, key, hf_slice_of(text.data + start, text.size - start));
}

CONVERTER(parse_cef)
{
    static const char *const names[CEF_FIELDS] = {
        "cef.version",        "cef.device_vendor",         "cef.device_product",
        "cef.device_version", "cef.device_event_class_id", "cef.name",
        "cef.severity"};
    struct hf_slice text, fields[CEF_FIELDS];
    struct hf_ottl_pairs pairs, extensions;
    struct hf_ottl_value map;
    (void)call;
    if (!start_at(arguments[0].bytes, "CEF:", &text)) {
        return hf_ottl_fail(run, "invalid CEF message: 'CEF:' not found");
    }
    if (!cef_fields(&text, fields)) {
        return hf_ottl_fail(run, "invalid CEF header: expected at least 7 fields between '|'");
    }
    fields[0] = hf_slice_of(fields[0].data + 4, fields[0].size - 4);
    if (fields[0].size == 0) {
        return hf_ottl_fail(run, "invalid CEF message: missing version");
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, CEF_FIELDS + 1, &pairs) ||
        !hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &extensions)) {
        return false;
    }
    for (size_t i = 0; i < CEF_FIELDS; i++) {
        struct hf_slice plain = fields[i];
        if ((i > 0 && !without_escapes(run, fields[i], cef_header_escape, &plain)) ||
            !put_text(run, &pairs, names[i], plain)) {
            return false;
        }
    }
    return cef_extensions(run, text, &extensions) && hf_ottl_map_of_pairs(run, &extensions, &map) &&
           put_value(run, &pairs, hf_slice_text("cef.extensions"), &map) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

/* ---- CLF ---- */

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && text.data[0] != 0 && strchr(" \t\r\n\v\f", text.data[0]) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && text.data[text.size - 1] != 0 &&
           strchr(" \t\r\n\v\f", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

/* A word, and the blank behind it unless the text ends. False: no word is there. */
static bool clf_word(struct hf_slice *text, bool is_last, struct hf_slice *ret_word)
{
    size_t size = 0;
    while (size < text->size && !is_blank(text->data[size])) {
        size++;
    }
    *ret_word = hf_slice_of(text->data, size);
    bool ends = size == text->size;
    if (size == 0 || ends != is_last || (!ends && text->data[size] != ' ')) {
        return false;
    }
    *text = ends ? HF_EMPTY_SLICE : hf_slice_of(text->data + size + 1, text->size - size - 1);
    return true;
}

/* What stands in quotation marks, and the blank behind it unless the text ends. */
static bool clf_quoted(struct hf_slice *text, bool is_last, struct hf_slice *ret_content)
{
    size_t at = 1;
    if (text->size == 0 || text->data[0] != '"') {
        return false;
    }
    while (at < text->size && text->data[at] != '"') {
        if (text->data[at] == '\\' && at + 1 < text->size && text->data[at + 1] == '\n') {
            return false;
        }
        at += text->data[at] == '\\' ? 2 : 1;
    }
    if (at >= text->size || (at + 1 == text->size) != is_last ||
        (!is_last && text->data[at + 1] != ' ')) {
        return false;
    }
    *ret_content = hf_slice_of(text->data + 1, at - 1);
    *text = is_last ? HF_EMPTY_SLICE : hf_slice_of(text->data + at + 2, text->size - at - 2);
    return true;
}

static int clf_escape(uint8_t byte)
{
    static const char letters[] = "ntrbfv\\\"";
    static const char meant[] = "\n\t\r\b\f\v\\\"";
    const char *found = byte != 0 ? strchr(letters, byte) : NULL;
    return found != NULL ? meant[found - letters] : -1;
}

static bool put_clf(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                    struct hf_slice text)
{
    uint8_t *room = hf_ottl_take(run, text.size + 1);
    struct hf_ottl_value value;
    size_t size = 0;
    if (room == NULL) {
        return false;
    }
    for (size_t at = 0; at < text.size; at++) {
        bool is_escape = text.data[at] == '\\' && at + 1 < text.size;
        int meant = is_escape ? clf_escape(text.data[at + 1]) : -1;
        bool is_hex = is_escape && text.data[at + 1] == 'x' && at + 3 < text.size &&
                      hf_hex_digit(text.data[at + 2]) >= 0 && hf_hex_digit(text.data[at + 3]) >= 0;
        if (is_hex) {
            room[size++] =
                (uint8_t)(hf_hex_digit(text.data[at + 2]) * 16 + hf_hex_digit(text.data[at + 3]));
            at += 3;
        } else if (meant >= 0) {
            room[size++] = (uint8_t)meant;
            at++;
        } else {
            room[size++] = text.data[at];
            if (is_escape) {
                room[size++] = text.data[++at];
            }
        }
    }
    return hf_ottl_mend_text(run, hf_slice_of(room, size), &value) &&
           put_value(run, pairs, hf_slice_text(key), &value);
}

static bool put_number(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                       struct hf_slice text)
{
    int64_t number;
    if (!hf_ottl_read_int(text, 10, &number)) {
        return hf_ottl_fail(run, "invalid CLF message: %s is no number", key);
    }
    struct hf_ottl_value value = hf_ottl_int(number);
    return put_value(run, pairs, hf_slice_text(key), &value);
}

/* "GET /path HTTP/1.1", also in its three parts. */
static bool put_request(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice text)
{
    struct hf_slice encoded, method, target;
    if (!put_clf(run, pairs, "clf.request", text)) {
        return false;
    }
    encoded = pairs->items[pairs->count - 1].value;
    struct hf_slice rest = hf_any_read(encoded).bytes;
    return !cut(&rest, ' ', &method) || !cut(&rest, ' ', &target) ||
           (put_text(run, pairs, "clf.method", method) &&
            put_text(run, pairs, "clf.request_uri", target) &&
            put_text(run, pairs, "clf.protocol", rest));
}

CONVERTER(parse_clf)
{
    static const char *const names[] = {"clf.remote_host", "clf.rfc931", "clf.auth_user"};
    bool is_combined = hf_slice_is(hf_ottl_literal_text(call, 1, "clf"), "combined");
    struct hf_slice text = trim(arguments[0].bytes), words[3], time, request, status, bytes;
    struct hf_slice referer = HF_EMPTY_SLICE, agent = HF_EMPTY_SLICE;
    struct hf_ottl_pairs pairs;
    bool fits = clf_word(&text, false, &words[0]) && clf_word(&text, false, &words[1]) &&
                clf_word(&text, false, &words[2]) && text.size > 0 && text.data[0] == '[' &&
                cut(&text, ']', &time) && time.size > 1 && text.size > 0 && text.data[0] == ' ';
    if (fits) {
        time = hf_slice_of(time.data + 1, time.size - 1);
        text = hf_slice_of(text.data + 1, text.size - 1);
        fits = clf_quoted(&text, false, &request) && clf_word(&text, false, &status) &&
               clf_word(&text, !is_combined, &bytes) &&
               (!is_combined ||
                (clf_quoted(&text, false, &referer) && clf_quoted(&text, true, &agent)));
    }
    if (!fits) {
        return hf_ottl_fail(run, "invalid CLF message: does not match the expected format");
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 12, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!put_text(run, &pairs, names[i], words[i])) {
            return false;
        }
    }
    return put_text(run, &pairs, "clf.timestamp", time) && put_request(run, &pairs, request) &&
           put_number(run, &pairs, "clf.status", status) &&
           (hf_slice_is(bytes, "-") || put_number(run, &pairs, "clf.bytes", bytes)) &&
           (!is_combined || (put_clf(run, &pairs, "clf.referer", referer) &&
                             put_clf(run, &pairs, "clf.user_agent", agent))) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

static enum hf_status check_clf(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice format = hf_ottl_literal_text(call, 1, "clf");
    return hf_slice_is(format, "clf") || hf_slice_is(format, "combined")
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the format must be \"clf\" or \"combined\"");
}

/* ---- LEEF ---- */

#define LEEF_FIELDS 4u

/* The fifth field of version 2: one character, or 0x and its code. False: neither. */
static bool leef_delimiter(struct hf_slice text, char *ret_delimiter)
{
    bool is_hex = text.size >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
    if (is_hex) {
        int high = text.size == 4 ? hf_hex_digit(text.data[2]) : -1;
        int low = text.size == 4 ? hf_hex_digit(text.data[3]) : -1;
        *ret_delimiter = (char)(high * 16 + low);
        return high >= 0 && low >= 0;
    }
    *ret_delimiter = text.size == 1 ? (char)text.data[0] : '\t';
    return text.size <= 1;
}

static bool leef_attributes(struct hf_ottl_run *run, struct hf_slice text, char delimiter,
                            struct hf_ottl_pairs *pairs)
{
    bool has_more = text.size > 0;
    while (has_more) {
        struct hf_slice pair, key;
        has_more = cut(&text, delimiter, &pair);
        if (!has_more) {
            pair = text;
        }
        if (!cut(&pair, '=', &key) || key.size == 0) {
            continue;
        }
        struct hf_ottl_value value = hf_ottl_string(pair);
        if (!put_value(run, pairs, key, &value)) {
            return false;
        }
    }
    return true;
}

/* The fields up to the name of the event. `ret_rest`: what is behind, which may be nothing. */
static bool leef_fields(struct hf_slice text, struct hf_slice fields[LEEF_FIELDS],
                        struct hf_slice *ret_rest)
{
    for (size_t i = 0; i < LEEF_FIELDS; i++) {
        if (!cut(&text, '|', &fields[i])) {
            fields[i] = text;
            *ret_rest = HF_EMPTY_SLICE;
            return i == LEEF_FIELDS - 1;
        }
    }
    *ret_rest = text;
    return true;
}

CONVERTER(parse_leef)
{
    static const char *const names[LEEF_FIELDS] = {"leef.vendor", "leef.product.name",
                                                   "leef.product.version", "leef.event.id"};
    struct hf_slice text, version, fields[LEEF_FIELDS], rest;
    struct hf_ottl_pairs pairs, attributes;
    struct hf_ottl_value map;
    char delimiter = '\t';
    (void)call;
    if (!start_at(arguments[0].bytes, "LEEF:", &text) || !cut(&text, '|', &version)) {
        return hf_ottl_fail(run, "invalid LEEF message: no 'LEEF:' with '|' behind it");
    }
    version = hf_slice_of(version.data + 5, version.size - 5);
    bool is_second = hf_slice_is(version, "2.0");
    if (!is_second && !hf_slice_is(version, "1.0")) {
        return hf_ottl_fail(run, "unsupported LEEF version; there are 1.0 and 2.0");
    }
    if (!leef_fields(text, fields, &rest)) {
        return hf_ottl_fail(run, "invalid LEEF header: expected at least 4 fields between '|'");
    }
    struct hf_slice behind = rest, field;
    bool ends = !cut(&behind, '|', &field);
    if (ends) {
        field = rest;
    }
    if (is_second && rest.size > 0 &&
        (field.size == 0 || memchr(field.data, '=', field.size) == NULL)) {
        if (!leef_delimiter(field, &delimiter)) {
            return hf_ottl_fail(run, "invalid LEEF 2.0 delimiter");
        }
        rest = ends ? HF_EMPTY_SLICE : behind;
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, LEEF_FIELDS + 2, &pairs) ||
        !hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &attributes) ||
        !put_text(run, &pairs, "leef.version", version)) {
        return false;
    }
    for (size_t i = 0; i < LEEF_FIELDS; i++) {
        if (!put_text(run, &pairs, names[i], fields[i])) {
            return false;
        }
    }
    return leef_attributes(run, rest, delimiter, &attributes) &&
           hf_ottl_map_of_pairs(run, &attributes, &map) &&
           put_value(run, &pairs, hf_slice_text("leef.attributes"), &map) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

const struct hf_ottl_function hf_ottl_log_formats[] = {
    {.name = "ParseCEF",
     .arguments = {{"target", HF_ARG_STRING}},
     .run = parse_cef,
     .contexts = 1u << HF_PATH_LOG},
    {.name = "ParseCLF",
     .arguments = {{"target", HF_ARG_STRING},
                   {"format", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = parse_clf,
     .check = check_clf,
     .contexts = 1u << HF_PATH_LOG},
    {.name = "ParseLEEF",
     .arguments = {{"target", HF_ARG_STRING}},
     .run = parse_leef,
     .contexts = 1u << HF_PATH_LOG},
    {.name = NULL},
};
