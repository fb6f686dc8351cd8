/*
 * node: a component's place in the graph and what the graph lends it: its id, its log, its
 * counters, the loops, the way on. Made before `open`, freed after `close`. Immutable after start;
 * any thread unless said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "slice.h"
#include "status.h"

struct hf_node;
struct hf_pipeline;
struct hf_loop;
struct hf_auth;
struct hf_leader;
struct hf_metrics;
struct hf_observer;
struct hf_series;

/* "otlp/gateway", as the user wrote it. */
const char *hf_node_id(const struct hf_node *node);
/* The same, but for a receiver that another one has started (subreceiver.h): the id under which all
 * of its type there are counted, and the one under which its places are kept. */
const char *hf_node_counted_id(const struct hf_node *node);
const char *hf_node_place_id(const struct hf_node *node);

enum hf_log_level { HF_LOG_DEBUG = 0, HF_LOG_INFO, HF_LOG_WARN, HF_LOG_ERROR };

/* One line, with the component's id put before it; repeats are held back (10 at once, then every
 * 100th in 10 s). */
void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A field of a line: a value beside the message, which is a key of its own in JSON. */
struct hf_log_key {
    const char *key; /* a constant; NULL: the end of the list */
    enum { HF_LOG_TEXT_KEY, HF_LOG_NUMBER_KEY, HF_LOG_DURATION_KEY } type;
    const char *text; /* NULL: the field is left out */
    int64_t number;   /* a duration: nanoseconds, written as Go does ("1.5s") */
};

#define HF_LOG_TEXT(name, value)                                                                   \
    {                                                                                              \
        .key = (name), .type = HF_LOG_TEXT_KEY, .text = (value)                                    \
    }
#define HF_LOG_NUMBER(name, value)                                                                 \
    {                                                                                              \
        .key = (name), .type = HF_LOG_NUMBER_KEY, .number = (int64_t)(value)                       \
    }
#define HF_LOG_DURATION(name, value)                                                               \
    {                                                                                              \
        .key = (name), .type = HF_LOG_DURATION_KEY, .number = (int64_t)(value)                     \
    }
#define HF_LOG_KEYS(...) ((const struct hf_log_key[]){__VA_ARGS__, {.key = NULL}})

/* The same with fields, HF_LOG_KEYS(...); `message` is a constant. The console writes the fields
 * as a JSON object behind the message, as the Go collector does. */
void hf_node_log_keys(const struct hf_node *node, enum hf_log_level level, const char *message,
                      const struct hf_log_key *keys);

/* The registry of self-metrics (util/metrics/metrics.h), and the loops that receivers share (at
 * least one).
 */
struct hf_metrics *hf_node_metrics(const struct hf_node *node);
struct hf_loop *const *hf_node_loops(const struct hf_node *node, size_t *ret_count);

/* Exporter: the loop of its delivery's thread. Queued processor, connector: its own. NULL for
 * others. */
struct hf_loop *hf_node_own_loop(const struct hf_node *node);

/* Receiver and processor: the signals for which it is in a pipeline, as HF_SIGNAL_BIT()s. */
unsigned hf_node_signals(const struct hf_node *node);

/*
 * The authenticator of that id, for `auth: {authenticator: ID}`. The loader has checked that the
 * extension exists. HF_NOT_FOUND when it has no `auth`. Extensions are opened before all others.
 */
HF_MUST_USE enum hf_status hf_node_auth(const struct hf_node *node, const char *id,
                                        const struct hf_auth **ret_auth, void **ret_self);

/* Likewise the elector of that id, for `k8s_leader_elector: ID`. HF_NOT_FOUND when it elects none.
 */
HF_MUST_USE enum hf_status hf_node_leader(const struct hf_node *node, const char *id,
                                          const struct hf_leader **ret_leader, void **ret_self);

/* Likewise the observer of that id, for `watch_observers`. HF_NOT_FOUND when it finds no endpoints.
 */
HF_MUST_USE enum hf_status hf_node_observer(const struct hf_node *node, const char *id,
                                            const struct hf_observer **ret_observer,
                                            void **ret_self);

/*
 * The request headers that receivers must keep because some component downstream reads them
 * (`metadata_keys`, `from_context`): lower case. A receiver copies these into the batch's meta, and
 * the peer address when hf_node_wants_peer(), and what its authenticator knows of the client when
 * hf_node_wants_auth().
 */
const char *const *hf_node_metadata_keys(const struct hf_node *node, size_t *ret_count);
bool hf_node_wants_peer(const struct hf_node *node);
bool hf_node_wants_auth(const struct hf_node *node);

/* Receiver: does an extension send the value of that metadata key on as a header (`from_context` of
 * headers_setter)? A value that cannot be one is then refused at intake. */
bool hf_node_sends_header(const struct hf_node *node, const char *key);

/* Receiver, in open and start: the memory that the process may use, by its cgroup, the machine,
 * GOMEMLIMIT and the limits of processors. 0: not known. */
uint64_t hf_node_memory(const struct hf_node *node);

/*
 * Connector, queued processor, receiver: the pipelines behind it that carry `signal`, in the order
 * of the configuration, and the id of each as the user wrote it ("traces/2"; behind a queued
 * processor "traces>ID"). From open until close.
 */
struct hf_pipeline *const *hf_node_outputs(const struct hf_node *node, enum hf_signal signal,
                                           size_t *ret_count);
const char *hf_pipeline_id(const struct hf_pipeline *pipeline);

/* The state of all that is behind a pipeline, through connectors and queued processors too. */
struct hf_pipeline_state {
    bool is_failing; /* the last attempt of an exporter failed, and it waits for the next one */
    uint64_t queued_bytes; /* before compression, of the queue that is longest */
};

/* Any thread, from start until stop. */
void hf_pipeline_look(const struct hf_pipeline *pipeline, struct hf_pipeline_state *ret_state);

/*
 * A listening stream socket on `endpoint` ("host:port", "[::1]:4317", "unix:///path"), or a
 * datagram socket ("udp://host:port", "unixgram:///path"); non-blocking, close-on-exec. Across a
 * reload the same endpoint yields the same socket, so that no connection is refused. The node owns
 * a duplicate: close it. On failure `reterr` (HF_ERROR_MAX) is a plain sentence with what to do.
 * Main thread.
 */
HF_MUST_USE enum hf_status hf_node_listen(struct hf_node *node, const char *endpoint, int *ret_fd,
                                          char *reterr);

/* Likewise; `mode` is that of a Unix socket as octal text ("0660"), NULL: the umask decides. */
HF_MUST_USE enum hf_status hf_node_listen_mode(struct hf_node *node, const char *endpoint,
                                               const char *mode, int *ret_fd, char *reterr);

/* In stop: does another graph listen on the same sockets already? Then the process does not wait
 * for this stop, and connections may take longer to end. Main thread. */
bool hf_node_is_succeeded(const struct hf_node *node);

/*
 * A thread that stop() does not wait for holds the graph while it may still use anything of it:
 * nothing of the graph is closed or freed before the last one lets go. Hold before the thread can
 * run; let go once, as the last thing that the thread does with the component. Any thread.
 */
void hf_node_hold(struct hf_node *node);
void hf_node_release(struct hf_node *node);

/* The data directory, for files that an exporter keeps beside its queue; NULL: there is none, as
 * when only the configuration is checked. */
const char *hf_node_directory(const struct hf_node *node);

/* Does durable enqueue work on every queue right now? Any thread. */
bool hf_node_is_durable(const struct hf_node *node);
/* Likewise; when not, `ret_why` (HF_ERROR_MAX) says why, in a few words. */
bool hf_node_explain_durable(const struct hf_node *node, char *ret_why);

/*
 * Receiver, in open: registers the counters of a transport ("grpc", "http"), so that they are there
 * from the start. At most four a receiver; `name` is a literal. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_node_add_transport(struct hf_node *node, const char *name);

/* How a receiver is answered. Embed it in the request. */
struct hf_reply {
    /*
     * Called exactly once for each hf_submit(), by the committer's thread, or by the caller's own
     * before hf_submit() returns. HF_OK means that every pipeline has the batch on disk. Must not
     * block: post to your loop.
     */
    void (*done)(struct hf_reply *reply, enum hf_status status);
};

/*
 * Receiver: hands a batch (borrowed; validated, with `raw` set) to every pipeline of its signal:
 * processors run now, on this thread; then all the queues admit it or none does. `transport`
 * ("grpc", "http") labels the counters. A receiver that is read and not called (a scraper) uses the
 * same call. Any thread that the receiver owns.
 */
void hf_submit(struct hf_node *node, struct hf_batch *batch, const char *transport,
               struct hf_reply *reply);

/*
 * The position of a receiver in its source: every queue that the receiver feeds keeps the latest
 * value of each name, committed together with the batch that it was submitted with. Names belong to
 * the receiver's id; an empty value removes the name.
 */
struct hf_checkpoint {
    struct hf_slice name;  /* with the receiver's id at most 250 bytes */
    struct hf_slice value; /* at most HF_CHECKPOINT_BYTES_MAX */
};
#define HF_CHECKPOINT_BYTES_MAX 1024u

struct hf_submit_options {
    const char *transport;
    const struct hf_checkpoint *checkpoints; /* copied, but for the values: borrowed until `done` */
    size_t checkpoint_count;
    /* The value of the header `holdfast-records`, borrowed for the call; empty: none. Records that
     * the queues already have are not stored again and are answered with HF_OK; a second request of
     * the same records gets HF_AGAIN while the first is in progress. Not together with
     * checkpoints. */
    struct hf_slice record_names;
    struct hf_series *repeated; /* counts the items that came twice; NULL: not counted */
};

/*
 * As hf_submit(). Checkpoints are committed even when nothing is left of the batch or it has no
 * items. A record without items counts as delivered when it is read.
 */
void hf_submit_with(struct hf_node *node, struct hf_batch *batch,
                    const struct hf_submit_options *options, struct hf_reply *reply);

/*
 * Receiver, from start on: visits the value of that name in every queue of the receiver, empty
 * where there is none, in the order of the pipelines. A receiver that feeds several queues resumes
 * from the oldest. Borrowed for the visit. HF_TOO_LARGE: the name.
 */
HF_MUST_USE enum hf_status hf_node_checkpoint_each(const struct hf_node *node, struct hf_slice name,
                                                   void (*visit)(void *user, struct hf_slice value),
                                                   void *user);
