/*
 * page_record: /record?queue=Q&seq=N: one record: its spans, points or log records, and its
 * OTLP/JSON folded.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "outline.h"
#include "pages.h"
#include "signals.h"

#define FOLDED_BYTES_MAX (4u << 20) /* of the page, so that a large record is shown in part */

static void put_facts(struct hf_console_view *view, struct hf_console_page *page,
                      const struct hf_json *record)
{
    hf_console_put(page,
                   "<dl class=\"facts\"><div><dt>Received</dt><dd>%s</dd></div>"
                   "<div><dt>Holds</dt><dd>%ld items, ",
                   hf_console_text(view, record, "received"),
                   (long)hf_json_int(hf_json_get(record, "items")));
    hf_console_put_bytes(page, (double)hf_json_int(hf_json_get(record, "bytes")));
    hf_console_put(page, " (%s)</dd></div>", hf_console_text(view, record, "coding"));
    if (hf_json_get(record, "reason") != NULL) {
        hf_console_put(page,
                       "<div><dt>The backend's words</dt><dd><span class=\"said\">%s</span> "
                       "(code %ld)</dd></div><div><dt>From</dt><dd>%s</dd></div>",
                       hf_console_text(view, record, "reason"),
                       (long)hf_json_int(hf_json_get(record, "code")),
                       hf_console_text(view, record, "pipeline"));
    }
    hf_console_put(page, "</dl>\n");
}

static void put_signal(struct hf_console_view *view, struct hf_console_page *page,
                       struct hf_slice signal, const struct hf_json *tree)
{
    const struct hf_console_records records = {&tree, 1};
    if (hf_slice_is(signal, "traces")) {
        hf_console_put_traces(view, page, &records, NULL);
    } else if (hf_slice_is(signal, "metrics")) {
        hf_console_put_metrics(view, page, &records);
    } else {
        hf_console_put_logs(view, page, &records);
    }
}

static void put_json(struct hf_console_page *page, const struct hf_json *tree)
{
    struct hf_console_page folded;
    hf_console_page_init(&folded, FOLDED_BYTES_MAX);
    hf_console_put_folded(&folded, tree, 4);
    hf_console_put(page, "<section aria-labelledby=\"json\"><h2 id=\"json\">OTLP/JSON</h2>");
    if (folded.failed) {
        hf_console_put(page,
                       "<p>It is too large to be shown here; holdfast queue cat prints it.</p>");
    } else {
        hf_console_put_raw(page, hf_slice_of(folded.text.data, folded.text.size));
    }
    hf_console_put(page, "</section>\n");
    hf_console_page_release(&folded);
}

void hf_console_show_record(struct hf_console_view *view, struct hf_console_page *page)
{
    const char *queue = hf_console_parameter_or(view->request, "queue", "");
    uint64_t sequence = hf_console_number(view->request, "seq", 0);
    const struct hf_json *record = NULL, *tree = NULL;
    size_t count = 0;
    if (hf_console_list(view->node, queue, sequence, 1, &view->arena, &record) != 1 ||
        (uint64_t)hf_json_int(hf_json_get(record, "sequence")) != sequence) {
        view->status = 404;
        hf_console_put(page,
                       "<h1>The record is gone</h1><p>There is no record %lu in %s: it was "
                       "delivered, or never there.</p>",
                       (unsigned long)sequence, queue);
        return;
    }
    snprintf(view->title, sizeof(view->title), "Record %lu of %.100s", (unsigned long)sequence,
             queue);
    hf_console_put(page,
                   "<h1><span class=\"kind\">Record</span> %lu "
                   "<span class=\"kind\">of %s</span></h1>\n",
                   (unsigned long)sequence, queue);
    put_facts(view, page, record);
    enum hf_status status =
        hf_console_read(view->node, queue, sequence, 1, &view->arena, &tree, &count);
    if (status != HF_OK || count == 0 || tree == NULL) {
        hf_console_put(page, "<p class=\"told bad\">%s</p>",
                       status == HF_TOO_LARGE ? "It is too large to be shown here."
                                              : "It cannot be read.");
        return;
    }
    put_signal(view, page, hf_json_text_of(record, "signal"), tree);
    put_json(page, tree);
}
