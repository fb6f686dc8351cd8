#include "re2_gate.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "regex.h"

#define REPEAT_MAX 1000
#define DEPTH_MAX 250u /* groups within each other */

struct gate {
    struct hf_slice pattern;
    size_t at;
    struct hf_bytes *out;
    bool failed;
    bool has_atom;   /* something stands before that can be repeated */
    bool was_repeat; /* and is a repeat already */
    unsigned depth;
    /* The largest product of repeats within each open group, and of what stands before. */
    int products[DEPTH_MAX + 1];
    int last_product;
    char *reterr;
};

static bool refuse(struct gate *gate, const char *why)
{
    snprintf(gate->reterr, HF_REGEX_ERROR_MAX, "%s at character %zu", why, gate->at + 1);
    return false;
}

static int peek(const struct gate *gate, size_t ahead)
{
    return gate->at + ahead < gate->pattern.size ? gate->pattern.data[gate->at + ahead] : -1;
}

static void put(struct gate *gate, const char *text)
{
    gate->failed |= hf_bytes_append(gate->out, hf_slice_text(text)) != HF_OK;
}

/* Copies so many characters of the pattern. */
static void copy(struct gate *gate, size_t size)
{
    gate->failed |=
        hf_bytes_append(gate->out, hf_slice_of(gate->pattern.data + gate->at, size)) != HF_OK;
    gate->at += size;
}

static void note_atom(struct gate *gate, int product)
{
    gate->has_atom = true;
    gate->was_repeat = false;
    gate->last_product = product;
    if (product > gate->products[gate->depth]) {
        gate->products[gate->depth] = product;
    }
}

/* ---- escapes ---- */

/* {Greek}, or one letter. */
static bool take_property(struct gate *gate)
{
    size_t size = 3;
    if (peek(gate, 2) == '{') {
        while (peek(gate, size) != '}') {
            if (peek(gate, size) < 0) {
                return refuse(gate, "invalid character class range");
            }
            size++;
        }
        size++;
    } else if (!isalpha(peek(gate, 2))) {
        return refuse(gate, "invalid character class range");
    }
    copy(gate, size);
    return true;
}

/* \x7f or \x{10ffff}. */
static bool take_code(struct gate *gate)
{
    size_t size = 2;
    long value = 0;
    if (peek(gate, 2) != '{') {
        if (!isxdigit(peek(gate, 2)) || !isxdigit(peek(gate, 3))) {
            return refuse(gate, "invalid escape sequence");
        }
        copy(gate, 4);
        return true;
    }
    for (size++; isxdigit(peek(gate, size)); size++) {
        int digit = peek(gate, size);
        value = value * 16 + (isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10);
        if (value > 0x10ffff) {
            return refuse(gate, "invalid escape sequence");
        }
    }
    if (size == 3 || peek(gate, size) != '}') {
        return refuse(gate, "invalid escape sequence");
    }
    copy(gate, size + 1);
    return true;
}

/* Up to three octal digits: \0, \12, \377; \1 to \9 alone would be back-references. */
static bool take_octal(struct gate *gate)
{
    char room[24];
    int value = 0;
    size_t size = 1;
    bool is_alone = peek(gate, 1) != '0' && !(peek(gate, 2) >= '0' && peek(gate, 2) <= '7');
    if (is_alone || peek(gate, 1) > '7') {
        return refuse(gate, "invalid escape sequence");
    }
    while (size < 4 && peek(gate, size) >= '0' && peek(gate, size) <= '7') {
        value = value * 8 + (peek(gate, size) - '0');
        size++;
    }
    gate->at += size;
    snprintf(room, sizeof(room), "\\x{%x}", (unsigned)value);
    put(gate, room);
    return true;
}

/* What an escape means to RE2, in the words of PCRE2. `in_class`: within brackets. */
static bool take_escape(struct gate *gate, bool in_class)
{
    int byte = peek(gate, 1);
    if (byte == 's') {
        put(gate, in_class ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
    } else if (byte == 'S' && !in_class) {
        put(gate, "[^\\t\\n\\f\\r ]");
    } else if (byte == 'S') {
        /* Everything but those five: as ranges, for a class within a class is none. */
        put(gate, "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}");
    } else if (byte == 'D' || byte == 'W') {
        /* PCRE2's own leave out what is beyond Latin-1 when a text may be malformed. */
        static const char *const meant[2][2] = {
            {"[^0-9]", "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}"},
            {"[^0-9A-Za-z_]", "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}"
                              "\\x{7b}-\\x{10ffff}"}};
        put(gate, meant[byte == 'W'][in_class]);
    } else if (byte == 'v') {
        put(gate, "\\x{b}");
    } else if (byte == 'p' || byte == 'P') {
        return take_property(gate);
    } else if (byte == 'x') {
        return take_code(gate);
    } else if (isdigit(byte)) {
        return take_octal(gate);
    } else if (byte > 0 && byte < 0x80 && strchr("dwaftnr", byte) != NULL) {
        copy(gate, 2);
        return true;
    } else if (byte > 0 && byte < 0x80 && ispunct(byte)) {
        copy(gate, 2);
        return true;
    } else {
        return refuse(gate, byte < 0 ? "trailing backslash at end of expression"
                                     : "invalid escape sequence");
    }
    gate->at += 2;
    return true;
}

/* \Q...\E, or \Q to the end. */
static void take_quoted(struct gate *gate)
{
    gate->at += 2;
    while (gate->at < gate->pattern.size && !(peek(gate, 0) == '\\' && peek(gate, 1) == 'E')) {
        int byte = peek(gate, 0);
        put(gate, byte < 0x80 && ispunct(byte) ? "\\" : "");
        copy(gate, 1);
        while ((peek(gate, 0) & 0xc0) == 0x80 && peek(gate, 0) >= 0) {
            copy(gate, 1);
        }
        note_atom(gate, 1);
    }
    gate->at += gate->at < gate->pattern.size ? 2 : 0;
}

/* ---- classes ---- */

static bool is_class_escape(int byte)
{
    return byte > 0 && byte < 0x80 && strchr("dDwWsSpP", byte) != NULL;
}

/* [:alpha:], which stands in a class. False: it is none, and nothing was taken. */
static bool take_named_class(struct gate *gate)
{
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    size_t start = peek(gate, 2) == '^' ? 3 : 2;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i]);
        if (gate->at + start + size + 2 <= gate->pattern.size &&
            memcmp(gate->pattern.data + gate->at + start, names[i], size) == 0 &&
            peek(gate, start + size) == ':' && peek(gate, start + size + 1) == ']') {
            copy(gate, start + size + 2);
            return true;
        }
    }
    return false;
}

/* One character of a class, whole. */
static bool take_member(struct gate *gate)
{
    int byte = peek(gate, 0);
    if (byte < 0) {
        return refuse(gate, "missing closing ]");
    }
    if (byte == '\\') {
        return take_escape(gate, true);
    }
    put(gate, byte == '[' || byte == '&' || byte == '~' ? "\\" : "");
    copy(gate, 1);
    while (peek(gate, 0) >= 0 && (peek(gate, 0) & 0xc0) == 0x80) {
        copy(gate, 1);
    }
    return true;
}

static bool take_class(struct gate *gate)
{
    bool is_first = true;
    copy(gate, 1);
    if (peek(gate, 0) == '^') {
        copy(gate, 1);
    }
    while (is_first || peek(gate, 0) != ']') {
        if (peek(gate, 0) == '[' && peek(gate, 1) == ':') {
            if (take_named_class(gate)) {
                is_first = false;
                continue;
            }
            return refuse(gate, "invalid character class range");
        }
        /* A hyphen stands first, last or between two. */
        if (peek(gate, 0) == '-' && !is_first && peek(gate, 1) != ']') {
            return refuse(gate, "invalid character class range");
        }
        bool is_set = peek(gate, 0) == '\\' && is_class_escape(peek(gate, 1));
        if (peek(gate, 0) == '-') {
            put(gate, "\\");
        }
        if (is_first && peek(gate, 0) == ']') {
            put(gate, "\\");
        }
        if (!take_member(gate)) {
            return false;
        }
        is_first = false;
        if (!is_set && peek(gate, 0) == '-' && peek(gate, 1) != ']' && peek(gate, 1) >= 0) {
            copy(gate, 1);
            if (peek(gate, 0) == '\\' && is_class_escape(peek(gate, 1))) {
                return refuse(gate, "invalid character class range");
            }
            if (!take_member(gate)) {
                return false;
            }
        }
    }
    copy(gate, 1);
    return true;
}

/* ---- groups ---- */

/* i, m, s and U, some of them behind a minus; then the end or a colon. */
static bool take_flags(struct gate *gate)
{
    size_t size = 2;
    bool is_negative = false;
    bool has_flag = false;
    for (;; size++) {
        int byte = peek(gate, size);
        if (byte == 'i' || byte == 'm' || byte == 's' || byte == 'U') {
            has_flag = true;
        } else if (byte == '-' && !is_negative) {
            is_negative = true;
            has_flag = false;
        } else if ((byte == ':' || byte == ')') && !(is_negative && !has_flag)) {
            break;
        } else {
            return refuse(gate, "invalid or unsupported Perl syntax");
        }
    }
    bool opens = peek(gate, size) == ':';
    copy(gate, size + 1);
    gate->has_atom = opens ? false : gate->has_atom;
    gate->was_repeat = opens ? false : gate->was_repeat;
    if (opens) {
        if (gate->depth == DEPTH_MAX) {
            return refuse(gate, "expression nests too deeply");
        }
        gate->products[++gate->depth] = 1;
    } else {
        gate->has_atom = false;
    }
    return true;
}

/* (?P<name> or (?<name>. */
static bool take_group_name(struct gate *gate)
{
    size_t start = peek(gate, 2) == 'P' ? 4 : 3;
    size_t size = start;
    while (peek(gate, size) == '_' || (peek(gate, size) < 0x80 && isalnum(peek(gate, size)))) {
        size++;
    }
    if (size == start || peek(gate, size) != '>') {
        return refuse(gate, "invalid named capture");
    }
    copy(gate, size + 1);
    return true;
}

static bool take_open(struct gate *gate)
{
    if (peek(gate, 1) == '?') {
        bool is_named = peek(gate, 2) == 'P'
                            ? peek(gate, 3) == '<'
                            : peek(gate, 2) == '<' && peek(gate, 3) != '=' && peek(gate, 3) != '!';
        if (!is_named) {
            return take_flags(gate);
        }
        if (!take_group_name(gate)) {
            return false;
        }
    } else {
        copy(gate, 1);
    }
    if (gate->depth == DEPTH_MAX) {
        return refuse(gate, "expression nests too deeply");
    }
    gate->products[++gate->depth] = 1;
    gate->has_atom = false;
    gate->was_repeat = false;
    return true;
}

static bool take_close(struct gate *gate)
{
    if (gate->depth == 0) {
        return refuse(gate, "unexpected )");
    }
    int product = gate->products[gate->depth--];
    copy(gate, 1);
    note_atom(gate, product);
    return true;
}

/* ---- repeats ---- */

/* {n}, {n,} or {n,m}: how long; 0: it is none, and the brace is itself. */
static size_t repeat_at(const struct gate *gate, int *ret_least, int *ret_most)
{
    size_t size = 1;
    int numbers[2] = {-1, -1};
    for (size_t i = 0; i < 2; i++) {
        while (peek(gate, size) >= 0 && peek(gate, size) < 0x80 && isdigit(peek(gate, size))) {
            int value = numbers[i] < 0 ? 0 : numbers[i];
            numbers[i] = value > REPEAT_MAX ? value : value * 10 + (peek(gate, size) - '0');
            size++;
        }
        if (i == 0 && (numbers[0] < 0 || peek(gate, size) != ',')) {
            numbers[1] = numbers[0];
            break;
        }
        size += i == 0;
    }
    *ret_least = numbers[0];
    *ret_most = numbers[1];
    return numbers[0] >= 0 && peek(gate, size) == '}' ? size + 1 : 0;
}

static bool take_repeat(struct gate *gate, size_t size, int times)
{
    if (!gate->has_atom) {
        return refuse(gate, "missing argument to repetition operator");
    }
    if (gate->was_repeat) {
        return refuse(gate, "invalid nested repetition operator");
    }
    int product = gate->last_product * (times > 0 ? times : 1);
    if (times > REPEAT_MAX || product > REPEAT_MAX) {
        return refuse(gate, "invalid repeat count");
    }
    copy(gate, size);
    if (peek(gate, 0) == '?') {
        copy(gate, 1);
    }
    if (product > gate->products[gate->depth]) {
        gate->products[gate->depth] = product;
    }
    gate->was_repeat = true;
    return true;
}

static bool take_brace(struct gate *gate)
{
    int least, most;
    size_t size = repeat_at(gate, &least, &most);
    if (size == 0) {
        put(gate, "\\");
        copy(gate, 1);
        note_atom(gate, 1);
        return true;
    }
    if (most >= 0 && least > most) {
        return refuse(gate, "invalid repeat count");
    }
    return take_repeat(gate, size, most >= 0 ? most : least);
}

/* ---- the whole ---- */

/* A place that is asked for: it can be repeated in RE2, in PCRE2 only within a group. */
static void take_assertion(struct gate *gate, size_t size)
{
    int least, most, next = peek(gate, size);
    gate->at += size;
    bool is_repeated = next == '*' || next == '+' || next == '?' ||
                       (next == '{' && repeat_at(gate, &least, &most) > 0);
    gate->at -= size;
    put(gate, is_repeated ? "(?:" : "");
    copy(gate, size);
    put(gate, is_repeated ? ")" : "");
    note_atom(gate, 1);
}

static bool take_one(struct gate *gate)
{
    int byte = peek(gate, 0);
    switch (byte) {
    case '(':
        return take_open(gate);
    case ')':
        return take_close(gate);
    case '|':
        gate->has_atom = false;
        copy(gate, 1);
        return true;
    case '*':
    case '+':
    case '?':
        return take_repeat(gate, 1, 0);
    case '{':
        return take_brace(gate);
    case '[':
        if (!take_class(gate)) {
            return false;
        }
        note_atom(gate, 1);
        return true;
    case '\\':
        if (peek(gate, 1) == 'Q') {
            take_quoted(gate);
            return true;
        }
        if (peek(gate, 1) > 0 && strchr("AbBz", peek(gate, 1)) != NULL) {
            take_assertion(gate, 2);
            return true;
        }
        if (!take_escape(gate, false)) {
            return false;
        }
        note_atom(gate, 1);
        return true;
    case '^':
    case '$':
        take_assertion(gate, 1);
        return true;
    default:
        copy(gate, 1);
        while (byte >= 0xc0 && peek(gate, 0) >= 0 && (peek(gate, 0) & 0xc0) == 0x80) {
            copy(gate, 1);
        }
        note_atom(gate, 1);
        return true;
    }
}

enum hf_status hf_re2_translate(struct hf_slice pattern, struct hf_bytes *out, char *reterr)
{
    struct gate gate = {.pattern = pattern, .out = out, .reterr = reterr};
    gate.products[0] = 1;
    gate.last_product = 1;
    while (gate.at < pattern.size && !gate.failed) {
        if (!take_one(&gate)) {
            return HF_INVALID;
        }
    }
    if (!gate.failed && gate.depth > 0) {
        refuse(&gate, "missing closing )");
        return HF_INVALID;
    }
    return gate.failed ? HF_NOMEM : HF_OK;
}
