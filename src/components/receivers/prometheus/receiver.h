/*
 * receiver: what the files of this receiver share: the receiver with its jobs, their targets, and
 * the lanes on which batches go to the queues.
 *
 * Made and freed on the main thread; in between all of it is owned by the thread of its loop.
 */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "client.h"
#include "config.h"
#include "job_files.h"
#include "pdata/build.h"
#include "prometheus/exposition.h"
#include "prometheus/gather.h"
#include "prometheus/labels.h"
#include "prometheus/relabel.h"
#include "prometheus/replay.h"
#include "prometheus/table.h"
#include "support/scrape/offer.h"
#include "util/arena.h"
#include "util/log/log_limiter.h"
#include "util/loop.h"
#include "util/regex/regex.h"

#define PROM_TARGETS_MAX 100000u /* of a receiver */
#define PROM_IN_FLIGHT_MAX 256u  /* scrapes at a time */
#define PROM_LANES 16u
#define PROM_URL_MAX 4096u
#define PROM_HEADERS_MAX 24u

struct prom_receiver;
struct prom_scrape;

/*
 * The way of the batches of some targets. When a batch of it is refused, no target of it is scraped
 * until it is accepted.
 */
struct prom_lane {
    struct prom_receiver *receiver;
    struct hf_offer offer;
    struct hf_builder builder; /* keeps what the offer has no room for */
    bool has_more;             /* there is such a batch */
};

/* The series of the last scrape, so that those that vanish can be marked. */
#define PROM_IS_MARKED                                                                             \
    UINT64_C(1) /* in place of a hash's last bit: gets a marker when it vanishes */

struct prom_series {
    uint64_t *hashes;
    size_t count;
    /* An exposition that has all of them: the last one whose series were others than before. */
    uint8_t *body; /* zstd */
    size_t body_size, body_raw_size;
    enum hf_expo_format format;
    /* Of the last exposition: its shape, how many of its samples were kept, and its batches once
     * two had the same shape. */
    uint64_t shape, kept;
    struct hf_prom_replay replay;
};

struct prom_target {
    struct prom_job_state *job;
    struct prom_lane *lane;
    struct prom_target *next;         /* of its job */
    struct prom_target *next_waiting; /* for a scrape to end */
    uint64_t key;                     /* of its URL, labels and settings */
    const char *url;
    const char *own_address;            /* it may be this process: "host:port"; NULL: it is not */
    const struct hf_prom_label *labels; /* of its series; the texts are behind the struct */
    size_t label_count;
    struct hf_slice job_name, instance, scheme;
    const struct hf_prom_label *attributes; /* of its resource, from discovery */
    size_t attribute_count;
    uint64_t interval_ns, timeout_ns;
    bool wants_native, wants_classic;
    struct hf_timer timer;
    uint64_t due_ns;
    struct prom_scrape *scrape; /* the one that is in flight; NULL: none */
    bool is_waiting;            /* in the receiver's list */
    bool is_wanted;             /* used while a job's targets are looked at */
    bool is_leaving;            /* its scrape is cancelled */
    struct prom_series series;
};

struct prom_source; /* of targets */

struct prom_job_state {
    struct prom_receiver *receiver;
    const struct prom_job *config;
    struct prom_limits limits;
    uint64_t interval_ns, timeout_ns;
    struct hf_relabel *relabel, *metric_relabel;
    struct prom_client client;
    char accept[512];
    bool wants_native, wants_classic, extra_metrics;
    enum hf_expo_format fallback;
    struct prom_target *targets;
    size_t target_count;
    bool is_over_limit; /* more targets than target_limit */
    struct prom_source *sources;
};

/* The labels of a target, as discovery has found them. */
struct prom_found {
    const struct hf_prom_label *labels;
    size_t count;
};

struct prom_receiver {
    struct hf_node *node;
    const struct prom_config *config;
    struct hf_loop *loop;
    bool has_thread;
    struct prom_job_files *job_files;
    struct prom_job_state *jobs;
    size_t job_count;
    struct prom_allocator *allocator; /* NULL: none */
    struct prom_lane lanes[PROM_LANES];
    size_t target_count, in_flight;
    struct prom_target *waiting, *last_waiting; /* for one of those in flight to end */
    struct hf_log_limiter said;
    struct hf_regex *start_regex;

    /* For the scrape that is being read. */
    struct hf_arena arena;
    struct hf_prom_gather gather;
    struct hf_expo_reader *reader;
    struct hf_expo_values values;
    struct hf_prom_table seen, gone;
    struct hf_bytes old_body;
    uint64_t *tracked; /* hashes of the series of this scrape */
    size_t tracked_count, tracked_capacity;
    struct hf_prom_labels *labels; /* for making targets */

    struct hf_task begin, end;
    bool stopping;
    sem_t stopped;
};
