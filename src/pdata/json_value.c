#include "json_value.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64.h"

/* ---- strings ---- */

/* What the compiler keeps in one vector register where there is one; and a half of it. */
typedef uint8_t block __attribute__((vector_size(16)));
typedef uint64_t block_words __attribute__((vector_size(16)));
typedef uint8_t half_block __attribute__((vector_size(8)));

/* Those below 64 that are not plain, a bit each; of the others only the backslash is not. */
#define BIT(byte) (UINT64_C(1) << (byte))
#define ODD_BITS (UINT64_C(0xffffffff) | BIT('"'))
#define ODD_HTML_BITS (ODD_BITS | BIT('<') | BIT('>') | BIT('&'))

static inline bool is_plain(uint8_t byte, bool html)
{
    uint64_t odd = html ? ODD_HTML_BITS : ODD_BITS;
    return byte < 64 ? (odd >> byte & 1) == 0 : byte != '\\';
}

/* Are 16 bytes plain? */
static inline bool is_plain_block(const uint8_t *data, bool html)
{
    block now;
    memcpy(&now, data, sizeof(now));
    block_words odd = (block_words)((now < 0x20) | (now == '"') | (now == '\\'));
    if (html) {
        odd |= (block_words)((now == '<') | (now == '>') | (now == '&'));
    }
    return (odd[0] | odd[1]) == 0;
}

static inline bool is_plain_half(const uint8_t *data, bool html)
{
    half_block now;
    uint64_t odd;
    memcpy(&now, data, sizeof(now));
    half_block found = (half_block)((now < 0x20) | (now == '"') | (now == '\\'));
    if (html) {
        found |= (half_block)((now == '<') | (now == '>') | (now == '&'));
    }
    memcpy(&odd, &found, sizeof(odd));
    return odd == 0;
}

/* The last block overlaps the one before rather than leaving bytes over. */
static inline size_t plain_run(struct hf_slice text, bool html)
{
    size_t at = 0;
    while (text.size - at >= sizeof(block) && is_plain_block(text.data + at, html)) {
        at += sizeof(block);
    }
    size_t left = text.size - at;
    if (left < sizeof(block) && text.size >= sizeof(block)) {
        at = is_plain_block(text.data + text.size - sizeof(block), html) ? text.size : at;
    } else if (left < sizeof(block) && text.size >= sizeof(half_block)) {
        bool is_all = is_plain_half(text.data, html) &&
                      is_plain_half(text.data + text.size - sizeof(half_block), html);
        at = is_all ? text.size : at;
    }
    while (at < text.size && is_plain(text.data[at], html)) {
        at++;
    }
    return at;
}

size_t hf_json_plain_run(struct hf_slice text)
{
    return plain_run(text, false);
}

size_t hf_json_plain_html_run(struct hf_slice text)
{
    return plain_run(text, true);
}

/* ---- numbers in ---- */

struct decimal {
    bool negative, whole; /* whole: neither point nor exponent */
    uint64_t digits;      /* all digits as one integer */
    unsigned count;       /* of them, without leading zeros; past 19 `digits` is not exact */
    int64_t exponent;     /* the value is digits * 10^exponent */
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t read_digits(struct hf_slice text, size_t at, struct decimal *decimal)
{
    for (; at < text.size && is_digit(text.data[at]); at++) {
        unsigned digit = (unsigned)(text.data[at] - '0');
        if (decimal->count < 19) {
            decimal->digits = decimal->digits * 10 + digit;
        }
        decimal->count += decimal->count > 0 || digit != 0;
    }
    return at;
}

static bool read_exponent(struct hf_slice text, size_t at, int64_t *ret_exponent)
{
    bool negative = false;
    if (at < text.size && (text.data[at] == '+' || text.data[at] == '-')) {
        negative = text.data[at] == '-';
        at++;
    }
    int64_t exponent = 0;
    size_t start = at;
    for (; at < text.size && is_digit(text.data[at]); at++) {
        /* Beyond any double either way: more digits change nothing. */
        exponent = exponent > 100000 ? exponent : exponent * 10 + (text.data[at] - '0');
    }
    *ret_exponent = negative ? -exponent : exponent;
    return at > start && at == text.size;
}

/* The grammar of JSON, which is narrower than that of strtod(). */
static bool read_decimal(struct hf_slice text, struct decimal *ret_decimal)
{
    struct decimal decimal = {.whole = true};
    size_t at = 0;
    if (text.size > 0 && text.data[0] == '-') {
        decimal.negative = true;
        at++;
    }
    size_t start = at;
    at = read_digits(text, at, &decimal);
    if (at == start || (text.data[start] == '0' && at - start > 1)) {
        return false;
    }
    if (at < text.size && text.data[at] == '.') {
        size_t fraction = ++at;
        at = read_digits(text, at, &decimal);
        if (at == fraction) {
            return false;
        }
        decimal.whole = false;
        decimal.exponent = -(int64_t)(at - fraction);
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        int64_t exponent = 0;
        if (!read_exponent(text, at + 1, &exponent)) {
            return false;
        }
        decimal.whole = false;
        decimal.exponent += exponent;
        at = text.size;
    }
    *ret_decimal = decimal;
    return at == text.size;
}

/* The magnitude of a whole number, exactly. */
static bool to_magnitude(struct hf_slice text, const struct decimal *decimal, uint64_t *ret_value)
{
    uint64_t value = decimal->digits;
    if (decimal->count > 20 || (decimal->count == 20 && !decimal->whole)) {
        return false;
    }
    if (decimal->count == 20) { /* the last digit is still to come */
        uint64_t last = (uint64_t)(text.data[text.size - 1] - '0');
        return !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, last, ret_value);
    }
    int64_t exponent = value == 0 ? 0 : decimal->exponent;
    for (; exponent < 0; exponent++) {
        if (value % 10 != 0) {
            return false;
        }
        value /= 10;
    }
    for (; exponent > 0; exponent--) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

bool hf_json_read_u64(struct hf_slice text, uint64_t *ret_value)
{
    struct decimal decimal;
    uint64_t value = 0;
    if (!read_decimal(text, &decimal) || !to_magnitude(text, &decimal, &value) ||
        (decimal.negative && value != 0)) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool hf_json_read_i64(struct hf_slice text, int64_t *ret_value)
{
    struct decimal decimal;
    uint64_t value = 0;
    if (!read_decimal(text, &decimal) || !to_magnitude(text, &decimal, &value) ||
        value > (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0)) {
        return false;
    }
    *ret_value = (int64_t)(decimal.negative ? 0 - value : value);
    return true;
}

/* Powers of ten that a double holds exactly. */
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

#define EXACT_POWER_MAX 22
#define EXACT_INTEGER_MAX (UINT64_C(1) << DBL_MANT_DIG)

/* strtod() rounds right for any input, but costs ten times the common case below. */
static bool read_long_double(struct hf_slice text, double *ret_value)
{
    char copy[HF_JSON_NUMBER_MAX + 1];
    if (text.size > HF_JSON_NUMBER_MAX) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    double value = strtod(copy, NULL);
    if (isinf(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool hf_json_read_double(struct hf_slice text, bool names, double *ret_value)
{
    struct decimal decimal;
    if (!read_decimal(text, &decimal)) {
        static const struct {
            const char *name;
            double value;
        } special[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
        for (size_t i = 0; names && i < sizeof(special) / sizeof(special[0]); i++) {
            if (hf_slice_is(text, special[i].name)) {
                *ret_value = special[i].value;
                return true;
            }
        }
        return false;
    }
    /* Both operands exact: one operation rounds once, so the result is the nearest double. */
    if (decimal.count <= 19 && decimal.digits <= EXACT_INTEGER_MAX &&
        decimal.exponent >= -EXACT_POWER_MAX && decimal.exponent <= EXACT_POWER_MAX) {
        double value = (double)decimal.digits;
        value = decimal.exponent < 0 ? value / exact_powers[-decimal.exponent]
                                     : value * exact_powers[decimal.exponent];
        *ret_value = decimal.negative ? -value : value;
        return true;
    }
    return read_long_double(text, ret_value);
}

/* ---- hex, base64 ---- */

bool hf_json_read_base64(struct hf_slice text, uint8_t *room, size_t *ret_size)
{
    return hf_base64_decode(text, HF_BASE64_ANY, room, ret_size);
}

/* ---- out ---- */

size_t hf_json_print_u64(uint64_t value, char *room)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++) {
        room[i] = digits[count - 1 - i];
    }
    return count;
}

size_t hf_json_print_i64(int64_t value, char *room)
{
    if (value >= 0) {
        return hf_json_print_u64((uint64_t)value, room);
    }
    room[0] = '-';
    return 1 + hf_json_print_u64(0 - (uint64_t)value, room + 1);
}

/* `digits` / 10^`places`, with at least one digit before the point. */
static size_t print_scaled(uint64_t digits, unsigned places, char *room)
{
    size_t size = hf_json_print_u64(digits, room);
    if (places == 0) {
        return size;
    }
    if (size <= places) {
        size_t zeros = places + 1 - size;
        memmove(room + zeros, room, size);
        memset(room, '0', zeros);
        size += zeros;
    }
    memmove(room + size - places + 1, room + size - places, places);
    room[size - places] = '.';
    return size + 1;
}

/*
 * Most doubles of telemetry are short decimals. value * 10^places, rounded, is such a decimal's
 * digits if dividing gives the value back: both operands are exact then, so a reader's one rounding
 * gives the same double. The first `places` that fits is the shortest form.
 */
static size_t print_short(double value, char *room)
{
    for (unsigned places = 0; places <= 15; places++) {
        double scaled = value * exact_powers[places];
        if (scaled >= (double)EXACT_INTEGER_MAX) {
            return 0;
        }
        double digits = nearbyint(scaled);
        if (digits / exact_powers[places] == value) {
            return print_scaled((uint64_t)digits, places, room);
        }
    }
    return 0;
}

static size_t print_long(double value, char *room)
{
    for (int precision = 15;; precision++) {
        int size = snprintf(room, HF_JSON_DIGITS_MAX, "%.*g", precision, value);
        assert(size > 0 && size < HF_JSON_DIGITS_MAX);
        if (precision == 17 || strtod(room, NULL) == value) {
            return (size_t)size;
        }
    }
}

static size_t print_text(const char *text, char *room)
{
    size_t size = strlen(text);
    memcpy(room, text, size);
    return size;
}

size_t hf_json_print_double(double value, char *room)
{
    if (!isfinite(value)) {
        return print_text(isnan(value) ? "\"NaN\""
                          : value > 0  ? "\"Infinity\""
                                       : "\"-Infinity\"",
                          room);
    }
    if (value == 0) {
        /* Readers that take "-0" for an integer would lose the sign. */
        return print_text(signbit(value) ? "-0.0" : "0", room);
    }
    size_t sign = signbit(value) ? 1 : 0;
    room[0] = '-';
    double magnitude = fabs(value);
    size_t size = magnitude >= 1e-5 ? print_short(magnitude, room + sign) : 0;
    return size > 0 ? sign + size : print_long(value, room);
}

size_t hf_json_print_base64(struct hf_slice bytes, char *room)
{
    return hf_base64_print(bytes, room);
}
