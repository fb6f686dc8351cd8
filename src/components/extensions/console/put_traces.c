/*
 * put_traces: spans as a waterfall: a row a span below its parent, its time as a bar.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "signals.h"
#include "walk.h"

#define SPANS_MAX 1000u
#define TRACES_MAX 5u
#define DEPTH_MAX 32u

struct span {
    const struct hf_json *item;
    struct hf_slice trace, id, parent, service;
    uint64_t begin_ns, end_ns;
    bool is_put;
};

struct spans {
    struct span *items;
    size_t count;
    const char *trace; /* NULL: any */
};

static bool collect(void *user, const struct hf_console_item *found)
{
    struct spans *spans = user;
    struct span span = {.item = found->item,
                        .trace = hf_json_text_of(found->item, "traceId"),
                        .id = hf_json_text_of(found->item, "spanId"),
                        .parent = hf_json_text_of(found->item, "parentSpanId"),
                        .service = found->service,
                        .begin_ns = hf_console_nanoseconds(found->item, "startTimeUnixNano"),
                        .end_ns = hf_console_nanoseconds(found->item, "endTimeUnixNano")};
    if (spans->trace == NULL || hf_slice_is(span.trace, spans->trace)) {
        spans->items[spans->count++] = span;
    }
    return spans->count < SPANS_MAX;
}

static int by_begin(const void *one, const void *other)
{
    const struct span *a = one, *b = other;
    return a->begin_ns < b->begin_ns ? -1 : a->begin_ns > b->begin_ns;
}

struct trace {
    struct spans *spans;
    struct hf_slice id;
    uint64_t begin_ns, end_ns;
};

static void put_bar(struct hf_console_page *page, const struct trace *trace,
                    const struct span *span, bool is_error)
{
    double all = trace->end_ns > trace->begin_ns ? (double)(trace->end_ns - trace->begin_ns) : 1;
    double from = (double)(span->begin_ns - trace->begin_ns) / all * 1000;
    double width =
        span->end_ns > span->begin_ns ? (double)(span->end_ns - span->begin_ns) / all * 1000 : 0;
    hf_console_put(page,
                   "<td><svg class=\"span\" viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" "
                   "aria-hidden=\"true\"><rect class=\"ground\" y=\"4\" width=\"1000\" "
                   "height=\"12\"/><rect class=\"part %s\" x=\"%.2f\" y=\"4\" width=\"%.2f\" "
                   "height=\"12\"/></svg></td><td class=\"number\">",
                   is_error ? "bad" : "full", from, width < 2 ? 2 : width);
    hf_console_put_duration(page, (double)(span->begin_ns - trace->begin_ns) / 1e9);
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_duration(page, width > 0 ? (double)(span->end_ns - span->begin_ns) / 1e9 : 0);
    hf_console_put(page, "</td></tr>");
}

static void put_span(struct hf_console_page *page, const struct trace *trace,
                     const struct span *span, unsigned depth)
{
    static const char indent[] = "                                                                ";
    bool is_error = hf_json_int(hf_json_get(hf_json_get(span->item, "status"), "code")) == 2;
    hf_console_put(page, "<tr><th scope=\"row\"><span class=\"depth\">%.*s</span>",
                   (int)(2 * depth), indent);
    hf_console_escape(page, hf_json_text_of(span->item, "name"));
    hf_console_put(page, " ");
    if (is_error) {
        hf_console_put_state(page, "bad", "error");
    }
    hf_console_put(page, "<span class=\"note\">%.*s</span></th>", (int)span->service.size,
                   (const char *)span->service.data);
    put_bar(page, trace, span, is_error);
}

static bool has_parent(const struct trace *trace, const struct span *span)
{
    bool found = false;
    for (size_t i = 0; i < trace->spans->count && span->parent.size != 0 && !found; i++) {
        const struct span *other = &trace->spans->items[i];
        found = other != span && hf_slice_equal(other->trace, trace->id) &&
                hf_slice_equal(other->id, span->parent);
    }
    return found;
}

/* Those below a span, by their begin; each is put once, so that a circle ends. */
static void put_below(struct hf_console_page *page, struct trace *trace, struct hf_slice parent,
                      unsigned depth)
{
    for (size_t i = 0; i < trace->spans->count && depth < DEPTH_MAX; i++) {
        struct span *span = &trace->spans->items[i];
        if (!span->is_put && hf_slice_equal(span->trace, trace->id) &&
            hf_slice_equal(span->parent, parent)) {
            span->is_put = true;
            put_span(page, trace, span, depth);
            put_below(page, trace, span->id, depth + 1);
        }
    }
}

static void put_roots(struct hf_console_page *page, struct trace *trace)
{
    for (size_t i = 0; i < trace->spans->count; i++) {
        struct span *span = &trace->spans->items[i];
        if (!span->is_put && hf_slice_equal(span->trace, trace->id) && !has_parent(trace, span)) {
            span->is_put = true;
            put_span(page, trace, span, 0);
            put_below(page, trace, span->id, 1);
        }
    }
    for (size_t i = 0; i < trace->spans->count; i++) {
        struct span *span = &trace->spans->items[i];
        if (!span->is_put && hf_slice_equal(span->trace, trace->id)) {
            span->is_put = true;
            put_span(page, trace, span, 0);
        }
    }
}

static void put_trace(struct hf_console_page *page, struct spans *spans, struct hf_slice id)
{
    struct trace trace = {.spans = spans, .id = id, .begin_ns = UINT64_MAX};
    size_t count = 0;
    for (size_t i = 0; i < spans->count; i++) {
        const struct span *span = &spans->items[i];
        if (hf_slice_equal(span->trace, id)) {
            trace.begin_ns = span->begin_ns < trace.begin_ns ? span->begin_ns : trace.begin_ns;
            trace.end_ns = span->end_ns > trace.end_ns ? span->end_ns : trace.end_ns;
            count++;
        }
    }
    hf_console_put(
        page,
        "<div class=\"wide\" tabindex=\"0\"><table class=\"waterfall\"><caption>Trace <code>");
    hf_console_escape(page, id);
    hf_console_put(page, "</code>, %zu spans, began ", count);
    hf_console_put_time(page, trace.begin_ns);
    hf_console_put(page,
                   "</caption><thead><tr><th scope=\"col\">Span</th><th scope=\"col\">Time</th>"
                   "<th scope=\"col\" class=\"number\">Begins after</th>"
                   "<th scope=\"col\" class=\"number\">Takes</th></tr></thead><tbody>");
    put_roots(page, &trace);
    hf_console_put(page, "</tbody></table></div>\n");
}

void hf_console_put_traces(struct hf_console_view *view, struct hf_console_page *page,
                           const struct hf_console_records *records, const char *trace)
{
    struct spans spans = {.items = hf_arena_take(&view->arena, SPANS_MAX * sizeof(*spans.items)),
                          .trace = trace};
    size_t traces = 0;
    if (spans.items == NULL) {
        return;
    }
    for (size_t i = 0; i < records->count && spans.count < SPANS_MAX; i++) {
        hf_console_walk(records->trees[i], "spans", collect, &spans);
    }
    qsort(spans.items, spans.count, sizeof(*spans.items), by_begin);
    for (size_t i = 0; i < spans.count && traces < TRACES_MAX; i++) {
        if (!spans.items[i].is_put) {
            put_trace(page, &spans, spans.items[i].trace);
            traces++;
        }
    }
    if (spans.count == SPANS_MAX) {
        hf_console_put(page, "<p class=\"hint\">The first %u spans are shown.</p>", SPANS_MAX);
    }
}
