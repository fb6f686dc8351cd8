/*
 * sender_internal: what the files of the delivery share. All of it is owned by the delivery's loop
 * thread after start, save what is marked atomic.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include "util/delivery_config.h"
#include <holdfast/batching.h>

#include "aside.h"
#include "batch_limits.h"
#include "delivery.h"
#include "storage/storage.h"
#include "util/aimd.h"
#include "util/compress.h"
#include "util/loop.h"
#include "util/metrics.h"

/* A record read off the queue, until all its items are done with. */
struct in_flight_record {
    struct in_flight_record
        *next; /* among those not yet in a request, or among the reader's spares */
    struct wal_record record;
    uint32_t taken;           /* items that are in requests */
    uint32_t open;            /* items not done with */
    uint32_t delivered;       /* of those done with */
    enum wal_outcome outcome; /* of the others */
    enum wal_drop drop;
};

/* Some items of a record: all of them, or a run when the record was cut. */
struct record_range {
    struct in_flight_record *inflight;
    uint32_t first, count;
};

struct export_request {
    struct hf_export export; /* lent to the exporter */
    struct aside aside;
    struct queue_reader *reader;
    struct export_request *next; /* among those waiting to be sent again, or isolated */
    unsigned round;              /* of the window, when it was sent */
    struct hf_bytes cut;         /* the body of a run; a request with a run has no other range */
    size_t count;
    struct record_range *ranges; /* behind the struct, as are the pieces */
    struct hf_export_body *bodies;
};

/* One queue that the exporter reads: a pipeline's, or that of the dead letters it is to send again.
 * With fresh_share a second reader beside it reads past the backlog: it shares the consumer, the
 * failures and the count in flight of the `whole`. */
struct queue_reader {
    struct queue_reader *next;
    struct queue_reader *backlog; /* itself, but for a live reader */
    struct queue_reader *live;    /* NULL: none; it stands behind this one in memory */
    unsigned live_credit;         /* percent of a request */
    struct hf_delivery *delivery;
    const struct hf_pipeline *pipeline; /* NULL: the requeued dead letters, of any signal */
    _Atomic(struct wal *) wal;          /* NULL: there are none yet */
    struct wal_consumer *consumer;
    struct batch_limits batch_limits;
    struct batch_series batches;
    struct hf_task wake; /* posted by the committer */
    struct hf_timer timer;
    bool dry; /* the last read found nothing; `wake` is armed */
    struct in_flight_record *pending, **pending_end;
    struct in_flight_record *spares; /* room for the next records */
    size_t spare_count;
    uint64_t pending_items, pending_bytes;
    uint64_t pending_since_ns;
    struct export_request *waiting; /* in order of sequence */
    struct isolated isolated;
    uint64_t passed; /* requests delivered */
    unsigned in_flight;
    bool failing;
    uint64_t resume_ns; /* failing: no attempt before */
    struct hf_backoff backoff;
};

struct hf_delivery {
    struct hf_node *node;
    const struct hf_delivery_config *config;
    struct hf_loop *loop;
    struct queue_reader *readers;
    struct hf_requeue_watch watch;
    struct queue_reader *requeued; /* among the readers */
    struct hf_task requeue_task;   /* posted when the requeued reader gets its queue */
    struct queue_reader *turn;     /* the reader that may send first; NULL: the first of the list */
    unsigned in_flight, dead_letters_in_flight;
    struct hf_window window;
    struct hf_meter meter;
    size_t held_bytes;
    uint64_t isolated_bytes; /* of all readers; among the inflight */
    bool running, stop_begun, stopping, ended;
    struct hf_task
        pump_task; /* at the end of the turn: many completions, one look at the readers */
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

/* Most bytes of bodies that one delivery keeps in memory: a request more is begun only below it. */
#define HELD_BYTES_MAX ((size_t)8 << 20)
/* A backend's usual limit is 4 MiB a message; coalescing stays below it. */
#define REQUEST_BYTES_MAX ((uint64_t)(4u << 20) - (64u << 10))
#define REQUEST_ITEMS_MAX 8192

/* delivery.c: says so once, until a request is delivered. */
void hf_delivery_set_unhealthy(struct hf_delivery *delivery, const char *why);
/* What the configuration says of its dead letters. */
struct wal_limits hf_delivery_letter_limits(const struct hf_delivery *delivery);
/* Uniform in [0, 1), for jitter. */
double hf_delivery_draw(struct hf_delivery *delivery);
/* Pumps every reader at the end of this turn. */
void hf_delivery_pump_later(struct hf_delivery *delivery);
/* A reader without a queue yet, put among the delivery's. NULL: out of memory. */
struct queue_reader *hf_delivery_new_reader(struct hf_delivery *delivery,
                                            const struct hf_pipeline *pipeline);

/* reader.c: sends what can be sent, sets the timer for the rest. */
void hf_queue_reader_pump(struct queue_reader *reader);
void hf_queue_reader_woken(struct hf_task *task);
/* `wake` of its consumer: the committer's thread. */
void hf_queue_reader_wake(void *reader);
void hf_queue_reader_timer(struct hf_timer *timer, uint64_t now_ns);
/* Puts a request among the waiting, in order. */
void hf_queue_reader_put_back(struct queue_reader *reader, struct export_request *request);
/* Reads settings of batching, and makes the series that tell of it. */
void hf_queue_reader_set_batching(struct queue_reader *reader);
/* May the two records be sent in one request? */
bool hf_queue_reader_may_mix(const struct queue_reader *reader, const struct in_flight_record *a,
                             const struct in_flight_record *b);
/* `large`: it was sent for its size, not for the time it had waited. */
void hf_queue_reader_count_batch(const struct queue_reader *reader,
                                 const struct export_request *request, bool large);
/* Releases all it holds, unacknowledged, and its spares. */
void hf_queue_reader_drop_all(struct queue_reader *reader);

void hf_held_release(struct queue_reader *reader, struct in_flight_record *inflight);
