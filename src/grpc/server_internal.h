/*
 * server_internal: what the files of the server share. A worker is what one loop has of the server:
 * its connections, buffers and pools, all owned by that loop's thread. Calls hang on their
 * connection.
 *
 * Lifetimes: a connection that has ended stays, without socket and session, until the users of its
 * calls have answered them; a call stays until its stream is closed and its user has answered.
 */
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include <nghttp2/nghttp2.h>

#include <holdfast/ref.h>

#include "frame.h"
#include "metadata.h"
#include "server.h"
#include "stream_ids.h"
#include "util/census.h"
#include "util/compress/compress.h"
#include "util/intake.h"
#include "util/loop.h"
#include "util/tls/tls.h"

#define HF_GRPC_WRITE_BUFFER_BYTES (64u * 1024)
#define HF_GRPC_HURRY_NS (UINT64_C(10) * 1000000) /* between ticks that do not wait */
#define HF_GRPC_ERROR_BYTES_MAX 1024              /* of an answer's text; the rest is cut */

/* ---- a call ---- */

/* Bytes that may outlive their call: a message as it came, or decoded. */
struct block {
    struct hf_ref ref;
    struct hf_bytes bytes;
};

enum call_state {
    CALL_HEADERS,  /* its headers are coming */
    CALL_BODY,     /* its message is coming */
    CALL_HANDED,   /* its user has it */
    CALL_ANSWERED, /* and has answered, or it was refused here */
};

struct hf_grpc_call {
    struct hf_grpc_call *next, **link; /* of the connection's list, or of the pool */
    struct connection *connection;
    int32_t stream_id;
    enum call_state state;
    bool stream_open;   /* nghttp2 still knows it */
    bool remote_closed; /* the client has said all */
    bool is_post, is_grpc, has_path, bad_header, large_headers;
    bool crowded;  /* its connection holds too much metadata */
    bool given_up; /* its stream was reset: the answer was not taken */
    bool has_timeout, known_coding;
    bool on_hold; /* its user has not decided yet */
    enum hf_coding coding;
    const struct hf_grpc_method *method; /* NULL: unknown */
    uint32_t header_bytes;
    uint64_t deadline_ns; /* 0: none */
    uint64_t progress_ns; /* when something of it came last, or its answer was given */
    struct hf_intake_pace pace;
    struct hf_grpc_prefix prefix;
    struct block *wire, *raw;
    size_t counted; /* of the server's held bytes: the message */
    size_t metadata_counted;
    size_t unconsumed; /* of the stream's window */
    struct hf_grpc_message message;
    void *data;                        /* its user's */
    struct hf_bytes kept;              /* likewise, of a method that streams */
    struct hf_bytes pending;           /* what came while its user has a message, */
    size_t pending_at;                 /* from here on */
    struct conversation *conversation; /* NULL: a unary call, or not begun */
    uint8_t *answer;                   /* prefix and message: `answer_room`, or allocated */
    size_t answer_size, answer_sent;
    uint8_t answer_room[64];
    struct hf_grpc_metadata metadata;
};

/* ---- a connection ---- */

enum drain_state { DRAIN_NOT, DRAIN_NOTICED, DRAIN_FINAL };

struct connection {
    struct hf_io io;
    struct grpc_worker *worker;
    struct connection *next, **link; /* of the worker's list */
    struct connection *next_dirty;
    struct connection *next_idle, **idle_link; /* of the worker's list; NULL: it has calls */
    int fd;
    struct hf_stream *stream;
    nghttp2_session *session;
    struct hf_grpc_call *calls;   /* that are not over */
    struct hf_grpc_call *current; /* whose headers are coming */
    size_t call_count, conversation_count;
    bool dirty;             /* in the worker's list of those to write */
    bool dead;              /* no socket any more */
    bool heard;             /* the client's first bytes have come; nothing is said to it before */
    bool handshake_done;    /* the TLS handshake is over */
    bool settings_received; /* the client's preface and SETTINGS have come */
    bool broken;            /* close after what is queued was written */
    bool discarding;        /* all is written; what still comes is thrown away */
    bool want_write;        /* the socket was full */
    bool ping_sent;         /* keepalive; no byte has come since */
    bool sent_answer;       /* since the client's last ping */
    bool reported;          /* one report for what ends a connection */
    enum drain_state drain;
    uint32_t events; /* as the loop watches them */
    uint32_t resets, completed, ping_strikes;
    struct stream_ids ids;
    size_t arrived; /* DATA bytes not yet given back to the connection's window */
    size_t metadata_bytes;
    struct hf_intake_peer *sender;
    ptrdiff_t sender_change; /* of its bytes, not yet in them */
    uint8_t *unsent;         /* what the socket did not take, or NULL */
    size_t unsent_start, unsent_end;
    uint64_t opened_ns, received_ns, written_ns, idle_since_ns, ping_ns, client_ping_ns;
    uint64_t drain_ns, discard_since_ns, counted_since_ns;
    uint64_t drain_end_ns; /* then what is left is cut; 0: never */
    uint64_t age_limit_ns; /* monotonic; 0: none */
    struct hf_peer who;    /* in the census */
    char peer[INET6_ADDRSTRLEN + 10];
};

/* ---- a worker ---- */

struct grpc_worker {
    struct hf_grpc_server *server;
    struct hf_loop *loop;
    struct hf_io listener;
    bool listening, stopping, stopped;
    uint64_t stop_begun_ns, stop_end_ns;
    struct connection *connections;
    struct connection *dirty, **dirty_end;
    struct connection *idle, **idle_end; /* those without calls, the longest so first */
    struct hf_task flush_task, settle_task, start_task, turn_away_task, stop_task, cut_task;
    bool flush_deferred, settle_deferred;
    bool starving; /* a connection waits for its window to be opened */
    struct hf_timer tick;
    struct hf_timer pause; /* of accepting, when there are no descriptors left */
    struct hf_grpc_call *pool;
    size_t pool_count, call_count;
    size_t handed; /* calls that their users have */
    /* Changes of the server's counts that are not yet in them, and the counts as last seen. */
    ptrdiff_t held_change, whole_change;
    size_t held_seen, whole_seen;
    size_t held_peak; /* since memory was given back to the system */
    /* While the held bytes are too many. */
    struct hf_task relief_task;
    atomic_bool relief_posted;
    struct hf_timer relief;
    uint64_t pressed_ns;
    _Atomic uint64_t worst_key; /* of the first that would be ended; read by the other workers */
    struct block *spare_raw;    /* a decoding buffer kept for the next message */
    uint8_t *read_buffer, *write_buffer;
    atomic_uint connection_count; /* read by the other workers, to balance */
};

struct hf_grpc_server {
    struct hf_ref ref; /* its owner, each worker with calls that users have, each task under way */
    struct hf_grpc_server_options options;
    struct hf_grpc_method *methods;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *session_option;
    uint64_t tick_ns;
    struct grpc_worker *workers;
    struct hf_intake_limits limits;
    struct hf_intake_peers peers;
    /* Bytes of calls that are not over, and those of messages that are whole. All workers. */
    atomic_size_t held_bytes, whole_bytes;
    _Atomic uint64_t trimmed_ns; /* when free memory was given back to the system */
    pthread_mutex_t lock;        /* of what follows */
    pthread_cond_t changed;
    size_t workers_listening, lanes_ending, workers_running; /* while it stops */
    struct hf_census *census;
};

/* ---- worker.c ---- */
/* When the worker stops and has neither connections nor calls left, wakes the thread that waits for
 * it. */
void hf_grpc_worker_settle(struct grpc_worker *worker);
/* The same, as a task. */
void hf_grpc_worker_settle_now(struct hf_task *task);
/* At the end of this turn. */
void hf_grpc_worker_defer(struct grpc_worker *worker, struct hf_task *task);
/* Counts bytes of calls: negative ones were given back. Exact to a few hundred KiB a worker. */
void hf_grpc_worker_count(struct grpc_worker *worker, ptrdiff_t held, ptrdiff_t whole);
void hf_grpc_worker_sync_counts(struct grpc_worker *worker);
/* Takes notice of what the other workers have counted. */
void hf_grpc_worker_look(struct grpc_worker *worker);
size_t hf_grpc_worker_held(const struct grpc_worker *worker);
/* May windows be opened? Not while much waits for its answers. */
bool hf_grpc_worker_may_open(const struct grpc_worker *worker);
void hf_grpc_server_handed(struct grpc_worker *worker, int change);
void hf_grpc_server_report(const struct connection *connection, const char *what);
void hf_grpc_worker_set_tick(struct grpc_worker *worker, uint64_t in_ns);
/* The held bytes are too many: every worker looks for what to end. */
void hf_grpc_worker_press(struct grpc_worker *worker);

/* ---- connection_state.c ---- */
/* All was said: waits for the client's end, for a while. */
void hf_grpc_connection_linger(struct connection *connection);
/* Writes it at the end of this turn. */
void hf_grpc_connection_dirty(struct connection *connection);
void hf_grpc_connection_drain(struct connection *connection, uint64_t end_ns);
/* GOAWAY with `code` and `what`, then the end. */
void hf_grpc_connection_break(struct connection *connection, uint32_t code, const char *what);
/* What was counted for its sender goes where other workers see it. */
void hf_grpc_connection_sync_sender(struct connection *connection);
/* Its last call is over: frees the rest of a dead one. */
void hf_grpc_connection_forget(struct connection *connection);
/* Gives the client its window back, unless what is held forbids it. */
void hf_grpc_connection_open_window(struct connection *connection);
/* In and out of the worker's list of those without calls. */
void hf_grpc_idle_enter(struct connection *connection);
void hf_grpc_idle_leave(struct connection *connection);

/* ---- admission.c ---- */
/* A new socket, on the thread of any worker: settles on one of them, or is closed. */
void hf_grpc_admit(struct grpc_worker *own, int fd, const struct sockaddr_storage *address);
/* Closes the connection that has been without calls for longest. False: there is none. */
HF_MUST_USE bool hf_grpc_evict(struct grpc_worker *worker);

/* ---- connection.c ---- */
/* Takes over `fd`, which is closed when that fails, and its place in the census. */
void hf_grpc_connection_open(struct grpc_worker *worker, int fd, const char *peer,
                             struct hf_peer who);
/* Says GOAWAY as far as the socket takes it at once, and ends it. */
void hf_grpc_connection_evict(struct connection *connection);
void hf_grpc_connection_kill(struct connection *connection);
void hf_grpc_worker_flush(struct hf_task *task);

/* ---- clock.c ---- */
void hf_grpc_worker_tick(struct hf_timer *timer, uint64_t now_ns);

/* ---- greeting.c ---- */
/* Looks at the first bytes, if there are any yet. A client of another protocol is turned away. */
void hf_grpc_connection_hear(struct connection *connection);

/* ---- relief.c ---- */
void hf_grpc_worker_relief_init(struct grpc_worker *worker);
/* Gives free memory back to the system when much less is held than before. True: not yet, but it
 * is to be asked again. */
bool hf_grpc_worker_trim(struct grpc_worker *worker, uint64_t now_ns);

/* ---- session.c ---- */
HF_MUST_USE enum hf_status hf_grpc_session_prepare(struct hf_grpc_server *server);
HF_MUST_USE enum hf_status hf_grpc_session_open(struct connection *connection);

/* ---- call.c ---- */
/* NULL when there are too many, or no memory. */
struct hf_grpc_call *hf_grpc_call_open(struct connection *connection, int32_t stream_id);
void hf_grpc_call_take_header(struct hf_grpc_call *call, struct hf_slice name,
                              struct hf_slice value);
void hf_grpc_call_headers_end(struct hf_grpc_call *call);
void hf_grpc_call_data(struct hf_grpc_call *call, struct hf_slice data);
void hf_grpc_call_end(struct hf_grpc_call *call);
/* nghttp2, or the whole connection, is done with it. */
void hf_grpc_call_stream_closed(struct hf_grpc_call *call);
void hf_grpc_call_pool_free(struct grpc_worker *worker);

/* For call_stream.c: what is left of the message goes into it from the front of `*data`. False: it
 * is not whole yet, or the call was refused. */
HF_MUST_USE bool hf_grpc_call_fill(struct hf_grpc_call *call, struct hf_slice *data);
/* The message is whole: decodes it and hands it over, or refuses the call. */
void hf_grpc_call_take_message(struct hf_grpc_call *call);
/* Neither nghttp2 nor its user has it any more. */
void hf_grpc_call_free(struct hf_grpc_call *call);

/* ---- call_stream.c: calls of many messages, and what all calls have in common with them ---- */
static inline bool hf_grpc_call_streams(const struct hf_grpc_call *call)
{
    return call->method != NULL && call->method->streams;
}
/* Is it between two messages? */
static inline bool hf_grpc_call_is_between(const struct hf_grpc_call *call)
{
    return hf_grpc_call_streams(call) && call->state == CALL_BODY && call->prefix.have == 0;
}
/* Data and the end of any call. False: out of memory. */
HF_MUST_USE bool hf_grpc_call_on_data(struct hf_grpc_call *call, struct hf_slice data);
void hf_grpc_call_on_end(struct hf_grpc_call *call);

/* ---- call_memory.c ---- */
/* Counts bytes that it holds, with its worker and its sender. */
void hf_grpc_call_count(struct hf_grpc_call *call, ptrdiff_t bytes, ptrdiff_t whole);
size_t hf_grpc_call_received(const struct hf_grpc_call *call);
/* What its metadata has grown beyond the room that each call has. */
void hf_grpc_call_count_metadata(struct hf_grpc_call *call);
/* Is there room for what was just counted, of a message of `size` bytes? */
bool hf_grpc_connection_has_room(struct connection *connection, size_t size);
/* Answered: resets its stream, since the client does not take the answer. */
void hf_grpc_call_give_up(struct hf_grpc_call *call);
void hf_grpc_call_drop_metadata(struct hf_grpc_call *call);
/* Gives back the message and what is counted for it. */
void hf_grpc_call_drop_message(struct hf_grpc_call *call);

/* ---- conversation.c ---- */
/* Bytes of its messages, in the state BODY. */
void hf_grpc_conversation_data(struct hf_grpc_call *call, struct hf_slice data);
/* The client has said all. */
void hf_grpc_conversation_finish(struct hf_grpc_call *call);
/* Ends it with a grpc-status, behind the answers that are not sent yet. */
void hf_grpc_conversation_end(struct hf_grpc_call *call, int code);
void hf_grpc_conversation_free(struct hf_grpc_call *call);

/* ---- answer.c ---- */
void hf_grpc_call_submit(struct hf_grpc_call *call, const struct hf_grpc_answer *answer);
/* The state is ANSWERED from here on. */
void hf_grpc_call_finish(struct hf_grpc_call *call, int http_status,
                         const struct hf_grpc_answer *answer);

/* ---- refusal.c ---- */
/* Refuses it for a fault of its sender, in the state HEADERS or BODY, and reports that. */
void hf_grpc_call_refuse(struct hf_grpc_call *call, int http_status,
                         const struct hf_grpc_answer *answer);
/* In state BODY: refuses it, to be tried again. */
void hf_grpc_call_refuse_for_now(struct hf_grpc_call *call, const char *text);
