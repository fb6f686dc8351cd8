/*
 * client: HTTP/1.1 requests with libcurl's multi interface, on one loop. Ignorant of pipelines.
 *
 * Connections are kept and used again. A body goes out of the caller's pieces; it is sent again
 * from its beginning when a kept connection turns out to be dead, so a server may see a request
 * twice. Redirects are followed as `follow` says, at most five in a row; credentials stay with the
 * host of the configuration (client_redirect.h). Names are resolved on libcurl's own threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/tls/tls.h"

struct hf_http_client;
struct hf_loop;

/* Which redirects are followed. */
enum hf_http_follow {
    HF_HTTP_FOLLOW_SAME = 0, /* 307 and 308, which keep the method and the body */
    HF_HTTP_FOLLOW_ALL,      /* of a GET without a body 301, 302 and 303, too */
    HF_HTTP_FOLLOW_NONE
};

struct hf_http_client_options {
    struct hf_loop *loop;
    /* For https URLs; its strings are borrowed until the client is freed, and its files are looked
     * at again every reload_interval (5 s without). NULL: the system's roots. */
    const struct hf_tls_config *tls;
    const char *user_agent;  /* NULL: none */
    const char *unix_socket; /* connect to this path whatever the URL's host; NULL: no */
    const char *proxy_url;   /* NULL: HTTP_PROXY, HTTPS_PROXY, NO_PROXY of the environment */
    const char *no_proxy;    /* where `proxy_url` is not used, as NO_PROXY; NULL: nowhere */
    bool no_environment;     /* without `proxy_url` there is no proxy */
    uint64_t max_conns, max_idle_conns, idle_timeout_ns; /* 0: libcurl's own */
    bool disable_keep_alives;
    enum hf_http_follow follow;
    /* Idle TCP connections are probed after this time, so that a dead one is noticed while an
     * answer streams; 0: not. */
    uint64_t probe_idle_ns;
    /* Each request goes with `Authorization: Bearer` and this file's content, which is looked at
     * again every 10 s and after an answer 401; the last good text stays. The path is copied. NULL:
     * none. A header of the call's own stands instead. */
    const char *bearer_token_file;
    bool keeps_path;           /* "." and ".." in URLs go out as they are */
    bool keeps_certificate;    /* for hf_http_result_facts() (client_facts.h) */
    bool accept_gzip;          /* asks for gzip; `body` and chunks are then the decoded bytes */
    size_t response_bytes_max; /* 0: 64 KiB; the rest is read and thrown away */
    /* Renewed files of `tls` are not used, for what `why` says; the old ones stay. Once a change;
     * the loop's thread; may be NULL. */
    void (*on_reload_failed)(void *user, const char *why);
    /* A request is led on, for what may be every request; the loop's thread; may be NULL. */
    void (*on_redirect)(void *user, const char *to, bool is_elsewhere);
    void *user;
};

struct hf_http_result {
    enum hf_status status; /* HF_OK: an answer came, whatever its code; HF_DEADLINE; HF_AGAIN: no
                              connection, broken off, TLS or DNS failed; HF_INVALID: the call has a
                              header that cannot be sent */
    int code;
    struct hf_slice content_type, body;
    bool has_retry_after;
    uint64_t retry_after_ns;  /* seconds or HTTP-date, already a delay */
    const char *location;     /* where a redirect leads that was not followed; NULL: it is none */
    const char *not_followed; /* and why */
    const char *error;        /* for the log when not HF_OK */
    void *transfer;           /* the client's; NULL: there are no headers to ask for */
};

/* A header of the answer; NULL: there is none. Borrowed as long as the result. */
const char *hf_http_result_header(const struct hf_http_result *result, const char *name);

/* What a streaming call does with a piece. */
enum hf_http_flow {
    HF_HTTP_GO_ON = 0, /* it is consumed */
    HF_HTTP_PAUSE,     /* it is not: it comes again after hf_http_client_resume() */
    HF_HTTP_STOP,      /* the call ends with HF_AGAIN and its connection is closed */
};

/* The caller's memory until `done`; zeroed before. */
struct hf_http_call {
    /* content_encoding NULL: none. A header of the same name below stands instead of either. */
    const char *method, *url, *content_type, *content_encoding;
    const struct hf_slice *pieces; /* the body; the caller's until done */
    size_t piece_count;
    const struct hf_header *headers;
    size_t header_count;
    uint64_t deadline_ns; /* monotonic; 0: none */
    /*
     * Not NULL: the content of an answer 2xx goes here piece by piece, as it comes, and not to
     * `body`. The pieces are small (a read of libcurl's), so what is not consumed is not read from
     * the socket. The loop's thread.
     */
    enum hf_http_flow (*chunk)(struct hf_http_call *call, struct hf_slice bytes);
    bool is_whole; /* `chunk` gets the content of every answer but redirects (3xx) */
    void (*done)(struct hf_http_call *call, const struct hf_http_result *result);
    void *client_data; /* the client's, as are those below */
    bool is_paused;
    enum hf_status unsent;
};

/* An http or https URL that can be asked, with a host. Any thread. */
bool hf_http_is_url(const char *text);

/* `options` are borrowed for the call, their texts and the loop until free. HF_NOMEM; HF_INVALID
 * and HF_IO with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_http_client_new(const struct hf_http_client_options *options,
                                              struct hf_http_client **ret_client, char *reterr);
/* The loop's thread. Ends in exactly one `done`, never before this returns. */
void hf_http_client_call(struct hf_http_client *client, struct hf_http_call *call);
/* The loop's thread; not inside `chunk`. A call that is not paused goes on. */
void hf_http_client_resume(struct hf_http_client *client, struct hf_http_call *call);
/* The loop's thread; not inside `chunk`. Ends the call at once: `done` with HF_CLOSED, before this
 * returns. The call must not be done yet. */
void hf_http_client_cancel(struct hf_http_client *client, struct hf_http_call *call);
/* The loop's thread, or when it no longer runs: ends all calls with HF_CLOSED, frees. */
void hf_http_client_free(struct hf_http_client *client);
