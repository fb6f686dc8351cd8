#include "statsd.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_BYTES_MAX 128u

static const struct {
    const char *text, *name;
} types[] = {[HF_STATSD_COUNTER] = {"c", "counter"},
             [HF_STATSD_GAUGE] = {"g", "gauge"},
             [HF_STATSD_HISTOGRAM] = {"h", "histogram"},
             [HF_STATSD_TIMING] = {"ms", "timing"},
             [HF_STATSD_DISTRIBUTION] = {"d", "distribution"}};

#define TYPES (sizeof(types) / sizeof(types[0]))

const char *hf_statsd_type_name(enum hf_statsd_type type)
{
    return types[type].name;
}

/* What stands before `by`, which is skipped; all of it when there is none. */
static struct hf_slice cut(struct hf_slice *rest, char by, bool *ret_found)
{
    const uint8_t *at = rest->size != 0 ? memchr(rest->data, by, rest->size) : NULL;
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    struct hf_slice before = hf_slice_of(rest->data, size);
    *ret_found = at != NULL;
    size_t used = size + (at != NULL ? 1 : 0);
    *rest = hf_slice_of(used != 0 ? rest->data + used : rest->data, rest->size - used);
    return before;
}

/* As strconv.ParseFloat reads it, but for underscores: no space around it, no "nan(...)". */
static bool read_number(struct hf_slice text, double *ret_number)
{
    char copy[NUMBER_BYTES_MAX];
    char *end;
    if (text.size == 0 || text.size >= sizeof(copy) || text.data[0] <= ' ' ||
        memchr(text.data, '(', text.size) != NULL || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *ret_number = strtod(copy, &end);
    return *end == '\0';
}

static bool read_seconds(struct hf_slice text, uint64_t *ret_ns)
{
    uint64_t seconds = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i == 10) {
            return false;
        }
        seconds = 10 * seconds + (text.data[i] - '0');
    }
    *ret_ns = seconds * UINT64_C(1000000000);
    return text.size != 0;
}

static const char *add_tag(struct hf_statsd_line *line, struct hf_slice key, struct hf_slice value)
{
    if (line->tag_count == HF_STATSD_TAGS_MAX) {
        return "more than 128 tags";
    }
    line->tags[line->tag_count++] = (struct hf_statsd_tag){key, value};
    return NULL;
}

static const char *read_tags(struct hf_statsd_line *line, struct hf_slice text, bool simple_tags)
{
    bool found;
    while (text.size != 0) {
        struct hf_slice value = cut(&text, ',', &found);
        if (value.size == 0) {
            continue;
        }
        struct hf_slice key = cut(&value, ':', &found);
        if (key.size == 0 || (value.size == 0 && !simple_tags)) {
            return "a tag without key or value";
        }
        const char *wrong = add_tag(line, key, value);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

static struct hf_slice behind(struct hf_slice part, size_t size)
{
    return hf_slice_of(part.data + size, part.size - size);
}

static const char *read_part(struct hf_statsd_line *line, struct hf_slice part, bool simple_tags)
{
    if (part.data[0] == '@') {
        return read_number(behind(part, 1), &line->rate) ? NULL : "a rate that is no number";
    }
    if (part.data[0] == '#') {
        return read_tags(line, behind(part, 1), simple_tags);
    }
    if (part.size >= 2 && memcmp(part.data, "c:", 2) == 0) {
        return part.size > 2 ? add_tag(line, hf_slice_text("container.id"), behind(part, 2)) : NULL;
    }
    if (part.data[0] != 'T') {
        return "a part that is not known";
    }
    if (line->type != HF_STATSD_COUNTER && line->type != HF_STATSD_GAUGE) {
        return "a timestamp of neither counter nor gauge";
    }
    return read_seconds(behind(part, 1), &line->time_ns) ? NULL : "a timestamp that is no number";
}

static bool find_type(struct hf_slice text, enum hf_statsd_type *ret_type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (hf_slice_is(text, types[i].text)) {
            *ret_type = (enum hf_statsd_type)i;
            return true;
        }
    }
    return false;
}

const char *hf_statsd_read(struct hf_slice text, bool simple_tags, struct hf_statsd_line *ret_line)
{
    bool found;
    struct hf_slice value = cut(&text, '|', &found);
    if (!found) {
        return "no | behind the value";
    }
    ret_line->name = cut(&value, ':', &found);
    ret_line->rate = 0;
    ret_line->time_ns = 0;
    ret_line->tag_count = 0;
    if (ret_line->name.size == 0 || value.size == 0) {
        return "no name or no value";
    }
    if (!find_type(cut(&text, '|', &found), &ret_line->type)) {
        return "a type that is not known";
    }
    /* An empty part ends the line, as with the Go collector. */
    for (struct hf_slice part = cut(&text, '|', &found); part.size != 0;
         part = cut(&text, '|', &found)) {
        const char *wrong = read_part(ret_line, part, simple_tags);
        if (wrong != NULL) {
            return wrong;
        }
    }
    ret_line->is_change = value.data[0] == '-' || value.data[0] == '+';
    if (!read_number(value, &ret_line->value)) {
        return "a value that is no number";
    }
    return isfinite(ret_line->value) ? NULL : "a value that is not finite";
}
