/* Converters of numbers and durations. */
#include <inttypes.h>
#include <math.h>

#include "function.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

CONVERTER(natural_logarithm)
{
    (void)call;
    if (arguments[0].type == HF_OTTL_NIL || !(arguments[0].real > 0)) {
        return hf_ottl_fail(run, "invalid input: expected number greater than zero");
    }
    *ret_value = hf_ottl_double(log(arguments[0].real));
    return true;
}

/* The base that a prefix says, as in Go's sources; underscores too are for those. */
static unsigned take_base(struct hf_slice *text)
{
    size_t sign = text->size > 0 && (text->data[0] == '-' || text->data[0] == '+') ? 1 : 0;
    if (text->size < sign + 2 || text->data[sign] != '0') {
        return 10;
    }
    switch (text->data[sign + 1] | 0x20) {
    case 'x':
        return 16;
    case 'b':
        return 2;
    default:
        return 8;
    }
}

/* A text with a prefix of its base. */
static bool read_prefixed(struct hf_slice text, int64_t *ret_integer)
{
    unsigned base = take_base(&text);
    size_t sign = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    size_t prefix = base == 10 ? 0 : base != 8 || (text.data[sign + 1] | 0x20) == 'o' ? 2 : 1;
    struct hf_slice digits = hf_slice_of(text.data + sign + prefix, text.size - sign - prefix);
    if (digits.size > 0 && (digits.data[0] == '-' || digits.data[0] == '+')) {
        return false;
    }
    if (!hf_ottl_read_int(digits, base, ret_integer)) {
        return false;
    }
    *ret_integer = sign == 1 && text.data[0] == '-' ? -*ret_integer : *ret_integer;
    return true;
}

CONVERTER(parse_int)
{
    int64_t base = arguments[1].integer, integer = 0;
    (void)call;
    if (arguments[0].bytes.size == 0) {
        return hf_ottl_fail(run,
                            "invalid target value for ParseInt function, target cannot be empty");
    }
    if (base < 0 || base == 1 || base > 36) {
        return hf_ottl_fail(run, "invalid base value: %" PRId64 " for ParseInt function", base);
    }
    if (base == 0 ? !read_prefixed(arguments[0].bytes, &integer)
                  : !hf_ottl_read_int(arguments[0].bytes, (unsigned)base, &integer)) {
        return hf_ottl_fail(run, "the text is no integer of base %" PRId64, base);
    }
    *ret_value = hf_ottl_int(integer);
    return true;
}

CONVERTER(is_valid_luhn)
{
    struct hf_slice text = arguments[0].bytes;
    unsigned sum = 0, count = 0;
    (void)call;
    if (arguments[0].type == HF_OTTL_NIL) {
        return hf_ottl_fail(run, "invalid input: nil");
    }
    for (size_t i = text.size; i-- > 0;) {
        if (text.data[i] == ' ') {
            continue;
        }
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9) {
            return hf_ottl_fail(run, "a character that is no digit");
        }
        digit *= count % 2 == 1 ? 2 : 1;
        sum += digit > 9 ? digit - 9 : digit;
        count++;
    }
    *ret_value = hf_ottl_bool(count > 0 && sum % 10 == 0);
    return true;
}

/* ---- durations ---- */

CONVERTER(duration)
{
    int64_t ns;
    (void)call;
    if (!hf_ottl_read_duration(arguments[0].bytes, &ns)) {
        return hf_ottl_fail(run, "invalid duration");
    }
    *ret_value = (struct hf_ottl_value){.type = HF_OTTL_DURATION, .integer = ns};
    return true;
}

/* As Go counts: whole units and the rest apart, so that no digit is lost. */
static double in_units(int64_t ns, int64_t unit)
{
    return (double)(ns / unit) + (double)(ns % unit) / (double)unit;
}

#define NS_PER_S INT64_C(1000000000)

CONVERTER(hours)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_double(in_units(arguments[0].integer, 3600 * NS_PER_S));
    return true;
}

CONVERTER(minutes)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_double(in_units(arguments[0].integer, 60 * NS_PER_S));
    return true;
}

CONVERTER(seconds)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_double(in_units(arguments[0].integer, NS_PER_S));
    return true;
}

CONVERTER(milliseconds)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(arguments[0].integer / 1000000);
    return true;
}

CONVERTER(microseconds)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(arguments[0].integer / 1000);
    return true;
}

CONVERTER(nanoseconds)
{
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int(arguments[0].integer);
    return true;
}

#define OF_DURATION                                                                                \
    {                                                                                              \
        {                                                                                          \
            "duration", HF_ARG_DURATION                                                            \
        }                                                                                          \
    }

const struct hf_ottl_function hf_ottl_numbers[] = {
    {.name = "Log", .arguments = {{"target", HF_ARG_DOUBLE_LIKE}}, .run = natural_logarithm},
    {.name = "ParseInt",
     .arguments = {{"target", HF_ARG_STRING}, {"base", HF_ARG_INT}},
     .run = parse_int},
    {.name = "IsValidLuhn", .arguments = {{"target", HF_ARG_STRING_LIKE}}, .run = is_valid_luhn},
    {.name = "Duration", .arguments = {{"duration", HF_ARG_STRING}}, .run = duration},
    {.name = "Hours", .arguments = OF_DURATION, .run = hours},
    {.name = "Minutes", .arguments = OF_DURATION, .run = minutes},
    {.name = "Seconds", .arguments = OF_DURATION, .run = seconds},
    {.name = "Milliseconds", .arguments = OF_DURATION, .run = milliseconds},
    {.name = "Microseconds", .arguments = OF_DURATION, .run = microseconds},
    {.name = "Nanoseconds", .arguments = OF_DURATION, .run = nanoseconds},
    {.name = NULL},
};
