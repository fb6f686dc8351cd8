/*
 * s3: requests to S3 and to stores that speak its protocol: signed, addressed by bucket and key,
 * with the store's own words about a failure.
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
struct hf_s3;

#define HF_S3_KEY_MAX 1024u /* bytes of a key; what S3 allows */
#define HF_S3_URL_MAX 4096u
#define HF_S3_ERROR_NAME_MAX 64u

struct hf_s3_options {
    struct hf_loop *loop;           /* NULL: for hf_s3_fetch() alone */
    struct hf_aws_session *session; /* borrowed until free, as all here */
    const char *region;
    const char *endpoint; /* with or without a scheme; NULL or "": that of the region */
    bool force_path_style, disable_ssl;
    const char *user_agent;
    size_t response_bytes_max; /* 0: 64 KiB */
};

/* HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_s3_new(const struct hf_s3_options *options, struct hf_s3 **ret_s3,
                                     char *reterr);
/* The loop's thread, or when it no longer runs: ends all calls with HF_CLOSED. NULL: nothing. */
void hf_s3_free(struct hf_s3 *s3);

/* The URL of an object, or of the bucket when `key` is ""; `query` without "?", escaped, or "".
 * HF_TOO_LARGE: more than HF_S3_URL_MAX. */
HF_MUST_USE enum hf_status hf_s3_url(const struct hf_s3 *s3, const char *bucket, const char *key,
                                     const char *query, char ret_url[HF_S3_URL_MAX]);

struct hf_s3_result {
    /*
     * HF_OK: code 2xx. HF_UNAUTHENTICATED, HF_FORBIDDEN, HF_NOT_FOUND, HF_UNSUPPORTED: about the
     * credentials, the bucket, the object or the endpoint. HF_TOO_LARGE. HF_INVALID: the key is
     * refused. Others are to be tried again; HF_CLOSED: the client ended.
     */
    enum hf_status status;
    int code; /* 0: no answer came */
    uint64_t retry_after_ns;
    struct hf_slice body;             /* borrowed for `done` */
    const char *etag;                 /* likewise; "": none */
    char error[HF_S3_ERROR_NAME_MAX]; /* "NoSuchKey"; "": none */
    char message[256];                /* "" when HF_OK */
};

struct hf_s3_call {
    const char *method, *bucket, *key;
    const char *query;                           /* NULL: none */
    const char *content_type, *content_encoding; /* NULL: none */
    const struct hf_slice *pieces;               /* the body */
    size_t piece_count;
    const struct hf_header *headers; /* such as x-amz-acl; at most HF_S3_HEADERS_MAX */
    size_t header_count;
    uint64_t deadline_ns; /* monotonic; 0: none */
    /* Not NULL: the content of an answer 2xx goes here, as in struct hf_http_call. */
    enum hf_http_flow (*chunk)(struct hf_s3_call *call, struct hf_slice bytes);
    void (*done)(struct hf_s3_call *call, const struct hf_s3_result *result);

    /* The client's. */
    struct hf_s3 *s3;
    struct hf_http_call http;
    char url[HF_S3_URL_MAX];
    char payload_sha256[65];
    struct hf_aws_signature signature;
    struct hf_header sent[16];
};
#define HF_S3_HEADERS_MAX 11u

/* What cannot be signed or addressed ends with HF_UNAUTHENTICATED or HF_INVALID. */
void hf_s3_call(struct hf_s3 *s3, struct hf_s3_call *call);

/*
 * A GET for a thread that waits for it, at most `timeout_ns`; the content is in `fetched`, which
 * the fetcher's options bound. The result's body is not set.
 */
struct hf_s3_result hf_s3_fetch(struct hf_s3 *s3, struct hf_http_fetcher *fetcher,
                                struct hf_s3_call *call, uint64_t timeout_ns,
                                struct hf_http_fetched *fetched);

/* `text` as the value of a parameter of a query. False: it does not fit. */
HF_MUST_USE bool hf_s3_escape(const char *text, char *room, size_t size);

/* The text of an element of an answer, with its entities decoded into `room`. False: it is not
 * there, or does not fit. `*xml` goes on behind it. */
HF_MUST_USE bool hf_s3_next_text(struct hf_slice *xml, const char *name, char *room, size_t size);
