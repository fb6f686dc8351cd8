/*
 * client_internal: what the files of the client share. All of it belongs to the loop's thread.
 *
 * A link is a place for one connection: it finds addresses, connects, waits after failures. A wire
 * is one connection: socket, TLS, nghttp2 session, the calls on it. After GOAWAY a wire leaves its
 * link and lives on until its calls are over, while the link makes the next one. A transit is one
 * call: it waits at the client, travels on a wire, and is delivered at the end of the turn in which
 * it ended, so that no callback of the user runs inside nghttp2.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include <holdfast/ref.h>

#include "../util/compress.h"
#include "../util/loop.h"
#include "../util/tls.h"
#include "client.h"
#include "frame.h"
#include "outbox.h"
#include "resolve.h"
#include "target.h"

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

enum transit_state {
    TRANSIT_WAITING, /* for a wire */
    TRANSIT_SENT,    /* given to a wire's session */
    TRANSIT_ENDED,   /* its result is known and not told yet */
    TRANSIT_ORPHAN,  /* told, but its stream is not closed yet */
};

struct transit {
    struct transit *next, **link; /* of the list that its state says */
    enum transit_state state;
    struct hf_grpc_client *client;
    struct wire *wire;
    struct hf_grpc_request *request; /* NULL: orphan */
    int32_t stream_id;
    uint64_t sent_ns; /* given to the wire */
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

enum wire_state { WIRE_CONNECTING, WIRE_PROXYING, WIRE_SHAKING, WIRE_GREETING, WIRE_UP };

struct wire {
    struct hf_io io;
    struct hf_timer timer; /* gives up connecting; then keeps alive */
    struct wire *next, **list;
    struct wire *next_dirty;
    struct hf_grpc_client *client;
    struct link *link; /* NULL: draining */
    enum wire_state state;
    int fd; /* the stream's as soon as there is one */
    struct hf_stream *stream;
    nghttp2_session *session;
    struct transit *transits;
    size_t transit_count; /* those with a request */
    bool dirty, watched, want_write, broken, goaway, ping_sent;
    bool heard; /* the server's first bytes have come */
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

enum link_state { LINK_DOWN, LINK_RESTING, LINK_CONNECTING, LINK_UP };

struct link {
    struct hf_grpc_client *client;
    enum link_state state;
    struct hf_grpc_address *addresses;
    size_t address_count, next_address;
    struct wire *wire;
    uint32_t failures;
    struct hf_timer timer; /* ends the rest */
    char error[384];
};

#define LINKS_MAX HF_GRPC_ADDRESSES_MAX

struct transit_list {
    struct transit *first, **end;
};

struct hf_grpc_client {
    struct hf_grpc_client_options options; /* its strings are copies */
    struct hf_grpc_target target;
    struct hf_grpc_proxy proxy;
    bool has_proxy, closed;
    unsigned refs; /* the owner, and the task under way */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *session_option;
    struct link *links[LINKS_MAX];
    size_t link_count, next_link;
    struct hf_grpc_lookup *lookup;
    struct hf_timer lookup_timer; /* of round robin */
    struct wire *wires;           /* all of them */
    struct wire *dirty;
    struct transit_list waiting, ended;
    struct transit *pool;
    size_t pool_count;
    struct hf_task work_task;
    bool work_deferred;
    uint64_t keepalive_time_ns; /* grows when a server finds it too often */
    uint32_t draw;              /* of the jitter */
    uint8_t *read_buffer;
};

/* ---- client.c ---- */
/* Lets the end of this turn hand out, write and deliver. */
void hf_grpc_client_work(struct hf_grpc_client *client);
/* Fails what waits, unless there is hope for a connection. */
void hf_grpc_client_lose_hope(struct hf_grpc_client *client, const char *why);
/* Out of its wire's list; back to the queue to be sent again. */
void hf_grpc_transit_requeue(struct transit *transit);
/* The same, with a result. */
void hf_grpc_transit_end(struct transit *transit, int code, const char *message);
void hf_grpc_transit_free(struct transit *transit);
void hf_grpc_client_report(struct hf_grpc_client *client, bool connected, const char *what);

/* ---- link.c ---- */
HF_MUST_USE enum hf_status hf_grpc_links_open(struct hf_grpc_client *client);
void hf_grpc_links_close(struct hf_grpc_client *client);
/* NULL when none is up. */
struct wire *hf_grpc_links_pick(struct hf_grpc_client *client);
/* Why a call cannot wait for a connection, or NULL when it can. */
const char *hf_grpc_links_despair(const struct hf_grpc_client *client);
/* From its wire: it is up; it could not be made; it was lost or is to be used no more. */
void hf_grpc_link_up(struct link *link);
void hf_grpc_link_failed(struct link *link, const char *why);
/* `why` NULL: there is no more to say than that. */
void hf_grpc_link_lost(struct link *link, bool was_useful, const char *why);

/* ---- wire.c ---- */
/* NULL, with `reterr` (256 bytes), when it fails at once. */
struct wire *hf_grpc_wire_open(struct link *link, const struct hf_grpc_address *address,
                               char *reterr);
/* Its calls end or are queued again; its link is told unless it has none. Not inside nghttp2. */
void hf_grpc_wire_kill(struct wire *wire, const char *why);
/* Leaves its link; ends when its calls have. */
void hf_grpc_wire_drain(struct wire *wire);
/* A call has waited until its deadline: asks a wire on which nothing came meanwhile whether it
 * lives. */
void hf_grpc_wire_waited(struct wire *wire, uint64_t since_ns);
void hf_grpc_wire_dirty(struct wire *wire);
void hf_grpc_wire_flush(struct wire *wire);
/* A best effort to say goodbye, then frees. */
void hf_grpc_wire_close(struct wire *wire);
/* What it points at of the transit is copied, or never written: the request may go. */
void hf_grpc_wire_let_go(struct wire *wire, const struct transit *transit);
void hf_grpc_wire_greeted(struct wire *wire);

/* ---- exchange.c ---- */
HF_MUST_USE enum hf_status hf_grpc_exchange_prepare(struct hf_grpc_client *client);
HF_MUST_USE enum hf_status hf_grpc_exchange_open(struct wire *wire);
/* The transit is in the wire's list afterwards, or false: out of memory or stream ids. */
HF_MUST_USE bool hf_grpc_exchange_submit(struct wire *wire, struct transit *transit);

/* ---- verdict.c ---- */
void hf_grpc_transit_header(struct transit *transit, struct hf_slice name, struct hf_slice value);
/* HF_TOO_LARGE past the limit, HF_INVALID when it is no message, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_grpc_transit_data(struct transit *transit, struct hf_slice data);
/* Its stream is over: what became of it. */
void hf_grpc_transit_judge(struct transit *transit, uint32_t error_code);
