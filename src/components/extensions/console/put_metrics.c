/*
 * put_metrics: each metric with its points as a line, and their values.
 */
#include <stdio.h>
#include <string.h>

#include "chart.h"
#include "match.h"
#include "signals.h"
#include "walk.h"

#define METRICS_MAX 50u
#define POINTS_MAX 500u
#define SHOWN_MAX 20u

struct metrics {
    struct hf_console_item items[METRICS_MAX];
    size_t count;
};

static bool collect(void *user, const struct hf_console_item *found)
{
    struct metrics *metrics = user;
    metrics->items[metrics->count++] = *found;
    return metrics->count < METRICS_MAX;
}

static const struct hf_json *points_of(const struct hf_json *metric, const char **ret_kind)
{
    static const char *const kinds[] = {"gauge", "sum", "histogram", "exponentialHistogram",
                                        "summary"};
    const struct hf_json *points = NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && points == NULL; i++) {
        points = hf_json_get(hf_json_get(metric, kinds[i]), "dataPoints");
        *ret_kind = kinds[i];
    }
    return hf_json_first(points);
}

/* A point's value; of a histogram or summary its mean. */
static bool value_of(const struct hf_json *point, double *ret_value)
{
    double sum, count;
    if (hf_console_otlp_number(hf_json_get(point, "asDouble"), ret_value) ||
        hf_console_otlp_number(hf_json_get(point, "asInt"), ret_value)) {
        return true;
    }
    if (hf_console_otlp_number(hf_json_get(point, "sum"), &sum) &&
        hf_console_otlp_number(hf_json_get(point, "count"), &count) && count > 0) {
        *ret_value = sum / count;
        return true;
    }
    return false;
}

static void put_attributes(struct hf_console_page *page, const struct hf_json *attributes)
{
    char text[200];
    for (const struct hf_json *at = hf_json_first(attributes); at != NULL; at = at->next) {
        hf_console_value_text(hf_json_get(at, "value"), text, sizeof(text));
        hf_console_put(page, "<span class=\"label\">");
        hf_console_escape(page, hf_json_text_of(at, "key"));
        hf_console_put(page, "=%s</span> ", text);
    }
}

static void put_values(struct hf_console_page *page, const struct hf_json *point)
{
    hf_console_put(page,
                   "<div class=\"wide\" tabindex=\"0\"><table><caption>Points</caption><thead><tr>"
                   "<th scope=\"col\">Time</th><th scope=\"col\">Attributes</th>"
                   "<th scope=\"col\" class=\"number\">Value</th></tr></thead><tbody>");
    for (size_t i = 0; point != NULL && i < SHOWN_MAX; point = point->next, i++) {
        double value = 0;
        hf_console_put(page, "<tr><td>");
        hf_console_put_time(page, hf_console_nanoseconds(point, "timeUnixNano"));
        hf_console_put(page, "</td><td>");
        put_attributes(page, hf_json_get(point, "attributes"));
        hf_console_put(page, "</td><td class=\"number\">");
        if (value_of(point, &value)) {
            hf_console_put(page, "%.3f", value);
        } else {
            hf_console_put(page, "–");
        }
        hf_console_put(page, "</td></tr>");
    }
    hf_console_put(page, "</tbody></table></div>");
}

struct line {
    double x[POINTS_MAX], y[POINTS_MAX];
};

static void put_line(struct hf_console_view *view, struct hf_console_page *page,
                     const struct hf_json *point)
{
    struct line *line = hf_arena_take(&view->arena, sizeof(*line));
    size_t count = 0;
    double value = 0, most = 0;
    for (; line != NULL && point != NULL && count < POINTS_MAX; point = point->next) {
        if (value_of(point, &value)) {
            line->x[count] = (double)hf_console_nanoseconds(point, "timeUnixNano") / 1e9;
            line->y[count] = value > 0 ? value : 0;
            most = value > most ? value : most;
            count++;
        }
    }
    if (count < 2 || line->x[count - 1] <= line->x[0]) {
        return;
    }
    char title[100], label[60];
    snprintf(title, sizeof(title), "%zu points, at most %.3f", count, most);
    snprintf(label, sizeof(label), "at most %.3f", most);
    hf_console_put_curve(page, &(struct hf_console_curve){.title = title,
                                                          .shade = "first",
                                                          .x = line->x,
                                                          .y = line->y,
                                                          .count = count,
                                                          .x_from = line->x[0],
                                                          .x_to = line->x[count - 1],
                                                          .width = 600,
                                                          .height = 110,
                                                          .from_label = "first",
                                                          .to_label = "last",
                                                          .max_label = label});
}

static void put_metric(struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_console_item *metric)
{
    const char *kind = "";
    struct hf_slice unit = hf_json_text_of(metric->item, "unit");
    const struct hf_json *points = points_of(metric->item, &kind);
    hf_console_put(page, "<figure><figcaption><b>");
    hf_console_escape(page, hf_json_text_of(metric->item, "name"));
    hf_console_put(page, "</b> %s of %.*s %.*s</figcaption>", kind, (int)metric->service.size,
                   (const char *)metric->service.data, (int)unit.size, (const char *)unit.data);
    put_line(view, page, points);
    put_values(page, points);
    hf_console_put(page, "</figure>\n");
}

void hf_console_put_metrics(struct hf_console_view *view, struct hf_console_page *page,
                            const struct hf_console_records *records)
{
    struct metrics metrics = {.count = 0};
    for (size_t i = 0; i < records->count && metrics.count < METRICS_MAX; i++) {
        hf_console_walk(records->trees[i], "metrics", collect, &metrics);
    }
    for (size_t i = 0; i < metrics.count; i++) {
        put_metric(view, page, &metrics.items[i]);
    }
    if (metrics.count == METRICS_MAX) {
        hf_console_put(page, "<p class=\"hint\">The first %u metrics are shown.</p>", METRICS_MAX);
    }
}
