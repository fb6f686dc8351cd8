/*
 * fetch: one HTTP request at a time, waited for: for threads that do nothing else meanwhile, as
 * those that fetch tokens, keys and credentials. Owned by one thread, but for stop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "client.h"
#include "util/compress/compress.h"

struct hf_http_fetcher;

/* `options.loop` is not looked at. HF_INVALID and others with a sentence in `reterr`
 * (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_http_fetcher_new(const struct hf_http_client_options *options,
                                               struct hf_http_fetcher **ret_fetcher, char *reterr);
/* Any thread: a request that is under way, and every later one, ends with HF_CLOSED. */
void hf_http_fetcher_stop(struct hf_http_fetcher *fetcher);
/* No request is under way. NULL: nothing. */
void hf_http_fetcher_free(struct hf_http_fetcher *fetcher);

struct hf_http_fetch {
    const char *method, *url, *content_type; /* content_type NULL: there is no body */
    struct hf_slice body;
    const struct hf_header *headers;
    size_t header_count;
    uint64_t timeout_ns; /* not 0 */
};

struct hf_http_fetched {
    int code;             /* of the answer */
    struct hf_bytes body; /* kept for the next one; hf_bytes_release() at last */
    bool has_retry_after;
    uint64_t retry_after_ns;
    char why[256]; /* a sentence when there was no answer */
};

/* HF_OK: an answer came, whatever its code. Else as struct hf_http_result has it, or HF_CLOSED. */
HF_MUST_USE enum hf_status hf_http_fetch(struct hf_http_fetcher *fetcher,
                                         const struct hf_http_fetch *fetch,
                                         struct hf_http_fetched *ret);
