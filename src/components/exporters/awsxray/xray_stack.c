/*
 * xray_stack: stack traces of several languages as frames, and exceptions that caused others.
 */
#include <stdlib.h>
#include <string.h>

#include "xray_span.h"

/* ---- texts ---- */

struct lines {
    struct hf_slice rest;
};

/* The next line without its end. False: no more. */
static bool next_line(struct lines *lines, struct hf_slice *ret_line)
{
    if (lines->rest.size == 0) {
        return false;
    }
    const uint8_t *end = memchr(lines->rest.data, '\n', lines->rest.size);
    size_t size = end != NULL ? (size_t)(end - lines->rest.data) : lines->rest.size;
    *ret_line = hf_slice_of(lines->rest.data, size);
    size_t step = size + (end != NULL ? 1 : 0);
    lines->rest = hf_slice_of(lines->rest.data + step, lines->rest.size - step);
    ret_line->size -= size != 0 && ret_line->data[size - 1] == '\r' ? 1 : 0;
    return true;
}

static struct hf_slice behind(struct hf_slice text, size_t at)
{
    return at < text.size ? hf_slice_of(text.data + at, text.size - at) : hf_slice_text("");
}

static struct hf_slice before(struct hf_slice text, size_t at)
{
    return hf_slice_of(text.data, at < text.size ? at : text.size);
}

static bool begins_with(struct hf_slice text, const char *with)
{
    size_t size = strlen(with);
    return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* Where it is; the size of the text: nowhere. */
static size_t find(struct hf_slice text, const char *what)
{
    const uint8_t *at = text.size != 0 ? memmem(text.data, text.size, what, strlen(what)) : NULL;
    return at != NULL ? (size_t)(at - text.data) : text.size;
}

static size_t find_last(struct hf_slice text, char what)
{
    const uint8_t *at = text.size != 0 ? memrchr(text.data, what, text.size) : NULL;
    return at != NULL ? (size_t)(at - text.data) : text.size;
}

static bool ends_with(struct hf_slice text, char what)
{
    return text.size != 0 && text.data[text.size - 1] == (uint8_t)what;
}

/* A whole number; 0: it is none. */
static int64_t number_of(struct hf_slice text)
{
    char room[20];
    if (text.size == 0 || text.size >= sizeof(room)) {
        return 0;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return strspn(room, "0123456789") == text.size ? strtoll(room, NULL, 10) : 0;
}

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size != 0 && strchr(" \t\r\v\f", text.data[0]) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && strchr(" \t\r\v\f", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

/* ---- frames and exceptions ---- */

struct output {
    struct xray_span *span;
    struct hf_json_writer *writer;
    bool has_stack, is_remote;
};

static void put_frame(struct output *output, struct hf_slice path, struct hf_slice label,
                      int64_t line)
{
    struct hf_json_writer *writer = output->writer;
    if (!output->has_stack) {
        HF_JSON_WRITE_KEY(writer, "stack");
        hf_json_write_open(writer, '[');
        output->has_stack = true;
    }
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "path");
    hf_json_write_text(writer, path);
    HF_JSON_WRITE_KEY(writer, "line");
    hf_json_write_i64(writer, line);
    HF_JSON_WRITE_KEY(writer, "label");
    hf_json_write_text(writer, label);
    hf_json_write_close(writer, '}');
}

static void open_exception(struct output *output, const char *id, struct hf_slice type,
                           struct hf_slice message)
{
    struct hf_json_writer *writer = output->writer;
    output->has_stack = false;
    hf_json_write_open(writer, '{');
    xray_put_text(writer, "id", hf_slice_text(id));
    HF_JSON_WRITE_KEY(writer, "message");
    hf_json_write_text(writer, message);
    HF_JSON_WRITE_KEY(writer, "type");
    hf_json_write_text(writer, type);
    xray_put_bool(writer, "remote", output->is_remote);
}

static void close_exception(struct output *output)
{
    if (output->has_stack) {
        hf_json_write_close(output->writer, ']');
    }
    hf_json_write_close(output->writer, '}');
}

/* The exception that caused the one that is open. */
static void put_cause(struct output *output, struct hf_slice type, struct hf_slice message)
{
    char id[XRAY_ID_SIZE + 1];
    xray_make_id(output->span, id);
    if (output->has_stack) {
        hf_json_write_close(output->writer, ']');
        output->has_stack = false;
    }
    xray_put_text(output->writer, "cause", hf_slice_text(id));
    close_exception(output);
    open_exception(output, id, type, message);
}

/* ---- Java, and PHP which has the same form ---- */

static bool is_java_frame(struct hf_slice line)
{
    return begins_with(line, "\tat ") && find(line, "(") < line.size && ends_with(line, ')');
}

static void put_java_frame(struct output *output, struct hf_slice line)
{
    size_t at = find(line, "(");
    struct hf_slice label = behind(before(line, at), 4);
    struct hf_slice path = behind(before(line, line.size - 1), at + 1);
    size_t slash = find(label, "/"), colon = find(path, ":");
    label = slash < label.size ? behind(label, slash + 1) : label; /* a class loader or module */
    int64_t number = colon < path.size ? number_of(behind(path, colon + 1)) : 0;
    put_frame(output, before(path, colon), label, number);
}

/* Its message may have several lines. False: no line is left; `line` is the first frame. */
static bool put_java_cause(struct output *output, struct lines *lines, struct hf_slice *line)
{
    struct hf_slice type = behind(*line, strlen("Caused by: "));
    size_t colon = find(type, ":");
    struct hf_bytes message = {0};
    bool has_line = false;
    if (colon < type.size) {
        output->writer->failed |= hf_bytes_append(&message, behind(type, colon + 2)) != HF_OK;
        type = before(type, colon);
    }
    while ((has_line = next_line(lines, line)) && !is_java_frame(*line)) {
        output->writer->failed |= hf_bytes_append(&message, *line) != HF_OK;
    }
    put_cause(output, type, hf_slice_of(message.data, message.size));
    hf_bytes_release(&message);
    return has_line;
}

static void put_java(struct output *output, struct hf_slice stack)
{
    struct lines lines = {stack};
    struct hf_slice line;
    bool has_line = next_line(&lines, &line) && next_line(&lines, &line); /* behind the message */
    while (has_line) {
        if (begins_with(line, "Caused by: ")) {
            has_line = put_java_cause(output, &lines, &line);
            continue;
        }
        if (is_java_frame(line)) {
            put_java_frame(output, line);
        }
        has_line = next_line(&lines, &line);
    }
}

/* ---- Python, whose frames stand in reverse ---- */

struct reverse {
    struct hf_slice rest;
    bool is_done;
};

static bool previous_line(struct reverse *lines, struct hf_slice *ret_line)
{
    if (lines->is_done || lines->rest.data == NULL) {
        return false;
    }
    size_t at = find_last(lines->rest, '\n');
    lines->is_done = at == lines->rest.size;
    size_t from = lines->is_done ? 0 : at + 1;
    *ret_line = hf_slice_of(lines->rest.data + from, lines->rest.size - from);
    lines->rest = before(lines->rest, at);
    return true;
}

#define PYTHON_DURING "During handling of the above exception, another exception occurred:"

static void put_python_frame(struct output *output, struct hf_slice line)
{
    size_t first = find(line, ",");
    struct hf_slice rest = behind(line, first + 1);
    size_t second = find(rest, ",");
    struct hf_slice last = behind(rest, second + 1), number = before(rest, second);
    if (first >= line.size || second >= rest.size || find(last, ",") < last.size || first < 9) {
        return;
    }
    put_frame(output, behind(before(line, first - 1), 8),
              begins_with(last, " in ") ? behind(last, 4) : hf_slice_text(""),
              begins_with(number, " line ") ? number_of(behind(number, 6)) : 0);
}

/* The exception before: its message stands two lines behind its last frame, up to two lines before
 * this one. False: the text is malformed. */
static bool put_python_cause(struct output *output, struct reverse *lines, struct hf_slice *line)
{
    struct hf_slice skipped, end = HF_EMPTY_SLICE, begin = HF_EMPTY_SLICE, newer = HF_EMPTY_SLICE;
    if (!previous_line(lines, &skipped)) {
        return false;
    }
    while (previous_line(lines, &newer) && !begins_with(newer, "  File ")) {
        end = end.data == NULL ? newer : end;
        skipped = begin;
        begin = newer;
    }
    /* `begin` is the line of source below the frame, `skipped` the first of the message. */
    if (!begins_with(newer, "  File ") || skipped.data == NULL || end.data == NULL) {
        return false;
    }
    struct hf_slice message =
        hf_slice_of(skipped.data, (size_t)(end.data + end.size - skipped.data));
    size_t colon = find(message, ":");
    if (colon >= message.size) {
        return false;
    }
    put_cause(output, before(message, colon), behind(message, colon + 2));
    *line = newer;
    return true;
}

static void put_python(struct output *output, struct hf_slice stack)
{
    struct reverse lines = {.rest = stack};
    struct hf_slice line;
    bool has_line = previous_line(&lines, &line) && previous_line(&lines, &line);
    while (has_line) {
        if (begins_with(line, PYTHON_DURING)) {
            has_line = put_python_cause(output, &lines, &line);
            continue;
        }
        if (begins_with(line, "  File ")) {
            put_python_frame(output, line);
        }
        has_line = previous_line(&lines, &line);
    }
}

/* ---- JavaScript ---- */

static void put_javascript_frame(struct output *output, struct hf_slice line)
{
    size_t at = find(line, "(");
    struct hf_slice label = hf_slice_text(""), path = hf_slice_text("");
    int64_t number = 0;
    if (at < line.size && ends_with(line, ')')) {
        label = at > 7 ? behind(before(line, at), 7) : label;
        path = behind(before(line, line.size - 1), at + 1);
    } else if (at >= line.size) {
        path = behind(line, 7);
    }
    size_t first = find(path, ":");
    struct hf_slice rest = behind(path, first + 1);
    size_t second = find(rest, ":");
    if (first < path.size && second < rest.size) {
        number = number_of(before(rest, second));
        path = before(path, first);
    } else if (first >= path.size && find(path, "native") < path.size) {
        path = hf_slice_text("native");
    }
    if (path.size != 0 || label.size != 0 || number != 0) {
        put_frame(output, path, label, number);
    }
}

/* ---- .NET ---- */

static void put_dotnet_frame(struct output *output, struct hf_slice line)
{
    size_t in = find(line, " in ");
    if (in >= line.size) {
        size_t end = find_last(line, ')');
        if (end < line.size) {
            put_frame(output, hf_slice_text(""), behind(before(line, end + 1), 3), 0);
        }
        return;
    }
    struct hf_slice path = behind(line, in + 4);
    path = before(path, find(path, " in "));
    size_t colon = find_last(path, ':');
    struct hf_slice number = behind(path, colon + 1);
    number = begins_with(number, "line") ? behind(number, 5) : number;
    put_frame(output, before(path, colon), behind(before(line, in), 3),
              colon < path.size ? number_of(number) : 0);
}

/* ---- line by line ---- */

static void put_lines(struct output *output, struct hf_slice stack, bool is_dotnet)
{
    struct lines lines = {stack};
    struct hf_slice line;
    bool has_line = next_line(&lines, &line); /* the message */
    while (has_line && next_line(&lines, &line)) {
        struct hf_slice trimmed = trim(line);
        if (is_dotnet && begins_with(trimmed, "at ")) {
            put_dotnet_frame(output, trimmed);
        } else if (!is_dotnet && begins_with(line, "    at ")) {
            put_javascript_frame(output, line);
        }
    }
}

/* ---- Go ---- */

/* "path:line" in it. False: there is none. */
static bool read_go_place(struct hf_slice line, struct hf_slice *ret_path, int64_t *ret_line)
{
    for (size_t at = 1; at + 1 < line.size; at++) {
        size_t first = at, last = at + 1;
        if (line.data[at] != ':' || line.data[at + 1] < '0' || line.data[at + 1] > '9') {
            continue;
        }
        while (first > 0 && strchr(": \t", line.data[first - 1]) == NULL) {
            first--;
        }
        while (last < line.size && line.data[last] >= '0' && line.data[last] <= '9') {
            last++;
        }
        if (first < at) {
            *ret_path = behind(before(line, at), first);
            *ret_line = number_of(behind(before(line, last), at + 1));
            return true;
        }
    }
    return false;
}

static void put_go(struct output *output, struct hf_slice stack)
{
    struct lines lines = {stack};
    struct hf_slice line, path = hf_slice_text("");
    int64_t number = 0;
    bool has_line = next_line(&lines, &line) && next_line(&lines, &line);
    while (has_line) {
        bool is_head = begins_with(line, "goroutine") && find(line, "running") < line.size &&
                       ends_with(line, ':');
        if (is_head && !next_line(&lines, &line)) {
            line = hf_slice_text("");
        }
        struct hf_slice label = line, place;
        if (next_line(&lines, &place)) {
            (void)read_go_place(place, &path, &number);
        }
        put_frame(output, path, label, number);
        has_line = next_line(&lines, &line);
    }
}

void xray_put_exception(struct xray_span *span, struct hf_json_writer *writer,
                        const struct xray_exception *exception, struct hf_slice language)
{
    struct output output = {.span = span, .writer = writer, .is_remote = exception->is_remote};
    open_exception(&output, exception->id, exception->type, exception->message);
    if (hf_slice_is(language, "java") || hf_slice_is(language, "php")) {
        put_java(&output, exception->stack);
    } else if (hf_slice_is(language, "python")) {
        put_python(&output, exception->stack);
    } else if (hf_slice_is(language, "javascript")) {
        put_lines(&output, exception->stack, false);
    } else if (hf_slice_is(language, "dotnet")) {
        put_lines(&output, exception->stack, true);
    } else if (hf_slice_is(language, "go")) {
        put_go(&output, exception->stack);
    }
    close_exception(&output);
}
