/*
 * signals: what a record holds, as people look at it: the spans of a trace as a waterfall, the
 * points of a metric as a line, logs as a table. Records are OTLP/JSON trees; several may be shown
 * as one, as when a trace came in pieces. Any thread; nothing is kept.
 */
#pragma once

#include "view.h"

struct hf_console_records {
    const struct hf_json *const *trees;
    size_t count;
};

/* The first traces of the records, or that one trace; `trace` NULL: any. */
void hf_console_put_traces(struct hf_console_view *view, struct hf_console_page *page,
                           const struct hf_console_records *records, const char *trace);
void hf_console_put_metrics(struct hf_console_view *view, struct hf_console_page *page,
                            const struct hf_console_records *records);
void hf_console_put_logs(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_console_records *records);
