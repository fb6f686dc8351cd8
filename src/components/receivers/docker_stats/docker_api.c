#include "docker_api.h"

#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/loop.h"

#define CONNECTIONS_MAX 64u

struct docker_api {
    struct hf_loop *loop;
    struct hf_http_client *http;
    char *base;        /* "http://localhost/v1.44" */
    char *unix_socket; /* NULL: TCP */
    /* The round that runs. */
    struct hf_task begin;
    struct docker_get *gets;
    size_t count, running;
    uint64_t deadline_ns;
    sem_t done;
    struct hf_task cancel;
    bool is_cancelled; /* the API's thread */
};

/* ---- the API's thread ---- */

static void end_one(struct docker_api *api)
{
    if (--api->running == 0) {
        sem_post(&api->done);
    }
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct docker_get *get = HF_CONTAINER(call, struct docker_get, call);
    bool fits = bytes.size <= DOCKER_ANSWER_BYTES_MAX - get->body.size &&
                hf_bytes_append(&get->body, bytes) == HF_OK;
    return fits ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct docker_get *get = HF_CONTAINER(call, struct docker_get, call);
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
    struct docker_api *api = HF_CONTAINER(task, struct docker_api, begin);
    api->running = api->count + 1; /* one for this function */
    for (size_t i = 0; i < api->count; i++) {
        struct docker_get *get = &api->gets[i];
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
    struct docker_api *api = HF_CONTAINER(task, struct docker_api, cancel);
    size_t count = api->running != 0 ? api->count : 0;
    struct docker_get *gets = api->gets;
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
}

/* ---- the scraper's thread ---- */

void docker_api_get(struct docker_api *api, struct docker_get *gets, size_t count,
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

void docker_api_cancel(struct docker_api *api)
{
    api->cancel.run = cancel_round;
    hf_loop_post(api->loop, &api->cancel);
}

void docker_get_release(struct docker_get *get)
{
    free(get->url);
    hf_bytes_release(&get->body);
    *get = (struct docker_get){0};
}

char *docker_api_url(const struct docker_api *api, const char *format, ...)
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

/* ---- the main thread ---- */

static bool name_base(struct docker_api *api, const char *endpoint, const char *version)
{
    static const char unix_scheme[] = "unix://", tcp[] = "tcp://";
    int size;
    if (strncmp(endpoint, unix_scheme, sizeof(unix_scheme) - 1) == 0) {
        api->unix_socket = strdup(endpoint + sizeof(unix_scheme) - 1);
        size =
            api->unix_socket != NULL ? asprintf(&api->base, "http://localhost/v%s", version) : -1;
    } else if (strncmp(endpoint, tcp, sizeof(tcp) - 1) == 0) {
        size = asprintf(&api->base, "http://%s/v%s", endpoint + sizeof(tcp) - 1, version);
    } else {
        size = asprintf(&api->base, "%s/v%s", endpoint, version);
    }
    if (size < 0) {
        api->base = NULL;
    }
    return size >= 0;
}

enum hf_status docker_api_open(const char *endpoint, const char *version,
                               struct docker_api **ret_api, char *reterr)
{
    struct docker_api *api = calloc(1, sizeof(*api));
    enum hf_status status = HF_NOMEM;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (api == NULL) {
        return HF_NOMEM;
    }
    sem_init(&api->done, 0, 0);
    if (name_base(api, endpoint, version)) {
        status = hf_loop_new(&api->loop);
    }
    if (status == HF_OK) {
        const struct hf_http_client_options options = {
            .loop = api->loop,
            .user_agent = "holdfast/" HF_VERSION,
            .unix_socket = api->unix_socket,
            .max_conns = CONNECTIONS_MAX,
        };
        status = hf_http_client_new(&options, &api->http, reterr);
    }
    if (status == HF_OK) {
        status = hf_loop_start_thread(api->loop, "docker_stats");
    }
    if (status != HF_OK) {
        docker_api_close(api);
        return status;
    }
    *ret_api = api;
    return HF_OK;
}

void docker_api_close(struct docker_api *api)
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
