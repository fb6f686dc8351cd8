#include "docker.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/probe/probe_server.h"
#include "util/loop.h"
#include "util/tls/tls.h"

#define CONNECTIONS_MAX 64u

struct hf_docker {
    struct hf_loop *loop;
    struct hf_http_client *http;
    char *base;        /* "http://localhost/v1.44" */
    char *unix_socket; /* NULL: TCP */
    /* The round that runs. */
    struct hf_task begin;
    struct hf_docker_get *gets;
    size_t count, running;
    uint64_t deadline_ns;
    sem_t done;
    struct hf_task cancel;
    bool is_cancelled;               /* the API's thread, as what follows */
    struct hf_docker_stream *stream; /* that runs; NULL: none */
};

/* ---- the API's thread ---- */

static void end_one(struct hf_docker *api)
{
    if (--api->running == 0) {
        sem_post(&api->done);
    }
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct hf_docker_get *get = HF_CONTAINER(call, struct hf_docker_get, call);
    bool fits = bytes.size <= HF_DOCKER_ANSWER_BYTES_MAX - get->body.size &&
                hf_bytes_append(&get->body, bytes) == HF_OK;
    return fits ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_docker_get *get = HF_CONTAINER(call, struct hf_docker_get, call);
    get->is_running = false;
    get->status = result->status;
    get->code = result->code;
    if (result->status != HF_OK) {
        snprintf(get->error, sizeof(get->error), "%s",
                 result->error != NULL ? result->error : "no answer");
    } else if (result->code != 200) {
        snprintf(get->error, sizeof(get->error), "the answer is %d: %.*s", result->code,
                 (int)(result->body.size < 150 ? result->body.size : 150),
                 result->body.size != 0 ? (const char *)result->body.data : "");
    }
    end_one(get->api);
}

static void begin_round(struct hf_task *task)
{
    struct hf_docker *api = HF_CONTAINER(task, struct hf_docker, begin);
    api->running = api->count + 1; /* one for this function */
    for (size_t i = 0; i < api->count; i++) {
        struct hf_docker_get *get = &api->gets[i];
        get->api = api;
        if (get->url == NULL || api->is_cancelled) {
            get->status = api->is_cancelled ? HF_CLOSED : HF_NOMEM;
            snprintf(get->error, sizeof(get->error), "%s",
                     api->is_cancelled ? "stopping" : "out of memory");
            end_one(api);
            continue;
        }
        get->call = (struct hf_http_call){.method = "GET",
                                          .url = get->url,
                                          .deadline_ns = api->deadline_ns,
                                          .chunk = on_chunk,
                                          .done = on_done};
        get->is_running = true;
        hf_http_client_call(api->http, &get->call);
    }
    end_one(api);
}

static void cancel_round(struct hf_task *task)
{
    struct hf_docker *api = HF_CONTAINER(task, struct hf_docker, cancel);
    size_t count = api->running != 0 ? api->count : 0;
    struct hf_docker_get *gets = api->gets;
    api->is_cancelled = true;
    api->running += count != 0 ? 1 : 0; /* the round's memory stays until this is done */
    for (size_t i = 0; i < count; i++) {
        if (gets[i].is_running) {
            hf_http_client_cancel(api->http, &gets[i].call);
        }
    }
    if (count != 0) {
        end_one(api);
    }
    if (api->stream != NULL) {
        hf_http_client_cancel(api->http, &api->stream->call);
    }
}

/* ---- a stream; the API's thread ---- */

static enum hf_http_flow on_stream_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct hf_docker_stream *stream = HF_CONTAINER(call, struct hf_docker_stream, call);
    stream->chunk(stream, bytes);
    return HF_HTTP_GO_ON;
}

static void on_stream_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_docker_stream *stream = HF_CONTAINER(call, struct hf_docker_stream, call);
    char why[100];
    stream->api->stream = NULL;
    if (result->status != HF_OK) {
        stream->ended(stream, result->error != NULL ? result->error : "no answer");
    } else if (result->code != 200) {
        snprintf(why, sizeof(why), "the answer is %d", result->code);
        stream->ended(stream, why);
    } else {
        stream->ended(stream, NULL);
    }
}

static void begin_stream(struct hf_task *task)
{
    struct hf_docker_stream *stream = HF_CONTAINER(task, struct hf_docker_stream, task);
    struct hf_docker *api = stream->api;
    assert(api->stream == NULL);
    if (stream->url == NULL || api->is_cancelled) {
        stream->ended(stream, api->is_cancelled ? "stopping" : "out of memory");
        return;
    }
    api->stream = stream;
    stream->call = (struct hf_http_call){
        .method = "GET", .url = stream->url, .chunk = on_stream_chunk, .done = on_stream_done};
    hf_http_client_call(api->http, &stream->call);
}

/* ---- any thread ---- */

void hf_docker_stream_begin(struct hf_docker *api, struct hf_docker_stream *stream)
{
    stream->api = api;
    stream->task.run = begin_stream;
    hf_loop_post(api->loop, &stream->task);
}

/* ---- the thread that waits ---- */

void hf_docker_get(struct hf_docker *api, struct hf_docker_get *gets, size_t count,
                   uint64_t deadline_ns)
{
    api->gets = gets;
    api->count = count;
    api->deadline_ns = deadline_ns;
    api->begin.run = begin_round;
    hf_loop_post(api->loop, &api->begin);
    while (sem_wait(&api->done) != 0 && errno == EINTR) {
    }
}

void hf_docker_cancel(struct hf_docker *api)
{
    api->cancel.run = cancel_round;
    hf_loop_post(api->loop, &api->cancel);
}

void hf_docker_get_release(struct hf_docker_get *get)
{
    free(get->url);
    hf_bytes_release(&get->body);
    *get = (struct hf_docker_get){0};
}

char *hf_docker_url(const struct hf_docker *api, const char *format, ...)
{
    char *path = NULL, *url = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&path, format, arguments);
    va_end(arguments);
    if (size < 0) {
        return NULL;
    }
    size = asprintf(&url, "%s%s", api->base, path);
    free(path);
    return size >= 0 ? url : NULL;
}

/* ---- keys ---- */

const char *hf_docker_check_endpoint(const char *key, const char *text)
{
    bool is_unix = strncmp(text, "unix:///", 8) == 0 && text[8] != '\0';
    bool is_tcp = strncmp(text, "tcp://", 6) == 0 && text[6] != '\0';
    (void)key;
    return text[0] == '\0' || is_unix || is_tcp || hf_http_is_url(text)
               ? NULL
               : "unix:///path, tcp://host:port or http://host:port";
}

/* "1.44"; the oldest that has what is read. */
const char *hf_docker_check_version(const char *key, const char *text)
{
    char *end;
    long major = strtol(text, &end, 10), minor = *end == '.' ? strtol(end + 1, &end, 10) : -1;
    bool is_version = isdigit((unsigned char)text[0]) && *end == '\0' && minor >= 0;
    (void)key;
    return is_version && (major > 1 || (major == 1 && minor >= 25)) ? NULL
                                                                    : "a version from 1.25 on";
}

const char *hf_docker_check_tls(const char *endpoint, const struct hf_tls_config *tls)
{
    static const char unix_scheme[] = "unix://";
    if (tls != NULL && !tls->insecure &&
        strncmp(hf_docker_endpoint(endpoint), unix_scheme, sizeof(unix_scheme) - 1) == 0) {
        return "tls: the endpoint is a Unix socket, which is not encrypted; write tcp://host:2376, "
               "or leave tls out";
    }
    return tls != NULL ? hf_tls_client_check(tls) : NULL;
}

const char *hf_docker_endpoint(const char *text)
{
    const char *host = getenv("DOCKER_HOST");
    return text != NULL && text[0] != '\0'   ? text
           : host != NULL && host[0] != '\0' ? host
                                             : "unix:///var/run/docker.sock";
}

void hf_docker_probe(struct hf_probe *probe, const char *text)
{
    const char *path = hf_http_unix_path(hf_docker_endpoint(text));
    if (path != NULL) {
        const struct hf_probe_server server = {.path = path};
        hf_probe_server(probe, &server);
    }
}

/* ---- life ---- */

static bool name_base(struct hf_docker *api, const char *endpoint, const char *version,
                      bool is_encrypted)
{
    static const char unix_scheme[] = "unix://", tcp[] = "tcp://";
    int size;
    if (strncmp(endpoint, unix_scheme, sizeof(unix_scheme) - 1) == 0) {
        api->unix_socket = strdup(endpoint + sizeof(unix_scheme) - 1);
        size =
            api->unix_socket != NULL ? asprintf(&api->base, "http://localhost/v%s", version) : -1;
    } else if (strncmp(endpoint, tcp, sizeof(tcp) - 1) == 0) {
        size = asprintf(&api->base, "http%s://%s/v%s", is_encrypted ? "s" : "",
                        endpoint + sizeof(tcp) - 1, version);
    } else {
        size = asprintf(&api->base, "%s/v%s", endpoint, version);
    }
    if (size < 0) {
        api->base = NULL;
    }
    return size >= 0;
}

enum hf_status hf_docker_open(const char *endpoint, const char *version,
                              const struct hf_tls_config *tls, struct hf_docker **ret_api,
                              char *reterr)
{
    bool is_encrypted = tls != NULL && !tls->insecure;
    struct hf_docker *api = calloc(1, sizeof(*api));
    enum hf_status status = HF_NOMEM;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (api == NULL) {
        return HF_NOMEM;
    }
    sem_init(&api->done, 0, 0);
    if (name_base(api, endpoint, version, is_encrypted)) {
        status = hf_loop_new(&api->loop);
    }
    if (status == HF_OK) {
        const struct hf_http_client_options options = {
            .loop = api->loop,
            .tls = tls,
            .user_agent = "holdfast/" HF_VERSION,
            .unix_socket = api->unix_socket,
            .max_conns = CONNECTIONS_MAX,
        };
        status = hf_http_client_new(&options, &api->http, reterr);
    }
    if (status == HF_OK) {
        status = hf_loop_start_thread(api->loop, "docker");
    }
    if (status != HF_OK) {
        hf_docker_close(api);
        return status;
    }
    *ret_api = api;
    return HF_OK;
}

void hf_docker_close(struct hf_docker *api)
{
    if (api == NULL) {
        return;
    }
    if (api->loop != NULL) {
        hf_loop_join(api->loop);
    }
    hf_http_client_free(api->http);
    hf_loop_free(api->loop);
    sem_destroy(&api->done);
    free(api->base);
    free(api->unix_socket);
    free(api);
}
