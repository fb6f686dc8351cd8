#include "request.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "json/json.h"

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct hf_kube_request *request = HF_CONTAINER(call, struct hf_kube_request, call);
    request->is_too_large = bytes.size > HF_KUBE_ANSWER_BYTES_MAX - request->body.size;
    bool fits = !request->is_too_large && hf_bytes_append(&request->body, bytes) == HF_OK;
    return fits ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_kube_request *request = HF_CONTAINER(call, struct hf_kube_request, call);
    bool has_content = result->status == HF_OK && result->code / 100 == 2;
    struct hf_bytes body = request->body;
    const struct hf_kube_answer answer = {
        .status = request->is_too_large ? HF_TOO_LARGE : result->status,
        .code = result->code,
        .body = has_content ? hf_slice_of(body.data, body.size) : result->body,
        .error = request->is_too_large ? "the answer is larger than 32 MiB" : result->error,
    };
    char *url = request->url;
    request->body = (struct hf_bytes){0};
    request->url = NULL;
    request->done(request, &answer); /* it may be sent again, or its memory be freed, in there */
    hf_bytes_release(&body);
    free(url);
}

enum hf_status hf_kube_request_send(struct hf_kube_client *client, struct hf_kube_request *request)
{
    const struct hf_kube_access *access = hf_kube_client_access(client);
    request->client = client;
    request->body = (struct hf_bytes){0};
    request->is_too_large = false;
    if (asprintf(&request->url, "%s%s", access->url, request->path) < 0) {
        request->url = NULL;
        return HF_NOMEM;
    }
    request->headers[0] =
        (struct hf_header){hf_slice_text("accept"), hf_slice_text("application/json")};
    request->headers[1] = (struct hf_header){
        hf_slice_text("authorization"),
        hf_slice_text(access->authorization != NULL ? access->authorization : "")};
    request->call = (struct hf_http_call){
        .method = request->method != NULL ? request->method : "GET",
        .url = request->url,
        .content_type = request->json.size == 0      ? NULL
                        : request->json_type != NULL ? request->json_type
                                                     : "application/json",
        .pieces = &request->json,
        .piece_count = request->json.size != 0 ? 1 : 0,
        .headers = request->headers,
        .header_count = access->authorization != NULL ? 2 : 1,
        .deadline_ns = request->deadline_ns,
        .chunk = on_chunk,
        .done = on_done,
    };
    hf_http_client_call(hf_kube_client_http(client), &request->call);
    return HF_OK;
}

void hf_kube_request_cancel(struct hf_kube_request *request)
{
    hf_http_client_cancel(hf_kube_client_http(request->client), &request->call);
}

void hf_kube_explain(const struct hf_kube_answer *answer, char *ret_text, size_t room)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *body;
    char error[HF_JSON_ERROR_MAX];
    if (answer->status != HF_OK) {
        snprintf(ret_text, room, "%s", answer->error != NULL ? answer->error : "no answer");
        return;
    }
    struct hf_slice message = HF_EMPTY_SLICE;
    if (hf_json_read(answer->body, &arena, &body, error) == HF_OK) {
        message = hf_json_text_of(body, "message");
    }
    snprintf(ret_text, room, "%.*s%s%d%s", (int)(message.size < 300 ? message.size : 300),
             message.size != 0 ? (const char *)message.data : "",
             message.size != 0 ? " (" : "the answer is ", answer->code,
             message.size != 0 ? ")" : "");
    hf_arena_release(&arena);
}

/* ---- waiting for it ---- */

struct waited {
    struct hf_kube_request request; /* first */
    struct hf_kube_client *client;
    struct hf_kube_waiter *waiter; /* NULL: none */
    struct hf_bytes body;
    enum hf_status status;
    int code; /* of an answer that is no success; 0: there is none */
    char *reterr;
    sem_t done;
};

/* What a refusal means for the caller. */
static enum hf_status refusal_of(const struct hf_kube_answer *answer)
{
    if (answer->status != HF_OK) {
        return answer->status == HF_TOO_LARGE ? HF_TOO_LARGE : HF_AGAIN;
    }
    switch (answer->code) {
    case 401:
        return HF_UNAUTHENTICATED;
    case 403:
        return HF_FORBIDDEN;
    case 404:
        return HF_NOT_FOUND;
    case 409:
        return HF_EXISTS;
    default:
        return HF_AGAIN;
    }
}

static void answered(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct waited *waited = (struct waited *)request;
    if (waited->waiter != NULL) {
        waited->waiter->request = NULL;
    }
    if (answer->status == HF_OK && answer->code / 100 == 2) {
        waited->status = hf_bytes_append(&waited->body, answer->body);
        snprintf(waited->reterr, HF_ERROR_MAX, "out of memory");
    } else {
        waited->status = refusal_of(answer);
        waited->code = answer->code;
        hf_kube_explain(answer, waited->reterr, HF_ERROR_MAX);
    }
    sem_post(&waited->done);
}

static void begin(void *user)
{
    struct waited *waited = user;
    struct hf_kube_waiter *waiter = waited->waiter;
    bool is_cancelled = waiter != NULL && waiter->is_cancelled;
    waited->status =
        is_cancelled ? HF_NOT_FOUND : hf_kube_request_send(waited->client, &waited->request);
    if (waited->status != HF_OK) {
        snprintf(waited->reterr, HF_ERROR_MAX, "%s", is_cancelled ? "stopping" : "out of memory");
        sem_post(&waited->done);
    } else if (waiter != NULL) {
        waiter->request = &waited->request;
    }
}

static void cancel(void *user)
{
    struct hf_kube_waiter *waiter = user;
    waiter->is_cancelled = true;
    if (waiter->request != NULL) {
        hf_kube_request_cancel(waiter->request);
    }
}

void hf_kube_waiter_cancel(struct hf_kube_client *client, struct hf_kube_waiter *waiter)
{
    hf_kube_client_run(client, cancel, waiter);
}

/* `ret_code` may be NULL. */
static enum hf_status wait_for(struct waited *waited, struct hf_bytes *ret_body, int *ret_code)
{
    sem_init(&waited->done, 0, 0);
    hf_kube_client_run(waited->client, begin, waited);
    while (sem_wait(&waited->done) != 0 && errno == EINTR) {
    }
    sem_destroy(&waited->done);
    if (ret_code != NULL) {
        *ret_code = waited->code;
    }
    if (waited->status == HF_OK) {
        *ret_body = waited->body;
    } else {
        hf_bytes_release(&waited->body);
    }
    return waited->status;
}

enum hf_status hf_kube_ask(struct hf_kube_client *client, const struct hf_kube_question *question,
                           struct hf_bytes *ret_body, int *ret_code, char *reterr)
{
    struct waited waited = {
        .request = {.method = question->method,
                    .path = question->path,
                    .json = question->json,
                    .json_type = question->json_type,
                    .deadline_ns = question->deadline_ns,
                    .done = answered},
        .client = client,
        .reterr = reterr,
    };
    return wait_for(&waited, ret_body, ret_code);
}

enum hf_status hf_kube_get(struct hf_kube_client *client, const char *path, uint64_t deadline_ns,
                           struct hf_kube_waiter *waiter, struct hf_bytes *ret_body, char *reterr)
{
    struct waited waited = {
        .request = {.path = path, .deadline_ns = deadline_ns, .done = answered},
        .client = client,
        .waiter = waiter,
        .reterr = reterr,
    };
    enum hf_status status = wait_for(&waited, ret_body, NULL);
    bool is_refused = status != HF_OK && status != HF_TOO_LARGE && status != HF_NOMEM;
    return is_refused ? HF_NOT_FOUND : status;
}
