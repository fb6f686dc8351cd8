/*
 * page_reloads: /reloads: when the configuration was loaded, what came of it and what it changed.
 */
#include <string.h>

#include "look.h"
#include "pages.h"

static void put_result(struct hf_console_page *page, struct hf_slice result)
{
    static const char *const rows[][3] = {{"started", "good", "started with it"},
                                          {"taken", "good", "taken"},
                                          {"invalid", "bad", "invalid"},
                                          {"not_started", "bad", "could not start"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_slice_is(result, rows[i][0])) {
            hf_console_put_state(page, rows[i][1], rows[i][2]);
        }
    }
}

/* Each line by its first character, as a diff is read. */
static void put_changes(struct hf_console_page *page, struct hf_slice changes)
{
    const char *at = (const char *)changes.data, *end = at + changes.size;
    hf_console_put(page, "<pre class=\"diff\" tabindex=\"0\" aria-label=\"What it changed\">");
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next != NULL ? next : end;
        const char *shade = *at == '+'   ? "added"
                            : *at == '-' ? "removed"
                            : *at == '~' ? "changed"
                                         : "same";
        hf_console_put(page, "<span class=\"%s\">", shade);
        hf_console_escape(page, hf_slice_of(at, (size_t)(next - at)));
        hf_console_put(page, "</span>\n");
        at = next + 1;
    }
    hf_console_put(page, "</pre>");
}

static void put_reload(struct hf_console_page *page, const struct hf_json *reload)
{
    struct hf_slice error = hf_json_text_of(reload, "error");
    struct hf_slice changes = hf_json_text_of(reload, "changes");
    hf_console_put(page, "<li><h2>");
    hf_console_put_time(page, hf_console_moment(reload, "time_seconds"));
    hf_console_put(page, " ");
    put_result(page, hf_json_text_of(reload, "result"));
    hf_console_put(page, "</h2><p class=\"hint\">It took ");
    hf_console_put_duration(page, hf_console_double(reload, "duration_seconds"));
    hf_console_put(page, ".</p>");
    if (error.size != 0) {
        hf_console_put(page, "<p class=\"said\">");
        hf_console_escape(page, error);
        hf_console_put(page, "</p>");
    }
    if (changes.size != 0) {
        put_changes(page, changes);
    }
    hf_console_put(page, "</li>\n");
}

/* The newest first. */
static void put_from(struct hf_console_page *page, const struct hf_json *reload, unsigned depth)
{
    if (reload != NULL && depth < 100) {
        put_from(page, reload->next, depth + 1);
        put_reload(page, reload);
    }
}

void hf_console_show_reloads(struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(page,
                   "<h1>Reloads</h1><p class=\"hint\">The last 20 times that the configuration "
                   "was loaded, the newest first. <a href=\"/validate\">Check one before it is "
                   "loaded</a>.</p><ol class=\"reloads\">");
    put_from(page, hf_console_first(view, "reloads"), 0);
    hf_console_put(page, "</ol>\n");
}
