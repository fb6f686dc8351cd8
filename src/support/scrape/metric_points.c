#include "metric_points.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)64 << 20)
#define DIGITS_MAX 64

struct point {
    struct point *next;
    bool is_double;
    int64_t integer;
    double number;
    size_t attribute_count;
    struct hf_points_attribute attributes[];
};

struct hf_points_list {
    struct point *first, *last;
};

enum hf_status hf_points_init(struct hf_points *points, const struct hf_metric_set *metrics)
{
    *points = (struct hf_points){.metrics = *metrics,
                                 .lists = calloc(metrics->count, sizeof(*points->lists)),
                                 .arena = {.limit = ARENA_MAX}};
    return points->lists != NULL ? HF_OK : HF_NOMEM;
}

void hf_points_release(struct hf_points *points)
{
    free(points->lists);
    points->lists = NULL;
    hf_arena_release(&points->arena);
}

static bool copy_attributes(struct hf_points *points, struct point *point,
                            const struct hf_points_attribute *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_slice text = attributes[i].text;
        point->attributes[i] = attributes[i];
        if (text.size != 0) {
            void *copy = hf_arena_take(&points->arena, text.size);
            if (copy == NULL) {
                return false;
            }
            memcpy(copy, text.data, text.size);
            point->attributes[i].text = hf_slice_of(copy, text.size);
        }
    }
    point->attribute_count = count;
    return true;
}

/* NULL: the metric is not wanted, or there is no memory. */
static struct point *add(struct hf_points *points, unsigned id,
                         const struct hf_points_attribute *attributes, size_t count)
{
    assert(id < points->metrics.count && count <= HF_POINTS_ATTRIBUTES_MAX);
    if (!points->metrics.choices[id].enabled) {
        return NULL;
    }
    struct point *point =
        hf_arena_take(&points->arena, sizeof(*point) + count * sizeof(*attributes));
    if (point == NULL || !copy_attributes(points, point, attributes, count)) {
        points->failed = true;
        return NULL;
    }
    struct hf_points_list *list = &points->lists[id];
    point->next = NULL;
    if (list->last != NULL) {
        list->last->next = point;
    } else {
        list->first = point;
    }
    list->last = point;
    return point;
}

void hf_points_int(struct hf_points *points, unsigned id, int64_t value,
                   const struct hf_points_attribute *attributes, size_t count)
{
    struct point *point = add(points, id, attributes, count);
    if (point != NULL) {
        point->is_double = false;
        point->integer = value;
    }
}

void hf_points_double(struct hf_points *points, unsigned id, double value,
                      const struct hf_points_attribute *attributes, size_t count)
{
    struct point *point = add(points, id, attributes, count);
    if (point != NULL) {
        point->is_double = true;
        point->number = value;
    }
}

void hf_points_clear(struct hf_points *points)
{
    for (size_t i = 0; i < points->metrics.count; i++) {
        points->lists[i] = (struct hf_points_list){NULL, NULL};
    }
    points->failed = false;
    hf_arena_reset(&points->arena);
}

static void write_point(struct hf_builder *builder, const struct point *point,
                        const struct hf_build_point *times)
{
    if (point->is_double) {
        hf_build_point_double(builder, times, point->number);
    } else {
        hf_build_point_int(builder, times, point->integer);
    }
    for (size_t i = 0; i < point->attribute_count; i++) {
        const struct hf_points_attribute *one = &point->attributes[i];
        if (one->is_integer) {
            hf_build_attribute_int(builder, hf_slice_text(one->key), one->integer);
        } else {
            hf_build_attribute_string(builder, hf_slice_text(one->key), one->text);
        }
    }
    hf_build_end(builder);
}

uint32_t hf_points_write(struct hf_points *points, struct hf_builder *builder, uint64_t start_ns,
                         uint64_t now_ns, bool *ret_failed)
{
    const struct hf_build_point times = {.start_ns = start_ns, .time_ns = now_ns};
    uint32_t written = 0;
    for (size_t i = 0; i < points->metrics.count; i++) {
        const struct point *point = points->lists[i].first;
        if (point != NULL) {
            hf_metric_open(builder, &points->metrics.rows[i]);
        }
        for (; point != NULL; point = point->next) {
            write_point(builder, point, &times);
            written++;
        }
    }
    *ret_failed = points->failed;
    hf_points_clear(points);
    return written;
}

/* ---- numbers of answers in text ---- */

/* False: empty, too long or with a blank before it. */
static bool copy_digits(struct hf_slice text, char *ret_copy)
{
    if (text.size == 0 || text.size >= DIGITS_MAX || isspace(text.data[0])) {
        return false;
    }
    memcpy(ret_copy, text.data, text.size);
    ret_copy[text.size] = '\0';
    return true;
}

bool hf_read_int(struct hf_slice text, int64_t *ret_number)
{
    char copy[DIGITS_MAX];
    char *end;
    if (!copy_digits(text, copy)) {
        return false;
    }
    errno = 0;
    long long number = strtoll(copy, &end, 10);
    bool is_number = end == copy + text.size && errno == 0;
    *ret_number = is_number ? number : *ret_number;
    return is_number;
}

bool hf_read_double(struct hf_slice text, double *ret_number)
{
    char copy[DIGITS_MAX];
    char *end;
    if (!copy_digits(text, copy)) {
        return false;
    }
    double number = strtod(copy, &end);
    bool is_number = end == copy + text.size && isfinite(number);
    *ret_number = is_number ? number : *ret_number;
    return is_number;
}

void hf_points_column(struct hf_points *points, const struct hf_points_column *column,
                      struct hf_slice text, const struct hf_points_attribute *more, size_t count)
{
    struct hf_points_attribute attributes[HF_POINTS_ATTRIBUTES_MAX];
    size_t own = column->key != NULL ? 1 : 0;
    int64_t integer;
    double number;
    assert(own + count <= HF_POINTS_ATTRIBUTES_MAX);
    if (own != 0) {
        attributes[0] =
            (struct hf_points_attribute){.key = column->key, .text = hf_slice_text(column->value)};
    }
    if (count != 0) {
        memcpy(&attributes[own], more, count * sizeof(*more));
    }
    if (column->is_double && hf_read_double(text, &number)) {
        hf_points_double(points, column->id, number, attributes, own + count);
    } else if (!column->is_double && hf_read_int(text, &integer)) {
        hf_points_int(points, column->id, integer, attributes, own + count);
    }
}
