#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_internal.h"
#include "util/compress/compress.h"
#include "util/escape.h"

#define REFRESHES_MAX 1024u

enum hf_status hf_metrics_new(struct hf_metrics **ret_metrics)
{
    struct hf_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&metrics->lock, NULL);
    pthread_mutex_init(&metrics->refresh_lock, NULL);
    pthread_mutex_init(&metrics->shown_lock, NULL);
    *ret_metrics = metrics;
    return HF_OK;
}

static void free_entry(struct entry *entry)
{
    free(entry->labels);
    free(entry->histogram.bounds);
    free(entry->histogram.buckets);
    free(entry);
}

static void free_family(struct family *family)
{
    while (family->entries != NULL) {
        struct entry *entry = family->entries;
        family->entries = entry->next;
        free_entry(entry);
    }
    free(family->name);
    free(family->unit);
    free(family->help);
    free(family);
}

void hf_metrics_free(struct hf_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    while (metrics->families != NULL) {
        struct family *family = metrics->families;
        metrics->families = family->next;
        free_family(family);
    }
    free(metrics->refreshes);
    pthread_mutex_destroy(&metrics->lock);
    pthread_mutex_destroy(&metrics->refresh_lock);
    pthread_mutex_destroy(&metrics->shown_lock);
    free(metrics);
}

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

/* A family's help: backslash and newline, as the text format wants them. */
static enum hf_status put_help(struct hf_bytes *out, const char *text)
{
    enum hf_status status = HF_OK;
    for (const char *at = text; *at != '\0' && status == HF_OK; at++) {
        if (*at == '\\') {
            status = put(out, "\\\\");
        } else if (*at == '\n') {
            status = put(out, "\\n");
        } else {
            status = hf_bytes_append(out, hf_slice_of(at, 1));
        }
    }
    return status;
}

/* name="value",name="value"; NULL labels are none. */
static enum hf_status put_labels(struct hf_bytes *out, const struct hf_label *labels)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; labels != NULL && labels[i].name != NULL && status == HF_OK; i++) {
        status = put(out, i == 0 ? "" : ",");
        if (status == HF_OK) {
            status = put(out, labels[i].name);
        }
        if (status == HF_OK) {
            status = put(out, "=\"");
        }
        if (status == HF_OK) {
            status = hf_escape_append(HF_ESCAPE_LABEL, hf_slice_text(labels[i].value), out);
        }
        if (status == HF_OK) {
            status = put(out, "\"");
        }
    }
    return status;
}

static struct family *new_family(const struct hf_metric_family *from)
{
    assert(from->bound_count <= HF_METRIC_BOUNDS_MAX);
    assert((from->type == HF_HISTOGRAM) == (from->bound_count > 0));
    struct family *family = calloc(1, sizeof(*family));
    if (family == NULL) {
        return NULL;
    }
    family->name = strdup(from->name);
    family->unit = strdup(from->unit == NULL ? "" : from->unit);
    family->help = strdup(from->help == NULL ? "" : from->help);
    family->type = from->type;
    family->scale = from->scale > 0 ? from->scale : 1;
    family->bound_count = from->bound_count;
    family->is_swept = from->is_swept;
    for (size_t i = 0; i < from->bound_count; i++) {
        family->bounds[i] = from->bounds[i];
    }
    if (family->name == NULL || family->unit == NULL || family->help == NULL) {
        free_family(family);
        return NULL;
    }
    return family;
}

/* The family of that name, made when it is new, in alphabetical order. Under the lock. */
static struct family *find_family(struct hf_metrics *metrics, const struct hf_metric_family *from)
{
    struct family **place = &metrics->families;
    while (*place != NULL && strcmp((*place)->name, from->name) < 0) {
        place = &(*place)->next;
    }
    if (*place != NULL && strcmp((*place)->name, from->name) == 0) {
        assert((*place)->type == from->type && (*place)->bound_count == from->bound_count);
        assert((*place)->is_swept == from->is_swept);
        return *place;
    }
    struct family *family = new_family(from);
    if (family != NULL) {
        family->next = *place;
        *place = family;
    }
    return family;
}

static bool make_histogram(struct hf_histogram *histogram, const struct family *family)
{
    histogram->bound_count = family->bound_count;
    histogram->bounds = calloc(family->bound_count, sizeof(*histogram->bounds));
    histogram->buckets = calloc(family->bound_count + 1, sizeof(*histogram->buckets));
    if (histogram->bounds == NULL || histogram->buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < family->bound_count; i++) {
        histogram->bounds[i] = (uint64_t)llround(family->bounds[i] / family->scale);
    }
    return true;
}

/* Takes over `labels`, also on failure. Under the lock. */
static struct entry *find_entry(struct family *family, char *labels)
{
    struct entry **place = &family->entries;
    while (*place != NULL && strcmp((*place)->labels, labels) < 0) {
        place = &(*place)->next;
    }
    if (*place != NULL && strcmp((*place)->labels, labels) == 0) {
        free(labels);
        return *place;
    }
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        free(labels);
        return NULL;
    }
    entry->labels = labels;
    if (family->type == HF_HISTOGRAM && !make_histogram(&entry->histogram, family)) {
        free_entry(entry);
        return NULL;
    }
    entry->next = *place;
    *place = entry;
    return entry;
}

static struct entry *add_entry(struct hf_metrics *metrics, const struct hf_metric_family *from,
                               const struct hf_label *labels)
{
    struct hf_bytes text = {0};
    if (put_labels(&text, labels) != HF_OK || hf_bytes_append(&text, hf_slice_of("", 1)) != HF_OK) {
        hf_bytes_release(&text);
        return NULL;
    }
    pthread_mutex_lock(&metrics->lock);
    struct entry *entry = NULL;
    struct family *family = find_family(metrics, from);
    if (family != NULL) {
        entry = find_entry(family, (char *)text.data);
        if (entry != NULL) {
            entry->is_in_use = true;
        }
    } else {
        hf_bytes_release(&text);
    }
    pthread_mutex_unlock(&metrics->lock);
    return entry;
}

struct hf_series *hf_metrics_series(struct hf_metrics *metrics,
                                    const struct hf_metric_family *family,
                                    const struct hf_label *labels)
{
    assert(family->type != HF_HISTOGRAM);
    struct entry *entry = add_entry(metrics, family, labels);
    return entry == NULL ? NULL : &entry->series;
}

struct hf_histogram *hf_metrics_histogram(struct hf_metrics *metrics,
                                          const struct hf_metric_family *family,
                                          const struct hf_label *labels)
{
    assert(family->type == HF_HISTOGRAM);
    struct entry *entry = add_entry(metrics, family, labels);
    return entry == NULL ? NULL : &entry->histogram;
}

/* Under the lock. */
static void sweep_family(struct family *family)
{
    struct entry **place = &family->entries;
    while (*place != NULL) {
        struct entry *entry = *place;
        if (entry->is_in_use) {
            entry->is_in_use = false;
            place = &entry->next;
        } else {
            *place = entry->next;
            free_entry(entry);
        }
    }
}

void hf_metrics_sweep(struct hf_metrics *metrics)
{
    pthread_mutex_lock(&metrics->lock);
    struct family **place = &metrics->families;
    while (*place != NULL) {
        struct family *family = *place;
        if (family->is_swept) {
            sweep_family(family);
        }
        if (family->is_swept && family->entries == NULL) {
            *place = family->next;
            free_family(family);
        } else {
            place = &family->next;
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}

void hf_histogram_load(struct hf_histogram *histogram, const uint64_t *counts, uint64_t sum)
{
    for (size_t i = 0; i <= histogram->bound_count; i++) {
        atomic_store_explicit(&histogram->buckets[i], counts[i], memory_order_relaxed);
    }
    atomic_store_explicit(&histogram->sum, sum, memory_order_relaxed);
}

void hf_histogram_observe(struct hf_histogram *histogram, uint64_t value)
{
    size_t bucket = 0;
    while (bucket < histogram->bound_count && value > histogram->bounds[bucket]) {
        bucket++;
    }
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

enum hf_status hf_metrics_on_scrape(struct hf_metrics *metrics, hf_metrics_refresh *refresh,
                                    void *user)
{
    enum hf_status status = HF_NOMEM;
    pthread_mutex_lock(&metrics->refresh_lock);
    size_t count = metrics->refresh_count;
    struct refresh *grown =
        count < REFRESHES_MAX ? reallocarray(metrics->refreshes, count + 1, sizeof(struct refresh))
                              : NULL;
    if (grown != NULL) {
        metrics->refreshes = grown;
        metrics->refreshes[metrics->refresh_count++] = (struct refresh){refresh, user};
        status = HF_OK;
    }
    pthread_mutex_unlock(&metrics->refresh_lock);
    return status;
}

void hf_metrics_off_scrape(struct hf_metrics *metrics, hf_metrics_refresh *refresh, void *user)
{
    pthread_mutex_lock(&metrics->refresh_lock);
    for (size_t i = 0; i < metrics->refresh_count; i++) {
        if (metrics->refreshes[i].call == refresh && metrics->refreshes[i].user == user) {
            metrics->refresh_count--;
            memmove(metrics->refreshes + i, metrics->refreshes + i + 1,
                    (metrics->refresh_count - i) * sizeof(struct refresh));
            break;
        }
    }
    pthread_mutex_unlock(&metrics->refresh_lock);
}

/* What is the same for all lines of one exposition. */
struct printer {
    struct hf_bytes out;
    struct hf_bytes constant; /* labels, NUL-terminated */
    const struct hf_metrics_style *style;
    enum hf_status status; /* the first failure; nothing is written after it */
};

static void print(struct printer *printer, const char *text)
{
    if (printer->status == HF_OK) {
        printer->status = put(&printer->out, text);
    }
}

/* As few digits as give the same number back. */
static void print_double(struct printer *printer, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    print(printer, text);
}

static void print_scaled(struct printer *printer, const struct family *family, int64_t value)
{
    if (family->scale != 1) {
        print_double(printer, (double)value * family->scale);
        return;
    }
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, value);
    print(printer, text);
}

static bool ends_with(const char *text, const char *tail)
{
    size_t size = strlen(text), tail_size = strlen(tail);
    return size >= tail_size && strcmp(text + size - tail_size, tail) == 0;
}

static const char *unit_suffix(const struct family *family)
{
    if (strcmp(family->unit, "s") == 0) {
        return "_seconds";
    }
    return strcmp(family->unit, "By") == 0 ? "_bytes" : "";
}

/* A suffix that the name has already is not said twice. */
static void print_name(struct printer *printer, const struct family *family)
{
    const char *name = family->name;
    bool counts = family->type == HF_COUNTER;
    bool has_total = counts && ends_with(name, "_total");
    print(printer, name);
    if (printer->style->unit_suffix && !has_total && !ends_with(name, unit_suffix(family))) {
        print(printer, unit_suffix(family));
    }
    if (printer->style->type_suffix && counts && !has_total) {
        print(printer, "_total");
    }
}

/* {constant,own,le="..."}; nothing when there is no label. */
static void print_labels(struct printer *printer, const struct entry *entry, const char *bound)
{
    const char *const parts[] = {(const char *)printer->constant.data, entry->labels};
    const char *before = "{";
    for (size_t i = 0; i < 2; i++) {
        if (parts[i][0] != '\0') {
            print(printer, before);
            print(printer, parts[i]);
            before = ",";
        }
    }
    if (bound != NULL) {
        print(printer, before);
        print(printer, "le=\"");
        print(printer, bound);
        print(printer, "\"");
    }
    if (bound != NULL || before[0] == ',') {
        print(printer, "}");
    }
}

static void print_line(struct printer *printer, const struct family *family,
                       const struct entry *entry, const char *suffix, const char *bound)
{
    print_name(printer, family);
    print(printer, suffix);
    print_labels(printer, entry, bound);
    print(printer, " ");
}

static void print_count(struct printer *printer, uint64_t count)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64 "\n", count);
    print(printer, text);
}

static void print_histogram(struct printer *printer, const struct family *family,
                            const struct entry *entry)
{
    const struct hf_histogram *histogram = &entry->histogram;
    /* Read before the buckets: an observation between the two is in the count and not yet in the
     * sum. */
    uint64_t sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
    uint64_t count = 0;
    for (size_t i = 0; i <= histogram->bound_count; i++) {
        char bound[40] = "+Inf";
        if (i < histogram->bound_count) {
            snprintf(bound, sizeof(bound), "%.15g", family->bounds[i]);
        }
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        print_line(printer, family, entry, "_bucket", bound);
        print_count(printer, count);
    }
    print_line(printer, family, entry, "_sum", NULL);
    print_double(printer, (double)sum * family->scale);
    print(printer, "\n");
    print_line(printer, family, entry, "_count", NULL);
    print_count(printer, count);
}

static void print_head(struct printer *printer, const struct family *family)
{
    static const char *const types[] = {" counter\n", " gauge\n", " histogram\n"};
    print(printer, "# HELP ");
    print_name(printer, family);
    print(printer, " ");
    if (printer->status == HF_OK) {
        printer->status = put_help(&printer->out, family->help);
    }
    print(printer, "\n# TYPE ");
    print_name(printer, family);
    print(printer, types[family->type]);
}

static void print_family(struct printer *printer, const struct family *family)
{
    print_head(printer, family);
    for (const struct entry *entry = family->entries; entry != NULL; entry = entry->next) {
        if (family->type == HF_HISTOGRAM) {
            print_histogram(printer, family, entry);
            continue;
        }
        print_line(printer, family, entry, "", NULL);
        print_scaled(printer, family, hf_series_get(&entry->series));
        print(printer, "\n");
    }
}

void hf_metrics_refresh_all(struct hf_metrics *metrics)
{
    pthread_mutex_lock(&metrics->refresh_lock);
    for (size_t i = 0; i < metrics->refresh_count; i++) {
        metrics->refreshes[i].call(metrics->refreshes[i].user);
    }
    pthread_mutex_unlock(&metrics->refresh_lock);
}

enum hf_status hf_metrics_print(struct hf_metrics *metrics, const struct hf_metrics_style *style,
                                char **ret_text, size_t *ret_size)
{
    hf_metrics_refresh_all(metrics);
    struct printer printer = {.style = style};
    printer.status = put_labels(&printer.constant, style->constant_labels);
    if (printer.status == HF_OK) {
        printer.status = hf_bytes_append(&printer.constant, hf_slice_of("", 1));
    }
    pthread_mutex_lock(&metrics->lock);
    const struct family *family = printer.status == HF_OK ? metrics->families : NULL;
    for (; family != NULL; family = family->next) {
        print_family(&printer, family);
    }
    pthread_mutex_unlock(&metrics->lock);
    if (printer.status == HF_OK) {
        printer.status = hf_bytes_append(&printer.out, hf_slice_of("", 1));
    }
    hf_bytes_release(&printer.constant);
    if (printer.status != HF_OK) {
        hf_bytes_release(&printer.out);
        return printer.status;
    }
    *ret_text = (char *)printer.out.data;
    *ret_size = printer.out.size - 1;
    return HF_OK;
}

/* ---- where they are shown ---- */

void hf_metrics_show_at(struct hf_metrics *metrics, const char *address,
                        const struct hf_metrics_style *style)
{
    pthread_mutex_lock(&metrics->shown_lock);
    metrics->shown_at = address;
    metrics->shown_style = style;
    pthread_mutex_unlock(&metrics->shown_lock);
}

/* The host of "host:port" means this machine, or every address of it. */
static bool is_own_host(const char *address, const char *colon)
{
    static const char *const own[] = {"", "localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"};
    size_t size = (size_t)(colon - address);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strlen(own[i]) == size && memcmp(own[i], address, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_same_place(const char *shown_at, const char *address)
{
    const char *shown_port = shown_at != NULL ? strrchr(shown_at, ':') : NULL;
    const char *port = strrchr(address, ':');
    return shown_port != NULL && port != NULL && strcmp(shown_port, port) == 0 &&
           is_own_host(shown_at, shown_port) && is_own_host(address, port);
}

enum hf_status hf_metrics_print_shown(struct hf_metrics *metrics, const char *address,
                                      char **ret_text, size_t *ret_size)
{
    enum hf_status status = HF_NOT_FOUND;
    pthread_mutex_lock(&metrics->shown_lock);
    bool is_shown = metrics->shown_style != NULL;
    if (address == NULL ? is_shown : is_same_place(metrics->shown_at, address)) {
        status = hf_metrics_print(metrics, metrics->shown_style, ret_text, ret_size);
    }
    pthread_mutex_unlock(&metrics->shown_lock);
    return status;
}
