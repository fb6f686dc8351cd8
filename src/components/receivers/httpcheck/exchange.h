/*
 * exchange: the requests of one round of checks, sent at once on a thread of their own, and what
 * came of them.
 *
 * open, cancel and close run on the main thread, run on the scraper's, all else on the own one.
 */
#pragma once

#include <holdfast/node.h>

#include "config.h"
#include "http/client_facts.h"
#include "support/settings/configauth.h"
#include "util/compress/compress.h"
#include "util/header_list.h"
#include "util/tls/certificate_names.h"

#define HTTPCHECK_BODY_MAX ((size_t)4 << 20) /* that validations see */

struct httpcheck_exchange;
struct httpcheck_validations;

/* What the checks of one target share. */
struct httpcheck_peer {
    struct httpcheck_exchange *exchange;
    const struct httpcheck_target *target;
    struct httpcheck_validations *validations;
    struct hf_http_client *client;
    struct hf_auth_ref auth;
    struct hf_bytes body; /* as it is sent */
    struct hf_slice piece;
};

/* One URL, and the last answer of it. */
struct httpcheck_url {
    struct hf_http_call call;
    struct httpcheck_peer *peer;
    const char *url;
    struct hf_header_list *headers; /* while it is under way */
    bool is_running;
    /* The answer. */
    enum hf_status status; /* HF_CLOSED: stopping */
    int code;
    char error[256];
    uint64_t time_ns, begin_ns, end_ns; /* Unix time; monotonic */
    struct hf_http_facts facts;         /* without the certificate's text */
    struct hf_bytes body;               /* its beginning */
    uint64_t body_bytes;
    bool has_certificate;
    struct hf_certificate_names certificate;
};

/* `config` is borrowed. On failure `reterr` (HF_ERROR_MAX) has a sentence. */
HF_MUST_USE enum hf_status httpcheck_exchange_open(struct hf_node *node,
                                                   const struct httpcheck_config *config,
                                                   struct httpcheck_exchange **ret_exchange,
                                                   char *reterr);
/* Every request that is under way, and every later one, ends with HF_CLOSED. */
void httpcheck_exchange_cancel(struct httpcheck_exchange *exchange);
void httpcheck_exchange_close(struct httpcheck_exchange *exchange);

/* Checks all URLs; returns when all are done. `deadline_ns`: monotonic. */
const struct httpcheck_url *httpcheck_exchange_run(struct httpcheck_exchange *exchange,
                                                   uint64_t deadline_ns, size_t *ret_count);
