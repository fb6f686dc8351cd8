#include "strptime.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NS_PER_S INT64_C(1000000000)
#define DIRECTIVES "YymoqbhBdegaAHlIpPMSLfsZzwijkDxFTXrRnt%c"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* What stands for several directives. */
static const char *expansion(uint8_t directive)
{
    switch (directive) {
    case 'D':
    case 'x':
        return "%m/%d/%Y";
    case 'F':
        return "%Y-%m-%d";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    case 'R':
        return "%H:%M";
    case 'r':
        return "%I:%M:%S %P";
    case 'c':
        return "%a %b %d %H:%M:%S %Y";
    default:
        return NULL;
    }
}

const char *hf_strptime_check(struct hf_slice layout)
{
    if (layout.size == 0) {
        return "the format is empty";
    }
    for (size_t i = 0; i < layout.size; i++) {
        if (isdigit(layout.data[i])) {
            return "the format should not contain decimals";
        }
        if (layout.data[i] != '%') {
            continue;
        }
        if (i + 1 == layout.size || strchr(DIRECTIVES, layout.data[i + 1]) == NULL ||
            layout.data[i + 1] == '\0') {
            return "the format has an unknown directive";
        }
        bool is_fraction = strchr("Lfs", layout.data[i + 1]) != NULL;
        if (is_fraction && (i == 0 || (layout.data[i - 1] != '.' && layout.data[i - 1] != ','))) {
            return "a fraction of a second must stand behind a point or a comma";
        }
        i++;
    }
    return NULL;
}

/* ---- reading ---- */

struct reading {
    struct hf_slice text;
    size_t at;
    int64_t year, ns;
    int month, day, hour, minute, second;
    bool has_year, is_pm, has_pm, has_offset;
    int32_t offset_s;
};

static int peek(const struct reading *reading, size_t ahead)
{
    return reading->at + ahead < reading->text.size ? reading->text.data[reading->at + ahead] : -1;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

/* A number of `least` to `most` digits. */
static bool read_number(struct reading *reading, size_t least, size_t most, int64_t *ret_number)
{
    size_t count = 0;
    *ret_number = 0;
    while (count < most && is_digit(peek(reading, 0))) {
        *ret_number = *ret_number * 10 + (peek(reading, 0) - '0');
        reading->at++;
        count++;
    }
    return count >= least;
}

static bool read_range(struct reading *reading, size_t least_digits, int least, int most, int *ret)
{
    int64_t number;
    while (peek(reading, 0) == ' ') {
        reading->at++;
    }
    if (!read_number(reading, least_digits, 2, &number) || number < least || number > most) {
        return false;
    }
    *ret = (int)number;
    return true;
}

/* One of some names, whole or its first three letters; in any letter case. */
static bool read_name(struct reading *reading, const char *const *names, size_t count, bool whole,
                      int *ret_index)
{
    const char *left = (const char *)reading->text.data + reading->at;
    for (size_t i = 0; i < count; i++) {
        size_t size = whole ? strlen(names[i]) : 3;
        if (reading->text.size - reading->at >= size && strncasecmp(left, names[i], size) == 0) {
            reading->at += size;
            *ret_index = (int)i;
            return true;
        }
    }
    return false;
}

static bool read_half(struct reading *reading, bool upper)
{
    static const char *const halves[] = {"am", "pm"};
    for (size_t i = 0; i < 2; i++) {
        int first = upper ? toupper(halves[i][0]) : halves[i][0];
        int second = upper ? 'M' : 'm';
        if (peek(reading, 0) == first && peek(reading, 1) == second) {
            reading->at += 2;
            reading->has_pm = true;
            reading->is_pm = i == 1;
            return true;
        }
    }
    return false;
}

/* Up to nine digits behind a point or comma. */
static void read_fraction(struct reading *reading)
{
    int64_t scale = NS_PER_S / 10;
    reading->ns = 0;
    while (is_digit(peek(reading, 0))) {
        reading->ns += (peek(reading, 0) - '0') * scale;
        scale /= 10;
        reading->at++;
    }
}

/* +hhmm, with or without a colon and minutes. */
static bool read_offset(struct reading *reading, bool may_be_z)
{
    int64_t hours = 0, minutes = 0, seconds = 0;
    int sign = peek(reading, 0);
    if (may_be_z && sign == 'Z') {
        reading->at++;
        reading->has_offset = true;
        return true;
    }
    if (sign != '+' && sign != '-') {
        return false;
    }
    reading->at++;
    if (!read_number(reading, 2, 2, &hours)) {
        return false;
    }
    reading->at += peek(reading, 0) == ':' && is_digit(peek(reading, 1));
    if (is_digit(peek(reading, 0)) && !read_number(reading, 2, 2, &minutes)) {
        return false;
    }
    reading->at += peek(reading, 0) == ':' && is_digit(peek(reading, 1));
    if (is_digit(peek(reading, 0)) && !read_number(reading, 2, 2, &seconds)) {
        return false;
    }
    reading->offset_s = (int32_t)(hours * 3600 + minutes * 60 + seconds);
    reading->offset_s = sign == '-' ? -reading->offset_s : reading->offset_s;
    reading->has_offset = true;
    return hours <= 24 && minutes < 60 && seconds < 60;
}

/* An abbreviation: those that mean the same everywhere. */
static bool read_zone(struct reading *reading)
{
    size_t start = reading->at;
    while (peek(reading, 0) >= 'A' && peek(reading, 0) <= 'Z') {
        reading->at++;
    }
    struct hf_slice name = hf_slice_of(reading->text.data + start, reading->at - start);
    reading->has_offset = true;
    reading->offset_s = 0;
    return hf_slice_is(name, "UTC") || hf_slice_is(name, "GMT") || hf_slice_is(name, "Z");
}

static bool read_year(struct reading *reading, uint8_t directive)
{
    bool is_short = directive == 'y';
    reading->has_year = true;
    if (!read_number(reading, is_short ? 2 : 4, is_short ? 2 : 4, &reading->year)) {
        return false;
    }
    if (is_short) {
        reading->year += reading->year >= 69 ? 1900 : 2000;
    }
    return true;
}

static bool read_directive(struct reading *reading, uint8_t directive)
{
    int ignored;
    switch (directive) {
    case 'Y':
    case 'y':
        return read_year(reading, directive);
    case 'm':
    case 'o':
    case 'q':
        return read_range(reading, 1, 1, 12, &reading->month);
    case 'd':
    case 'e':
    case 'g':
        return read_range(reading, 1, 1, 31, &reading->day);
    case 'b':
    case 'h':
    case 'B':
        if (!read_name(reading, months, 12, directive == 'B', &reading->month)) {
            return false;
        }
        reading->month++;
        return true;
    case 'a':
    case 'A':
        return read_name(reading, days, 7, directive == 'A', &ignored);
    case 'H':
        return read_range(reading, 1, 0, 23, &reading->hour);
    case 'I':
    case 'l':
        return read_range(reading, 1, 1, 12, &reading->hour);
    case 'p':
    case 'P':
        return read_half(reading, directive == 'p');
    case 'M':
        return read_range(reading, 1, 0, 59, &reading->minute);
    case 'S':
        return read_range(reading, 2, 0, 59, &reading->second);
    case 'z':
        return read_offset(reading, true);
    case 'w':
    case 'i':
    case 'j':
    case 'k':
        return read_offset(reading, false);
    case 'Z':
        return read_zone(reading);
    default:
        return false;
    }
}

static bool read_layout(struct reading *reading, struct hf_slice layout);

static bool read_one(struct reading *reading, struct hf_slice layout, size_t at, size_t *ret_next)
{
    uint8_t byte = layout.data[at];
    uint8_t next = at + 1 < layout.size ? layout.data[at + 1] : 0;
    *ret_next = at + 1;
    bool is_point = byte == '.' || byte == ',';
    if (is_point && next == '%' && at + 2 < layout.size && layout.data[at + 2] != '\0' &&
        strchr("Lfs", layout.data[at + 2]) != NULL) {
        /* The fraction and its point may be absent. */
        *ret_next = at + 3;
        if (peek(reading, 0) == '.' || peek(reading, 0) == ',') {
            reading->at++;
            read_fraction(reading);
        }
        return true;
    }
    if (byte != '%') {
        reading->at++;
        return reading->at <= reading->text.size && reading->text.data[reading->at - 1] == byte;
    }
    *ret_next = at + 2;
    const char *several = expansion(next);
    if (several != NULL) {
        return read_layout(reading, hf_slice_text(several));
    }
    if (next == 'n' || next == 't' || next == '%') {
        int expected = next == 'n' ? '\n' : next == 't' ? '\t' : '%';
        bool is_there = peek(reading, 0) == expected;
        reading->at += is_there;
        return is_there;
    }
    if (!read_directive(reading, next)) {
        return false;
    }
    /* Seconds take a fraction with them that the layout does not mention. */
    bool is_mentioned =
        at + 2 < layout.size && (layout.data[at + 2] == '.' || layout.data[at + 2] == ',');
    if (next == 'S' && !is_mentioned && (peek(reading, 0) == '.' || peek(reading, 0) == ',') &&
        is_digit(peek(reading, 1))) {
        reading->at++;
        read_fraction(reading);
    }
    return true;
}

static bool read_layout(struct reading *reading, struct hf_slice layout)
{
    for (size_t at = 0; at < layout.size;) {
        if (!read_one(reading, layout, at, &at)) {
            return false;
        }
    }
    return true;
}

/* Days since 1970-01-01, of the Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t of_era = shifted - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int64_t year, int month)
{
    static const int counts[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return counts[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

int32_t hf_strptime_local_offset(int64_t unix_s)
{
    struct tm fields;
    time_t moment = (time_t)unix_s;
    return localtime_r(&moment, &fields) != NULL ? (int32_t)fields.tm_gmtoff : 0;
}

static int64_t seconds_of(const struct reading *reading, int64_t year)
{
    return days_of(year, reading->month, reading->day) * 86400 + reading->hour * 3600 +
           reading->minute * 60 + reading->second;
}

static bool finish(struct reading *reading, enum hf_strptime_zone zone,
                   struct hf_strptime_result *ret_result)
{
    int64_t year = reading->year;
    if (reading->has_pm) {
        reading->hour = reading->hour % 12 + (reading->is_pm ? 12 : 0);
    }
    time_t now = time(NULL);
    struct tm today;
    if (!reading->has_year || year == 0) {
        year = gmtime_r(&now, &today) != NULL ? today.tm_year + 1900 : 1970;
        const int64_t week_s = 7 * 86400;
        year -= seconds_of(reading, year) > (int64_t)now + week_s;
    }
    if (reading->day > days_in(year, reading->month)) {
        return false;
    }
    int64_t seconds = seconds_of(reading, year);
    int32_t offset = reading->has_offset   ? reading->offset_s
                     : zone == HF_ZONE_UTC ? 0
                                           : hf_strptime_local_offset(seconds);
    if (!reading->has_offset && zone == HF_ZONE_LOCAL) {
        offset = hf_strptime_local_offset(seconds - offset);
    }
    seconds -= offset;
    if (seconds > INT64_MAX / NS_PER_S - 1 || seconds < INT64_MIN / NS_PER_S + 1) {
        return false;
    }
    *ret_result = (struct hf_strptime_result){seconds * NS_PER_S + reading->ns, offset};
    return true;
}

bool hf_strptime_read(struct hf_slice layout, struct hf_slice text, enum hf_strptime_zone zone,
                      struct hf_strptime_result *ret_result)
{
    struct reading reading = {.text = text, .month = 1, .day = 1};
    return read_layout(&reading, layout) && reading.at == text.size &&
           finish(&reading, zone, ret_result);
}

/* ---- writing ---- */

struct tm hf_strptime_fields(int64_t unix_ns, int32_t offset_s, int64_t *ret_ns)
{
    int64_t seconds = unix_ns / NS_PER_S;
    int64_t ns = unix_ns % NS_PER_S;
    struct tm fields = {0};
    seconds -= ns < 0;
    *ret_ns = ns < 0 ? ns + NS_PER_S : ns;
    time_t shifted = (time_t)(seconds + offset_s);
    gmtime_r(&shifted, &fields);
    return fields;
}

struct writing {
    struct tm fields;
    int64_t ns;
    int32_t offset_s;
    struct hf_bytes *out;
    enum hf_status status;
};

static void put(struct writing *writing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct writing *writing, const char *format, ...)
{
    char room[64];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room, sizeof(room), format, arguments);
    va_end(arguments);
    if (writing->status == HF_OK) {
        writing->status = hf_bytes_append(writing->out, hf_slice_of(room, (size_t)size));
    }
}

static void put_offset(struct writing *writing, uint8_t directive)
{
    int32_t offset = writing->offset_s;
    char sign = offset < 0 ? '-' : '+';
    offset = offset < 0 ? -offset : offset;
    int hours = offset / 3600, minutes = offset / 60 % 60, seconds = offset % 60;
    if (directive == 'z' && offset == 0) {
        put(writing, "Z");
    } else if (directive == 'w') {
        put(writing, "%c%02d%02d%02d", sign, hours, minutes, seconds);
    } else if (directive == 'i') {
        put(writing, "%c%02d", sign, hours);
    } else if (directive == 'j') {
        put(writing, "%c%02d:%02d", sign, hours, minutes);
    } else if (directive == 'k') {
        put(writing, "%c%02d:%02d:%02d", sign, hours, minutes, seconds);
    } else {
        put(writing, "%c%02d%02d", sign, hours, minutes);
    }
}

/* The fraction behind its point, without zeros at its end; nothing at all when it is 0. */
static void put_fraction(struct writing *writing, uint8_t point, uint8_t directive)
{
    int digits = directive == 'L' ? 3 : directive == 'f' ? 6 : 9;
    char room[16];
    snprintf(room, sizeof(room), "%09d", (int)writing->ns);
    while (digits > 0 && room[digits - 1] == '0') {
        digits--;
    }
    if (digits > 0) {
        put(writing, "%c%.*s", point, digits, room);
    }
}

static void put_zone(struct writing *writing)
{
    if (writing->offset_s == 0) {
        put(writing, "UTC");
    } else {
        put_offset(writing, writing->offset_s % 3600 == 0 ? 'i' : 'Z');
    }
}

static void put_date(struct writing *writing, uint8_t directive)
{
    const struct tm *fields = &writing->fields;
    switch (directive) {
    case 'Y':
        put(writing, "%04d", fields->tm_year + 1900);
        break;
    case 'y':
        put(writing, "%02d", (fields->tm_year + 1900) % 100);
        break;
    case 'm':
        put(writing, "%02d", fields->tm_mon + 1);
        break;
    case 'o':
        put(writing, "_%d", fields->tm_mon + 1);
        break;
    case 'q':
        put(writing, "%d", fields->tm_mon + 1);
        break;
    case 'b':
    case 'h':
        put(writing, "%.3s", months[fields->tm_mon]);
        break;
    case 'B':
        put(writing, "%s", months[fields->tm_mon]);
        break;
    case 'd':
        put(writing, "%02d", fields->tm_mday);
        break;
    case 'e':
        put(writing, "%2d", fields->tm_mday);
        break;
    case 'g':
        put(writing, "%d", fields->tm_mday);
        break;
    case 'a':
        put(writing, "%.3s", days[fields->tm_wday]);
        break;
    default:
        put(writing, "%s", days[fields->tm_wday]);
        break;
    }
}

static void put_clock(struct writing *writing, uint8_t directive)
{
    const struct tm *fields = &writing->fields;
    int half = fields->tm_hour % 12 == 0 ? 12 : fields->tm_hour % 12;
    switch (directive) {
    case 'H':
        put(writing, "%02d", fields->tm_hour);
        break;
    case 'I':
        put(writing, "%02d", half);
        break;
    case 'l':
        put(writing, "%d", half);
        break;
    case 'p':
        put(writing, "%s", fields->tm_hour >= 12 ? "PM" : "AM");
        break;
    case 'P':
        put(writing, "%s", fields->tm_hour >= 12 ? "pm" : "am");
        break;
    case 'M':
        put(writing, "%02d", fields->tm_min);
        break;
    case 'S':
        put(writing, "%02d", fields->tm_sec);
        break;
    case 'Z':
        put_zone(writing);
        break;
    case 'n':
        put(writing, "\n");
        break;
    case 't':
        put(writing, "\t");
        break;
    case '%':
        put(writing, "%%");
        break;
    default:
        put_offset(writing, directive);
        break;
    }
}

static void put_layout(struct writing *writing, struct hf_slice layout)
{
    for (size_t at = 0; at < layout.size; at++) {
        uint8_t byte = layout.data[at];
        uint8_t next = at + 1 < layout.size ? layout.data[at + 1] : 0;
        uint8_t third = at + 2 < layout.size ? layout.data[at + 2] : 0;
        if ((byte == '.' || byte == ',') && next == '%' && third != 0 &&
            strchr("Lfs", third) != NULL) {
            put_fraction(writing, byte, third);
            at += 2;
        } else if (byte != '%') {
            put(writing, "%c", byte);
        } else {
            const char *several = expansion(next);
            at++;
            if (several != NULL) {
                put_layout(writing, hf_slice_text(several));
            } else if (next != 0 && strchr("YymoqbhBdegaA", next) != NULL) {
                put_date(writing, next);
            } else {
                put_clock(writing, next);
            }
        }
    }
}

enum hf_status hf_strptime_write(struct hf_slice layout, int64_t unix_ns, int32_t offset_s,
                                 struct hf_bytes *out)
{
    struct writing writing = {.offset_s = offset_s, .out = out, .status = HF_OK};
    writing.fields = hf_strptime_fields(unix_ns, offset_s, &writing.ns);
    put_layout(&writing, layout);
    return writing.status;
}
