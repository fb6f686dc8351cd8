/*
 * token_server: a server of tokens in memory, in place of http/fetch.c: it answers each request
 * with what a test has set for it, and keeps the request. Included by one file of a program.
 */
#pragma once

#include <pthread.h>
#include <time.h>

#include "http/fetch.h"
#include "tests/unit/components/extensions/support.h"

#define REQUESTS_MAX 16
#define REQUEST_TEXT_MAX 4096

struct asked {
    char method[8], url[1024], content_type[64];
    char body[REQUEST_TEXT_MAX];
    char headers[1024]; /* "name=value;" of each */
    uint64_t timeout_ns;
};

struct answer {
    const char *part; /* of the URL or the body of requests that it is for; NULL: all others */
    int code;         /* 0: there is no answer */
    const char *body; /* a "%d" in it becomes the number of the request, from 1 */
};

static struct {
    pthread_mutex_t lock;
    const struct answer *answers; /* the last one is for all */
    struct asked asked[REQUESTS_MAX];
    size_t count;
    bool is_stopped;
    char logged[1024];
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void serve(const struct answer *answers)
{
    pthread_mutex_lock(&server.lock);
    server.answers = answers;
    pthread_mutex_unlock(&server.lock);
}

/* Before each test. */
static inline int reset_server(void **state)
{
    (void)state;
    pthread_mutex_lock(&server.lock);
    server.answers = NULL;
    server.count = 0;
    server.is_stopped = false;
    server.logged[0] = '\0';
    pthread_mutex_unlock(&server.lock);
    return 0;
}

static inline size_t asked_count(void)
{
    pthread_mutex_lock(&server.lock);
    size_t count = server.count;
    pthread_mutex_unlock(&server.lock);
    return count;
}

/* The request of that number, from 0, once it is there. */
static inline struct asked asked_of(size_t number)
{
    while (asked_count() <= number) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_mutex_lock(&server.lock);
    struct asked copy = server.asked[number];
    pthread_mutex_unlock(&server.lock);
    return copy;
}

static inline void assert_logged(const char *part)
{
    pthread_mutex_lock(&server.lock);
    if (strstr(server.logged, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, server.logged);
    }
    pthread_mutex_unlock(&server.lock);
}

/* What the extension adds to a request; "": there is no token. */
static inline const char *added(const struct extension *extension, struct sink *sink)
{
    *sink = (struct sink){.sink = {keep}};
    enum hf_status status = extension->component->extension->auth->headers(
        extension->self, HF_EMPTY_SLICE, &sink->sink);
    assert_true(status == HF_OK || status == HF_UNAUTHENTICATED);
    return status == HF_OK ? sink->text : "";
}

/* Waits until it adds that. */
static inline void wait_until_added(const struct extension *extension, const char *expected)
{
    struct sink sink;
    while (strcmp(added(extension, &sink), expected) != 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* ---- in place of http/fetch.c and the node ---- */

struct hf_http_fetcher {
    int unused;
};

enum hf_status hf_http_fetcher_new(const struct hf_http_client_options *options,
                                   struct hf_http_fetcher **ret_fetcher, char *reterr)
{
    (void)options;
    (void)reterr;
    *ret_fetcher = calloc(1, sizeof(**ret_fetcher));
    return *ret_fetcher != NULL ? HF_OK : HF_NOMEM;
}

void hf_http_fetcher_stop(struct hf_http_fetcher *fetcher)
{
    (void)fetcher;
    pthread_mutex_lock(&server.lock);
    server.is_stopped = true;
    pthread_mutex_unlock(&server.lock);
}

void hf_http_fetcher_free(struct hf_http_fetcher *fetcher)
{
    free(fetcher);
}

static inline void keep_request(const struct hf_http_fetch *fetch)
{
    struct asked *one = &server.asked[server.count++];
    *one = (struct asked){.timeout_ns = fetch->timeout_ns};
    snprintf(one->method, sizeof(one->method), "%s", fetch->method);
    snprintf(one->url, sizeof(one->url), "%s", fetch->url);
    snprintf(one->content_type, sizeof(one->content_type), "%s",
             fetch->content_type != NULL ? fetch->content_type : "");
    snprintf(one->body, sizeof(one->body), "%.*s", (int)fetch->body.size,
             fetch->body.size != 0 ? (const char *)fetch->body.data : "");
    for (size_t i = 0; i < fetch->header_count; i++) {
        const struct hf_header *header = &fetch->headers[i];
        size_t used = strlen(one->headers);
        snprintf(one->headers + used, sizeof(one->headers) - used, "%.*s=%.*s;",
                 (int)header->name.size, (const char *)header->name.data, (int)header->value.size,
                 (const char *)header->value.data);
    }
}

static inline enum hf_status give_answer(struct hf_http_fetched *ret)
{
    const struct answer *answer = server.answers;
    const struct asked *asked = &server.asked[server.count - 1];
    while (answer->part != NULL && strstr(asked->url, answer->part) == NULL &&
           strstr(asked->body, answer->part) == NULL) {
        answer++;
    }
    if (answer->code == 0) {
        snprintf(ret->why, sizeof(ret->why), "connection refused");
        return HF_AGAIN;
    }
    char text[REQUEST_TEXT_MAX];
    const char *number = strstr(answer->body, "%d");
    if (number != NULL) {
        snprintf(text, sizeof(text), "%.*s%zu%s", (int)(number - answer->body), answer->body,
                 server.count, number + 2);
    } else {
        snprintf(text, sizeof(text), "%s", answer->body);
    }
    ret->code = answer->code;
    ret->body.size = 0;
    return hf_bytes_append(&ret->body, hf_slice_text(text));
}

enum hf_status hf_http_fetch(struct hf_http_fetcher *fetcher, const struct hf_http_fetch *fetch,
                             struct hf_http_fetched *ret)
{
    enum hf_status status = HF_CLOSED;
    (void)fetcher;
    pthread_mutex_lock(&server.lock);
    if (!server.is_stopped && server.count < REQUESTS_MAX) {
        keep_request(fetch);
        status = give_answer(ret);
    }
    pthread_mutex_unlock(&server.lock);
    return status;
}

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    va_list arguments;
    (void)node;
    (void)level;
    pthread_mutex_lock(&server.lock);
    va_start(arguments, format);
    vsnprintf(server.logged, sizeof(server.logged), format, arguments);
    va_end(arguments);
    pthread_mutex_unlock(&server.lock);
}
