/*
 * page_component: /component?kind=KIND&id=ID: a component's state, where it is configured and how,
 * its counters with their rates, and its last log lines.
 */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "outline.h"
#include "pages.h"

#define LINES_MAX 100u

static void put_facts(struct hf_console_view *view, struct hf_console_page *page,
                      const struct hf_json *component)
{
    int64_t line = hf_json_int(hf_json_get(component, "line"));
    hf_console_put(page, "<dl class=\"facts\"><div><dt>Type</dt><dd>%s</dd></div>",
                   hf_console_text(view, component, "type"));
    hf_console_put(page, "<div><dt>What it does</dt><dd>%s</dd></div>",
                   hf_console_text(view, component, "help"));
    hf_console_put(page, "<div><dt>Configured in</dt><dd><code>%s",
                   hf_console_text(view, component, "file"));
    if (line > 0) {
        hf_console_put(page, ":%ld", (long)line);
    }
    hf_console_put(page, "</code></dd></div><div><dt>Pipelines</dt><dd>");
    const struct hf_json *at = hf_json_first(hf_json_get(component, "pipelines"));
    for (; at != NULL; at = at->next) {
        struct hf_slice id = hf_json_text(at);
        hf_console_escape(page, id);
        if (at->next != NULL) {
            hf_console_put(page, ", ");
        }
    }
    hf_console_put(page, "</dd></div></dl>\n");
}

static void put_amount(struct hf_console_page *page, const char *name,
                       const struct hf_json *exporter, const char *amount)
{
    hf_console_put(page, "<div><dt>%s</dt><dd>", name);
    hf_console_put_count(page, hf_console_items(exporter, amount));
    hf_console_put(page, " items</dd></div>");
}

static void put_error(const struct hf_console_view *view, struct hf_console_page *page,
                      const char *name, const char *what_follows, const struct hf_json *error)
{
    struct hf_slice message = hf_json_text_of(error, "message");
    int64_t code = hf_json_int(hf_json_get(error, "code"));
    if (error == NULL || error->kind != HF_JSON_MAP) {
        return;
    }
    hf_console_put(page, "<div><dt>%s</dt><dd><span class=\"said\">", name);
    hf_console_escape(page, message);
    hf_console_put(page, "</span> (%s", what_follows);
    if (code != 0) {
        hf_console_put(page, ", code %ld", (long)code);
    }
    hf_console_put(page, ", ");
    hf_console_put_ago(view, page, hf_console_moment(error, "time_seconds"));
    hf_console_put(page, ")</dd></div>");
}

static void put_exporter(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *exporter)
{
    uint64_t next_ns = hf_console_moment(exporter, "next_attempt_seconds");
    hf_console_put(page, "<section aria-labelledby=\"delivery\"><h2 id=\"delivery\">Delivery</h2>"
                         "<dl class=\"facts\">");
    put_amount(page, "Waiting", exporter, "queued");
    put_amount(page, "To be sent again", exporter, "requeued");
    put_amount(page, "Dead letters", exporter, "dead_letters");
    hf_console_put(page, "<div><dt>Requests in flight</dt><dd>%ld of %ld</dd></div>",
                   (long)hf_json_int(hf_json_get(exporter, "in_flight")),
                   (long)hf_json_int(hf_json_get(exporter, "in_flight_max")));
    put_error(view, page, "Last error", "is tried again", hf_json_get(exporter, "last_error"));
    put_error(view, page, "Last refusal", "refused for good",
              hf_json_get(exporter, "last_refusal"));
    if (next_ns > view->snapshot->taken_unix_ns) {
        hf_console_put(page, "<div><dt>Next attempt</dt><dd>in ");
        hf_console_put_duration(page, (double)(next_ns - view->snapshot->taken_unix_ns) / 1e9);
        hf_console_put(page, "</dd></div>");
    }
    hf_console_put(page, "</dl><p>");
    hf_console_put_link(page, "/letters/of", "exporter", hf_console_text(view, exporter, "id"),
                        "Its dead letters");
    hf_console_put(page, "</p></section>\n");
}

static void put_labels(struct hf_console_page *page, const struct hf_json *labels)
{
    for (const struct hf_json *at = hf_json_first(labels); at != NULL; at = at->next) {
        struct hf_slice value = hf_json_text(at);
        hf_console_put(page, " <span class=\"label\">%.*s=%.*s</span>", (int)at->key.size,
                       (const char *)at->key.data, (int)value.size, (const char *)value.data);
    }
}

static void put_counter(const struct hf_console_view *view, struct hf_console_page *page,
                        const struct hf_json *counter)
{
    struct hf_slice name = hf_json_text_of(counter, "name");
    const struct hf_json *value = hf_json_get(counter, "value");
    hf_console_put(page, "<tr><th scope=\"row\"><code>%.*s</code>", (int)name.size,
                   (const char *)name.data);
    put_labels(page, hf_json_get(counter, "labels"));
    hf_console_put(page, "</th><td class=\"number\">");
    if (value != NULL && value->kind == HF_JSON_INT && value->integer >= 0) {
        hf_console_put_count(page, (uint64_t)value->integer);
    } else {
        hf_console_put(page, "%.3f", hf_console_double(counter, "value"));
    }
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_rate_of(view, page, value);
    hf_console_put(page, "</td></tr>");
}

static bool is_zero(const struct hf_json *counter)
{
    return hf_console_double(counter, "value") == 0;
}

static size_t count(const struct hf_json *first, bool are_zeros)
{
    size_t found = 0;
    for (const struct hf_json *at = first; at != NULL; at = at->next) {
        found += is_zero(at) == are_zeros ? 1 : 0;
    }
    return found;
}

/* Those that are 0, or those that are not. */
static void put_table(const struct hf_console_view *view, struct hf_console_page *page,
                      const struct hf_json *first, bool are_zeros)
{
    hf_console_put(
        page,
        "<div class=\"wide\" tabindex=\"0\"><table><caption>Its own metrics, as they are scraped"
        "</caption><thead><tr><th scope=\"col\">Name</th>"
        "<th scope=\"col\" class=\"number\">Value</th>"
        "<th scope=\"col\" class=\"number\">Rate</th></tr></thead><tbody>");
    for (const struct hf_json *at = first; at != NULL; at = at->next) {
        if (is_zero(at) == are_zeros) {
            put_counter(view, page, at);
        }
    }
    hf_console_put(page, "</tbody></table></div>");
}

static void put_counters(const struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *component)
{
    const struct hf_json *first = hf_json_first(hf_json_get(component, "counters"));
    size_t zeros = count(first, true);
    hf_console_put(page, "<section aria-labelledby=\"counters\"><h2 id=\"counters\">Counters</h2>");
    if (first == NULL) {
        hf_console_put(page, "<p>It has none.</p>");
    }
    if (count(first, false) != 0) {
        put_table(view, page, first, false);
    }
    if (zeros != 0) {
        hf_console_put(page, "<details><summary id=\"zeros\">%zu that are 0</summary>", zeros);
        put_table(view, page, first, true);
        hf_console_put(page, "</details>");
    }
    hf_console_put(page, "</section>\n");
}

/* The section of the configuration that a kind stands in. */
static const struct hf_json *config_of(const struct hf_console_view *view, const char *kind,
                                       struct hf_slice id)
{
    const struct hf_console_snapshot *config = view->snapshot->config;
    char section[32];
    snprintf(section, sizeof(section), "%.20ss", kind);
    const struct hf_json *at =
        config != NULL ? hf_json_first(hf_json_get(config->root, section)) : NULL;
    while (at != NULL && !hf_slice_equal(at->key, id)) {
        at = at->next;
    }
    return at;
}

static void put_config(const struct hf_console_view *view, struct hf_console_page *page,
                       const char *kind, struct hf_slice id)
{
    const struct hf_json *config = config_of(view, kind, id);
    hf_console_put(page,
                   "<section aria-labelledby=\"config\"><h2 id=\"config\">Configuration</h2>");
    if (config == NULL) {
        hf_console_put(page, "<p>It is not known.</p>");
    } else if (hf_json_first(config) == NULL) {
        hf_console_put(page, "<p>Nothing but the defaults.</p>");
    } else {
        hf_console_put(page, "<pre tabindex=\"0\" aria-label=\"Configuration\">");
        hf_console_put_outline(page, config);
        hf_console_put(page, "</pre>");
    }
    hf_console_put(page, "</section>\n");
}

static void put_line(struct hf_console_page *page, const struct hf_json *line)
{
    struct hf_slice level = hf_json_text_of(line, "level");
    hf_console_put(page, "<li class=\"%.*s\">", (int)level.size, (const char *)level.data);
    hf_console_put_time(page, hf_console_moment(line, "time_seconds"));
    hf_console_put(page, " <b>%.*s</b> ", (int)level.size, (const char *)level.data);
    hf_console_escape(page, hf_json_text_of(line, "message"));
    for (const struct hf_json *at = hf_json_first(hf_json_get(line, "fields")); at != NULL;
         at = at->next) {
        hf_console_put(page, " <span class=\"key\">%.*s</span>=", (int)at->key.size,
                       (const char *)at->key.data);
        hf_console_put_outline(page, at);
    }
    hf_console_put(page, "</li>");
}

/* The log names a component by its id alone; two kinds may share one. */
static void put_log(const struct hf_console_view *view, struct hf_console_page *page,
                    struct hf_slice id)
{
    const struct hf_console_snapshot *log = view->snapshot->log;
    const struct hf_json *at = log != NULL ? hf_json_first(hf_json_get(log->root, "lines")) : NULL;
    size_t count = 0;
    hf_console_put(page, "<section aria-labelledby=\"log\"><h2 id=\"log\">Last log lines</h2>");
    for (; at != NULL && count < LINES_MAX; at = at->next) {
        if (hf_slice_equal(hf_json_text_of(at, "component"), id)) {
            if (count++ == 0) {
                hf_console_put(page, "<ol class=\"log\">");
            }
            put_line(page, at);
        }
    }
    if (count != 0) {
        hf_console_put(page, "</ol>");
    } else {
        hf_console_put(page, "<p>None is kept.</p>");
    }
    hf_console_put(page, "</section>\n");
}

void hf_console_show_component(struct hf_console_view *view, struct hf_console_page *page)
{
    const char *kind = hf_console_parameter_or(view->request, "kind", "");
    const char *id = hf_console_parameter_or(view->request, "id", "");
    const struct hf_json *component = hf_console_find(view, "components", kind, hf_slice_text(id));
    const char *word;
    if (component == NULL) {
        view->status = 404;
        hf_console_put(page,
                       "<h1>No such component</h1><p>There is no %s %s in the configuration "
                       "that runs.</p>",
                       kind[0] != '\0' ? kind : "component", id);
        return;
    }
    enum hf_console_level level = hf_console_fares(view, kind, hf_slice_text(id), &word);
    snprintf(view->title, sizeof(view->title), "%s %s", kind, id);
    hf_console_put(page, "<h1><span class=\"kind\">%s</span> %s ", kind, id);
    hf_console_put_state(page, hf_console_level_name(level), word);
    hf_console_put(page, "</h1>\n");
    put_facts(view, page, component);
    const struct hf_json *exporter = hf_console_find(view, "exporters", NULL, hf_slice_text(id));
    if (strcmp(kind, "exporter") == 0 && exporter != NULL) {
        put_exporter(view, page, exporter);
    }
    put_config(view, page, kind, hf_slice_text(id));
    put_log(view, page, hf_slice_text(id));
    put_counters(view, page, component);
}
