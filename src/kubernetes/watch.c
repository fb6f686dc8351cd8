#include "watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/fnv.h"
#include "util/loop.h"
#include "util/time/clock.h"
#include "watch_state.h"

#define OBJECT_BYTES_MAX                                                                           \
    (8u << 20) /* the API's own limit is about 3 MB with its store's 1.5 MB                        \
                */
#define URL_MAX 16384u
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define LONG_NS (5 * HF_NS_PER_S)
#define SENTENCE_MAX (HF_ERROR_MAX + 400)

/* On the client's thread. */
struct hf_kube_watch {
    struct hf_kube_watch *next;
    struct hf_kube_client *client;
    struct hf_kube_listener *listeners;
    char *path, *what, *selectors;
    bool is_private, is_held, is_closing, lists_again;
    uint64_t pull_interval_ns; /* 0: it watches */
    struct hf_kube_state state;
    struct hf_timer timer;
    struct hf_http_call call;
    struct hf_header headers[2];
    char *url;
    struct hf_json_stream *stream; /* NULL: no request runs */
    bool was_list;
    bool is_broken; /* the answer makes no sense, or had an ERROR line */
    bool has_page;
    uint64_t begun_ns;
    char error[HF_ERROR_MAX]; /* why it is broken */
    uint64_t said_hash, say_again_ns;
    bool is_troubled; /* something was said that is not over */
};

/* ---- what is said ---- */

static void tell(struct hf_kube_watch *watch, enum hf_log_level level, const char *sentence)
{
    for (struct hf_kube_listener *l = watch->listeners; l != NULL; l = l->next) {
        l->say(l, level, sentence);
        if (!watch->is_private) {
            break; /* one line for all */
        }
    }
}

static void complain(struct hf_kube_watch *watch, const char *sentence)
{
    uint64_t hash = hf_fnv(hf_slice_text(sentence)), now_ns = hf_clock_monotonic_ns();
    if (watch->said_hash == hash && now_ns < watch->say_again_ns) {
        return;
    }
    watch->said_hash = hash;
    watch->say_again_ns = now_ns + SAY_AGAIN_NS;
    watch->is_troubled = true;
    tell(watch, HF_LOG_WARN, sentence);
}

static void say_all_is_well(struct hf_kube_watch *watch)
{
    char sentence[SENTENCE_MAX];
    if (watch->is_troubled) {
        watch->is_troubled = false;
        watch->said_hash = 0;
        snprintf(sentence, sizeof(sentence), "the Kubernetes API answers again for %s",
                 watch->what);
        tell(watch, HF_LOG_INFO, sentence);
    }
}

/* ---- an answer ---- */

static void show(struct hf_kube_watch *watch, enum hf_kube_verdict verdict, struct hf_slice uid,
                 const struct hf_json *object)
{
    enum hf_kube_change change = verdict == HF_KUBE_DELETED    ? HF_KUBE_IS_DELETED
                                 : verdict == HF_KUBE_MODIFIED ? HF_KUBE_IS_MODIFIED
                                                               : HF_KUBE_IS_ADDED;
    for (struct hf_kube_listener *l = watch->listeners; l != NULL; l = l->next) {
        if (l->is_behind && change != HF_KUBE_IS_DELETED) {
            l->changed(l, HF_KUBE_IS_ADDED, uid, object);
        } else if (verdict != HF_KUBE_SKIP) {
            l->changed(l, change, uid, object);
        }
    }
}

static struct hf_slice uid_of(const struct hf_json *object)
{
    return hf_json_text_of(hf_json_get(object, "metadata"), "uid");
}

static bool break_off(struct hf_kube_watch *watch, const char *why)
{
    if (why != NULL) {
        snprintf(watch->error, sizeof(watch->error), "%s", why);
    }
    watch->is_broken = true;
    return false;
}

/* The whole list has been shown: what it does not have is gone. */
static void end_list(struct hf_kube_watch *watch)
{
    char uid[HF_KUBE_UID_MAX];
    size_t cursor = 0;
    while (hf_kube_known_sweep(&watch->state.known, watch->state.generation, &cursor, uid)) {
        show(watch, HF_KUBE_DELETED, hf_slice_text(uid), NULL);
    }
    for (struct hf_kube_listener *l = watch->listeners; l != NULL; l = l->next) {
        l->is_behind = false;
        if (l->synced != NULL) {
            l->synced(l);
        }
    }
}

static bool on_listed(void *user, const struct hf_json *value, bool is_element)
{
    struct hf_kube_watch *watch = user;
    if (is_element) {
        enum hf_kube_verdict verdict = hf_kube_state_element(&watch->state, value);
        if (verdict == HF_KUBE_BROKEN) {
            return break_off(watch, "there are more objects than memory, or than 1048576");
        }
        show(watch, verdict, uid_of(value), value);
        return true;
    }
    enum hf_kube_page page = hf_kube_state_page(&watch->state, value);
    watch->has_page = true;
    if (page == HF_KUBE_PAGE_LAST) {
        end_list(watch);
    }
    return page != HF_KUBE_PAGE_BAD || break_off(watch, "the answer is no list");
}

static bool on_line(void *user, const struct hf_json *value, bool is_element)
{
    struct hf_kube_watch *watch = user;
    const struct hf_json *object;
    char error[HF_ERROR_MAX] = "";
    (void)is_element;
    enum hf_kube_verdict verdict = hf_kube_state_line(&watch->state, value, &object, error);
    if (verdict == HF_KUBE_BROKEN) {
        return break_off(watch, error);
    }
    if (verdict != HF_KUBE_SKIP) {
        show(watch, verdict, uid_of(object), object);
    }
    return true;
}

static void settle(struct hf_kube_watch *watch)
{
    for (struct hf_kube_listener *l = watch->listeners; l != NULL; l = l->next) {
        if (l->settled != NULL) {
            l->settled(l, watch->state.version);
        }
    }
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct hf_kube_watch *watch = HF_CONTAINER(call, struct hf_kube_watch, call);
    if (watch->is_held) {
        return HF_HTTP_PAUSE;
    }
    enum hf_status status = hf_json_stream_feed(watch->stream, bytes);
    settle(watch);
    if (status != HF_OK && !watch->is_broken) {
        (void)break_off(watch, hf_json_stream_error(watch->stream));
    }
    if (status == HF_OK && !watch->was_list && watch->state.has_heard) {
        say_all_is_well(watch);
    }
    return status == HF_OK ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

/* The server's own words of a refusal. */
static void explain_refusal(struct hf_kube_watch *watch, const struct hf_http_result *result,
                            char sentence[SENTENCE_MAX])
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *body;
    char error[HF_JSON_ERROR_MAX], message[320] = "";
    if (hf_json_read(result->body, &arena, &body, error) == HF_OK) {
        struct hf_slice text = hf_json_text_of(body, "message");
        snprintf(message, sizeof(message), "%.*s", (int)(text.size < 300 ? text.size : 300),
                 (const char *)text.data);
    }
    hf_arena_release(&arena);
    if (result->code == 403) {
        snprintf(sentence, SENTENCE_MAX,
                 "the Kubernetes API refuses %s: %s: give the service account the verbs get, list "
                 "and watch for %s (ClusterRole and ClusterRoleBinding); trying again",
                 watch->what, message[0] != '\0' ? message : "forbidden (403)", watch->what);
    } else if (result->code == 401) {
        snprintf(sentence, SENTENCE_MAX,
                 "the Kubernetes API does not accept the credentials (401); the token is read "
                 "again and %s are asked for again",
                 watch->what);
    } else {
        snprintf(sentence, SENTENCE_MAX, "the Kubernetes API answers %d for %s%s%s; trying again",
                 result->code, watch->what, message[0] != '\0' ? ": " : "", message);
    }
}

static void report(struct hf_kube_watch *watch, const struct hf_http_result *result,
                   const struct hf_kube_end *end)
{
    char sentence[SENTENCE_MAX];
    if (watch->is_broken && watch->error[0] != '\0') {
        snprintf(sentence, sizeof(sentence), "the watch of %s ended: %s; trying again", watch->what,
                 watch->error);
        complain(watch, sentence);
    } else if (result->code >= 300 && result->code != 410) {
        explain_refusal(watch, result, sentence);
        complain(watch, sentence);
    } else if (result->status != HF_OK && !watch->is_broken &&
               (end->was_list || !watch->state.has_heard)) {
        snprintf(sentence, sizeof(sentence),
                 "the Kubernetes API at %s cannot be asked for %s: %s; trying again",
                 hf_kube_client_access(watch->client)->url, watch->what, result->error);
        complain(watch, sentence);
    } else if (end->is_whole && !watch->is_broken && end->was_list) {
        say_all_is_well(watch);
    }
}

static void begin_again(struct hf_kube_watch *watch, uint64_t wait_ns)
{
    enum hf_status status = hf_loop_timer_set(hf_kube_client_loop(watch->client), &watch->timer,
                                              hf_clock_monotonic_ns() + wait_ns);
    if (status != HF_OK) {
        tell(watch, HF_LOG_ERROR, "out of memory: a watch has ended for good");
    }
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_kube_watch *watch = HF_CONTAINER(call, struct hf_kube_watch, call);
    bool is_whole = result->status == HF_OK && result->code == 200;
    if (is_whole && hf_json_stream_end(watch->stream) != HF_OK && !watch->is_broken) {
        /* A watch may be cut in the middle of a line: the next one brings it whole. */
        is_whole = false;
        if (watch->was_list) {
            (void)break_off(watch, hf_json_stream_error(watch->stream));
        }
    }
    const struct hf_kube_end end = {
        .was_list = watch->was_list,
        .is_whole = is_whole && (!watch->was_list || watch->has_page),
        .is_broken = watch->is_broken,
        .code = result->code,
        .retry_after_ns = result->has_retry_after ? result->retry_after_ns : 0,
        .was_long = hf_clock_monotonic_ns() - watch->begun_ns > LONG_NS,
    };
    hf_json_stream_free(watch->stream);
    watch->stream = NULL;
    if (watch->is_closing) {
        return;
    }
    if (watch->lists_again) {
        watch->lists_again = false;
        hf_kube_state_list_again(&watch->state);
        begin_again(watch, 0);
        return;
    }
    if (result->status == HF_CLOSED) {
        return; /* the client is being freed */
    }
    report(watch, result, &end);
    if (watch->pull_interval_ns != 0 && end.is_whole && !end.is_broken &&
        !hf_kube_state_is_listing(&watch->state)) {
        hf_kube_known_release(&watch->state.known);
        hf_kube_state_list_again(&watch->state);
        begin_again(watch, watch->pull_interval_ns);
        return;
    }
    begin_again(watch, hf_kube_state_end(&watch->state, &end, hf_kube_client_draw(watch->client)));
}

/* ---- a request ---- */

static bool set_up(struct hf_kube_watch *watch, unsigned *ret_seconds)
{
    const struct hf_kube_access *access = hf_kube_client_access(watch->client);
    int used = snprintf(watch->url, URL_MAX, "%s%s?", access->url, watch->path);
    watch->was_list = hf_kube_state_is_listing(&watch->state);
    const struct hf_json_stream_options options = {
        .each = watch->was_list ? "items" : NULL,
        .value_bytes_max = OBJECT_BYTES_MAX,
        .show = watch->was_list ? on_listed : on_line,
        .user = watch,
    };
    return used > 0 && used < (int)URL_MAX &&
           hf_kube_state_begin(&watch->state, watch->selectors, hf_kube_client_draw(watch->client),
                               watch->url + used, URL_MAX - (size_t)used, ret_seconds) == HF_OK &&
           hf_json_stream_new(&options, &watch->stream) == HF_OK;
}

static void begin(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_kube_watch *watch = HF_CONTAINER(timer, struct hf_kube_watch, timer);
    const struct hf_kube_access *access = hf_kube_client_access(watch->client);
    unsigned seconds = 0;
    (void)now_ns;
    if (!set_up(watch, &seconds)) {
        complain(watch, "out of memory, or the selectors are too long: a watch waits");
        begin_again(watch, HF_KUBE_WAIT_MOST_NS);
        return;
    }
    watch->is_broken = watch->has_page = false;
    watch->error[0] = '\0';
    watch->begun_ns = hf_clock_monotonic_ns();
    watch->headers[0] =
        (struct hf_header){hf_slice_text("accept"), hf_slice_text("application/json")};
    watch->headers[1] = (struct hf_header){
        hf_slice_text("authorization"),
        hf_slice_text(access->authorization != NULL ? access->authorization : "")};
    watch->call = (struct hf_http_call){
        .method = "GET",
        .url = watch->url,
        .headers = watch->headers,
        .header_count = access->authorization != NULL ? 2 : 1,
        .deadline_ns = watch->begun_ns + seconds * HF_NS_PER_S,
        .chunk = on_chunk,
        .done = on_done,
    };
    hf_http_client_call(hf_kube_client_http(watch->client), &watch->call);
}

/* ---- listeners ---- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* "labelSelector=...&fieldSelector=...": escaped; malloc'd. */
static char *selectors_of(const struct hf_kube_resource *resource)
{
    const char *const names[] = {"labelSelector", "fieldSelector"};
    const char *const values[] = {resource->label_selector, resource->field_selector};
    char *text = calloc(1, URL_MAX / 2);
    size_t used = 0;
    for (size_t i = 0; i < 2 && text != NULL; i++) {
        if (values[i] != NULL && values[i][0] != '\0') {
            used += (size_t)snprintf(text + used, URL_MAX / 2 - used, "%s%s=", used != 0 ? "&" : "",
                                     names[i]);
            used += hf_kube_escape(text + used, URL_MAX / 2 - used, values[i]);
        }
    }
    return text;
}

static void free_watch(struct hf_kube_watch *watch)
{
    hf_kube_state_release(&watch->state);
    free(watch->path);
    free(watch->what);
    free(watch->selectors);
    free(watch->url);
    free(watch);
}

static struct hf_kube_watch *new_watch(struct hf_kube_client *client,
                                       const struct hf_kube_resource *resource)
{
    struct hf_kube_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return NULL;
    }
    watch->client = client;
    watch->is_private = resource->is_private;
    watch->pull_interval_ns = resource->pull_interval_ns;
    watch->timer.fire = begin;
    watch->path = strdup(resource->path);
    watch->what = strdup(resource->what);
    watch->selectors = selectors_of(resource);
    watch->url = malloc(URL_MAX);
    hf_kube_state_init(&watch->state, resource->is_private ? resource->version : NULL);
    if (watch->path == NULL || watch->what == NULL || watch->selectors == NULL ||
        watch->url == NULL) {
        free_watch(watch);
        return NULL;
    }
    return watch;
}

/* What open and close hand to the client's thread. */
struct request {
    struct hf_kube_client *client;
    const struct hf_kube_resource *resource;
    struct hf_kube_listener *listener;
    struct hf_kube_watch *made; /* in case there is none yet; or none is needed: NULL again */
    enum hf_status status;
};

static void join(void *user)
{
    struct request *request = user;
    struct hf_kube_watch **all = hf_kube_client_watches(request->client);
    struct hf_kube_watch *made = request->made, *watch = made->is_private ? NULL : *all;
    while (watch != NULL && (watch->is_private || !same_text(watch->path, made->path) ||
                             !same_text(watch->selectors, made->selectors))) {
        watch = watch->next;
    }
    struct hf_kube_listener *listener = request->listener;
    listener->is_behind = watch != NULL;
    if (watch == NULL) {
        watch = made;
        request->made = NULL;
        watch->next = *all;
        *all = watch;
        begin_again(watch, 0);
    } else if (watch->stream == NULL) {
        hf_kube_state_list_again(&watch->state);
    }
    listener->watch = watch;
    listener->next = watch->listeners;
    watch->listeners = listener;
    if (watch->stream != NULL) {
        /* The list that all are shown, of which the others need only what is new. */
        watch->lists_again = true;
        hf_http_client_cancel(hf_kube_client_http(watch->client), &watch->call);
    }
}

enum hf_status hf_kube_watch_open(struct hf_kube_client *client,
                                  const struct hf_kube_resource *resource,
                                  struct hf_kube_listener *listener)
{
    assert(listener->changed != NULL && listener->say != NULL && listener->watch == NULL);
    struct request request = {.client = client, .listener = listener};
    request.made = new_watch(client, resource);
    if (request.made == NULL) {
        return HF_NOMEM;
    }
    hf_kube_client_run(client, join, &request);
    if (request.made != NULL) {
        free_watch(request.made);
    }
    return HF_OK;
}

static void leave(void *user)
{
    struct request *request = user;
    struct hf_kube_listener **place = &request->listener->watch->listeners;
    struct hf_kube_watch *watch = request->listener->watch;
    while (*place != request->listener) {
        place = &(*place)->next;
    }
    *place = request->listener->next;
    request->listener->watch = NULL;
    if (watch->listeners != NULL) {
        return;
    }
    struct hf_kube_watch **all = hf_kube_client_watches(request->client);
    while (*all != watch) {
        all = &(*all)->next;
    }
    *all = watch->next;
    watch->is_closing = true;
    if (watch->stream != NULL) {
        hf_http_client_cancel(hf_kube_client_http(request->client), &watch->call);
    }
    hf_loop_timer_stop(hf_kube_client_loop(request->client), &watch->timer);
    free_watch(watch);
}

void hf_kube_watch_close(struct hf_kube_client *client, struct hf_kube_listener *listener)
{
    struct request request = {.client = client, .listener = listener};
    if (listener->watch != NULL) {
        hf_kube_client_run(client, leave, &request);
    }
}

void hf_kube_watch_hold(struct hf_kube_listener *listener)
{
    if (listener->watch != NULL) {
        assert(listener->watch->is_private);
        listener->watch->is_held = true;
    }
}

void hf_kube_watch_release(struct hf_kube_listener *listener)
{
    struct hf_kube_watch *watch = listener->watch;
    if (watch != NULL && watch->is_held) {
        watch->is_held = false;
        if (watch->stream != NULL) {
            hf_http_client_resume(hf_kube_client_http(watch->client), &watch->call);
        }
    }
}
