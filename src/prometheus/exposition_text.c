#include "exposition_text.h"

#include <math.h>
#include <stdio.h>

#define CONTEXT_MAX 60 /* bytes of the line in a message */
#define TIME_MS_MAX 9e15

/* What a byte may be. */
enum { NAME_START = 1, NAME = 2, LABEL_START = 4, LABEL = 8, BLANK = 16, PLAIN = 32 };

#define LETTER (NAME_START | NAME | LABEL_START | LABEL | PLAIN)

/* Filled once; reading it twice at the same time would write the same. */
static uint8_t classes[256];

__attribute__((constructor)) static void fill_classes(void)
{
    for (int c = 0; c < 256; c++) {
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        classes[c] = is_letter ? LETTER : PLAIN;
        classes[c] |= c >= '0' && c <= '9' ? NAME | LABEL : 0;
        classes[c] |= c == ':' ? NAME_START | NAME : 0;
        classes[c] |= c == ' ' || c == '\t' ? BLANK : 0;
    }
    classes['"'] &= (uint8_t)~PLAIN; /* what ends or interrupts a quoted text */
    classes['\\'] &= (uint8_t)~PLAIN;
    classes['\n'] &= (uint8_t)~PLAIN;
}

static bool is(uint8_t c, uint8_t class)
{
    return (classes[c] & class) != 0;
}

static enum hf_expo_item fail(struct hf_expo_reader *reader, const char *what)
{
    char text[HF_EXPO_ERROR_MAX];
    char near[CONTEXT_MAX + 1];
    if (reader->error[0] != '\0') {
        return HF_EXPO_BAD; /* it has been said what is wrong */
    }
    size_t size = (size_t)(reader->end - reader->at);
    size = size < CONTEXT_MAX ? size : CONTEXT_MAX;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = reader->at[i];
        near[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
        if (c == '\n') {
            size = i;
        }
    }
    near[size] = '\0';
    snprintf(text, sizeof(text), "%s, at \"%s\"", what, near);
    return hf_expo_bad(reader, text);
}

/* ---- pieces of a line; the cursor is reader->at ---- */

static void skip_blanks(struct hf_expo_reader *reader)
{
    while (reader->at < reader->end && is(*reader->at, BLANK)) {
        reader->at++;
    }
}

/* In OpenMetrics exactly one space, in the text format any blanks. */
static bool skip_gap(struct hf_expo_reader *reader)
{
    const uint8_t *start = reader->at;
    if (reader->format == HF_EXPO_OPENMETRICS) {
        reader->at += reader->at < reader->end && *reader->at == ' ';
    } else {
        skip_blanks(reader);
    }
    return reader->at != start;
}

static bool take_char(struct hf_expo_reader *reader, uint8_t c)
{
    bool is_there = reader->at < reader->end && *reader->at == c;
    reader->at += is_there;
    return is_there;
}

static struct hf_slice take_word(struct hf_expo_reader *reader, uint8_t start_class, uint8_t class)
{
    const uint8_t *start = reader->at, *end = reader->end, *at = start;
    if (at < end && is(*at, start_class)) {
        do {
            at++;
        } while (at < end && is(*at, class));
    }
    reader->at = at;
    return hf_slice_of(start, (size_t)(at - start));
}

/* To the end of the line, which is passed. A last line may lack it. */
static struct hf_slice take_rest(struct hf_expo_reader *reader)
{
    const uint8_t *start = reader->at;
    const uint8_t *end = memchr(start, '\n', (size_t)(reader->end - start));
    reader->at = end != NULL ? end + 1 : reader->end;
    return hf_slice_of(start, (size_t)((end != NULL ? end : reader->end) - start));
}

/* Without the backslashes. False: no memory. */
static bool unescape(struct hf_expo_reader *reader, struct hf_slice *text, bool quotes)
{
    if (text->size == 0 || memchr(text->data, '\\', text->size) == NULL) {
        return true;
    }
    uint8_t *out = hf_arena_take(reader->arena, text->size);
    if (out == NULL) {
        return false;
    }
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        uint8_t c = text->data[i];
        uint8_t next = i + 1 < text->size ? text->data[i + 1] : 0;
        if (c == '\\' && (next == '\\' || next == 'n' || (next == '"' && quotes))) {
            c = next == 'n' ? '\n' : next;
            i++;
        }
        out[size++] = c;
    }
    *text = hf_slice_of(out, size);
    return true;
}

/* A quoted text behind its first quote. */
static bool take_quoted(struct hf_expo_reader *reader, struct hf_slice *ret_text)
{
    const uint8_t *start = reader->at, *end = reader->end, *at = start;
    bool has_escapes = false;
    for (;;) {
        while (at < end && is(*at, PLAIN)) {
            at++;
        }
        if (at >= end || *at != '\\') {
            break;
        }
        has_escapes = true;
        at += at + 1 < end && at[1] != '\n' ? 2 : 1;
    }
    if (at >= end || *at != '"') {
        fail(reader, "a quoted text has no end");
        return false;
    }
    reader->at = at + 1;
    *ret_text = hf_slice_of(start, (size_t)(at - start));
    if (has_escapes && !unescape(reader, ret_text, true)) {
        hf_expo_bad(reader, "out of memory for the texts of a scrape");
        return false;
    }
    return true;
}

/* ---- labels ---- */

struct label_list {
    struct hf_prom_label *items;
    size_t count, max;
    struct hf_slice *name; /* of the metric, in the braces; NULL: none may stand there */
};

static bool add_label(struct hf_expo_reader *reader, struct label_list *list, struct hf_slice name,
                      struct hf_slice value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (hf_slice_equal(list->items[i].name, name)) {
            fail(reader, "a label stands twice in a series");
            return false;
        }
    }
    if (list->count == list->max) {
        fail(reader, "too many labels in a series");
        return false;
    }
    list->items[list->count++] = (struct hf_prom_label){name, value};
    return true;
}

/* name="value", or a quoted name of the metric alone. */
static bool take_label(struct hf_expo_reader *reader, struct label_list *list)
{
    struct hf_slice name, value;
    bool is_text = reader->format == HF_EXPO_TEXT;
    bool is_quoted = take_char(reader, '"');
    if (is_quoted && !take_quoted(reader, &name)) {
        return false;
    }
    if (!is_quoted) {
        name = take_word(reader, LABEL_START, LABEL);
    }
    if (is_text) {
        skip_blanks(reader);
    }
    bool is_last = reader->at < reader->end && (*reader->at == ',' || *reader->at == '}');
    if (is_quoted && is_last && list->name != NULL && list->name->size == 0) {
        *list->name = name;
        return true;
    }
    if (name.size == 0 || !take_char(reader, '=')) {
        fail(reader,
             name.size == 0 ? "expected a label's name" : "expected = behind a label's name");
        return false;
    }
    if (is_text) {
        skip_blanks(reader);
    }
    if (!take_char(reader, '"')) {
        fail(reader, "expected a label's value in quotes");
        return false;
    }
    return take_quoted(reader, &value) && add_label(reader, list, name, value);
}

/* Behind the opening brace, to behind the closing one. */
static bool take_labels(struct hf_expo_reader *reader, struct label_list *list)
{
    bool is_text = reader->format == HF_EXPO_TEXT;
    for (;;) {
        if (is_text) {
            skip_blanks(reader);
        }
        if (take_char(reader, '}')) {
            return true;
        }
        if (!take_label(reader, list)) {
            return false;
        }
        if (is_text) {
            skip_blanks(reader);
        }
        bool has_comma = take_char(reader, ',');
        if (!has_comma && !is_text && (reader->at >= reader->end || *reader->at != '}')) {
            fail(reader, "expected a comma or a closing brace");
            return false;
        }
    }
}

/* ---- values ---- */

static struct hf_slice take_token(struct hf_expo_reader *reader)
{
    const uint8_t *start = reader->at, *end = reader->end, *at = start;
    while (at < end && *at != '\n' && !is(*at, BLANK)) {
        at++;
    }
    reader->at = at;
    return hf_slice_of(start, (size_t)(at - start));
}

static bool take_number(struct hf_expo_reader *reader, double *ret_number)
{
    const uint8_t *start = reader->at;
    if (!hf_expo_number(take_token(reader), ret_number)) {
        reader->at = start;
        fail(reader, "expected a number");
        return false;
    }
    return true;
}

/* Seconds with a fraction in OpenMetrics, else whole milliseconds. */
static bool take_time(struct hf_expo_reader *reader, int64_t *ret_ms)
{
    double number;
    const uint8_t *start = reader->at;
    if (!take_number(reader, &number)) {
        return false;
    }
    number *= reader->format == HF_EXPO_OPENMETRICS ? 1000 : 1;
    bool is_whole = reader->format == HF_EXPO_OPENMETRICS || number == floor(number);
    if (!(fabs(number) <= TIME_MS_MAX) || !is_whole) {
        reader->at = start;
        fail(reader, "bad timestamp");
        return false;
    }
    *ret_ms = (int64_t)number;
    return true;
}

static bool is_at_line_end(const struct hf_expo_reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n';
}

/* Behind " # ". */
static bool take_exemplar(struct hf_expo_reader *reader)
{
    struct hf_expo_exemplar *exemplar = &reader->exemplars[0];
    struct label_list list = {.items = exemplar->labels, .max = HF_EXPO_EXEMPLAR_LABELS_MAX};
    if (!take_char(reader, '{')) {
        fail(reader, "expected an exemplar's labels");
        return false;
    }
    if (!take_labels(reader, &list)) {
        return false;
    }
    exemplar->label_count = list.count;
    exemplar->has_time = false;
    if (!skip_gap(reader) || !take_number(reader, &exemplar->value)) {
        fail(reader, "expected an exemplar's value");
        return false;
    }
    if (!is_at_line_end(reader)) {
        exemplar->has_time = true;
        if (!skip_gap(reader) || !take_time(reader, &exemplar->time_ms)) {
            return false;
        }
    }
    reader->exemplar_count = 1;
    return true;
}

/* What stands behind the series. */
static bool take_value(struct hf_expo_reader *reader)
{
    bool is_open = reader->format == HF_EXPO_OPENMETRICS;
    bool has_gap = skip_gap(reader);
    if ((is_open && !has_gap) || !take_number(reader, &reader->value)) {
        fail(reader, "expected a value behind the series");
        return false;
    }
    skip_gap(reader);
    if (!is_at_line_end(reader) && !(is_open && *reader->at == '#')) {
        if (!take_time(reader, &reader->time_ms)) {
            return false;
        }
        reader->has_time = true;
        skip_gap(reader);
    }
    if (is_open && take_char(reader, '#') && (!skip_gap(reader) || !take_exemplar(reader))) {
        return false;
    }
    bool has_blank = is_open && reader->at[-1] == ' ';
    if (!is_at_line_end(reader) || has_blank) {
        fail(reader, "expected the end of the line");
        return false;
    }
    reader->at += reader->at < reader->end;
    return true;
}

static enum hf_expo_item take_sample(struct hf_expo_reader *reader)
{
    struct label_list list = {.items = reader->labels.items,
                              .max = HF_PROM_LABELS_MAX - 64, /* the target's come to them */
                              .name = &reader->name};
    const uint8_t *start = reader->at;
    reader->name = take_word(reader, NAME_START, NAME);
    if (reader->name.size == 0 && (reader->at == reader->end || *reader->at != '{')) {
        return fail(reader, "expected a metric's name");
    }
    if (reader->format == HF_EXPO_TEXT) {
        skip_blanks(reader);
    }
    bool has_braces = take_char(reader, '{');
    if (has_braces && !take_labels(reader, &list)) {
        return HF_EXPO_BAD;
    }
    if (reader->name.size == 0) {
        reader->at = start;
        return fail(reader, "a series has no metric name");
    }
    reader->labels.count = list.count;
    if (!has_braces && reader->format == HF_EXPO_TEXT && !is(reader->at[-1], BLANK)) {
        return fail(reader, "expected a value behind the series");
    }
    return take_value(reader) ? HF_EXPO_IS_SAMPLE : HF_EXPO_BAD;
}

/* ---- comments ---- */

static bool take_keyword(struct hf_expo_reader *reader, const char *keyword)
{
    size_t size = strlen(keyword);
    size_t left = (size_t)(reader->end - reader->at);
    if (left <= size || memcmp(reader->at, keyword, size) != 0 || !is(reader->at[size], BLANK)) {
        return false;
    }
    reader->at += size;
    return true;
}

static bool take_family_name(struct hf_expo_reader *reader)
{
    skip_gap(reader);
    if (take_char(reader, '"')) {
        return take_quoted(reader, &reader->name);
    }
    reader->name = take_word(reader, NAME_START, NAME);
    if (reader->name.size == 0) {
        fail(reader, "expected a metric's name");
        return false;
    }
    return true;
}

static bool find_type(const struct hf_expo_reader *reader, struct hf_slice word,
                      enum hf_expo_type *ret_type)
{
    bool is_text = reader->format == HF_EXPO_TEXT;
    if (is_text && hf_slice_is(word, "untyped")) {
        *ret_type = HF_EXPO_UNKNOWN;
        return true;
    }
    for (int type = HF_EXPO_UNKNOWN; type <= HF_EXPO_STATESET; type++) {
        if (hf_slice_is(word, hf_expo_type_name((enum hf_expo_type)type))) {
            *ret_type = (enum hf_expo_type)type;
            return true;
        }
    }
    return false;
}

static enum hf_expo_item take_type(struct hf_expo_reader *reader)
{
    if (!take_family_name(reader)) {
        return HF_EXPO_BAD;
    }
    const uint8_t *start = reader->at;
    bool has_gap = skip_gap(reader);
    struct hf_slice word = take_rest(reader);
    while (reader->format == HF_EXPO_TEXT && word.size > 0 && is(word.data[word.size - 1], BLANK)) {
        word.size--;
    }
    if (!has_gap || !find_type(reader, word, &reader->type)) {
        reader->at = start;
        return fail(reader, "bad type of a metric");
    }
    return HF_EXPO_IS_TYPE;
}

/* HELP and UNIT: a text to the end of the line. */
static enum hf_expo_item take_text(struct hf_expo_reader *reader, bool is_unit)
{
    if (!take_family_name(reader)) {
        return HF_EXPO_BAD;
    }
    bool is_open = reader->format == HF_EXPO_OPENMETRICS;
    if (!skip_gap(reader) && (is_open || !is_at_line_end(reader))) {
        return fail(reader, "expected a text behind the metric's name");
    }
    reader->text = take_rest(reader);
    if (!unescape(reader, &reader->text, is_open)) {
        return hf_expo_bad(reader, "out of memory for the texts of a scrape");
    }
    struct hf_slice name = reader->name;
    struct hf_slice unit = reader->text;
    bool ends_so = name.size > unit.size && name.data[name.size - unit.size - 1] == '_' &&
                   memcmp(name.data + name.size - unit.size, unit.data, unit.size) == 0;
    if (is_unit && unit.size != 0 && !ends_so) {
        return hf_expo_bad(reader, "a metric's name does not end in its unit");
    }
    return is_unit ? HF_EXPO_IS_UNIT : HF_EXPO_IS_HELP;
}

/* Behind "#". */
static enum hf_expo_item take_open_comment(struct hf_expo_reader *reader)
{
    bool has_gap = take_char(reader, ' ');
    if (has_gap && take_keyword(reader, "HELP")) {
        return take_text(reader, false);
    }
    if (has_gap && take_keyword(reader, "TYPE")) {
        return take_type(reader);
    }
    if (has_gap && take_keyword(reader, "UNIT")) {
        return take_text(reader, true);
    }
    if (has_gap && hf_slice_is(take_rest(reader), "EOF")) {
        reader->has_ended = true;
        return reader->at == reader->end ? HF_EXPO_END
                                         : hf_expo_bad(reader, "there is data behind # EOF");
    }
    return fail(reader, "expected HELP, TYPE, UNIT or EOF behind #");
}

static enum hf_expo_item next_open(struct hf_expo_reader *reader)
{
    if (reader->has_ended) {
        return HF_EXPO_END;
    }
    if (reader->at == reader->end) {
        return hf_expo_bad(reader, "the exposition does not end with # EOF");
    }
    return take_char(reader, '#') ? take_open_comment(reader) : take_sample(reader);
}

static enum hf_expo_item next_text(struct hf_expo_reader *reader)
{
    while (reader->at < reader->end) {
        skip_blanks(reader);
        if (take_char(reader, '\n') || reader->at == reader->end) {
            continue;
        }
        if (!take_char(reader, '#')) {
            return take_sample(reader);
        }
        skip_blanks(reader);
        if (take_keyword(reader, "HELP")) {
            return take_text(reader, false);
        }
        if (take_keyword(reader, "TYPE")) {
            return take_type(reader);
        }
        take_rest(reader);
    }
    return HF_EXPO_END;
}

enum hf_expo_item hf_expo_next_line(struct hf_expo_reader *reader)
{
    return reader->format == HF_EXPO_OPENMETRICS ? next_open(reader) : next_text(reader);
}
