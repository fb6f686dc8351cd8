/*
 * page_records: /records?queue=Q: the records of a queue, a page at a time, by time, trace, service
 * or attribute. The first record of a time is found by halving; what a record holds is looked at in
 * a bounded number of records for a page, and the page says where it stopped.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "look.h"
#include "match.h"
#include "pages.h"
#include "signals.h"
#include "util/time/clock.h"

#define RECORDS_A_PAGE 50u
#define LOOKS_MAX 5000u /* records that are looked into for a page */
#define LOOK_TIME_NS (2 * HF_NS_PER_S)
#define LOOKS_AT_ONCE 100u
#define STEPS_MAX 64u
#define TRACE_RECORDS_MAX 20u
#define TRACE_ID_MAX 40u

struct query {
    const char *queue;
    struct hf_console_filter filter;
    uint64_t from;
    char since[24], until[24]; /* as in the list of records; "": none */
    bool is_wrong;             /* a time that is none */
};

struct found {
    const struct hf_json *records[RECORDS_A_PAGE];
    size_t count;
    uint64_t next;   /* where to go on */
    uint64_t looked; /* records */
    bool has_more;
};

/* ---- what is asked for ---- */

/* "2026-11-29T15:40", "2026-11-29 15:40:37Z", or "15m" ago. */
static bool read_time(const struct hf_console_view *view, const char *name, char ret_text[24])
{
    const char *text = hf_console_parameter_or(view->request, name, "");
    unsigned year, month, day, hour, minute, second = 0;
    char unit, extra;
    ret_text[0] = '\0';
    if (text[0] == '\0') {
        return true;
    }
    if (sscanf(text, "%4u-%2u-%2u%*1[T ]%2u:%2u:%2u", &year, &month, &day, &hour, &minute,
               &second) >= 5) {
        snprintf(ret_text, 24, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
                 day % 100, hour % 100, minute % 100, second % 100);
        return true;
    }
    if (sscanf(text, "%4u%c%c", &minute, &unit, &extra) != 2 || strchr("smhd", unit) == NULL) {
        return false;
    }
    time_t ago = (time_t)minute * (unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86400);
    time_t then = (time_t)(hf_clock_unix_ns() / HF_NS_PER_S) - ago;
    struct tm parts;
    return gmtime_r(&then, &parts) != NULL &&
           strftime(ret_text, 24, "%Y-%m-%dT%H:%M:%SZ", &parts) != 0;
}

static const char *or_null(const struct hf_console_view *view, const char *name)
{
    const char *text = hf_console_parameter_or(view->request, name, "");
    return text[0] != '\0' ? text : NULL;
}

static struct query read_query(const struct hf_console_view *view)
{
    struct query query = {.queue = hf_console_parameter_or(view->request, "queue", ""),
                          .from = hf_console_number(view->request, "after", 0),
                          .filter = {.trace = or_null(view, "trace"),
                                     .service = or_null(view, "service"),
                                     .key = or_null(view, "key"),
                                     .value = or_null(view, "value")}};
    query.is_wrong =
        !read_time(view, "from", query.since) || !read_time(view, "until", query.until);
    return query;
}

static const struct hf_json *queue_of(const struct hf_console_view *view, const char *name)
{
    static const char *const kinds[] = {"deadletter", "requeue"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(kinds[i]);
        if (strncmp(name, kinds[i], size) == 0 && name[size] == ':') {
            return hf_console_find(view, "queues", kinds[i], hf_slice_text(name + size + 1));
        }
    }
    return hf_console_find(view, "queues", "queue", hf_slice_text(name));
}

/* ---- finding ---- */

static struct hf_slice received(const struct hf_json *record)
{
    return hf_json_text_of(record, "received");
}

static bool is_before(const struct hf_json *record, const char *time)
{
    struct hf_slice when = received(record);
    return when.size != 0 && strcmp((const char *)when.data, time) < 0;
}

/* The first record that was received at that time or later. */
static uint64_t find_time(const struct hf_console_view *view, const struct query *query,
                          uint64_t first, uint64_t end)
{
    for (size_t step = 0; first < end && step < STEPS_MAX; step++) {
        struct hf_arena arena = {.limit = 1u << 20};
        const struct hf_json *record = NULL;
        uint64_t middle = first + (end - first) / 2;
        bool is_there = hf_console_list(view->node, query->queue, middle, 1, &arena, &record) == 1;
        uint64_t sequence = is_there ? (uint64_t)hf_json_int(hf_json_get(record, "sequence")) : end;
        bool is_early = is_there && is_before(record, query->since);
        if (is_early) {
            first = sequence + 1;
        } else {
            end = middle;
        }
        hf_arena_release(&arena);
    }
    return first;
}

static bool is_over(const struct query *query, const struct hf_json *record)
{
    struct hf_slice when = received(record);
    return query->until[0] != '\0' && when.size != 0 &&
           strcmp((const char *)when.data, query->until) > 0;
}

/* Without a look into them. */
static void list(struct hf_console_view *view, const struct query *query, struct found *found)
{
    const struct hf_json *records[RECORDS_A_PAGE + 1];
    size_t count = hf_console_list(view->node, query->queue, found->next, RECORDS_A_PAGE + 1,
                                   &view->arena, records);
    for (size_t i = 0; i < count && i < RECORDS_A_PAGE && !is_over(query, records[i]); i++) {
        found->next = (uint64_t)hf_json_int(hf_json_get(records[i], "sequence")) + 1;
        found->looked++;
        /* The search for the time knows the records of the latest look at the queue only. */
        if (query->since[0] == '\0' || !is_before(records[i], query->since)) {
            found->records[found->count++] = records[i];
        }
    }
    found->has_more = found->looked == RECORDS_A_PAGE && count > RECORDS_A_PAGE &&
                      !is_over(query, records[RECORDS_A_PAGE]);
}

/* Some records more. False: there are no more, or they are over. */
static bool look(struct hf_console_view *view, const struct query *query, struct found *found,
                 size_t *at_once)
{
    struct hf_arena arena = {.limit = 4 * HF_CONSOLE_ANSWER_BYTES_MAX};
    const struct hf_json *records[LOOKS_AT_ONCE], *trees[LOOKS_AT_ONCE];
    size_t tree_count = 0;
    size_t count =
        hf_console_list(view->node, query->queue, found->next, *at_once, &view->arena, records);
    enum hf_status status = count == 0 ? HF_NOT_FOUND
                                       : hf_console_read(view->node, query->queue, found->next,
                                                         count, &arena, trees, &tree_count);
    bool goes_on = count == *at_once;
    if (status == HF_TOO_LARGE && *at_once > 1) {
        *at_once = *at_once / 4 + 1;
        tree_count = count = 0;
        goes_on = true;
    }
    for (size_t i = 0; i < count && found->count < RECORDS_A_PAGE; i++) {
        if (is_over(query, records[i])) {
            goes_on = false;
            break;
        }
        if (i < tree_count && hf_console_matches(&query->filter, trees[i])) {
            found->records[found->count++] = records[i];
        }
        found->next = (uint64_t)hf_json_int(hf_json_get(records[i], "sequence")) + 1;
        found->looked++;
    }
    hf_arena_release(&arena);
    return goes_on;
}

static void search_records(struct hf_console_view *view, const struct query *query,
                           struct found *found)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + LOOK_TIME_NS;
    size_t at_once = LOOKS_AT_ONCE;
    bool goes_on = true;
    while (goes_on && found->count < RECORDS_A_PAGE && found->looked < LOOKS_MAX &&
           hf_clock_monotonic_ns() < until_ns) {
        goes_on = look(view, query, found, &at_once);
    }
    found->has_more = goes_on;
}

/* ---- the page ---- */

static void put_input(const struct hf_console_view *view, struct hf_console_page *page,
                      const char *name, const char *label, const char *example)
{
    hf_console_put(page,
                   "<label>%s<input type=\"text\" name=\"%s\" value=\"%s\" placeholder=\"%s\" "
                   "autocomplete=\"off\"></label>",
                   label, name, hf_console_parameter_or(view->request, name, ""), example);
}

static void put_option(struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_json *queue, const char *chosen)
{
    const char *kind = hf_console_text(view, queue, "kind");
    char name[300];
    bool is_plain = strcmp(kind, "queue") == 0;
    snprintf(name, sizeof(name), "%s%s%s", is_plain ? "" : kind, is_plain ? "" : ":",
             hf_console_text(view, queue, "id"));
    hf_console_put(page, "<option value=\"%s\"", name);
    if (strcmp(name, chosen) == 0) {
        hf_console_put(page, " selected");
    }
    hf_console_put(page, ">%s</option>", name);
}

static void put_form(struct hf_console_view *view, struct hf_console_page *page,
                     const struct query *query)
{
    hf_console_put(page, "<form class=\"filter\" action=\"/records\" role=\"search\">"
                         "<label>Queue<select name=\"queue\">");
    for (const struct hf_json *at = hf_console_first(view, "queues"); at != NULL; at = at->next) {
        put_option(view, page, at, query->queue);
    }
    hf_console_put(page, "</select></label>");
    put_input(view, page, "from", "From", "15m or 2026-01-31T08:00");
    put_input(view, page, "until", "Until", "2026-01-31T09:00");
    put_input(view, page, "trace", "Trace id", "32 hex digits");
    put_input(view, page, "service", "Service", "");
    put_input(view, page, "key", "Attribute", "");
    put_input(view, page, "value", "has the value", "");
    hf_console_put(page, "<button class=\"main\">Show</button></form>\n");
}

static void put_record(struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_json *record, const char *queue)
{
    unsigned long sequence = (unsigned long)hf_json_int(hf_json_get(record, "sequence"));
    hf_console_put(page, "<tr><th scope=\"row\"><a href=\"/record?queue=");
    hf_console_put_url(page, queue);
    hf_console_put(page, "&amp;seq=%lu\">%lu</a></th><td>%s</td><td>%s", sequence, sequence,
                   hf_console_text(view, record, "received"),
                   hf_console_text(view, record, "signal"));
    if (hf_json_bool(hf_json_get(record, "damaged"))) {
        hf_console_put(page, " ");
        hf_console_put_state(page, "bad", "damaged");
    }
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_count(page, (uint64_t)hf_json_int(hf_json_get(record, "items")));
    hf_console_put(page, "</td><td class=\"number\">");
    hf_console_put_bytes(page, hf_console_double(record, "bytes"));
    hf_console_put(page, "</td></tr>");
}

static void put_next(const struct hf_console_view *view, struct hf_console_page *page,
                     const struct found *found)
{
    static const char *const kept[] = {"queue", "until", "trace", "service", "key", "value"};
    hf_console_put(page, "<p><a class=\"button\" href=\"/records?after=%lu",
                   (unsigned long)found->next);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const char *value = hf_console_parameter_or(view->request, kept[i], "");
        if (value[0] != '\0') {
            hf_console_put(page, "&amp;%s=", kept[i]);
            hf_console_put_url(page, value);
        }
    }
    hf_console_put(page, "\">Go on from record %lu</a></p>\n", (unsigned long)found->next);
}

static void put_found(struct hf_console_view *view, struct hf_console_page *page,
                      const struct query *query, const struct found *found)
{
    hf_console_put(page, "<p class=\"hint\" role=\"status\">%zu records", found->count);
    if (hf_console_filter_is_set(&query->filter)) {
        hf_console_put(page, " of ");
        hf_console_put_count(page, found->looked);
        hf_console_put(page, " that were looked into");
    }
    hf_console_put(page, ".</p>");
    if (found->count != 0) {
        hf_console_put(
            page,
            "<div class=\"wide\" tabindex=\"0\"><table><caption>Records of %s, oldest first"
            "</caption><thead><tr><th scope=\"col\">Record</th>"
            "<th scope=\"col\">Received</th><th scope=\"col\">Signal</th>"
            "<th scope=\"col\" class=\"number\">Items</th>"
            "<th scope=\"col\" class=\"number\">Bytes</th></tr></thead><tbody>",
            query->queue);
        for (size_t i = 0; i < found->count; i++) {
            put_record(view, page, found->records[i], query->queue);
        }
        hf_console_put(page, "</tbody></table></div>\n");
    }
    if (found->has_more) {
        put_next(view, page, found);
    }
}

/* The trace that was asked for, of all the records found, as one. */
static void put_trace(struct hf_console_view *view, struct hf_console_page *page,
                      const struct query *query, const struct found *found)
{
    const struct hf_json *trees[TRACE_RECORDS_MAX];
    char trace[TRACE_ID_MAX];
    size_t count = 0, size = strlen(query->filter.trace);
    for (size_t i = 0; i < found->count && count < TRACE_RECORDS_MAX; i++) {
        uint64_t sequence = (uint64_t)hf_json_int(hf_json_get(found->records[i], "sequence"));
        size_t read = 0;
        if (hf_console_read(view->node, query->queue, sequence, 1, &view->arena, &trees[count],
                            &read) == HF_OK) {
            count += read;
        }
    }
    for (size_t i = 0; i <= size && i < sizeof(trace); i++) {
        trace[i] = (char)tolower((unsigned char)query->filter.trace[i]);
    }
    if (size < sizeof(trace)) {
        hf_console_put_traces(view, page, &(struct hf_console_records){trees, count}, trace);
    }
}

void hf_console_show_records(struct hf_console_view *view, struct hf_console_page *page)
{
    struct query query = read_query(view);
    const struct hf_json *queue = queue_of(view, query.queue);
    hf_console_put(page, "<h1>Records</h1>\n");
    put_form(view, page, &query);
    if (query.queue[0] == '\0') {
        return;
    }
    if (queue == NULL || query.is_wrong) {
        view->status = queue == NULL ? 404 : 400;
        hf_console_put(page, "<p class=\"told bad\">%s</p>",
                       queue == NULL ? "There is no such queue."
                                     : "A time is 2026-01-31T08:00:00 in UTC, or 15m, 2h, 1d ago.");
        return;
    }
    uint64_t first = (uint64_t)hf_console_double(queue, "first_sequence");
    struct found found = {.next = query.from > first ? query.from : first};
    if (query.since[0] != '\0') {
        found.next = find_time(view, &query, found.next,
                               (uint64_t)hf_console_double(queue, "next_sequence"));
    }
    if (hf_console_filter_is_set(&query.filter)) {
        search_records(view, &query, &found);
    } else {
        list(view, &query, &found);
    }
    put_found(view, page, &query, &found);
    if (query.filter.trace != NULL && found.count != 0) {
        put_trace(view, page, &query, &found);
    }
}
