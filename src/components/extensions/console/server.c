#include "server.h"

#include <string.h>

#include "answer.h"
#include "note.h"
#include "routes.h"
#include "support/ingress/http_admission.h"
#include "util/time/clock.h"
#include "view.h"

#define SNAPSHOT_WAIT "the console is busy; try again in a second"

/* Parameters of all pages: what else a query has is not looked at. */
static const char *const names[] = {"id",    "kind",    "queue", "exporter", "from", "until",
                                    "trace", "service", "key",   "value",    "seq",  "signal",
                                    "done",  "count",   "after", "name",     "lines"};

/* ---- who it is ---- */

/* Called again when a request goes on that was on hold. */
enum hf_status hf_console_on_headers(void *user, struct hf_http_request *http)
{
    const struct hf_console *console = user;
    enum hf_status known;
    if (!hf_console_knows_host(&console->access, hf_http_header(http, "host"))) {
        hf_console_answer_text(http, 421,
                               "the console does not go by the name in Host; ask for it by its "
                               "address, or add the name to hosts in its configuration\n");
        return HF_INVALID;
    }
    if (!hf_http_admission_check(&console->auth, &console->wanted, http, &known)) {
        return HF_OK;
    }
    if (known == HF_UNAUTHENTICATED) {
        hf_console_answer_text(http, 401, "missing or wrong credentials\n");
    } else if (known != HF_OK) {
        hf_console_answer_text(http, 503, "the credentials cannot be checked at the moment\n");
    }
    return known;
}

/* ---- the answer of a page ---- */

static void answer_page(const struct hf_console *console, struct hf_console_request *request,
                        const struct hf_console_view *view, const struct hf_console_page *page)
{
    const char *location = NULL;
    char target[1024];
    if (view->location.text.size != 0 && view->location.text.size < sizeof(target)) {
        memcpy(target, view->location.text.data, view->location.text.size);
        target[view->location.text.size] = '\0';
        location = target;
    }
    if (page->failed) {
        hf_console_answer_text(request->http, 503, "the page is too large, or memory is short\n");
        return;
    }
    hf_console_answer(request->http,
                      &(struct hf_console_answer){
                          .status = location != NULL    ? 303
                                    : view->status != 0 ? view->status
                                                        : 200,
                          .content_type = request->is_stream       ? "text/event-stream"
                                          : view->download != NULL ? "application/x-ndjson"
                                                                   : NULL,
                          .body = location != NULL ? HF_EMPTY_SLICE
                                                   : hf_slice_of(page->text.data, page->text.size),
                          .location = location,
                          .download = view->download,
                          .cookie = request->cookie_is_new ? request->cookie : NULL,
                          .is_encrypted = console->is_encrypted});
}

/* Makes the page, or the event, and answers; the request ends here. `snapshot` is borrowed. */
static void make(const struct hf_console *console, struct hf_console_request *request,
                 const struct hf_console_snapshot *snapshot)
{
    struct hf_console_page page;
    struct hf_console_view view = {.request = request,
                                   .snapshot = snapshot,
                                   .history = console->history,
                                   .node = console->node,
                                   .arena = {.limit = 64u << 20}};
    hf_console_page_init(&page, HF_CONSOLE_PAGE_BYTES_MAX);
    hf_console_page_init(&view.location, 1000);
    if (request->is_stream) {
        hf_console_write_event(&view, request->route, &page);
    } else {
        hf_console_write_document(&view, request->route, &page);
    }
    answer_page(console, request, &view, &page);
    hf_console_page_release(&view.location);
    hf_console_page_release(&page);
    hf_arena_release(&view.arena);
    hf_console_request_free(request);
}

/* The same with the latest snapshot. */
static void make_now(const struct hf_console *console, struct hf_console_request *request)
{
    struct hf_console_snapshot *snapshot = hf_console_sampler_look(console->sampler);
    make(console, request, snapshot);
    if (snapshot != NULL) {
        hf_ref_drop(&snapshot->ref);
    }
}

void hf_console_run(void *user, struct hf_console_request *request)
{
    const struct hf_console *console = user;
    bool changes = request->route->kind == HF_CONSOLE_CHANGE;
    make_now(console, request);
    if (changes) {
        hf_console_sampler_hurry(console->sampler);
    }
}

void hf_console_refuse(void *user, struct hf_console_request *request)
{
    (void)user;
    hf_console_answer_text(request->http, 503, SNAPSHOT_WAIT "\n");
    hf_console_request_free(request);
}

void hf_console_on_snapshot(void *user, struct hf_console_snapshot *snapshot)
{
    struct hf_console *console = user;
    struct hf_console_request *request = hf_console_events_take(&console->events);
    hf_console_note(console->history, snapshot);
    while (request != NULL) {
        struct hf_console_request *next = request->next;
        make(console, request, snapshot);
        request = next;
    }
}

void hf_console_on_last_snapshot(void *user)
{
    struct hf_console *console = user;
    hf_console_events_close(&console->events);
    struct hf_console_request *request = hf_console_events_take(&console->events);
    while (request != NULL) {
        struct hf_console_request *next = request->next;
        hf_console_refuse(console, request);
        request = next;
    }
}

/* ---- what it asks for ---- */

static enum hf_status read_parameters(struct hf_console_request *request)
{
    const struct hf_http_body *body = hf_http_request_body(request->http);
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == HF_OK; i++) {
        const char *value = hf_http_query(request->http, names[i]);
        if (value != NULL) {
            status = hf_console_add_parameter(request, names[i], value);
        }
    }
    if (status == HF_OK && strcmp(hf_http_method(request->http), "POST") == 0) {
        status = hf_console_read_form(request, body->raw);
    }
    return status;
}

/* Whose browser it is, and the token of its forms. */
static bool read_cookie(const struct hf_console *console, struct hf_console_request *request)
{
    struct hf_slice cookies = hf_http_header(request->http, "cookie");
    if (!hf_console_find_cookie(cookies, request->cookie)) {
        request->cookie_is_new = true;
        if (!hf_console_new_cookie(request->cookie)) {
            return false;
        }
    }
    return hf_console_token(&console->access, request->cookie, request->token);
}

/* NULL: a change may go ahead. */
static const char *check_change(const struct hf_console *console,
                                const struct hf_console_request *request)
{
    struct hf_slice origin = hf_http_header(request->http, "origin");
    struct hf_slice site = hf_http_header(request->http, "sec-fetch-site");
    if (!hf_console_is_own_origin(origin, site, hf_http_header(request->http, "host"))) {
        return "a page of another site asked for this change; nothing was done\n";
    }
    if (request->cookie_is_new || !hf_console_token_fits(&console->access, request->cookie,
                                                         hf_console_parameter(request, "token"))) {
        return "the form is of another session, or from before a restart; nothing was done. Load "
               "the page again\n";
    }
    return NULL;
}

static void answer_fault(struct hf_console_request *request, int status, const char *text)
{
    hf_console_answer_text(request->http, status, text);
    hf_console_request_free(request);
}

static void dispatch(struct hf_console *console, struct hf_console_request *request)
{
    const char *refusal = NULL;
    if (strcmp(hf_http_method(request->http), "POST") == 0) {
        refusal = check_change(console, request);
    }
    if (refusal != NULL) {
        answer_fault(request, 403, refusal);
    } else if (request->is_stream) {
        struct hf_console_snapshot *latest = hf_console_sampler_look(console->sampler);
        if (latest != NULL) {
            hf_ref_drop(&latest->ref);
        }
        if (!hf_console_events_add(&console->events, request)) {
            answer_fault(request, 503, "too many pages are open; this one stays as it is\n");
        }
    } else if (request->route->kind == HF_CONSOLE_LIVE) {
        make_now(console, request);
    } else if (!hf_console_worker_add(console->worker, request)) {
        answer_fault(request, 503, SNAPSHOT_WAIT "\n");
    }
}

/* The route of the page, or of the page whose events are asked for. NULL: it was answered. */
static const struct hf_console_route *find_route(struct hf_http_request *http, bool *ret_is_stream)
{
    bool is_other = false;
    const char *path = hf_http_path(http), *method = hf_http_method(http);
    *ret_is_stream = strcmp(path, "/events") == 0 && strcmp(method, "GET") == 0;
    if (*ret_is_stream) {
        path = hf_http_query(http, "path");
    }
    const struct hf_console_route *route =
        path != NULL ? hf_console_route_find(method, path, &is_other) : NULL;
    if (route != NULL && *ret_is_stream && route->kind != HF_CONSOLE_LIVE) {
        route = NULL;
    }
    if (route == NULL && is_other) {
        hf_console_answer_text(http, 405, "this page is not for that method\n");
    } else if (route == NULL) {
        hf_console_answer_text(http, 404, "there is no such page\n");
    }
    return route;
}

static void take(struct hf_console *console, struct hf_http_request *http,
                 const struct hf_console_route *route, bool is_stream)
{
    struct hf_console_request *request = hf_console_request_new(http);
    if (request == NULL) {
        hf_console_answer_text(http, 503, "memory is short\n");
        return;
    }
    request->route = route;
    request->is_stream = is_stream;
    enum hf_status status = read_parameters(request);
    if (status == HF_TOO_LARGE) {
        answer_fault(request, 413, "the form has too many fields\n");
    } else if (status == HF_INVALID) {
        answer_fault(request, 400, "the form cannot be read\n");
    } else if (status != HF_OK || !read_cookie(console, request)) {
        answer_fault(request, 503, "memory or random bytes are short\n");
    } else {
        dispatch(console, request);
    }
}

void hf_console_on_request(void *user, struct hf_http_request *http, enum hf_status fault)
{
    struct hf_console *console = user;
    const struct hf_console_asset *asset =
        hf_console_asset_find(&console->assets, hf_http_path(http));
    bool is_stream = false;
    if (fault != HF_OK) {
        hf_console_answer_text(http, fault == HF_TOO_LARGE ? 413 : 400,
                               "the body is too large or cannot be read\n");
    } else if (asset != NULL) {
        hf_console_answer_asset(http, asset);
    } else {
        const struct hf_console_route *route = find_route(http, &is_stream);
        if (route != NULL) {
            take(console, http, route, is_stream);
        }
    }
}
