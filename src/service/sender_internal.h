/*
 * sender_internal: what the files of the sender share. All of it is owned by the sender's loop
 * thread after start, save what is marked atomic.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include <holdfast/sending.h>
#include <holdfast/shape.h>

#include "../util/compress.h"
#include "../util/loop.h"
#include "../util/metrics.h"
#include "../util/pace.h"
#include "aside.h"
#include "sender.h"
#include "shaping.h"
#include "store.h"

/* A record read off the queue, until all its items are done with. */
struct held {
    struct held *next; /* among those not yet in a request, or among the lane's spares */
    struct wal_record record;
    uint32_t taken;     /* items that are in requests */
    uint32_t open;      /* items not done with */
    uint32_t delivered; /* of those done with */
    enum wal_fate fate; /* of the others */
    enum wal_drop drop;
};

/* Some items of a record: all of them, or a run when the record was cut. */
struct part {
    struct held *held;
    uint32_t first, count;
};

struct request {
    struct hf_export export; /* lent to the exporter */
    struct aside aside;
    struct lane *lane;
    struct request *next; /* among those waiting to be sent again, or isolated */
    unsigned round;       /* of the window, when it was sent */
    struct hf_bytes cut;  /* the body of a run; a request with a run has no other part */
    size_t count;
    struct part *parts; /* behind the struct, as are the pieces */
    struct hf_piece *pieces;
};

/* One queue that the exporter reads: a pipeline's, or that of the dead letters it is to send again.
 * With fresh_share a second lane beside it reads past the backlog: it shares the consumer, the
 * failures and the count in flight of the `whole`. */
struct lane {
    struct lane *next;
    struct lane *whole;    /* itself, but for a fresh lane */
    struct lane *fresh;    /* NULL: none; it stands behind this one in memory */
    unsigned fresh_credit; /* percent of a request */
    struct hf_sender *sender;
    const struct hf_pipeline *pipeline; /* NULL: the requeued dead letters, of any signal */
    _Atomic(struct wal *) wal;          /* NULL: there are none yet */
    struct wal_consumer *consumer;
    struct shaping shaping;
    struct batch_series batches;
    struct hf_task wake; /* posted by the committer */
    struct hf_timer timer;
    bool dry; /* the last read found nothing; `wake` is armed */
    struct held *pending, **pending_end;
    struct held *spares; /* room for the next records */
    size_t spare_count;
    uint64_t pending_items, pending_bytes;
    uint64_t pending_since_ns;
    struct request *waiting; /* in order of sequence */
    struct isolated isolated;
    uint64_t passed; /* requests delivered */
    unsigned in_flight;
    bool failing;
    uint64_t resume_ns; /* failing: no attempt before */
    struct hf_backoff backoff;
};

struct hf_sender {
    struct hf_node *node;
    const struct hf_sending_config *config;
    struct hf_loop *loop;
    struct lane *lanes;
    struct hf_requeue_watch watch;
    struct lane *requeued;       /* among the lanes */
    struct hf_task requeue_task; /* posted when the requeued lane gets its queue */
    struct lane *turn;           /* the lane that may send first; NULL: the first of the list */
    unsigned in_flight, burying;
    struct hf_window window;
    struct hf_meter meter;
    size_t held_bytes;
    uint64_t isolated_bytes; /* of all lanes; among the held */
    bool running, stop_begun, stopping, ended;
    struct hf_task pump_task; /* at the end of the turn: many completions, one look at the lanes */
    bool pump_deferred;
    struct hf_task stop_task;
    sem_t stopped;
    atomic_bool unhealthy;
    atomic_uint unburied; /* requests that the dead letters have no room for */
    uint64_t random;
    const char **context_keys;
    size_t context_key_count;
    struct hf_series *sent[HF_SIGNAL_COUNT], *send_failed[HF_SIGNAL_COUNT];
    struct hf_series *enqueue_failed[HF_SIGNAL_COUNT];
    struct hf_series *queue_size, *queue_capacity;
};

/* Most bytes of bodies that one sender keeps in memory: a request more is begun only below it. */
#define HELD_BYTES_MAX ((size_t)8 << 20)
/* A backend's usual limit is 4 MiB a message; coalescing stays below it. */
#define REQUEST_BYTES_MAX ((uint64_t)(4u << 20) - (64u << 10))
#define REQUEST_ITEMS_MAX 8192

/* sender.c: says so once, until a request is delivered. */
void hf_sender_set_unhealthy(struct hf_sender *sender, const char *why);
/* What the configuration says of its dead letters. */
struct wal_limits hf_sender_letter_limits(const struct hf_sender *sender);
/* Uniform in [0, 1), for jitter. */
double hf_sender_draw(struct hf_sender *sender);
/* Pumps every lane at the end of this turn. */
void hf_sender_pump_later(struct hf_sender *sender);
/* A lane without a queue yet, put among the sender's. NULL: out of memory. */
struct lane *hf_sender_new_lane(struct hf_sender *sender, const struct hf_pipeline *pipeline);

/* lane.c: sends what can be sent, sets the timer for the rest. */
void hf_lane_pump(struct lane *lane);
void hf_lane_woken(struct hf_task *task);
/* `wake` of its consumer: the committer's thread. */
void hf_lane_wake(void *lane);
void hf_lane_timer(struct hf_timer *timer, uint64_t now_ns);
/* Puts a request among the waiting, in order. */
void hf_lane_put_back(struct lane *lane, struct request *request);
/* Reads settings of batching, and makes the series that tell of it. */
void hf_lane_shape(struct lane *lane);
/* May the two records be sent in one request? */
bool hf_lane_may_mix(const struct lane *lane, const struct held *a, const struct held *b);
/* `large`: it was sent for its size, not for the time it had waited. */
void hf_lane_count_batch(const struct lane *lane, const struct request *request, bool large);
/* Releases all it holds, unacknowledged, and its spares. */
void hf_lane_drop_all(struct lane *lane);

void hf_held_release(struct lane *lane, struct held *held);
