#include "loki_labels.h"

#include "util/go_escape.h"

struct reader {
    struct hf_slice rest;
    struct hf_arena *arena;
};

static bool is_name_byte(uint8_t byte, bool is_first)
{
    uint8_t lower = byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || byte == '_' || byte == ':' ||
           (!is_first && byte >= '0' && byte <= '9');
}

static void skip(struct reader *reader, size_t size)
{
    reader->rest = hf_slice_of(reader->rest.data + size, reader->rest.size - size);
}

static void skip_space(struct reader *reader)
{
    while (reader->rest.size != 0 &&
           (reader->rest.data[0] == ' ' || reader->rest.data[0] == '\t' ||
            reader->rest.data[0] == '\n' || reader->rest.data[0] == '\r')) {
        skip(reader, 1);
    }
}

/* The byte, behind any space, which is passed. */
static bool accept(struct reader *reader, char byte)
{
    skip_space(reader);
    if (reader->rest.size == 0 || reader->rest.data[0] != (uint8_t)byte) {
        return false;
    }
    skip(reader, 1);
    return true;
}

static struct hf_slice take_name(struct reader *reader)
{
    size_t size = 0;
    skip_space(reader);
    while (size < reader->rest.size && is_name_byte(reader->rest.data[size], size == 0)) {
        size++;
    }
    struct hf_slice name = hf_slice_of(reader->rest.data, size);
    skip(reader, size);
    return name;
}

/* ---- texts in quotes ---- */

static const char *unescape(struct reader *reader, struct hf_slice text, struct hf_slice *ret_text)
{
    uint8_t *made = hf_arena_take(reader->arena, text.size + 1);
    size_t size = 0;
    if (made == NULL) {
        return "labels are too long";
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '\\') {
            made[size++] = text.data[i];
            continue;
        }
        size_t more = 0;
        size_t used =
            hf_go_escape(hf_slice_of(text.data + i + 1, text.size - i - 1), made + size, &more);
        if (used == 0) {
            return "a label has an escape that is not known";
        }
        size += more;
        i += used;
    }
    *ret_text = hf_slice_of(made, size);
    return NULL;
}

static const char *take_text(struct reader *reader, struct hf_slice *ret_text)
{
    skip_space(reader);
    uint8_t quote = reader->rest.size != 0 ? reader->rest.data[0] : 0;
    if (quote != '"' && quote != '\'' && quote != '`') {
        return "a label has no value in quotes";
    }
    bool has_escape = false;
    size_t end = 1;
    while (end < reader->rest.size && reader->rest.data[end] != quote) {
        bool is_escape = reader->rest.data[end] == '\\' && quote != '`';
        has_escape = has_escape || is_escape;
        end += is_escape ? 2 : 1;
    }
    if (end >= reader->rest.size) {
        return "the quote of a label is not closed";
    }
    struct hf_slice text = hf_slice_of(reader->rest.data + 1, end - 1);
    skip(reader, end + 1);
    *ret_text = text;
    return has_escape ? unescape(reader, text, ret_text) : NULL;
}

/* ---- labels ---- */

bool hf_loki_labels_have(const struct hf_loki_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool hf_loki_labels_add(struct hf_loki_labels *labels, struct hf_slice name, struct hf_slice value)
{
    if ((name.size >= 2 && memcmp(name.data, "__", 2) == 0) || hf_loki_labels_have(labels, name)) {
        return true;
    }
    if (labels->count == HF_LOKI_LABELS_MAX) {
        return false;
    }
    labels->items[labels->count++] = (struct hf_loki_label){name, value};
    return true;
}

static const char *take_label(struct reader *reader, struct hf_loki_labels *labels)
{
    struct hf_slice name = take_name(reader), value;
    const char *wrong = name.size == 0 ? take_text(reader, &name) : NULL;
    if (wrong != NULL) {
        return "a label has no name";
    }
    if (!accept(reader, '=')) {
        return "a label has no = behind its name";
    }
    wrong = take_text(reader, &value);
    if (wrong != NULL) {
        return wrong;
    }
    return hf_loki_labels_add(labels, name, value) ? NULL : "a stream has more than 256 labels";
}

const char *hf_loki_labels_read(struct hf_slice text, struct hf_arena *arena,
                                struct hf_loki_labels *ret_labels)
{
    struct reader reader = {text, arena};
    struct hf_slice metric = take_name(&reader);
    ret_labels->count = 0;
    if (!accept(&reader, '{')) {
        skip_space(&reader);
        return metric.size != 0 && reader.rest.size == 0 ? NULL : "labels do not begin with {";
    }
    while (!accept(&reader, '}')) {
        const char *wrong = take_label(&reader, ret_labels);
        if (wrong != NULL) {
            return wrong;
        }
        if (!accept(&reader, ',')) {
            if (!accept(&reader, '}')) {
                return "labels are not closed by }";
            }
            break;
        }
    }
    skip_space(&reader);
    return reader.rest.size == 0 ? NULL : "there is something behind the labels";
}
