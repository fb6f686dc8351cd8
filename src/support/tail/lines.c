#include "lines.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/regex/regex.h"

enum hf_status hf_lines_pattern(const char *pattern, struct hf_regex **ret_regex, char *reterr)
{
    size_t size = strlen(pattern) + 16;
    char *whole = malloc(size);
    if (whole == NULL) {
        return HF_NOMEM;
    }
    snprintf(whole, size, "(?m)(%s)", pattern);
    enum hf_status status = hf_regex_new(whole, ret_regex, reterr);
    free(whole);
    return status;
}

/* Where the pattern matches first. */
static bool find(const struct hf_regex *regex, struct hf_slice bytes, size_t *ret_start,
                 size_t *ret_end)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX];
    if (!hf_regex_find(regex, bytes, groups)) {
        return false;
    }
    *ret_start = groups[0].data != NULL ? (size_t)(groups[0].data - bytes.data) : 0;
    *ret_end = *ret_start + groups[0].size;
    return true;
}

/* ---- where an entry ends ---- */

struct cut {
    size_t from, to; /* the text */
    size_t used;
};

static bool cut_newline(const struct hf_lines *lines, struct hf_slice bytes, struct cut *ret)
{
    unsigned unit = lines->encoding->unit;
    size_t at = 0;
    const uint8_t *found = NULL;
    if (unit == 1) {
        found = bytes.size != 0 ? memchr(bytes.data, '\n', bytes.size) : NULL;
        at = found != NULL ? (size_t)(found - bytes.data) : 0;
    } else {
        for (; at + unit <= bytes.size && found == NULL; at += found == NULL ? unit : 0) {
            if (memcmp(bytes.data + at, lines->encoding->newline, unit) == 0) {
                found = bytes.data + at;
            }
        }
    }
    if (found == NULL) {
        return false;
    }
    size_t end = at;
    if (unit == 1 && end != 0 && bytes.data[end - 1] == '\r') {
        end--;
    }
    *ret = (struct cut){0, end, at + unit};
    return true;
}

static bool cut_start(const struct hf_lines *lines, struct hf_slice bytes, struct cut *ret)
{
    size_t start = 0, end = 0, second = 0, second_end = 0;
    if (!find(lines->start, bytes, &start, &end)) {
        return false;
    }
    if (start != 0) {
        *ret = (struct cut){0, start, start}; /* what stands before the first of all */
        return true;
    }
    size_t from = end + 1;
    if (from >= bytes.size || !find(lines->start, hf_slice_of(bytes.data + from, bytes.size - from),
                                    &second, &second_end)) {
        return false;
    }
    *ret = (struct cut){lines->omit_pattern ? end : 0, from + second, from + second};
    return true;
}

static bool cut_end(const struct hf_lines *lines, struct hf_slice bytes, bool at_end,
                    struct cut *ret)
{
    size_t start = 0, end = 0;
    if (!find(lines->end, bytes, &start, &end) || end == 0) {
        return false;
    }
    if (end + 1 >= bytes.size && end != bytes.size && !at_end) {
        return false; /* the match may go on */
    }
    *ret = (struct cut){0, lines->omit_pattern ? start : end, end};
    return true;
}

static bool cut_whole(const struct hf_lines *lines, struct hf_slice bytes, struct cut *ret)
{
    size_t start = 0, end = 0, from = 0;
    if (lines->start != NULL && lines->omit_pattern && find(lines->start, bytes, &start, &end) &&
        start == 0) {
        from = end;
    }
    *ret = (struct cut){from, bytes.size, bytes.size};
    return bytes.size != 0;
}

/* ---- white space ---- */

static bool is_space(const struct hf_encoding *encoding, const uint8_t *at)
{
    unsigned unit = encoding->unit;
    uint8_t c = unit == 1 ? at[0] : at[encoding->is_big_endian ? 1 : 0];
    uint8_t other = unit == 1 ? 0 : at[encoding->is_big_endian ? 0 : 1];
    return other == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static struct hf_slice trim(const struct hf_lines *lines, const uint8_t *data, size_t size)
{
    unsigned unit = lines->encoding->unit;
    while (!lines->keep_leading && size >= unit && is_space(lines->encoding, data)) {
        data += unit;
        size -= unit;
    }
    while (!lines->keep_trailing && size >= unit && is_space(lines->encoding, data + size - unit)) {
        size -= unit;
    }
    return hf_slice_of(data, size);
}

static size_t longest(const struct hf_lines *lines)
{
    return lines->bytes_max - lines->bytes_max % lines->encoding->unit;
}

bool hf_lines_next(const struct hf_lines *lines, struct hf_slice bytes, bool at_end, bool *skipping,
                   struct hf_line *ret_line)
{
    struct cut cut = {0};
    bool found;
    if (lines->encoding->is_whole) {
        found = false; /* no lines: the bytes as they come */
        at_end = at_end || bytes.size >= longest(lines);
    } else {
        found = lines->start != NULL ? cut_start(lines, bytes, &cut)
                : lines->end != NULL ? cut_end(lines, bytes, at_end, &cut)
                                     : cut_newline(lines, bytes, &cut);
    }
    size_t most = longest(lines);
    bool too_long = found ? cut.to - cut.from > most : bytes.size > most;
    if (!found && !too_long && (!at_end || !cut_whole(lines, bytes, &cut))) {
        return false;
    }
    if (*skipping) {
        /* The rest of an entry that was truncated. */
        *ret_line = (struct hf_line){.used = found ? cut.used : bytes.size};
        *skipping = !found;
        return true;
    }
    if (too_long) {
        size_t from = found ? cut.from : 0;
        *skipping = lines->truncates && !found;
        *ret_line = (struct hf_line){
            .text = trim(lines, bytes.data + from, most),
            .used = lines->truncates && found ? cut.used : from + most,
        };
        return true;
    }
    *ret_line = (struct hf_line){.text = trim(lines, bytes.data + cut.from, cut.to - cut.from),
                                 .used = cut.used};
    return true;
}
