/*
 * service: calls to a service of AWS that speaks JSON: signed, with the service's own words about a
 * failure.
 *
 * A call is the caller's memory until `done`, and ends in exactly one `done`: later, or at once
 * when it cannot be signed. Owned by the thread of the loop.
 */
#pragma once

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "http/client.h"
#include "http/fetch.h"
#include "session.h"

struct hf_loop;
struct hf_aws_service;

#define HF_AWS_URL_MAX 2048u
#define HF_AWS_ERROR_NAME_MAX 64u

struct hf_aws_service_options {
    struct hf_loop *loop;           /* NULL: for hf_aws_fetch() alone */
    struct hf_aws_session *session; /* borrowed until free, as all here */
    const char *name;               /* as it is signed and stands in the host: "logs" */
    const char *region;
    const char *endpoint; /* a URL, or a host for https; NULL or "": that of the region */
    const char *user_agent;
    struct hf_http_client_options http; /* TLS, proxy, connections; what stands above is added */
    size_t response_bytes_max;          /* 0: 64 KiB */
};

/* HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_aws_service_new(const struct hf_aws_service_options *options,
                                              struct hf_aws_service **ret_service, char *reterr);
/* The loop's thread, or when it no longer runs: ends all calls with HF_CLOSED. NULL: nothing. */
void hf_aws_service_free(struct hf_aws_service *service);

/* The URL of the service without a slash at its end. False: it does not fit. */
HF_MUST_USE bool hf_aws_service_url(const char *name, const char *region, const char *endpoint,
                                    char ret_url[HF_AWS_URL_MAX]);

struct hf_aws_result {
    /*
     * HF_OK: code 2xx. HF_UNAUTHENTICATED, HF_FORBIDDEN, HF_UNSUPPORTED: about the credentials or
     * the endpoint. HF_NOT_FOUND: what the call names is not there; HF_EXISTS: it is there already.
     * HF_INVALID, HF_TOO_LARGE: the request is refused. Others are to be tried again; HF_CLOSED:
     * the client ended.
     */
    enum hf_status status;
    int code; /* 0: no answer came */
    uint64_t retry_after_ns;
    struct hf_slice body;              /* borrowed for `done` */
    char error[HF_AWS_ERROR_NAME_MAX]; /* "ThrottlingException"; "": none */
    char message[256];                 /* "" when HF_OK */
};

struct hf_aws_call {
    const char *path;              /* "/" */
    const char *target;            /* x-amz-target of the JSON protocols; NULL: none */
    const char *format;            /* x-amzn-logs-format; NULL: none */
    const char *content_type;      /* "application/x-amz-json-1.1" */
    const struct hf_slice *pieces; /* the body; the caller's until `done` */
    size_t piece_count;
    uint64_t deadline_ns; /* monotonic; 0: none */
    void (*done)(struct hf_aws_call *call, const struct hf_aws_result *result);

    /* The client's. */
    struct hf_aws_service *service;
    struct hf_http_call http;
    char url[HF_AWS_URL_MAX];
    char payload_sha256[65];
    struct hf_aws_signature signature;
    struct hf_header sent[6];
};

/* What cannot be signed ends with HF_UNAUTHENTICATED. */
void hf_aws_call(struct hf_aws_service *service, struct hf_aws_call *call);

/*
 * The same for a thread that waits for it, at most `timeout_ns`; the content is in `fetched`, which
 * the fetcher's options bound. The body is one piece; `done` and the deadline are not looked at.
 */
struct hf_aws_result hf_aws_fetch(struct hf_aws_service *service, struct hf_http_fetcher *fetcher,
                                  struct hf_aws_call *call, uint64_t timeout_ns,
                                  struct hf_http_fetched *fetched);

/* What the name of an error says; HF_OK: nothing is known of it. Any thread. */
enum hf_status hf_aws_error_status(const char *error);
