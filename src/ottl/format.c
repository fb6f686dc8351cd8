#include "format.h"

#include <ctype.h>
#include <string.h>

#include "format_internal.h"
#include "util/rune.h"

#define NUMBER_MAX 1000000u /* a width or precision */

struct printing {
    struct hf_slice format;
    size_t at;
    const struct hf_format_argument *arguments;
    size_t count;
    size_t next;     /* argument */
    bool is_ordered; /* no directive has named its argument */
    bool is_good;    /* the one that this directive names is there */
    bool has_index;  /* directly before */
    struct hf_format_spec spec;
    struct hf_format_out out;
};

static void put_text(struct printing *printing, const char *text)
{
    hf_format_put(&printing->out, hf_slice_text(text));
}

static bool has_more(const struct printing *printing)
{
    return printing->at < printing->format.size;
}

static uint8_t byte_at(const struct printing *printing)
{
    return has_more(printing) ? printing->format.data[printing->at] : 0;
}

/* ---- numbers within a directive ---- */

/* Digits. False: there are none, or too large a number, of which nothing is taken. */
static bool take_number(struct printing *printing, size_t *ret_number)
{
    size_t number = 0, at = printing->at;
    while (at < printing->format.size && isdigit(printing->format.data[at])) {
        number = number * 10 + (printing->format.data[at++] - '0');
        if (number > NUMBER_MAX) {
            printing->at = printing->format.size;
            return false;
        }
    }
    if (at == printing->at) {
        return false;
    }
    printing->at = at;
    *ret_number = number;
    return true;
}

/* [2]: which argument is next. */
static void take_index(struct printing *printing)
{
    printing->has_index = false;
    if (byte_at(printing) != '[') {
        return;
    }
    printing->is_ordered = false;
    const uint8_t *start = printing->format.data + printing->at;
    const uint8_t *end = memchr(start, ']', printing->format.size - printing->at);
    size_t number;
    if (end == NULL) {
        printing->is_good = false;
        printing->at++;
        return;
    }
    size_t after = (size_t)(end - printing->format.data) + 1;
    printing->at++;
    bool is_number = take_number(printing, &number) && printing->at + 1 == after;
    printing->at = after;
    if (is_number && number >= 1 && number <= printing->count) {
        printing->next = number - 1;
        printing->has_index = true;
    } else {
        printing->is_good = false;
    }
}

/* The next argument as a width or a precision. */
static bool take_star(struct printing *printing, int64_t *ret_number)
{
    printing->at++;
    printing->has_index = false;
    if (printing->next >= printing->count) {
        return false;
    }
    const struct hf_ottl_value *value = &printing->arguments[printing->next++].value;
    if (value->type != HF_OTTL_INT || value->integer > (int64_t)NUMBER_MAX ||
        value->integer < -(int64_t)NUMBER_MAX) {
        return false;
    }
    *ret_number = value->integer;
    return true;
}

/* ---- the parts of a directive ---- */

static void take_flags(struct printing *printing)
{
    for (;; printing->at++) {
        switch (byte_at(printing)) {
        case '#':
            printing->spec.sharp = true;
            break;
        case '0':
            printing->spec.zero = true;
            break;
        case '+':
            printing->spec.plus = true;
            break;
        case '-':
            printing->spec.minus = true;
            break;
        case ' ':
            printing->spec.space = true;
            break;
        default:
            return;
        }
    }
}

static void take_width(struct printing *printing)
{
    struct hf_format_spec *spec = &printing->spec;
    int64_t number = 0;
    if (byte_at(printing) == '*') {
        spec->has_width = take_star(printing, &number);
        if (!spec->has_width) {
            put_text(printing, "%!(BADWIDTH)");
        }
        spec->minus |= number < 0;
        spec->width = (size_t)(number < 0 ? -number : number);
        return;
    }
    spec->has_width = take_number(printing, &spec->width);
    if (printing->has_index && spec->has_width) {
        printing->is_good = false; /* %[3]2d */
    }
}

static void take_precision(struct printing *printing)
{
    struct hf_format_spec *spec = &printing->spec;
    int64_t number = 0;
    if (printing->at + 1 > printing->format.size || byte_at(printing) != '.') {
        return;
    }
    printing->at++;
    if (printing->has_index) {
        printing->is_good = false; /* %[3].2d */
    }
    take_index(printing);
    if (byte_at(printing) == '*') {
        spec->has_precision = take_star(printing, &number) && number >= 0;
        if (!spec->has_precision) {
            put_text(printing, "%!(BADPREC)");
        }
        spec->precision = number > 0 ? (size_t)number : 0;
        return;
    }
    spec->has_precision = true;
    if (!take_number(printing, &spec->precision)) {
        spec->precision = 0;
    }
}

static void put_mistake(struct printing *printing, const char *says)
{
    put_text(printing, "%!");
    hf_format_put_rune(&printing->out, printing->spec.verb);
    put_text(printing, says);
}

static void print_directive(struct printing *printing)
{
    printing->spec = (struct hf_format_spec){0};
    printing->is_good = true;
    take_flags(printing);
    take_index(printing);
    take_width(printing);
    take_precision(printing);
    if (!printing->has_index) {
        take_index(printing);
    }
    if (!has_more(printing)) {
        put_text(printing, "%!(NOVERB)");
        return;
    }
    struct hf_rune rune = hf_rune_at(printing->format, printing->at);
    printing->at += rune.size;
    printing->spec.verb = rune.code;
    if (rune.code == '%') {
        put_text(printing, "%");
    } else if (!printing->is_good) {
        put_mistake(printing, "(BADINDEX)");
    } else if (printing->next >= printing->count) {
        put_mistake(printing, "(MISSING)");
    } else {
        hf_format_value(&printing->out, &printing->spec, &printing->arguments[printing->next++]);
    }
}

/* ---- the whole ---- */

static void print_extra(struct printing *printing)
{
    static const struct hf_format_spec plain = {.verb = 'v'};
    put_text(printing, "%!(EXTRA ");
    for (size_t i = printing->next; i < printing->count; i++) {
        const struct hf_format_argument *argument = &printing->arguments[i];
        put_text(printing, i > printing->next ? ", " : "");
        if (argument->value.type != HF_OTTL_NIL) {
            put_text(printing, hf_format_type(argument));
            put_text(printing, "=");
        }
        hf_format_value(&printing->out, &plain, argument);
    }
    put_text(printing, ")");
}

enum hf_status hf_ottl_format(struct hf_slice format, const struct hf_format_argument *arguments,
                              size_t count, struct hf_bytes *out)
{
    struct printing printing = {.format = format,
                                .arguments = arguments,
                                .count = count,
                                .is_ordered = true,
                                .out = {.bytes = out}};
    while (has_more(&printing) && printing.out.status == HF_OK) {
        const uint8_t *start = format.data + printing.at;
        const uint8_t *sign = memchr(start, '%', format.size - printing.at);
        size_t size = sign != NULL ? (size_t)(sign - start) : format.size - printing.at;
        hf_format_put(&printing.out, hf_slice_of(start, size));
        printing.at += size;
        if (sign != NULL) {
            printing.at++;
            print_directive(&printing);
        }
    }
    if (printing.is_ordered && printing.next < count) {
        print_extra(&printing);
    }
    return printing.out.status;
}
