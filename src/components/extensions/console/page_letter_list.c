/*
 * page_letter_list: /letters/of?exporter=ID&from=SEQ: the dead letters of an exporter with the
 * backend's words; one, a selection or all of them can be sent again, exported or dropped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "look.h"
#include "pages.h"

#define LETTERS_A_PAGE 100u

/* What the last change did, as its redirect says: only known words get in. */
static void put_done(const struct hf_console_view *view, struct hf_console_page *page)
{
    static const char *const words[][3] = {
        {"requeue", "letters are sent again", "letter is sent again"},
        {"drop", "letters were dropped", "letter was dropped"}};
    const char *done = hf_console_parameter_or(view->request, "done", "");
    uint64_t count = hf_console_number(view->request, "count", 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(done, words[i][0]) == 0) {
            hf_console_put(page, "<p class=\"told\" role=\"status\">");
            hf_console_put_count(page, count);
            hf_console_put(page, " dead %s.</p>", words[i][count == 1 ? 2 : 1]);
        }
    }
}

static void put_letter(struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_json *letter, const char *queue)
{
    uint64_t sequence = (uint64_t)hf_json_int(hf_json_get(letter, "sequence"));
    int64_t code = hf_json_int(hf_json_get(letter, "code"));
    hf_console_put(page,
                   "<tr><td><input type=\"checkbox\" name=\"seq\" value=\"%lu\" "
                   "aria-label=\"Select dead letter %lu\"></td><th scope=\"row\">"
                   "<a href=\"/record?queue=",
                   (unsigned long)sequence, (unsigned long)sequence);
    hf_console_put_url(page, queue);
    hf_console_put(page, "&amp;seq=%lu\">%lu</a></th><td>", (unsigned long)sequence,
                   (unsigned long)sequence);
    hf_console_put(page, "%s<span class=\"note\">%s, pipeline %s</span></td><td class=\"number\">",
                   hf_console_text(view, letter, "received"),
                   hf_console_text(view, letter, "signal"),
                   hf_console_text(view, letter, "pipeline"));
    hf_console_put_count(page, (uint64_t)hf_json_int(hf_json_get(letter, "items")));
    hf_console_put(page, "</td><td><span class=\"said\">%s</span>",
                   hf_console_text(view, letter, "reason"));
    if (code != 0) {
        hf_console_put(page, "<span class=\"note\">code %ld</span>", (long)code);
    }
    hf_console_put(page, "</td></tr>");
}

static void put_buttons(struct hf_console_page *page, uint64_t all)
{
    hf_console_put(page,
                   "<div class=\"actions\">"
                   "<button class=\"main\" name=\"action\" value=\"requeue\">Send the selected "
                   "again</button>"
                   "<button name=\"action\" value=\"export\" formaction=\"/letters/export\">"
                   "Export the selected</button>"
                   "<button class=\"danger\" name=\"action\" value=\"drop\">Drop the selected…"
                   "</button></div><div class=\"actions\">"
                   "<button name=\"action\" value=\"requeue-all\">Send all ");
    hf_console_put_count(page, all);
    hf_console_put(page, " again…</button>"
                         "<button name=\"action\" value=\"export-all\" "
                         "formaction=\"/letters/export\">Export all ");
    hf_console_put_count(page, all);
    hf_console_put(page, "</button><button class=\"danger\" name=\"action\" "
                         "value=\"drop-all\">Drop all ");
    hf_console_put_count(page, all);
    hf_console_put(page, "…</button></div>");
}

static void put_table(struct hf_console_view *view, struct hf_console_page *page,
                      const char *exporter, const struct hf_json *const *letters, size_t count)
{
    char queue[300];
    snprintf(queue, sizeof(queue), "deadletter:%s", exporter);
    hf_console_put(
        page, "<div class=\"wide\" tabindex=\"0\"><table><caption>Oldest first</caption><thead><tr>"
              "<th scope=\"col\"><input type=\"checkbox\" id=\"all\" hidden "
              "aria-label=\"Select all on this page\"><span class=\"note\">Select</span>"
              "</th><th scope=\"col\">Record</th><th scope=\"col\">Received</th>"
              "<th scope=\"col\" class=\"number\">Items</th>"
              "<th scope=\"col\" class=\"words\">The backend's words</th></tr></thead><tbody>");
    for (size_t i = 0; i < count; i++) {
        put_letter(view, page, letters[i], queue);
    }
    hf_console_put(page, "</tbody></table></div>");
}

void hf_console_show_letters_of(struct hf_console_view *view, struct hf_console_page *page)
{
    const char *exporter = hf_console_parameter_or(view->request, "exporter", "");
    uint64_t from = hf_console_number(view->request, "from", 0);
    const struct hf_json **letters =
        hf_arena_take(&view->arena, (LETTERS_A_PAGE + 1) * sizeof(*letters));
    const struct hf_json *known = hf_console_find(view, "exporters", NULL, hf_slice_text(exporter));
    uint64_t all =
        (uint64_t)hf_json_int(hf_json_get(hf_json_get(known, "dead_letters"), "records"));
    char queue[300];
    snprintf(queue, sizeof(queue), "deadletter:%s", exporter);
    snprintf(view->title, sizeof(view->title), "Dead letters of %s", exporter);
    size_t count = 0;
    if (letters != NULL && known != NULL) {
        count = hf_console_list(view->node, queue, from, LETTERS_A_PAGE + 1, &view->arena, letters);
    }
    hf_console_put(page, "<h1><span class=\"kind\">Dead letters of</span> %s</h1>", exporter);
    put_done(view, page);
    if (count == 0) {
        hf_console_put(page, "<p>There are none%s.</p>", from != 0 ? " behind this record" : "");
        return;
    }
    size_t shown = count > LETTERS_A_PAGE ? LETTERS_A_PAGE : count;
    hf_console_put(page, "<form method=\"post\" action=\"/letters/ask\">");
    hf_console_put_token(view, page);
    hf_console_put(page, "<input type=\"hidden\" name=\"exporter\" value=\"%s\">", exporter);
    put_table(view, page, exporter, letters, shown);
    put_buttons(page, all);
    hf_console_put(page, "</form>");
    if (count > shown) {
        hf_console_put(page, "<p><a href=\"/letters/of?exporter=");
        hf_console_put_url(page, exporter);
        hf_console_put(page, "&amp;from=%lu\">The next ones</a></p>\n",
                       (unsigned long)hf_json_int(hf_json_get(letters[shown], "sequence")));
    }
}
