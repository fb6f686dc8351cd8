/*
 * exposition_number: numbers of an exposition, read fast when they are short, which nearly all are.
 */
#include "exposition.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#define DIGITS_MAX 19 /* that always fit 64 bits */
#define EXACT_MAX (UINT64_C(1) << 53)
#define NORMAL_NAN UINT64_C(0x7ff8000000000001) /* Prometheus' own, whatever a target writes */
#define POWERS 23                               /* powers of ten that a double has exactly */

static const double powers[POWERS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct decimal {
    uint64_t digits;
    int count, exponent;
    bool is_negative;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static const uint8_t *read_digits(const uint8_t *at, const uint8_t *end, struct decimal *decimal)
{
    for (; at < end && is_digit(*at); at++) {
        decimal->count += decimal->count != 0 || *at != '0';
        if (decimal->count > DIGITS_MAX) {
            return NULL;
        }
        decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

static const uint8_t *read_exponent(const uint8_t *at, const uint8_t *end, int *ret_exponent)
{
    bool is_negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const uint8_t *start = at;
    int exponent = 0;
    for (; at < end && is_digit(*at) && exponent < 1000; at++) {
        exponent = exponent * 10 + (*at - '0');
    }
    *ret_exponent = is_negative ? -exponent : exponent;
    return at == start ? NULL : at;
}

/* A decimal number of few digits, all of the text. False: anything else, also what is no number. */
static bool read_decimal(struct hf_slice text, struct decimal *decimal)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    decimal->is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    const uint8_t *start = at;
    at = read_digits(at, end, decimal);
    if (at == NULL) {
        return false;
    }
    ptrdiff_t digits = at - start;
    if (at < end && *at == '.') {
        start = ++at;
        at = read_digits(at, end, decimal);
        if (at == NULL) {
            return false;
        }
        decimal->exponent = -(int)(at - start);
        digits += at - start;
    }
    if (digits == 0) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        int exponent = 0;
        at = read_exponent(at + 1, end, &exponent);
        decimal->exponent += exponent;
    }
    return at == end;
}

/* Anything else that Go's ParseFloat takes, but for hexadecimal numbers and underscores, which
 * Prometheus refuses. */
static bool read_slowly(struct hf_slice text, double *ret_number)
{
    char copy[128];
    if (text.size >= sizeof(copy)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        copy[i] = (char)c;
        if (c <= ' ' || c == '(' || c == '_' || c == 'p' || c == 'P' || c == 'x' || c == 'X') {
            return false;
        }
    }
    copy[text.size] = '\0';
    const char *word = copy + (copy[0] == '+' || copy[0] == '-');
    if (strcasecmp(word, "nan") == 0) {
        const uint64_t bits = NORMAL_NAN;
        memcpy(ret_number, &bits, sizeof(bits));
        return word == copy;
    }
    char *end;
    *ret_number = strtod(copy, &end);
    bool is_overflow = isinf(*ret_number) && strncasecmp(word, "inf", 3) != 0;
    return *end == '\0' && end != copy && !is_overflow;
}

bool hf_expo_number(struct hf_slice text, double *ret_number)
{
    struct decimal decimal = {0};
    if (text.size == 0) {
        return false;
    }
    if (read_decimal(text, &decimal) && decimal.digits <= EXACT_MAX && decimal.exponent < POWERS &&
        decimal.exponent > -POWERS) {
        double number = (double)decimal.digits;
        number = decimal.exponent < 0 ? number / powers[-decimal.exponent]
                                      : number * powers[decimal.exponent];
        *ret_number = decimal.is_negative ? -number : number;
        return true;
    }
    return read_slowly(text, ret_number);
}
