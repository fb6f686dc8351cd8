/*
 * delivery_internal: the structures that the files of the delivery share. All are owned by the
 * delivery's loop thread after start, except the atomic members.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include "util/delivery_config.h"
#include <holdfast/batching.h>

#include "batch_limits.h"
#include "delivery.h"
#include "fault.h"
#include "held_state.h"
#include "isolation_state.h"
#include "node/exporter_history.h"
#include "storage/storage.h"
#include "util/aimd.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/own_spans.h"

/* A record that was read from the queue, until all its items are done with. */
struct in_flight_record {
    struct in_flight_record
        *next; /* among those not yet in a request, or among the reader's spares */
    struct wal_record stored;
    uint32_t taken;           /* items that are in requests */
    uint32_t open;            /* items not done with */
    uint32_t held;            /* open items of held requests (held.h) */
    bool is_unloaded;         /* `stored` has no body now: all open items are held */
    uint32_t dead_lettered;   /* of those done with */
    uint32_t delivered;       /* likewise */
    enum wal_outcome outcome; /* of the others */
    enum wal_drop drop;
};

/* Some items of a record: all of them, or a range when the record is sent in several requests. */
struct record_range {
    struct in_flight_record *record;
    uint32_t first, count;
};

struct export_request {
    struct hf_export export; /* lent to the exporter */
    struct isolation_state isolation;
    struct queue_reader *reader;
    struct export_request *next; /* among those waiting to be sent again, or isolated */
    unsigned round;              /* of the window, when it was sent */
    uint64_t span_start_ns;      /* of the attempt; 0: it is not traced */
    uint32_t group;              /* it was held for that group before (held.h); 0: it was not */
    struct hf_bytes range_body;  /* the body, when its one range is a part of a record */
    size_t count;
    struct record_range *ranges; /* in memory behind the struct, like the bodies */
    struct hf_export_body *bodies;
    struct hf_export_range *sources; /* `ranges` as the exporter sees them */
};

/* Reads one queue for the exporter: that of a pipeline, or that of requeued dead letters. With
 * fresh_share there is a second reader, which reads at the live position past the backlog. It
 * shares the consumer, the failures and the count in flight of its `backlog` reader. */
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
    struct hf_task wake;   /* posted by the committer */
    struct hf_task let_go; /* posted by the main thread, unless it is on its way */
    atomic_bool is_letting_go;
    struct hf_timer timer;
    bool dry; /* the last read found nothing; `wake` is armed */
    struct in_flight_record *pending, **pending_end;
    struct in_flight_record *spares; /* room for the next records */
    size_t spare_count;
    uint64_t pending_items, pending_bytes;
    uint64_t pending_since_ns;
    struct export_request *waiting; /* in order of sequence */
    struct isolated_list isolated;
    struct held_list held;
    uint64_t passed; /* requests delivered */
    unsigned in_flight;
    atomic_bool failing;                      /* read by other threads: hf_delivery_is_failing() */
    atomic_size_t shown_held, shown_isolated; /* what hf_delivery_look() gives */
    uint64_t resume_ns;                       /* failing: no attempt before */
    struct hf_backoff backoff;
};

struct hf_delivery {
    struct hf_node *node;
    const struct hf_delivery_config *config;
    struct hf_loop *loop;
    struct queue_reader *readers;
    struct hf_requeue_watch watch;
    struct queue_reader *requeued; /* among the readers */
    struct hf_task requeue_task;   /* posted when that reader gets its queue */
    struct queue_reader *turn;     /* the reader that may send first; NULL: the first of the list */
    unsigned in_flight, dead_letters_in_flight;
    struct hf_window window;
    struct hf_meter meter;
    size_t in_flight_bytes;
    uint64_t isolated_bytes; /* of all readers; a part of in_flight_bytes */
    bool running, stop_begun, stopping, ended;
    struct hf_task pump_task; /* at the end of the turn, so that many completions cost one look at
                                 the readers */
    bool pump_deferred;
    struct hf_task stop_task;
    sem_t stopped;
    atomic_bool unhealthy;
    struct hf_fault fault;
    struct hf_pipeline *dead_letter_pipeline; /* NULL: they are kept on disk */
    void (*submit_dead_letter)(struct hf_node *node, struct hf_pipeline *const *pipelines,
                               size_t count, struct hf_batch *batch, struct hf_reply *reply);
    atomic_uint dead_letters_waiting; /* requests that the dead letters have no room for */
    struct hf_exporter_history *history;
    bool is_out;                               /* the history has an outage that lasts */
    atomic_uint shown_in_flight, shown_window; /* what hf_delivery_look() gives */
    uint64_t random;
    const char **context_keys;
    size_t context_key_count;
    struct hf_series *sent[HF_SIGNAL_COUNT], *send_failed[HF_SIGNAL_COUNT];
    struct hf_series *enqueue_failed[HF_SIGNAL_COUNT];
    struct hf_series *queue_size, *queue_capacity;
    struct hf_span_name *span_names[HF_SIGNAL_COUNT]; /* of attempts; NULL: they are not traced */
};
