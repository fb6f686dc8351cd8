/*
 * http_exporter: an exporter over HTTP but for its encoding and its judgement: the client, the URL
 * of each signal, credentials, headers, compression, the requests in flight, redirects, answers
 * that are about the endpoint, and the wait that a backend asks for.
 *
 * A component opens one with its `encode` and, where the backend's answers say more than their
 * code, its `judge`. When it has no state of its own it hands the hf_http_exporter out as its
 * `self`; else its struct begins with a pointer to it. Owned by the thread of the delivery.
 */
#pragma once

#include <holdfast/export.h>
#include <holdfast/node.h>

#include "http/client.h"
#include "pdata/payload.h"
#include "support/settings/confighttp.h"

struct hf_http_exporter;

/* One request as `encode` makes it. What stands here before says what happens without a change. */
struct hf_http_post {
    const struct hf_export *export;
    struct hf_payload payload; /* the body; its buffers are kept for the next request */
    enum hf_coding coding;     /* as configured; the body is to be in it */
    int level;
    const char *url;              /* that of the signal */
    const char *method;           /* "POST" */
    const char *content_type;     /* NULL: to be set */
    const char *content_encoding; /* that of `coding`; NULL: none */
    /* Headers of the protocol, which configured ones replace; names in lower case. */
    const struct hf_header *headers;
    size_t header_count;
    /* Items that have no place in the backend's format: they count as rejected, for `why`, once the
     * others are delivered. All of them: payload.count is 0 and nothing is sent. */
    uint64_t left_out;
    char why[256]; /* a sentence: on failure, or of what was left out */
    void *data;    /* the component's, for `judge` of the same request */
    /* An export of several requests, one after the other: which one this is, by the component's own
     * count. 0 at first, then what `judge` said. `encode` may move it on, and ends the export by
     * leaving the payload empty. */
    unsigned step;
    struct hf_bytes text; /* the component's, as for a URL; it lives as long as the request */
};

/* What an answer means. `outcome.message` may point to `message`. */
struct hf_http_judgement {
    struct hf_outcome outcome;
    bool is_later;      /* the component ends the export itself, with hf_export_done() */
    unsigned next_step; /* not 0: the export goes on with that request, whatever the outcome says */
    char message[257];
};

struct hf_http_exporter_ops {
    /*
     * Fills `payload` and what differs above. Anything but HF_OK ends the attempt with that status
     * and `why`: HF_INVALID for records of which no request can be formed.
     */
    enum hf_status (*encode)(void *user, struct hf_http_post *post);
    /*
     * An answer came, and it is a backend's. Per-item outcomes may point to the component's memory.
     * A failure without a message gets the HTTP status as one, and a Retry-After is added. NULL: by
     * hf_http_judge().
     */
    void (*judge)(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret);
};

/* By the table of codes (verdict.h), with the text of the body as the message of a failure. */
void hf_http_judge(const struct hf_http_result *result, struct hf_http_judgement *ret);
/* The same for a backend of OTLP/HTTP: a success may be partial, a failure is a google.rpc.Status.
 */
void hf_http_judge_otlp(const struct hf_http_result *result, struct hf_http_judgement *ret);

struct hf_http_exporter_options {
    struct hf_node *node;
    const struct hf_http_client_config *config; /* borrowed until close */
    /* The URL of each signal: a whole one when it is set and not "", else the endpoint and the path
     * behind it ("" for the endpoint as it is); NULL for both: the signal cannot be sent. */
    const char *urls[HF_SIGNAL_COUNT];
    const char *paths[HF_SIGNAL_COUNT];
    size_t response_bytes_max; /* of an answer that `judge` sees; 0: 64 KiB */
    bool has_empty_pages; /* the backend's good answers may be empty and of the type text/html */
    const struct hf_http_exporter_ops *ops;
    void *user; /* for the ops */
    bool once;  /* each request names its records, see record_header.h */
};

/* HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). Main thread, in `open`. */
HF_MUST_USE enum hf_status hf_http_exporter_open(const struct hf_http_exporter_options *options,
                                                 struct hf_http_exporter **ret_exporter,
                                                 char *reterr);

/* `send`, `context_keys` and `close` of a component: `exporter` is a struct hf_http_exporter; to
 * `close` NULL is nothing. */
void hf_http_exporter_send(void *exporter, struct hf_export *export);
const char *const *hf_http_exporter_context_keys(void *exporter, size_t *ret_count);
void hf_http_exporter_close(void *exporter);
/* The same of a component whose struct begins with a struct hf_http_exporter *. */
void hf_http_exporter_self_send(void *self, struct hf_export *export);
const char *const *hf_http_exporter_self_context_keys(void *self, size_t *ret_count);
