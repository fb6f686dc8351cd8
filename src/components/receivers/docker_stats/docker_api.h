/*
 * docker_api: GET requests to a Docker daemon, many at a time, waited for: a thread of its own with
 * an HTTP client, over a Unix socket or TCP.
 *
 * open and close: the main thread. get: one other thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "http/client.h"
#include "util/compress.h"

#define DOCKER_ANSWER_BYTES_MAX (32u << 20)

struct docker_api;

/* One request. */
struct docker_get {
    char *url;             /* of docker_api_url(); freed by docker_get_release() */
    enum hf_status status; /* HF_OK: an answer came, whatever its code */
    int code;
    struct hf_bytes body;   /* of an answer 200 */
    char error[256];        /* for people, when there is no such answer */
    struct docker_api *api; /* these are the API's */
    bool is_running;
    struct hf_http_call call;
};

/* `endpoint`: "unix:///path", "tcp://host:port", "http://host:port". On failure `reterr`
 * (HF_ERROR_MAX) is one sentence. */
HF_MUST_USE enum hf_status docker_api_open(const char *endpoint, const char *version,
                                           struct docker_api **ret_api, char *reterr);
void docker_api_close(struct docker_api *api);

/* The URL of a path ("/containers/json"), as by printf; malloc'd. NULL: no memory. */
char *docker_api_url(const struct docker_api *api, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Asks for all of them and returns when the last one is answered or `deadline_ns` (monotonic) has
 * passed. A request without a URL is left alone. */
void docker_api_get(struct docker_api *api, struct docker_get *gets, size_t count,
                    uint64_t deadline_ns);
void docker_get_release(struct docker_get *get);
/* Any thread: ends the requests that run, and all later ones. */
void docker_api_cancel(struct docker_api *api);
