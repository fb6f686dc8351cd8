/*
 * remote_points: the points of a request of remote write.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exemplar.h"
#include "gather.h"
#include "native.h"
#include "pdata/build_metrics.h"
#include "pdata/wire_find.h"
#include "remote_internal.h"

#define SCHEMA_MIN (-4)
#define SCHEMA_MAX 8
#define RESET_GAUGE 3u

/* Fields of a Histogram, which the versions share. */
enum {
    COUNT_INT = 1,
    COUNT_FLOAT = 2,
    ZERO_THRESHOLD = 5,
    ZERO_COUNT_INT = 6,
    ZERO_COUNT_FLOAT = 7,
    CUSTOM_VALUES = 16,
    HISTOGRAM_START = 17
};
enum { SERIES_CREATED = 6 }; /* version 2 before rc.4 */

static const struct hf_prom_side negative = {8, 9, 10};
static const struct hf_prom_side positive = {11, 12, 13};

/* One series while its points are written. */
struct series_work {
    struct remote_work *work;
    const struct remote_metric *metric;
    const struct remote_series *series;
    size_t left; /* points that are still to come */
    bool has_exemplars;
};

static double double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static uint64_t count_of(double value)
{
    return value > 0 ? value < 1.8e19 ? (uint64_t)value : UINT64_MAX : 0;
}

enum remote_kind remote_kind_of(struct hf_slice histogram, const char **ret_why)
{
    int64_t schema = unzigzag(hf_wire_find_bits(histogram, HISTOGRAM_SCHEMA));
    if (hf_wire_find_bits(histogram, HISTOGRAM_RESET) == RESET_GAUGE) {
        *ret_why = "a gauge histogram, which OTLP does not have";
        return REMOTE_KINDS;
    }
    if (schema == REMOTE_CUSTOM_SCHEMA) {
        return REMOTE_EXPLICIT;
    }
    *ret_why = "a native histogram of a schema that is not known";
    return schema >= SCHEMA_MIN && schema <= SCHEMA_MAX ? REMOTE_EXPONENTIAL : REMOTE_KINDS;
}

/* ---- what all points have ---- */

static bool is_series_label(struct hf_slice name)
{
    return remote_is_attribute(name) && !remote_is_scope_label(name);
}

static void put_exemplars_of(struct series_work *one, struct hf_slice piece)
{
    struct remote_work *work = one->work;
    struct hf_wire wire = hf_wire_of(piece);
    struct hf_slice message;
    while (hf_wire_each(&wire, remote_numbers(work).exemplars, &message)) {
        struct hf_expo_exemplar exemplar = {
            .value = double_of(hf_wire_find_bits(message, EXEMPLAR_VALUE)),
            .time_ms = (int64_t)hf_wire_find_bits(message, EXEMPLAR_TIME)};
        exemplar.has_time = exemplar.time_ms != 0;
        const char *wrong = remote_read_labels(work, message, EXEMPLAR_LABELS);
        if (wrong != NULL || work->labels.count > HF_EXPO_EXEMPLAR_LABELS_MAX) {
            remote_refuse(work, one->metric->name,
                          wrong != NULL ? wrong : "an exemplar has more than 32 labels");
            continue;
        }
        exemplar.label_count = work->labels.count;
        memcpy(exemplar.labels, work->labels.items,
               work->labels.count * sizeof(work->labels.items[0]));
        hf_prom_put_exemplar(work->builder, &exemplar);
        work->result->exemplars++;
    }
}

static void end_point(struct series_work *one)
{
    struct remote_work *work = one->work;
    struct hf_slice wire = one->series->pieces->wire;
    if (remote_read_labels(work, wire, SERIES_LABELS) != NULL) {
        work->labels.count = 0; /* they were looked at before: does not happen */
    }
    for (size_t i = 0; i < work->labels.count; i++) {
        const struct hf_prom_label *label = &work->labels.items[i];
        if (is_series_label(label->name)) {
            hf_build_attribute_string(work->builder, label->name, label->value);
        }
    }
    one->left--;
    for (const struct remote_piece *piece = one->series->pieces;
         piece != NULL && one->left == 0 && one->has_exemplars; piece = piece->next) {
        put_exemplars_of(one, piece->wire);
    }
    hf_build_end(work->builder);
}

static struct hf_build_point point_of(const struct series_work *one, struct hf_slice piece,
                                      uint64_t time_ms, uint64_t start_ms)
{
    if (one->work->options->is_2 && start_ms == 0) {
        start_ms = hf_wire_find_bits(piece, SERIES_CREATED);
    }
    return (struct hf_build_point){
        .start_ns = one->work->options->is_2 ? hf_prom_time_ns((int64_t)start_ms) : 0,
        .time_ns = hf_prom_time_ns((int64_t)time_ms),
    };
}

/* ---- numbers ---- */

static void write_sample(struct series_work *one, struct hf_slice piece, struct hf_slice sample)
{
    double value = double_of(hf_wire_find_bits(sample, SAMPLE_VALUE));
    struct hf_build_point point = point_of(one, piece, hf_wire_find_bits(sample, SAMPLE_TIME),
                                           hf_wire_find_bits(sample, SAMPLE_START));
    point.flags = hf_prom_is_stale(value) ? HF_BUILD_NO_RECORDED_VALUE : 0;
    hf_build_point_double(one->work->builder, &point, value);
    end_point(one);
    one->work->result->samples++;
}

/* ---- native histograms ---- */

static struct hf_build_buckets buckets_of(const struct hf_expo_buckets *buckets)
{
    /* OTLP counts buckets by their lower bound, Prometheus by their upper one. */
    return (struct hf_build_buckets){.offset = buckets->count != 0 ? buckets->first - 1 : 0,
                                     .counts = buckets->counts,
                                     .count = buckets->count};
}

struct native {
    struct hf_slice wire;
    bool is_float, is_stale;
    double sum;
    uint64_t count;
    struct hf_build_point point;
};

/* Which of the two counts is there tells whether the buckets are doubles. False: one is negative.
 */
static bool read_native(const struct series_work *one, struct hf_slice piece, struct hf_slice wire,
                        struct native *ret_native)
{
    struct hf_wire_field field;
    struct native native = {
        .wire = wire,
        .is_float = hf_wire_find(wire, COUNT_FLOAT, &field),
        .sum = double_of(hf_wire_find_bits(wire, HISTOGRAM_SUM)),
        .point = point_of(one, piece, hf_wire_find_bits(wire, HISTOGRAM_TIME),
                          hf_wire_find_bits(wire, HISTOGRAM_START)),
    };
    double count = double_of(hf_wire_find_bits(wire, COUNT_FLOAT));
    native.is_stale = hf_prom_is_stale(native.sum);
    native.point.flags = native.is_stale ? HF_BUILD_NO_RECORDED_VALUE : 0;
    native.count = native.is_float ? count_of(count) : hf_wire_find_bits(wire, COUNT_INT);
    *ret_native = native;
    return !native.is_float || !(count < 0);
}

static bool write_exponential(struct series_work *one, const struct native *native)
{
    struct hf_slice wire = native->wire;
    struct hf_arena *arena = &one->work->scratch;
    struct hf_expo_buckets above, below;
    struct hf_build_exponential made = {.point = native->point};
    double zeros = double_of(hf_wire_find_bits(wire, ZERO_COUNT_FLOAT));
    if (!native->is_stale) {
        if (!hf_prom_read_buckets(wire, &positive, native->is_float, arena, &above) ||
            !hf_prom_read_buckets(wire, &negative, native->is_float, arena, &below)) {
            return false;
        }
        made.count = native->count;
        made.has_sum = true;
        made.sum = native->sum;
        made.scale = (int32_t)unzigzag(hf_wire_find_bits(wire, HISTOGRAM_SCHEMA));
        made.zero_threshold = double_of(hf_wire_find_bits(wire, ZERO_THRESHOLD));
        made.zero_count =
            native->is_float ? count_of(zeros) : hf_wire_find_bits(wire, ZERO_COUNT_INT);
        made.positive = buckets_of(&above);
        made.negative = buckets_of(&below);
    }
    hf_build_point_exponential(one->work->builder, &made);
    return true;
}

/* The bounds, which must rise. False: they do not, or there is no memory. */
static bool read_bounds(struct series_work *one, struct hf_slice wire, double **ret_bounds,
                        size_t *ret_count)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(wire, CUSTOM_VALUES, HF_WIRE_64);
    uint64_t bits;
    size_t most = wire.size / sizeof(double);
    double *bounds = hf_arena_take(&one->work->scratch, (most + 1) * sizeof(*bounds));
    *ret_count = 0;
    *ret_bounds = bounds;
    while (bounds != NULL && *ret_count < most && hf_wire_next_number(&numbers, &bits)) {
        double bound = double_of(bits);
        if (isnan(bound) || (*ret_count != 0 && bound <= bounds[*ret_count - 1])) {
            return false;
        }
        bounds[(*ret_count)++] = bound;
    }
    return bounds != NULL;
}

static bool write_explicit(struct series_work *one, const struct native *native)
{
    struct hf_expo_buckets sparse;
    double *bounds;
    size_t count;
    struct hf_build_histogram made = {.point = native->point};
    if (!native->is_stale) {
        if (!read_bounds(one, native->wire, &bounds, &count) ||
            !hf_prom_read_buckets(native->wire, &positive, native->is_float, &one->work->scratch,
                                  &sparse)) {
            return false;
        }
        uint64_t *buckets = hf_arena_take(&one->work->scratch, (count + 1) * sizeof(*buckets));
        bool fits = sparse.count == 0 ||
                    (sparse.first >= 0 && (size_t)sparse.first + sparse.count <= count + 1);
        if (buckets == NULL || !fits) {
            return false;
        }
        memset(buckets, 0, (count + 1) * sizeof(*buckets));
        if (sparse.count != 0) {
            memcpy(buckets + sparse.first, sparse.counts, sparse.count * sizeof(*buckets));
        }
        made.count = native->count;
        made.has_sum = true;
        made.sum = native->sum;
        made.buckets = buckets;
        made.bounds = bounds;
        made.bound_count = count;
    }
    hf_build_point_histogram(one->work->builder, &made);
    return true;
}

static void write_histogram(struct series_work *one, struct hf_slice piece, struct hf_slice wire)
{
    struct native native;
    hf_arena_reset(&one->work->scratch);
    bool is_custom = one->metric->kind == REMOTE_EXPLICIT;
    bool is_good = read_native(one, piece, wire, &native) &&
                   (is_custom ? write_explicit(one, &native) : write_exponential(one, &native));
    if (!is_good) {
        one->left--;
        remote_refuse(one->work, one->metric->name,
                      "a native histogram has counts, spans or bounds that are malformed");
        return;
    }
    end_point(one);
    one->work->result->histograms++;
}

/* ---- series ---- */

/* Steps through what a piece has for this metric. */
static bool next_point(const struct series_work *one, struct hf_wire *wire,
                       struct hf_slice *ret_message)
{
    const char *why;
    if (one->metric->kind == REMOTE_NUMBER) {
        return hf_wire_each(wire, SERIES_SAMPLES, ret_message);
    }
    while (hf_wire_each(wire, remote_numbers(one->work).histograms, ret_message)) {
        if (remote_kind_of(*ret_message, &why) == one->metric->kind) {
            return true;
        }
    }
    return false;
}

static size_t count_points(const struct series_work *one)
{
    size_t count = 0;
    for (const struct remote_piece *piece = one->series->pieces; piece != NULL;
         piece = piece->next) {
        struct hf_wire wire = hf_wire_of(piece->wire);
        struct hf_slice message;
        while (next_point(one, &wire, &message)) {
            count++;
        }
    }
    return count;
}

/* Exemplars go to the first of the kinds that the series has. */
static bool has_exemplars(const struct remote_series *series, enum remote_kind kind)
{
    for (enum remote_kind before = REMOTE_NUMBER; before < kind; before++) {
        if (series->has[before]) {
            return false;
        }
    }
    return true;
}

static enum hf_status too_large(struct remote_work *work)
{
    snprintf(work->reterr, HF_PROM_REMOTE_ERROR_MAX,
             "the request is larger as OTLP than one request may be; send fewer samples at once");
    return HF_TOO_LARGE;
}

enum hf_status remote_write_points(struct remote_work *work, const struct remote_metric *metric)
{
    for (const struct remote_node *node = metric->nodes; node != NULL; node = node->next) {
        struct series_work one = {.work = work, .metric = metric, .series = node->series};
        one.left = count_points(&one);
        one.has_exemplars = has_exemplars(node->series, metric->kind);
        for (const struct remote_piece *piece = node->series->pieces; piece != NULL;
             piece = piece->next) {
            struct hf_wire wire = hf_wire_of(piece->wire);
            struct hf_slice message;
            while (next_point(&one, &wire, &message)) {
                if (metric->kind == REMOTE_NUMBER) {
                    write_sample(&one, piece->wire, message);
                } else {
                    write_histogram(&one, piece->wire, message);
                }
                if (work->builder->ready != NULL) {
                    return too_large(work);
                }
            }
        }
    }
    return HF_OK;
}
