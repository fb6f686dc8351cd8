/* Converters of times. */
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "function.h"
#include "util/time/clock.h"
#include "util/time/time_layout.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

static struct hf_ottl_value time_value(int64_t unix_ns, int32_t offset_s)
{
    return (struct hf_ottl_value){.type = HF_OTTL_TIME, .offset_s = offset_s, .integer = unix_ns};
}

CONVERTER(now)
{
    int64_t ns = (int64_t)hf_clock_unix_ns();
    (void)run;
    (void)call;
    (void)arguments;
    *ret_value = time_value(ns, hf_time_local_offset_s(ns / (int64_t)HF_NS_PER_S));
    return true;
}

/* ---- from and to texts ---- */

CONVERTER(read_time)
{
    int64_t unix_ns;
    int32_t offset_s;
    if (arguments[0].bytes.size == 0) {
        return hf_ottl_fail(run, "time cannot be nil");
    }
    if (!hf_time_layout_read(call->prepared, arguments[0].bytes, &unix_ns, &offset_s)) {
        return hf_ottl_fail(run, "the text is no time of the format");
    }
    *ret_value = time_value(unix_ns, offset_s);
    return true;
}

static void free_layout(void *layout)
{
    hf_time_layout_free(layout);
}

#define TEXT_MAX 600u /* more than a layout may have */

static enum hf_status check_format(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                   size_t at)
{
    char error[HF_ERROR_MAX] = "", texts[2][TEXT_MAX];
    struct hf_time_layout *layout = NULL;
    (void)at;
    for (size_t i = 0; i < 2; i++) {
        struct hf_slice text = hf_ottl_literal_text(call, 1 + i, "");
        if (text.size >= TEXT_MAX || memchr(text.data, '\0', text.size) != NULL) {
            return hf_ottl_refuse(fault, call->nodes[1 + i]->at, "no such format or location");
        }
        snprintf(texts[i], TEXT_MAX, "%.*s", (int)text.size, (const char *)text.data);
    }
    const struct hf_time_layout_options options = {.layout = texts[0], .location = texts[1]};
    enum hf_status status = hf_time_layout_new(&options, &layout, error);
    if (status == HF_INVALID) {
        return hf_ottl_refuse(fault, call->nodes[1]->at, "%s", error);
    }
    call->prepared = layout;
    call->unprepare = free_layout;
    return status;
}

static enum hf_status check_time(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice locale = hf_ottl_literal_text(call, 3, "en");
    if (locale.size < 2 || memcmp(locale.data, "en", 2) != 0) {
        return hf_ottl_refuse(fault, call->nodes[3]->at, "the only locale is English");
    }
    return check_format(call, fault, at);
}

CONVERTER(format_time)
{
    hf_ottl_start_text(run);
    if (hf_time_layout_write(call->prepared, arguments[0].integer, arguments[0].offset_s,
                             &run->text) != HF_OK) {
        return hf_ottl_no_memory(run);
    }
    return hf_ottl_end_text(run, ret_value);
}

/* ---- from and to numbers ---- */

CONVERTER(from_unix)
{
    uint64_t ns = (uint64_t)arguments[0].integer * HF_NS_PER_S;
    ns += call->nodes[1] != NULL ? (uint64_t)arguments[1].integer : 0;
    (void)run;
    *ret_value =
        time_value((int64_t)ns, hf_time_local_offset_s((int64_t)ns / (int64_t)HF_NS_PER_S));
    return true;
}

/* Toward the past, also before 1970. */
static int64_t whole(int64_t ns, int64_t unit)
{
    return ns / unit - (ns % unit < 0);
}

CONVERTER(unix_ns)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(arguments[0].integer);
    return true;
}

CONVERTER(unix_us)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(whole(arguments[0].integer, 1000));
    return true;
}

CONVERTER(unix_ms)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(whole(arguments[0].integer, 1000000));
    return true;
}

CONVERTER(unix_s)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(whole(arguments[0].integer, (int64_t)HF_NS_PER_S));
    return true;
}

CONVERTER(truncate_time)
{
    int64_t unit = arguments[1].integer;
    int64_t ns = arguments[0].integer;
    (void)run;
    (void)call;
    *ret_value = arguments[0];
    if (unit > 0) {
        /* Go counts from the year 1, which is so many seconds before 1970. */
        const __int128 before = (__int128)62135596800 * (__int128)HF_NS_PER_S;
        ret_value->integer = (int64_t)(ns - (int64_t)(((__int128)ns + before) % unit));
    }
    return true;
}

/* ---- parts ---- */

static struct tm fields_of(const struct hf_ottl_value *value, int64_t *ret_ns)
{
    return hf_time_fields(value->integer, value->offset_s, ret_ns);
}

#define PART(name, expression)                                                                     \
    CONVERTER(name)                                                                                \
    {                                                                                              \
        int64_t ns;                                                                                \
        struct tm fields = fields_of(&arguments[0], &ns);                                          \
        (void)run;                                                                                 \
        (void)call;                                                                                \
        (void)fields;                                                                              \
        *ret_value = hf_ottl_int(expression);                                                      \
        return true;                                                                               \
    }

PART(year_of, fields.tm_year + 1900)
PART(month_of, fields.tm_mon + 1)
PART(day_of, fields.tm_mday)
PART(hour_of, fields.tm_hour)
PART(minute_of, fields.tm_min)
PART(second_of, fields.tm_sec)
PART(nanosecond_of, ns)
PART(weekday_of, fields.tm_wday)

#define OF_TIME                                                                                    \
    {                                                                                              \
        {                                                                                          \
            "time", HF_ARG_TIME                                                                    \
        }                                                                                          \
    }
#define LITERAL_OPTIONAL (HF_ARG_LITERAL | HF_ARG_OPTIONAL)

const struct hf_ottl_function hf_ottl_times[] = {
    {.name = "Now", .arguments = {{NULL}}, .run = now, .varies = true},
    /* Without a year a text is of this one. */
    {.name = "Time",
     .arguments = {{"time", HF_ARG_STRING},
                   {"format", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"location", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"locale", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = read_time,
     .check = check_time,
     .varies = true},
    {.name = "FormatTime",
     .arguments = {{"time", HF_ARG_TIME}, {"format", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = format_time,
     .check = check_format},
    {.name = "Unix",
     .arguments = {{"seconds", HF_ARG_INT}, {"nanoseconds", HF_ARG_INT | HF_ARG_OPTIONAL}},
     .run = from_unix},
    {.name = "UnixNano", .arguments = OF_TIME, .run = unix_ns},
    {.name = "UnixMicro", .arguments = OF_TIME, .run = unix_us},
    {.name = "UnixMilli", .arguments = OF_TIME, .run = unix_ms},
    {.name = "UnixSeconds", .arguments = OF_TIME, .run = unix_s},
    {.name = "TruncateTime",
     .arguments = {{"time", HF_ARG_TIME}, {"duration", HF_ARG_DURATION}},
     .run = truncate_time},
    {.name = "Year", .arguments = OF_TIME, .run = year_of},
    {.name = "Month", .arguments = OF_TIME, .run = month_of},
    {.name = "Day", .arguments = OF_TIME, .run = day_of},
    {.name = "Hour", .arguments = OF_TIME, .run = hour_of},
    {.name = "Minute", .arguments = OF_TIME, .run = minute_of},
    {.name = "Second", .arguments = OF_TIME, .run = second_of},
    {.name = "Nanosecond", .arguments = OF_TIME, .run = nanosecond_of},
    {.name = "Weekday", .arguments = OF_TIME, .run = weekday_of},
    {.name = NULL},
};
