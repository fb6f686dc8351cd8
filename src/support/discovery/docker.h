/*
 * docker: GET requests to a Docker daemon, many at a time, waited for; and one whose answer is a
 * stream. A thread of its own with an HTTP client, over a Unix socket or TCP.
 *
 * open and close: the thread of the component's open and close. get: one other thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "http/client.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/tls/tls.h"

#define HF_DOCKER_ANSWER_BYTES_MAX (32u << 20)

struct hf_docker;
struct hf_probe;
struct hf_tls_config;

/* One request. */
struct hf_docker_get {
    char *url;             /* of hf_docker_url(); freed by hf_docker_get_release() */
    enum hf_status status; /* HF_OK: an answer came, whatever its code */
    int code;
    struct hf_bytes body;  /* of an answer 200 */
    char error[256];       /* for people, when there is no such answer */
    struct hf_docker *api; /* these are the API's */
    bool is_running;
    struct hf_http_call call;
};

/* `endpoint`: "unix:///path", "tcp://host:port", "http://host:port". `tls` NULL, or what a TCP
 * connection is encrypted by unless it says `insecure`; borrowed until the end. On failure `reterr`
 * (HF_ERROR_MAX) is one sentence. */
HF_MUST_USE enum hf_status hf_docker_open(const char *endpoint, const char *version,
                                          const struct hf_tls_config *tls,
                                          struct hf_docker **ret_api, char *reterr);
void hf_docker_close(struct hf_docker *api);

/* The URL of a path ("/containers/json"), as by printf; malloc'd. NULL: no memory. */
char *hf_docker_url(const struct hf_docker *api, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Asks for all of them and returns when the last one is answered or `deadline_ns` (monotonic) has
 * passed. A request without a URL is left alone. */
void hf_docker_get(struct hf_docker *api, struct hf_docker_get *gets, size_t count,
                   uint64_t deadline_ns);
void hf_docker_get_release(struct hf_docker_get *get);
/* Any thread: ends the requests that run, and all later ones. */
void hf_docker_cancel(struct hf_docker *api);

/* A request whose answer does not end, such as /events. One at a time. */
struct hf_docker_stream {
    char *url; /* of hf_docker_url(); belongs to the caller */
    /* On the API's thread. `ended` is the last call; `why` says what was wrong, NULL: nothing. */
    void (*chunk)(struct hf_docker_stream *stream, struct hf_slice bytes);
    void (*ended)(struct hf_docker_stream *stream, const char *why);
    struct hf_docker *api; /* these are the API's */
    struct hf_task task;
    struct hf_http_call call;
};

/* Any thread. `ended` is called once, also by hf_docker_cancel() and after it. */
void hf_docker_stream_begin(struct hf_docker *api, struct hf_docker_stream *stream);

/* ---- the keys that components for Docker share ---- */

/* As struct hf_field validates: endpoint ("" too), api_version. */
const char *hf_docker_check_endpoint(const char *key, const char *text);
const char *hf_docker_check_version(const char *key, const char *text);
/* The endpoint that counts when the configuration has `text`: DOCKER_HOST or the usual socket when
 * that is empty. */
const char *hf_docker_endpoint(const char *text);
/* NULL, or what is wrong with the two of them. `tls` may be NULL. */
const char *hf_docker_check_tls(const char *endpoint, const struct hf_tls_config *tls);
/* For `probe`: can the socket of that endpoint be connected to? Nothing for one over TCP. */
void hf_docker_probe(struct hf_probe *probe, const char *text);

/* clang-format off */
/* Rows of the members `endpoint`, `version`, `excluded` and `tls` (a pointer) of the component's
 * configuration. */
#define HF_DOCKER_FIELDS(owner)                                                                    \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, endpoint),                                                          \
     .validate = hf_docker_check_endpoint,                                                         \
     .default_text = "unix:///var/run/docker.sock",                                                \
     .help = "The daemon: unix:///path, tcp://host:port or http://host:port; DOCKER_HOST, or its " \
             "usual socket, when it is empty."},                                                   \
    {.key = "api_version",                                                                         \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, version),                                                           \
     .validate = hf_docker_check_version,                                                          \
     .default_text = "1.44",                                                                       \
     .help = "Version of the daemon's API."},                                                      \
    {.key = "excluded_images",                                                                     \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = offsetof(owner, excluded),                                                          \
     .help = "Images whose containers are left out: names, globs, /regular expressions/; ! "       \
             "before one takes what it matches out again."},                                       \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, tls),                                                               \
     .inner = hf_tls_client_fields,                                                                \
     .inner_size = sizeof(struct hf_tls_config),                                                   \
     .help = "Encryption of a connection by TCP, as tcp://host:2376; absent: cleartext."}
/* clang-format on */
