#include "influx_line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 400u /* the longest double without an exponent */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The end of the line that begins at `start`. Quotes open behind a = that no backslash stands
 * before, as fields have them; a tag may have a quote in it. */
static size_t end_of_line(struct hf_slice text, size_t start)
{
    bool is_quoted = false, in_fields = false;
    for (size_t i = start; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '\\' && i + 1 < text.size && text.data[i + 1] != '\n') {
            i++;
        } else if (c == '"' && (is_quoted || (in_fields && text.data[i - 1] == '='))) {
            is_quoted = !is_quoted;
        } else if (c == '\n' && !is_quoted) {
            return i;
        } else if (c == ' ') {
            in_fields = true;
        }
    }
    return text.size;
}

static struct hf_slice trimmed(struct hf_slice text)
{
    while (text.size != 0 && is_space(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

bool hf_influx_next_line(struct hf_slice *rest, struct hf_slice *ret_line, size_t *ret_number)
{
    while (rest->size != 0) {
        size_t start = 0;
        while (start < rest->size && is_space(rest->data[start])) {
            start++;
        }
        bool is_comment = start < rest->size && rest->data[start] == '#';
        const uint8_t *feed =
            is_comment ? memchr(rest->data + start, '\n', rest->size - start) : NULL;
        size_t end = !is_comment    ? end_of_line(*rest, start)
                     : feed != NULL ? (size_t)(feed - rest->data)
                                    : rest->size;
        struct hf_slice line = trimmed(hf_slice_of(rest->data + start, end - start));
        size_t used = end < rest->size ? end + 1 : end;
        *rest = hf_slice_of(rest->data + used, rest->size - used);
        ++*ret_number;
        if (line.size != 0 && !is_comment) {
            *ret_line = line;
            return true;
        }
    }
    return false;
}

/* ---- texts ---- */

/* Without the backslashes before `escaped` characters. NULL data: out of memory. */
static struct hf_slice unescape(struct hf_slice text, const char *escaped, struct hf_arena *arena)
{
    if (text.size == 0 || memchr(text.data, '\\', text.size) == NULL) {
        return text;
    }
    uint8_t *copy = hf_arena_take(arena, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size && copy != NULL; i++) {
        bool is_escape = text.data[i] == '\\' && i + 1 < text.size && text.data[i + 1] != '\0' &&
                         strchr(escaped, text.data[i + 1]) != NULL;
        copy[size++] = text.data[is_escape ? ++i : i];
    }
    return hf_slice_of(copy, copy != NULL ? size : 0);
}

/* Up to one of `stops` that no backslash stands before, which stays in `*rest`. */
static struct hf_slice take(struct hf_slice *rest, const char *stops)
{
    size_t size = 0;
    while (size < rest->size &&
           (rest->data[size] == '\0' || strchr(stops, rest->data[size]) == NULL)) {
        size += rest->data[size] == '\\' && size + 1 < rest->size ? 2 : 1;
    }
    struct hf_slice taken = hf_slice_of(rest->data, size);
    *rest = hf_slice_of(rest->data + size, rest->size - size);
    return taken;
}

static bool skip(struct hf_slice *rest, char c)
{
    if (rest->size == 0 || rest->data[0] != (uint8_t)c) {
        return false;
    }
    *rest = hf_slice_of(rest->data + 1, rest->size - 1);
    return true;
}

static void skip_spaces(struct hf_slice *rest)
{
    while (rest->size != 0 && is_space(rest->data[0])) {
        *rest = hf_slice_of(rest->data + 1, rest->size - 1);
    }
}

/* ---- values ---- */

static bool read_integer(const char *text, bool is_signed, int64_t *ret_integer)
{
    char *end;
    errno = 0;
    if (text[0] == '+' || is_space((uint8_t)text[0]) || (!is_signed && text[0] == '-')) {
        return false;
    }
    *ret_integer = is_signed ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_float(const char *text, double *ret_number)
{
    char *end;
    if (strspn(text, "0123456789+-.eE") != strlen(text)) {
        return false; /* not what else strtod takes */
    }
    *ret_number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret_number);
}

static bool read_bool(struct hf_slice text, int64_t *ret_bool)
{
    static const char *const words[] = {"f", "F", "false", "False", "FALSE",
                                        "t", "T", "true",  "True",  "TRUE"};
    const size_t count = sizeof(words) / sizeof(words[0]);
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(text, words[i])) {
            *ret_bool = i >= count / 2;
            return true;
        }
    }
    return false;
}

static const char *read_plain(struct hf_slice text, struct hf_influx_field *field)
{
    char room[NUMBER_BYTES_MAX];
    if (read_bool(text, &field->integer)) {
        field->kind = HF_INFLUX_BOOL;
        return NULL;
    }
    if (text.size == 0 || text.size >= sizeof(room) || memchr(text.data, '\0', text.size) != NULL) {
        return "a field has no value";
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    char last = room[text.size - 1];
    field->kind = last == 'i' ? HF_INFLUX_INT : last == 'u' ? HF_INFLUX_UINT : HF_INFLUX_FLOAT;
    if (field->kind == HF_INFLUX_FLOAT) {
        return read_float(room, &field->number) ? NULL : "the value of a field is no number";
    }
    room[text.size - 1] = '\0';
    return read_integer(room, field->kind == HF_INFLUX_INT, &field->integer)
               ? NULL
               : "the value of a field is no whole number";
}

static const char *read_string(struct hf_slice *rest, struct hf_arena *arena,
                               struct hf_influx_field *field)
{
    (void)skip(rest, '"');
    struct hf_slice text = take(rest, "\"");
    field->kind = HF_INFLUX_STRING;
    field->text = unescape(text, "\"\\", arena);
    return skip(rest, '"') ? NULL : "the quote of a field is not closed";
}

/* ---- lines ---- */

/* Of a key that is there twice the last value counts. */
static bool set_tag(struct hf_influx_line *line, struct hf_slice key, struct hf_slice value)
{
    size_t at = 0;
    while (at < line->tag_count && !hf_slice_equal(line->tags[at].key, key)) {
        at++;
    }
    if (at == HF_INFLUX_TAGS_MAX) {
        return false;
    }
    line->tags[at] = (struct hf_influx_tag){key, value};
    line->tag_count += at == line->tag_count;
    return true;
}

static const char *read_tags(struct hf_slice *rest, struct hf_arena *arena,
                             struct hf_influx_line *line)
{
    while (skip(rest, ',')) {
        struct hf_slice key = take(rest, "=, ");
        if (key.size == 0 || !skip(rest, '=')) {
            return "a tag has no key or no value";
        }
        struct hf_slice value = take(rest, ", ");
        if (value.size == 0) {
            return "a tag has no key or no value";
        }
        if (!set_tag(line, unescape(key, ",= ", arena), unescape(value, ",= ", arena))) {
            return "more than 256 tags";
        }
    }
    return NULL;
}

static const char *read_fields(struct hf_slice *rest, struct hf_arena *arena,
                               struct hf_influx_line *line)
{
    const char *wrong = NULL;
    do {
        if (line->field_count == HF_INFLUX_FIELDS_MAX) {
            return "more than 1024 fields";
        }
        struct hf_influx_field *field = &line->fields[line->field_count++];
        struct hf_slice key = take(rest, "=, ");
        if (key.size == 0 || !skip(rest, '=')) {
            return "a field has no key or no value";
        }
        *field = (struct hf_influx_field){.key = unescape(key, ",= ", arena)};
        wrong = rest->size != 0 && rest->data[0] == '"' ? read_string(rest, arena, field)
                                                        : read_plain(take(rest, ", "), field);
    } while (wrong == NULL && skip(rest, ','));
    return wrong;
}

static const char *read_time(struct hf_slice rest, struct hf_influx_line *line)
{
    char room[24];
    if (rest.size == 0) {
        return NULL;
    }
    if (rest.size >= sizeof(room)) {
        return "the time is no whole number";
    }
    memcpy(room, rest.data, rest.size);
    room[rest.size] = '\0';
    line->has_time = strlen(room) == rest.size && read_integer(room, true, &line->time);
    return line->has_time ? NULL : "the time is no whole number";
}

const char *hf_influx_read_line(struct hf_slice text, struct hf_arena *arena,
                                struct hf_influx_line *ret_line)
{
    ret_line->tag_count = ret_line->field_count = 0;
    ret_line->has_time = false;
    struct hf_slice name = take(&text, ", ");
    ret_line->measurement = unescape(name, ", ", arena);
    if (name.size == 0) {
        return "there is no measurement";
    }
    const char *wrong = read_tags(&text, arena, ret_line);
    if (wrong == NULL && !skip(&text, ' ')) {
        wrong = "there are no fields";
    }
    skip_spaces(&text);
    wrong = wrong == NULL && text.size == 0 ? "there are no fields" : wrong;
    wrong = wrong == NULL ? read_fields(&text, arena, ret_line) : wrong;
    if (wrong == NULL && text.size != 0 && !is_space(text.data[0])) {
        wrong = "there is something behind a quote";
    }
    skip_spaces(&text);
    return wrong == NULL ? read_time(text, ret_line) : wrong;
}
