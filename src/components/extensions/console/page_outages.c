/*
 * page_outages: /outages: when each backend was down, as a timeline and in words.
 */
#include <stdio.h>

#include "chart.h"
#include "look.h"
#include "pages.h"

#define PARTS_MAX 16u
#define SPAN_MIN_NS (UINT64_C(600) * 1000000000)

/* The oldest outage of all, so that all timelines have one scale. */
static uint64_t oldest(const struct hf_console_view *view)
{
    uint64_t now_ns = view->snapshot->taken_unix_ns, from_ns = now_ns - SPAN_MIN_NS;
    for (const struct hf_json *at = hf_console_first(view, "exporters"); at != NULL;
         at = at->next) {
        uint64_t first_ns =
            hf_console_moment(hf_json_first(hf_json_get(at, "outages")), "from_seconds");
        from_ns = first_ns != 0 && first_ns < from_ns ? first_ns : from_ns;
    }
    return from_ns;
}

static void put_timeline(const struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *exporter, uint64_t from_ns)
{
    struct hf_console_part parts[PARTS_MAX];
    char title[160];
    struct hf_slice id = hf_json_text_of(exporter, "id");
    uint64_t now_ns = view->snapshot->taken_unix_ns;
    double span = (double)(now_ns - from_ns);
    size_t count = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(exporter, "outages"));
         at != NULL && count < PARTS_MAX; at = at->next) {
        uint64_t begin_ns = hf_console_moment(at, "from_seconds");
        uint64_t end_ns = hf_console_moment(at, "to_seconds");
        end_ns = end_ns != 0 ? end_ns : now_ns;
        begin_ns = begin_ns > from_ns ? begin_ns : from_ns;
        end_ns = end_ns > begin_ns ? end_ns : begin_ns;
        parts[count++] = (struct hf_console_part){.from = (double)(begin_ns - from_ns) / span,
                                                  .to = (double)(end_ns - from_ns) / span,
                                                  .shade = "bad",
                                                  .title = "outage"};
    }
    snprintf(title, sizeof(title), "%.*s: %zu outages", (int)id.size, (const char *)id.data, count);
    hf_console_put_line(page, title, parts, count, NULL, 0);
}

static void put_outage(const struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_json *outage)
{
    uint64_t from_ns = hf_console_moment(outage, "from_seconds");
    uint64_t to_ns = hf_console_moment(outage, "to_seconds");
    uint64_t end_ns = to_ns != 0 ? to_ns : view->snapshot->taken_unix_ns;
    hf_console_put(page, "<tr><td>");
    hf_console_put_time(page, from_ns);
    hf_console_put(page, "</td><td>");
    if (to_ns != 0) {
        hf_console_put_time(page, to_ns);
    } else {
        hf_console_put_state(page, "bad", "still down");
    }
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_duration(page, end_ns > from_ns ? (double)(end_ns - from_ns) / 1e9 : 0);
    hf_console_put(page, "</td><td class=\"number\">");
    if (to_ns != 0) {
        hf_console_put_count(page, (uint64_t)hf_console_double(outage, "held_items"));
    } else {
        hf_console_put(page, "…");
    }
    hf_console_put(page, "</td></tr>");
}

static void put_exporter(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *exporter, uint64_t from_ns)
{
    const char *id = hf_console_text(view, exporter, "id");
    hf_console_put(page, "<section><h2>%s</h2>", id);
    put_timeline(view, page, exporter, from_ns);
    hf_console_put(
        page,
        "<div class=\"wide\" tabindex=\"0\"><table><caption>Outages of %s</caption><thead><tr>"
        "<th scope=\"col\">Down from</th><th scope=\"col\">Delivers again</th>"
        "<th scope=\"col\" class=\"number\">Lasted</th>"
        "<th scope=\"col\" class=\"number\">Items held at its end</th></tr></thead>"
        "<tbody>",
        id);
    for (const struct hf_json *at = hf_json_first(hf_json_get(exporter, "outages")); at != NULL;
         at = at->next) {
        put_outage(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div></section>\n");
}

void hf_console_show_outages(struct hf_console_view *view, struct hf_console_page *page)
{
    uint64_t from_ns = oldest(view);
    size_t count = 0;
    hf_console_put(page, "<h1>Outages</h1><p class=\"hint\">The last 16 of each backend since this "
                         "process started; the bars begin at ");
    hf_console_put_time(page, from_ns);
    hf_console_put(page, ". What arrived meanwhile waits on disk.</p>\n");
    for (const struct hf_json *at = hf_console_first(view, "exporters"); at != NULL;
         at = at->next) {
        if (hf_json_first(hf_json_get(at, "outages")) != NULL) {
            put_exporter(view, page, at, from_ns);
            count++;
        }
    }
    if (count == 0) {
        hf_console_put(page, "<p>No backend has been down since the process started.</p>\n");
    }
}
