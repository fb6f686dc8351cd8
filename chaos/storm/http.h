/*
 * http: a connection that sends one POST after another, with hardly any cost of its own: the sender
 * of OTLP/HTTP loads, which shares its cores with what it measures. One request at a time;
 * reconnects by itself. All on one loop.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "util/loop.h"

#define STORM_HTTP_ANSWER_MAX 8192

struct storm_http {
    struct hf_loop *loop;
    struct sockaddr_in address;
    /* The answer's status code; 0: no answer. Never called before storm_http_send() returns. */
    void (*done)(struct storm_http *http, int code);
    void *user;
    /* The rest is its own. */
    struct hf_io io;
    struct hf_timer limit; /* of the answer, or before a failure is told */
    struct hf_slice head, body;
    size_t sent, got;
    int fd;
    bool connecting, busy;
    bool is_kept; /* the connection was there before the request */
    char answer[STORM_HTTP_ANSWER_MAX];
};

/* After loop, address and done were set. */
void storm_http_init(struct storm_http *http);
/* `head` (with Content-Length and the empty line) and `body` are the caller's until `done`. */
void storm_http_send(struct storm_http *http, struct hf_slice head, struct hf_slice body);
void storm_http_release(struct storm_http *http);
