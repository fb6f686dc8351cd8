/*
 * server: gRPC over HTTP/2 (nghttp2), ignorant of pipelines. Calls are unary; a method may instead
 * converse, in turns.
 *
 * A server accepts on one listening socket with any number of loops; a connection, its calls and
 * their callbacks stay on the loop that accepted it. A call's message is collected into one buffer
 * (after the limit was checked on its prefix) and handed over whole; the answer may come at any
 * later turn of that loop. Answers of one turn are written together at its end. Flow control is by
 * hand: the windows of a connection open only as its messages are taken and answered, so a slow
 * consumer slows the sender, and a connection costs at most `connection_window` bytes.
 *
 * What all calls hold together is bounded (util/intake.h): messages as they came and decoded,
 * metadata, the calls themselves. When that is nearly full, the messages that come slowest are
 * refused for now. A message must come at a least rate and within a time; an answer that is not
 * taken in 20 s is given up.
 *
 * Nothing is said before a client's first bytes: to another protocol there is an answer in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_grpc_server;
struct hf_grpc_call;
struct hf_loop;
struct hf_tls;
struct hf_metrics;
struct hf_bytes;

struct hf_grpc_method {
    const char *path; /* "/opentelemetry.proto.collector.trace.v1.TraceService/Export" */
    void *user;
    /*
     * NULL: unary. Otherwise the call is a conversation, and on_message() never hears of it: for
     * each message of the client one is appended to `answer`, here and now. Another status than
     * HF_OK ends the call with its code. The loop's thread.
     */
    enum hf_status (*converse)(void *user, struct hf_slice message, struct hf_bytes *answer);
    /*
     * Not 0: the client says one message, and that is answered again and again, so often: an answer
     * that differs from the one before is sent, until the client ends the call or the server
     * drains. `message` is the same each time.
     */
    uint64_t repeat_ns;
    /* The client says any number of messages: on_message() hears of the next one after
     * hf_grpc_call_next(). The call ends between two, when the client or the server wants to. */
    bool streams;
};

struct hf_grpc_server_options {
    int listen_fd; /* taken over */
    struct hf_loop *const *loops;
    size_t loop_count;
    struct hf_tls *tls;                        /* NULL: cleartext, prior knowledge */
    size_t message_bytes_max;                  /* before and after decompression */
    uint32_t streams_max;                      /* a connection; 0: 1,000 */
    uint32_t stream_window, connection_window; /* 0: 1 MiB, 16 MiB */
    size_t read_buffer_bytes;                  /* 0: 256 KiB, one a loop */
    size_t connections_max;                    /* 0: 10,000 */
    size_t connections_per_peer_max;           /* util/peer.h; 0: no limit of its own */
    uint64_t buffered_bytes_max; /* of all calls; 0: 256 MiB; a message: three quarters at most */
    uint64_t message_time_ns;    /* from its headers to its end; 0: 10 min */
    uint64_t message_rate;       /* bytes a second that must come after 30 s; 0: 1,024 */
    uint64_t keepalive_time_ns, keepalive_timeout_ns; /* 0: 2 h, 20 s */
    uint64_t max_connection_idle_ns, max_connection_age_ns,
        max_connection_age_grace_ns;      /* 0: no limit */
    uint64_t enforcement_min_time_ns;     /* 0: 5 min */
    bool permit_without_stream, is_otlp;  /* OTLP: other clients are told where OTLP/HTTP is */
    const struct hf_grpc_method *methods; /* the server knows all others to be unimplemented */
    size_t method_count;
    /* A loop's thread: may anybody ask for this header before the answer? Others are not kept.
     * NULL: all are. */
    bool (*keeps_header)(void *user, struct hf_slice name);
    /*
     * The loop's thread: the headers are here, the message is not. To refuse, answer at once; to
     * decide later, hf_grpc_call_hold(); else return. May be NULL.
     */
    void (*on_headers)(void *user, struct hf_grpc_call *call);
    /* The loop's thread: a call with something in its slot is no more. May be NULL. */
    void (*on_gone)(void *user, struct hf_grpc_call *call);
    /* The loop's thread: the message is whole and decoded. Must end in hf_grpc_call_answer() once,
     * or hf_grpc_call_next(). */
    void (*on_message)(void *user, struct hf_grpc_call *call);
    /* A connection or call was ended for a protocol error: for log and counter. May be NULL. */
    void (*on_error)(void *user, const char *peer, const char *what);
    /* After a stop, once: no thread uses `user` any more, none of these is called. May be NULL. */
    void (*on_end)(void *user);
    void *user;
};

/* HF_NOMEM, HF_IO (the socket), with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_grpc_server_new(const struct hf_grpc_server_options *options,
                                              struct hf_grpc_server **ret_server, char *reterr);
void hf_grpc_server_start(struct hf_grpc_server *server); /* accepts from now on */
/*
 * Main thread: accepts no more, sends GOAWAY, lets calls in progress be answered and written, at
 * most `grace_ns`; then cuts what is left. A loop that is blocked, or a call that its user does not
 * answer, is not waited for: on_end tells when the last has come back.
 */
void hf_grpc_server_stop(struct hf_grpc_server *server, uint64_t grace_ns);
void hf_grpc_server_free(struct hf_grpc_server *server);

/* ---- a call: the loop's thread, valid until it is answered ---- */

/* A slot for the user's own pointer; when it is not NULL, on_gone tells of the call's end. */
void **hf_grpc_call_slot(struct hf_grpc_call *call);
/* In on_headers: the message may come, but is not handed over before hf_grpc_call_resume(). A call
 * on hold may be answered as well; one that ends or is refused meanwhile is on hold no more. */
void hf_grpc_call_hold(struct hf_grpc_call *call);
bool hf_grpc_call_is_on_hold(const struct hf_grpc_call *call);
void hf_grpc_call_resume(struct hf_grpc_call *call);

void *hf_grpc_call_user(const struct hf_grpc_call *call); /* of the method */
struct hf_loop *hf_grpc_call_loop(const struct hf_grpc_call *call);
const char *hf_grpc_call_peer(const struct hf_grpc_call *call); /* "10.0.0.7:51234", "unix" */
/* Request metadata by lower-case name; `-bin` values are decoded; empty when absent. Steps:
 * hf_grpc_call_header_next. */
struct hf_slice hf_grpc_call_header(const struct hf_grpc_call *call, const char *name);
bool hf_grpc_call_header_next(const struct hf_grpc_call *call, size_t *cursor,
                              struct hf_slice *ret_name, struct hf_slice *ret_value);

/* The message as it came (`wire`, `coding`), and decoded (`raw`; equal when identity). Valid until
 * the answer. */
struct hf_grpc_message {
    struct hf_slice wire, raw;
    enum hf_coding coding;
    struct hf_ref *owner;     /* of `wire`: take a reference to keep it after the answer */
    struct hf_ref *raw_owner; /* of `raw`, likewise; the same as owner when identity */
};
const struct hf_grpc_message *hf_grpc_call_message(const struct hf_grpc_call *call);

struct hf_grpc_answer {
    int code;                /* grpc-status */
    struct hf_slice message; /* code 0: the response message (not compressed); may be empty */
    const char *error;       /* code != 0: grpc-message, not yet percent-encoded; may be NULL */
    uint64_t retry_delay_ns; /* code != 0: RetryInfo in grpc-status-details-bin; 0: none */
    bool goes_away;          /* GOAWAY after it: the client's next call needs a new connection */
};
/* Ends the call; its connection may have gone meanwhile, or is written at the end of the turn. */
void hf_grpc_call_answer(struct hf_grpc_call *call, const struct hf_grpc_answer *answer);
/* Of a method that streams: the message is done with, and the call may be no more; and what its
 * user keeps from one message to the next. */
void hf_grpc_call_next(struct hf_grpc_call *call);
struct hf_bytes *hf_grpc_call_kept(struct hf_grpc_call *call);
