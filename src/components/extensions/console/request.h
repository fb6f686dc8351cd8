/*
 * request: what a page needs to know of an HTTP request, copied, because a page may be made on
 * another thread when the HTTP request only waits for its answer: the parameters of its query and
 * of its form, and whom it is from.
 *
 * Owned by one thread at a time: the server's, then the worker's or the sampler's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "access.h"
#include "http/server.h"
#include "util/arena.h"

#define HF_CONSOLE_PARAMETERS_MAX 300u /* a selection of a whole page of dead letters fits */
#define HF_CONSOLE_FORM_BYTES_MAX (1u << 20)

struct hf_console_route;

struct hf_console_parameter {
    const char *name, *value;
};

struct hf_console_request {
    struct hf_console_request *next; /* of a queue */
    struct hf_http_request *http;
    const struct hf_console_route *route;
    struct hf_arena arena;
    struct hf_console_parameter parameters[HF_CONSOLE_PARAMETERS_MAX];
    size_t parameter_count;
    char cookie[HF_CONSOLE_COOKIE_SIZE + 1];
    char token[HF_CONSOLE_TOKEN_SIZE + 1];
    bool cookie_is_new;
    bool is_stream; /* it waits for an event, which is the live part of the page */
};

/* NULL: out of memory. */
struct hf_console_request *hf_console_request_new(struct hf_http_request *http);
void hf_console_request_free(struct hf_console_request *request);

/* A copy of the parameter; HF_NOMEM; HF_TOO_LARGE: they are too many. */
HF_MUST_USE enum hf_status hf_console_add_parameter(struct hf_console_request *request,
                                                    const char *name, const char *value);

/* The parameters of an application/x-www-form-urlencoded text. HF_NOMEM; HF_TOO_LARGE; HF_INVALID:
 * a name or value with a zero byte or a broken %XX. */
HF_MUST_USE enum hf_status hf_console_read_form(struct hf_console_request *request,
                                                struct hf_slice form);

/* The first of that name; NULL: none. */
const char *hf_console_parameter(const struct hf_console_request *request, const char *name);
/* Likewise; `preset` when it is not there or empty. */
const char *hf_console_parameter_or(const struct hf_console_request *request, const char *name,
                                    const char *preset);
/* As a whole number; `preset` when it is none. */
uint64_t hf_console_number(const struct hf_console_request *request, const char *name,
                           uint64_t preset);
