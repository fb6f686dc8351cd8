/*
 * client_internal: one request in flight, for src/http/client*.c only. The loop's thread.
 */
#pragma once

#include <curl/curl.h>

#include "client.h"
#include "client_tls.h"
#include "util/compress/compress.h"

#define HF_HTTP_SHOWN_MAX 256

struct http_transfer {
    struct http_transfer *next, *previous;
    struct hf_http_client *client;
    struct hf_http_call *call;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct http_pems *pems;     /* that `easy` borrows; NULL: none */
    size_t piece, piece_offset; /* of the body: what goes out next */
    struct hf_bytes body;       /* of the response */
    char *url;                  /* where redirects have led; NULL: nowhere */
    unsigned redirects;         /* in a row */
    bool is_elsewhere;          /* they have led to another host, which gets no credentials */
    bool is_unframed;           /* what came is no answer of HTTP/1: `body` has its beginning */
    bool is_unwatched;          /* its socket could not be watched: it ends with the turn */
    char error[CURL_ERROR_SIZE];
};

struct http_client_settings {
    struct hf_http_client_options options; /* its strings are copies */
    bool has_tls;
    struct http_client_tls tls;
    struct hf_file_watch token_file; /* path NULL: none */
    char *authorization;             /* "Bearer TOKEN"; NULL: none could be read yet */
};

/* Where its request goes now. */
static inline const char *hf_http_transfer_url(const struct http_transfer *transfer)
{
    return transfer->url != NULL ? transfer->url : transfer->call->url;
}

/*
 * Sets the handle up for its call. HF_NOMEM; HF_INVALID when a header of the call cannot be sent,
 * HF_AGAIN when its URL cannot be asked, both with `error` set. `timeout_ns` 0: none.
 */
HF_MUST_USE enum hf_status hf_http_transfer_set_up(struct http_transfer *transfer,
                                                   const struct http_client_settings *settings,
                                                   uint64_t timeout_ns);

/* libcurl's words for what went wrong, without the milliseconds that it took: what happens again is
 * said in the same words, by which those who log it know it. Of the transfer's memory or static. */
const char *hf_http_transfer_error(struct http_transfer *transfer, CURLcode code);

/* What the ended transfer came to. The result borrows of the transfer; its body is not set. */
void hf_http_transfer_answer(struct http_transfer *transfer, CURLcode code,
                             struct hf_http_result *ret_result);
