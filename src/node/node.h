/*
 * node: the instances of components: struct hf_node, which is opaque in holdfast/node.h, the
 * pipelines of a node, and the objects that all nodes share.
 *
 * The graph makes nodes and pipelines before anything runs; they are immutable after the start. The
 * functions of holdfast/node.h that need no graph are here, the others in pipeline/graph_node.c.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/component.h>
#include <holdfast/control.h>

#include "wal/wal.h"

struct hf_log;
struct hf_storage;
struct hf_listeners;
struct hf_delivery;
struct hf_queued_processor;
struct hf_graph;
struct hf_batching;
struct hf_delivery_config;
struct hf_own_spans;
struct hf_span_name;
struct hf_exporter_histories;
struct hf_taps;
struct hf_shards;

#define HF_INSTANCE_SIZE 37 /* a UUID as text */

/* The objects that graphs share. Immutable after start; each member is safe for any thread, or used
 * by the main thread only. */
struct hf_host {
    const struct hf_component *const *components; /* that are built in; NULL: not known */
    char instance[HF_INSTANCE_SIZE];              /* service.instance.id; "": there is none */
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_own_spans *spans; /* NULL: nothing is traced */
    struct hf_storage *store;
    struct hf_listeners *listeners;
    struct hf_loop **loops;
    size_t loop_count;
    struct hf_exporter_histories *histories; /* NULL: none are kept */
    struct hf_taps *taps;                    /* see taps.h; NULL: there are none */
    atomic_uint open_taps;
    /* Runs a command of the control protocol and writes its answer to `out`; the exit code. NULL:
     * nothing is answered yet. Set before components are opened. */
    int (*run_command)(void *commands, int count, char *const *words, FILE *out);
    void *commands;
};

#define HF_TRANSPORTS_MAX 4

/* Counters of one receiver and transport. */
struct hf_transport {
    const char *name;
    struct hf_series *accepted[HF_SIGNAL_COUNT], *refused[HF_SIGNAL_COUNT];
};

/*
 * One pipeline, or the part of a pipeline behind a queued processor: the processors that a batch
 * passes, and the queue it goes to. Of a pipeline with several queues (pipeline/shards.h) each
 * further one is a pipeline without processors, which no route leads to. Immutable after start.
 */
struct hf_pipeline {
    /* Of its queue: "traces", "traces>tail_sampling" behind that queued_processor, "traces~1". */
    const char *id;
    char *own_id;                   /* the same, to be freed, of the latter two */
    const struct hf_pipeline *lead; /* of such a further queue: the pipeline; otherwise NULL */
    struct hf_shards *shards;       /* NULL: all goes into its own queue */
    unsigned queue_count;           /* that share its limits; 0 is 1 */
    bool is_retired;                /* nothing is appended any more, what is queued is sent */
    enum hf_signal signal;
    struct hf_node **processors;
    size_t processor_count;
    struct wal *wal;
    struct wal_limits limits;           /* as configured; max_bytes 0: the default */
    const struct hf_batching *batching; /* of its batch processor; NULL: none */
    const char *batching_id;            /* that processor's id */
    bool zstd;                          /* compress at rest */
    struct hf_series **enqueue_failed;  /* of its exporters */
    size_t exporter_count;
    struct hf_node **behind; /* exporters, connectors, or the queued processor that follows */
    size_t behind_count;
    bool skips_queue; /* nothing reads its queue: all goes on through connectors that answer at once
                       */
};

struct hf_node {
    const char *id;
    /* Of a receiver that another one has started; NULL: the id. */
    const char *counted_id, *place_id;
    const struct hf_string_pair *added; /* likewise, to every resource; see subreceiver.h */
    size_t added_count;
    const struct hf_component *component;
    const void *config;
    const struct hf_delivery_config *delivery_config; /* exporters; NULL: it has no such keys */
    void *self;
    bool opened, started;
    atomic_int state; /* enum hf_state, as its life has come to */
    _Atomic uint64_t state_since_unix_ns;
    struct hf_graph *graph;
    atomic_size_t holds; /* part of those of the graph */
    const struct hf_host *host;
    struct hf_loop *own_loop; /* of an exporter's delivery or a queued processor; NULL: none */
    unsigned signals;
    struct hf_pipeline **routes[HF_SIGNAL_COUNT]; /* receivers, connectors, queued processors */
    size_t route_count[HF_SIGNAL_COUNT];
    struct hf_span_name *span_names[HF_SIGNAL_COUNT]; /* of a receiver's requests; NULL: none */
    struct hf_transport transports[HF_TRANSPORTS_MAX];
    size_t transport_count;
    /* Of a processor that answers at once; see pipeline/processed_items.h. NULL: not counted. */
    struct hf_series *incoming[HF_SIGNAL_COUNT], *outgoing[HF_SIGNAL_COUNT];
    struct hf_delivery *delivery;                 /* exporters */
    struct hf_queued_processor *queued_processor; /* processors and connectors with `take` */
};
