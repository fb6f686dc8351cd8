/*
 * server_internal: the server's own structs, for src/http/server*.c and cors.c only.
 *
 * Connections belong to libmicrohttpd's threads. A request is shared between the thread of its
 * connection and the one that answers it; it is freed when both have released it. The server's lock
 * guards the states, never a handler.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include <holdfast/ref.h>

#include "server.h"
#include "server_connection.h"
#include "server_handshake.h"
#include "server_head.h"
#include "util/census.h"

struct http_tls;
struct http_greetings;

/* How much of a refused body is read since its sender may not read an answer before all is sent. */
#define HTTP_DISCARD_MAX (UINT64_C(64) << 20)

struct http_list {
    struct hf_http_request *first, *last;
};

struct hf_http_server {
    struct hf_ref ref; /* the owner's, and one a request */
    struct hf_http_server_options options;
    size_t body_limit;
    struct MHD_Daemon *daemon;
    struct http_tls *tls; /* NULL: cleartext */
    int wake_fd;
    pthread_t acceptor;
    struct http_greetings *greetings; /* the acceptor's */

    struct hf_census *census; /* accepted and not closed */
    bool checks_lines;        /* of heads, which the library does not */
    /* Connections from their acceptance until the library has told of them, on its own thread. */
    _Atomic size_t greeting_count;
    struct hf_intake_limits limits;
    struct hf_intake_peers peers;
    atomic_size_t held_bytes; /* of all bodies; given back under the lock */
    atomic_bool pressed;      /* they are too many: the watch is to end some */
    atomic_bool decoded_much; /* since memory was given back to the system */
    /* The watch's. */
    uint64_t relieved_ns, trimmed_ns;
    size_t held_peak; /* since memory was given back to the system */

    pthread_mutex_t lock; /* of what follows and of each request's `state` */
    pthread_cond_t changed;
    struct http_connection *connections;
    struct http_connection *idle, **idle_end; /* those without a request, the longest so first */
    struct http_list waiting;                 /* for memory */
    struct http_list held;                    /* for an answer, their connections suspended */
    size_t active;                            /* requests whose connection is there */
    size_t suspended;              /* waiting, held, or on their way back to their thread */
    size_t unanswered;             /* given to handlers */
    bool closing, cutting, ending; /* stop has begun; its grace is over; its requests are gone */
    bool accepts_no_more;          /* the acceptor has seen `closing` */
    bool threads_ended, ended;     /* after which every request has been answered, too */
};

enum request_state {
    REQUEST_READING = 0,
    REQUEST_WAITING, /* for memory; the connection is suspended */
    REQUEST_GIVEN,   /* its handler runs, or it was answered with nothing yet */
    REQUEST_PARKED,  /* its headers are being judged; the connection is suspended */
    REQUEST_HELD,    /* for its answer; the connection is suspended */
    REQUEST_ANSWERED,
    REQUEST_CUT /* the connection is gone; the answer will go nowhere */
};

/* A body as it came, or decoded; outlives its request when a handler takes a reference. */
struct http_buffer {
    struct hf_ref ref;
    uint8_t *data;
    size_t size, capacity;
};

struct hf_http_request {
    struct hf_ref ref; /* the connection's and, once given to the handler, the answer's */
    struct hf_http_server *server;
    struct MHD_Connection *connection; /* its own thread; resumed under the lock */
    struct http_connection *watch;
    const char *method, *path;

    /* Reading: the connection's thread. */
    bool begun;      /* the headers are done with: what comes now is the body */
    bool judged;     /* on_headers has decided */
    bool is_holding; /* it has just put the request on hold */
    bool refused;    /* answered by on_headers */
    bool given;      /* to its handler */
    bool discards;   /* the rest of the body is thrown away */
    bool chunked;
    bool ends;       /* the connection ends with its answer */
    uint64_t length; /* Content-Length */
    uint64_t discarded;
    enum hf_coding coding;
    enum hf_status fault;
    struct http_buffer *wire, *raw;
    struct hf_http_body body;
    void *data; /* the handler's */

    /* Under the server's lock. */
    enum request_state state;
    struct hf_http_request *next, *previous; /* in a list by state */
    size_t held_bytes;
    bool is_suspended, on_hold;
    struct MHD_Response *response;
    unsigned status;
    bool close;
};

/* ---- server_request.c: the life of a request, called by libmicrohttpd ---- */
/* Looks at the URI before it is unescaped. */
void *hf_http_on_uri(void *user, const char *uri, struct MHD_Connection *connection);
enum MHD_Result hf_http_on_access(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **context);
void hf_http_on_completed(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode code);
/* Under the lock: every suspended connection is resumed, to be closed. */
void hf_http_cut(struct hf_http_server *server);

/* ---- server_accept.c ---- */
#define HTTP_ACCEPT_BATCH 64u /* connections, a turn */
/* The acceptor's thread, until the server is ending. `user` is the server. */
void *hf_http_accept_main(void *user);
/* It was accepted, and is now in the list of connections or closed. */
void hf_http_end_greeting(struct hf_http_server *server);
/* NULL, or no IP: "unix". */
void hf_http_format_peer(const struct sockaddr *address, char *out, size_t size);

/* ---- server_idle.c: which connections are let in, and which are closed for them ---- */
#define HTTP_SEARCH_MAX 1024 /* idle connections looked at for one of a peer */
/* Is one more connection of that peer welcome? It is counted then. An idle one may go for it. The
 * acceptor's thread. */
HF_MUST_USE bool hf_http_count_in(struct hf_http_server *server, const struct hf_peer *who);
/* Ends the connection that has been without a request for longest. False: there is none. The
 * acceptor's thread. */
HF_MUST_USE bool hf_http_evict(struct hf_http_server *server);
/* Under the lock. */
void hf_http_idle_enter(struct hf_http_server *server, struct http_connection *connection);
void hf_http_idle_leave(struct hf_http_server *server, struct http_connection *connection);
void hf_http_count_out(struct hf_http_server *server, struct http_connection *connection);

/* ---- server_body.c: collecting ---- */
/* What the headers say of the body; sets length, chunked, coding, fault. */
void hf_http_body_plan(struct hf_http_request *request);
/* False: the connection is not worth keeping. */
HF_MUST_USE bool hf_http_body_collect(struct hf_http_request *request, const char *data,
                                      size_t size);
/* The body is whole: decodes it and fills `body`, or sets `fault`. */
void hf_http_body_finish(struct hf_http_request *request);
void hf_http_body_release(struct hf_http_request *request);
/* Memory for the body: false when the request has to wait (it is suspended then). */
HF_MUST_USE bool hf_http_body_admit(struct hf_http_request *request);
/* Suspends the connection. Under the lock, its own thread. */
void hf_http_suspend(struct hf_http_request *request, struct http_list *list,
                     enum request_state state);
/* Gives the memory back, and lets those in that wait for it. Under the lock. */
void hf_http_memory_return(struct hf_http_request *request);
/* The body has come to its end. False: the watch was faster, and the connection is to be closed. */
HF_MUST_USE bool hf_http_body_is_whole(struct hf_http_request *request);
void hf_http_list_remove(struct http_list *list, struct hf_http_request *request);

/* ---- server_response.c ---- */
/* NULL: out of memory. Takes over its stream. */
struct MHD_Response *hf_http_new_response(const struct hf_http_answer *answer);

/* ---- server_relief.c ---- */
/* So much that it is worth giving back to the system when it is free. */
#define HTTP_TRIM_BYTES (8u << 20)
/* Any thread: bodies hold too much. */
void hf_http_press(struct hf_http_server *server);
/* The watch, about once a second: ends what is too slow. True: it is to come again, even without
 * connections. */
bool hf_http_watch(struct hf_http_server *server, uint64_t now_ns);
/* The watch, while the server is pressed and not more often than it needs. */
void hf_http_relieve(struct hf_http_server *server, uint64_t now_ns);

/* ---- cors.c ---- */
/* Is this a preflight, which no handler sees? */
bool hf_cors_is_preflight(const struct hf_http_request *request);
/* Adds what the configuration says to an answer, preflight or not. */
void hf_cors_headers(const struct hf_http_request *request, struct MHD_Response *response);
