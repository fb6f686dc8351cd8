/*
 * put_logs: log records as a table.
 */
#include "match.h"
#include "signals.h"
#include "walk.h"

#define LOGS_MAX 500u
#define BODY_MAX 4096u

struct table {
    struct hf_console_page *page;
    size_t count;
};

static bool put_row(void *user, const struct hf_console_item *found)
{
    struct table *table = user;
    struct hf_console_page *page = table->page;
    char body[BODY_MAX];
    uint64_t time_ns = hf_console_nanoseconds(found->item, "timeUnixNano");
    struct hf_slice severity = hf_json_text_of(found->item, "severityText");
    struct hf_slice trace = hf_json_text_of(found->item, "traceId");
    hf_console_value_text(hf_json_get(found->item, "body"), body, sizeof(body));
    hf_console_put(page, "<tr><td>");
    hf_console_put_time(
        page, time_ns != 0 ? time_ns : hf_console_nanoseconds(found->item, "observedTimeUnixNano"));
    hf_console_put(page, "</td><td>%.*s</td><td>%.*s</td><td><span class=\"said\">%s</span>",
                   (int)severity.size, (const char *)severity.data, (int)found->service.size,
                   (const char *)found->service.data, body);
    if (trace.size != 0) {
        hf_console_put(page, "<span class=\"note\">trace %.*s</span>", (int)trace.size,
                       (const char *)trace.data);
    }
    hf_console_put(page, "</td></tr>");
    return ++table->count < LOGS_MAX;
}

void hf_console_put_logs(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_console_records *records)
{
    struct table table = {.page = page};
    (void)view;
    hf_console_put(
        page, "<div class=\"wide\" tabindex=\"0\"><table><caption>Log records</caption><thead><tr>"
              "<th scope=\"col\">Time</th><th scope=\"col\">Severity</th>"
              "<th scope=\"col\">Service</th><th scope=\"col\">Body</th></tr></thead>"
              "<tbody>");
    for (size_t i = 0; i < records->count && table.count < LOGS_MAX; i++) {
        hf_console_walk(records->trees[i], "logRecords", put_row, &table);
    }
    hf_console_put(page, "</tbody></table></div>\n");
    if (table.count == LOGS_MAX) {
        hf_console_put(page, "<p class=\"hint\">The first %u log records are shown.</p>", LOGS_MAX);
    }
}
