/*
 * page_queue: /queue?kind=KIND&id=ID: a queue's disk and depth over the last day, its segments with
 * the positions of its consumers, commits, the time until it is full, and its accounting.
 */
#include <stdio.h>
#include <string.h>

#include "chart.h"
#include "look.h"
#include "pages.h"
#include "util/time/clock.h"

#define SEGMENTS_MAX 500u
#define MARKS_MAX 32u
#define TITLE_MAX 160u
#define MINUTES_OF_A_DAY 1440u

/* ---- figures ---- */

/* Bytes on disk that are added per second, less what is delivered: the growth as it is now. */
static bool growth(const struct hf_console_view *view, const struct hf_json *queue,
                   double *ret_bytes_per_second)
{
    double appended = 0, slowest = 0, rate;
    bool first = true;
    if (!hf_console_rate(view->snapshot, hf_console_items_node(queue, "appended"), &appended)) {
        return false;
    }
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers")); at != NULL;
         at = at->next) {
        if (hf_console_rate(view->snapshot, hf_console_items_node(at, "delivered"), &rate)) {
            slowest = first || rate < slowest ? rate : slowest;
            first = false;
        }
    }
    double part = appended > slowest && appended > 0 ? (appended - slowest) / appended : 0;
    *ret_bytes_per_second = part * hf_console_double(queue, "append_bytes_per_second");
    return true;
}

static void put_time_until_full(const struct hf_console_view *view, struct hf_console_page *page,
                                const struct hf_json *queue)
{
    double most = hf_console_double(queue, "disk_bytes_max");
    double used = hf_console_double(queue, "disk_bytes");
    double room = hf_console_double(queue, "free_bytes"), bytes_per_second = 0;
    if (most > 0 && most - used < room) {
        room = most > used ? most - used : 0;
    }
    if (!growth(view, queue, &bytes_per_second)) {
        hf_console_put(page, "…");
    } else if (bytes_per_second < 1) {
        hf_console_put(page, "does not grow");
    } else {
        hf_console_put_duration(page, room / bytes_per_second);
    }
}

static void put_figures(const struct hf_console_view *view, struct hf_console_page *page,
                        const struct hf_json *queue)
{
    double most = hf_console_double(queue, "disk_bytes_max");
    hf_console_put(page, "<dl class=\"figures\"><div><dt>Waiting</dt><dd>");
    hf_console_put_count(page, hf_console_waiting(queue));
    hf_console_put(page, " items</dd></div><div><dt>Stored</dt><dd>");
    hf_console_put_rate_of(view, page, hf_console_items_node(queue, "appended"));
    hf_console_put(page, "</dd></div><div><dt>On disk</dt><dd>");
    hf_console_put_bytes(page, hf_console_double(queue, "disk_bytes"));
    if (most > 0) {
        hf_console_put(page, " <small>of ");
        hf_console_put_bytes(page, most);
        hf_console_put(page, "</small>");
    }
    hf_console_put(page, "</dd></div><div><dt>Full in</dt><dd>");
    put_time_until_full(view, page, queue);
    hf_console_put(page, "</dd></div><div><dt>Free on the disk</dt><dd>");
    hf_console_put_bytes(page, hf_console_double(queue, "free_bytes"));
    hf_console_put(page, "</dd></div></dl>\n");
}

/* ---- the last day ---- */

struct day {
    struct hf_console_point points[HF_CONSOLE_HISTORY_POINTS];
    double minutes[HF_CONSOLE_HISTORY_POINTS + 1], values[HF_CONSOLE_HISTORY_POINTS + 1];
};

static void put_curve(struct hf_console_page *page, const struct day *day, size_t count,
                      uint32_t now_minute, bool is_bytes)
{
    char title[TITLE_MAX];
    struct hf_console_page max;
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = day->values[i] > most ? day->values[i] : most;
    }
    hf_console_page_init(&max, TITLE_MAX);
    hf_console_put(&max, "at most ");
    if (is_bytes) {
        hf_console_put_bytes(&max, most);
    } else {
        hf_console_put_count(&max, (uint64_t)most);
    }
    snprintf(title, sizeof(title), "%s over the last day: %.*s",
             is_bytes ? "Bytes on disk" : "Items that wait", (int)max.text.size,
             (const char *)max.text.data);
    char label[64];
    snprintf(label, sizeof(label), "%.*s", (int)max.text.size, (const char *)max.text.data);
    hf_console_page_release(&max);
    hf_console_put(page, "<figure><figcaption>%s</figcaption>",
                   is_bytes ? "On disk" : "Waiting items");
    hf_console_put_curve(page, &(struct hf_console_curve){.title = title,
                                                          .shade = is_bytes ? "second" : "first",
                                                          .x = day->minutes,
                                                          .y = day->values,
                                                          .count = count,
                                                          .x_from = now_minute - MINUTES_OF_A_DAY,
                                                          .x_to = now_minute,
                                                          .gap = 2.5,
                                                          .width = 600,
                                                          .height = 110,
                                                          .from_label = "24 h ago",
                                                          .to_label = "now",
                                                          .max_label = label});
    hf_console_put(page, "</figure>");
}

static void put_day(struct hf_console_view *view, struct hf_console_page *page,
                    const struct hf_json *queue)
{
    struct day *day = hf_arena_take(&view->arena, sizeof(*day));
    uint32_t now_minute = (uint32_t)(view->snapshot->taken_unix_ns / HF_NS_PER_S / 60);
    char name[300];
    if (day == NULL) {
        return;
    }
    snprintf(name, sizeof(name), "%s:%s", hf_console_text(view, queue, "kind"),
             hf_console_text(view, queue, "id"));
    size_t count = hf_console_history_read(view->history, name, now_minute, day->points);
    hf_console_put(page, "<section aria-labelledby=\"day\"><h2 id=\"day\">The last day</h2>"
                         "<div class=\"pair\">");
    for (int is_bytes = 0; is_bytes < 2; is_bytes++) {
        for (size_t i = 0; i < count; i++) {
            day->minutes[i] = day->points[i].minute;
            day->values[i] =
                (double)(is_bytes != 0 ? day->points[i].disk_bytes : day->points[i].items);
        }
        day->minutes[count] = (double)(view->snapshot->taken_unix_ns / HF_NS_PER_S) / 60;
        day->values[count] = is_bytes != 0 ? hf_console_double(queue, "disk_bytes")
                                           : (double)hf_console_waiting(queue);
        put_curve(page, day, count + 1, now_minute + 1, is_bytes != 0);
    }
    hf_console_put(page, "</div></section>\n");
}

/* ---- segments ---- */

struct ground {
    double bytes; /* of all segments */
    struct hf_console_part *parts, *marks;
    char (*titles)[TITLE_MAX];
    size_t count, mark_count;
};

/* Where a record stands on the line: by bytes, evenly within its segment. */
static double place_of(const struct hf_json *queue, double bytes, double position)
{
    double before = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "segments")); at != NULL;
         at = at->next) {
        double first = hf_console_double(at, "first"), end = hf_console_double(at, "end");
        double size = hf_console_double(at, "bytes");
        if (position < end && position >= first && end > first) {
            return (before + size * (position - first) / (end - first)) / bytes;
        }
        if (position < first) {
            return before / bytes;
        }
        before += size;
    }
    return 1;
}

static void find_parts(const struct hf_json *queue, struct ground *ground)
{
    double before = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "segments"));
         at != NULL && ground->count < SEGMENTS_MAX; at = at->next) {
        double size = hf_console_double(at, "bytes");
        char *title = ground->titles[ground->count];
        snprintf(title, TITLE_MAX, "records %.0f to %.0f, %.1f MiB", hf_console_double(at, "first"),
                 hf_console_double(at, "end"), size / 1048576);
        ground->parts[ground->count++] =
            (struct hf_console_part){.from = before / ground->bytes,
                                     .to = (before + size) / ground->bytes,
                                     .shade = hf_json_bool(hf_json_get(at, "broken"))    ? "bad"
                                              : hf_json_bool(hf_json_get(at, "writing")) ? "writing"
                                                                                         : "full",
                                     .title = title};
        before += size;
    }
}

static void find_marks(struct hf_console_view *view, const struct hf_json *queue,
                       struct ground *ground)
{
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers"));
         at != NULL && ground->mark_count < MARKS_MAX; at = at->next) {
        double place = place_of(queue, ground->bytes, hf_console_double(at, "position"));
        ground->marks[ground->mark_count++] = (struct hf_console_part){
            .from = place,
            .to = place,
            .shade = hf_json_bool(hf_json_get(at, "open")) ? "open" : "gone",
            .title = hf_console_text(view, at, "name")};
    }
}

static void put_segments(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *queue)
{
    struct ground ground = {0};
    char title[TITLE_MAX];
    size_t all = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "segments")); at != NULL;
         at = at->next) {
        ground.bytes += hf_console_double(at, "bytes");
        all++;
    }
    ground.parts = hf_arena_take(&view->arena, SEGMENTS_MAX * sizeof(*ground.parts));
    ground.marks = hf_arena_take(&view->arena, MARKS_MAX * sizeof(*ground.marks));
    ground.titles = hf_arena_take(&view->arena, SEGMENTS_MAX * sizeof(*ground.titles));
    if (ground.bytes <= 0 || ground.parts == NULL || ground.marks == NULL ||
        ground.titles == NULL) {
        return;
    }
    find_parts(queue, &ground);
    find_marks(view, queue, &ground);
    snprintf(title, sizeof(title), "%zu segments, oldest on the left, and where consumers stand",
             all);
    hf_console_put(page, "<section aria-labelledby=\"segments\"><h2 id=\"segments\">Segments</h2>");
    hf_console_put_line(page, title, ground.parts, ground.count, ground.marks, ground.mark_count);
    hf_console_put(page, "<p class=\"hint\">%zu %s, ", all, all == 1 ? "segment" : "segments");
    hf_console_put_bytes(page, ground.bytes);
    hf_console_put(page, ", to scale, the oldest on the left; each mark is the first record that a "
                         "consumer still needs.</p></section>\n");
}

/* ---- consumers and their accounting ---- */

static void put_consumer(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *consumer)
{
    const char *name = hf_console_text(view, consumer, "name"), *word = "not configured";
    bool is_open = hf_json_bool(hf_json_get(consumer, "open"));
    enum hf_console_level level = HF_CONSOLE_WARN;
    if (is_open) {
        level = hf_console_fares(view, "exporter", hf_slice_text(name), &word);
    }
    hf_console_put(page, "<tr><th scope=\"row\">");
    hf_console_put(page, "<a href=\"/component?kind=exporter&amp;id=");
    hf_console_put_url(page, name);
    hf_console_put(page, "\">%s</a></th><td>", name);
    hf_console_put_state(page, hf_console_level_name(level), word);
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_count(page, (uint64_t)hf_console_double(consumer, "position"));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_rate_of(view, page, hf_console_items_node(consumer, "delivered"));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_duration(page, hf_console_double(consumer, "oldest_age_seconds"));
    hf_console_put(page, "</td></tr>");
}

static uint64_t dropped(const struct hf_json *consumer)
{
    uint64_t items = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(consumer, "dropped")); at != NULL;
         at = at->next) {
        items += (uint64_t)hf_json_int(hf_json_get(at, "items"));
    }
    return items;
}

static void put_number(struct hf_console_page *page, uint64_t number)
{
    hf_console_put(page, "<td class=\"number\">");
    hf_console_put_count(page, number);
    hf_console_put(page, "</td>");
}

static void put_equation(struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_json *consumer)
{
    bool balanced = hf_json_bool(hf_json_get(consumer, "balanced"));
    hf_console_put(page, "<tr><th scope=\"row\">%s</th>", hf_console_text(view, consumer, "name"));
    put_number(page, hf_console_items(consumer, "accepted"));
    put_number(page, hf_console_items(consumer, "delivered"));
    put_number(page, hf_console_items(consumer, "queued"));
    put_number(page, hf_console_items(consumer, "dead_lettered"));
    hf_console_put(page, "<td class=\"number\">");
    hf_console_put_count(page, dropped(consumer));
    for (const struct hf_json *at = hf_json_first(hf_json_get(consumer, "dropped")); at != NULL;
         at = at->next) {
        hf_console_put(page, "<span class=\"note\">%.*s ", (int)at->key.size,
                       (const char *)at->key.data);
        hf_console_put_count(page, (uint64_t)hf_json_int(hf_json_get(at, "items")));
        hf_console_put(page, "</span>");
    }
    hf_console_put(page, "</td><td>");
    hf_console_put_state(page, balanced ? "good" : "bad",
                         balanced ? "balances" : "does not balance");
    hf_console_put(page, "</td></tr>");
}

static void put_consumers(struct hf_console_view *view, struct hf_console_page *page,
                          const struct hf_json *queue)
{
    const struct hf_json *consumers = hf_json_get(queue, "consumers");
    hf_console_put(
        page,
        "<section aria-labelledby=\"consumers\"><h2 id=\"consumers\">Consumers</h2>"
        "<div class=\"wide\" tabindex=\"0\"><table><caption>Where each stands</caption><thead><tr>"
        "<th scope=\"col\">Consumer</th><th scope=\"col\">State</th>"
        "<th scope=\"col\" class=\"number\">Position</th>"
        "<th scope=\"col\" class=\"number\">Delivers</th>"
        "<th scope=\"col\" class=\"number\">Age of its oldest</th></tr></thead>"
        "<tbody>");
    for (const struct hf_json *at = hf_json_first(consumers); at != NULL; at = at->next) {
        put_consumer(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div><div class=\"wide\" tabindex=\"0\"><table "
                         "class=\"equation\"><caption>"
                         "Accounting in items: accepted = delivered + queued + dead letters + "
                         "dropped</caption><thead><tr><th scope=\"col\">Consumer</th>"
                         "<th scope=\"col\" class=\"number\">Accepted</th>"
                         "<th scope=\"col\" class=\"number\">= Delivered</th>"
                         "<th scope=\"col\" class=\"number\">+ Queued</th>"
                         "<th scope=\"col\" class=\"number\">+ Dead letters</th>"
                         "<th scope=\"col\" class=\"number\">+ Dropped</th>"
                         "<th scope=\"col\">Sum</th></tr></thead><tbody>");
    for (const struct hf_json *at = hf_json_first(consumers); at != NULL; at = at->next) {
        put_equation(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div></section>\n");
}

/* ---- commits ---- */

#define BARS_MAX 40u

static void put_histogram(struct hf_console_page *page, const struct hf_json *histogram,
                          const char *caption, bool is_time)
{
    double values[BARS_MAX];
    char texts[BARS_MAX][32], title[TITLE_MAX];
    const char *labels[BARS_MAX];
    const struct hf_json *bound = hf_json_first(hf_json_get(histogram, "bounds"));
    size_t count = 0;
    double all = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(histogram, "counts"));
         at != NULL && count < BARS_MAX; at = at->next, count++) {
        struct hf_console_page text;
        double limit = bound == NULL                ? -1
                       : bound->kind == HF_JSON_INT ? (double)bound->integer
                                                    : bound->number;
        hf_console_page_init(&text, 200);
        if (limit < 0) {
            hf_console_put(&text, "more");
        } else if (is_time) {
            hf_console_put_duration(&text, limit);
        } else {
            hf_console_put(&text, "%.0f", limit);
        }
        snprintf(texts[count], sizeof(texts[count]), "%.*s", (int)text.text.size,
                 (const char *)text.text.data);
        hf_console_page_release(&text);
        labels[count] = texts[count];
        values[count] = (double)hf_json_int(at);
        all += values[count];
        bound = bound != NULL ? bound->next : NULL;
    }
    snprintf(title, sizeof(title), "%s: %.0f commits", caption, all);
    hf_console_put(page, "<figure><figcaption>%s</figcaption>", caption);
    hf_console_put_bars(page, &(struct hf_console_bars){title, values, labels, count});
    hf_console_put(page, "</figure>");
}

static void put_commits(struct hf_console_page *page, const struct hf_json *queue)
{
    hf_console_put(page, "<section aria-labelledby=\"commits\"><h2 id=\"commits\">Commits</h2>"
                         "<div class=\"pair\">");
    put_histogram(page, hf_json_get(queue, "commit_seconds"), "Commits by time to the disk, up to",
                  true);
    put_histogram(page, hf_json_get(queue, "commit_records"), "Commits by records in one, up to",
                  false);
    hf_console_put(page, "</div><p class=\"hint\">Commits since the start, each of them synced: ");
    hf_console_put_count(page, (uint64_t)hf_console_double(queue, "commits"));
    hf_console_put(page, ".</p></section>\n");
}

static void put_troubles(struct hf_console_page *page, const struct hf_json *queue)
{
    uint64_t damaged = (uint64_t)hf_json_int(hf_json_get(hf_json_get(queue, "damaged"), "records"));
    hf_console_put(page, "<section aria-labelledby=\"troubles\"><h2 id=\"troubles\">Refused and "
                         "damaged</h2><dl class=\"facts\">");
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "refused")); at != NULL;
         at = at->next) {
        hf_console_put(page, "<div><dt>Refused: %.*s</dt><dd>", (int)at->key.size,
                       (const char *)at->key.data);
        hf_console_put_count(page, (uint64_t)hf_json_int(at));
        hf_console_put(page, "</dd></div>");
    }
    hf_console_put(page, "<div><dt>Damaged records</dt><dd>");
    hf_console_put_count(page, damaged);
    hf_console_put(page, "</dd></div></dl></section>\n");
}

void hf_console_show_queue(struct hf_console_view *view, struct hf_console_page *page)
{
    const char *kind = hf_console_parameter_or(view->request, "kind", "queue"), *word;
    const char *id = hf_console_parameter_or(view->request, "id", "");
    const struct hf_json *queue = hf_console_find(view, "queues", kind, hf_slice_text(id));
    if (queue == NULL) {
        view->status = 404;
        hf_console_put(page, "<h1>No such queue</h1><p>There is no %s %s.</p>", kind, id);
        return;
    }
    enum hf_console_level level = hf_console_queue_fares(queue, &word);
    snprintf(view->title, sizeof(view->title), "%s %s", kind, id);
    hf_console_put(page, "<h1><span class=\"kind\">%s</span> %s ", kind, id);
    hf_console_put_state(page, hf_console_level_name(level), word);
    hf_console_put(page, "</h1>\n");
    put_figures(view, page, queue);
    hf_console_put(page, "<p><a class=\"button\" href=\"/records?queue=");
    if (strcmp(kind, "queue") != 0) {
        hf_console_put_url(page, kind);
        hf_console_put(page, "%%3A");
    }
    hf_console_put_url(page, id);
    hf_console_put(page, "\">Look at its records</a></p>\n");
    put_day(view, page, queue);
    put_segments(view, page, queue);
    put_consumers(view, page, queue);
    put_commits(page, queue);
    put_troubles(page, queue);
}

/* /queues: all of them in a table. */
static void put_row(struct hf_console_view *view, struct hf_console_page *page,
                    const struct hf_json *queue)
{
    const char *word, *kind = hf_console_text(view, queue, "kind");
    const char *id = hf_console_text(view, queue, "id");
    enum hf_console_level level = hf_console_queue_fares(queue, &word);
    hf_console_put(page, "<tr><th scope=\"row\"><a href=\"/queue?kind=");
    hf_console_put_url(page, kind);
    hf_console_put(page, "&amp;id=");
    hf_console_put_url(page, id);
    hf_console_put(page, "\">%s</a></th><td>%s</td><td>", id, kind);
    hf_console_put_state(page, hf_console_level_name(level), word);
    hf_console_put(page, "</td>");
    put_number(page, hf_console_waiting(queue));
    hf_console_put(page, "<td class=\"number\">");
    hf_console_put_rate_of(view, page, hf_console_items_node(queue, "appended"));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_bytes(page, hf_console_double(queue, "disk_bytes"));
    hf_console_put(page, "</td><td class=\"number\">");
    put_time_until_full(view, page, queue);
    hf_console_put(page, "</td></tr>");
}

void hf_console_show_queues(struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(
        page, "<h1>Queues</h1><div class=\"wide\" tabindex=\"0\"><table><caption>What is on disk"
              "</caption><thead><tr><th scope=\"col\">Queue</th><th scope=\"col\">Kind"
              "</th><th scope=\"col\">State</th>"
              "<th scope=\"col\" class=\"number\">Waiting items</th>"
              "<th scope=\"col\" class=\"number\">Stored</th>"
              "<th scope=\"col\" class=\"number\">On disk</th>"
              "<th scope=\"col\" class=\"number\">Full in</th></tr></thead><tbody>");
    for (const struct hf_json *at = hf_console_first(view, "queues"); at != NULL; at = at->next) {
        put_row(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div>\n");
}
