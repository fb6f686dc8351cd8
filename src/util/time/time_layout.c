#include "time_layout.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "time_layout_internal.h"

#define ERROR_ROOM 512

/* ---- from strptime to Go's reference time ---- */

/* What Go's reference time has no word for; no layout of that type has these. */
#define STRPTIME_MONTH "\001"
#define STRPTIME_YEAR "\002"

static const struct {
    char directive;
    const char *go;
} directives[] = {
    {'Y', "2006"},
    {'y', "06"},
    {'m', "01"},
    {'o', STRPTIME_MONTH},
    {'q', "1"},
    {'b', "Jan"},
    {'h', "Jan"},
    {'B', "January"},
    {'d', "02"},
    {'e', "_2"},
    {'g', "2"},
    {'a', "Mon"},
    {'A', "Monday"},
    {'H', "15"},
    {'I', "03"},
    {'l', "3"},
    {'p', "PM"},
    {'P', "pm"},
    {'M', "04"},
    {'S', "05"},
    {'L', "999"},
    {'f', "999999"},
    {'s', "999999999"},
    {'z', "Z0700"},
    {'Z', "MST"},
    {'w', "-070000"},
    {'i', "-07"},
    {'j', "-07:00"},
    {'k', "-07:00:00"},
    {'D', "01/02/" STRPTIME_YEAR},
    {'x', "01/02/" STRPTIME_YEAR},
    {'F', "2006-01-02"},
    {'T', "15:04:05"},
    {'X', "15:04:05"},
    {'R', "15:04"},
    {'r', "03:04:05 pm"},
    {'c', "Mon Jan 02 15:04:05 2006"},
    {'n', "\n"},
    {'t', "\t"},
    {'%', "%"},
};

static const char *go_of(char directive)
{
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        if (directives[i].directive == directive) {
            return directives[i].go;
        }
    }
    return NULL;
}

static enum hf_status translate(const char *layout, char *out, char *reterr)
{
    size_t size = 0;
    for (const char *at = layout; *at != '\0'; at++) {
        char one[2] = {*at, '\0'};
        const char *piece = one;
        if (*at == '%') {
            piece = at[1] != '\0' ? go_of(at[1]) : NULL;
            if (piece == NULL) {
                snprintf(reterr, ERROR_ROOM, "strptime has no directive %%%c", at[1]);
                return HF_INVALID;
            }
            bool fraction = piece[0] == '9';
            if (fraction && (at == layout || (at[-1] != '.' && at[-1] != ','))) {
                snprintf(reterr, ERROR_ROOM,
                         "%%%c, a fraction of a second, must follow a point or a comma", at[1]);
                return HF_INVALID;
            }
            at++;
        } else if (isdigit((unsigned char)*at)) {
            snprintf(reterr, ERROR_ROOM,
                     "a layout of strptime has directives like %%Y and no digits; one like "
                     "2006-01-02 is of the type gotime");
            return HF_INVALID;
        }
        size_t more = strlen(piece);
        if (size + more + 1 >= LAYOUT_MAX) {
            snprintf(reterr, ERROR_ROOM, "a layout has at most %u characters", LAYOUT_MAX - 1);
            return HF_INVALID;
        }
        memcpy(out + size, piece, more + 1);
        size += more;
    }
    out[size] = '\0';
    return HF_OK;
}

/* ---- the parts of a layout ---- */

/* In the order in which Go tries them where one begins as another does. */
static const struct {
    const char *text;
    enum part_kind kind;
    unsigned detail;
    bool before_lower; /* not when a lower-case letter follows */
} forms[] = {
    {"January", LONG_MONTH, 0, false},
    {"Jan", MONTH, 0, true},
    {"Monday", LONG_WEEKDAY, 0, false},
    {"Mon", WEEKDAY, 0, true},
    {"MST", ZONE_NAME, 0, false},
    {"01", ZERO_MONTH, 0, false},
    {"002", ZERO_YEAR_DAY, 0, false},
    {"02", ZERO_DAY, 0, false},
    {"03", ZERO_HOUR_12, 0, false},
    {"04", ZERO_MINUTE, 0, false},
    {"05", ZERO_SECOND, 0, false},
    {"06", YEAR, 0, false},
    {"15", HOUR, 0, false},
    {"1", NUMBER_MONTH, 0, false},
    {"2006", LONG_YEAR, 0, false},
    {"2", DAY, 0, false},
    {"_2", SPACE_DAY, 0, false},
    {STRPTIME_MONTH, SPACE_MONTH, 0, false},
    {STRPTIME_YEAR, ANY_YEAR, 0, false},
    {"3", HOUR_12, 0, false},
    {"4", MINUTE, 0, false},
    {"5", SECOND, 0, false},
    {"PM", UPPER_PM, 0, false},
    {"pm", LOWER_PM, 0, false},
    {"-070000", OFFSET, OFFSET_SECONDS, false},
    {"-07:00:00", OFFSET, OFFSET_SECONDS | OFFSET_COLON, false},
    {"-0700", OFFSET, 0, false},
    {"-07:00", OFFSET, OFFSET_COLON, false},
    {"-07", OFFSET, OFFSET_HOURS, false},
    {"Z070000", OFFSET, OFFSET_Z | OFFSET_SECONDS, false},
    {"Z07:00:00", OFFSET, OFFSET_Z | OFFSET_SECONDS | OFFSET_COLON, false},
    {"Z0700", OFFSET, OFFSET_Z, false},
    {"Z07:00", OFFSET, OFFSET_Z | OFFSET_COLON, false},
    {"Z07", OFFSET, OFFSET_Z | OFFSET_HOURS, false},
};

/* A fraction: a dot or comma and a run of 0 or of 9 that no other digit follows. */
static size_t fraction_size(const char *at)
{
    size_t size = 1;
    if ((at[0] != '.' && at[0] != ',') || (at[1] != '0' && at[1] != '9')) {
        return 0;
    }
    while (at[size] == at[1]) {
        size++;
    }
    return isdigit((unsigned char)at[size]) ? 0 : size;
}

static size_t form_at(const char *at, struct part *part)
{
    size_t fraction = fraction_size(at);
    if (fraction != 0) {
        part->kind = at[1] == '9' ? FRACTION_ANY : FRACTION_EXACT;
        part->detail = (unsigned)fraction - 1;
        part->point = at[0];
        return fraction;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t size = strlen(forms[i].text);
        if (strncmp(at, forms[i].text, size) == 0 &&
            !(forms[i].before_lower && islower((unsigned char)at[size]))) {
            part->kind = forms[i].kind;
            part->detail = forms[i].detail;
            return size;
        }
    }
    return 0;
}

static enum hf_status split(struct hf_time_layout *layout, char *reterr)
{
    const char *from = layout->text;
    const char *at = from;
    while (*at != '\0') {
        struct part *part = &layout->parts[layout->count];
        size_t size = strncmp(at, "_2006", 5) == 0 ? 0 : form_at(at, part);
        if (size == 0) {
            at++;
            continue;
        }
        if (layout->count == PARTS_MAX - 1) {
            snprintf(reterr, ERROR_ROOM, "a layout has at most %u parts", PARTS_MAX - 1);
            return HF_INVALID;
        }
        part->prefix = hf_slice_of(from, (size_t)(at - from));
        layout->count++;
        at += size;
        from = at;
    }
    layout->parts[layout->count++] =
        (struct part){.kind = END, .prefix = hf_slice_of(from, (size_t)(at - from))};
    return HF_OK;
}

/* ---- making ---- */

static enum hf_status set_epoch(struct hf_time_layout *layout, const char *text, char *reterr)
{
    static const struct {
        const char *text;
        enum epoch epoch;
        int64_t unit_ns;
        unsigned precision;
    } kinds[] = {{"s", EPOCH_INTEGER, NS_PER_S, 0},    {"ms", EPOCH_INTEGER, 1000000, 0},
                 {"us", EPOCH_INTEGER, 1000, 0},       {"ns", EPOCH_INTEGER, 1, 0},
                 {"s.ms", EPOCH_FRACTION, 1000000, 3}, {"s.us", EPOCH_FRACTION, 1000, 6},
                 {"s.ns", EPOCH_FRACTION, 1, 9}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].text, text) == 0) {
            layout->epoch = kinds[i].epoch;
            layout->unit_ns = kinds[i].unit_ns;
            layout->precision = kinds[i].precision;
            return HF_OK;
        }
    }
    snprintf(reterr, ERROR_ROOM, "a layout of the type epoch is s, ms, us, ns, s.ms, s.us or s.ns");
    return HF_INVALID;
}

static enum hf_status set_zone(struct hf_time_layout *layout, const char *location, char *reterr)
{
    size_t size = strlen(layout->text);
    if (location == NULL || location[0] == '\0') {
        location = size != 0 && layout->text[size - 1] == 'Z' ? "UTC" : "Local";
    }
    /* Known without zone files, too. */
    if (strcmp(location, "UTC") == 0 || strcmp(location, "GMT") == 0 ||
        strcmp(location, "Etc/UTC") == 0) {
        return HF_OK;
    }
    enum hf_status status = hf_zone_open(location, &layout->zone);
    if (status == HF_NOT_FOUND && strcmp(location, "Local") == 0) {
        return HF_OK; /* a TZ that names no zone file is UTC */
    }
    if (status == HF_NOT_FOUND) {
        snprintf(reterr, ERROR_ROOM, "location: %.100s is no time zone of this machine", location);
        return HF_INVALID;
    }
    return status;
}

static enum hf_status set_up(struct hf_time_layout *layout,
                             const struct hf_time_layout_options *options, char *reterr)
{
    const char *type =
        options->type != NULL && options->type[0] != '\0' ? options->type : "strptime";
    const char *text = options->layout != NULL ? options->layout : "";
    enum hf_status status = HF_OK;
    if (text[0] == '\0' || strlen(text) >= LAYOUT_MAX) {
        snprintf(reterr, ERROR_ROOM, "a layout has 1 to %u characters", LAYOUT_MAX - 1);
        return HF_INVALID;
    }
    if (strcmp(type, "epoch") == 0) {
        return set_epoch(layout, text, reterr);
    }
    if (strcmp(type, "gotime") == 0) {
        memcpy(layout->text, text, strlen(text) + 1);
    } else if (strcmp(type, "strptime") == 0) {
        layout->is_flexible = true;
        status = translate(text, layout->text, reterr);
    } else {
        snprintf(reterr, ERROR_ROOM, "layout_type: strptime, gotime or epoch");
        status = HF_INVALID;
    }
    status = status == HF_OK ? split(layout, reterr) : status;
    return status == HF_OK ? set_zone(layout, options->location, reterr) : status;
}

enum hf_status hf_time_layout_new(const struct hf_time_layout_options *options,
                                  struct hf_time_layout **ret_layout, char *reterr)
{
    struct hf_time_layout *layout = calloc(1, sizeof(*layout));
    if (layout == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = set_up(layout, options, reterr);
    if (status != HF_OK) {
        hf_time_layout_free(layout);
        return status;
    }
    *ret_layout = layout;
    return HF_OK;
}

void hf_time_layout_free(struct hf_time_layout *layout)
{
    if (layout != NULL) {
        hf_zone_close(layout->zone);
        free(layout);
    }
}
