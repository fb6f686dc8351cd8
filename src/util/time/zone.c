#include "zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (256u * 1024)
#define DAY_S 86400

struct type {
    int32_t offset_s;
    bool is_dst;
    uint8_t name; /* into names */
};

/* One change of a year: "M3.5.0/2". */
struct change {
    unsigned month, week, weekday, day; /* month 0: by `day` of the year */
    bool counts_leap;
    int32_t time_s;
};

struct hf_zone {
    int64_t *times;
    uint8_t *kinds; /* of the type that begins then */
    size_t count;
    struct type types[256];
    size_t type_count;
    char names[256 + 1];
    bool has_rule; /* after the last of `times` */
    int32_t standard_s, summer_s;
    bool has_summer;
    struct change to_summer, to_standard;
    char rule_names[2][16];
};

int64_t hf_zone_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t unix_s)
{
    int64_t year = 1970 + unix_s / 31556952;
    while (hf_zone_days(year + 1, 1, 1) * DAY_S <= unix_s) {
        year++;
    }
    while (hf_zone_days(year, 1, 1) * DAY_S > unix_s) {
        year--;
    }
    return year;
}

/* ---- the rule at the end of the file: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool take_name(const char **at, char *out)
{
    size_t size = 0;
    bool quoted = **at == '<';
    *at += quoted;
    while (**at != '\0' && (quoted ? **at != '>' : isalpha((unsigned char)**at) != 0)) {
        if (size < 15) {
            out[size++] = **at;
        }
        (*at)++;
    }
    *at += quoted && **at == '>';
    out[size] = '\0';
    return size != 0;
}

static bool take_number(const char **at, int64_t *ret)
{
    if (!isdigit((unsigned char)**at)) {
        return false;
    }
    for (*ret = 0; isdigit((unsigned char)**at); (*at)++) {
        *ret = *ret * 10 + (**at - '0');
        if (*ret > 1000000) {
            return false;
        }
    }
    return true;
}

static bool take_time(const char **at, int32_t *ret)
{
    int sign = **at == '-' ? -1 : 1;
    int64_t part = 0, sum = 0;
    *at += **at == '-' || **at == '+';
    for (int unit = 3600; unit >= 1; unit /= 60) {
        if (!take_number(at, &part)) {
            return false;
        }
        sum += part * unit;
        if (**at != ':') {
            break;
        }
        (*at)++;
    }
    *ret = (int32_t)(sign * sum);
    return true;
}

static bool take_change(const char **at, struct change *change)
{
    int64_t value = 0;
    *change = (struct change){.time_s = 7200};
    if (**at != ',') {
        return false;
    }
    (*at)++;
    if (**at == 'M') {
        unsigned *parts[] = {&change->month, &change->week, &change->weekday};
        for (int i = 0; i < 3; i++) {
            (*at)++;
            if (!take_number(at, &value) || (i < 2 && **at != '.')) {
                return false;
            }
            *parts[i] = (unsigned)value;
        }
    } else {
        bool julian = **at == 'J';
        *at += julian;
        if (!take_number(at, &value)) {
            return false;
        }
        change->day = (unsigned)value;
        change->counts_leap = !julian;
    }
    if (**at == '/') {
        (*at)++;
        return take_time(at, &change->time_s);
    }
    return true;
}

static void read_rule(struct hf_zone *zone, const char *rule)
{
    int32_t offset = 0;
    if (!take_name(&rule, zone->rule_names[0]) || !take_time(&rule, &offset)) {
        return;
    }
    zone->standard_s = -offset;
    zone->has_rule = true;
    if (*rule == '\0' || !take_name(&rule, zone->rule_names[1])) {
        return;
    }
    zone->summer_s = zone->standard_s + 3600;
    if (*rule != ',' && take_time(&rule, &offset)) {
        zone->summer_s = -offset;
    }
    zone->has_summer =
        take_change(&rule, &zone->to_summer) && take_change(&rule, &zone->to_standard);
}

/* When it happens in that year, by the wall clock. */
static int64_t change_time(const struct change *change, int64_t year)
{
    int64_t first = hf_zone_days(year, 1, 1);
    int64_t day;
    if (change->month == 0) {
        bool leap = hf_zone_days(year, 3, 1) - hf_zone_days(year, 2, 1) == 29;
        day = change->counts_leap ? first + change->day
                                  : first + change->day - 1 + (leap && change->day >= 60);
    } else {
        int64_t month = hf_zone_days(year, change->month, 1);
        int64_t weekday = ((month + 4) % 7 + 7) % 7;
        day =
            month + ((int64_t)change->weekday - weekday + 7) % 7 + 7 * ((int64_t)change->week - 1);
        int64_t next = change->month == 12 ? hf_zone_days(year + 1, 1, 1)
                                           : hf_zone_days(year, change->month + 1, 1);
        while (day >= next) {
            day -= 7;
        }
    }
    return day * DAY_S + change->time_s;
}

/* ---- what holds at a time ---- */

struct period {
    int32_t offset_s;
    int64_t start, end;
};

static struct period rule_period(const struct hf_zone *zone, int64_t unix_s, int64_t from)
{
    struct period period = {zone->standard_s, from, INT64_MAX};
    if (!zone->has_summer) {
        return period;
    }
    int64_t year = year_of(unix_s);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t on = change_time(&zone->to_summer, y) - zone->standard_s;
        int64_t off = change_time(&zone->to_standard, y) - zone->summer_s;
        const struct {
            int64_t at;
            int32_t offset_s;
        } changes[] = {{on < off ? on : off, on < off ? zone->summer_s : zone->standard_s},
                       {on < off ? off : on, on < off ? zone->standard_s : zone->summer_s}};
        for (int i = 0; i < 2; i++) {
            if (changes[i].at <= unix_s && changes[i].at >= period.start) {
                period.start = changes[i].at;
                period.offset_s = changes[i].offset_s;
            } else if (changes[i].at > unix_s && changes[i].at < period.end) {
                period.end = changes[i].at;
            }
        }
    }
    return period;
}

static struct period find_period(const struct hf_zone *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= unix_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->count && zone->has_rule) {
        return rule_period(zone, unix_s,
                           zone->count != 0 ? zone->times[zone->count - 1] : INT64_MIN);
    }
    size_t type = low != 0 ? zone->kinds[low - 1] : 0;
    for (size_t i = 0; low == 0 && i < zone->type_count; i++) {
        if (!zone->types[i].is_dst) {
            type = i;
            break;
        }
    }
    return (struct period){zone->type_count != 0 ? zone->types[type].offset_s : 0,
                           low != 0 ? zone->times[low - 1] : INT64_MIN,
                           low < zone->count ? zone->times[low] : INT64_MAX};
}

int64_t hf_zone_to_unix(const struct hf_zone *zone, int64_t wall_s)
{
    struct period period = find_period(zone, wall_s);
    int64_t unix_s = wall_s - period.offset_s;
    if (unix_s < period.start || unix_s >= period.end) {
        unix_s = wall_s - find_period(zone, unix_s).offset_s;
    }
    return unix_s;
}

int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s)
{
    return find_period(zone, unix_s).offset_s;
}

bool hf_zone_find(const struct hf_zone *zone, const char *abbreviation, int32_t *ret_offset_s)
{
    for (size_t i = zone->type_count; i-- > 0;) {
        if (strcmp(zone->names + zone->types[i].name, abbreviation) == 0) {
            *ret_offset_s = zone->types[i].offset_s;
            return true;
        }
    }
    for (int i = 0; i < 2; i++) {
        if (zone->has_rule && strcmp(zone->rule_names[i], abbreviation) == 0) {
            *ret_offset_s = i == 0 ? zone->standard_s : zone->summer_s;
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

static uint64_t big_endian(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

#define HEADER 44u

struct counts {
    size_t utc, standard, leaps, times, types, chars;
};

static bool read_header(const uint8_t *at, size_t size, struct counts *ret)
{
    if (size < HEADER || memcmp(at, "TZif", 4) != 0) {
        return false;
    }
    size_t values[6];
    for (unsigned i = 0; i < 6; i++) {
        values[i] = (size_t)big_endian(at + 20 + 4 * i, 4);
        if (values[i] > FILE_BYTES_MAX) {
            return false;
        }
    }
    *ret = (struct counts){values[0], values[1], values[2], values[3], values[4], values[5]};
    return true;
}

static size_t data_size(const struct counts *counts, size_t time_size)
{
    return counts->times * (time_size + 1) + counts->types * 6 + counts->chars +
           counts->leaps * (time_size + 4) + counts->standard + counts->utc;
}

static enum hf_status read_types(struct hf_zone *zone, const uint8_t *at,
                                 const struct counts *counts)
{
    const uint8_t *kinds = at + counts->times * 8;
    const uint8_t *types = kinds + counts->times;
    zone->times = calloc(counts->times + 1, sizeof(zone->times[0]));
    zone->kinds = malloc(counts->times + 1);
    if (zone->times == NULL || zone->kinds == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < counts->times; i++) {
        zone->times[i] = (int64_t)big_endian(at + i * 8, 8);
        zone->kinds[i] = kinds[i];
        if (kinds[i] >= counts->types) {
            return HF_INVALID;
        }
    }
    for (size_t i = 0; i < counts->types; i++) {
        const uint8_t *type = types + i * 6;
        zone->types[i] =
            (struct type){(int32_t)(uint32_t)big_endian(type, 4), type[4] != 0, type[5]};
        if (type[5] >= counts->chars) {
            return HF_INVALID;
        }
    }
    memcpy(zone->names, types + counts->types * 6, counts->chars);
    zone->count = counts->times;
    zone->type_count = counts->types;
    return HF_OK;
}

static enum hf_status read_zone(struct hf_zone *zone, const uint8_t *data, size_t size)
{
    struct counts counts;
    if (!read_header(data, size, &counts) || data[4] < '2') {
        return HF_NOT_FOUND;
    }
    size_t second = HEADER + data_size(&counts, 4);
    if (second > size || !read_header(data + second, size - second, &counts)) {
        return HF_NOT_FOUND;
    }
    size_t start = second + HEADER, rule = start + data_size(&counts, 8);
    if (rule > size || counts.types > 256 || counts.chars > 256) {
        return HF_NOT_FOUND;
    }
    enum hf_status status = read_types(zone, data + start, &counts);
    char text[128] = "";
    for (size_t i = rule + 1; i < size && data[i] != '\n' && i - rule - 1 < sizeof(text) - 1; i++) {
        text[i - rule - 1] = (char)data[i];
    }
    read_rule(zone, text);
    return status;
}

static bool is_safe_name(const char *name)
{
    return name[0] != '/' && strstr(name, "..") == NULL && strlen(name) < 128;
}

enum hf_status hf_zone_open(const char *name, struct hf_zone **ret_zone)
{
    char path[256] = "/etc/localtime";
    const char *variable = getenv("TZ");
    if (name[0] == '\0' || strcmp(name, "Local") == 0) {
        name = variable != NULL ? variable + (variable[0] == ':') : NULL;
        name = name != NULL && name[0] == '\0' ? "UTC" : name;
    }
    if (name != NULL && name[0] == '/') {
        snprintf(path, sizeof(path), "%s", name);
    } else if (name != NULL) {
        if (!is_safe_name(name)) {
            return HF_NOT_FOUND;
        }
        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    }
    struct hf_zone *zone = calloc(1, sizeof(*zone));
    uint8_t *data = malloc(FILE_BYTES_MAX);
    FILE *file = fopen(path, "rbe");
    enum hf_status status = zone == NULL || data == NULL ? HF_NOMEM : HF_NOT_FOUND;
    if (file != NULL && status == HF_NOT_FOUND) {
        status = read_zone(zone, data, fread(data, 1, FILE_BYTES_MAX, file));
    } else if (status == HF_NOT_FOUND && (name == NULL || strcmp(name, "UTC") == 0)) {
        status = HF_OK; /* a machine without zone files has UTC */
    }
    if (file != NULL) {
        fclose(file);
    }
    free(data);
    if (status != HF_OK) {
        hf_zone_close(zone);
        return status == HF_INVALID ? HF_NOT_FOUND : status;
    }
    *ret_zone = zone;
    return HF_OK;
}

void hf_zone_close(struct hf_zone *zone)
{
    if (zone != NULL) {
        free(zone->times);
        free(zone->kinds);
        free(zone);
    }
}
