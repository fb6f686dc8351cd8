/*
 * yaml: reads one YAML document into a tree of values with their places.
 */
#include <string.h>

#include <yaml.h>

#include "scalar.h"
#include "tree.h"

#define ANCHORS_MAX 1000u

struct anchor {
    const char *name;
    const struct hf_yaml *node; /* NULL while its own content is being read */
};

struct reader {
    struct hf_load *load;
    const struct hf_yaml_input *input;
    yaml_parser_t parser;
    struct anchor *anchors; /* ANCHORS_MAX of them, made with the first */
    size_t anchor_count;
};

static struct hf_yaml_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    if (reader->input->at != NULL) {
        return *reader->input->at;
    }
    return (struct hf_yaml_place){reader->input->file, (unsigned)mark.line + 1,
                                  (unsigned)mark.column + 1};
}

#define complain(reader, mark, ...)                                                                \
    do {                                                                                           \
        if ((reader)->input->at == NULL) {                                                         \
            hf_load_error((reader)->load, place_of((reader), (mark)), NULL, __VA_ARGS__);          \
        }                                                                                          \
    } while (0)

/* Where a byte of the input stands: libyaml gives bad bytes by offset only. */
static yaml_mark_t mark_of_offset(const struct hf_yaml_input *input, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < input->size; i++) {
        unsigned char byte = (unsigned char)input->text[i];
        if (byte == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((byte & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_tab_at(const struct hf_yaml_input *input, yaml_mark_t mark)
{
    return mark.index < input->size && input->text[mark.index] == '\t';
}

static void complain_of_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";

    if (parser->error == YAML_READER_ERROR) {
        complain(reader, mark_of_offset(reader->input, parser->problem_offset),
                 "not UTF-8 text that YAML allows: %s", problem);
    } else if (is_tab_at(reader->input, parser->problem_mark)) {
        complain(
            reader, parser->problem_mark,
            "not valid YAML: a tab; indent with blanks, and quote text that begins with a tab");
    } else if (parser->error == YAML_MEMORY_ERROR) {
        complain(reader, parser->mark, "out of memory while reading YAML");
    } else if (parser->context != NULL) {
        complain(reader, parser->problem_mark, "not valid YAML: %s %s (line %zu)", problem,
                 parser->context, parser->context_mark.line + 1);
    } else {
        complain(reader, parser->problem_mark, "not valid YAML: %s", problem);
    }
}

static bool next_event(struct reader *reader, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&reader->parser, ret_event) == 0) {
        complain_of_syntax(reader);
        return false;
    }
    return true;
}

/* ---- scalars, aliases --------------------------------------------------------------------- */

static bool scalar_type(struct reader *reader, const yaml_event_t *event, const char *text,
                        enum hf_scalar_type *ret_type)
{
    const char *tag = (const char *)event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (tag == NULL) {
        *ret_type = plain ? hf_scalar_type_of(text) : HF_SCALAR_STRING;
        return true;
    }
    if (strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0) {
        *ret_type = HF_SCALAR_STRING;
        return true;
    }
    enum hf_scalar_type type = hf_scalar_type_of(text);
    if ((strcmp(tag, YAML_INT_TAG) == 0 && type == HF_SCALAR_INT) ||
        (strcmp(tag, YAML_FLOAT_TAG) == 0 && (type == HF_SCALAR_INT || type == HF_SCALAR_DOUBLE)) ||
        (strcmp(tag, YAML_BOOL_TAG) == 0 && type == HF_SCALAR_BOOL) ||
        (strcmp(tag, YAML_NULL_TAG) == 0 && type == HF_SCALAR_NULL)) {
        *ret_type = type;
        return true;
    }
    complain(reader, event->start_mark, "the tag %s does not fit or is not known",
             hf_show(tag).text);
    return false;
}

/* The event's text in the load's memory, or NULL and a complaint. */
static const char *scalar_text(struct reader *reader, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;

    if (memchr(value, '\0', size) != NULL) {
        complain(reader, event->start_mark, "a NUL character in a text");
        return NULL;
    }
    return hf_config_text(reader->load->memory, value, size);
}

static struct hf_yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *text = scalar_text(reader, event);
    enum hf_scalar_type type = HF_SCALAR_NULL;

    if (text == NULL || !scalar_type(reader, event, text, &type)) {
        return NULL;
    }
    return hf_yaml_scalar(reader->load, place_of(reader, event->start_mark), text, type);
}

static struct hf_yaml *read_alias(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = reader->anchor_count; i > 0; i--) {
        const struct anchor *anchor = &reader->anchors[i - 1];
        if (strcmp(anchor->name, name) != 0) {
            continue;
        }
        if (anchor->node == NULL) {
            complain(reader, event->start_mark, "*%s stands within its own anchor", name);
            return NULL;
        }
        return hf_yaml_copy(reader->load, anchor->node, depth);
    }
    complain(reader, event->start_mark, "unknown anchor '%s' referenced", name);
    return NULL;
}

/* Remembers an anchor; SIZE_MAX in `ret_index` when there is none. */
static bool open_anchor(struct reader *reader, const yaml_event_t *event, size_t *ret_index)
{
    const yaml_char_t *name = NULL;

    *ret_index = SIZE_MAX;
    if (event->type == YAML_SCALAR_EVENT) {
        name = event->data.scalar.anchor;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        name = event->data.sequence_start.anchor;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        name = event->data.mapping_start.anchor;
    }
    if (name == NULL) {
        return true;
    }
    if (reader->anchor_count == ANCHORS_MAX) {
        complain(reader, event->start_mark, "more than %u anchors", ANCHORS_MAX);
        return false;
    }
    if (reader->anchors == NULL) {
        reader->anchors = hf_config_array(reader->load->memory, ANCHORS_MAX, sizeof(struct anchor));
    }
    const char *copy =
        hf_config_text(reader->load->memory, (const char *)name, strlen((const char *)name));
    if (reader->anchors == NULL || copy == NULL) {
        return false;
    }
    *ret_index = reader->anchor_count++;
    reader->anchors[*ret_index].name = copy;
    return true;
}

/* ---- maps and lists ------------------------------------------------------------------------- */

/* Puts what `from` has and `map` lacks. */
static bool put_absent(struct reader *reader, struct hf_yaml *map, const struct hf_yaml *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct hf_yaml_entry *entry = &from->entries[i];
        if (hf_yaml_find(map, entry->key) == NULL &&
            !hf_yaml_put(reader->load, map, entry->key, entry->place, entry->value)) {
            return false;
        }
    }
    return true;
}

static bool merge_key(struct reader *reader, struct hf_yaml *map, const struct hf_yaml *value)
{
    bool good = value->kind != HF_YAML_SCALAR;

    if (value->kind == HF_YAML_MAP) {
        return put_absent(reader, map, value);
    }
    for (size_t i = 0; i < value->count && good; i++) {
        good = value->items[i]->kind == HF_YAML_MAP;
    }
    if (!good) {
        if (reader->input->at == NULL) {
            hf_load_error(reader->load, value->place, NULL, "<< takes a map or a list of maps");
        }
        return false;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (!put_absent(reader, map, value->items[i])) {
            return false;
        }
    }
    return true;
}

static struct hf_yaml *read_node(struct reader *reader, yaml_event_t *event, unsigned depth);

static struct hf_yaml *read_next(struct reader *reader, unsigned depth)
{
    yaml_event_t event;

    if (!next_event(reader, &event)) {
        return NULL;
    }
    struct hf_yaml *node = read_node(reader, &event, depth);
    yaml_event_delete(&event);
    return node;
}

/* One key and its value. Merges are kept for later: what stands in the map itself goes first,
 * wherever it stands. */
static bool read_pair(struct reader *reader, const yaml_event_t *event, unsigned depth,
                      struct hf_yaml *map, struct hf_yaml *merges)
{
    if (event->type != YAML_SCALAR_EVENT) {
        complain(reader, event->start_mark, "a key must be plain text");
        return false;
    }
    const char *key = scalar_text(reader, event);
    if (key == NULL) {
        return false;
    }
    struct hf_yaml_place place = place_of(reader, event->start_mark);
    bool merge = strcmp(key, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const struct hf_yaml_entry *earlier = merge ? NULL : hf_yaml_find(map, key);
    if (earlier != NULL) {
        complain(reader, event->start_mark, "%s: the key is there twice; the first is in line %u",
                 hf_show(key).text, earlier->place.line);
    }
    struct hf_yaml *value = read_next(reader, depth + 1);
    if (value == NULL) {
        return false;
    }
    if (merge) {
        return hf_yaml_append(reader->load, merges, value);
    }
    return earlier != NULL || hf_yaml_put(reader->load, map, key, place, value);
}

static struct hf_yaml *read_map(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct hf_yaml_place place = place_of(reader, start->start_mark);
    struct hf_yaml *map = hf_yaml_new(reader->load, HF_YAML_MAP, place);
    struct hf_yaml merges = {.kind = HF_YAML_LIST};
    bool good = map != NULL, end = false;
    yaml_event_t event;

    while (good && !end) {
        if (!next_event(reader, &event)) {
            return NULL;
        }
        end = event.type == YAML_MAPPING_END_EVENT;
        good = end || read_pair(reader, &event, depth, map, &merges);
        yaml_event_delete(&event);
    }
    for (size_t i = 0; i < merges.count && good; i++) {
        good = merge_key(reader, map, merges.items[i]);
    }
    return good ? map : NULL;
}

static struct hf_yaml *read_list(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct hf_yaml *list =
        hf_yaml_new(reader->load, HF_YAML_LIST, place_of(reader, start->start_mark));
    bool good = list != NULL, end = false;
    yaml_event_t event;

    while (good && !end) {
        if (!next_event(reader, &event)) {
            return NULL;
        }
        end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end) {
            struct hf_yaml *item = read_node(reader, &event, depth + 1);
            good = item != NULL && hf_yaml_append(reader->load, list, item);
        }
        yaml_event_delete(&event);
    }
    return good ? list : NULL;
}

/* The node that begins with `event`; reads on to its end. */
static struct hf_yaml *read_node(struct reader *reader, yaml_event_t *event, unsigned depth)
{
    struct hf_yaml *node = NULL;
    size_t anchor = SIZE_MAX;

    if (depth > HF_CONFIG_DEPTH) {
        complain(reader, event->start_mark, "nested deeper than %u levels", HF_CONFIG_DEPTH);
        return NULL;
    }
    if (!open_anchor(reader, event, &anchor)) {
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        node = read_scalar(reader, event);
        break;
    case YAML_ALIAS_EVENT:
        node = read_alias(reader, event, depth);
        break;
    case YAML_SEQUENCE_START_EVENT:
        node = read_list(reader, event, depth);
        break;
    case YAML_MAPPING_START_EVENT:
        node = read_map(reader, event, depth);
        break;
    default:
        complain(reader, event->start_mark, "not valid YAML: a value is missing");
        break;
    }
    if (anchor != SIZE_MAX) {
        reader->anchors[anchor].node = node;
    }
    return node;
}

/* ---- the stream ------------------------------------------------------------------------------
 */

static bool is_nothing(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           event->data.scalar.anchor == NULL && event->data.scalar.tag == NULL;
}

/* What follows the document: its end, then nothing more but a closing "---". */
static bool at_end(struct reader *reader)
{
    bool good = true, end = false;
    yaml_mark_t start = {0};
    yaml_event_t event;

    while (good && !end) {
        if (!next_event(reader, &event)) {
            return false;
        }
        start = event.type == YAML_DOCUMENT_START_EVENT ? event.start_mark : start;
        end = event.type == YAML_STREAM_END_EVENT;
        good = end || event.type == YAML_DOCUMENT_END_EVENT ||
               event.type == YAML_DOCUMENT_START_EVENT || is_nothing(&event);
        if (!good) {
            complain(reader, start, "a second YAML document; a configuration is one document");
        }
        yaml_event_delete(&event);
    }
    return good;
}

static struct hf_yaml *read_stream(struct reader *reader)
{
    struct hf_yaml *node = NULL;
    yaml_event_t event;

    if (!next_event(reader, &event)) {
        return NULL;
    }
    yaml_event_delete(&event); /* the stream's start */
    if (!next_event(reader, &event)) {
        return NULL;
    }
    yaml_mark_t mark = event.start_mark;
    bool empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty) {
        return hf_yaml_scalar(reader->load, place_of(reader, mark), "", HF_SCALAR_NULL);
    }
    node = read_next(reader, 1);
    return node != NULL && at_end(reader) ? node : NULL;
}

struct hf_yaml *hf_yaml_parse(struct hf_load *load, const struct hf_yaml_input *input)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct hf_yaml_input body = *input;
    struct reader reader = {.load = load, .input = &body};

    if (body.size >= 3 && memcmp(body.text, bom, 3) == 0) {
        body.text += 3;
        body.size -= 3;
    }
    if (yaml_parser_initialize(&reader.parser) == 0) {
        hf_load_error(load, (struct hf_yaml_place){.file = input->file}, NULL, "out of memory");
        return NULL;
    }
    /* Told rather than guessed: a file that begins like UTF-16 is a mistake. */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)body.text, body.size);
    struct hf_yaml *node = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    return node;
}
