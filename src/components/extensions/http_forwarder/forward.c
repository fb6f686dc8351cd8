#include "forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "http/client_facts.h"
#include "passed_headers.h"
#include "util/header_list.h"
#include "util/time/clock.h"

#define ANSWER_BYTES_MAX ((size_t)64 << 20)
#define VIA_MAX 512
#define PROTOCOL "HTTP/1.1"

/* A request on its way: of a thread of the server until it is posted, then of the loop's. */
struct forward {
    struct hf_task begin;
    struct hf_http_call call;
    struct http_forwarder *forwarder;
    struct hf_http_request *request;
    struct hf_passed_headers passed; /* of the request */
    struct hf_header_list added;     /* by the configuration and the authenticator */
    struct hf_header *headers;       /* into both */
    size_t header_count;
    char via[VIA_MAX];
    char method[32], *url;
    struct hf_slice body;
    struct hf_ref *body_owner;
    struct hf_bytes coded, answer;
    const char *refused; /* why its answer is not passed on; NULL: it is */
};

static void free_forward(struct forward *forward)
{
    hf_passed_headers_release(&forward->passed);
    hf_ref_drop(forward->body_owner);
    hf_bytes_release(&forward->coded);
    hf_bytes_release(&forward->answer);
    free(forward->headers);
    free(forward->url);
    free(forward);
}

static void answer_failure(struct hf_http_request *request, int code, const char *why)
{
    static const struct hf_http_answer_header headers[] = {{"X-Content-Type-Options", "nosniff"}};
    char text[HF_ERROR_MAX];
    int size = snprintf(text, sizeof(text), "%.*s\n", HF_ERROR_MAX - 2, why);
    const struct hf_http_answer answer = {
        .status = code,
        .content_type = "text/plain; charset=utf-8",
        .body = hf_slice_of(text, (size_t)size),
        .headers = headers,
        .header_count = 1,
    };
    hf_http_answer(request, &answer);
}

/* ---- back ---- */

static void fail(struct forward *forward, int code, const char *why)
{
    struct http_forwarder *forwarder = forward->forwarder;
    if (code == 502 &&
        hf_log_limiter_allows(&forwarder->said, "egress", why, hf_clock_coarse_ns())) {
        hf_node_log(forwarder->pages.node, HF_LOG_WARN, "a request to %s was not forwarded: %s",
                    forwarder->base, why);
    }
    answer_failure(forward->request, code, why);
}

/* False: the answer is not whole. */
static bool is_whole(const struct forward *forward, const struct hf_http_result *result,
                     struct hf_slice body)
{
    const char *length = hf_http_result_header(result, "content-length");
    bool has_body = strcmp(forward->method, "HEAD") != 0 && result->code != 204 &&
                    result->code != 304 && length != NULL;
    return !has_body || strtoull(length, NULL, 10) == body.size;
}

static uint64_t head_bytes(const struct forward *forward, const struct hf_http_result *result)
{
    const char *length = hf_http_result_header(result, "content-length");
    if (strcmp(forward->method, "HEAD") != 0) {
        return 0;
    }
    return length != NULL ? strtoull(length, NULL, 10) : HF_HTTP_SIZE_UNKNOWN;
}

static void pass_answer(const struct forward *forward, const struct hf_http_result *result,
                        const struct hf_passed_headers *passed, struct hf_slice body)
{
    size_t count = 0, at = 0;
    struct hf_http_answer_header *headers = calloc(passed->count, sizeof(*headers));
    if (headers == NULL) {
        answer_failure(forward->request, 503, hf_status_row(HF_NOMEM)->says);
        return;
    }
    while (hf_passed_headers_next(passed, &at, &headers[count])) {
        count++;
    }
    const struct hf_http_answer answer = {.status = result->code,
                                          .body = body,
                                          .headers = headers,
                                          .header_count = count,
                                          .head_bytes = head_bytes(forward, result)};
    hf_http_answer(forward->request, &answer);
    free(headers);
}

static void take_answer(struct forward *forward, const struct hf_http_result *result)
{
    struct hf_passed_headers passed = {0};
    struct hf_slice body = forward->answer.size != 0
                               ? hf_slice_of(forward->answer.data, forward->answer.size)
                               : result->body; /* of a redirect */
    hf_http_result_header_each(result, hf_passed_headers_look, &passed);
    hf_http_result_header_each(result, hf_passed_headers_take, &passed);
    hf_passed_headers_put(&passed, hf_slice_text("Via"), hf_slice_text(forward->via));
    if (passed.status != HF_OK) {
        fail(forward, 502,
             passed.status == HF_NOMEM ? hf_status_row(HF_NOMEM)->says
                                       : "the headers of the answer are larger than 256 KiB");
    } else if (!is_whole(forward, result, body)) {
        fail(forward, 502, "the answer has not come whole");
    } else {
        pass_answer(forward, result, &passed, body);
    }
    hf_passed_headers_release(&passed);
}

/* The loop's thread. */
static enum hf_http_flow take_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct forward *forward = HF_CONTAINER(call, struct forward, call);
    struct http_forwarder *forwarder = forward->forwarder;
    if (forward->answer.size + bytes.size > ANSWER_BYTES_MAX) {
        forward->refused = "the answer is larger than 64 MiB";
    } else if (forwarder->answers_bytes + bytes.size > forwarder->answers_bytes_max) {
        forward->refused = "the answers that are coming take all the memory that they may have";
    } else if (hf_bytes_append(&forward->answer, bytes) != HF_OK) {
        forward->refused = hf_status_row(HF_NOMEM)->says;
    } else {
        forwarder->answers_bytes += bytes.size;
    }
    return forward->refused == NULL ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

/* The loop's thread. */
static void on_result(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct forward *forward = HF_CONTAINER(call, struct forward, call);
    struct http_forwarder *forwarder = forward->forwarder;
    if (forward->refused != NULL) {
        fail(forward, 502, forward->refused);
    } else if (result->status == HF_CLOSED) {
        fail(forward, 503, hf_status_row(HF_CLOSED)->says);
    } else if (result->status != HF_OK) {
        fail(forward, 502, result->error);
    } else {
        hf_auth_note(&forwarder->auth, result->code == 401 ? HF_UNAUTHENTICATED : HF_OK);
        take_answer(forward, result);
    }
    forwarder->answers_bytes -= forward->answer.size;
    free_forward(forward);
}

/* ---- forth ---- */

/* Those that the forwarder adds stand instead of the sender's of the same name. */
static enum hf_status list_headers(struct forward *forward)
{
    const struct hf_header_list *added = &forward->added;
    struct hf_http_answer_header header;
    size_t at = 0;
    if (forward->headers == NULL) {
        forward->headers =
            calloc(forward->passed.count + HF_HEADERS_MAX, sizeof(*forward->headers));
        if (forward->headers == NULL) {
            return HF_NOMEM;
        }
    }
    memcpy(forward->headers, added->items, added->count * sizeof(added->items[0]));
    forward->header_count = added->count;
    while (hf_passed_headers_next(&forward->passed, &at, &header)) {
        if (hf_header_find(added->items, added->count, header.name) == NULL) {
            forward->headers[forward->header_count++] =
                (struct hf_header){hf_slice_text(header.name), hf_slice_text(header.value)};
        }
    }
    return HF_OK;
}

static enum hf_status add_credentials(struct forward *forward)
{
    const struct http_forwarder *forwarder = forward->forwarder;
    const struct hf_auth_ref *auth = &forwarder->auth;
    enum hf_status status = hf_header_list_fill(&forward->added, HF_HEADERS_HTTP,
                                                &forwarder->config->egress.http.headers, auth->ops,
                                                auth->self, HF_EMPTY_SLICE);
    status = status == HF_OK ? list_headers(forward) : status;
    if (status != HF_OK || auth->ops == NULL || auth->ops->sign == NULL) {
        return status;
    }
    const struct hf_auth_outgoing request = {.method = forward->method,
                                             .url = forward->url,
                                             .body = &forward->body,
                                             .body_count = forward->body.size != 0 ? 1 : 0,
                                             .headers = forward->headers,
                                             .header_count = forward->header_count};
    status = auth->ops->sign(auth->self, &request, &forward->added.sink);
    hf_header_list_tell(&forward->added, status);
    return status == HF_OK ? list_headers(forward) : status;
}

/* A body that its sender has compressed goes out decoded, or in the coding of the configuration. */
static enum hf_status encode(struct forward *forward)
{
    const struct hf_http_client_config *http = &forward->forwarder->config->egress.http;
    enum hf_coding coding = hf_http_client_coding(http);
    if (coding == HF_IDENTITY || forward->body.size == 0) {
        return HF_OK;
    }
    enum hf_status status =
        hf_encode(coding, (int)http->compression_params.level, &forward->body, 1, &forward->coded);
    forward->body = hf_slice_of(forward->coded.data, forward->coded.size);
    forward->call.content_encoding = http->compression;
    return status;
}

/* The loop's thread. */
static void begin(struct hf_task *task)
{
    struct forward *forward = HF_CONTAINER(task, struct forward, begin);
    struct http_forwarder *forwarder = forward->forwarder;
    uint64_t timeout_ns = forwarder->config->egress.timeout_ns;
    enum hf_status status = forwarder->client != NULL ? encode(forward) : HF_CLOSED;
    status = status == HF_OK ? add_credentials(forward) : status;
    if (status != HF_OK) {
        bool is_own = status == HF_CLOSED || status == HF_NOMEM;
        const char *why =
            forward->added.why[0] != '\0' ? forward->added.why : hf_status_row(status)->says;
        fail(forward, is_own ? 503 : 502, why);
        free_forward(forward);
        return;
    }
    forward->call.method = forward->method;
    forward->call.url = forward->url;
    forward->call.pieces = &forward->body;
    forward->call.piece_count = forward->body.size != 0 ? 1 : 0;
    forward->call.headers = forward->headers;
    forward->call.header_count = forward->header_count;
    forward->call.deadline_ns = timeout_ns != 0 ? hf_clock_monotonic_ns() + timeout_ns : 0;
    forward->call.chunk = take_chunk;
    forward->call.is_whole = true;
    forward->call.done = on_result;
    hf_http_client_call(forwarder->client, &forward->call);
}

struct collector {
    struct hf_passed_headers *passed;
    bool is_decoded;
};

static void take_header(void *user, struct hf_slice name, struct hf_slice value)
{
    static const char *const own[] = {"host", "expect"}; /* of this connection */
    const struct collector *collector = user;
    bool is_own = false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        is_own = is_own || (name.size == strlen(own[i]) &&
                            strncasecmp((const char *)name.data, own[i], name.size) == 0);
    }
    is_own = is_own || (collector->is_decoded && name.size == strlen("content-encoding") &&
                        strncasecmp((const char *)name.data, "content-encoding", name.size) == 0);
    if (!is_own) {
        hf_passed_headers_take(collector->passed, name, value);
    }
}

/* The target behind scheme and host, which are the endpoint's. NULL: out of memory. */
static char *make_url(const char *base, const char *target)
{
    const char *host = target[0] == '/' ? NULL : strstr(target, "://");
    const char *path = host != NULL ? strpbrk(host + 3, "/?") : target;
    path = path != NULL ? path : "/";
    size_t base_size = strlen(base), size = base_size + 2;
    for (const char *at = path; *at != '\0'; at++) {
        size += *at == '#' ? 3 : 1;
    }
    char *url = malloc(size);
    if (url == NULL) {
        return NULL;
    }
    memcpy(url, base, base_size);
    size_t used = base_size;
    if (path[0] == '?') {
        url[used++] = '/';
    }
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '#') { /* else what is behind it stayed here */
            memcpy(url + used, "%23", 3);
            used += 3;
        } else {
            url[used++] = *at;
        }
    }
    url[used] = '\0';
    return url;
}

/* NULL: out of memory. */
static struct forward *new_forward(struct http_forwarder *forwarder,
                                   struct hf_http_request *request, const char *target)
{
    struct forward *forward = calloc(1, sizeof(*forward));
    if (forward == NULL) {
        return NULL;
    }
    const struct hf_http_body *body = hf_http_request_body(request);
    struct hf_slice host = hf_http_header(request, "host");
    struct collector collector = {&forward->passed, body->coding != HF_IDENTITY};
    forward->begin.run = begin;
    forward->forwarder = forwarder;
    forward->request = request;
    forward->url = make_url(forwarder->base, target);
    snprintf(forward->method, sizeof(forward->method), "%s", hf_http_method(request));
    snprintf(forward->via, sizeof(forward->via), "%s %.*s", PROTOCOL, (int)host.size,
             (const char *)host.data);
    forward->body = body->raw;
    if (body->raw_owner != NULL) {
        hf_ref_take(body->raw_owner);
        forward->body_owner = body->raw_owner;
    }
    hf_http_header_each(request, hf_passed_headers_look, &forward->passed);
    hf_http_header_each(request, take_header, &collector);
    hf_passed_headers_put(&forward->passed, hf_slice_text("Via"), hf_slice_text(forward->via));
    if (forward->url == NULL || forward->passed.status != HF_OK) {
        free_forward(forward);
        return NULL;
    }
    return forward;
}

/* A thread of the server. */
void hf_forward_pass(void *user, struct hf_http_request *request)
{
    struct http_forwarder *forwarder = user;
    const char *target = hf_http_target(request);
    if (strlen(hf_http_method(request)) >= sizeof(((struct forward *)NULL)->method) ||
        (target != NULL && strcmp(target, "*") == 0)) {
        answer_failure(request, 400, "the method is too long, or the target is not a path");
        return;
    }
    struct forward *forward = target != NULL ? new_forward(forwarder, request, target) : NULL;
    if (forward == NULL) {
        answer_failure(request, 503, hf_status_row(HF_NOMEM)->says);
        return;
    }
    hf_loop_post(forwarder->loop, &forward->begin);
}
