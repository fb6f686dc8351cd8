/*
 * zpages_traces: tracez: the spans of the process's own work, by name and latency.
 */
#include "zpages.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/server.h"
#include "util/hex.h"
#include "util/own_spans.h"

/* What `ztype` of a query says. */
enum { TYPE_RUNNING = 0, TYPE_LATENCY = 1, TYPE_ERROR = 2 };

static void put_count(struct hf_html *html, const char *name, int type, unsigned bucket,
                      uint64_t count)
{
    hf_html_raw(html, "<td>");
    if (count != 0) {
        hf_html_raw(html, "<a href=\"/debug/tracez?zspanname=");
        hf_html_query(html, name);
        hf_html_raw(html, "&amp;ztype=");
        hf_html_number(html, (uint64_t)type);
        hf_html_raw(html, "&amp;zsubtype=");
        hf_html_number(html, bucket);
        hf_html_raw(html, "\">");
    }
    hf_html_number(html, count);
    hf_html_raw(html, count != 0 ? "</a></td>" : "</td>");
}

static void add_row(void *user, const struct hf_span_summary *summary)
{
    struct hf_html *html = user;
    const char *name = hf_span_name_text(summary->name);
    hf_html_row(html);
    hf_html_cell(html, name);
    hf_html_raw(html, "<td>");
    hf_html_number(html, summary->running);
    hf_html_raw(html, "</td>");
    for (unsigned i = 0; i < HF_SPAN_BUCKETS; i++) {
        put_count(html, name, TYPE_LATENCY, i, summary->ended[i]);
    }
    put_count(html, name, TYPE_ERROR, 0, summary->ended[HF_SPAN_FAILED]);
    hf_html_end_row(html);
}

static void put_hex(struct hf_html *html, const uint8_t *bytes, size_t size)
{
    char text[2 * 16 + 1];
    text[hf_hex_write(hf_slice_of(bytes, size), text)] = '\0';
    hf_html_raw(html, text);
}

static void put_span(struct hf_html *html, const struct hf_own_span *span)
{
    char elapsed[48];
    snprintf(elapsed, sizeof(elapsed), "%.6f", (double)span->duration_ns / 1e9);
    hf_html_row(html);
    hf_html_raw(html, "<td>");
    hf_html_time(html, span->start_unix_ns);
    hf_html_raw(html, "</td>");
    hf_html_cell(html, elapsed);
    hf_html_raw(html, "<td>");
    put_hex(html, span->trace_id, sizeof(span->trace_id));
    hf_html_raw(html, "</td><td>");
    put_hex(html, span->span_id, sizeof(span->span_id));
    hf_html_raw(html, "</td><td>");
    hf_html_number(html, span->items);
    hf_html_raw(html, "</td>");
    hf_html_cell(html, span->transport != NULL ? span->transport : "");
    hf_html_cell(html, span->error);
    hf_html_end_row(html);
}

static void show_samples(struct hf_own_spans *spans, const struct hf_http_request *request,
                         struct hf_html *html)
{
    static const char *const columns[] = {"When",  "Elapsed (s)", "Trace ID", "Span ID",
                                          "Items", "Transport",   "Error",    NULL};
    struct hf_own_span samples[HF_SPAN_SAMPLES];
    const char *name = hf_http_query(request, "zspanname");
    const char *type = hf_http_query(request, "ztype");
    const char *bucket = hf_http_query(request, "zsubtype");
    if (name == NULL || type == NULL) {
        return;
    }
    bool failed = strtol(type, NULL, 10) == TYPE_ERROR;
    unsigned long wanted =
        failed ? HF_SPAN_FAILED : strtoul(bucket != NULL ? bucket : "0", NULL, 10);
    size_t count = wanted <= HF_SPAN_BUCKETS
                       ? hf_own_spans_samples(spans, name, (unsigned)wanted, samples)
                       : 0;
    hf_html_raw(html, "<h2>");
    hf_html_text(html, name);
    hf_html_raw(html, "</h2>\n");
    hf_html_table(html, columns);
    for (size_t i = 0; i < count; i++) {
        put_span(html, &samples[i]);
    }
    hf_html_end_table(html);
}

void hf_zpages_traces(const struct hf_node *node, const struct hf_http_request *request,
                      struct hf_html *html)
{
    static const char *const columns[] = {"Span Name", "Running", ">0s",    ">10us", ">100us",
                                          ">1ms",      ">10ms",   ">100ms", ">1s",   ">10s",
                                          ">1m0s",     "Errors",  NULL};
    struct hf_own_spans *spans = hf_node_own_spans(node);
    hf_html_begin(html, "Trace Spans");
    hf_html_table(html, columns);
    if (spans != NULL) {
        hf_own_spans_each(spans, add_row, html);
    }
    hf_html_end_table(html);
    if (spans != NULL) {
        show_samples(spans, request, html);
    }
    hf_html_end(html);
}
