#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/json_value.h"

#define NUMBER_ROOM 64
#define EXPONENT_FROM 6
#define EXPONENT_BELOW (-4)
#define SHORT_DIGITS 15
#define ALL_DIGITS 17
#define FEW_DIGITS_BELOW 1e15
#define EXPONENT_ROOM 8

/* The digits of a number that has few behind its point, as nearly all have. The division is that of
 * two exact numbers: when it gives the number back, these are its digits. */
static bool find_few_digits(double number, char *digits, int *ret_exponent)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        double scaled = number * powers[i];
        if (!(scaled < FEW_DIGITS_BELOW)) {
            return false;
        }
        uint64_t whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / powers[i] == number) {
            size_t size = hf_json_print_u64(whole, digits);
            digits[size] = '\0';
            *ret_exponent = (int)size - 1 - (int)i;
            return true;
        }
    }
    return false;
}

static void find_all_digits(double number, char *digits, int *ret_exponent)
{
    char text[NUMBER_ROOM];
    for (int count = SHORT_DIGITS; count <= ALL_DIGITS; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    size_t used = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            digits[used++] = *at;
        }
    }
    digits[used] = '\0';
    *ret_exponent = (int)strtol(at + 1, NULL, 10);
}

/* The digits without a point and without zeros at the end, and the exponent of the first of them;
 * returns how many. */
static size_t find_digits(double number, char *digits, int *ret_exponent)
{
    if (!find_few_digits(number, digits, ret_exponent)) {
        find_all_digits(number, digits, ret_exponent);
    }
    size_t used = strlen(digits);
    while (used > 1 && digits[used - 1] == '0') {
        used--;
    }
    return used;
}

/* With a NUL behind it. */
static size_t print_finite(double number, char *out)
{
    char digits[NUMBER_ROOM];
    int exponent;
    size_t count = find_digits(fabs(number), digits, &exponent);
    char *at = out;
    if (signbit(number)) {
        *at++ = '-';
    }
    bool has_exponent = exponent < EXPONENT_BELOW || exponent >= EXPONENT_FROM;
    size_t whole = has_exponent ? 1 : exponent >= 0 ? (size_t)exponent + 1 : 0;
    size_t head = count < whole ? count : whole; /* digits before the point */
    at = mempcpy(at, digits, head);
    memset(at, '0', whole - head);
    at += whole - head;
    if (whole == 0) {
        at = mempcpy(at, "0.000", 1 + (size_t)-exponent);
    } else if (count > whole) {
        *at++ = '.';
    }
    at = mempcpy(at, digits + head, count - head);
    *at = '\0';
    if (has_exponent) {
        at += snprintf(at, EXPONENT_ROOM, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    }
    return (size_t)(at - out);
}

enum hf_status hf_prom_number(double number, bool pointed, struct hf_bytes *out)
{
    char text[NUMBER_ROOM];
    if (isnan(number)) {
        return hf_bytes_append(out, hf_slice_text("NaN"));
    }
    if (isinf(number)) {
        return hf_bytes_append(out, hf_slice_text(number > 0 ? "+Inf" : "-Inf"));
    }
    size_t size = print_finite(number, text);
    enum hf_status status = hf_bytes_append(out, hf_slice_of(text, size));
    if (status == HF_OK && pointed && strpbrk(text, ".e") == NULL) {
        status = hf_bytes_append(out, hf_slice_text(".0"));
    }
    return status;
}

enum hf_status hf_prom_escape(struct hf_slice text, bool quotes, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    size_t start = 0;
    for (size_t i = 0; i <= text.size && status == HF_OK; i++) {
        const char *escape = NULL;
        if (i < text.size) {
            escape = text.data[i] == '\\'            ? "\\\\"
                     : text.data[i] == '\n'          ? "\\n"
                     : text.data[i] == '"' && quotes ? "\\\""
                                                     : NULL;
        }
        if (escape != NULL || i == text.size) {
            status = hf_bytes_append(out, i > start ? hf_slice_of(text.data + start, i - start)
                                                    : HF_EMPTY_SLICE);
            start = i + 1;
        }
        if (escape != NULL && status == HF_OK) {
            status = hf_bytes_append(out, hf_slice_text(escape));
        }
    }
    return status;
}
