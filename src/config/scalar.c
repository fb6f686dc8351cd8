#include "scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

bool hf_scalar_bool(const char *text, bool *ret_value)
{
    bool yes = is_one_of(text, (const char *const[]){"true", "True", "TRUE", NULL});

    if (!yes && !is_one_of(text, (const char *const[]){"false", "False", "FALSE", NULL})) {
        return false;
    }
    *ret_value = yes;
    return true;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* Room for a number without the underscores that may part its digits. */
struct plain {
    char text[80];
};

/* YAML in Go reads 1_000 as 1000. What does not begin like a number stays as it is. */
static const char *without_underscores(const char *text, struct plain *plain)
{
    const char *first = text + (*text == '-' || *text == '+');
    size_t size = 0;

    if (!isdigit((unsigned char)*first) || strchr(text, '_') == NULL ||
        strlen(text) >= sizeof(plain->text)) {
        return text;
    }
    for (; *text != '\0'; text++) {
        if (*text != '_') {
            plain->text[size++] = *text;
        }
    }
    plain->text[size] = '\0';
    return plain->text;
}

/* [0-9]+ ( . [0-9]* )? | . [0-9]+, then an exponent. */
static bool is_decimal(const char *text, bool *ret_whole)
{
    text += *text == '-' || *text == '+';
    size_t before = digits(text), after = 0;
    bool whole = true;

    text += before;
    if (*text == '.') {
        whole = false;
        text++;
        after = digits(text);
        text += after;
    }
    if (before + after == 0) {
        return false;
    }
    if (*text == 'e' || *text == 'E') {
        whole = false;
        text++;
        text += *text == '-' || *text == '+';
        size_t exponent = digits(text);
        if (exponent == 0) {
            return false;
        }
        text += exponent;
    }
    *ret_whole = whole;
    return *text == '\0';
}

/* The base of a whole number and where its digits begin; 0: no whole number. */
static int base_of(const char *text, const char **ret_digits)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } forms[] = {
        {"0x", "0123456789abcdefABCDEF", 16},
        {"0o", "01234567", 8},
        {"0b", "01", 2},
        {"0", "01234567", 8}, /* as the Go collector reads 0644 */
        {"", "0123456789", 10},
    };
    const char *unsigned_text = text + (*text == '-' || *text == '+');

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t skip = strlen(forms[i].prefix);
        const char *rest = unsigned_text + skip;
        if (strncmp(unsigned_text, forms[i].prefix, skip) == 0 && *rest != '\0' &&
            strspn(rest, forms[i].digits) == strlen(rest)) {
            *ret_digits = rest;
            return forms[i].base;
        }
    }
    return 0;
}

enum hf_scalar_result hf_scalar_int(const char *text, int64_t *ret_value)
{
    struct plain plain;
    text = without_underscores(text, &plain);
    const char *rest = NULL;
    int base = base_of(text, &rest);
    bool whole = false;

    if (base != 0) {
        errno = 0;
        unsigned long long magnitude = strtoull(rest, NULL, base);
        bool negative = *text == '-';
        unsigned long long most = (unsigned long long)INT64_MAX + (negative ? 1 : 0);
        if (errno == ERANGE || magnitude > most) {
            return HF_SCALAR_RANGE;
        }
        *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return HF_SCALAR_GOOD;
    }
    if (!is_decimal(text, &whole)) {
        return HF_SCALAR_BAD;
    }
    double number = strtod(text, NULL);
    if (number != floor(number)) {
        return HF_SCALAR_BAD;
    }
    /* Beyond 2^53 a double does not say which whole number was meant. */
    if (fabs(number) > 9007199254740992.0) {
        return HF_SCALAR_RANGE;
    }
    *ret_value = (int64_t)number;
    return HF_SCALAR_GOOD;
}

static bool special_double(const char *text, double *ret_value)
{
    const char *word = text + (*text == '-' || *text == '+');

    if (is_one_of(text, (const char *const[]){".nan", ".NaN", ".NAN", NULL})) {
        *ret_value = (double)NAN;
        return true;
    }
    if (is_one_of(word, (const char *const[]){".inf", ".Inf", ".INF", NULL})) {
        *ret_value = *text == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    return false;
}

enum hf_scalar_result hf_scalar_double(const char *text, double *ret_value)
{
    struct plain plain;
    text = without_underscores(text, &plain);
    const char *rest = NULL;
    int64_t integer = 0;
    bool whole = false;

    if (special_double(text, ret_value)) {
        return HF_SCALAR_GOOD;
    }
    if (base_of(text, &rest) != 0 && hf_scalar_int(text, &integer) == HF_SCALAR_GOOD) {
        *ret_value = (double)integer;
        return HF_SCALAR_GOOD;
    }
    if (!is_decimal(text, &whole)) {
        return HF_SCALAR_BAD;
    }
    double number = strtod(text, NULL);
    if (isinf(number)) {
        return HF_SCALAR_RANGE;
    }
    *ret_value = number;
    return HF_SCALAR_GOOD;
}

enum hf_scalar_type hf_scalar_type_of(const char *text)
{
    struct plain plain;
    text = without_underscores(text, &plain);
    const char *rest = NULL;
    double number = 0;
    bool truth = false, whole = false;

    if (is_one_of(text, (const char *const[]){"", "~", "null", "Null", "NULL", NULL})) {
        return HF_SCALAR_NULL;
    }
    if (hf_scalar_bool(text, &truth)) {
        return HF_SCALAR_BOOL;
    }
    if (base_of(text, &rest) != 0) {
        return HF_SCALAR_INT;
    }
    if (special_double(text, &number)) {
        return HF_SCALAR_DOUBLE;
    }
    if (is_decimal(text, &whole)) {
        return whole ? HF_SCALAR_INT : HF_SCALAR_DOUBLE;
    }
    return HF_SCALAR_STRING;
}

struct unit {
    const char *name;
    uint64_t size;
};

/* Longer names first where one begins with another. */
static const struct unit time_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* micro sign */
    {"\xce\xbcs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60) * 1000000000},
    {"h", UINT64_C(3600) * 1000000000},
};

/* A number with an optional fraction, times its unit. Moves `text` behind number and unit. */
static bool duration_part(const char **text, uint64_t *ret_ns, const char **reterr)
{
    const char *at = *text;
    size_t before = digits(at);
    uint64_t whole = 0, fraction = 0, scale = 1;

    *reterr = "invalid duration";
    for (size_t i = 0; i < before; i++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(at[i] - '0'), &whole)) {
            return false;
        }
    }
    at += before;
    size_t after = 0;
    if (*at == '.') {
        after = digits(++at);
        for (size_t i = 0; i < after && i < 15; i++) {
            fraction = fraction * 10 + (uint64_t)(at[i] - '0');
            scale *= 10;
        }
        at += after;
    }
    if (before + after == 0) {
        return false;
    }
    size_t name = strcspn(at, "0123456789.");
    if (name == 0) {
        *reterr = "missing unit in duration";
        return false;
    }
    for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        uint64_t unit = time_units[i].size, ns = 0;
        if (strlen(time_units[i].name) != name || strncmp(time_units[i].name, at, name) != 0) {
            continue;
        }
        /* The fraction is below one unit: a double holds it well enough, as in Go. */
        uint64_t part = (uint64_t)((double)fraction * ((double)unit / (double)scale));
        if (__builtin_mul_overflow(whole, unit, &ns) || __builtin_add_overflow(ns, part, &ns)) {
            return false;
        }
        *ret_ns = ns;
        *text = at + name;
        return true;
    }
    *reterr = "unknown unit in duration";
    return false;
}

bool hf_scalar_duration(const char *text, int64_t *ret_ns, const char **reterr)
{
    bool negative = *text == '-';
    uint64_t sum = 0, part = 0;

    text += *text == '-' || *text == '+';
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    if (*text == '\0') {
        *reterr = "invalid duration";
        return false;
    }
    while (*text != '\0') {
        if (!duration_part(&text, &part, reterr)) {
            return false;
        }
        if (__builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX) {
            *reterr = "invalid duration";
            return false;
        }
    }
    *ret_ns = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}

static const struct unit size_units[] = {
    {"", 1},
    {"b", 1},
    {"k", UINT64_C(1000)},
    {"kb", UINT64_C(1000)},
    {"m", UINT64_C(1000000)},
    {"mb", UINT64_C(1000000)},
    {"g", UINT64_C(1000000000)},
    {"gb", UINT64_C(1000000000)},
    {"t", UINT64_C(1000000000000)},
    {"tb", UINT64_C(1000000000000)},
    {"ki", UINT64_C(1) << 10},
    {"kib", UINT64_C(1) << 10},
    {"mi", UINT64_C(1) << 20},
    {"mib", UINT64_C(1) << 20},
    {"gi", UINT64_C(1) << 30},
    {"gib", UINT64_C(1) << 30},
    {"ti", UINT64_C(1) << 40},
    {"tib", UINT64_C(1) << 40},
};

static enum hf_scalar_result whole_bytes(const char *text, uint64_t unit, uint64_t *ret_bytes)
{
    uint64_t bytes = 0;

    for (; isdigit((unsigned char)*text); text++) {
        if (__builtin_mul_overflow(bytes, 10, &bytes) ||
            __builtin_add_overflow(bytes, (uint64_t)(*text - '0'), &bytes)) {
            return HF_SCALAR_RANGE;
        }
    }
    if (__builtin_mul_overflow(bytes, unit, &bytes) || bytes > INT64_MAX) {
        return HF_SCALAR_RANGE;
    }
    *ret_bytes = bytes;
    return HF_SCALAR_GOOD;
}

enum hf_scalar_result hf_scalar_bytes(const char *text, uint64_t *ret_bytes)
{
    size_t before = digits(text), after = 0;
    const char *at = text + before;
    int64_t integer = 0;

    enum hf_scalar_result plain = hf_scalar_int(text, &integer);
    if (plain != HF_SCALAR_BAD) {
        *ret_bytes = (uint64_t)integer;
        return integer < 0 ? HF_SCALAR_BAD : plain;
    }
    if (*at == '.') {
        after = digits(at + 1);
        at += 1 + after;
    }
    if (before == 0) {
        return HF_SCALAR_BAD;
    }
    at += strspn(at, " ");
    for (size_t i = 0; i < sizeof(size_units) / sizeof(size_units[0]); i++) {
        if (strcasecmp(size_units[i].name, at) != 0) {
            continue;
        }
        if (after == 0) {
            return whole_bytes(text, size_units[i].size, ret_bytes);
        }
        double bytes = strtod(text, NULL) * (double)size_units[i].size;
        if (bytes >= (double)INT64_MAX) {
            return HF_SCALAR_RANGE;
        }
        *ret_bytes = (uint64_t)bytes;
        return HF_SCALAR_GOOD;
    }
    return HF_SCALAR_BAD;
}

struct hf_shown hf_scalar_show_duration(double nanoseconds)
{
    static const struct unit units[] = {{"h", UINT64_C(3600) * 1000000000},
                                        {"m", UINT64_C(60) * 1000000000},
                                        {"s", 1000000000},
                                        {"ms", 1000000},
                                        {"us", 1000}};
    struct hf_shown shown;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double count = nanoseconds / (double)units[i].size;
        if (count != 0.0 && count == floor(count)) {
            snprintf(shown.text, sizeof(shown.text), "%.0f%s", count, units[i].name);
            return shown;
        }
    }
    snprintf(shown.text, sizeof(shown.text), "%.0f%s", nanoseconds,
             nanoseconds == 0.0 ? "s" : "ns");
    return shown;
}

struct hf_shown hf_scalar_show_bytes(double bytes)
{
    static const char *const names[] = {"TiB", "GiB", "MiB", "KiB"};
    struct hf_shown shown;
    double unit = 1024.0 * 1024.0 * 1024.0 * 1024.0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, unit /= 1024.0) {
        double count = bytes / unit;
        if (count != 0.0 && count == floor(count)) {
            snprintf(shown.text, sizeof(shown.text), "%.0f%s", count, names[i]);
            return shown;
        }
    }
    snprintf(shown.text, sizeof(shown.text), "%.0f", bytes);
    return shown;
}
