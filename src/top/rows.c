#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 100000u

static struct hf_top_row *add_row(struct hf_top_rows *rows)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity != 0 ? 2 * rows->capacity : 16;
        struct hf_top_row *grown =
            capacity <= ROWS_MAX ? reallocarray(rows->items, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        rows->items = grown;
        rows->capacity = capacity;
    }
    struct hf_top_row *row = &rows->items[rows->count++];
    *row = (struct hf_top_row){.in_per_s = -1,
                               .out_per_s = -1,
                               .queued_items = -1,
                               .queued_records = -1,
                               .oldest_s = -1,
                               .disk_bytes = -1,
                               .disk_max_bytes = -1,
                               .segments = -1,
                               .commit_s = -1,
                               .until_full_s = -1,
                               .dead_items = -1,
                               .in_flight = -1};
    return row;
}

/* Appends; what does not fit is cut. */
static void put(char *text, size_t room, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s", more);
}

#define PUT(array, more) put((array), sizeof(array), (more))

double hf_top_rate(const struct hf_top *top, const struct hf_json *now,
                   const struct hf_json *before, const char *way)
{
    double new = hf_top_number(now, way), old = hf_top_number(before, way);
    return top->interval_s > 0 && new >= 0 && old >= 0 && new >= old ? (new - old) / top->interval_s
                                                                     : -1;
}

static const struct hf_json *root_before(const struct hf_top *top)
{
    return top->before != NULL ? top->before->root : NULL;
}

static void draw_rate(struct hf_top *top, struct hf_top_row *row, const char *part, double rate)
{
    char key[sizeof(row->name) + 16];
    snprintf(key, sizeof(key), "%s %s", part, row->name);
    row->rate = hf_top_series_add(&top->series, key, rate >= 0 ? rate : 0);
}

/* ---- queues ---- */

/* What all consumers together do with a queue: the longest backlog, the sum of what they deliver.
 */
static void look_at_consumers(const struct hf_top *top, const struct hf_json *queue,
                              const struct hf_json *before, struct hf_top_row *row)
{
    const struct hf_json *consumer = hf_json_first(hf_json_get(queue, "consumers"));
    for (; consumer != NULL; consumer = consumer->next) {
        const struct hf_json *old = hf_json_first(hf_json_get(before, "consumers"));
        while (old != NULL &&
               strcmp(hf_top_text(old, "name"), hf_top_text(consumer, "name")) != 0) {
            old = old->next;
        }
        double items = hf_top_number(consumer, "queued.items");
        double records = hf_top_number(consumer, "queued.records");
        double oldest = hf_top_number(consumer, "oldest_age_seconds");
        double rate = hf_top_rate(top, consumer, old, "delivered.items");
        row->queued_items = items > row->queued_items ? items : row->queued_items;
        row->queued_records = records > row->queued_records ? records : row->queued_records;
        row->oldest_s = oldest > row->oldest_s ? oldest : row->oldest_s;
        row->out_per_s =
            rate >= 0 ? rate + (row->out_per_s > 0 ? row->out_per_s : 0) : row->out_per_s;
    }
}

/* Of the commits since the answer before. */
static double mean_commit_s(const struct hf_json *queue, const struct hf_json *before)
{
    double count = hf_top_number(queue, "commits") - hf_top_number(before, "commits");
    double sum =
        hf_top_number(queue, "commit_seconds.sum") - hf_top_number(before, "commit_seconds.sum");
    return before != NULL && count > 0 ? sum / count : -1;
}

static double until_full_s(const struct hf_json *queue)
{
    double limit = hf_top_number(queue, "disk_bytes_max");
    double room = limit > 0 ? limit - hf_top_number(queue, "disk_bytes") : -1;
    double free_bytes = hf_top_number(queue, "free_bytes");
    double rate = hf_top_number(queue, "append_bytes_per_second");
    room = room < 0 || free_bytes < room ? free_bytes : room;
    return rate > 1 && room >= 0 ? room / rate : -1;
}

static bool is_broken(const struct hf_json *queue)
{
    const struct hf_json *healthy = hf_json_get(queue, "healthy");
    return healthy != NULL && !hf_json_bool(healthy);
}

/* All of a row but its name; the queue may be NULL. */
static void fill_queue(const struct hf_top *top, const struct hf_json *queue,
                       struct hf_top_row *row)
{
    const struct hf_json *before =
        queue != NULL ? hf_top_find(root_before(top), "queues", hf_top_text(queue, "kind"),
                                    hf_top_text(queue, "id"))
                      : NULL;
    row->in_per_s = hf_top_rate(top, queue, before, "appended.items");
    row->disk_bytes = hf_top_number(queue, "disk_bytes");
    row->disk_max_bytes = hf_top_number(queue, "disk_bytes_max");
    row->commit_s = mean_commit_s(queue, before);
    row->until_full_s = until_full_s(queue);
    look_at_consumers(top, queue, before, row);
    const struct hf_json *segment = hf_json_first(hf_json_get(queue, "segments"));
    for (row->segments = 0; segment != NULL; segment = segment->next) {
        row->segments++;
    }
    if (is_broken(queue)) {
        PUT(row->state, "full");
        PUT(row->detail, hf_top_text(queue, "why_unhealthy"));
        row->is_bad = true;
    }
}

static bool make_queue(struct hf_top *top, const struct hf_json *queue)
{
    struct hf_top_row *row = add_row(&top->parts[HF_TOP_QUEUES]);
    if (row == NULL) {
        return false;
    }
    const char *kind = hf_top_text(queue, "kind");
    if (strcmp(kind, "queue") != 0) {
        PUT(row->name, kind);
        PUT(row->name, ":");
    }
    PUT(row->name, hf_top_text(queue, "id"));
    fill_queue(top, queue, row);
    draw_rate(top, row, "queue", row->in_per_s);
    return true;
}

/* ---- pipelines ---- */

static void put_names(struct hf_top_row *row, const struct hf_json *list, const char *separator,
                      const char *first)
{
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        PUT(row->detail, first);
        PUT(row->detail, hf_top_text(one, "id"));
        first = separator;
    }
}

/* "otlp, filelog > batch > [traces] > otlp/gateway, debug" */
static void put_route(struct hf_top_row *row, const struct hf_json *pipeline)
{
    put_names(row, hf_json_get(pipeline, "from"), ", ", "");
    put_names(row, hf_json_get(pipeline, "processors"), " > ", " > ");
    if (hf_top_text(pipeline, "queue")[0] != '\0') {
        PUT(row->detail, " > [");
        PUT(row->detail, hf_top_text(pipeline, "queue"));
        PUT(row->detail, "]");
    }
    put_names(row, hf_json_get(pipeline, "behind"), ", ", " > ");
}

/* The worst state of the exporters behind. */
static void put_state(const struct hf_top *top, const struct hf_json *pipeline,
                      struct hf_top_row *row)
{
    static const char *const order[] = {"working", "retrying", "held", "unhealthy"};
    size_t worst = 0;
    const struct hf_json *one = hf_json_first(hf_json_get(pipeline, "behind"));
    for (; one != NULL; one = one->next) {
        const struct hf_json *exporter =
            strcmp(hf_top_text(one, "kind"), "exporter") == 0
                ? hf_top_find(top->now->root, "exporters", NULL, hf_top_text(one, "id"))
                : NULL;
        for (size_t i = worst + 1; i < sizeof(order) / sizeof(order[0]); i++) {
            worst = strcmp(hf_top_text(exporter, "state"), order[i]) == 0 ? i : worst;
        }
    }
    if (row->state[0] == '\0') {
        PUT(row->state, order[worst]);
        row->is_bad = worst != 0;
    }
}

static bool make_pipeline(struct hf_top *top, const struct hf_json *pipeline)
{
    struct hf_top_row *row = add_row(&top->parts[HF_TOP_PIPELINES]);
    if (row == NULL) {
        return false;
    }
    PUT(row->name, hf_top_text(pipeline, "id"));
    const char *queue = hf_top_text(pipeline, "queue");
    if (queue[0] != '\0') {
        fill_queue(top, hf_top_find(top->now->root, "queues", "queue", queue), row);
    }
    row->detail[0] = '\0';
    put_route(row, pipeline);
    put_state(top, pipeline, row);
    draw_rate(top, row, "pipeline", row->in_per_s);
    return true;
}

/* ---- exporters ---- */

static double sum_of(const struct hf_json *flow)
{
    double sum = 0;
    for (const struct hf_json *one = hf_json_first(flow); one != NULL; one = one->next) {
        sum += one->kind == HF_JSON_INT ? (double)one->integer : one->number;
    }
    return flow != NULL ? sum : -1;
}

static double sent(const struct hf_json *root, const char *id)
{
    static const char *const way[] = {"flow", "sent", NULL};
    return sum_of(hf_json_at(hf_top_find(root, "components", "exporter", id), way));
}

static double sent_per_s(const struct hf_top *top, const char *id)
{
    double now = sent(top->now->root, id), before = sent(root_before(top), id);
    return top->interval_s > 0 && before >= 0 && now >= before ? (now - before) / top->interval_s
                                                               : -1;
}

/* The age of the oldest, of all queues. */
static double oldest_of(const struct hf_top *top, const char *id)
{
    double oldest = -1;
    const struct hf_json *queue = hf_json_first(hf_json_get(top->now->root, "queues"));
    for (; queue != NULL; queue = queue->next) {
        const struct hf_json *consumer = hf_json_first(hf_json_get(queue, "consumers"));
        for (; consumer != NULL; consumer = consumer->next) {
            double age = hf_top_number(consumer, "oldest_age_seconds");
            bool is_its = strcmp(hf_top_text(consumer, "name"), id) == 0;
            oldest = is_its && age > oldest ? age : oldest;
        }
    }
    return oldest;
}

/* What kind of error it is, unless it is a passing fault, and the words of the backend. */
static void put_error(struct hf_top_row *row, const struct hf_json *error)
{
    char text[32] = "";
    double code = hf_top_number(error, "code");
    if (code > 0) {
        snprintf(text, sizeof(text), " (code %.0f)", code);
    }
    if (hf_top_text(error, "cause")[0] != '\0') {
        PUT(row->detail, hf_top_text(error, "cause"));
        PUT(row->detail, text);
        PUT(row->detail, ": ");
    }
    PUT(row->detail, hf_top_text(error, "message"));
}

/* What the operator wants to read first. */
static void put_trouble(const struct hf_top *top, const struct hf_json *exporter,
                        struct hf_top_row *row)
{
    char text[96];
    const char *held_by = hf_top_text(exporter, "held_by");
    double next = hf_top_number(exporter, "next_attempt_seconds");
    const struct hf_json *error = hf_json_get(exporter, "last_error");
    const struct hf_json *refusal = hf_json_get(exporter, "last_refusal");
    if (held_by[0] != '\0') {
        PUT(row->detail, strcmp(held_by, "dead_letters_full") == 0 ? "the dead letters are full; "
                                                                   : "one of its backends fails; ");
    }
    if (next > 0) {
        double wait_s = next > top->time_s ? next - top->time_s : 0;
        snprintf(text, sizeof(text), "next attempt in %.1fs (%.0f failed): ", wait_s,
                 hf_top_number(exporter, "attempts_failed"));
        PUT(row->detail, text);
        put_error(row, error);
    } else if (row->dead_items > 0 || held_by[0] != '\0') {
        PUT(row->detail, "refused: ");
        put_error(row, refusal);
    }
}

static bool make_exporter(struct hf_top *top, const struct hf_json *exporter)
{
    struct hf_top_row *row = add_row(&top->parts[HF_TOP_EXPORTERS]);
    if (row == NULL) {
        return false;
    }
    PUT(row->name, hf_top_text(exporter, "id"));
    PUT(row->state, hf_top_text(exporter, "state"));
    row->is_bad = strcmp(row->state, "working") != 0;
    row->out_per_s = sent_per_s(top, row->name);
    row->queued_items = hf_top_number(exporter, "queued.items");
    row->queued_records = hf_top_number(exporter, "queued.records");
    row->dead_items = hf_top_number(exporter, "dead_letters.items");
    row->in_flight = hf_top_number(exporter, "in_flight");
    row->oldest_s = oldest_of(top, row->name);
    put_trouble(top, exporter, row);
    draw_rate(top, row, "exporter", row->out_per_s);
    return true;
}

bool hf_top_make_rows(struct hf_top *top)
{
    static const struct {
        const char *key;
        bool (*make)(struct hf_top *top, const struct hf_json *from);
    } parts[] = {
        {"pipelines", make_pipeline}, {"queues", make_queue}, {"exporters", make_exporter}};
    bool made = true;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct hf_json *one = hf_json_first(hf_json_get(top->now->root, parts[i].key));
        for (; one != NULL && made; one = one->next) {
            made = parts[i].make(top, one);
        }
    }
    return made;
}
