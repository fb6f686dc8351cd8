#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *hf_ottl_type_name(enum hf_ottl_type type)
{
    static const char *const names[] = {
        "nil",   "string", "int64",    "float64",  "bool",    "[]byte",     "map",
        "slice", "time",   "duration", "trace id", "span id", "profile id", "a list of objects"};
    return names[type];
}

struct hf_ottl_value hf_ottl_from_any(const struct hf_any *any)
{
    switch (any->type) {
    case HF_ANY_STRING:
        return hf_ottl_string(any->bytes);
    case HF_ANY_BOOL:
        return hf_ottl_bool(any->integer != 0);
    case HF_ANY_INT:
        return hf_ottl_int(any->integer);
    case HF_ANY_DOUBLE:
        return hf_ottl_double(any->number);
    case HF_ANY_ARRAY:
        return hf_ottl_of(HF_OTTL_LIST, any->bytes);
    case HF_ANY_MAP:
        return hf_ottl_of(HF_OTTL_MAP, any->bytes);
    case HF_ANY_BYTES:
        return hf_ottl_of(HF_OTTL_BYTES, any->bytes);
    case HF_ANY_EMPTY:
        break;
    }
    return hf_ottl_nil();
}

bool hf_ottl_to_any(const struct hf_ottl_value *value, struct hf_any *ret_any)
{
    static const enum hf_any_type types[] = {
        [HF_OTTL_NIL] = HF_ANY_EMPTY, [HF_OTTL_STRING] = HF_ANY_STRING,
        [HF_OTTL_INT] = HF_ANY_INT,   [HF_OTTL_DOUBLE] = HF_ANY_DOUBLE,
        [HF_OTTL_BOOL] = HF_ANY_BOOL, [HF_OTTL_BYTES] = HF_ANY_BYTES,
        [HF_OTTL_MAP] = HF_ANY_MAP,   [HF_OTTL_LIST] = HF_ANY_ARRAY,
    };
    if (value->type > HF_OTTL_LIST) {
        return false;
    }
    *ret_any = (struct hf_any){.type = types[value->type], .bytes = value->bytes};
    if (value->type == HF_OTTL_INT || value->type == HF_OTTL_BOOL) {
        ret_any->integer = value->integer;
    } else if (value->type == HF_OTTL_DOUBLE) {
        ret_any->number = value->real;
    }
    return true;
}

/* ---- comparing ---- */

static bool is_by_order(int order, enum hf_ottl_comparison comparison)
{
    switch (comparison) {
    case HF_OTTL_EQUAL:
        return order == 0;
    case HF_OTTL_UNEQUAL:
        return order != 0;
    case HF_OTTL_LESS:
        return order < 0;
    case HF_OTTL_AT_MOST:
        return order <= 0;
    case HF_OTTL_MORE:
        return order > 0;
    case HF_OTTL_AT_LEAST:
        return order >= 0;
    }
    return false;
}

static bool compare_doubles(double a, double b, enum hf_ottl_comparison comparison)
{
    if (isnan(a) || isnan(b)) {
        return comparison == HF_OTTL_UNEQUAL;
    }
    return is_by_order((a > b) - (a < b), comparison);
}

static double as_double(const struct hf_ottl_value *value)
{
    return value->type == HF_OTTL_INT ? (double)value->integer : value->real;
}

/* Lists and maps are equal or not, and nothing else. */
static bool compare_containers(const struct hf_ottl_value *a, const struct hf_ottl_value *b,
                               enum hf_ottl_comparison comparison)
{
    struct hf_any left, right;
    if (comparison > HF_OTTL_UNEQUAL || !hf_ottl_to_any(a, &left) || !hf_ottl_to_any(b, &right)) {
        return false;
    }
    return hf_any_equal(&left, &right) == (comparison == HF_OTTL_EQUAL);
}

bool hf_ottl_compare(const struct hf_ottl_value *a, const struct hf_ottl_value *b,
                     enum hf_ottl_comparison comparison)
{
    if (a->type != b->type) {
        bool are_numbers = (a->type == HF_OTTL_INT && b->type == HF_OTTL_DOUBLE) ||
                           (a->type == HF_OTTL_DOUBLE && b->type == HF_OTTL_INT);
        return are_numbers ? compare_doubles(as_double(a), as_double(b), comparison)
                           : comparison == HF_OTTL_UNEQUAL;
    }
    switch (a->type) {
    case HF_OTTL_NIL:
        return is_by_order(0, comparison);
    case HF_OTTL_DOUBLE:
        return compare_doubles(a->real, b->real, comparison);
    case HF_OTTL_INT:
    case HF_OTTL_BOOL:
    case HF_OTTL_TIME:
    case HF_OTTL_DURATION:
        return is_by_order((a->integer > b->integer) - (a->integer < b->integer), comparison);
    case HF_OTTL_STRING:
    case HF_OTTL_BYTES:
        return is_by_order(hf_slice_compare(a->bytes, b->bytes), comparison);
    case HF_OTTL_TRACE_ID:
    case HF_OTTL_SPAN_ID:
    case HF_OTTL_PROFILE_ID:
        return comparison <= HF_OTTL_UNEQUAL &&
               is_by_order(hf_slice_compare(a->bytes, b->bytes), comparison);
    case HF_OTTL_MAP:
    case HF_OTTL_LIST:
        return compare_containers(a, b, comparison);
    case HF_OTTL_OBJECTS:
        break;
    }
    return comparison == HF_OTTL_UNEQUAL;
}

/* ---- numbers from texts ---- */

static int digit_of(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'z' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'Z' ? byte - 'A' + 10
                                        : INT8_MAX;
}

bool hf_ottl_read_int(struct hf_slice text, unsigned base, int64_t *ret_integer)
{
    size_t at = 0;
    bool is_negative = text.size > 0 && text.data[0] == '-';
    uint64_t value = 0;
    uint64_t most = (uint64_t)INT64_MAX + is_negative;
    at += text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    if (at == text.size) {
        return false;
    }
    for (; at < text.size; at++) {
        unsigned digit = (unsigned)digit_of(text.data[at]);
        if (digit >= base || value > (most - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    *ret_integer = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

#define DOUBLE_TEXT_MAX 400u

bool hf_ottl_read_double(struct hf_slice text, double *ret_real)
{
    char room[DOUBLE_TEXT_MAX + 1];
    char *end;
    if (text.size == 0 || text.size > DOUBLE_TEXT_MAX || isspace(text.data[0])) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    /* strtod() takes "nan(...)", and stops at a NUL. */
    errno = 0;
    double value = strtod(room, &end);
    bool is_whole = end == room + text.size && strchr(room, '(') == NULL;
    bool is_too_large = errno == ERANGE && isinf(value);
    bool is_hex = strpbrk(room, "xX") != NULL;
    if (!is_whole || is_too_large || (is_hex && strpbrk(room, "pP") == NULL)) {
        return false;
    }
    *ret_real = value;
    return true;
}

bool hf_ottl_read_bool(struct hf_slice text, bool *ret_boolean)
{
    static const char *const words[] = {"1", "t", "T", "true",  "TRUE",  "True",
                                        "0", "f", "F", "false", "FALSE", "False"};
    const size_t count = sizeof(words) / sizeof(words[0]);
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(text, words[i])) {
            *ret_boolean = i < count / 2;
            return true;
        }
    }
    return false;
}

/* ---- durations ---- */

struct unit {
    const char *name;
    int64_t ns;
};

static const struct unit *unit_at(struct hf_slice text)
{
    static const struct unit units[] = {{"ns", 1},
                                        {"us", 1000},
                                        {"\xc2\xb5s", 1000},
                                        {"\xce\xbcs", 1000},
                                        {"ms", 1000000},
                                        {"s", 1000000000},
                                        {"m", INT64_C(60000000000)},
                                        {"h", INT64_C(3600000000000)}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t size = strlen(units[i].name);
        if (text.size >= size && memcmp(text.data, units[i].name, size) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static size_t skip_digits(struct hf_slice text, size_t at)
{
    while (at < text.size && isdigit(text.data[at])) {
        at++;
    }
    return at;
}

bool hf_ottl_read_duration(struct hf_slice text, int64_t *ret_ns)
{
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    bool is_negative = at > 0 && text.data[0] == '-';
    double total = 0;
    int64_t exact = 0;
    if (text.size - at == 1 && text.data[at] == '0') {
        *ret_ns = 0;
        return true;
    }
    if (at == text.size) {
        return false;
    }
    while (at < text.size) {
        size_t start = at;
        int64_t whole = 0;
        double fraction = 0;
        at = skip_digits(text, at);
        size_t digits = at - start;
        struct hf_slice part = hf_slice_of(text.data + start, digits);
        if (digits > 0 && !hf_ottl_read_int(part, 10, &whole)) {
            return false;
        }
        if (at < text.size && text.data[at] == '.') {
            size_t from = ++at;
            at = skip_digits(text, at);
            double scale = 0.1;
            for (size_t i = from; i < at; i++, scale /= 10) {
                fraction += scale * (text.data[i] - '0');
            }
            digits += at - from;
        }
        const struct unit *unit = unit_at(hf_slice_of(text.data + at, text.size - at));
        if (digits == 0 || unit == NULL) {
            return false;
        }
        at += strlen(unit->name);
        total += ((double)whole + fraction) * (double)unit->ns;
        if (total > 9.2e18) {
            return false;
        }
        exact += whole * unit->ns + (int64_t)(fraction * (double)unit->ns + 0.5);
    }
    *ret_ns = is_negative ? -exact : exact;
    return true;
}
