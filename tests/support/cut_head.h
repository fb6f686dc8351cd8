/*
 * cut_head: cuts the head of a request where it lies, as libmicrohttpd 0.9.75 does, and has it
 * checked. For the unit test and the fuzz target of src/http/server_head.c.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "http/server_head.h"

#define CUT_FIELDS_MAX 256

struct cut_head {
    char *at, *end;
    struct http_start start;
    bool uri_is_sound;
    struct {
        char *name, *value;
    } fields[CUT_FIELDS_MAX];
    size_t field_count;
    char *folded[CUT_FIELDS_MAX]; /* lines that were made longer, away from the head */
    size_t folded_count;
};

/* The next line, its end made NULs. NULL: none. */
static char *cut_line(struct cut_head *cut)
{
    for (char *at = cut->at; at < cut->end; at++) {
        size_t size = at[0] == '\n' ? 1 : cut->end - at > 1 && memcmp(at, "\r\n", 2) == 0 ? 2 : 0;
        if (size != 0) {
            char *line = cut->at;
            memset(at, 0, size);
            cut->at = at + size;
            return line;
        }
    }
    return NULL;
}

static bool cut_start(struct cut_head *cut, char *line)
{
    char *end = cut->at - 1;
    while (end > line && end[-1] == '\0') {
        end--;
    }
    char *url = memchr(line, ' ', (size_t)(end - line));
    if (url == NULL || url == line) {
        return false;
    }
    *url++ = '\0';
    while (url < end && *url == ' ') {
        url++;
    }
    char *version = end;
    while (version > url && version[-1] != ' ') {
        version--;
    }
    if (version <= url || end - version != 8 || memcmp(version, "HTTP/1.", 7) != 0 ||
        version[7] < '0' || version[7] > '9') {
        return false;
    }
    version[-1] = '\0';
    cut->start = (struct http_start){.method = line, .url = url, .version = version};
    cut->uri_is_sound = hf_http_uri_is_sound(url, &cut->start.uri_bytes);
    return true;
}

/* A line that begins with a blank is more of the one before. */
static bool cut_fold(struct cut_head *cut, const char *line)
{
    if (cut->field_count == 0 || cut->folded_count == CUT_FIELDS_MAX) {
        return false;
    }
    char *name = cut->fields[cut->field_count - 1].name;
    char *value = cut->fields[cut->field_count - 1].value;
    line += strspn(line, " \t");
    size_t before = (size_t)(value - name), size = before + strlen(value);
    char *longer = malloc(size + strlen(line) + 1);
    if (longer == NULL) {
        abort();
    }
    memcpy(longer, name, size);
    memcpy(longer + size, line, strlen(line) + 1);
    cut->folded[cut->folded_count++] = longer;
    cut->fields[cut->field_count - 1].name = longer;
    cut->fields[cut->field_count - 1].value = longer + before;
    return true;
}

static bool cut_field(struct cut_head *cut, char *line)
{
    if ((line[0] == ' ' || line[0] == '\t') && cut->field_count != 0) {
        return cut_fold(cut, line);
    }
    char *colon = strchr(line, ':');
    if (colon == NULL || cut->field_count == CUT_FIELDS_MAX) {
        return false;
    }
    *colon++ = '\0';
    cut->fields[cut->field_count].name = line;
    cut->fields[cut->field_count++].value = colon + strspn(colon, " \t");
    return true;
}

/* False: the library itself refuses it, or there is no whole head. `data` is changed. */
static bool cut_head(struct cut_head *cut, char *data, size_t size)
{
    *cut = (struct cut_head){.at = data, .end = data + size};
    char *line;
    do {
        line = cut_line(cut);
    } while (line != NULL && line[0] == '\0');
    bool good = line != NULL && cut_start(cut, line);
    while (good && (line = cut_line(cut)) != NULL && line[0] != '\0') {
        good = cut_field(cut, line);
    }
    return good && line != NULL;
}

/* With its lines, or as if the library had looked at them. */
static struct http_refusal cut_check(struct cut_head *cut, bool with_lines)
{
    struct http_start start = cut->start;
    struct http_head head;
    if (with_lines) {
        start.raw = hf_slice_of(start.method, (size_t)(cut->at - start.method));
    }
    hf_http_head_begin(&head, &start);
    for (size_t i = 0; i < cut->field_count; i++) {
        hf_http_head_field(&head, hf_slice_text(cut->fields[i].name),
                           hf_slice_text(cut->fields[i].value));
    }
    return hf_http_head_end(&head);
}

static void cut_release(struct cut_head *cut)
{
    for (size_t i = 0; i < cut->folded_count; i++) {
        free(cut->folded[i]);
    }
}
