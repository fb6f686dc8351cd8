#include "prometheus_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/escaping.h"
#include "prometheus_labels.h"
#include "util/fnv.h"

static uint64_t hash_series(const struct prometheus_family *family, struct hf_slice labels)
{
    uint64_t hash = hf_fnv(family->name);
    hash = hf_fnv_add((hash ^ 0xff) * HF_FNV_PRIME, labels);
    return hash ^ (hash >> 29);
}

/* ---- families ---- */

size_t prometheus_table_place(const struct prometheus_table *table, struct hf_slice name)
{
    size_t low = 0;
    size_t high = table->family_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hf_slice_compare(table->families[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void free_family(struct prometheus_family *family)
{
    free(family->series);
    free(family->help);
    free(family);
}

static struct prometheus_family *make_family(struct hf_slice name, enum hf_prom_kind kind,
                                             struct hf_slice help)
{
    struct prometheus_family *family = calloc(1, sizeof(*family) + name.size);
    char *text = calloc(1, help.size + 1);
    if (family == NULL || text == NULL) {
        free(family);
        free(text);
        return NULL;
    }
    memcpy(family + 1, name.data, name.size);
    if (help.size > 0) {
        memcpy(text, help.data, help.size);
    }
    family->name = hf_slice_of(family + 1, name.size);
    family->help = text;
    family->kind = kind;
    family->is_classic = hf_prom_is_classic(HF_PROM_METRIC_NAME, name);
    family->is_sorted = true;
    return family;
}

enum hf_status prometheus_table_family(struct prometheus_table *table, struct hf_slice name,
                                       enum hf_prom_kind kind, struct hf_slice help,
                                       struct prometheus_family **ret_family)
{
    size_t at = prometheus_table_place(table, name);
    if (at < table->family_count && hf_slice_equal(table->families[at]->name, name)) {
        struct prometheus_family *family = table->families[at];
        if (family->kind != kind && family->count > 0) {
            return HF_EXISTS;
        }
        family->kind = kind;
        *ret_family = family;
        return HF_OK;
    }
    if (table->family_count >= table->series_max) {
        return HF_FULL;
    }
    if (table->family_count == table->family_capacity) {
        size_t capacity = table->family_capacity != 0 ? 2 * table->family_capacity : 64;
        void *grown = realloc(table->families, capacity * sizeof(*table->families));
        if (grown == NULL) {
            return HF_NOMEM;
        }
        table->families = grown;
        table->family_capacity = capacity;
    }
    struct prometheus_family *family = make_family(name, kind, help);
    if (family == NULL) {
        return HF_NOMEM;
    }
    memmove(&table->families[at + 1], &table->families[at],
            (table->family_count - at) * sizeof(*table->families));
    table->families[at] = family;
    table->family_count++;
    *ret_family = family;
    return HF_OK;
}

/* ---- series ---- */

static struct hf_slice labels_of(const struct prometheus_series *series)
{
    return hf_slice_of(series->labels, series->labels_size);
}

static uint64_t hash_of(const struct prometheus_series *series)
{
    return series->hash;
}

static uint64_t source_of(const struct prometheus_series *series)
{
    return series->source.low;
}

void prometheus_table_init(struct prometheus_table *table, size_t series_max)
{
    *table = (struct prometheus_table){
        .series_max = series_max, .by_labels.hash_of = hash_of, .by_source.hash_of = source_of};
}

static struct prometheus_series *find_series(const struct prometheus_table *table,
                                             const struct prometheus_family *family,
                                             struct hf_slice labels, uint64_t hash)
{
    struct prometheus_series *series;
    uint64_t at = hash;
    while ((series = prometheus_index_next(&table->by_labels, &at)) != NULL) {
        if (series->hash == hash && series->family == family &&
            hf_slice_equal(labels_of(series), labels)) {
            return series;
        }
    }
    return NULL;
}

struct prometheus_series *prometheus_table_find(const struct prometheus_table *table,
                                                const struct prometheus_family *family,
                                                struct hf_slice labels)
{
    return find_series(table, family, labels, hash_series(family, labels));
}

struct prometheus_series *prometheus_table_known(const struct prometheus_table *table,
                                                 struct hf_hash source)
{
    struct prometheus_series *series;
    uint64_t at = source.low;
    while ((series = prometheus_index_next(&table->by_source, &at)) != NULL) {
        if (hf_hash_equal(series->source, source)) {
            return series;
        }
    }
    return NULL;
}

static void forget_source(struct prometheus_table *table, struct prometheus_series *series)
{
    if (series->has_source) {
        prometheus_index_remove(&table->by_source, series);
        series->has_source = false;
    }
}

void prometheus_table_know(struct prometheus_table *table, struct prometheus_series *series,
                           struct hf_hash source)
{
    forget_source(table, series);
    if (prometheus_index_reserve(&table->by_source) == HF_OK) {
        series->source = source;
        series->has_source = true;
        prometheus_index_put(&table->by_source, series);
    }
}

static HF_MUST_USE enum hf_status grow_family(struct prometheus_family *family)
{
    if (family->count < family->capacity) {
        return HF_OK;
    }
    size_t capacity = family->capacity != 0 ? 2 * family->capacity : 4;
    void *grown = realloc(family->series, capacity * sizeof(*family->series));
    if (grown == NULL) {
        return HF_NOMEM;
    }
    family->series = grown;
    family->capacity = capacity;
    return HF_OK;
}

enum hf_status prometheus_table_series(struct prometheus_table *table,
                                       struct prometheus_family *family, struct hf_slice labels,
                                       struct prometheus_series **ret_series)
{
    assert(labels.size <= UINT32_MAX);
    uint64_t hash = hash_series(family, labels);
    struct prometheus_series *series = find_series(table, family, labels, hash);
    if (series != NULL) {
        *ret_series = series;
        return HF_OK;
    }
    if (table->by_labels.count >= table->series_max) {
        table->refused++;
        return HF_FULL;
    }
    enum hf_status status = prometheus_index_reserve(&table->by_labels);
    status = status == HF_OK ? grow_family(family) : status;
    series = status == HF_OK ? calloc(1, sizeof(*series) + labels.size) : NULL;
    if (series == NULL) {
        return HF_NOMEM;
    }
    series->family = family;
    series->hash = hash;
    series->labels_size = (uint32_t)labels.size;
    series->is_quoted = prometheus_labels_are_quoted(labels);
    if (labels.size > 0) {
        memcpy(series->labels, labels.data, labels.size);
    }
    series->place = family->count;
    family->series[family->count++] = series;
    family->is_sorted = family->count == 1;
    prometheus_index_put(&table->by_labels, series);
    *ret_series = series;
    return HF_OK;
}

static void free_value(struct prometheus_value *value)
{
    free(value->pairs);
    free(value->exemplars);
}

static void free_series(struct prometheus_series *series)
{
    free_value(&series->value);
    free(series->extra);
    free(series);
}

void prometheus_table_remove(struct prometheus_table *table, struct prometheus_series *series)
{
    struct prometheus_family *family = series->family;
    forget_source(table, series);
    prometheus_index_remove(&table->by_labels, series);
    struct prometheus_series *last = family->series[--family->count];
    if (last != series) {
        family->series[series->place] = last;
        last->place = series->place;
        family->is_sorted = false;
    }
    free_series(series);
}

static int by_labels(const void *a, const void *b)
{
    return hf_slice_compare(labels_of(*(struct prometheus_series *const *)a),
                            labels_of(*(struct prometheus_series *const *)b));
}

void prometheus_family_sort(struct prometheus_family *family)
{
    if (family->is_sorted) {
        return;
    }
    qsort(family->series, family->count, sizeof(*family->series), by_labels);
    for (size_t i = 0; i < family->count; i++) {
        family->series[i]->place = i;
    }
    family->is_sorted = true;
}

size_t prometheus_family_behind(const struct prometheus_family *family, struct hf_slice labels)
{
    size_t low = 0;
    size_t high = family->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hf_slice_compare(labels_of(family->series[middle]), labels) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void prometheus_table_expire(struct prometheus_table *table, uint64_t before_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->family_count; i++) {
        struct prometheus_family *family = table->families[i];
        for (size_t j = family->count; j-- > 0;) {
            if (family->series[j]->updated_ns < before_ns) {
                prometheus_table_remove(table, family->series[j]);
            }
        }
        if (family->count > 0) {
            table->families[kept++] = family;
        } else {
            free_family(family);
        }
    }
    table->family_count = kept;
}

void prometheus_table_clear(struct prometheus_table *table)
{
    for (size_t i = 0; i < table->family_count; i++) {
        for (size_t j = 0; j < table->families[i]->count; j++) {
            free_series(table->families[i]->series[j]);
        }
        free_family(table->families[i]);
    }
    free(table->families);
    prometheus_index_clear(&table->by_labels);
    prometheus_index_clear(&table->by_source);
    prometheus_table_init(table, table->series_max);
}

/* ---- values ---- */

void prometheus_series_put(struct prometheus_series *series, struct prometheus_value *value)
{
    if (value->exemplars == NULL && value->pair_count == series->value.pair_count) {
        value->exemplars = series->value.exemplars;
        series->value.exemplars = NULL;
    }
    free_value(&series->value);
    series->value = *value;
    value->pairs = NULL;
    value->exemplars = NULL;
}

static bool has_same_bounds(const struct prometheus_value *a, const struct prometheus_value *b)
{
    for (size_t i = 0; a->pair_count == b->pair_count && i < a->pair_count; i++) {
        if (a->pairs[i].at != b->pairs[i].at) {
            return false;
        }
    }
    return a->pair_count == b->pair_count;
}

static void add_value(struct prometheus_value *sum, const struct prometheus_value *value)
{
    if (value->is_integer && sum->is_integer) {
        sum->integer = (int64_t)((uint64_t)sum->integer + (uint64_t)value->integer);
    } else {
        sum->number = (sum->is_integer ? (double)sum->integer : sum->number) +
                      (value->is_integer ? (double)value->integer : value->number);
        sum->is_integer = false;
    }
    sum->count += value->count;
    sum->sum += value->sum;
    for (size_t i = 0; i < sum->pair_count; i++) {
        sum->pairs[i].count += value->pairs[i].count;
    }
    sum->time_ns = value->time_ns;
}

void prometheus_series_add(struct prometheus_series *series, struct prometheus_value *value)
{
    bool is_new = series->updated_ns == 0;
    if (!is_new && value->time_ns <= series->value.time_ns) {
        free_value(value);
    } else if (is_new || value->start_ns != series->value.time_ns ||
               !has_same_bounds(&series->value, value)) {
        prometheus_series_put(series, value);
    } else {
        add_value(&series->value, value);
        if (value->exemplars != NULL) {
            free(series->value.exemplars);
            series->value.exemplars = value->exemplars;
            value->exemplars = NULL;
        }
        free_value(value);
    }
    value->pairs = NULL;
    value->exemplars = NULL;
}
