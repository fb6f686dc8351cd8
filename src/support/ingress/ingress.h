/*
 * ingress: what the listeners of push receivers share, HTTP or gRPC: credentials, client metadata,
 * limits, refusals in the log, counters. ingress_http.h and ingress_grpc.h are the listeners; a
 * receiver supplies a struct hf_ingress_ops: what its paths mean, and how a body becomes a batch.
 */
#pragma once

#include <holdfast/node.h>

#include "ingress_auth.h"
#include "support/settings/configauth.h"
#include "util/log/log_limiter.h"

struct hf_builder;
struct hf_bytes;
struct hf_series;
struct hf_http_answer;
struct hf_http_request;

/* What the queue takes as one record, and what a configuration without the key allows. */
#define HF_INGRESS_MESSAGE_MAX ((size_t)256 << 20)
#define HF_INGRESS_MESSAGE_DEFAULT ((size_t)4 << 20)
/* How long a stop waits for requests in progress; how long a refused sender is asked to wait. */
#define HF_INGRESS_STOP_GRACE_NS UINT64_C(1500000000)
#define HF_INGRESS_RETRY_DELAY_NS UINT64_C(1000000000)
#define HF_INGRESS_ERROR_MAX 640
#define HF_INGRESS_BODY_MAX 1024
enum { HF_INGRESS_PARTIAL_MAX = 320, HF_INGRESS_COUNTS = 3 };
#define HF_INGRESS_BUSY "too many credentials are being checked, try again later"

/* What a receiver says of its peers. */
struct hf_ingress {
    struct hf_node *node;
    struct hf_log_limiter said;
    bool is_once, is_otlp; /* see ingress_submit.h, grpc/server.h; set before a port is opened */
};

/* What a path and a content type mean; `format` is the receiver's own number. */
struct hf_ingress_route {
    enum hf_signal signal;
    int format;
};

/* HTTP: why a request is none for this receiver: status and text of the answer, and for the log
 * what it is, as in "has no content type that is served"; NULL: not logged. */
struct hf_ingress_refusal {
    int code;
    const char *text, *what;
};

/* One request as `decode` sees it. */
struct hf_ingress_body {
    struct hf_ingress_port *port;
    const char *peer;
    struct hf_ingress_route route;
    struct hf_http_request *request; /* NULL: gRPC */
    struct hf_slice wire, raw;       /* as it came, in `coding`, and decoded */
    enum hf_coding coding;
    struct hf_ref *owner;  /* of `wire`; NULL: there is none */
    struct hf_slice meta;  /* for the batch */
    size_t bytes_max;      /* the largest body */
    int note;              /* for the answer: the receiver's own number, 0 at first */
    struct hf_bytes *kept; /* a stream of gRPC: the receiver's own from message to message */
    struct hf_batch *also; /* HTTP, set by `decode`: a second batch; the answer waits for both */
    uint32_t counts[HF_INGRESS_COUNTS];   /* HTTP: for the answer, the receiver's own */
    char partial[HF_INGRESS_PARTIAL_MAX]; /* HTTP: why a part is refused; logged too */
};

struct hf_ingress_result { /* what is to be answered */
    struct hf_ingress_port *port;
    const char *peer;
    struct hf_ingress_route route;
    int note;
    enum hf_status status;
    const char *text; /* the words of a refusal */
    uint32_t counts[HF_INGRESS_COUNTS];
    const char *partial; /* HTTP: the rest is taken; NULL: all */
};

struct hf_ingress_ops {
    /* HTTP, called once or more per request: sets the route as far as it is known. NULL: taken. */
    const struct hf_ingress_refusal *(*route)(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route);
    /* Makes a batch of a body, validated, with `raw` and `items`; NULL with HF_OK: an empty body, a
     * success. HF_NOMEM, or else with a sentence in `reterr` (HF_INGRESS_ERROR_MAX): malformed. */
    enum hf_status (*decode)(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr);
    /* HTTP: the body and type of an answer with a status; `room`: HF_INGRESS_BODY_MAX bytes. */
    void (*answer)(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer);
    const char *http_transport; /* in counters; NULL: "http" */
    const char *refusal_type;   /* HTTP: content type of the texts of `route`; NULL: text/plain */
    /* gRPC: the message of a success; NULL: an empty one. */
    struct hf_slice (*message)(void *user, const struct hf_ingress_result *result, uint8_t *room);
};

/* One listener; immutable after open. */
struct hf_ingress_port {
    struct hf_ingress *ingress;
    struct hf_node *node;
    const char *transport; /* "http", "grpc": in counters; a literal */
    const char *key;       /* the path of its section with "::" behind it, or "": in messages */
    const struct hf_ingress_ops *ops;
    void *user;
    struct hf_auth_ref auth;
    struct hf_ingress_wanted wanted;
    struct hf_series *malformed, *protocol, *unauthenticated, *repeated;
};

void hf_ingress_init(struct hf_ingress *ingress, struct hf_node *node);
void hf_ingress_release(struct hf_ingress *ingress);
/* Counters and authenticator of a port, whose first six members are set. HF_NOMEM; HF_NOT_FOUND
 * with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_ingress_open_port(struct hf_ingress_port *port,
                                                const struct hf_auth_config *auth,
                                                bool include_metadata, char *reterr);

/* Logs what is wrong with a peer, once per minute. Any thread. */
void hf_ingress_complain(struct hf_ingress *ingress, const char *peer, const char *what);
/* The same with a text that varies from request to request: one line per `kind`, with the first. */
void hf_ingress_complain_of(struct hf_ingress *ingress, const char *peer, const char *kind,
                            const char *what);
/* Its two halves, for a text that costs something to make. */
HF_MUST_USE bool hf_ingress_may_complain(struct hf_ingress *ingress, const char *peer,
                                         const char *kind);
void hf_ingress_say(struct hf_ingress *ingress, const char *peer, const char *what);
/* That a request was refused for what it met here; the end of the process has its own lines. */
void hf_ingress_complain_refused(struct hf_ingress *ingress, const char *peer,
                                 enum hf_status status);
/* Log why renewed certificates are not used; that the default address is open to all. */
void hf_ingress_warn_reload(const struct hf_ingress_port *port, const char *why);
void hf_ingress_warn_default(const struct hf_ingress_port *port, const char *endpoint);

/* The bytes that one transport's unfinished requests may hold. Logs it when that leaves less to a
 * request than the `most` bytes that the key `key` allows. */
uint64_t hf_ingress_intake_total(const struct hf_ingress_port *port, const char *key,
                                 uint64_t most);
/* The largest message, of what the configuration wants, with a warning when that is less.
 * `memory_bytes`: all that this process may have; UINT64_MAX: not known. */
size_t hf_ingress_message_limit(const struct hf_ingress_port *port, const char *key,
                                uint64_t wanted_bytes, uint64_t memory_bytes);

/* A batch of a copy of `bytes`, of so many items. NULL: out of memory. */
struct hf_batch *hf_ingress_batch(const struct hf_ingress_body *body, struct hf_slice bytes,
                                  uint32_t items);
/* Finishes the builder and takes its batch, for a body of another format than OTLP; NULL: it has no
 * items. HF_TOO_LARGE, with a sentence: it is larger than one request may be. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ingress_take_built(const struct hf_ingress_body *body,
                                                 struct hf_builder *builder,
                                                 struct hf_batch **ret_batch, char *reterr);
