#include "writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "scalar.h"
#include "util/escape.h"

#define DEPTH_MAX (HF_CONFIG_DEPTH * 2 + 4) /* "::" may double it */

struct hf_writer {
    bool json, lines, failed;
    FILE *out;
    char *text;
    size_t size;
    yaml_emitter_t emitter; /* YAML */
    unsigned depth;
    bool is_map[DEPTH_MAX]; /* what stands at each depth */
    bool first, after_key;  /* JSON: nothing yet at this depth; a key was just written */
    struct {
        const char *key; /* of a map: the last one */
        size_t count;    /* entries or items so far */
        struct hf_yaml_place place;
    } at[DEPTH_MAX];            /* lines */
    struct hf_yaml_place place; /* lines: of what comes next */
};

static int write_out(void *data, unsigned char *buffer, size_t size)
{
    struct hf_writer *writer = data;

    return fwrite(buffer, 1, size, writer->out) == size;
}

/* ---- YAML ------------------------------------------------------------------------------------
 */

/* Takes the event, of which `made` says whether there was memory for it. */
static void emit(struct hf_writer *writer, yaml_event_t *event, int made)
{
    if (made == 0 || writer->failed) {
        writer->failed = true;
        if (made != 0) {
            yaml_event_delete(event);
        }
        return;
    }
    writer->failed = yaml_emitter_emit(&writer->emitter, event) == 0;
}

static void yaml_scalar(struct hf_writer *writer, const char *text, enum hf_scalar_type type)
{
    bool misread = type == HF_SCALAR_STRING && hf_scalar_type_of(text) != HF_SCALAR_STRING;
    bool is_fit = hf_escape_is_needless(hf_slice_text(text));
    if (!is_fit) {
        /* libyaml escapes by this alone; it holds events back, so it stays for the rest. */
        yaml_emitter_set_unicode(&writer->emitter, 0);
    }
    yaml_scalar_style_t style = misread || !is_fit         ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                : type == HF_SCALAR_STRING ? YAML_ANY_SCALAR_STYLE
                                                           : YAML_PLAIN_SCALAR_STYLE;
    yaml_event_t event;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), 1, 1, style);

    emit(writer, &event, made);
}

static void begin_yaml(struct hf_writer *writer)
{
    yaml_event_t event;

    if (yaml_emitter_initialize(&writer->emitter) == 0) {
        writer->failed = true;
        return;
    }
    yaml_emitter_set_output(&writer->emitter, write_out, writer);
    yaml_emitter_set_unicode(&writer->emitter, 1);
    yaml_emitter_set_width(&writer->emitter, -1);
    int made = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(writer, &event, made);
    made = yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    emit(writer, &event, made);
}

static void end_yaml(struct hf_writer *writer)
{
    yaml_event_t event;

    int made = yaml_document_end_event_initialize(&event, 1);
    emit(writer, &event, made);
    made = yaml_stream_end_event_initialize(&event);
    emit(writer, &event, made);
    yaml_emitter_delete(&writer->emitter);
}

/* ---- JSON ------------------------------------------------------------------------------------
 */

static void json_indent(struct hf_writer *writer)
{
    fprintf(writer->out, "\n%*s", (int)(writer->depth * 2), "");
}

static void json_begin_value(struct hf_writer *writer)
{
    if (!writer->after_key && writer->depth > 0) {
        fputs(writer->first ? "" : ",", writer->out);
        json_indent(writer);
    }
    writer->after_key = false;
    writer->first = false;
}

static void json_string(struct hf_writer *writer, const char *text)
{
    fputc('"', writer->out);
    hf_escape_print(HF_ESCAPE_JSON, hf_slice_text(text), writer->out);
    fputc('"', writer->out);
}

static void json_scalar(struct hf_writer *writer, const char *text, enum hf_scalar_type type)
{
    int64_t integer = 0;
    double number = 0;
    bool truth = false;

    if (type == HF_SCALAR_NULL) {
        fputs("null", writer->out);
    } else if (type == HF_SCALAR_BOOL && hf_scalar_bool(text, &truth)) {
        fputs(truth ? "true" : "false", writer->out);
    } else if (type == HF_SCALAR_INT && hf_scalar_int(text, &integer) == HF_SCALAR_GOOD) {
        fprintf(writer->out, "%" PRId64, integer);
    } else if (type == HF_SCALAR_DOUBLE && hf_scalar_double(text, &number) == HF_SCALAR_GOOD &&
               isfinite(number)) {
        fprintf(writer->out, "%.17g", number);
    } else {
        json_string(writer, text);
    }
}

/* ---- lines -----------------------------------------------------------------------------------
 */

/* How far the places are indented, unless the value is long. */
#define PLACE_COLUMN 64

static void write_line(struct hf_writer *writer, const char *text, struct hf_yaml_place place)
{
    int size = 0;
    for (unsigned depth = 1; depth <= writer->depth; depth++) {
        if (!writer->is_map[depth]) {
            size += fprintf(writer->out, "[%zu]", writer->at[depth].count);
        } else {
            struct hf_slice key = hf_slice_text(writer->at[depth].key);
            size += fprintf(writer->out, "%s", depth > 1 ? "::" : "") + (int)key.size;
            hf_escape_print(HF_ESCAPE_LINE, key, writer->out);
        }
    }
    fputs(" = ", writer->out);
    hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(text), writer->out);
    size += 3 + (int)strlen(text);
    fprintf(writer->out, "%*s  # ", size < PLACE_COLUMN ? PLACE_COLUMN - size : 0, "");
    hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(place.file), writer->out);
    fprintf(writer->out, place.line != 0 ? ":%u\n" : "\n", place.line);
    writer->at[writer->depth].count++;
}

static void begin_lines(struct hf_writer *writer, bool map)
{
    if (writer->depth + 1 >= DEPTH_MAX) {
        writer->failed = true; /* deeper than any tree that loads */
        return;
    }
    writer->is_map[++writer->depth] = map;
    writer->at[writer->depth].count = 0;
    writer->at[writer->depth].place = writer->place;
}

/* What is empty has a line of its own. */
static void end_lines(struct hf_writer *writer)
{
    bool is_map = writer->is_map[writer->depth], is_empty = writer->at[writer->depth].count == 0;
    struct hf_yaml_place place = writer->at[writer->depth].place;
    writer->depth--;
    if (is_empty && writer->depth > 0) {
        write_line(writer, is_map ? "{}" : "[]", place);
    } else {
        writer->at[writer->depth].count++;
    }
}

/* ---- all -------------------------------------------------------------------------------------
 */

static struct hf_writer *new_writer(bool json, bool lines)
{
    struct hf_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL) {
        return NULL;
    }
    writer->json = json;
    writer->lines = lines;
    writer->out = open_memstream(&writer->text, &writer->size);
    if (writer->out == NULL) {
        free(writer);
        return NULL;
    }
    if (!json && !lines) {
        begin_yaml(writer);
    }
    return writer;
}

struct hf_writer *hf_writer_new(bool json)
{
    return new_writer(json, false);
}

struct hf_writer *hf_writer_new_lines(void)
{
    return new_writer(false, true);
}

void hf_writer_place(struct hf_writer *writer, struct hf_yaml_place place)
{
    writer->place = place;
}

static void begin(struct hf_writer *writer, bool map)
{
    yaml_event_t event;

    if (writer->lines) {
        begin_lines(writer, map);
        return;
    }
    if (writer->json) {
        json_begin_value(writer);
        fputc(map ? '{' : '[', writer->out);
        writer->first = true;
    } else if (map) {
        int made =
            yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
        emit(writer, &event, made);
    } else {
        int made =
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        emit(writer, &event, made);
    }
    if (writer->depth + 1 >= DEPTH_MAX) {
        writer->failed = true; /* deeper than any tree that loads */
        return;
    }
    writer->is_map[++writer->depth] = map;
}

void hf_writer_map(struct hf_writer *writer)
{
    begin(writer, true);
}

void hf_writer_list(struct hf_writer *writer)
{
    begin(writer, false);
}

void hf_writer_end(struct hf_writer *writer)
{
    bool map = writer->is_map[writer->depth];
    yaml_event_t event;

    if (writer->lines && writer->depth > 0) {
        end_lines(writer);
        return;
    }
    if (writer->depth > 0) {
        writer->depth--;
    }
    if (writer->json) {
        if (!writer->first) {
            json_indent(writer);
        }
        fputc(map ? '}' : ']', writer->out);
        writer->first = false;
        return;
    }
    int made = map ? yaml_mapping_end_event_initialize(&event)
                   : yaml_sequence_end_event_initialize(&event);
    emit(writer, &event, made);
}

void hf_writer_key(struct hf_writer *writer, const char *key)
{
    if (writer->lines) {
        writer->at[writer->depth].key = key;
        return;
    }
    if (!writer->json) {
        yaml_scalar(writer, key, HF_SCALAR_STRING);
        return;
    }
    json_begin_value(writer);
    json_string(writer, key);
    fputs(": ", writer->out);
    writer->after_key = true;
}

void hf_writer_scalar(struct hf_writer *writer, const char *text, enum hf_scalar_type type)
{
    if (text == NULL && type != HF_SCALAR_NULL) {
        writer->failed = true;
        return;
    }
    if (writer->lines) {
        write_line(writer, type == HF_SCALAR_NULL ? "null" : text, writer->place);
        return;
    }
    if (!writer->json) {
        yaml_scalar(writer, type == HF_SCALAR_NULL ? "null" : text, type);
        return;
    }
    json_begin_value(writer);
    json_scalar(writer, text, type);
}

char *hf_writer_take(struct hf_writer *writer)
{
    if (writer->json) {
        fputc('\n', writer->out);
    } else if (!writer->lines) {
        end_yaml(writer);
    }
    bool failed = writer->failed || ferror(writer->out) != 0;
    failed = fclose(writer->out) != 0 || failed;
    char *text = writer->text;
    free(writer);
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}
