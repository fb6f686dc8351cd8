/*
 * http_asker: one GET at a time to a server that a receiver asks at an interval, by the settings of
 * confighttp.h with their headers and authenticator, waited for.
 *
 * open and close: the main thread; get: one other thread; stop: any.
 */
#pragma once

#include <holdfast/node.h>

#include "http/fetch.h"
#include "support/settings/confighttp.h"

struct hf_http_asker;

struct hf_http_asker_options {
    struct hf_node *node;
    const struct hf_http_client_config *http; /* borrowed until close */
    uint64_t timeout_ns;                      /* of one request; 0: a minute */
    size_t response_bytes_max;
    /* Basic authentication; NULL: none. A configured header or authenticator stands instead. */
    const char *username, *password;
};

/* On failure `reterr` (HF_ERROR_MAX) has a sentence. */
HF_MUST_USE enum hf_status hf_http_asker_open(const struct hf_http_asker_options *options,
                                              struct hf_http_asker **ret_asker, char *reterr);
/* A request that is under way, and every later one, ends with HF_CLOSED. NULL: nothing. */
void hf_http_asker_stop(struct hf_http_asker *asker);
void hf_http_asker_close(struct hf_http_asker *asker);

/* HF_OK: an answer 2xx; its body is borrowed until the next call. Otherwise one sentence in
 * `reterr` (HF_ERROR_MAX). `deadline_ns`: monotonic. */
HF_MUST_USE enum hf_status hf_http_asker_get(struct hf_http_asker *asker, const char *url,
                                             uint64_t deadline_ns, struct hf_slice *ret_body,
                                             char *reterr);
