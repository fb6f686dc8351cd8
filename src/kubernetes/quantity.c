#include "quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18
#define EXPONENT_MAX 30

struct suffix {
    const char *text;
    int tens, twos;
};

static const struct suffix suffixes[] = {
    {"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},  {"k", 3, 0},   {"M", 6, 0},
    {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
    {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60},
};

/* "Mi", or an exponent such as "e3", "E-2". */
static bool read_suffix(struct hf_slice text, struct hf_kube_quantity *quantity)
{
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (hf_slice_is(text, suffixes[i].text)) {
            quantity->tens += suffixes[i].tens;
            quantity->twos = suffixes[i].twos;
            return true;
        }
    }
    char number[8];
    char *end;
    if (text.size < 2 || text.size > sizeof(number) || (text.data[0] | 0x20) != 'e') {
        return false;
    }
    memcpy(number, text.data + 1, text.size - 1);
    number[text.size - 1] = '\0';
    long exponent = strtol(number, &end, 10);
    quantity->tens += (int)exponent;
    return *end == '\0' && labs(exponent) <= EXPONENT_MAX;
}

bool hf_kube_quantity_read(struct hf_slice text, struct hf_kube_quantity *ret_quantity)
{
    struct hf_kube_quantity quantity = {0};
    size_t at = 0, seen = 0;
    int kept = 0;
    bool is_negative = text.size > 0 && text.data[0] == '-', has_point = false;
    at += text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    for (; at < text.size; at++) {
        uint8_t c = text.data[at];
        if (c == '.' && !has_point) {
            has_point = true;
        } else if (c >= '0' && c <= '9') {
            bool fits = kept < DIGITS_MAX;
            quantity.digits = fits ? quantity.digits * 10 + (c - '0') : quantity.digits;
            kept += fits && quantity.digits != 0;
            quantity.tens += (fits ? 0 : 1) - (has_point ? 1 : 0);
            seen++;
        } else {
            break;
        }
    }
    if (seen == 0 || seen > 64 ||
        !read_suffix(hf_slice_of(text.data + at, text.size - at), &quantity)) {
        return false;
    }
    quantity.digits = is_negative ? -quantity.digits : quantity.digits;
    *ret_quantity = quantity;
    return true;
}

double hf_kube_quantity_double(const struct hf_kube_quantity *quantity)
{
    return ldexp((double)quantity->digits * pow(10, quantity->tens), quantity->twos);
}

/* digits * 10^tens * 2^twos, rounded up. */
static int64_t rounded(const struct hf_kube_quantity *quantity, int tens)
{
    const __int128 most = INT64_MAX;
    __int128 value = quantity->digits;
    for (int i = 0; i < quantity->twos && value < most && value > -most; i++) {
        value *= 2;
    }
    for (; tens > 0 && value < most && value > -most; tens--) {
        value *= 10;
    }
    bool has_rest = false;
    for (; tens < 0 && value != 0; tens++) {
        has_rest = has_rest || value % 10 != 0;
        value /= 10;
    }
    value += has_rest && quantity->digits > 0;
    return value > most ? INT64_MAX : value < -most ? -INT64_MAX : (int64_t)value;
}

int64_t hf_kube_quantity_value(const struct hf_kube_quantity *quantity)
{
    return rounded(quantity, quantity->tens);
}

int64_t hf_kube_quantity_milli(const struct hf_kube_quantity *quantity)
{
    return rounded(quantity, quantity->tens + 3);
}
