#include "carbon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64u

/* What stands before `by`, which is skipped; all of it when there is none. */
static struct hf_slice cut(struct hf_slice *rest, char by)
{
    const uint8_t *at = rest->size != 0 ? memchr(rest->data, by, rest->size) : NULL;
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    size_t used = size + (at != NULL ? 1 : 0);
    struct hf_slice before = hf_slice_of(rest->data, size);
    *rest = hf_slice_of(used != 0 ? rest->data + used : rest->data, rest->size - used);
    return before;
}

/* A copy that ends with a NUL, of what could be a number. */
static bool copy_number(struct hf_slice text, char room[NUMBER_BYTES_MAX])
{
    if (text.size == 0 || text.size >= NUMBER_BYTES_MAX || text.data[0] <= ' ' ||
        memchr(text.data, '(', text.size) != NULL || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return true;
}

static bool read_integer(const char *text, int64_t *ret_integer)
{
    char *end;
    errno = 0;
    *ret_integer = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool read_number(struct hf_slice text, struct hf_carbon_line *line)
{
    char room[NUMBER_BYTES_MAX];
    char *end;
    if (!copy_number(text, room)) {
        return false;
    }
    line->is_integer = read_integer(room, &line->integer);
    errno = 0;
    line->number = strtod(room, &end);
    return line->is_integer || (*end == '\0' && errno == 0);
}

/* Seconds, whole or not; "-1" stands for the time of arrival. */
static bool read_time(struct hf_slice text, struct hf_carbon_line *line)
{
    char room[NUMBER_BYTES_MAX];
    char *end;
    int64_t seconds;
    if (!copy_number(text, room)) {
        return false;
    }
    if (read_integer(room, &seconds)) {
        line->has_time = seconds != -1;
        line->time_ns = line->has_time ? (uint64_t)seconds * UINT64_C(1000000000) : 0;
        return seconds >= -1 && seconds <= INT64_MAX / 1000000000;
    }
    double number = strtod(room, &end);
    bool good = *end == '\0' && number >= 0 && number < 9e9;
    line->has_time = good;
    line->time_ns = good ? (uint64_t)(number * 1e9) : 0;
    return good;
}

const char *hf_carbon_read(struct hf_slice text, struct hf_carbon_line *ret_line)
{
    ret_line->path = cut(&text, ' ');
    struct hf_slice value = cut(&text, ' ');
    if (ret_line->path.size == 0 || value.size == 0 || text.size == 0 ||
        memchr(text.data, ' ', text.size) != NULL) {
        return "not three parts with one space between";
    }
    if (!read_number(value, ret_line)) {
        return "a value that is no number";
    }
    return read_time(text, ret_line) ? NULL : "a time that is no number of seconds";
}

bool hf_carbon_set(struct hf_carbon_path *path, struct hf_slice key, struct hf_slice value)
{
    for (size_t i = 0; i < path->tag_count; i++) {
        if (hf_slice_equal(path->tags[i].key, key)) {
            path->tags[i].value = value;
            return true;
        }
    }
    if (path->tag_count == HF_CARBON_TAGS_MAX) {
        return false;
    }
    path->tags[path->tag_count++] = (struct hf_carbon_tag){key, value};
    return true;
}

const char *hf_carbon_split(struct hf_slice path, struct hf_carbon_path *ret_path)
{
    ret_path->tag_count = 0;
    ret_path->name = cut(&path, ';');
    if (ret_path->name.size == 0) {
        return "a path without a name";
    }
    while (path.size != 0) {
        struct hf_slice value = cut(&path, ';');
        const uint8_t *equals = value.size != 0 ? memchr(value.data, '=', value.size) : NULL;
        if (equals == NULL || equals == value.data) {
            return "a tag without key or =";
        }
        struct hf_slice key = cut(&value, '=');
        if (!hf_carbon_set(ret_path, key, value)) {
            return "more than 128 tags";
        }
    }
    return NULL;
}
