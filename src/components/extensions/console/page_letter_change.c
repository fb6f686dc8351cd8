/*
 * page_letter_change: what is done to dead letters. POST /letters/ask asks whether it is meant, and
 * says how many they are; POST /letters/do does it; POST /letters/export gives them as OTLP/JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "look.h"
#include "pages.h"

#define SELECTED_MAX 100u    /* a page of them */
#define LIST_BYTES_MAX 3000u /* of a command's words */
#define EXPORT_AT_ONCE 64u

struct change {
    const char *exporter;
    bool drops, all;
    uint64_t selected[SELECTED_MAX];
    size_t count;
    uint64_t records, items; /* of all dead letters there are, when all are meant */
};

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static void read_selection(const struct hf_console_request *request, struct change *change)
{
    for (size_t i = 0; i < request->parameter_count && change->count < SELECTED_MAX; i++) {
        const char *value = request->parameters[i].value;
        size_t digits = strspn(value, "0123456789");
        if (strcmp(request->parameters[i].name, "seq") == 0 && digits != 0 && digits <= 19 &&
            value[digits] == '\0') {
            change->selected[change->count++] = strtoull(value, NULL, 10);
        }
    }
    qsort(change->selected, change->count, sizeof(change->selected[0]), by_value);
}

/* False: it asks for nothing that there is, and the page says so. */
static bool read_change(struct hf_console_view *view, struct hf_console_page *page,
                        struct change *ret_change)
{
    const char *action = hf_console_parameter_or(view->request, "action", "");
    struct change change = {.exporter = hf_console_parameter_or(view->request, "exporter", "")};
    const struct hf_json *exporter =
        hf_console_find(view, "exporters", NULL, hf_slice_text(change.exporter));
    const struct hf_json *letters = hf_json_get(exporter, "dead_letters");
    change.drops = strncmp(action, "drop", 4) == 0;
    change.all = strlen(action) > 4 && strcmp(action + strlen(action) - 4, "-all") == 0;
    change.records = (uint64_t)hf_json_int(hf_json_get(letters, "records"));
    change.items = (uint64_t)hf_json_int(hf_json_get(letters, "items"));
    read_selection(view->request, &change);
    *ret_change = change;
    if (exporter == NULL) {
        view->status = 404;
        hf_console_put(page, "<h1>No such exporter</h1><p>There is no exporter %s.</p>",
                       change.exporter);
    } else if (!change.all && change.count == 0) {
        view->status = 400;
        hf_console_put(page, "<h1>Nothing is selected</h1><p>Select dead letters first. ");
        hf_console_put_link(page, "/letters/of", "exporter", change.exporter, "Back to the list");
        hf_console_put(page, "</p>");
    }
    return exporter != NULL && (change.all || change.count != 0);
}

static uint64_t record_count(const struct change *change)
{
    return change->all ? change->records : change->count;
}

/* ---- the question ---- */

void hf_console_ask_letters(struct hf_console_view *view, struct hf_console_page *page)
{
    struct change change;
    if (!read_change(view, page, &change)) {
        return;
    }
    uint64_t count = record_count(&change);
    const char *verb = change.drops ? "Drop" : "Send again";
    hf_console_put(page, "<h1>%s ", verb);
    hf_console_put_count(page, count);
    hf_console_put(page, " %s of %s?</h1>", count == 1 ? "dead letter" : "dead letters",
                   change.exporter);
    if (change.all) {
        hf_console_put(page, "<p>They are all that there are now: ");
        hf_console_put_count(page, change.items);
        hf_console_put(page, " items.</p>");
    }
    hf_console_put(page, "<p>%s</p><form method=\"post\" action=\"/letters/do\">",
                   change.drops ? "They are deleted from the disk. This cannot be undone."
                                : "They go to this exporter alone. What the backend refuses once "
                                  "more comes back here.");
    hf_console_put_token(view, page);
    hf_console_put(page,
                   "<input type=\"hidden\" name=\"exporter\" value=\"%s\">"
                   "<input type=\"hidden\" name=\"action\" value=\"%s%s\">"
                   "<input type=\"hidden\" name=\"count\" value=\"%lu\">",
                   change.exporter, change.drops ? "drop" : "requeue", change.all ? "-all" : "",
                   (unsigned long)count);
    for (size_t i = 0; i < change.count && !change.all; i++) {
        hf_console_put(page, "<input type=\"hidden\" name=\"seq\" value=\"%lu\">",
                       (unsigned long)change.selected[i]);
    }
    hf_console_put(page, "<div class=\"actions\"><button class=\"%s\">%s ",
                   change.drops ? "danger" : "main", verb);
    hf_console_put_count(page, count);
    hf_console_put(page, "</button> ");
    hf_console_put_link(page, "/letters/of", "exporter", change.exporter, "No, back to the list");
    hf_console_put(page, "</div></form>");
}

/* ---- the change ---- */

/* "1,5,9": the selected ones, as a command's word. */
static void put_list(const struct change *change, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < change->count && used < room; i++) {
        used += (size_t)snprintf(out + used, room - used, "%s%" PRIu64, i == 0 ? "" : ",",
                                 change->selected[i]);
    }
}

static enum hf_status run(const struct hf_console_view *view, const struct change *change,
                          struct hf_arena *arena, struct hf_console_reply *ret_reply)
{
    char queue[300], list[LIST_BYTES_MAX];
    const char *words[5] = {change->drops ? "drop" : "requeue",
                            change->drops ? queue : change->exporter};
    snprintf(queue, sizeof(queue), "deadletter:%s", change->exporter);
    if (!change->all) {
        put_list(change, list, sizeof(list));
        words[2] = "--seq";
        words[3] = list;
    }
    return hf_console_ask(view->node, words, arena, ret_reply);
}

/* The first number in the command's words: how many it moved. */
static uint64_t number_in(struct hf_slice text)
{
    const char *at = (const char *)text.data;
    size_t skipped = strcspn(at, "0123456789");
    return strtoull(at + skipped, NULL, 10);
}

void hf_console_change_letters(struct hf_console_view *view, struct hf_console_page *page)
{
    struct change change;
    struct hf_console_reply reply = {.exit_code = 1};
    if (!read_change(view, page, &change)) {
        return;
    }
    uint64_t meant = hf_console_number(view->request, "count", 0);
    if (change.all && meant < change.records) {
        view->status = 409;
        hf_console_put(page,
                       "<h1>There are more by now</h1><p>You were asked about %lu dead letters, "
                       "and there are %lu. Nothing was done. ",
                       (unsigned long)meant, (unsigned long)change.records);
        hf_console_put_link(page, "/letters/of", "exporter", change.exporter, "Look again");
        hf_console_put(page, "</p>");
        return;
    }
    enum hf_status status = run(view, &change, &view->arena, &reply);
    if (status != HF_OK || reply.exit_code != 0) {
        view->status = 500;
        hf_console_put(page, "<h1>It did not work</h1><pre>");
        hf_console_escape(page, status == HF_OK ? reply.text
                                                : hf_slice_text(hf_status_row(status)->says));
        hf_console_put(page, "</pre><p>");
        hf_console_put_link(page, "/letters/of", "exporter", change.exporter, "Back to the list");
        hf_console_put(page, "</p>");
        return;
    }
    hf_console_put(&view->location,
                   "/letters/of?done=%s&count=%lu&exporter=", change.drops ? "drop" : "requeue",
                   (unsigned long)number_in(reply.text));
    hf_console_put_url(&view->location, change.exporter);
}

/* ---- the export ---- */

static void put_letter(const struct hf_console_view *view, struct hf_console_page *page,
                       const char *queue, uint64_t sequence)
{
    struct hf_arena arena = {.limit = HF_CONSOLE_ANSWER_BYTES_MAX};
    struct hf_console_reply reply;
    char from[24];
    snprintf(from, sizeof(from), "%" PRIu64, sequence);
    const char *const words[] = {"cat", queue, "--from", from, "-n", "1", NULL};
    if (hf_console_ask(view->node, words, &arena, &reply) == HF_OK) {
        hf_console_put_raw(page, reply.text);
    } else {
        page->failed = true; /* never a file that lacks some of them */
    }
    hf_arena_release(&arena);
}

static void put_all_letters(const struct hf_console_view *view, struct hf_console_page *page,
                            const char *queue)
{
    uint64_t next = 0;
    size_t count = EXPORT_AT_ONCE;
    while (count == EXPORT_AT_ONCE && !page->failed) {
        struct hf_arena arena = {.limit = HF_CONSOLE_ANSWER_BYTES_MAX};
        const struct hf_json *letters[EXPORT_AT_ONCE];
        count = hf_console_list(view->node, queue, next, EXPORT_AT_ONCE, &arena, letters);
        for (size_t i = 0; i < count && !page->failed; i++) {
            uint64_t sequence = (uint64_t)hf_json_int(hf_json_get(letters[i], "sequence"));
            put_letter(view, page, queue, sequence);
            next = sequence + 1;
        }
        hf_arena_release(&arena);
    }
}

void hf_console_export_letters(struct hf_console_view *view, struct hf_console_page *page)
{
    struct change change;
    char queue[300];
    if (!read_change(view, page, &change)) {
        return;
    }
    snprintf(queue, sizeof(queue), "deadletter:%s", change.exporter);
    view->download = "dead-letters.jsonl";
    if (change.all) {
        put_all_letters(view, page, queue);
    }
    for (size_t i = 0; i < change.count && !change.all && !page->failed; i++) {
        put_letter(view, page, queue, change.selected[i]);
    }
}
