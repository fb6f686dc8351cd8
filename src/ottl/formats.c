/* The converter Format. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "format.h"
#include "function.h"

#define NS_PER_S INT64_C(1000000000)

/* The parts of a second without zeros at the end: ".25" or "". */
static int put_fraction(char *room, size_t size, int64_t ns, int digits)
{
    while (digits > 0 && ns % 10 == 0) {
        ns /= 10;
        digits--;
    }
    return digits > 0 ? snprintf(room, size, ".%0*" PRId64, digits, ns) : 0;
}

/* "1h2m3.5s", "1.5ms", "0s": Go's text of a duration. */
static size_t print_duration(int64_t duration_ns, char *room, size_t size)
{
    static const struct {
        const char *name;
        int64_t ns;
        int digits;
    } small[] = {{"ns", 1, 0}, {"\xc2\xb5s", 1000, 3}, {"ms", 1000000, 6}};
    uint64_t left = duration_ns < 0 ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
    int at = snprintf(room, size, "%s", duration_ns < 0 ? "-" : "");
    if (left > 0 && left < (uint64_t)NS_PER_S) {
        size_t unit = left < 1000 ? 0 : left < 1000000 ? 1 : 2;
        int64_t whole = (int64_t)left / small[unit].ns;
        at += snprintf(room + at, size - (size_t)at, "%" PRId64, whole);
        at += put_fraction(room + at, size - (size_t)at, (int64_t)left % small[unit].ns,
                           small[unit].digits);
        at += snprintf(room + at, size - (size_t)at, "%s", small[unit].name);
        return (size_t)at;
    }
    uint64_t seconds = left / (uint64_t)NS_PER_S;
    if (seconds >= 3600) {
        at += snprintf(room + at, size - (size_t)at, "%" PRIu64 "h", seconds / 3600);
    }
    if (seconds >= 60) {
        at += snprintf(room + at, size - (size_t)at, "%" PRIu64 "m", seconds / 60 % 60);
    }
    at += snprintf(room + at, size - (size_t)at, "%" PRIu64, seconds % 60);
    at += put_fraction(room + at, size - (size_t)at, (int64_t)(left % (uint64_t)NS_PER_S), 9);
    at += snprintf(room + at, size - (size_t)at, "s");
    return (size_t)at;
}

/* "2024-05-01 10:00:00.5 +0000 UTC": Go's text of a time. */
static size_t print_time(const struct hf_ottl_value *value, char *room, size_t size)
{
    int64_t seconds = value->integer / NS_PER_S, ns = value->integer % NS_PER_S;
    char zone[8];
    struct tm parts;
    if (ns < 0) {
        seconds--;
        ns += NS_PER_S;
    }
    time_t local = (time_t)(seconds + value->offset_s);
    if (gmtime_r(&local, &parts) == NULL) {
        return 0;
    }
    int east = value->offset_s < 0 ? -value->offset_s : value->offset_s;
    snprintf(zone, sizeof(zone), "%c%02d%02d", value->offset_s < 0 ? '-' : '+', east / 3600 % 100,
             east / 60 % 60);
    int at = (int)strftime(room, size, "%Y-%m-%d %H:%M:%S", &parts);
    at += put_fraction(room + at, size - (size_t)at, ns, 9);
    at += snprintf(room + at, size - (size_t)at, " %s %s", zone, east == 0 ? "UTC" : zone);
    return (size_t)at;
}

#define TEXT_MAX 80u /* of a time or a duration */

/* The text of a value that has no verbs of its own. */
static bool text_of(struct hf_ottl_run *run, const struct hf_ottl_value *value,
                    struct hf_slice *ret_text)
{
    char room[TEXT_MAX];
    size_t size;
    switch (value->type) {
    case HF_OTTL_MAP:
    case HF_OTTL_LIST:
        return hf_ottl_text_of(run, value, ret_text);
    case HF_OTTL_TIME:
        size = print_time(value, room, sizeof(room));
        break;
    case HF_OTTL_DURATION:
        size = print_duration(value->integer, room, sizeof(room));
        break;
    case HF_OTTL_TRACE_ID:
    case HF_OTTL_SPAN_ID:
    case HF_OTTL_PROFILE_ID: {
        struct hf_ottl_value bytes = hf_ottl_of(HF_OTTL_BYTES, value->bytes);
        return hf_ottl_text_of(run, &bytes, ret_text);
    }
    default:
        *ret_text = HF_EMPTY_SLICE;
        return true;
    }
    *ret_text = hf_ottl_keep(run, hf_slice_of(room, size));
    return !run->no_memory;
}

static bool format(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                   const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value *items;
    size_t count;
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_ANYS, &items, &count)) {
        return false;
    }
    struct hf_format_argument *values = hf_ottl_take(run, (count + 1) * sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        values[i].value = items[i];
        if (!text_of(run, &items[i], &values[i].text)) {
            return false;
        }
    }
    hf_ottl_start_text(run);
    enum hf_status status = hf_ottl_format(arguments[0].bytes, values, count, &run->text);
    if (status == HF_FULL) {
        return hf_ottl_fail(run, "the text would have more than %u bytes", HF_FORMAT_MAX_BYTES);
    }
    return status == HF_OK
               ? hf_ottl_mend_text(
                     run, hf_ottl_keep(run, hf_slice_of(run->text.data, run->text.size)), ret_value)
               : hf_ottl_no_memory(run);
}

const struct hf_ottl_function hf_ottl_formats[] = {
    {.name = "Format",
     .arguments = {{"format", HF_ARG_STRING | HF_ARG_LITERAL}, {"vals", HF_ARG_ANYS}},
     .run = format},
    {.name = NULL},
};
