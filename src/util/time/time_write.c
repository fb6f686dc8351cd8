/*
 * time_write: a time as text by a layout, and the fields of a time.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "time_layout_internal.h"

struct writing {
    struct tm fields;
    int64_t ns;
    int32_t offset_s;
    struct hf_bytes *out;
    enum hf_status status;
};

struct tm hf_time_fields(int64_t unix_ns, int32_t offset_s, int64_t *ret_ns)
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

int32_t hf_time_local_offset_s(int64_t unix_s)
{
    struct tm fields;
    time_t moment = (time_t)unix_s;
    return localtime_r(&moment, &fields) != NULL ? (int32_t)fields.tm_gmtoff : 0;
}

static void put_text(struct writing *writing, struct hf_slice text)
{
    if (writing->status == HF_OK) {
        writing->status = hf_bytes_append(writing->out, text);
    }
}

static void put(struct writing *writing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct writing *writing, const char *format, ...)
{
    char room[64];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room, sizeof(room), format, arguments);
    va_end(arguments);
    put_text(writing, hf_slice_of(room, (size_t)size));
}

static void put_offset(struct writing *writing, unsigned form)
{
    int32_t offset = writing->offset_s;
    if (offset == 0 && (form & OFFSET_Z) != 0) {
        put(writing, "Z");
        return;
    }
    const char *colon = (form & OFFSET_COLON) != 0 ? ":" : "";
    char sign = offset < 0 ? '-' : '+';
    offset = offset < 0 ? -offset : offset;
    put(writing, "%c%02d", sign, offset / 3600);
    if ((form & OFFSET_HOURS) == 0) {
        put(writing, "%s%02d", colon, offset / 60 % 60);
    }
    if ((form & OFFSET_SECONDS) != 0) {
        put(writing, "%s%02d", colon, offset % 60);
    }
}

/* The abbreviation is not kept; those zones that have none are written like this. */
static void put_zone(struct writing *writing)
{
    if (writing->offset_s == 0) {
        put(writing, "UTC");
    } else {
        put_offset(writing, writing->offset_s % 3600 == 0 ? OFFSET_HOURS : 0);
    }
}

/* Without its point when nothing is behind it. */
static void put_fraction(struct writing *writing, const struct part *part)
{
    unsigned digits = part->detail > 9 ? 9 : part->detail;
    char room[16];
    snprintf(room, sizeof(room), "%09d", (int)writing->ns);
    while (part->kind == FRACTION_ANY && digits > 0 && room[digits - 1] == '0') {
        digits--;
    }
    if (digits > 0) {
        put(writing, "%c%.*s", part->point, (int)digits, room);
    }
}

static void put_date(struct writing *writing, enum part_kind kind)
{
    const struct tm *fields = &writing->fields;
    const char *month = hf_time_months[fields->tm_mon];
    const char *weekday = hf_time_weekdays[fields->tm_wday];
    switch (kind) {
    case LONG_YEAR:
    case ANY_YEAR:
        put(writing, "%04d", fields->tm_year + 1900);
        break;
    case YEAR:
        put(writing, "%02d", (fields->tm_year + 1900) % 100);
        break;
    case LONG_MONTH:
        put(writing, "%s", month);
        break;
    case MONTH:
        put(writing, "%.3s", month);
        break;
    case NUMBER_MONTH:
        put(writing, "%d", fields->tm_mon + 1);
        break;
    case ZERO_MONTH:
        put(writing, "%02d", fields->tm_mon + 1);
        break;
    case SPACE_MONTH: /* as the Go collector has it */
        put(writing, "_%d", fields->tm_mon + 1);
        break;
    case LONG_WEEKDAY:
        put(writing, "%s", weekday);
        break;
    case WEEKDAY:
        put(writing, "%.3s", weekday);
        break;
    case DAY:
        put(writing, "%d", fields->tm_mday);
        break;
    case SPACE_DAY:
        put(writing, "%2d", fields->tm_mday);
        break;
    case ZERO_DAY:
        put(writing, "%02d", fields->tm_mday);
        break;
    default:
        put(writing, "%03d", fields->tm_yday + 1);
        break;
    }
}

static void put_part(struct writing *writing, const struct part *part)
{
    const struct tm *fields = &writing->fields;
    int half = fields->tm_hour % 12 == 0 ? 12 : fields->tm_hour % 12;
    switch (part->kind) {
    case HOUR:
        put(writing, "%02d", fields->tm_hour);
        break;
    case HOUR_12:
        put(writing, "%d", half);
        break;
    case ZERO_HOUR_12:
        put(writing, "%02d", half);
        break;
    case MINUTE:
        put(writing, "%d", fields->tm_min);
        break;
    case ZERO_MINUTE:
        put(writing, "%02d", fields->tm_min);
        break;
    case SECOND:
        put(writing, "%d", fields->tm_sec);
        break;
    case ZERO_SECOND:
        put(writing, "%02d", fields->tm_sec);
        break;
    case UPPER_PM:
        put(writing, "%s", fields->tm_hour >= 12 ? "PM" : "AM");
        break;
    case LOWER_PM:
        put(writing, "%s", fields->tm_hour >= 12 ? "pm" : "am");
        break;
    case FRACTION_ANY:
    case FRACTION_EXACT:
        put_fraction(writing, part);
        break;
    case ZONE_NAME:
        put_zone(writing);
        break;
    case OFFSET:
        put_offset(writing, part->detail);
        break;
    case END:
        break;
    default:
        put_date(writing, part->kind);
        break;
    }
}

enum hf_status hf_time_layout_write(const struct hf_time_layout *layout, int64_t unix_ns,
                                    int32_t offset_s, struct hf_bytes *out)
{
    struct writing writing = {.offset_s = offset_s, .out = out, .status = HF_OK};
    assert(layout->epoch == NO_EPOCH);
    writing.fields = hf_time_fields(unix_ns, offset_s, &writing.ns);
    for (size_t i = 0; i < layout->count; i++) {
        put_text(&writing, layout->parts[i].prefix);
        put_part(&writing, &layout->parts[i]);
    }
    return writing.status;
}
