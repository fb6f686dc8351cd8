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
#include "util/compress.h"

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
    uint64_t deadline_ns; /* monotonic; 0: none */
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

/*
 * GET, waited for: any thread but the client's. `ret_body` holds the content of an answer 200 (the
 * caller releases it). Otherwise HF_NOT_FOUND, HF_TOO_LARGE or HF_NOMEM, and `reterr`
 * (HF_ERROR_MAX) says why.
 */
HF_MUST_USE enum hf_status hf_kube_get(struct hf_kube_client *client, const char *path,
                                       uint64_t deadline_ns, struct hf_bytes *ret_body,
                                       char *reterr);

/* The `message` of a Status object that refuses a request, or else its code: for people. */
void hf_kube_explain(const struct hf_kube_answer *answer, char *ret_text, size_t room);
