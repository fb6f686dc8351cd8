/* One value by one verb of Go's fmt. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format_internal.h"
#include "util/rune.h"

void hf_format_put(struct hf_format_out *out, struct hf_slice text)
{
    if (out->status == HF_OK && text.size > HF_FORMAT_MAX_BYTES - out->bytes->size) {
        out->status = HF_FULL;
    }
    if (out->status == HF_OK) {
        out->status = hf_bytes_append(out->bytes, text);
    }
}

void hf_format_put_rune(struct hf_format_out *out, uint32_t code)
{
    uint8_t room[HF_RUNE_MAX];
    hf_format_put(out, hf_slice_of(room, hf_rune_put(code, room)));
}

/* ---- padding ---- */

static size_t count_runes(struct hf_slice text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; count++) {
        at += hf_rune_at(text, at).size;
    }
    return count;
}

static void put_many(struct hf_format_out *out, char byte, size_t count)
{
    char room[64];
    memset(room, byte, sizeof(room));
    while (count > 0 && out->status == HF_OK) {
        size_t size = count < sizeof(room) ? count : sizeof(room);
        hf_format_put(out, hf_slice_of(room, size));
        count -= size;
    }
}

static void put_padded(struct hf_format_out *out, const struct hf_format_spec *spec,
                       struct hf_slice text)
{
    size_t runes = spec->has_width ? count_runes(text) : 0;
    size_t more = spec->has_width && spec->width > runes ? spec->width - runes : 0;
    if (!spec->minus) {
        put_many(out, spec->zero ? '0' : ' ', more);
    }
    hf_format_put(out, text);
    if (spec->minus) {
        put_many(out, ' ', more);
    }
}

static struct hf_format_spec without_zero(const struct hf_format_spec *spec)
{
    struct hf_format_spec plain = *spec;
    plain.zero = false;
    return plain;
}

/* ---- integers ---- */

#define DIGITS_MAX 64u

struct integer {
    uint64_t size; /* without its sign */
    bool is_negative;
    unsigned base;
    bool is_upper;
};

static size_t digits_of(const struct integer *integer, char digits[DIGITS_MAX])
{
    const char *all = integer->is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char back[DIGITS_MAX];
    size_t count = 0;
    uint64_t left = integer->size;
    do {
        back[count++] = all[left % integer->base];
        left /= integer->base;
    } while (left > 0);
    for (size_t i = 0; i < count; i++) {
        digits[i] = back[count - 1 - i];
    }
    return count;
}

static const char *prefix_of(const struct hf_format_spec *spec, const struct integer *integer,
                             bool begins_with_zero)
{
    if (spec->verb == 'O') {
        return "0o";
    }
    if (!spec->sharp) {
        return "";
    }
    return integer->base == 2    ? "0b"
           : integer->base == 16 ? (integer->is_upper ? "0X" : "0x")
           : integer->base == 8  ? (begins_with_zero ? "" : "0")
                                 : "";
}

static void put_integer(struct hf_format_out *out, const struct hf_format_spec *spec,
                        const struct integer *integer)
{
    struct hf_format_spec plain = without_zero(spec);
    char digits[DIGITS_MAX];
    size_t count = digits_of(integer, digits), least = 0;
    const char *sign = integer->is_negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    if (spec->has_precision) {
        least = spec->precision;
        if (least == 0 && integer->size == 0) {
            put_padded(out, &plain, HF_EMPTY_SLICE);
            return;
        }
    } else if (spec->zero && !spec->minus && spec->has_width) {
        size_t signs = strlen(sign);
        least = spec->width > signs ? spec->width - signs : 0;
    }
    size_t zeros = least > count ? least - count : 0;
    const char *prefix = prefix_of(spec, integer, zeros > 0 || digits[0] == '0');
    size_t size = strlen(sign) + strlen(prefix) + zeros + count;
    size_t more = spec->has_width && spec->width > size ? spec->width - size : 0;
    put_many(out, ' ', spec->minus ? 0 : more);
    hf_format_put(out, hf_slice_text(sign));
    hf_format_put(out, hf_slice_text(prefix));
    put_many(out, '0', zeros);
    hf_format_put(out, hf_slice_of(digits, count));
    put_many(out, ' ', spec->minus ? more : 0);
}

static bool is_printable(uint32_t code)
{
    return code >= 0x20 && code != 0x7f && !(code >= 0x80 && code < 0xa0) && code != 0xad &&
           code != 0xfeff && code != 0x2028 && code != 0x2029;
}

/* ---- quoted texts ---- */

static void put_escape(struct hf_bytes *into, bool *failed, uint32_t code, uint8_t quote)
{
    static const char letters[] = "\a\b\f\n\r\t\v";
    static const char names[] = "abfnrtv";
    char text[16] = "";
    uint8_t room[HF_RUNE_MAX];
    const char *found = code != 0 && code < 0x20 ? strchr(letters, (int)code) : NULL;
    struct hf_slice part = hf_slice_of(text, 0);
    if (code == quote || code == '\\') {
        part.size = (size_t)snprintf(text, sizeof(text), "\\%c", (int)code);
    } else if (is_printable(code)) {
        part = hf_slice_of(room, hf_rune_put(code, room));
    } else if (found != NULL) {
        part.size = (size_t)snprintf(text, sizeof(text), "\\%c", names[found - letters]);
    } else {
        const char *form = code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
        part.size = (size_t)snprintf(text, sizeof(text), form, (unsigned)code);
    }
    *failed |= hf_bytes_append(into, part) != HF_OK;
}

static void put_quoted(struct hf_format_out *out, const struct hf_format_spec *spec,
                       struct hf_slice text)
{
    struct hf_bytes made = {0};
    bool failed = false;
    bool is_raw = spec->sharp && (text.size == 0 || memchr(text.data, '`', text.size) == NULL);
    for (size_t i = 0; is_raw && i < text.size; i++) {
        is_raw = text.data[i] == '\t' || (text.data[i] >= ' ' && text.data[i] != 0x7f);
    }
    const char *quote = is_raw ? "`" : "\"";
    failed |= hf_bytes_append(&made, hf_slice_text(quote)) != HF_OK;
    for (size_t at = 0; at < text.size;) {
        struct hf_rune rune = hf_rune_at(text, at);
        char byte[8];
        if (is_raw) {
            failed |= hf_bytes_append(&made, hf_slice_of(text.data + at, rune.size)) != HF_OK;
        } else if (rune.code == HF_RUNE_BAD && rune.size == 1) {
            int size = snprintf(byte, sizeof(byte), "\\x%02x", text.data[at]);
            failed |= hf_bytes_append(&made, hf_slice_of(byte, (size_t)size)) != HF_OK;
        } else {
            put_escape(&made, &failed, rune.code, '"');
        }
        at += rune.size;
    }
    failed |= hf_bytes_append(&made, hf_slice_text(quote)) != HF_OK;
    if (failed) {
        out->status = HF_NOMEM;
    } else {
        put_padded(out, spec, hf_slice_of(made.data, made.size));
    }
    hf_bytes_release(&made);
}

static void put_hex(struct hf_format_out *out, const struct hf_format_spec *spec,
                    struct hf_slice bytes)
{
    size_t count =
        spec->has_precision && spec->precision < bytes.size ? spec->precision : bytes.size;
    size_t each = 2u + (spec->space ? 1u : 0u) + (spec->space && spec->sharp ? 2u : 0u);
    size_t size = count == 0 ? 0 : count * each - (spec->space ? 1u : 0u);
    size += count > 0 && spec->sharp && !spec->space ? 2u : 0u;
    size_t more = spec->has_width && spec->width > size ? spec->width - size : 0;
    const char *prefix = spec->verb == 'X' ? "0X" : "0x";
    put_many(out, spec->zero ? '0' : ' ', spec->minus ? 0 : more);
    for (size_t i = 0; i < count && out->status == HF_OK; i++) {
        char text[3];
        snprintf(text, sizeof(text), spec->verb == 'X' ? "%02X" : "%02x", bytes.data[i]);
        if (spec->space && i > 0) {
            hf_format_put(out, hf_slice_text(" "));
        }
        if (spec->sharp && (i == 0 || spec->space)) {
            hf_format_put(out, hf_slice_text(prefix));
        }
        hf_format_put(out, hf_slice_of(text, 2));
    }
    put_many(out, ' ', spec->minus ? more : 0);
}

static struct hf_slice cut(const struct hf_format_spec *spec, struct hf_slice text)
{
    size_t at = 0;
    for (size_t i = 0; spec->has_precision && i < spec->precision && at < text.size; i++) {
        at += hf_rune_at(text, at).size;
    }
    return spec->has_precision ? hf_slice_of(text.data, at) : text;
}

/* False: texts have no such verb. */
static bool put_string(struct hf_format_out *out, const struct hf_format_spec *spec,
                       struct hf_slice text)
{
    switch (spec->verb) {
    case 'v':
        if (spec->sharp) {
            struct hf_format_spec plain = *spec;
            plain.sharp = false;
            put_quoted(out, &plain, text);
            return true;
        }
        put_padded(out, spec, cut(spec, text));
        return true;
    case 's':
        put_padded(out, spec, cut(spec, text));
        return true;
    case 'q':
        put_quoted(out, spec, cut(spec, text));
        return true;
    case 'x':
    case 'X':
        put_hex(out, spec, text);
        return true;
    default:
        return false;
    }
}

/* ---- integers by their verb ---- */

static void put_character(struct hf_format_out *out, const struct hf_format_spec *spec,
                          int64_t integer, bool is_quoted)
{
    uint32_t code = integer < 0 || integer > 0x10ffff ? HF_RUNE_BAD : (uint32_t)integer;
    struct hf_bytes made = {0};
    uint8_t room[HF_RUNE_MAX];
    bool failed = false;
    if (!is_quoted) {
        put_padded(out, spec, hf_slice_of(room, hf_rune_put(code, room)));
        return;
    }
    failed |= hf_bytes_append(&made, hf_slice_text("'")) != HF_OK;
    put_escape(&made, &failed, code, '\'');
    failed |= hf_bytes_append(&made, hf_slice_text("'")) != HF_OK;
    if (failed) {
        out->status = HF_NOMEM;
    } else {
        put_padded(out, spec, hf_slice_of(made.data, made.size));
    }
    hf_bytes_release(&made);
}

static void put_code_point(struct hf_format_out *out, const struct hf_format_spec *spec,
                           int64_t integer)
{
    struct hf_format_spec plain = without_zero(spec);
    char text[64];
    uint8_t room[HF_RUNE_MAX];
    int least = spec->has_precision && spec->precision > 4 && spec->precision < 20
                    ? (int)spec->precision
                    : 4;
    int size = snprintf(text, sizeof(text), "U+%0*" PRIX64, least, (uint64_t)integer);
    if (spec->sharp && integer >= 0 && integer <= 0x10ffff && is_printable((uint32_t)integer)) {
        size_t bytes = hf_rune_put((uint32_t)integer, room);
        size += snprintf(text + size, sizeof(text) - (size_t)size, " '%.*s'", (int)bytes, room);
    }
    put_padded(out, &plain, hf_slice_of(text, (size_t)size));
}

static bool put_int(struct hf_format_out *out, const struct hf_format_spec *spec, int64_t value)
{
    struct integer integer = {.size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
                              .is_negative = value < 0,
                              .base = 10,
                              .is_upper = spec->verb == 'X'};
    struct hf_format_spec plain = *spec;
    switch (spec->verb) {
    case 'v':
        plain.plus = plain.sharp = false;
        put_integer(out, &plain, &integer);
        return true;
    case 'd':
        break;
    case 'b':
        integer.base = 2;
        break;
    case 'o':
    case 'O':
        integer.base = 8;
        break;
    case 'x':
    case 'X':
        integer.base = 16;
        break;
    case 'c':
    case 'q':
        put_character(out, spec, value, spec->verb == 'q');
        return true;
    case 'U':
        put_code_point(out, spec, value);
        return true;
    default:
        return false;
    }
    put_integer(out, spec, &integer);
    return true;
}

/* ---- numbers with a fraction ---- */

#define REAL_MAX 1500u /* characters, with a precision of 1000 */
#define PRECISION_MAX 1000u
#define GENERAL_EXPONENT_MAX 6 /* from there on %g is written with an exponent */

/* The fewest digits that are read as the same number, as %e. */
static int shortest(double real, char *room, size_t size, int *ret_digits)
{
    int written = 0;
    for (int digits = 0; digits <= 17; digits++) {
        written = snprintf(room, size, "%.*e", digits, real);
        *ret_digits = digits + 1;
        if (strtod(room, NULL) == real) {
            break;
        }
    }
    return written;
}

static int print_general(double real, bool is_upper, char *room, size_t size)
{
    int digits = 0;
    int written = shortest(real, room, size, &digits);
    const char *found = strchr(room, 'e');
    int exponent = found != NULL ? (int)strtol(found + 1, NULL, 10) : 0;
    if (exponent >= -4 && exponent < GENERAL_EXPONENT_MAX) {
        int fraction = digits - 1 - exponent;
        written = snprintf(room, size, "%.*f", fraction > 0 ? fraction : 0, real);
    }
    for (char *at = room; is_upper && *at != '\0'; at++) {
        *at = *at == 'e' ? 'E' : *at;
    }
    return written;
}

/* 0x1.8p+00: two digits of the exponent at least. */
static int print_hex(double real, const struct hf_format_spec *spec, char *room, size_t size)
{
    int written = spec->has_precision ? snprintf(room, size, "%.*a", (int)spec->precision, real)
                                      : snprintf(room, size, "%a", real);
    char *found = strchr(room, 'p');
    if (found != NULL && strlen(found) == 3) {
        found[3] = found[2];
        found[2] = '0';
        found[4] = '\0';
        written++;
    }
    for (char *at = room; spec->verb == 'X' && *at != '\0'; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    return written;
}

static int print_binary(double real, char *room, size_t size)
{
    int exponent = 0;
    double mantissa = frexp(real, &exponent);
    return snprintf(room, size, "%.0fp%+d", ldexp(mantissa, 53), real == 0 ? -1074 : exponent - 53);
}

/* With its sign. 0: numbers have no such verb. */
static int print_real(double real, const struct hf_format_spec *spec, char *room, size_t size)
{
    int precision = spec->has_precision ? (int)spec->precision : 6;
    const char *alternate = spec->sharp ? "#" : "";
    char form[8];
    switch (spec->verb) {
    case 'v':
        return print_general(real, false, room, size);
    case 'g':
    case 'G':
        if (!spec->has_precision && !spec->sharp) {
            return print_general(real, spec->verb == 'G', room, size);
        }
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
        break;
    case 'x':
    case 'X':
        return print_hex(real, spec, room, size);
    case 'b':
        return print_binary(real, room, size);
    default:
        return 0;
    }
    snprintf(form, sizeof(form), "%%%s.*%c", alternate, spec->verb == 'F' ? 'f' : (int)spec->verb);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return snprintf(room, size, form, precision, real);
#pragma GCC diagnostic pop
}

static bool put_real(struct hf_format_out *out, const struct hf_format_spec *spec, double real)
{
    struct hf_format_spec plain = without_zero(spec);
    char room[REAL_MAX];
    bool is_odd = !isfinite(real);
    bool shows_sign = spec->plus && spec->verb != 'v';
    if (spec->has_precision && spec->precision > PRECISION_MAX) {
        plain.precision = PRECISION_MAX;
    }
    int size = print_real(is_odd ? 0 : real, &plain, room, sizeof(room));
    if (size == 0) {
        return false;
    }
    if (is_odd) {
        const char *sign = isnan(real)                  ? (shows_sign    ? "+"
                                                           : spec->space ? " "
                                                                         : "")
                           : real < 0                   ? "-"
                           : spec->space && !shows_sign ? " "
                                                        : "+";
        size = snprintf(room, sizeof(room), "%s%s", sign, isnan(real) ? "NaN" : "Inf");
        put_padded(out, &plain, hf_slice_of(room, (size_t)size));
        return true;
    }
    const char *sign = room[0] == '-' ? "-" : shows_sign ? "+" : spec->space ? " " : "";
    struct hf_slice digits = hf_slice_of(room, (size_t)size);
    if (room[0] == '-') {
        digits = hf_slice_of(room + 1, (size_t)size - 1);
    }
    size_t whole = strlen(sign) + digits.size;
    size_t more = spec->has_width && spec->width > whole ? spec->width - whole : 0;
    bool has_zeros = spec->zero && !spec->minus;
    put_many(out, ' ', spec->minus || has_zeros ? 0 : more);
    hf_format_put(out, hf_slice_text(sign));
    put_many(out, '0', has_zeros ? more : 0);
    hf_format_put(out, digits);
    put_many(out, ' ', spec->minus ? more : 0);
    return true;
}

/* ---- bytes ---- */

static bool put_bytes(struct hf_format_out *out, const struct hf_format_spec *spec,
                      struct hf_slice bytes)
{
    if (spec->verb != 'v' && spec->verb != 'd') {
        return put_string(out, spec, bytes);
    }
    bool is_code = spec->verb == 'v' && spec->sharp;
    hf_format_put(out, hf_slice_text(is_code ? "[]byte{" : "["));
    for (size_t i = 0; i < bytes.size && out->status == HF_OK; i++) {
        struct hf_format_spec each = *spec;
        struct integer integer = {.size = bytes.data[i], .base = is_code ? 16 : 10};
        hf_format_put(out, hf_slice_text(i == 0 ? "" : is_code ? ", " : " "));
        put_integer(out, &each, &integer);
    }
    hf_format_put(out, hf_slice_text(is_code ? "}" : "]"));
    return true;
}

/* ---- all types ---- */

const char *hf_format_type(const struct hf_format_argument *argument)
{
    static const char *const names[] = {"<nil>",
                                        "string",
                                        "int64",
                                        "float64",
                                        "bool",
                                        "[]uint8",
                                        "pcommon.Map",
                                        "pcommon.Slice",
                                        "time.Time",
                                        "time.Duration",
                                        "pcommon.TraceID",
                                        "pcommon.SpanID",
                                        "pprofile.ProfileID",
                                        "object"};
    return names[argument->value.type];
}

/* False: the type has no such verb. */
static bool put_value(struct hf_format_out *out, const struct hf_format_spec *spec,
                      const struct hf_format_argument *argument)
{
    const struct hf_ottl_value *value = &argument->value;
    switch (value->type) {
    case HF_OTTL_STRING:
        return put_string(out, spec, value->bytes);
    case HF_OTTL_INT:
        return put_int(out, spec, value->integer);
    case HF_OTTL_DOUBLE:
        return put_real(out, spec, value->real);
    case HF_OTTL_BOOL:
        if (spec->verb == 't' || spec->verb == 'v') {
            put_padded(out, spec, hf_slice_text(value->integer != 0 ? "true" : "false"));
            return true;
        }
        return false;
    case HF_OTTL_BYTES:
        return put_bytes(out, spec, value->bytes);
    case HF_OTTL_DURATION:
        return put_string(out, spec, argument->text) || put_int(out, spec, value->integer);
    default:
        return put_string(out, spec, argument->text);
    }
}

void hf_format_value(struct hf_format_out *out, const struct hf_format_spec *spec,
                     const struct hf_format_argument *argument)
{
    struct hf_format_spec as_value = *spec;
    if (spec->verb == 'T') {
        struct hf_format_spec plain = *spec;
        plain.verb = 's';
        put_padded(out, spec, cut(&plain, hf_slice_text(hf_format_type(argument))));
        return;
    }
    if (argument->value.type == HF_OTTL_NIL) {
        if (spec->verb == 'v') {
            put_padded(out, spec, hf_slice_text("<nil>"));
            return;
        }
    } else if (put_value(out, spec, argument)) {
        return;
    }
    hf_format_put(out, hf_slice_text("%!"));
    hf_format_put_rune(out, spec->verb);
    hf_format_put(out, hf_slice_text("("));
    if (argument->value.type != HF_OTTL_NIL) {
        hf_format_put(out, hf_slice_text(hf_format_type(argument)));
        hf_format_put(out, hf_slice_text("="));
        as_value.verb = 'v';
        (void)put_value(out, &as_value, argument);
    } else {
        hf_format_put(out, hf_slice_text("<nil>"));
    }
    hf_format_put(out, hf_slice_text(")"));
}
