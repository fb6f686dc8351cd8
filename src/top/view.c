#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "numbers.h"

#define SPARKLINE_MAX HF_TOP_VALUES
#define NAME_WIDTH 16u

enum shape { NAME, WORD, COUNT, BYTES, TIME, SHARE, SPARKLINE };

struct column {
    const char *title;
    enum shape shape;
    size_t width;
    size_t offset; /* of the number in a row; of SHARE: not used */
};

#define AT(member) offsetof(struct hf_top_row, member)

static const struct column pipeline_columns[] = {
    {"PIPELINE", NAME, NAME_WIDTH, 0},
    {"IN/S", COUNT, 6, AT(in_per_s)},
    {"HISTORY", SPARKLINE, 14, 0},
    {"QUEUED", COUNT, 7, AT(queued_items)},
    {"DISK", BYTES, 7, AT(disk_bytes)},
    {"OLDEST", TIME, 7, AT(oldest_s)},
    {"OUT/S", COUNT, 6, AT(out_per_s)},
    {"STATE", WORD, 9, 0},
    {NULL, NAME, 0, 0},
};
static const struct column queue_columns[] = {
    {"QUEUE", NAME, NAME_WIDTH, 0},         {"IN/S", COUNT, 6, AT(in_per_s)},
    {"HISTORY", SPARKLINE, 10, 0},          {"RECORDS", COUNT, 8, AT(queued_records)},
    {"DISK", BYTES, 7, AT(disk_bytes)},     {"USED", SHARE, 5, 0},
    {"SEGM", COUNT, 5, AT(segments)},       {"COMMIT", TIME, 7, AT(commit_s)},
    {"FULL IN", TIME, 8, AT(until_full_s)}, {NULL, NAME, 0, 0},
};
static const struct column exporter_columns[] = {
    {"EXPORTER", NAME, NAME_WIDTH, 0},
    {"STATE", WORD, 9, 0},
    {"SENT/S", COUNT, 7, AT(out_per_s)},
    {"HISTORY", SPARKLINE, 10, 0},
    {"QUEUED", COUNT, 7, AT(queued_items)},
    {"OLDEST", TIME, 7, AT(oldest_s)},
    {"DEAD", COUNT, 6, AT(dead_items)},
    {"FLIGHT", COUNT, 7, AT(in_flight)},
    {NULL, NAME, 0, 0},
};

static const struct column *const columns[HF_TOP_PART_COUNT] = {pipeline_columns, queue_columns,
                                                                exporter_columns};
static const char *const part_names[HF_TOP_PART_COUNT] = {"Pipelines", "Queues", "Exporters"};

size_t hf_view_column_count(enum hf_top_part part)
{
    size_t count = 0;
    while (columns[part][count].title != NULL) {
        count++;
    }
    return count;
}

/* ---- order ---- */

static double share_of(const struct hf_top_row *row)
{
    return row->disk_max_bytes > 0 ? row->disk_bytes / row->disk_max_bytes : -1;
}

static double number_of(const struct column *column, const struct hf_top_row *row)
{
    double number;
    switch (column->shape) {
    case SHARE:
        return share_of(row);
    case SPARKLINE:
        return row->rate != NULL && row->rate->count > 0 ? row->rate->values[row->rate->count - 1]
                                                         : -1;
    default:
        memcpy(&number, (const char *)row + column->offset, sizeof(number));
        return number;
    }
}

struct order {
    const struct column *column;
    bool is_reversed;
};

/* Words go up, numbers go down: the largest is looked for. */
static int compare(const void *a, const void *b, void *user)
{
    const struct order *order = user;
    const struct hf_top_row *one = a, *other = b;
    int result = 0;
    if (order->column->shape == WORD) {
        result = strcmp(other->state, one->state); /* "working" last */
        result = one->is_bad != other->is_bad ? (one->is_bad ? -1 : 1) : result;
    } else if (order->column->shape != NAME) {
        double first = number_of(order->column, one), second = number_of(order->column, other);
        result = first > second ? -1 : (first < second ? 1 : 0);
    }
    result = result == 0 ? strcmp(one->name, other->name) : result;
    return order->is_reversed ? -result : result;
}

/* ---- cells ---- */

static void put_cell(const struct hf_view *view, const struct hf_page *page,
                     struct hf_page_line *line, const struct column *column, size_t width,
                     const struct hf_top_row *row)
{
    char text[SPARKLINE_MAX * 4 + HF_NUMBER_MAX];
    switch (column->shape) {
    case NAME:
        hf_page_cell(page, line, row->name, width, false);
        return;
    case WORD:
        hf_page_cell(page, line, row->state, width, false);
        return;
    case SPARKLINE:
        hf_number_sparkline(row->rate, width, view->is_ascii, text);
        hf_page_cell(page, line, text, width, true);
        return;
    case COUNT:
        hf_number_count(number_of(column, row), text);
        break;
    case BYTES:
        hf_number_bytes(number_of(column, row), text);
        break;
    case TIME:
        hf_number_duration(number_of(column, row), text);
        break;
    case SHARE:
        snprintf(text, sizeof(text), share_of(row) < 0 ? "-" : "%.0f%%", share_of(row) * 100);
        break;
    }
    hf_page_cell(page, line, text, width, true);
}

/* What a wider terminal has more goes to the name, then to the sparkline. */
static size_t width_of(const struct hf_page *page, const struct column *all,
                       const struct column *column)
{
    size_t used = 0;
    for (const struct column *each = all; each->title != NULL; each++) {
        used += each->width + 1;
    }
    size_t spare = page->width + 1 > used ? page->width + 1 - used : 0;
    size_t for_name = spare < 16 ? spare : 16;
    if (column->shape == NAME) {
        return column->width + for_name;
    }
    size_t for_line = spare - for_name;
    size_t most = SPARKLINE_MAX - column->width;
    return column->shape == SPARKLINE ? column->width + (for_line < most ? for_line : most)
                                      : column->width;
}

static void put_titles(const struct hf_view *view, enum hf_top_part part, struct hf_page *page)
{
    struct hf_page_line *line = hf_page_line(page, HF_REVERSED);
    const struct column *all = columns[part];
    for (const struct column *column = all; column->title != NULL; column++) {
        char title[32];
        bool is_sorted = (size_t)(column - all) == view->sorts[part] && !view->is_one;
        bool is_right = column->shape != NAME && column->shape != WORD;
        snprintf(title, sizeof(title), "%s%s", is_sorted ? (view->is_reversed ? "^" : "*") : "",
                 column->title);
        hf_page_cell(page, line, title, width_of(page, all, column), is_right);
        hf_page_put(page, line, column[1].title != NULL ? " " : "");
    }
    if (line != NULL) {
        hf_page_cell(page, line, "", page->width, false);
    }
}

static bool is_shown(const struct hf_view *view, const struct hf_top_row *row)
{
    return view->filter[0] == '\0' || strcasestr(row->name, view->filter) != NULL ||
           strcasestr(row->detail, view->filter) != NULL ||
           strcasestr(row->state, view->filter) != NULL;
}

static void put_rows(const struct hf_view *view, enum hf_top_part part, struct hf_top *top,
                     struct hf_page *page)
{
    struct hf_top_rows *rows = &top->parts[part];
    const struct column *all = columns[part];
    struct order order = {&all[view->sorts[part]], view->is_reversed};
    if (rows->count > 1) {
        qsort_r(rows->items, rows->count, sizeof(*rows->items), compare, &order);
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct hf_top_row *row = &rows->items[i];
        if (!is_shown(view, row)) {
            continue;
        }
        struct hf_page_line *line = hf_page_line(page, row->is_bad ? HF_ALARM : HF_PLAIN);
        for (const struct column *column = all; column->title != NULL; column++) {
            put_cell(view, page, line, column, width_of(page, all, column), row);
            hf_page_put(page, line, column[1].title != NULL ? " " : "");
        }
        if (row->detail[0] != '\0' && !view->hides_details) {
            line = hf_page_line(page, HF_FAINT);
            hf_page_put(page, line, "  ");
            hf_page_put(page, line, row->detail);
        }
    }
}

/* ---- head ---- */

static void put_lost(const struct hf_view *view, const struct hf_top *top, struct hf_page *page)
{
    char text[512], since[HF_NUMBER_MAX];
    struct hf_page_line *line = hf_page_line(page, HF_ALARM);
    hf_number_duration(view->lost_s, since);
    snprintf(text, sizeof(text), "NO ANSWER for %s: %.400s%s", since, view->lost,
             top->time_s > 0 ? "; below is what was" : "");
    hf_page_put(page, line, text);
}

static void put_process(const struct hf_top *top, struct hf_page *page)
{
    char text[512], up[HF_NUMBER_MAX], memory[HF_NUMBER_MAX];
    const struct hf_top_process *process = &top->process;
    bool is_ready = process->why[0] == '\0';
    bool is_bad = !is_ready || process->is_degraded || process->is_draining;
    struct hf_page_line *line = hf_page_line(page, is_bad ? HF_ALARM : HF_STRONG);
    hf_number_duration(process->uptime_s, up);
    hf_number_bytes(process->resident_bytes, memory);
    snprintf(text, sizeof(text), "holdfast %s  pid %.0f  up %s  mem %s", process->version,
             process->pid, up, memory);
    hf_page_put(page, line, text);
    if (process->cpu_share >= 0) {
        snprintf(text, sizeof(text), "  cpu %.1f%%", process->cpu_share * 100);
        hf_page_put(page, line, text);
    }
    hf_page_put(page, line, is_ready ? "  ready" : "  NOT READY: ");
    hf_page_put(page, line, process->why);
    hf_page_put(page, line, process->is_degraded && is_ready ? ", an exporter is unhealthy" : "");
    hf_page_put(page, line, process->is_draining && is_ready ? ", draining" : "");
}

static void put_sums(const struct hf_top *top, struct hf_page *page)
{
    static const char *const names[] = {"in ", "/s  out ", "/s  queued ", "  dead letters "};
    const struct hf_top_process *process = &top->process;
    const double sums[] = {process->in_per_s, process->out_per_s, process->queued_items,
                           process->dead_items};
    struct hf_page_line *line = hf_page_line(page, HF_PLAIN);
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        char number[HF_NUMBER_MAX];
        hf_number_count(top->interval_s > 0 || i > 1 ? sums[i] : -1, number);
        hf_page_put(page, line, names[i]);
        hf_page_put(page, line, number);
    }
    hf_page_put(page, line, "  ");
    hf_page_put(page, line, process->directory);
}

static void put_tabs(const struct hf_view *view, struct hf_page *page)
{
    char text[128];
    struct hf_page_line *line = hf_page_line(page, HF_PLAIN);
    for (size_t part = 0; part < HF_TOP_PART_COUNT; part++) {
        snprintf(text, sizeof(text), part == view->part ? "[%zu %s] " : " %zu %s  ", part + 1,
                 part_names[part]);
        hf_page_put(page, line, text);
    }
    if (view->is_typing || view->filter[0] != '\0') {
        snprintf(text, sizeof(text), " filter: %s%s", view->filter, view->is_typing ? "_" : "");
        hf_page_put(page, line, text);
    }
    hf_page_put(page, line, view->is_paused ? "  PAUSED" : "");
}

size_t hf_view_draw(const struct hf_view *view, struct hf_top *top, struct hf_page *page)
{
    hf_page_clear(page);
    if (view->lost != NULL) {
        put_lost(view, top, page);
    } else {
        put_process(top, page);
    }
    put_sums(top, page);
    if (view->is_one) {
        for (int part = 0; part < HF_TOP_PART_COUNT; part++) {
            (void)hf_page_line(page, HF_PLAIN);
            put_titles(view, (enum hf_top_part)part, page);
            put_rows(view, (enum hf_top_part)part, top, page);
        }
        return page->count;
    }
    put_tabs(view, page);
    put_titles(view, view->part, page);
    size_t head = page->count;
    put_rows(view, view->part, top, page);
    return head;
}
