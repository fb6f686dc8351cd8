#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_ROOM 64
#define EXPONENT_FROM 6
#define EXPONENT_BELOW (-4)
#define SHORT_DIGITS 15
#define ALL_DIGITS 17

/* The digits without a point, and the exponent of the first of them. */
static int find_digits(double number, char *digits)
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
    while (used > 1 && digits[used - 1] == '0') {
        used--;
    }
    digits[used] = '\0';
    return (int)strtol(at + 1, NULL, 10);
}

static size_t print_finite(double number, char *out)
{
    char digits[NUMBER_ROOM];
    const char *sign = signbit(number) ? "-" : "";
    int exponent = find_digits(fabs(number), digits);
    int count = (int)strlen(digits);
    if (exponent < EXPONENT_BELOW || (exponent >= EXPONENT_FROM && exponent >= 0)) {
        const char *point = count > 1 ? "." : "";
        return (size_t)snprintf(out, NUMBER_ROOM, "%s%c%s%se%c%02d", sign, digits[0], point,
                                digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    }
    if (exponent < 0) {
        return (size_t)snprintf(out, NUMBER_ROOM, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
    }
    if (count <= exponent + 1) {
        return (size_t)snprintf(out, NUMBER_ROOM, "%s%s%.*s", sign, digits, exponent + 1 - count,
                                "000000");
    }
    return (size_t)snprintf(out, NUMBER_ROOM, "%s%.*s.%s", sign, exponent + 1, digits,
                            digits + exponent + 1);
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
