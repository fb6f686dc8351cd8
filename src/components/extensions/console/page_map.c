/*
 * page_map: the first page: what needs attention, the figures of the whole, and every pipeline as a
 * row from its receivers to its exporters, the worst first.
 */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "pages.h"

#define PIPELINES_MAX 1000u

/* ---- what needs attention ---- */

static void put_matter(const struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_console_matter *matter)
{
    const char *level = hf_console_level_name(matter->level);
    hf_console_put(page, "<li class=\"%s\"><span class=\"state %s\">%s</span> <a href=\"%s", level,
                   level, matter->level == HF_CONSOLE_BAD ? "failing" : "warning", matter->path);
    if (matter->kind != NULL) {
        hf_console_put(page, "?kind=");
        hf_console_put_url(page, matter->kind);
        hf_console_put(page, "&amp;id=");
        hf_console_put_url(page, (const char *)matter->id.data);
    }
    hf_console_put(page, "\">%s %s</a> ", matter->what, (const char *)matter->id.data);
    matter->put(view, page, matter);
    hf_console_put(page, "</li>\n");
}

static void put_matters(const struct hf_console_view *view, struct hf_console_page *page)
{
    struct hf_console_matter matters[HF_CONSOLE_MATTERS_MAX];
    size_t all = 0;
    size_t count = hf_console_matters(view, matters, &all);
    const char *level = hf_console_level_name(count != 0 ? matters[0].level : HF_CONSOLE_GOOD);
    hf_console_put(page, "<section class=\"headline %s\" aria-labelledby=\"headline\">", level);
    if (count == 0) {
        hf_console_put(page, "<h1 id=\"headline\">All is well</h1>");
    } else {
        hf_console_put(page, "<h1 id=\"headline\">%zu %s attention</h1><ul class=\"matters\">", all,
                       all == 1 ? "thing needs" : "things need");
        for (size_t i = 0; i < count; i++) {
            put_matter(view, page, &matters[i]);
        }
        hf_console_put(page, "</ul>");
    }
    hf_console_put(page, "</section>\n");
}

/* ---- the figures of the whole ---- */

struct totals {
    double accepted, delivered;
    bool is_known;
    uint64_t waiting, disk_bytes, letters;
    double oldest_s;
};

static void add_rates(const struct hf_console_view *view, const struct hf_json *map,
                      struct totals *totals)
{
    double rate;
    for (const struct hf_json *at = hf_json_first(map); at != NULL; at = at->next) {
        if (hf_console_rate(view->snapshot, at, &rate)) {
            totals->accepted += rate;
            totals->is_known = true;
        }
    }
}

static void add_consumers(const struct hf_console_view *view, const struct hf_json *queue,
                          struct totals *totals)
{
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers")); at != NULL;
         at = at->next) {
        double rate = 0, age_s = hf_console_double(at, "oldest_age_seconds");
        if (hf_console_rate(view->snapshot, hf_console_items_node(at, "delivered"), &rate)) {
            totals->delivered += rate;
        }
        totals->oldest_s = age_s > totals->oldest_s ? age_s : totals->oldest_s;
    }
}

static struct totals total(const struct hf_console_view *view)
{
    struct totals totals = {0};
    for (const struct hf_json *at = hf_console_first(view, "components"); at != NULL;
         at = at->next) {
        add_rates(view, hf_json_get(hf_json_get(at, "flow"), "accepted"), &totals);
    }
    for (const struct hf_json *at = hf_console_first(view, "queues"); at != NULL; at = at->next) {
        totals.disk_bytes += (uint64_t)hf_console_double(at, "disk_bytes");
        if (hf_slice_is(hf_json_text_of(at, "kind"), "queue")) {
            totals.waiting += hf_console_waiting(at);
            add_consumers(view, at, &totals);
        }
    }
    for (const struct hf_json *at = hf_console_first(view, "exporters"); at != NULL;
         at = at->next) {
        totals.letters += hf_console_items(at, "dead_letters");
    }
    return totals;
}

static void put_figures(const struct hf_console_view *view, struct hf_console_page *page)
{
    struct totals totals = total(view);
    hf_console_put(page, "<dl class=\"figures\"><div><dt>Accepted</dt><dd>");
    if (totals.is_known) {
        hf_console_put_rate(page, totals.accepted);
        hf_console_put(page, "</dd></div><div><dt>Delivered</dt><dd>");
        hf_console_put_rate(page, totals.delivered);
    } else {
        hf_console_put(page, "…</dd></div><div><dt>Delivered</dt><dd>…");
    }
    hf_console_put(page, "</dd></div><div><dt>Waiting</dt><dd>");
    hf_console_put_count(page, totals.waiting);
    hf_console_put(page, " items</dd></div><div><dt>Oldest</dt><dd>");
    if (totals.oldest_s > 0) {
        hf_console_put_duration(page, totals.oldest_s);
    } else {
        hf_console_put(page, "–");
    }
    hf_console_put(page, "</dd></div><div><dt>On disk</dt><dd>");
    hf_console_put_bytes(page, (double)totals.disk_bytes);
    hf_console_put(page, "</dd></div><div><dt>Dead letters</dt><dd><a href=\"/letters\">");
    hf_console_put_count(page, totals.letters);
    hf_console_put(page, "</a></dd></div></dl>\n");
}

/* ---- the map ---- */

static void begin_node(struct hf_console_page *page, enum hf_console_level level, const char *path,
                       const char *kind, const char *id)
{
    hf_console_put(page, "<li class=\"node %s\"><a href=\"%s?kind=", hf_console_level_name(level),
                   path);
    hf_console_put_url(page, kind);
    hf_console_put(page, "&amp;id=");
    hf_console_put_url(page, id);
    hf_console_put(page, "\">%s</a> ", id);
}

static void put_sum_of_rates(const struct hf_console_view *view, struct hf_console_page *page,
                             const struct hf_json *map, struct hf_slice signal)
{
    for (const struct hf_json *at = hf_json_first(map); at != NULL; at = at->next) {
        if (hf_slice_equal(at->key, signal)) {
            hf_console_put(page, "<span class=\"rate\">");
            hf_console_put_rate_of(view, page, at);
            hf_console_put(page, "</span>");
        }
    }
}

/* A receiver, processor or connector of the pipeline. */
static void put_component(struct hf_console_view *view, struct hf_console_page *page,
                          const struct hf_json *named, struct hf_slice signal)
{
    const char *word;
    const char *kind = hf_console_text(view, named, "kind");
    const char *id = hf_console_text(view, named, "id");
    enum hf_console_level level = hf_console_fares(view, kind, hf_slice_text(id), &word);
    const struct hf_json *component = hf_console_find(view, "components", kind, hf_slice_text(id));
    begin_node(page, level, "/component", kind, id);
    if (level != HF_CONSOLE_GOOD) {
        hf_console_put_state(page, hf_console_level_name(level), word);
    }
    if (strcmp(kind, "receiver") == 0) {
        put_sum_of_rates(view, page, hf_json_get(hf_json_get(component, "flow"), "accepted"),
                         signal);
    } else if (strcmp(kind, "processor") != 0) {
        hf_console_put(page, "<span class=\"note\">%s</span>", kind);
    }
    hf_console_put(page, "</li>");
}

static void put_drops(struct hf_console_page *page, const struct hf_json *consumer)
{
    for (const struct hf_json *at = hf_json_first(hf_json_get(consumer, "dropped")); at != NULL;
         at = at->next) {
        int64_t items = hf_json_int(hf_json_get(at, "items"));
        if (items != 0) {
            hf_console_put(page, "<span class=\"note\">dropped ");
            hf_console_put_count(page, (uint64_t)items);
            hf_console_put(page, ": %.*s</span>", (int)at->key.size, (const char *)at->key.data);
        }
    }
}

static void put_exporter(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *named, const struct hf_json *queue)
{
    const char *word;
    const char *id = hf_console_text(view, named, "id");
    struct hf_slice name = hf_slice_text(id);
    const struct hf_json *consumer = hf_console_consumer(queue, name);
    const struct hf_json *exporter = hf_console_find(view, "exporters", NULL, name);
    enum hf_console_level level = hf_console_fares(view, "exporter", name, &word);
    begin_node(page, level, "/component", "exporter", id);
    hf_console_put_state(page, hf_console_level_name(level), word);
    hf_console_put(page, "<span class=\"rate\">");
    hf_console_put_rate_of(view, page, hf_console_items_node(consumer, "delivered"));
    hf_console_put(page, "</span>");
    if (hf_console_items(consumer, "queued") != 0) {
        hf_console_put(page, "<span class=\"note\">");
        hf_console_put_count(page, hf_console_items(consumer, "queued"));
        hf_console_put(page, " behind, oldest ");
        hf_console_put_duration(page, hf_console_double(consumer, "oldest_age_seconds"));
        hf_console_put(page, "</span>");
    }
    put_drops(page, consumer);
    if (level == HF_CONSOLE_BAD) {
        hf_console_put(page, "<span class=\"note error\">");
        hf_console_put_error(page, hf_json_get(exporter, "last_error"));
        hf_console_put(page, "</span>");
    }
    hf_console_put(page, "</li>");
}

static void put_queue(struct hf_console_view *view, struct hf_console_page *page,
                      const struct hf_json *queue)
{
    const char *word;
    const char *id = hf_console_text(view, queue, "id");
    enum hf_console_level level = hf_console_queue_fares(queue, &word);
    double used = hf_console_double(queue, "disk_bytes");
    double most = hf_console_double(queue, "disk_bytes_max");
    double part = most > 0 && used < most ? used / most : most > 0 ? 1 : 0;
    begin_node(page, level, "/queue", "queue", id);
    if (level != HF_CONSOLE_GOOD) {
        hf_console_put_state(page, hf_console_level_name(level), word);
    }
    hf_console_put(page, "<span class=\"rate\">");
    hf_console_put_count(page, hf_console_waiting(queue));
    hf_console_put(page, " waiting</span><span class=\"note\">");
    hf_console_put_bytes(page, used);
    if (most > 0) {
        hf_console_put(page, " of ");
        hf_console_put_bytes(page, most);
    }
    hf_console_put(page, "</span>");
    if (most > 0) {
        hf_console_put(page,
                       "<svg class=\"fill %s\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" "
                       "aria-hidden=\"true\"><rect class=\"ground\" width=\"100\" height=\"4\"/>"
                       "<rect class=\"part\" width=\"%.2f\" height=\"4\"/></svg>",
                       hf_console_level_name(level), part * 100);
    }
    hf_console_put(page, "</li>");
}

static enum hf_console_level worse(enum hf_console_level one, enum hf_console_level other)
{
    return one > other ? one : other;
}

static enum hf_console_level worst_of(const struct hf_console_view *view,
                                      const struct hf_json *list)
{
    enum hf_console_level level = HF_CONSOLE_GOOD;
    const char *word;
    for (const struct hf_json *at = hf_json_first(list); at != NULL; at = at->next) {
        struct hf_slice kind = hf_json_text_of(at, "kind");
        if (kind.size != 0) {
            level = worse(level, hf_console_fares(view, (const char *)kind.data,
                                                  hf_json_text_of(at, "id"), &word));
        }
    }
    return level;
}

static enum hf_console_level pipeline_fares(const struct hf_console_view *view,
                                            const struct hf_json *pipeline,
                                            const struct hf_json *queue)
{
    const char *word;
    enum hf_console_level level =
        queue != NULL ? hf_console_queue_fares(queue, &word) : HF_CONSOLE_GOOD;
    level = worse(level, worst_of(view, hf_json_get(pipeline, "from")));
    return worse(level, worst_of(view, hf_json_get(pipeline, "behind")));
}

static void put_cell(struct hf_console_view *view, struct hf_console_page *page,
                     const struct hf_json *list, struct hf_slice signal, const char *name)
{
    hf_console_put(page, "<td data-name=\"%s\"><ul class=\"nodes\">", name);
    for (const struct hf_json *at = hf_json_first(list); at != NULL; at = at->next) {
        put_component(view, page, at, signal);
    }
    hf_console_put(page, "</ul></td>");
}

static void put_pipeline(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *pipeline, enum hf_console_level level)
{
    struct hf_slice id = hf_json_text_of(pipeline, "id");
    struct hf_slice signal = hf_json_text_of(pipeline, "signal");
    const struct hf_json *queue =
        hf_console_find(view, "queues", "queue", hf_json_text_of(pipeline, "queue"));
    hf_console_put(page, "<tr class=\"%s\"><th scope=\"row\">%.*s", hf_console_level_name(level),
                   (int)id.size, (const char *)id.data);
    if (!hf_slice_equal(id, signal)) {
        hf_console_put(page, "<span class=\"note\">%.*s</span>", (int)signal.size,
                       (const char *)signal.data);
    }
    hf_console_put(page, "</th>");
    put_cell(view, page, hf_json_get(pipeline, "from"), signal, "Receivers");
    put_cell(view, page, hf_json_get(pipeline, "processors"), signal, "Processors");
    hf_console_put(page, "<td data-name=\"Queue\"><ul class=\"nodes\">");
    if (queue != NULL) {
        put_queue(view, page, queue);
    }
    hf_console_put(page, "</ul></td><td data-name=\"Exporters\"><ul class=\"nodes\">");
    for (const struct hf_json *at = hf_json_first(hf_json_get(pipeline, "behind")); at != NULL;
         at = at->next) {
        if (hf_slice_is(hf_json_text_of(at, "kind"), "exporter")) {
            put_exporter(view, page, at, queue);
        } else {
            put_component(view, page, at, signal);
        }
    }
    hf_console_put(page, "</ul></td></tr>\n");
}

static void put_pipelines_of(struct hf_console_view *view, struct hf_console_page *page,
                             enum hf_console_level level)
{
    size_t count = 0;
    for (const struct hf_json *at = hf_console_first(view, "pipelines");
         at != NULL && count < PIPELINES_MAX; at = at->next, count++) {
        const struct hf_json *queue =
            hf_console_find(view, "queues", "queue", hf_json_text_of(at, "queue"));
        if (pipeline_fares(view, at, queue) == level) {
            put_pipeline(view, page, at, level);
        }
    }
}

static void put_extensions(struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(page, "<section aria-labelledby=\"extensions\"><h2 id=\"extensions\">Extensions"
                         "</h2><ul class=\"nodes row\">");
    for (const struct hf_json *at = hf_console_first(view, "components"); at != NULL;
         at = at->next) {
        if (hf_slice_is(hf_json_text_of(at, "kind"), "extension")) {
            begin_node(page, HF_CONSOLE_GOOD, "/component", "extension",
                       hf_console_text(view, at, "id"));
            hf_console_put(page, "</li>");
        }
    }
    hf_console_put(page, "</ul></section>\n");
}

void hf_console_show_map(struct hf_console_view *view, struct hf_console_page *page)
{
    put_matters(view, page);
    put_figures(view, page);
    hf_console_put(page,
                   "<table class=\"map\"><caption>Pipelines, the worst first</caption><thead><tr>"
                   "<th scope=\"col\">Pipeline</th><th scope=\"col\">Receivers</th>"
                   "<th scope=\"col\">Processors</th><th scope=\"col\">Queue</th>"
                   "<th scope=\"col\">Exporters</th></tr></thead><tbody>\n");
    put_pipelines_of(view, page, HF_CONSOLE_BAD);
    put_pipelines_of(view, page, HF_CONSOLE_WARN);
    put_pipelines_of(view, page, HF_CONSOLE_GOOD);
    hf_console_put(page, "</tbody></table>\n");
    put_extensions(view, page);
}
