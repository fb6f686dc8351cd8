#include "page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/escape.h"
#include "util/time/clock.h"

#define NUMBER_MAX 400 /* a double may have 309 digits */

void hf_console_page_init(struct hf_console_page *page, size_t limit_bytes)
{
    *page = (struct hf_console_page){.limit_bytes = limit_bytes};
}

void hf_console_page_release(struct hf_console_page *page)
{
    hf_bytes_release(&page->text);
}

void hf_console_put_raw(struct hf_console_page *page, struct hf_slice text)
{
    bool fits = text.size <= page->limit_bytes - page->text.size;
    page->failed = page->failed || !fits || hf_bytes_append(&page->text, text) != HF_OK;
}

static const char *entity_of(uint8_t byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return "\n";
    case '\t':
        return "\t";
    default:
        return NULL;
    }
}

/* A run without markup. */
static void put_run(struct hf_console_page *page, struct hf_slice run)
{
    if (hf_escape_is_needless(run)) {
        hf_console_put_raw(page, run);
        return;
    }
    bool fits = run.size * HF_ESCAPE_UNIT_MAX <= page->limit_bytes - page->text.size;
    page->failed =
        page->failed || !fits || hf_escape_append(HF_ESCAPE_LINE, run, &page->text) != HF_OK;
}

void hf_console_escape(struct hf_console_page *page, struct hf_slice text)
{
    size_t begin = 0;
    for (size_t at = 0; at < text.size && !page->failed; at++) {
        const char *entity = entity_of(text.data[at]);
        if (entity != NULL) {
            put_run(page, hf_slice_of(text.data + begin, at - begin));
            hf_console_put_raw(page, hf_slice_text(entity));
            begin = at + 1;
        }
    }
    if (!page->failed) {
        put_run(page, hf_slice_of(text.data + begin, text.size - begin));
    }
}

/* ---- the format ---- */

struct directive {
    int precision; /* -1: none, -2: an argument */
    int longs;     /* of "l" */
    bool is_size;
    char conversion;
    const char *end;
};

static struct directive parse(const char *at)
{
    struct directive directive = {.precision = -1};
    if (*at == '.') {
        at++;
        directive.precision = *at == '*' ? -2 : *at - '0';
        at++;
    }
    for (; *at == 'l'; at++) {
        directive.longs++;
    }
    if (*at == 'z') {
        directive.is_size = true;
        at++;
    }
    directive.conversion = *at;
    directive.end = at + 1;
    return directive;
}

static uint64_t take_unsigned(const struct directive *directive, va_list *arguments)
{
    if (directive->is_size) {
        return va_arg(*arguments, size_t);
    }
    return directive->longs == 0   ? va_arg(*arguments, unsigned)
           : directive->longs == 1 ? va_arg(*arguments, unsigned long)
                                   : va_arg(*arguments, unsigned long long);
}

static int64_t take_signed(const struct directive *directive, va_list *arguments)
{
    return directive->longs == 0   ? va_arg(*arguments, int)
           : directive->longs == 1 ? va_arg(*arguments, long)
                                   : va_arg(*arguments, long long);
}

static void put_text(struct hf_console_page *page, const struct directive *directive,
                     va_list *arguments)
{
    int size = directive->precision == -2 ? va_arg(*arguments, int) : -1;
    const char *text = va_arg(*arguments, const char *);
    text = text != NULL ? text : "";
    hf_console_escape(page, size >= 0 ? hf_slice_of(text, strnlen(text, (size_t)size))
                                      : hf_slice_text(text));
}

static void put_value(struct hf_console_page *page, const struct directive *directive,
                      va_list *arguments)
{
    char number[NUMBER_MAX];
    int size = 0;
    switch (directive->conversion) {
    case 's':
        put_text(page, directive, arguments);
        return;
    case 'c':
        number[size++] = (char)va_arg(*arguments, int);
        break;
    case 'd':
        size =
            snprintf(number, sizeof(number), "%lld", (long long)take_signed(directive, arguments));
        break;
    case 'u':
        size = snprintf(number, sizeof(number), "%llu",
                        (unsigned long long)take_unsigned(directive, arguments));
        break;
    case 'f':
        size = snprintf(number, sizeof(number), "%.*f",
                        directive->precision >= 0 ? directive->precision : 6,
                        va_arg(*arguments, double));
        break;
    default:
        assert(directive->conversion == '%');
        number[size++] = '%';
        break;
    }
    hf_console_escape(page, hf_slice_of(number, (size_t)size));
}

void hf_console_put(struct hf_console_page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        hf_console_put_raw(page, hf_slice_of(format, plain));
        format += plain;
        if (*format == '%') {
            struct directive directive = parse(format + 1);
            put_value(page, &directive, &arguments);
            format = directive.end;
        }
    }
    va_end(arguments);
}

void hf_console_put_url(struct hf_console_page *page, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; text != NULL && *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        const char coded[3] = {'%', hex[byte >> 4], hex[byte & 15]};
        bool is_plain = strchr(plain, *text) != NULL;
        hf_console_put_raw(page, hf_slice_of(is_plain ? text : coded, is_plain ? 1 : 3));
    }
}

/* ---- numbers ---- */

void hf_console_put_count(struct hf_console_page *page, uint64_t count)
{
    char digits[24], grouped[32];
    size_t size = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (i != 0 && (size - i) % 3 == 0) {
            grouped[used++] = ',';
        }
        grouped[used++] = digits[i];
    }
    hf_console_put_raw(page, hf_slice_of(grouped, used));
}

void hf_console_put_bytes(struct hf_console_page *page, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit < 5; unit++) {
        bytes /= 1024;
    }
    if (unit == 0 || bytes >= 99.95) {
        hf_console_put(page, "%.0f %s", bytes, units[unit]);
    } else {
        hf_console_put(page, "%.1f %s", bytes, units[unit]);
    }
}

void hf_console_put_duration(struct hf_console_page *page, double seconds)
{
    static const struct {
        double below, unit;
        const char *name;
    } rows[] = {{0.0009995, 1e-6, "µs"}, {0.9995, 1e-3, "ms"}, {59.95, 1, "s"},
                {3597, 60, "min"},       {86382, 3600, "h"},   {0, 86400, "d"}};
    size_t row = 0;
    for (; rows[row].below != 0 && seconds >= rows[row].below; row++) {
    }
    double amount = seconds / rows[row].unit;
    if (amount >= 9.95 || amount == 0) {
        hf_console_put(page, "%.0f %s", amount, rows[row].name);
    } else {
        hf_console_put(page, "%.1f %s", amount, rows[row].name);
    }
}

void hf_console_put_rate(struct hf_console_page *page, double per_second)
{
    if (per_second >= 999.5e3) {
        hf_console_put(page, "%.1fM/s", per_second / 1e6);
    } else if (per_second >= 9995) {
        hf_console_put(page, "%.0fk/s", per_second / 1e3);
    } else if (per_second >= 999.5) {
        hf_console_put(page, "%.1fk/s", per_second / 1e3);
    } else if (per_second >= 9.95) {
        hf_console_put(page, "%.0f/s", per_second);
    } else if (per_second >= 0.05) {
        hf_console_put(page, "%.1f/s", per_second);
    } else {
        hf_console_put(page, "0/s");
    }
}

void hf_console_put_time(struct hf_console_page *page, uint64_t unix_ns)
{
    char machine[32] = "", people[40] = "";
    struct tm parts;
    time_t seconds = (time_t)(unix_ns / HF_NS_PER_S);
    if (unix_ns == 0 || gmtime_r(&seconds, &parts) == NULL) {
        hf_console_put(page, "–");
        return;
    }
    strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%M:%SZ", &parts);
    strftime(people, sizeof(people), "%Y-%m-%d %H:%M:%S UTC", &parts);
    hf_console_put(page, "<time datetime=\"%s\">%s</time>", machine, people);
}
