#include "prometheus_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pdata/json_value.h"
#include "prometheus/text.h"
#include "prometheus_labels.h"
#include "util/hex.h"

#define NS_PER_MS UINT64_C(1000000)
#define MS_PER_S UINT64_C(1000)

static const char *const kinds[] = {[HF_PROM_GAUGE] = "gauge",
                                    [HF_PROM_COUNTER] = "counter",
                                    [HF_PROM_HISTOGRAM] = "histogram",
                                    [HF_PROM_SUMMARY] = "summary"};

/* A page that is written; a failure is noted, and what follows is ignored. */
struct page {
    const struct prometheus_style *style;
    struct hf_bytes *out;
    size_t enough;                        /* of the bytes in `out` */
    const struct prometheus_series *last; /* that was printed; NULL: none */
    bool constant_is_quoted;
    struct hf_bytes name;            /* of the family, as it is printed, without quotes */
    struct prometheus_labels labels; /* those that are escaped */
    enum hf_status status;
};

static inline void put(struct page *page, struct hf_slice text)
{
    struct hf_bytes *out = page->out;
    if (text.size != 0 && text.size < out->capacity - out->size) {
        memcpy(out->data + out->size, text.data, text.size);
        out->size += text.size;
    } else if (page->status == HF_OK) {
        page->status = hf_bytes_append(out, text);
    }
}

static inline void put_text(struct page *page, const char *text)
{
    put(page, hf_slice_text(text));
}

static void put_unsigned(struct page *page, uint64_t number)
{
    char text[24];
    put(page, hf_slice_of(text, hf_json_print_u64(number, text)));
}

static void put_double(struct page *page, double number)
{
    if (page->status == HF_OK) {
        page->status = hf_prom_number(number, page->style->open_metrics, page->out);
    }
}

static void put_number(struct page *page, const struct prometheus_value *value)
{
    char text[24];
    if (value->is_integer) {
        put(page, hf_slice_of(text, hf_json_print_i64(value->integer, text)));
    } else {
        put_double(page, value->number);
    }
}

/* ---- one line ---- */

enum { OWN_LABELS = 0, CONSTANT_LABELS, EXTRA_LABELS, PART_COUNT };

/* The labels under the names that the scraper reads. Names that are equal then are one label. */
static struct hf_slice escape_labels(struct page *page, const struct hf_slice parts[PART_COUNT])
{
    struct hf_slice text = HF_EMPTY_SLICE;
    prometheus_labels_reset(&page->labels);
    for (size_t i = 0; i < PART_COUNT && page->status == HF_OK; i++) {
        page->status =
            prometheus_labels_add_printed(&page->labels, parts[i], page->style->escaping);
    }
    if (page->status == HF_OK) {
        page->status = prometheus_labels_print(&page->labels, &text);
    }
    return text;
}

/* A name in quotes unless it is classic. */
static void put_name(struct page *page, bool is_quoted, struct hf_slice name, const char *suffix)
{
    put_text(page, is_quoted ? "\"" : "");
    if (is_quoted && page->status == HF_OK) {
        page->status = hf_prom_escape(name, true, page->out);
    } else {
        put(page, name);
    }
    put_text(page, suffix);
    put_text(page, is_quoted ? "\"" : "");
}

static bool has_quoted_name(const struct page *page, const struct prometheus_family *family)
{
    return page->style->escaping == HF_PROM_ALLOW_UTF8 && !family->is_classic;
}

/* The name and the labels; `bound` is the value of `le` or `quantile`, named by `bound_name`. */
static void put_head(struct page *page, const struct prometheus_series *series, const char *suffix,
                     const char *bound_name, double bound)
{
    bool has_constant = !series->family->is_info;
    bool is_quoted = has_quoted_name(page, series->family);
    struct hf_slice parts[PART_COUNT] = {
        [OWN_LABELS] = hf_slice_of(series->labels, series->labels_size),
        [CONSTANT_LABELS] = has_constant ? page->style->constant : HF_EMPTY_SLICE,
        [EXTRA_LABELS] = series->extra != NULL ? hf_slice_text(series->extra) : HF_EMPTY_SLICE};
    const char *before = "{";
    if (page->style->escaping != HF_PROM_ALLOW_UTF8 &&
        (series->is_quoted || (has_constant && page->constant_is_quoted) ||
         prometheus_labels_are_quoted(parts[EXTRA_LABELS]))) {
        parts[OWN_LABELS] = escape_labels(page, parts);
        parts[CONSTANT_LABELS] = parts[EXTRA_LABELS] = HF_EMPTY_SLICE;
    }
    put_text(page, is_quoted ? before : "");
    put_name(page, is_quoted, hf_slice_of(page->name.data, page->name.size), suffix);
    before = is_quoted ? "," : before;
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (parts[i].size > 0) {
            put_text(page, before);
            put(page, parts[i]);
            before = ",";
        }
    }
    if (bound_name != NULL) {
        put_text(page, before);
        put_text(page, bound_name);
        put_text(page, "=\"");
        put_double(page, bound);
        put_text(page, "\"");
        before = ",";
    }
    put_text(page, before[0] == ',' ? "} " : " ");
}

static void put_time(struct page *page, uint64_t time_ns)
{
    char text[40];
    uint64_t ms = time_ns / NS_PER_MS;
    int size = page->style->open_metrics ? snprintf(text, sizeof(text), " %" PRIu64 ".%03" PRIu64,
                                                    ms / MS_PER_S, ms % MS_PER_S)
                                         : snprintf(text, sizeof(text), " %" PRIu64, ms);
    put(page, hf_slice_of(text, (size_t)size));
}

static void put_hex(struct page *page, const char *name, const uint8_t *id, size_t size)
{
    char text[40];
    text[hf_hex_write(hf_slice_of(id, size), text)] = '\0';
    put_text(page, name);
    put_text(page, "=\"");
    put_text(page, text);
    put_text(page, "\"");
}

static void put_exemplar(struct page *page, const struct prometheus_exemplar *exemplar)
{
    if (!page->style->open_metrics || exemplar == NULL ||
        (!exemplar->has_trace && !exemplar->has_span)) {
        return;
    }
    put_text(page, " # {");
    if (exemplar->has_trace) {
        put_hex(page, "trace_id", exemplar->trace_id, sizeof(exemplar->trace_id));
    }
    if (exemplar->has_span) {
        put_text(page, exemplar->has_trace ? "," : "");
        put_hex(page, "span_id", exemplar->span_id, sizeof(exemplar->span_id));
    }
    put_text(page, "} ");
    put_double(page, exemplar->value);
    if (exemplar->time_ns != 0) {
        put_time(page, exemplar->time_ns);
    }
}

static void end_line(struct page *page, const struct prometheus_series *series,
                     const struct prometheus_exemplar *exemplar)
{
    if (page->style->timestamps && series->value.time_ns != 0) {
        put_time(page, series->value.time_ns);
    }
    put_exemplar(page, exemplar);
    put_text(page, "\n");
}

/* ---- one series ---- */

static void put_count_and_sum(struct page *page, const struct prometheus_series *series)
{
    put_head(page, series, "_sum", NULL, 0);
    put_double(page, series->value.sum);
    end_line(page, series, NULL);
    put_head(page, series, "_count", NULL, 0);
    put_unsigned(page, series->value.count);
    end_line(page, series, NULL);
}

static void put_histogram(struct page *page, const struct prometheus_series *series)
{
    const struct prometheus_value *value = &series->value;
    uint64_t count = 0;
    for (size_t i = 0; i < value->pair_count; i++) {
        count += value->pairs[i].count;
        put_head(page, series, "_bucket", "le", value->pairs[i].at);
        put_unsigned(page,
                     isinf(value->pairs[i].at) && value->pairs[i].at > 0 ? value->count : count);
        end_line(page, series, value->exemplars != NULL ? &value->exemplars[i] : NULL);
    }
    put_count_and_sum(page, series);
}

static void put_summary(struct page *page, const struct prometheus_series *series)
{
    const struct prometheus_value *value = &series->value;
    for (size_t i = 0; i < value->pair_count; i++) {
        put_head(page, series, "", "quantile", value->pairs[i].at);
        put_double(page, value->pairs[i].value);
        end_line(page, series, NULL);
    }
    put_count_and_sum(page, series);
}

static bool ends_in_total(struct hf_slice name)
{
    return name.size > 6 && memcmp(name.data + name.size - 6, "_total", 6) == 0;
}

static void put_series(struct page *page, const struct prometheus_series *series)
{
    switch (series->family->kind) {
    case HF_PROM_HISTOGRAM:
        put_histogram(page, series);
        return;
    case HF_PROM_SUMMARY:
        put_summary(page, series);
        return;
    default:
        break;
    }
    bool is_counter = series->family->kind == HF_PROM_COUNTER;
    bool lacks_total =
        page->style->open_metrics && is_counter && !ends_in_total(series->family->name);
    put_head(page, series, lacks_total ? "_total" : "", NULL, 0);
    put_number(page, &series->value);
    end_line(page, series, is_counter ? series->value.exemplars : NULL);
}

/* ---- families ---- */

static void put_heading(struct page *page, const struct prometheus_family *family)
{
    struct hf_slice name = hf_slice_of(page->name.data, page->name.size);
    bool is_quoted = has_quoted_name(page, family);
    bool open = page->style->open_metrics;
    if (open && family->kind == HF_PROM_COUNTER && ends_in_total(name)) {
        name.size -= strlen("_total");
    }
    put_text(page, "# HELP ");
    put_name(page, is_quoted, name, "");
    put_text(page, " ");
    if (page->status == HF_OK) {
        page->status = hf_prom_escape(hf_slice_text(family->help), open, page->out);
    }
    put_text(page, "\n# TYPE ");
    put_name(page, is_quoted, name, "");
    put_text(page, " ");
    put_text(page, kinds[family->kind]);
    put_text(page, "\n");
}

static bool is_wanted(const struct page *page)
{
    return page->status == HF_OK && page->out->size < page->enough;
}

/* The series from that place on; the heading stands before the first of them. */
static void put_family(struct page *page, struct prometheus_family *family, size_t at,
                       bool has_heading)
{
    page->name.size = 0;
    page->status =
        hf_prom_escape_name(HF_PROM_METRIC_NAME, family->name, page->style->escaping, &page->name);
    for (; at < family->count && is_wanted(page); at++) {
        struct prometheus_series *series = family->series[at];
        if (series->updated_ns < page->style->since_ns) {
            continue;
        }
        if (!has_heading) {
            put_heading(page, family);
            has_heading = true;
        }
        put_series(page, series);
        page->last = series;
    }
}

/* What is left of the family at the cursor, unless it is another one by now. */
static void put_rest(struct page *page, struct prometheus_family *family,
                     const struct prometheus_cursor *cursor)
{
    prometheus_family_sort(family);
    if (family->kind == cursor->kind) {
        struct hf_slice labels = hf_slice_of(cursor->labels.data, cursor->labels.size);
        put_family(page, family, prometheus_family_behind(family, labels), true);
    }
}

static void set_cursor(struct page *page, struct prometheus_cursor *cursor)
{
    const struct prometheus_series *series = page->last;
    cursor->family.size = cursor->labels.size = 0;
    cursor->kind = series->family->kind;
    page->status = hf_bytes_append(&cursor->family, series->family->name);
    if (page->status == HF_OK) {
        struct hf_slice labels = hf_slice_of(series->labels, series->labels_size);
        page->status = hf_bytes_append(&cursor->labels, labels);
    }
}

enum hf_status prometheus_print(struct prometheus_table *table,
                                const struct prometheus_style *style,
                                struct prometheus_cursor *cursor, size_t enough,
                                struct hf_bytes *out)
{
    struct page page = {.style = style,
                        .out = out,
                        .enough = out->size + enough,
                        .constant_is_quoted = prometheus_labels_are_quoted(style->constant),
                        .status = HF_OK};
    struct hf_slice name = hf_slice_of(cursor->family.data, cursor->family.size);
    size_t at = prometheus_table_place(table, name);
    if (name.size != 0 && at < table->family_count &&
        hf_slice_equal(table->families[at]->name, name)) {
        put_rest(&page, table->families[at++], cursor);
    }
    for (; at < table->family_count && is_wanted(&page); at++) {
        prometheus_family_sort(table->families[at]);
        put_family(&page, table->families[at], 0, false);
    }
    cursor->is_done = is_wanted(&page);
    if (cursor->is_done && style->open_metrics) {
        put_text(&page, "# EOF\n");
    } else if (!cursor->is_done && page.status == HF_OK) {
        set_cursor(&page, cursor);
    }
    hf_bytes_release(&page.name);
    prometheus_labels_release(&page.labels);
    return page.status;
}

void prometheus_cursor_release(struct prometheus_cursor *cursor)
{
    hf_bytes_release(&cursor->family);
    hf_bytes_release(&cursor->labels);
}
