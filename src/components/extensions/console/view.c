#include "view.h"

#include <stdio.h>
#include <string.h>

#include "util/time/clock.h"

/* ---- pieces ---- */

void hf_console_put_token(const struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(page, "<input type=\"hidden\" name=\"token\" value=\"%s\">",
                   view->request->token);
}

void hf_console_put_state(struct hf_console_page *page, const char *level, const char *word)
{
    hf_console_put(page, "<span class=\"state %s\">%s</span>", level, word);
}

void hf_console_put_link(struct hf_console_page *page, const char *path, const char *name,
                         const char *value, const char *text)
{
    hf_console_put(page, "<a href=\"%s?%s=", path, name);
    hf_console_put_url(page, value);
    hf_console_put(page, "\">%s</a>", text);
}

void hf_console_put_ago(const struct hf_console_view *view, struct hf_console_page *page,
                        uint64_t unix_ns)
{
    uint64_t now_ns = view->snapshot != NULL ? view->snapshot->taken_unix_ns : hf_clock_unix_ns();
    if (unix_ns == 0) {
        hf_console_put(page, "–");
        return;
    }
    hf_console_put_duration(page, now_ns > unix_ns ? (double)(now_ns - unix_ns) / 1e9 : 0);
    hf_console_put(page, " ago");
}

void hf_console_put_rate_of(const struct hf_console_view *view, struct hf_console_page *page,
                            const struct hf_json *number)
{
    double rate = 0;
    if (view->snapshot != NULL && hf_console_rate(view->snapshot, number, &rate)) {
        hf_console_put_rate(page, rate);
    } else {
        hf_console_put(page, "<span title=\"not known yet\">…</span>");
    }
}

const char *hf_console_text(struct hf_console_view *view, const struct hf_json *value,
                            const char *key)
{
    struct hf_slice text = hf_json_text_of(value, key);
    char *copy = hf_arena_take(&view->arena, text.size + 1);
    if (copy == NULL) {
        return "";
    }
    if (text.size != 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

/* ---- the layout ---- */

struct entry {
    const char *path, *name;
};

static const struct entry entries[] = {
    {"/", "Map"},
    {"/queues", "Queues"},
    {"/records", "Records"},
    {"/letters", "Dead letters"},
    {"/outages", "Outages"},
    {"/certificates", "Certificates"},
    {"/reloads", "Reloads"},
    {"/validate", "Validate"},
};

static void put_head(struct hf_console_page *page, const char *title, const char *section)
{
    hf_console_put(page,
                   "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                   "<meta name=\"color-scheme\" content=\"light dark\">"
                   "<title>%s · Holdfast</title>"
                   "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">"
                   "<link rel=\"stylesheet\" href=\"/assets/style.css\">"
                   "<script src=\"/assets/console.js\" defer></script></head><body>\n"
                   "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
                   "<header><a class=\"brand\" href=\"/\">Holdfast</a>"
                   "<nav aria-label=\"Pages\"><ul>",
                   title);
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        bool is_current = section != NULL && strcmp(section, entries[i].path) == 0;
        hf_console_put(page, "<li><a href=\"%s\"", entries[i].path);
        if (is_current) {
            hf_console_put(page, " aria-current=\"page\"");
        }
        hf_console_put(page, ">%s</a></li>", entries[i].name);
    }
    hf_console_put(page, "</ul></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

static void put_foot(const struct hf_console_view *view, struct hf_console_page *page)
{
    const struct hf_json *process =
        view->snapshot != NULL ? hf_json_get(view->snapshot->root, "process") : NULL;
    struct hf_slice version = hf_json_text_of(process, "version");
    hf_console_put(page, "</main>\n<footer><p>Holdfast %.*s</p>", (int)version.size,
                   (const char *)version.data);
    hf_console_put(page, "</footer></body></html>\n");
}

static void put_query(const struct hf_console_view *view, struct hf_console_page *page)
{
    for (size_t i = 0; i < view->request->parameter_count; i++) {
        hf_console_put(page, "&amp;");
        hf_console_put_url(page, view->request->parameters[i].name);
        hf_console_put(page, "=");
        hf_console_put_url(page, view->request->parameters[i].value);
    }
}

/* The first snapshots may be of a process that is still starting. */
static bool knows_components(const struct hf_console_view *view)
{
    return view->snapshot != NULL &&
           hf_json_first(hf_json_get(view->snapshot->root, "components")) != NULL;
}

/* What is replaced at each event, and how old it is. */
static void put_live(struct hf_console_view *view, const struct hf_console_route *route,
                     struct hf_console_page *page)
{
    if (!knows_components(view)) {
        hf_console_put(page,
                       "<h1>%s</h1><p>The first look at the process is not done yet; load "
                       "the page again in a second.</p>",
                       route->title);
        return;
    }
    route->show(view, page);
    hf_console_put(page, "<p class=\"asof\">As of ");
    hf_console_put_time(page, view->snapshot->taken_unix_ns);
    hf_console_put(page, "</p>");
}

void hf_console_write_document(struct hf_console_view *view, const struct hf_console_route *route,
                               struct hf_console_page *page)
{
    struct hf_console_page inside;
    hf_console_page_init(&inside, page->limit_bytes);
    if (route->kind == HF_CONSOLE_LIVE) {
        put_live(view, route, &inside);
    } else {
        route->show(view, &inside);
    }
    if (view->download != NULL) {
        hf_console_put_raw(page, hf_slice_of(inside.text.data, inside.text.size));
        page->failed = page->failed || inside.failed;
        hf_console_page_release(&inside);
        return;
    }
    put_head(page, view->title[0] != '\0' ? view->title : route->title, route->section);
    if (route->kind == HF_CONSOLE_LIVE) {
        hf_console_put(page, "<div id=\"live\" data-stream=\"/events?path=");
        hf_console_put_url(page, route->path);
        put_query(view, page);
        hf_console_put(page, "\">");
    }
    hf_console_put_raw(page, hf_slice_of(inside.text.data, inside.text.size));
    if (route->kind == HF_CONSOLE_LIVE) {
        hf_console_put(page, "</div>\n");
    }
    put_foot(view, page);
    page->failed = page->failed || inside.failed;
    hf_console_page_release(&inside);
}

void hf_console_write_event(struct hf_console_view *view, const struct hf_console_route *route,
                            struct hf_console_page *page)
{
    struct hf_console_page inside;
    hf_console_page_init(&inside, page->limit_bytes);
    put_live(view, route, &inside);
    hf_console_put(page, "retry: 250\nevent: live\n");
    const uint8_t *at = inside.text.data;
    const uint8_t *end = at + inside.text.size;
    while (at < end) {
        const uint8_t *next = memchr(at, '\n', (size_t)(end - at));
        next = next != NULL ? next : end;
        hf_console_put(page, "data: ");
        hf_console_put_raw(page, hf_slice_of(at, (size_t)(next - at)));
        hf_console_put(page, "\n");
        at = next + 1;
    }
    hf_console_put(page, "\n");
    page->failed = page->failed || inside.failed;
    hf_console_page_release(&inside);
}

void hf_console_write_fault(struct hf_console_view *view, const char *title, const char *sentence,
                            struct hf_console_page *page)
{
    put_head(page, title, NULL);
    hf_console_put(page, "<h1>%s</h1><p>%s</p><p><a href=\"/\">Back to the map</a></p>\n", title,
                   sentence);
    put_foot(view, page);
}
