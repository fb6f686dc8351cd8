#include "sql_mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NESTING_MAX 4u /* of $func$ bodies */

struct scan {
    struct hf_slice text;
    size_t at;
    bool is_mysql, is_bare;
    size_t began; /* where the output does */
    unsigned nesting;
    struct hf_bytes *out;
    bool failed;
};

static uint8_t byte_at(const struct scan *scan, size_t more)
{
    return scan->at + more < scan->text.size ? scan->text.data[scan->at + more] : 0;
}

static bool is_letter(uint8_t byte)
{
    return byte == '_' || byte >= 0x80 || isalpha(byte);
}

static bool is_operator(uint8_t byte)
{
    return byte != 0 && strchr("+-*/=<>!&|^%~?@:#", byte) != NULL;
}

static bool is_of_name(uint8_t byte)
{
    return is_letter(byte) || isdigit(byte) || (byte != 0 && strchr("\".?$#/@!", byte) != NULL);
}

static void put(struct scan *scan, struct hf_slice text)
{
    scan->failed |= hf_bytes_append(scan->out, text) != HF_OK;
}

static void put_mark(struct scan *scan)
{
    put(scan, hf_slice_text("?"));
}

/* As it stands, up to the position. */
static void keep_to(struct scan *scan, size_t end)
{
    end = end < scan->text.size ? end : scan->text.size;
    put(scan, hf_slice_of(scan->text.data + scan->at, end - scan->at));
    scan->at = end;
}

/* Behind the next `word` from `from` on; the end of the text when there is none. */
static size_t behind(const struct scan *scan, size_t from, const char *word)
{
    const uint8_t *found =
        from < scan->text.size
            ? memmem(scan->text.data + from, scan->text.size - from, word, strlen(word))
            : NULL;
    return found != NULL ? (size_t)(found - scan->text.data) + strlen(word) : scan->text.size;
}

/* A blank, unless there is one already. */
static void put_blank(struct scan *scan)
{
    const struct hf_bytes *out = scan->out;
    if (out->size > scan->began && out->data[out->size - 1] != ' ') {
        put(scan, hf_slice_text(" "));
    }
}

static void take_comment(struct scan *scan, size_t end)
{
    if (scan->is_bare) {
        put_blank(scan);
        scan->at = end;
    } else {
        keep_to(scan, end);
    }
}

/* ---- values ---- */

static void take_string(struct scan *scan, uint8_t quote)
{
    for (scan->at++; scan->at < scan->text.size; scan->at++) {
        if (byte_at(scan, 0) == '\\') {
            scan->at++;
        } else if (byte_at(scan, 0) == quote) {
            scan->at++;
            break;
        }
    }
    scan->at = scan->at < scan->text.size ? scan->at : scan->text.size;
    put_mark(scan);
}

static void take_number(struct scan *scan)
{
    bool has_sign = byte_at(scan, 0) == '+' || byte_at(scan, 0) == '-';
    scan->at += has_sign;
    if (!has_sign && byte_at(scan, 0) == '0' && (byte_at(scan, 1) | 0x20) == 'x') {
        scan->at += 2;
        while (isxdigit(byte_at(scan, 0))) {
            scan->at++;
        }
    }
    while (isdigit(byte_at(scan, 0)) || byte_at(scan, 0) == '.' ||
           (byte_at(scan, 0) | 0x20) == 'e') {
        bool is_exponent = (byte_at(scan, 0) | 0x20) == 'e';
        scan->at++;
        if (is_exponent && (byte_at(scan, 0) == '+' || byte_at(scan, 0) == '-')) {
            scan->at++;
        }
    }
    put_mark(scan);
}

static void mask_all(struct scan *scan);

/* $1, $tag$ ... $tag$, $func$ ... $func$ whose body is a query itself. */
static void take_dollar(struct scan *scan)
{
    if (isdigit(byte_at(scan, 1))) {
        scan->at++;
        while (isdigit(byte_at(scan, 0))) {
            scan->at++;
        }
        put_mark(scan);
        return;
    }
    size_t start = scan->at, after_tag = behind(scan, scan->at + 1, "$");
    struct hf_slice tag = hf_slice_of(scan->text.data + start, after_tag - start);
    const uint8_t *end =
        memmem(scan->text.data + after_tag, scan->text.size - after_tag, tag.data, tag.size);
    if (end == NULL || after_tag == scan->text.size) {
        put_mark(scan); /* it does not end: all of it may be a text */
        scan->at = scan->text.size;
        return;
    }
    size_t body_size = (size_t)(end - scan->text.data) - after_tag;
    scan->at = after_tag + body_size + tag.size;
    if (!hf_slice_is(tag, "$func$") || scan->nesting == NESTING_MAX) {
        put_mark(scan);
        return;
    }
    struct scan body = *scan;
    body.text = hf_slice_of(scan->text.data + after_tag, body_size);
    body.at = 0;
    body.nesting++;
    put(scan, tag);
    mask_all(&body);
    put(scan, tag);
    scan->failed |= body.failed;
}

/* ---- names ---- */

/* Every run of digits becomes one mark. */
static void put_name(struct scan *scan, struct hf_slice name)
{
    for (size_t at = 0; at < name.size;) {
        size_t end = at;
        bool is_number = isdigit(name.data[at]);
        while (end < name.size && (isdigit(name.data[end]) != 0) == is_number) {
            end++;
        }
        put(scan, is_number ? hf_slice_text("?") : hf_slice_of(name.data + at, end - at));
        at = end;
    }
}

static bool is_word(struct hf_slice name, const char *word)
{
    return name.size == strlen(word) && strncasecmp((const char *)name.data, word, name.size) == 0;
}

static bool is_comment(const struct scan *scan)
{
    return (byte_at(scan, 0) == '/' && byte_at(scan, 1) == '*') ||
           (byte_at(scan, 0) == '#' && scan->is_mysql);
}

static void take_name(struct scan *scan)
{
    size_t start = scan->at;
    while (is_of_name(byte_at(scan, 0)) && !(scan->is_bare && is_comment(scan))) {
        scan->at++;
    }
    struct hf_slice name = hf_slice_of(scan->text.data + start, scan->at - start);
    if (is_word(name, "true") || is_word(name, "false") || is_word(name, "null")) {
        put_mark(scan);
    } else if (byte_at(scan, 0) == '(') {
        put(scan, name);
    } else {
        put_name(scan, name);
    }
}

static void take_quoted_name(struct scan *scan, uint8_t quote)
{
    size_t start = scan->at;
    for (scan->at++; scan->at < scan->text.size && byte_at(scan, 0) != quote; scan->at++) {
    }
    scan->at += scan->at < scan->text.size;
    put_name(scan, hf_slice_of(scan->text.data + start, scan->at - start));
}

/* ---- all ---- */

static void take_operator(struct scan *scan)
{
    uint8_t last = byte_at(scan, 0);
    size_t end = scan->at + 1;
    while (end < scan->text.size && is_operator(scan->text.data[end]) &&
           !(last == '=' && (scan->text.data[end] == '?' || scan->text.data[end] == '@'))) {
        last = scan->text.data[end++];
    }
    keep_to(scan, end);
}

static void take_one(struct scan *scan)
{
    uint8_t byte = byte_at(scan, 0), next = byte_at(scan, 1);
    bool is_sign = byte == '+' || byte == '-';
    if (byte == '\'' || (byte == '"' && scan->is_mysql)) {
        take_string(scan, byte);
    } else if (byte == '"' || (byte == '`' && scan->is_mysql)) {
        take_quoted_name(scan, byte);
    } else if (is_letter(byte)) {
        take_name(scan);
    } else if ((byte == '-' && next == '-') || (byte == '#' && scan->is_mysql)) {
        const uint8_t *end = memchr(scan->text.data + scan->at, '\n', scan->text.size - scan->at);
        take_comment(scan, end != NULL ? (size_t)(end - scan->text.data) : scan->text.size);
    } else if (byte == '/' && next == '*') {
        take_comment(scan, behind(scan, scan->at + 2, "*/"));
    } else if (isdigit(byte) || (is_sign && (isdigit(next) || next == '.'))) {
        take_number(scan);
    } else if (byte == '$') {
        take_dollar(scan);
    } else if (byte == '@' && (is_letter(next) || isdigit(next) || next == '@')) {
        size_t end = scan->at + 2;
        while (end < scan->text.size &&
               (is_letter(scan->text.data[end]) || isdigit(scan->text.data[end]))) {
            end++;
        }
        keep_to(scan, end);
    } else if (is_operator(byte) && byte != '*') {
        take_operator(scan);
    } else if (scan->is_bare && isspace(byte)) {
        put_blank(scan);
        scan->at++;
    } else {
        keep_to(scan, scan->at + 1);
    }
}

static void mask_all(struct scan *scan)
{
    while (isspace(byte_at(scan, 0))) {
        scan->at++;
    }
    while (scan->text.size > scan->at && isspace(scan->text.data[scan->text.size - 1])) {
        scan->text.size--;
    }
    while (scan->at < scan->text.size) {
        take_one(scan);
    }
}

enum hf_status hf_sql_mask(struct hf_slice query, unsigned flags, struct hf_bytes *out)
{
    struct scan scan = {.text = query,
                        .is_mysql = (flags & HF_SQL_MYSQL) != 0,
                        .is_bare = (flags & HF_SQL_BARE) != 0,
                        .began = out->size,
                        .out = out};
    mask_all(&scan);
    if (scan.is_bare && out->size > scan.began && out->data[out->size - 1] == ' ') {
        out->size--;
    }
    return scan.failed ? HF_NOMEM : HF_OK;
}

void hf_sql_attribute(struct hf_builder *builder, struct hf_slice query, unsigned flags,
                      struct hf_bytes *scratch)
{
    scratch->size = 0;
    if (hf_sql_mask(query, flags, scratch) != HF_OK) {
        scratch->size = 0; /* rather nothing than a value */
    }
    hf_build_attribute_string(builder, hf_slice_text("db.query.text"),
                              hf_slice_of(scratch->data, scratch->size));
}
