/*
 * time_parse: the time that a text tells by a layout.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "time_layout_internal.h"

/* ---- reading a text ---- */

struct reading {
    const char *at, *end;
    int64_t year;
    int month, day, year_day, hour, minute, second;
    int64_t ns;
    bool is_pm, is_am, has_offset, is_flexible;
    int32_t offset_s;
    char zone[8];
};

static bool digit_at(const struct reading *r, size_t i)
{
    return (size_t)(r->end - r->at) > i && isdigit((unsigned char)r->at[i]);
}

static bool skip(struct reading *r, struct hf_slice prefix)
{
    for (size_t i = 0; i < prefix.size; i++) {
        if (prefix.data[i] == ' ') {
            if (r->at < r->end && *r->at != ' ') {
                return false;
            }
            while (i + 1 < prefix.size && prefix.data[i + 1] == ' ') {
                i++;
            }
            while (r->at < r->end && *r->at == ' ') {
                r->at++;
            }
            continue;
        }
        if (r->at == r->end || (uint8_t)*r->at != prefix.data[i]) {
            return false;
        }
        r->at++;
    }
    return true;
}

/* Exactly `digits` of them. */
static bool take_digits(struct reading *r, unsigned digits, int64_t *ret)
{
    int64_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (!digit_at(r, i)) {
            return false;
        }
        value = value * 10 + (r->at[i] - '0');
    }
    r->at += digits;
    *ret = value;
    return true;
}

/* One or two digits; two when fixed. */
static bool take_two(struct reading *r, bool fixed, int low, int high, int *ret)
{
    int64_t value = 0;
    bool both = digit_at(r, 1) || (fixed && !r->is_flexible);
    if (!take_digits(r, both ? 2 : 1, &value) || value < low || value > high) {
        return false;
    }
    *ret = (int)value;
    return true;
}

const char *const hf_time_months[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const hf_time_weekdays[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};

static bool take_word(struct reading *r, const char *const *words, int count, bool is_long,
                      int *ret)
{
    for (int i = 0; i < count; i++) {
        size_t size = is_long ? strlen(words[i]) : 3;
        if ((size_t)(r->end - r->at) >= size && strncasecmp(r->at, words[i], size) == 0) {
            r->at += size;
            *ret = i;
            return true;
        }
    }
    return false;
}

static void take_fraction(struct reading *r)
{
    int64_t scale = NS_PER_S;
    r->ns = 0;
    for (r->at++; digit_at(r, 0); r->at++) {
        scale /= 10;
        r->ns += (*r->at - '0') * scale;
    }
}

static bool has_fraction(const struct reading *r)
{
    return r->at < r->end && (*r->at == '.' || *r->at == ',') && digit_at(r, 1);
}

static bool take_exact_fraction(struct reading *r, unsigned digits)
{
    if (!has_fraction(r)) {
        return false;
    }
    const char *start = r->at;
    take_fraction(r);
    return r->at - start - 1 == (ptrdiff_t)digits;
}

static bool take_fraction_part(struct reading *r, const struct part *part)
{
    if (part->kind == FRACTION_EXACT) {
        return take_exact_fraction(r, part->detail);
    }
    if (has_fraction(r)) {
        take_fraction(r);
    }
    return true;
}

static bool take_second(struct reading *r, bool fixed, enum part_kind next)
{
    if (!take_two(r, fixed, 0, 59, &r->second)) {
        return false;
    }
    /* A fraction is taken even where the layout has none. */
    if (has_fraction(r) && next != FRACTION_ANY && next != FRACTION_EXACT) {
        take_fraction(r);
    }
    return true;
}

static bool take_half(struct reading *r, const char *am, const char *pm)
{
    if (r->end - r->at < 2) {
        return false;
    }
    r->is_pm = memcmp(r->at, pm, 2) == 0;
    r->is_am = memcmp(r->at, am, 2) == 0;
    r->at += 2;
    return r->is_pm || r->is_am;
}

/* %z is +hhmm, +hh:mm or +hh: the form of what is there. */
static unsigned form_there(const struct reading *r)
{
    bool has_colon = r->end - r->at > 3 && r->at[3] == ':' && digit_at(r, 4);
    return OFFSET_Z | (has_colon ? OFFSET_COLON : digit_at(r, 3) ? 0 : OFFSET_HOURS);
}

static bool take_offset(struct reading *r, unsigned form)
{
    int64_t hours = 0, minutes = 0, seconds = 0;
    if ((form & OFFSET_Z) != 0 && r->at < r->end && *r->at == 'Z') {
        r->at++;
        r->has_offset = true;
        return true;
    }
    if (r->at == r->end || (*r->at != '+' && *r->at != '-')) {
        return false;
    }
    form = r->is_flexible && form == OFFSET_Z ? form_there(r) : form;
    int sign = *r->at++ == '-' ? -1 : 1;
    struct hf_slice colon = (form & OFFSET_COLON) != 0 ? hf_slice_text(":") : HF_EMPTY_SLICE;
    if (!take_digits(r, 2, &hours) ||
        ((form & OFFSET_HOURS) == 0 && (!skip(r, colon) || !take_digits(r, 2, &minutes))) ||
        ((form & OFFSET_SECONDS) != 0 && (!skip(r, colon) || !take_digits(r, 2, &seconds))) ||
        hours > 24 || minutes > 60 || seconds > 60) {
        return false;
    }
    r->offset_s = sign * (int32_t)(hours * 3600 + minutes * 60 + seconds);
    r->has_offset = true;
    return true;
}

static bool take_zone_name(struct reading *r)
{
    size_t size = 0;
    while (r->at + size < r->end && isupper((unsigned char)r->at[size]) && size < 6) {
        size++;
    }
    if (size < 3 || size > 5) {
        return false;
    }
    memcpy(r->zone, r->at, size);
    r->zone[size] = '\0';
    r->at += size;
    return true;
}

static bool take_year(struct reading *r, enum part_kind kind)
{
    bool is_long = kind == LONG_YEAR ||
                   (kind == ANY_YEAR && digit_at(r, 1) && digit_at(r, 2) && digit_at(r, 3));
    if (!take_digits(r, is_long ? 4 : 2, &r->year)) {
        return false;
    }
    r->year += is_long ? 0 : r->year >= 69 ? 1900 : 2000;
    return true;
}

static void take_space(struct reading *r)
{
    if (r->at < r->end && *r->at == ' ') {
        r->at++;
    }
}

/* strptime reads a number, and %z, behind any spaces. */
static void skip_spaces(struct reading *r, const struct part *part)
{
    static const enum part_kind others[] = {LONG_MONTH,   MONTH,         LONG_WEEKDAY, WEEKDAY,
                                            UPPER_PM,     LOWER_PM,      ZONE_NAME,    END,
                                            FRACTION_ANY, FRACTION_EXACT};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (part->kind == others[i]) {
            return;
        }
    }
    if (part->kind == OFFSET && (part->detail & OFFSET_Z) == 0) {
        return;
    }
    while (r->at < r->end && isspace((unsigned char)*r->at)) {
        r->at++;
    }
}

static bool take_date_part(struct reading *r, const struct part *part)
{
    int unused = 0;
    int64_t value = 0;
    bool good = true;
    switch (part->kind) {
    case LONG_YEAR:
    case YEAR:
    case ANY_YEAR:
        return take_year(r, part->kind);
    case LONG_MONTH:
    case MONTH:
        good = take_word(r, hf_time_months, 12, part->kind == LONG_MONTH, &r->month);
        r->month++;
        return good;
    case SPACE_MONTH:
    case NUMBER_MONTH:
    case ZERO_MONTH:
        return take_two(r, part->kind == ZERO_MONTH, 1, 12, &r->month);
    case LONG_WEEKDAY:
    case WEEKDAY:
        return take_word(r, hf_time_weekdays, 7, part->kind == LONG_WEEKDAY, &unused);
    case SPACE_DAY:
        take_space(r);
        return take_two(r, false, 1, 31, &r->day);
    case DAY:
    case ZERO_DAY:
        return take_two(r, part->kind == ZERO_DAY, 1, 31, &r->day);
    case ZERO_YEAR_DAY:
        good = take_digits(r, 3, &value) && value >= 1 && value <= 366;
        r->year_day = (int)value;
        return good;
    default:
        return true;
    }
}

static bool take_time_part(struct reading *r, const struct part *part)
{
    switch (part->kind) {
    case HOUR:
        return take_two(r, false, 0, 23, &r->hour);
    case HOUR_12:
    case ZERO_HOUR_12:
        return take_two(r, part->kind == ZERO_HOUR_12, 0, 12, &r->hour);
    case MINUTE:
    case ZERO_MINUTE:
        return take_two(r, part->kind == ZERO_MINUTE, 0, 59, &r->minute);
    case SECOND:
    case ZERO_SECOND:
        return take_second(r, part->kind == ZERO_SECOND,
                           part[1].prefix.size == 0 ? part[1].kind : END);
    case UPPER_PM:
        return take_half(r, "AM", "PM");
    case LOWER_PM:
        return take_half(r, "am", "pm");
    case FRACTION_ANY:
    case FRACTION_EXACT:
        return take_fraction_part(r, part);
    case ZONE_NAME:
        return take_zone_name(r);
    case OFFSET:
        return take_offset(r, part->detail);
    default:
        return true;
    }
}

/* A part is of the one or of the other. */
static bool take_part(struct reading *r, const struct part *part)
{
    if (r->is_flexible) {
        skip_spaces(r, part);
    }
    return take_date_part(r, part) && take_time_part(r, part);
}

static bool is_date(const struct reading *r)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (r->year % 4 == 0 && r->year % 100 != 0) || r->year % 400 == 0;
    if (r->year_day != 0) {
        return r->year_day <= 365 + (leap ? 1 : 0);
    }
    return r->day <= days[r->month - 1] && (r->month != 2 || r->day != 29 || leap);
}

static bool find_named(const struct hf_time_layout *layout, const char *name, int64_t wall_s,
                       int64_t *ret_s)
{
    int32_t offset_s = 0;
    struct hf_zone *zone = NULL;
    if (strcmp(name, "UTC") == 0) {
        *ret_s = wall_s;
        return true;
    }
    if (layout->zone != NULL && hf_zone_find(layout->zone, name, &offset_s)) {
        *ret_s = wall_s - offset_s;
        return true;
    }
    if (hf_zone_open(name, &zone) != HF_OK) {
        return false;
    }
    *ret_s = hf_zone_to_unix(zone, wall_s);
    hf_zone_close(zone);
    return true;
}

static int64_t wall_s_of(const struct reading *r, int64_t year)
{
    int64_t days = hf_zone_days(year, (unsigned)r->month, (unsigned)r->day);
    days += r->year_day != 0 ? r->year_day - 1 : 0;
    return days * 86400 + r->hour * 3600 + r->minute * 60 + r->second;
}

/* A time without a year is of this one, or of the last when it would lie more than a week ahead. */
static int64_t guess_year(const struct reading *r)
{
    int64_t now_ns = (int64_t)hf_clock_unix_ns(), unused = 0;
    int64_t year = hf_time_fields(now_ns, 0, &unused).tm_year + 1900;
    return wall_s_of(r, year) > now_ns / NS_PER_S + 7 * 86400 ? year - 1 : year;
}

/* The Unix time of a wall clock in the text's zone, or the layout's. */
static bool find_unix_s(const struct hf_time_layout *layout, const struct reading *r,
                        int64_t wall_s, int64_t *ret_s)
{
    *ret_s = wall_s;
    if (r->has_offset) {
        *ret_s -= r->offset_s;
    } else if (r->zone[0] != '\0') {
        return find_named(layout, r->zone, wall_s, ret_s);
    } else if (layout->zone != NULL) {
        *ret_s = hf_zone_to_unix(layout->zone, wall_s);
    }
    return true;
}

static bool finish(const struct hf_time_layout *layout, struct reading *r, int64_t *ret_ns,
                   int32_t *ret_offset_s)
{
    int64_t unix_s = 0, ns = 0;
    r->hour += r->is_pm && r->hour < 12 ? 12 : 0;
    r->hour = r->is_am && r->hour == 12 ? 0 : r->hour;
    if (r->year_day != 0) {
        r->month = 1;
        r->day = 1;
    }
    /* Without a year it is 0, which has a 29th of February. */
    if (!is_date(r)) {
        return false;
    }
    int64_t wall_s = wall_s_of(r, r->year != 0 ? r->year : guess_year(r));
    if (!find_unix_s(layout, r, wall_s, &unix_s) || __builtin_mul_overflow(unix_s, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, r->ns, ret_ns)) {
        return false;
    }
    *ret_offset_s = (int32_t)(wall_s - unix_s);
    return true;
}

/* ---- since the epoch ---- */

bool hf_time_layout_is_epoch(const struct hf_time_layout *layout)
{
    return layout->epoch != NO_EPOCH;
}

bool hf_time_layout_of_integer(const struct hf_time_layout *layout, int64_t value, int64_t *ret_ns)
{
    int64_t unit = layout->epoch == EPOCH_INTEGER ? layout->unit_ns : NS_PER_S;
    return layout->epoch != NO_EPOCH && !__builtin_mul_overflow(value, unit, ret_ns);
}

bool hf_time_layout_of_double(const struct hf_time_layout *layout, double value, int64_t *ret_ns)
{
    if (layout->epoch == NO_EPOCH || !(fabs(value) < 9.2e18)) {
        return false;
    }
    if (layout->epoch == EPOCH_INTEGER) {
        return hf_time_layout_of_integer(layout, (int64_t)value, ret_ns);
    }
    char text[64];
    int size = snprintf(text, sizeof(text), "%.*f", (int)layout->precision, value);
    return size > 0 && (size_t)size < sizeof(text) &&
           hf_time_layout_parse(layout, hf_slice_of(text, (size_t)size), ret_ns);
}

static bool take_integer(const char **at, const char *end, int64_t *ret)
{
    bool negative = *at < end && **at == '-';
    int64_t value = 0;
    *at += *at < end && (**at == '-' || **at == '+');
    if (*at == end || !isdigit((unsigned char)**at)) {
        return false;
    }
    for (; *at < end && isdigit((unsigned char)**at); (*at)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **at - '0', &value)) {
            return false;
        }
    }
    *ret = negative ? -value : value;
    return true;
}

static bool parse_epoch(const struct hf_time_layout *layout, struct hf_slice text, int64_t *ret_ns)
{
    const char *at = (const char *)text.data, *end = at + text.size;
    int64_t whole = 0, fraction = 0;
    if (!take_integer(&at, end, &whole)) {
        return false;
    }
    if (layout->epoch == EPOCH_INTEGER) {
        return at == end && hf_time_layout_of_integer(layout, whole, ret_ns);
    }
    if (at == end || *at++ != '.' || !take_integer(&at, end, &fraction) || at != end) {
        return false;
    }
    int64_t ns = 0;
    return !__builtin_mul_overflow(whole, NS_PER_S, ret_ns) &&
           !__builtin_mul_overflow(fraction, layout->unit_ns, &ns) &&
           !__builtin_add_overflow(*ret_ns, ns, ret_ns);
}

bool hf_time_layout_read(const struct hf_time_layout *layout, struct hf_slice text, int64_t *ret_ns,
                         int32_t *ret_offset_s)
{
    if (text.size == 0) {
        return false;
    }
    struct reading r = {
        .at = (const char *)text.data, .month = 1, .day = 1, .is_flexible = layout->is_flexible};
    r.end = r.at + text.size;
    for (size_t i = 0; i < layout->count; i++) {
        if (!skip(&r, layout->parts[i].prefix) || !take_part(&r, &layout->parts[i])) {
            return false;
        }
    }
    return r.at == r.end && finish(layout, &r, ret_ns, ret_offset_s);
}

bool hf_time_layout_parse(const struct hf_time_layout *layout, struct hf_slice text,
                          int64_t *ret_ns)
{
    int32_t offset_s = 0;
    return layout->epoch != NO_EPOCH ? parse_epoch(layout, text, ret_ns)
                                     : hf_time_layout_read(layout, text, ret_ns, &offset_s);
}

/* ---- RFC 3339 ---- */

static inline bool two(const uint8_t *at, unsigned *ret)
{
    unsigned high = (unsigned)at[0] - '0', low = (unsigned)at[1] - '0';
    *ret = high * 10 + low;
    return high <= 9 && low <= 9;
}

bool hf_time_rfc3339(struct hf_slice text, int64_t *ret_ns)
{
    const uint8_t *t = text.data;
    unsigned century, year, month, day, hour, minute, second;
    if (text.size < 20 || !two(t, &century) || !two(t + 2, &year) || t[4] != '-' ||
        !two(t + 5, &month) || t[7] != '-' || !two(t + 8, &day) || t[10] != 'T' ||
        !two(t + 11, &hour) || t[13] != ':' || !two(t + 14, &minute) || t[16] != ':' ||
        !two(t + 17, &second) || hour > 23 || minute > 59 || second > 59 || month < 1 ||
        month > 12 || day < 1) {
        return false;
    }
    struct reading r = {.at = (const char *)t + 19,
                        .end = (const char *)t + text.size,
                        .year = (int64_t)century * 100 + year,
                        .month = (int)month,
                        .day = (int)day};
    if (has_fraction(&r)) {
        take_fraction(&r);
    }
    if (!is_date(&r) || !take_offset(&r, OFFSET_Z | OFFSET_COLON) || r.at != r.end) {
        return false;
    }
    int64_t unix_s = hf_zone_days(r.year, month, day) * 86400 + (int64_t)hour * 3600 +
                     (int64_t)minute * 60 + second - r.offset_s;
    return !__builtin_mul_overflow(unix_s, NS_PER_S, ret_ns) &&
           !__builtin_add_overflow(*ret_ns, r.ns, ret_ns);
}
