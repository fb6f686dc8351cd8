#include "prometheus_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "prometheus/text.h"

#define NS_PER_MS UINT64_C(1000000)
#define MS_PER_S UINT64_C(1000)
#define ENTRY_MAX 256

static const char *const kinds[] = {[HF_PROM_GAUGE] = "gauge",
                                    [HF_PROM_COUNTER] = "counter",
                                    [HF_PROM_HISTOGRAM] = "histogram",
                                    [HF_PROM_SUMMARY] = "summary"};

/* A page that is written; a failure is noted, and what follows is ignored. */
struct page {
    const struct prometheus_style *style;
    struct hf_bytes *out;
    enum hf_status status;
};

static void put(struct page *page, struct hf_slice text)
{
    if (page->status == HF_OK) {
        page->status = hf_bytes_append(page->out, text);
    }
}

static void put_text(struct page *page, const char *text)
{
    put(page, hf_slice_text(text));
}

static void put_unsigned(struct page *page, uint64_t number)
{
    char text[24];
    put(page, hf_slice_of(text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, number)));
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
        put(page,
            hf_slice_of(text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value->integer)));
    } else {
        put_double(page, value->number);
    }
}

/* ---- one line ---- */

/* The name and the labels; `bound` is the value of `le` or `quantile`, named by `bound_name`. */
static void put_head(struct page *page, const struct prometheus_series *series, const char *suffix,
                     const char *bound_name, double bound)
{
    struct hf_slice constant = series->family->is_info ? HF_EMPTY_SLICE : page->style->constant;
    const struct hf_slice parts[] = {hf_slice_of(series->labels, series->labels_size), constant,
                                     series->extra != NULL ? hf_slice_text(series->extra)
                                                           : HF_EMPTY_SLICE};
    const char *before = "{";
    put(page, series->family->name);
    put_text(page, suffix);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
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
    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", id[i]);
    }
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
    struct hf_slice name = family->name;
    bool open = page->style->open_metrics;
    if (open && family->kind == HF_PROM_COUNTER && ends_in_total(name)) {
        name.size -= strlen("_total");
    }
    put_text(page, "# HELP ");
    put(page, name);
    put_text(page, " ");
    if (page->status == HF_OK) {
        page->status = hf_prom_escape(hf_slice_text(family->help), open, page->out);
    }
    put_text(page, "\n# TYPE ");
    put(page, name);
    put_text(page, " ");
    put_text(page, kinds[family->kind]);
    put_text(page, "\n");
}

enum hf_status prometheus_print(struct prometheus_table *table,
                                const struct prometheus_style *style, struct hf_bytes *out)
{
    struct page page = {.style = style, .out = out, .status = HF_OK};
    for (size_t i = 0; i < table->family_count && page.status == HF_OK; i++) {
        struct prometheus_family *family = table->families[i];
        bool has_heading = false;
        prometheus_family_sort(family);
        for (size_t j = 0; j < family->count && page.status == HF_OK; j++) {
            if (family->series[j]->updated_ns < style->since_ns) {
                continue;
            }
            if (!has_heading) {
                put_heading(&page, family);
                has_heading = true;
            }
            put_series(&page, family->series[j]);
        }
    }
    if (style->open_metrics) {
        put_text(&page, "# EOF\n");
    }
    return page.status;
}

/* ---- negotiation ---- */

/* The weight of one entry of an Accept header. */
static double weight_of(const char *entry)
{
    const char *at = strstr(entry, "q=");
    return at != NULL ? strtod(at + 2, NULL) : 1;
}

/* Has the entry one of these versions, or none? */
static bool has_version(const char *entry, const char *const *versions)
{
    const char *at = strstr(entry, "version=");
    if (at == NULL) {
        return true;
    }
    at += strlen("version=");
    at += *at == '"';
    for (; *versions != NULL; versions++) {
        size_t size = strlen(*versions);
        if (strncmp(at, *versions, size) == 0 && strchr("\"; \t", at[size]) != NULL) {
            return true;
        }
    }
    return false;
}

bool prometheus_wants_open_metrics(struct hf_slice accept)
{
    static const char *const open_versions[] = {"0.0.1", "1.0.0", NULL};
    static const char *const text_versions[] = {"0.0.4", NULL};
    double open = 0;
    double text = 0;
    size_t at = 0;
    while (at < accept.size) {
        char entry[ENTRY_MAX];
        size_t size = 0;
        for (; at < accept.size && accept.data[at] != ','; at++) {
            if (size + 1 < sizeof(entry) && (size > 0 || accept.data[at] != ' ')) {
                entry[size++] = (char)accept.data[at];
            }
        }
        entry[size] = '\0';
        at++;
        double weight = weight_of(entry);
        if (strncasecmp(entry, "application/openmetrics-text", 28) == 0 &&
            has_version(entry, open_versions) && weight > open) {
            open = weight;
        } else if (strncasecmp(entry, "text/plain", 10) == 0 && has_version(entry, text_versions) &&
                   weight > text) {
            text = weight;
        }
    }
    return open > 0 && open >= text;
}
