/*
 * time_layout_internal: the parts of a layout, as time_layout.c makes them; time_parse.c reads a
 * text by them and time_write.c writes one. Immutable once made.
 */
#pragma once

#include "time_layout.h"
#include "zone.h"

#define LAYOUT_MAX 512u
#define PARTS_MAX 64u
#define NS_PER_S INT64_C(1000000000)

enum part_kind {
    END = 0,
    LONG_YEAR,
    YEAR,
    ANY_YEAR, /* %D of strptime: four digits, or two */
    LONG_MONTH,
    MONTH,
    NUMBER_MONTH,
    ZERO_MONTH,
    SPACE_MONTH, /* %o of strptime */
    LONG_WEEKDAY,
    WEEKDAY,
    DAY,
    SPACE_DAY,
    ZERO_DAY,
    ZERO_YEAR_DAY,
    HOUR,
    HOUR_12,
    ZERO_HOUR_12,
    MINUTE,
    ZERO_MINUTE,
    SECOND,
    ZERO_SECOND,
    UPPER_PM,
    LOWER_PM,
    FRACTION_ANY,   /* ".999": any number of digits, or none at all */
    FRACTION_EXACT, /* ".000" */
    ZONE_NAME,
    OFFSET, /* -0700 and its forms */
};

/* Forms of an offset. */
#define OFFSET_Z 1u       /* Z is UTC */
#define OFFSET_COLON 2u   /* hh:mm */
#define OFFSET_SECONDS 4u /* hhmmss */
#define OFFSET_HOURS 8u   /* hh alone */

struct part {
    struct hf_slice prefix; /* literal text before it */
    enum part_kind kind;
    unsigned detail; /* OFFSET: form; fractions: digits */
    char point;      /* of fractions: dot or comma */
};

enum epoch { NO_EPOCH = 0, EPOCH_INTEGER, EPOCH_FRACTION };

struct hf_time_layout {
    char text[LAYOUT_MAX];
    struct part parts[PARTS_MAX];
    size_t count;
    enum epoch epoch;
    int64_t unit_ns;      /* of the integer, or of the fraction */
    unsigned precision;   /* digits of the fraction */
    struct hf_zone *zone; /* NULL: UTC */
    bool is_flexible;     /* strptime: numbers with spaces before them and of one digit, %z with a
                             colon or without minutes */
};

extern const char *const hf_time_months[12], *const hf_time_weekdays[7];
