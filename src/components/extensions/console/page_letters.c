/*
 * page_letters: /letters: which exporters have dead letters.
 */
#include "look.h"
#include "pages.h"

static void put_row(struct hf_console_view *view, struct hf_console_page *page,
                    const struct hf_json *exporter)
{
    const struct hf_json *refusal = hf_json_get(exporter, "last_refusal");
    hf_console_put(page, "<tr><th scope=\"row\">");
    hf_console_put_link(page, "/letters/of", "exporter", hf_console_text(view, exporter, "id"),
                        hf_console_text(view, exporter, "id"));
    hf_console_put(page, "</th><td class=\"number\">");
    hf_console_put_count(page, hf_console_items(exporter, "dead_letters"));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_bytes(page, (double)hf_console_amount_bytes(exporter, "dead_letters"));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_count(page, hf_console_items(exporter, "requeued"));
    hf_console_put(page, "</td><td>");
    hf_console_escape(page, hf_json_text_of(refusal, "message"));
    hf_console_put(page, "</td></tr>");
}

void hf_console_show_letters(struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(
        page,
        "<h1>Dead letters</h1><p class=\"hint\">What a backend refused for good is "
        "kept aside with the backend's words, until someone sends it again or drops "
        "it.</p><div class=\"wide\" tabindex=\"0\"><table><caption>By exporter</caption><thead><tr>"
        "<th scope=\"col\">Exporter</th>"
        "<th scope=\"col\" class=\"number\">Items</th>"
        "<th scope=\"col\" class=\"number\">Bytes</th>"
        "<th scope=\"col\" class=\"number\">To be sent again</th>"
        "<th scope=\"col\">The backend's last words</th></tr></thead><tbody>");
    for (const struct hf_json *at = hf_console_first(view, "exporters"); at != NULL;
         at = at->next) {
        put_row(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div>\n");
}
