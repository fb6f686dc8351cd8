/*
 * request: one request to the Kubernetes API and its whole answer; for what is not a list or a
 * watch.
 *
 * The caller owns the struct, zeroed but for its first members, until `done`.
 */
#pragma once

#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "client.h"
#include "http/client.h"
#include "util/compress/compress.h"

#define HF_KUBE_ANSWER_BYTES_MAX (32u << 20)

struct hf_kube_answer {
    enum hf_status status; /* HF_OK: an answer came, whatever its code; HF_TOO_LARGE; others as of
                              struct hf_http_result */
    int code;
    struct hf_slice body; /* valid in `done` */
    const char *error;    /* for the log when not HF_OK */
};

struct hf_kube_request {
    const char *method; /* NULL: GET */
    const char *path;   /* "/version", with its query; valid until `done` */
    struct hf_slice json;
    const char *json_type; /* its Content-Type; NULL: application/json */
    uint64_t deadline_ns;  /* monotonic; 0: none */
    void (*done)(struct hf_kube_request *request, const struct hf_kube_answer *answer);
    /* The request's own. */
    struct hf_kube_client *client;
    struct hf_http_call call;
    struct hf_header headers[2];
    struct hf_bytes body;
    bool is_too_large;
    char *url;
};

/* The client's thread. HF_NOMEM: `done` is not called. Otherwise it is called exactly once, later,
 * on the same thread. */
HF_MUST_USE enum hf_status hf_kube_request_send(struct hf_kube_client *client,
                                                struct hf_kube_request *request);
/* The client's thread: `done` is called with HF_CLOSED before it returns. Only while it runs. */
void hf_kube_request_cancel(struct hf_kube_request *request);

/* Lets another thread end a GET that is waited for, and all later ones. Zeroed at first; belongs to
 * the client's thread. */
struct hf_kube_waiter {
    struct hf_kube_request *request; /* that runs; NULL: none */
    bool is_cancelled;
};

/* Any thread. */
void hf_kube_waiter_cancel(struct hf_kube_client *client, struct hf_kube_waiter *waiter);

/* A request that is waited for. */
struct hf_kube_question {
    const char *method; /* NULL: GET */
    const char *path;
    struct hf_slice json;
    const char *json_type; /* of `json`; NULL: application/json */
    uint64_t deadline_ns;  /* monotonic */
};

/*
 * Asks and waits: any thread but the client's. HF_OK: the API took it, and `ret_body` holds its
 * answer (the caller releases it). Otherwise `ret_code` is the answer's HTTP code, 0 when none
 * came, and `reterr` (HF_ERROR_MAX) says why: HF_FORBIDDEN, HF_UNAUTHENTICATED, HF_NOT_FOUND,
 * HF_EXISTS (409), HF_TOO_LARGE, HF_NOMEM, and HF_AGAIN for all else.
 */
HF_MUST_USE enum hf_status hf_kube_ask(struct hf_kube_client *client,
                                       const struct hf_kube_question *question,
                                       struct hf_bytes *ret_body, int *ret_code, char *reterr);

/*
 * GET, waited for: any thread but the client's. `waiter` may be NULL. `ret_body` holds the content
 * of an answer 200 (the caller releases it). Otherwise HF_NOT_FOUND, HF_TOO_LARGE or HF_NOMEM, and
 * `reterr` (HF_ERROR_MAX) says why.
 */
HF_MUST_USE enum hf_status hf_kube_get(struct hf_kube_client *client, const char *path,
                                       uint64_t deadline_ns, struct hf_kube_waiter *waiter,
                                       struct hf_bytes *ret_body, char *reterr);

/* The `message` of a Status object that refuses a request, or else its code: for people. */
void hf_kube_explain(const struct hf_kube_answer *answer, char *ret_text, size_t room);
