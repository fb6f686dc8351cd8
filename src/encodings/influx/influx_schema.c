/*
 * influx_schema: which points a line is, by the schema that its measurement and fields tell.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "influx_parts.h"
#include "util/hash.h"
#include "util/time/time_layout.h"

#define POINTS_FIRST 256u
#define POINTS_MAX (1u << 20)
#define BOUND_BYTES_MAX 64u

/* What all points of the line have. */
struct line_work {
    struct influx_work *work;
    const struct influx_tags *tags;
    uint64_t time_ns, start_ns;
    enum hf_status status;
};

/* ---- texts ---- */

static bool ends_with(struct hf_slice text, const char *suffix, struct hf_slice *ret_base)
{
    size_t size = strlen(suffix);
    if (text.size <= size || memcmp(text.data + text.size - size, suffix, size) != 0) {
        return false;
    }
    *ret_base = hf_slice_of(text.data, text.size - size);
    return true;
}

/* "MEASUREMENT_FIELD" */
static struct hf_slice joined(struct line_work *of, struct hf_slice first, struct hf_slice second)
{
    size_t size = first.size + 1 + second.size;
    uint8_t *text = hf_arena_take(&of->work->arena, size);
    if (text == NULL) {
        of->status = HF_NOMEM;
        return first;
    }
    memcpy(text, first.data, first.size);
    text[first.size] = '_';
    memcpy(text + first.size + 1, second.data, second.size);
    return hf_slice_of(text, size);
}

/* A bound or quantile; infinity may be written. */
static bool read_bound(struct hf_slice text, double *ret_bound)
{
    char room[BOUND_BYTES_MAX], *end;
    if (text.size == 0 || text.size >= sizeof(room) || memchr(text.data, '\0', text.size) != NULL ||
        text.data[0] <= ' ') {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    *ret_bound = strtod(room, &end);
    return *end == '\0' && !isnan(*ret_bound);
}

/* ---- tags ---- */

static bool is_part_tag(struct hf_slice key)
{
    return hf_slice_is(key, "le") || hf_slice_is(key, "quantile");
}

/* `le` and `quantile` are left out of the attributes when they are told in points. */
static const struct influx_tags *sort_tags(struct line_work *of, bool leaves_parts)
{
    const struct hf_influx_line *line = of->work->line;
    struct influx_tags *tags = hf_arena_take(&of->work->arena, sizeof(*tags));
    struct hf_influx_tag *room =
        hf_arena_take(&of->work->arena, (line->tag_count + 1) * sizeof(*room));
    if (tags == NULL || room == NULL) {
        of->status = HF_NOMEM;
        return NULL;
    }
    *tags = (struct influx_tags){.resource = room};
    size_t end = line->tag_count; /* attributes are filled in from behind */
    for (size_t i = 0; i < line->tag_count; i++) {
        const struct hf_influx_tag *tag = &line->tags[i];
        uint64_t hash = hf_hash_pair(tag->key, tag->value).low;
        if (hf_slice_is(tag->key, "otel.library.name")) {
            tags->scope_name = tag->value;
            tags->scope_hash += hash;
        } else if (hf_slice_is(tag->key, "otel.library.version")) {
            tags->scope_version = tag->value;
            tags->scope_hash += hash;
        } else if (hf_influx_is_resource(tag->key)) {
            room[tags->resource_count++] = *tag;
            tags->resource_hash += hash;
        } else if (hf_slice_is(tag->key, "temporality") && hf_slice_is(tag->value, "delta")) {
            tags->is_delta = true;
        } else if (!(leaves_parts && is_part_tag(tag->key)) &&
                   !hf_slice_is(tag->key, "start_time")) {
            room[--end] = *tag;
            tags->attribute_hash += hash;
        }
    }
    tags->attributes = room + end;
    tags->attribute_count = line->tag_count - end;
    return tags;
}

static struct hf_slice tag_of(const struct hf_influx_line *line, const char *key)
{
    for (size_t i = 0; i < line->tag_count; i++) {
        if (hf_slice_is(line->tags[i].key, key)) {
            return line->tags[i].value;
        }
    }
    return HF_EMPTY_SLICE;
}

/* ---- points ---- */

static struct influx_point *grow(struct line_work *of)
{
    struct influx_work *work = of->work;
    if (work->point_count == POINTS_MAX) {
        snprintf(work->reterr, HF_INFLUX_ERROR_MAX,
                 "there are more than 1048576 fields; send fewer lines at once");
        of->status = HF_TOO_LARGE;
        return NULL;
    }
    if (work->point_count == work->point_capacity) {
        size_t capacity = work->point_capacity != 0 ? 2 * work->point_capacity : POINTS_FIRST;
        struct influx_point *points = reallocarray(work->points, capacity, sizeof(*points));
        if (points == NULL) {
            of->status = HF_NOMEM;
            return NULL;
        }
        work->points = points;
        work->point_capacity = capacity;
    }
    return &work->points[work->point_count];
}

static uint64_t metric_hash(const struct line_work *of, struct hf_slice name, enum influx_part part)
{
    const uint8_t kind[] = {(uint8_t)(part < INFLUX_BOUND ? part : INFLUX_BOUND),
                            of->tags->is_delta && part != INFLUX_GAUGE};
    return hf_hash_pair(name, hf_slice_of(kind, sizeof(kind))).low;
}

static void add_point(struct line_work *of, struct hf_slice name, enum influx_part part,
                      const struct hf_influx_field *field, double bound)
{
    struct influx_point *point = of->status == HF_OK ? grow(of) : NULL;
    if (point == NULL) {
        return;
    }
    bool is_integer = field->kind == HF_INFLUX_INT || field->kind == HF_INFLUX_UINT;
    double number = field->kind == HF_INFLUX_UINT  ? (double)(uint64_t)field->integer
                    : field->kind == HF_INFLUX_INT ? (double)field->integer
                                                   : field->number;
    *point = (struct influx_point){
        .tags = of->tags,
        .name = name,
        .metric_hash = metric_hash(of, name, part),
        .time_ns = of->time_ns,
        .start_ns = of->start_ns,
        .order = (uint32_t)of->work->point_count,
        .part = part,
        .is_integer = is_integer && !(field->kind == HF_INFLUX_UINT && field->integer < 0),
        .integer = field->integer,
        .number = number,
        .bound = bound,
    };
    of->work->point_count++;
}

static bool is_number(const struct hf_influx_field *field)
{
    return field->kind <= HF_INFLUX_UINT;
}

static bool is_start(const struct hf_influx_field *field)
{
    return (hf_slice_is(field->key, "start_time") && field->kind == HF_INFLUX_STRING) ||
           (hf_slice_is(field->key, "start_time_unix_nano") && is_number(field));
}

/* ---- schemas ---- */

static void add_gauges(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    of->tags = sort_tags(of, false);
    for (size_t i = 0; i < line->field_count && of->status == HF_OK; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        if (is_start(field)) {
            continue;
        }
        if (!is_number(field)) {
            of->work->result->ignored++;
            continue;
        }
        add_point(of, joined(of, line->measurement, field->key), INFLUX_GAUGE, field, 0);
    }
}

static const struct hf_influx_field *find_number(const struct hf_influx_line *line, const char *key)
{
    for (size_t i = 0; i < line->field_count; i++) {
        if (is_number(&line->fields[i]) && hf_slice_is(line->fields[i].key, key)) {
            return &line->fields[i];
        }
    }
    return NULL;
}

/* Which part of a histogram or summary of schema 1 a field is. */
static bool part_1(const struct hf_influx_field *field, enum influx_part *ret_part,
                   double *ret_bound)
{
    static const struct {
        const char *key;
        enum influx_part part;
    } named[] = {{"count", INFLUX_PART_COUNT},
                 {"sum", INFLUX_PART_SUM},
                 {"min", INFLUX_PART_MIN},
                 {"max", INFLUX_PART_MAX}};
    *ret_bound = 0;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (hf_slice_is(field->key, named[i].key)) {
            *ret_part = named[i].part;
            return true;
        }
    }
    *ret_part = INFLUX_BOUND;
    return read_bound(field->key, ret_bound);
}

/* A line with other fields besides is none: nothing of it is to be lost. */
static bool is_distribution_1(const struct hf_influx_line *line)
{
    enum influx_part part;
    double bound;
    for (size_t i = 0; i < line->field_count; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        if (!is_start(field) && !(is_number(field) && part_1(field, &part, &bound))) {
            return false;
        }
    }
    return find_number(line, "count") != NULL && find_number(line, "sum") != NULL;
}

static void add_parts_1(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    of->tags = sort_tags(of, true);
    for (size_t i = 0; i < line->field_count && of->status == HF_OK; i++) {
        enum influx_part part;
        double bound;
        if (!is_start(&line->fields[i]) && part_1(&line->fields[i], &part, &bound)) {
            add_point(of, line->measurement, part, &line->fields[i], bound);
        }
    }
}

/* The field that is the value has the measurement's name, others are gauges. */
static void add_number_1(struct line_work *of, const struct hf_influx_field *value)
{
    const struct hf_influx_line *line = of->work->line;
    bool is_counter = hf_slice_is(value->key, "counter");
    of->tags = sort_tags(of, true);
    for (size_t i = 0; i < line->field_count && of->status == HF_OK; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        if (field == value) {
            add_point(of, line->measurement, is_counter ? INFLUX_SUM : INFLUX_GAUGE, field, 0);
        } else if (!is_number(field)) {
            of->work->result->ignored += !is_start(field);
        } else if (!is_start(field)) {
            add_point(of, joined(of, line->measurement, field->key), INFLUX_GAUGE, field, 0);
        }
    }
}

/* Lines of schema 2 with a bound or a quantile: true when they are. */
static bool add_bounds_2(struct line_work *of, const char *key, enum influx_part part,
                         const char *suffix, const char **ret_wrong)
{
    const struct hf_influx_line *line = of->work->line;
    struct hf_slice text = tag_of(line, key), name;
    double bound;
    if (text.size == 0) {
        return false;
    }
    if (!read_bound(text, &bound)) {
        *ret_wrong = "the tag le or quantile is no number";
        return true;
    }
    of->tags = sort_tags(of, true);
    for (size_t i = 0; i < line->field_count && of->status == HF_OK; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        if (is_start(field)) {
            continue;
        }
        if (!is_number(field)) {
            of->work->result->ignored++;
        } else if (suffix[0] == '\0') {
            add_point(of, field->key, part, field, bound);
        } else if (ends_with(field->key, suffix, &name)) {
            add_point(of, name, part, field, bound);
        } else {
            *ret_wrong = "a field beside the tag le does not end in _bucket";
        }
    }
    return true;
}

/* The part that a field without bounds is; NULL: none. */
static bool part_2(const struct hf_influx_field *field, enum influx_part *ret_part,
                   struct hf_slice *ret_name)
{
    static const struct {
        const char *suffix;
        enum influx_part part;
    } named[] = {{"_count", INFLUX_PART_COUNT},
                 {"_sum", INFLUX_PART_SUM},
                 {"_min", INFLUX_PART_MIN},
                 {"_max", INFLUX_PART_MAX}};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (ends_with(field->key, named[i].suffix, ret_name)) {
            *ret_part = named[i].part;
            return true;
        }
    }
    return false;
}

/* Count and sum of one metric, and nothing else. */
static bool is_distribution_2(const struct hf_influx_line *line)
{
    unsigned seen = 0;
    struct hf_slice name = HF_EMPTY_SLICE;
    for (size_t i = 0; i < line->field_count; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        struct hf_slice base;
        enum influx_part part;
        if (is_start(field)) {
            continue;
        }
        if (!is_number(field) || !part_2(field, &part, &base) ||
            (name.size != 0 && !hf_slice_equal(name, base))) {
            return false;
        }
        name = base;
        seen |= 1u << part;
    }
    return (seen & (1u << INFLUX_PART_COUNT)) != 0 && (seen & (1u << INFLUX_PART_SUM)) != 0;
}

static void add_parts_2(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    of->tags = sort_tags(of, true);
    for (size_t i = 0; i < line->field_count && of->status == HF_OK; i++) {
        struct hf_slice name;
        enum influx_part part;
        if (!is_start(&line->fields[i]) && part_2(&line->fields[i], &part, &name)) {
            add_point(of, name, part, &line->fields[i], 0);
        }
    }
}

/* A single field is the metric of its name; false: there are none or more. */
static bool add_single_2(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    const struct hf_influx_field *only = NULL;
    for (size_t i = 0; i < line->field_count; i++) {
        if (!is_start(&line->fields[i])) {
            if (only != NULL) {
                return false;
            }
            only = &line->fields[i];
        }
    }
    if (only == NULL || !is_number(only)) {
        return false;
    }
    of->tags = sort_tags(of, true);
    if (of->status == HF_OK) {
        add_point(of, only->key, INFLUX_GAUGE, only, 0);
    }
    return true;
}

static const char *add_2(struct line_work *of)
{
    const char *wrong = NULL;
    if (add_bounds_2(of, "le", INFLUX_BUCKET, "_bucket", &wrong) ||
        add_bounds_2(of, "quantile", INFLUX_QUANTILE, "", &wrong)) {
        return wrong;
    }
    if (is_distribution_2(of->work->line)) {
        add_parts_2(of);
    } else if (!add_single_2(of)) {
        add_gauges(of);
    }
    return NULL;
}

static void add_1(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    const struct hf_influx_field *value = find_number(line, "gauge");
    value = value != NULL ? value : find_number(line, "counter");
    if (hf_slice_is(tag_of(line, "metric_type"), "timing")) {
        add_gauges(of);
    } else if (value != NULL) {
        add_number_1(of, value);
    } else if (is_distribution_1(line)) {
        add_parts_1(of);
    } else {
        add_gauges(of);
    }
}

/* ---- times ---- */

static bool read_time(struct line_work *of)
{
    const struct hf_influx_line *line = of->work->line;
    int64_t time_ns = 0;
    of->time_ns = of->work->options->now_ns;
    if (line->has_time) {
        if (line->time < 0 ||
            __builtin_mul_overflow(line->time, (int64_t)of->work->options->unit_ns, &time_ns)) {
            return false;
        }
        of->time_ns = (uint64_t)time_ns;
    }
    for (size_t i = 0; i < line->field_count; i++) {
        const struct hf_influx_field *field = &line->fields[i];
        int64_t start_ns = 0;
        if (!is_start(field)) {
            continue;
        }
        if (field->kind != HF_INFLUX_STRING) {
            start_ns = field->integer;
        } else if (!hf_time_rfc3339(field->text, &start_ns)) {
            start_ns = 0;
        }
        of->start_ns = start_ns > 0 ? (uint64_t)start_ns : 0;
    }
    return true;
}

const char *influx_add_line(struct influx_work *work, enum hf_status *ret_status)
{
    struct line_work of = {.work = work, .status = HF_OK};
    size_t before = work->point_count;
    const char *wrong = NULL;
    if (!read_time(&of)) {
        return "the time is before 1970 or after 2262";
    }
    if (hf_slice_is(work->line->measurement, "prometheus")) {
        wrong = add_2(&of);
    } else {
        add_1(&of);
    }
    if (wrong != NULL) {
        work->point_count = before;
    }
    if (of.status == HF_NOMEM && work->arena.size + ((size_t)1 << 20) >= work->arena.limit) {
        snprintf(work->reterr, HF_INFLUX_ERROR_MAX, "there are too many fields for the size");
        of.status = HF_TOO_LARGE;
    }
    *ret_status = of.status;
    return wrong;
}
