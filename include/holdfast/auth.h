/*
 * auth: what an authenticating extension offers to servers and to clients.
 *
 * Server side: a request is first shown to check(), on the thread of its connection, which decides
 * at once whatever needs no time: a token that is compared, a password that is remembered. What
 * takes time (hashing a password, asking another server) it leaves open; the server then suspends
 * the request and calls begin(), whose answer comes from any thread.
 */
#pragma once

#include <stdbool.h>

#include "meta.h"
#include "slice.h"
#include "status.h"

struct hf_header {
    struct hf_slice name, value; /* name in lower case */
};

/* Collects headers to send; `add` copies. */
struct hf_header_sink {
    enum hf_status (*add)(struct hf_header_sink *sink, struct hf_slice name, struct hf_slice value);
};

/* What a request shows of its client. Borrowed for the call. */
struct hf_auth_request {
    /* Finds a request header by its lower-case name (empty slice: absent). */
    struct hf_slice (*header)(void *request, const char *name);
    void *request;
    const char *peer; /* "10.0.0.7:51234", "unix" */
};

/* A request that waits for begin()'s answer. Embed it; it is the authenticator's until done(). */
struct hf_auth_wait {
    struct hf_auth_wait *next;   /* the authenticator's */
    struct hf_meta_writer *meta; /* NULL: the client's attributes are not asked for */
    /* Any thread: false when the client has gone, and its answer is worth no work. */
    bool (*is_wanted)(struct hf_auth_wait *wait);
    /*
     * Exactly once, by any thread, also before begin() returns: HF_OK with `meta` written;
     * HF_UNAUTHENTICATED; HF_AGAIN or HF_CLOSED: not known, the sender is to try again. Must not
     * block.
     */
    void (*done)(struct hf_auth_wait *wait, enum hf_status status);
};

/* A request that is about to be sent, with the headers that it has. Borrowed for the call. */
struct hf_auth_outgoing {
    const char *method, *url;
    const struct hf_slice *body; /* pieces */
    size_t body_count;
    const struct hf_header *headers;
    size_t header_count;
};

struct hf_auth {
    /*
     * Server side; NULL when the extension has none. Any thread; must not block, or work for more
     * than microseconds. True: *ret_status is HF_OK or HF_UNAUTHENTICATED, and `meta` may have got
     * HF_META_AUTH entries. False: it takes time, call begin().
     */
    bool (*check)(void *self, const struct hf_auth_request *request, struct hf_meta_writer *meta,
                  enum hf_status *ret_status);
    /*
     * Any thread, for what check() has left open; keeps nothing of `request`. After the extension's
     * stop the answer is HF_CLOSED. NULL: check() decides everything.
     */
    void (*begin)(void *self, const struct hf_auth_request *request, struct hf_auth_wait *wait);
    /*
     * Client side; NULL when there is none. The delivery's thread, or one of a client's that signs
     * in with what it adds, `meta` being empty then; must not block. Adds the headers of one
     * outgoing request, whose records carry the client metadata `meta`. HF_INVALID only when that
     * metadata makes a header that cannot be sent: these records are refused for good. A credential
     * that cannot be sent is HF_UNAUTHENTICATED.
     */
    enum hf_status (*headers)(void *self, struct hf_slice meta, struct hf_header_sink *sink);
    /*
     * Client side: adds headers that depend on the whole request, as a signature does; for HTTP
     * only. The delivery's thread, after `headers`. NULL: there are none. HF_UNAUTHENTICATED: it
     * has no credentials now.
     */
    enum hf_status (*sign)(void *self, const struct hf_auth_outgoing *request,
                           struct hf_header_sink *sink);
    /*
     * Client side: a backend did not accept the credentials that `headers` gave (401,
     * UNAUTHENTICATED). Any thread; must not block. NULL: nothing is to be done.
     */
    void (*refused)(void *self);
    /*
     * Client side: why `headers` has no credential now, as a sentence without secrets, cut to
     * `room` bytes; "" when that is not known. Any thread; must not block. NULL: it is never known.
     */
    void (*explain)(void *self, char *ret_text, size_t room);
    /*
     * Client side: the metadata keys whose values change what `headers` adds (headers_setter's
     * from_context). The graph makes receivers keep them and never sends records with different
     * values in one request.
     */
    const char *const *(*context_keys)(void *self, size_t *ret_count);
    /*
     * Those of the context keys whose values become a header as they are: receivers refuse a
     * request in which such a value cannot be one. NULL when there are none.
     */
    const char *const *(*header_keys)(void *self, size_t *ret_count);
};
