#include "own_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/ref.h>

#include "grpc/client.h"
#include "http/client.h"
#include "util/compress/compress.h"
#include "util/loop.h"

#define HEADERS_MAX 64u
#define WHY_MAX 512
#define USER_AGENT "holdfast/" HF_VERSION

struct hf_own_client {
    const struct hf_push_config *push;
    struct hf_loop *loop;
    struct hf_tls *tls;
    struct hf_grpc_client *grpc;
    struct hf_http_client *http;
    struct hf_header headers[HEADERS_MAX];
    size_t header_count;
    char *header_names[HEADERS_MAX]; /* in lower case, as gRPC wants them */
    /* Of the request under way. */
    bool is_busy;
    struct hf_bytes packed;
    struct hf_slice piece;
    struct hf_grpc_request grpc_request;
    struct hf_http_call http_call;
    char url[1024];
    hf_own_sent *done;
    void *user;
};

static bool has_path(const char *endpoint)
{
    const char *host = strstr(endpoint, "://");
    const char *slash = host != NULL ? strchr(host + 3, '/') : NULL;
    return slash != NULL && slash[1] != '\0';
}

static bool add_headers(struct hf_own_client *client)
{
    const struct hf_string_map *headers = &client->push->headers;
    for (size_t i = 0; i < headers->count && client->header_count < HEADERS_MAX; i++) {
        char *name = strdup(headers->items[i].key);
        if (name == NULL) {
            return false;
        }
        for (char *at = name; *at != '\0'; at++) {
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
        }
        client->header_names[client->header_count] = name;
        client->headers[client->header_count++] =
            (struct hf_header){hf_slice_text(name), hf_slice_text(headers->items[i].value)};
    }
    return true;
}

static enum hf_status open_grpc(struct hf_own_client *client, char *reterr)
{
    const struct hf_push_config *push = client->push;
    char target[512];
    const char *host = strstr(push->endpoint, "://") + 3;
    bool plain = strncmp(push->endpoint, "http://", 7) == 0;
    snprintf(target, sizeof(target), "%.*s", (int)strcspn(host, "/"), host);
    enum hf_status status =
        plain ? HF_OK : hf_tls_new_client(&push->tls, "h2", &client->tls, reterr);
    const struct hf_grpc_client_options options = {
        .loop = client->loop,
        .target = target,
        .tls = client->tls,
        .user_agent = USER_AGENT,
        .proxy_url = "",
    };
    return status == HF_OK ? hf_grpc_client_new(&options, &client->grpc, reterr) : status;
}

enum hf_status hf_own_client_new(const struct hf_push_config *push, struct hf_loop *loop,
                                 struct hf_own_client **ret_client, char *reterr)
{
    struct hf_own_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return HF_NOMEM;
    }
    client->push = push;
    client->loop = loop;
    enum hf_status status = add_headers(client) ? HF_OK : HF_NOMEM;
    if (status == HF_OK && push->is_http) {
        const struct hf_http_client_options options = {
            .loop = loop, .tls = &push->tls, .user_agent = USER_AGENT};
        status = hf_http_client_new(&options, &client->http, reterr);
    } else if (status == HF_OK) {
        status = open_grpc(client, reterr);
    }
    if (status != HF_OK) {
        hf_own_client_free(client);
        return status;
    }
    *ret_client = client;
    return HF_OK;
}

void hf_own_client_free(struct hf_own_client *client)
{
    if (client == NULL) {
        return;
    }
    hf_grpc_client_free(client->grpc);
    hf_http_client_free(client->http);
    hf_tls_free(client->tls);
    hf_bytes_release(&client->packed);
    for (size_t i = 0; i < client->header_count; i++) {
        free(client->header_names[i]);
    }
    free(client);
}

bool hf_own_client_is_busy(const struct hf_own_client *client)
{
    return client->is_busy;
}

static void end(struct hf_own_client *client, bool again, const char *why)
{
    client->is_busy = false;
    client->done(client->user, again, why);
}

/* The codes that OTLP says may be tried again. */
static bool may_try_again(int code)
{
    static const int codes[] = {1, 4, 8, 10, 11, 14, 15};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static void grpc_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct hf_own_client *client = HF_CONTAINER(request, struct hf_own_client, grpc_request);
    char why[WHY_MAX];
    snprintf(why, sizeof(why), "gRPC code %d: %.400s", result->code, result->message);
    end(client, may_try_again(result->code), result->code != 0 ? why : NULL);
}

static void http_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_own_client *client = HF_CONTAINER(call, struct hf_own_client, http_call);
    char why[WHY_MAX];
    bool answered = result->status == HF_OK;
    bool good = answered && result->code / 100 == 2;
    bool again = !answered ? result->status != HF_INVALID
                           : result->code == 429 || (result->code >= 502 && result->code <= 504);
    if (answered) {
        snprintf(why, sizeof(why), "HTTP status %d", result->code);
    } else {
        snprintf(why, sizeof(why), "%s", result->error != NULL ? result->error : "no connection");
    }
    end(client, again, good ? NULL : why);
}

static void call_grpc(struct hf_own_client *client, enum hf_signal signal, uint64_t deadline_ns)
{
    static const char *const paths[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        [HF_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        [HF_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"};
    client->grpc_request = (struct hf_grpc_request){
        .path = paths[signal],
        .pieces = &client->piece,
        .piece_count = 1,
        .coding = client->push->gzip ? HF_GZIP : HF_IDENTITY,
        .headers = client->headers,
        .header_count = client->header_count,
        .deadline_ns = deadline_ns,
        .done = grpc_done,
    };
    hf_grpc_client_call(client->grpc, &client->grpc_request);
}

static void call_http(struct hf_own_client *client, enum hf_signal signal, uint64_t deadline_ns)
{
    const char *endpoint = client->push->endpoint;
    bool is_whole = has_path(endpoint);
    size_t size = strlen(endpoint);
    bool slash = size != 0 && endpoint[size - 1] == '/';
    const char *folder = is_whole ? "" : slash ? "v1/" : "/v1/";
    snprintf(client->url, sizeof(client->url), "%s%s%s", endpoint, folder,
             is_whole ? "" : hf_signal_name(signal));
    client->http_call = (struct hf_http_call){
        .method = "POST",
        .url = client->url,
        .content_type = "application/x-protobuf",
        .content_encoding = client->push->gzip ? "gzip" : NULL,
        .pieces = &client->piece,
        .piece_count = 1,
        .headers = client->headers,
        .header_count = client->header_count,
        .deadline_ns = deadline_ns,
        .done = http_done,
    };
    hf_http_client_call(client->http, &client->http_call);
}

void hf_own_client_send(struct hf_own_client *client, const struct hf_batch *batch,
                        uint64_t timeout_ns, hf_own_sent *done, void *user)
{
    uint64_t deadline_ns = timeout_ns != 0 ? hf_loop_now_ns(client->loop) + timeout_ns : 0;
    client->done = done;
    client->user = user;
    client->is_busy = true;
    client->piece = batch->raw;
    client->packed.size = 0;
    if (client->push->gzip) {
        if (hf_encode(HF_GZIP, 0, &batch->raw, 1, &client->packed) != HF_OK) {
            end(client, true, "out of memory");
            return;
        }
        client->piece = hf_slice_of(client->packed.data, client->packed.size);
    }
    if (client->http != NULL) {
        call_http(client, batch->signal, deadline_ns);
    } else {
        call_grpc(client, batch->signal, deadline_ns);
    }
}
