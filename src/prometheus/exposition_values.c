#include "exposition_values.h"

#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "util/blank.h"

#define CAPACITY_FIRST 256u

bool hf_expo_values_add(struct hf_expo_values *values, double value)
{
    if (values->count == values->capacity) {
        size_t capacity = values->capacity != 0 ? 2 * values->capacity : CAPACITY_FIRST;
        double *items = realloc(values->items, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        values->items = items;
        values->capacity = capacity;
    }
    values->items[values->count++] = value;
    return true;
}

void hf_expo_values_release(struct hf_expo_values *values)
{
    free(values->items);
    *values = (struct hf_expo_values){0};
}

/* A line that has no sample. */
static bool is_comment(struct hf_slice line)
{
    size_t at = 0;
    while (at < line.size && hf_is_blank(line.data[at])) {
        at++;
    }
    return at == line.size || line.data[at] == '#';
}

/* Takes the number from the end of the line. */
static bool take_value(struct hf_slice *line, double *ret_value)
{
    size_t start = line->size;
    while (start > 0 && !hf_is_blank(line->data[start - 1])) {
        start--;
    }
    struct hf_slice token = hf_slice_of(line->data + start, line->size - start);
    line->size = start;
    return hf_expo_number(token, ret_value);
}

bool hf_expo_values_read(struct hf_expo_values *values, enum hf_expo_format format,
                         struct hf_slice body)
{
    values->count = 0;
    if (format == HF_EXPO_PROTOBUF) {
        return false;
    }
    uint64_t shape = format;
    const uint8_t *at = body.data;
    const uint8_t *end = body.size != 0 ? at + body.size : at;
    while (at < end) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        struct hf_slice line = hf_slice_of(at, (size_t)(line_end - at));
        double value;
        if (!is_comment(line) &&
            (!take_value(&line, &value) || !hf_expo_values_add(values, value))) {
            return false;
        }
        shape = hf_prom_hash(line, shape + 1);
        at = line_end + (line_end < end);
    }
    values->shape = shape;
    return true;
}
