/*
 * fluentbit_classic: the classic form: [SECTION] lines, and below each of them lines of a key and
 * a value; commands @INCLUDE and @SET; comments.
 */
#include <string.h>

#include "fluentbit.h"

struct reading {
    struct fb_config *config;
    const char *file;
    unsigned depth, line;
    struct fb_section *section; /* NULL: none yet, or one that could not be made */
    fb_includer *include;
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size != 0 && is_blank(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* The part in front of the first blank, or of `mark`; what is behind it, trimmed. */
static struct hf_slice split(struct hf_slice text, uint8_t mark, struct hf_slice *ret_rest)
{
    size_t at = 0;
    while (at < text.size && (mark != '\0' ? text.data[at] != mark : !is_blank(text.data[at]))) {
        at++;
    }
    size_t skipped = mark != '\0' && at < text.size ? at + 1 : at;
    *ret_rest = trim(hf_slice_of(text.data + skipped, text.size - skipped));
    return trim(hf_slice_of(text.data, at));
}

static void say(struct reading *reading, const char *what)
{
    fb_tell(reading->config, FB_ERROR, NULL, "%s:%u: %s", reading->file, reading->line, what);
}

static void take_command(struct reading *reading, struct hf_slice line)
{
    struct hf_slice rest, value;
    struct hf_slice name = split(line, '\0', &rest);
    struct fb_config *config = reading->config;
    if (name.size == 8 && strncasecmp((const char *)name.data, "@INCLUDE", 8) == 0) {
        if (rest.size == 0) {
            say(reading, "@INCLUDE names no file");
        } else {
            reading->include(config, fb_copy(config, rest), reading->file, reading->depth);
            reading->section = NULL;
        }
    } else if (name.size == 4 && strncasecmp((const char *)name.data, "@SET", 4) == 0) {
        struct hf_slice key = split(rest, '=', &value);
        if (key.size == 0) {
            say(reading, "@SET is written as @SET name=value");
        } else {
            fb_add_set(config, key, value);
        }
    } else {
        say(reading, "no such command: there are @INCLUDE and @SET");
    }
}

static void take_line(struct reading *reading, struct hf_slice raw)
{
    struct hf_slice line = trim(raw), value;
    if (line.size == 0 || line.data[0] == '#') {
        return;
    }
    if (memchr(line.data, '\0', line.size) != NULL) {
        say(reading, "the line has a NUL in it");
        return;
    }
    if (line.data[0] == '@') {
        take_command(reading, line);
        return;
    }
    if (line.data[0] == '[') {
        const uint8_t *end = memchr(line.data, ']', line.size);
        if (end == NULL || end == line.data + 1) {
            say(reading, "a section is written as [NAME]");
            reading->section = NULL;
            return;
        }
        struct hf_slice title = hf_slice_of(line.data + 1, (size_t)(end - line.data) - 1);
        reading->section = fb_add_section(reading->config, fb_copy(reading->config, title),
                                          reading->file, reading->line);
        return;
    }
    struct hf_slice key = split(line, '\0', &value);
    if (reading->section == NULL) {
        say(reading, "a key without a [SECTION] above it");
    } else {
        fb_add_property(reading->config, reading->section, key, value);
    }
}

void fb_read_classic(struct fb_config *config, struct hf_slice text, const char *file,
                     unsigned depth, fb_includer *include)
{
    struct reading reading = {.config = config, .file = file, .depth = depth, .include = include};
    while (text.size != 0 && !config->no_memory) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        size_t whole = end != NULL ? size + 1 : size;
        reading.line++;
        if (size > FB_LINE_MAX) {
            say(&reading, "the line is longer than 64 KiB");
        } else {
            take_line(&reading, hf_slice_of(text.data, size));
        }
        text = hf_slice_of(text.data + whole, text.size - whole);
    }
}
