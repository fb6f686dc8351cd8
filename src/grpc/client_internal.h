/*
 * client_internal: what the files of the client share. All of it belongs to the loop's thread.
 *
 * A subchannel is a place for one connection: it finds addresses, connects, waits after failures. A
 * connection is one connection: socket, TLS, nghttp2 session, the calls on it. After GOAWAY a
 * connection leaves its subchannel and lives on until its calls are over, while the subchannel
 * makes the next one. A call is one call: it waits at the client, travels on a connection, and is
 * delivered at the end of the turn in which it ended, so that no callback of the user runs inside
 * nghttp2.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include <holdfast/ref.h>

#include "client.h"
#include "frame.h"
#include "outbox.h"
#include "resolve.h"
#include "target.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/tls/tls.h"

enum hf_grpc_code {
    CODE_OK = 0,
    CODE_CANCELLED = 1,
    CODE_UNKNOWN = 2,
    CODE_DEADLINE = 4,
    CODE_EXHAUSTED = 8,
    CODE_UNIMPLEMENTED = 12,
    CODE_INTERNAL = 13,
    CODE_UNAVAILABLE = 14,
};

/* ---- a call ---- */

enum client_call_state {
    CALL_WAITING, /* for a connection */
    CALL_SENT,    /* given to a connection's session */
    CALL_ENDED,   /* its result is known and not told yet */
    CALL_ORPHAN,  /* told, but its stream is not closed yet */
};

struct client_call {
    struct client_call *next, **back; /* of the list that its state says */
    enum client_call_state state;
    struct hf_grpc_client *client;
    struct client_connection *connection;
    struct hf_grpc_request *request; /* NULL: orphan */
    int32_t stream_id;
    uint64_t sent_ns; /* given to the connection */
    bool retried;     /* once is enough */
    bool on_the_way;  /* its headers have left: the server may have acted on it */
    bool not_sent;    /* nghttp2 has given it back */
    /* Of the request. */
    uint8_t prefix[HF_GRPC_PREFIX_BYTES];
    size_t size, offset;              /* of prefix and pieces together */
    size_t piece_index, piece_offset; /* where `offset` is, past the prefix */
    /* Of the response. */
    int http_status, grpc_status; /* grpc_status -1: not seen */
    uint32_t header_bytes;
    enum hf_coding coding;
    bool known_coding;
    struct hf_grpc_prefix answer_prefix;
    struct hf_bytes answer, decoded;
    enum hf_status fault; /* of the answer's message: its stream is being given up */
    int code;             /* the result */
    int foreign_status;   /* HTTP's, of an answer without gRPC's; 0: there is none */
    bool has_retry_info;
    uint64_t retry_delay_ns;
    char message[1024];
};

/* ---- a connection ---- */

enum client_connection_state {
    CONNECTION_CONNECTING,
    CONNECTION_PROXYING,
    CONNECTION_TLS_HANDSHAKE,
    CONNECTION_AWAITING_SETTINGS,
    CONNECTION_UP
};

struct client_connection {
    struct hf_io io;
    struct hf_timer timer; /* gives up connecting; then keeps alive */
    struct client_connection *next, **list;
    struct client_connection *next_dirty;
    struct hf_grpc_client *client;
    struct subchannel *subchannel; /* NULL: draining */
    enum client_connection_state state;
    int fd; /* the stream's as soon as there is one */
    struct hf_stream *stream;
    nghttp2_session *session;
    struct client_call *calls;
    size_t call_count; /* those with a request */
    bool dirty, watched, want_write, broken, goaway, ping_sent;
    bool heard;        /* the server's first bytes have come */
    bool has_settings; /* of the server */
    uint32_t events;
    uint64_t up_ns, received_ns;
    size_t answered; /* calls that have ended on it by themselves */
    char peer[128];
    char error[256];
    char proxy_line[64]; /* the beginning of the proxy's answer */
    size_t proxy_bytes;
    unsigned proxy_blank; /* how much of the empty line that ends it has come */
    struct hf_grpc_outbox outbox;
};

/* ---- a place for a connection ---- */

enum subchannel_state { SUBCHANNEL_DOWN, SUBCHANNEL_BACKOFF, SUBCHANNEL_CONNECTING, SUBCHANNEL_UP };

struct subchannel;

/* What its connection tells it. */
struct subchannel_events {
    void (*up)(struct subchannel *subchannel);
    /* It could not be made. */
    void (*failed)(struct subchannel *subchannel, const char *why);
    /* It was lost or is to be used no more. `why` NULL: there is no more to say than that. */
    void (*lost)(struct subchannel *subchannel, bool was_useful, const char *why);
};

struct subchannel {
    const struct subchannel_events *events;
    struct hf_grpc_client *client;
    enum subchannel_state state;
    struct hf_grpc_address *addresses;
    size_t address_count, next_address;
    struct client_connection *connection;
    uint32_t failures;
    struct hf_timer timer; /* ends the rest */
    char error[384];
};

#define SUBCHANNELS_MAX HF_GRPC_ADDRESSES_MAX

struct client_call_list {
    struct client_call *first, **end;
};

struct hf_grpc_client {
    struct hf_grpc_client_options options; /* its strings are copies */
    struct hf_grpc_target target;
    struct hf_grpc_proxy proxy;
    bool has_proxy, closed;
    unsigned refs; /* the owner, and the task under way */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *session_option;
    struct subchannel *subchannels[SUBCHANNELS_MAX];
    size_t subchannel_count, next_subchannel;
    struct hf_grpc_lookup *lookup;
    struct hf_timer lookup_timer;          /* of round robin */
    struct client_connection *connections; /* all of them */
    struct client_connection *dirty;
    struct client_call_list waiting, ended;
    struct client_call *pool;
    size_t pool_count;
    struct hf_task work_task;
    bool work_deferred;
    uint64_t keepalive_time_ns; /* grows when a server finds it too often */
    uint32_t draw;              /* of the jitter */
    uint8_t *read_buffer;
};

/* ---- client_call.c ---- */
/* Lets the end of this turn hand out, write and deliver. */
void hf_grpc_client_work(struct hf_grpc_client *client);
/* This turn writes what the connection has to say. */
void hf_grpc_client_connection_dirty(struct client_connection *connection);
/* What the connection points at of the call is copied, or never written: the request may go. */
void hf_grpc_client_connection_detach(struct client_connection *connection,
                                      const struct client_call *call);
void hf_grpc_client_report(struct hf_grpc_client *client, bool connected, const char *what);
void hf_grpc_client_call_list_init(struct client_call_list *list);
void hf_grpc_client_call_append(struct client_call_list *list, struct client_call *call);
/* Out of the list that its state puts it in. */
void hf_grpc_client_call_take_out(struct client_call *call);
/* From the pool. NULL: no memory. */
struct client_call *hf_grpc_client_call_new(struct hf_grpc_client *client);
/* One that is in no list, into the pool. */
void hf_grpc_client_call_recycle(struct client_call *call);
/* As if nothing had been answered. */
void hf_grpc_client_call_reset(struct client_call *call);
/* Out of its connection's list; back to the queue to be sent again. */
void hf_grpc_client_call_requeue(struct client_call *call);
/* The same, with a result. */
void hf_grpc_client_call_end(struct client_call *call, int code, const char *message);
void hf_grpc_client_call_free(struct client_call *call);

/* ---- subchannel.c ---- */
HF_MUST_USE enum hf_status hf_grpc_subchannels_open(struct hf_grpc_client *client);
void hf_grpc_subchannels_close(struct hf_grpc_client *client);
/* NULL when none is up. */
struct client_connection *hf_grpc_subchannels_pick(struct hf_grpc_client *client);
/* Why a call cannot wait for a connection, or NULL when it can. */
const char *hf_grpc_subchannels_unavailable_reason(const struct hf_grpc_client *client);

/* ---- client_connection.c ---- */
/* NULL, with `reterr` (256 bytes), when it fails at once. */
struct client_connection *hf_grpc_client_connection_open(struct subchannel *subchannel,
                                                         const struct hf_grpc_address *address,
                                                         char *reterr);
/* Its calls end or are queued again; its subchannel is told unless it has none. Not inside nghttp2.
 */
void hf_grpc_client_connection_kill(struct client_connection *connection, const char *why);
/* Leaves its subchannel; ends when its calls have. */
void hf_grpc_client_connection_drain(struct client_connection *connection);
/* A call has waited until its deadline: asks a connection on which nothing came meanwhile whether
 * it lives. */
void hf_grpc_client_connection_waited(struct client_connection *connection, uint64_t since_ns);
void hf_grpc_client_connection_flush(struct client_connection *connection);
/* A best effort to say goodbye, then frees. */
void hf_grpc_client_connection_close(struct client_connection *connection);

/* ---- client_session.c ---- */
HF_MUST_USE enum hf_status hf_grpc_client_session_prepare(struct hf_grpc_client *client);
HF_MUST_USE enum hf_status hf_grpc_client_session_open(struct client_connection *connection);
/* The call is in the connection's list afterwards, or false: out of memory or stream ids. */
HF_MUST_USE bool hf_grpc_client_session_submit(struct client_connection *connection,
                                               struct client_call *call);

/* ---- result.c ---- */
void hf_grpc_client_call_header(struct client_call *call, struct hf_slice name,
                                struct hf_slice value);
/* HF_TOO_LARGE past the limit, HF_INVALID when it is no message, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_grpc_client_call_data(struct client_call *call, struct hf_slice data);
/* Its stream is over: what became of it. */
void hf_grpc_client_call_set_result(struct client_call *call, uint32_t error_code);
