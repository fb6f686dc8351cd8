#include "times.h"

#include "pdata/json_value.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define S_PER_DAY 86400u

static size_t put_digits(uint64_t value, size_t count, char *room)
{
    for (size_t i = count; i > 0; i--, value /= 10) {
        room[i - 1] = (char)('0' + value % 10);
    }
    return count;
}

struct date {
    unsigned year, month, day;
};

/* Days since 1970 in the Gregorian calendar, counted in eras of 400 years that begin in March. */
static struct date date_of(uint64_t days)
{
    const unsigned days_of_era = 146097;
    uint64_t shifted = days + 719468; /* from the first of March of the year 0 */
    unsigned era = (unsigned)(shifted / days_of_era);
    unsigned day = (unsigned)(shifted % days_of_era);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0 is March */
    return (struct date){
        .year = era * 400 + year + (month >= 10 ? 1 : 0),
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
    };
}

static size_t put_fraction(uint64_t ns, bool is_short, char *room)
{
    const size_t digits = 9;
    if (is_short && ns == 0) {
        return 0;
    }
    room[0] = '.';
    size_t size = 1 + put_digits(ns, digits, room + 1);
    while (is_short && room[size - 1] == '0') {
        size--;
    }
    return size;
}

size_t hf_bulk_time_print(uint64_t time_ns, bool is_short, char room[HF_BULK_TIME_MAX])
{
    uint64_t seconds = time_ns / NS_PER_S;
    struct date date = date_of(seconds / S_PER_DAY);
    unsigned second = (unsigned)(seconds % S_PER_DAY);
    size_t size = put_digits(date.year, 4, room);
    room[size++] = '-';
    size += put_digits(date.month, 2, room + size);
    room[size++] = '-';
    size += put_digits(date.day, 2, room + size);
    room[size++] = 'T';
    size += put_digits(second / 3600, 2, room + size);
    room[size++] = ':';
    size += put_digits(second / 60 % 60, 2, room + size);
    room[size++] = ':';
    size += put_digits(second % 60, 2, room + size);
    size += put_fraction(time_ns % NS_PER_S, is_short, room + size);
    room[size++] = 'Z';
    return size;
}

size_t hf_bulk_millis_print(uint64_t time_ns, char room[HF_BULK_TIME_MAX])
{
    size_t size = hf_json_print_u64(time_ns / NS_PER_MS, room);
    room[size++] = '.';
    return size + put_digits(time_ns % NS_PER_MS, 6, room + size);
}
