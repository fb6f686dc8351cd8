/*
 * statsd_internal: what the files of the receiver share. Owned by the reader's thread from start to
 * stop.
 */
#pragma once

#include "statsd_config.h"
#include "statsd_store.h"
#include "support/lines/datagrams.h"
#include "support/lines/streams.h"
#include "support/tail/turn.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"

struct statsd {
    struct hf_node *node;
    const struct statsd_config *config;
    struct statsd_rules rules;
    struct statsd_store store;
    struct hf_builder builder;
    struct hf_datagrams *datagrams;
    struct hf_streams *streams;
    struct hf_turn *turn;
    struct hf_log_limiter said;
    struct hf_series *parsed, *failed;
    struct hf_statsd_line line;

    bool is_loaded;
    struct hf_bytes early; /* lines from before that: sizes, sender, line */
    char *path;            /* of the file; NULL: there is none */
    uint64_t number;       /* of the interval */
    bool is_dirty, is_full;
    uint64_t flush_due_ns, save_due_ns; /* monotonic */

    /* A flush that is being handed over. */
    const struct statsd_sender *next_sender;
    bool is_flushing, sends_place;
    struct hf_batch *ahead; /* the batch behind the one that is handed over next */
    char meta_peer[STATSD_SENDER_MAX];
    char place[24];
};

/* statsd_lines.c: counts a line of a sender, or keeps it until the last interval is loaded. */
void statsd_take_line(struct statsd *statsd, const char *sender, struct hf_slice text);
/* Counts those that were kept. */
void statsd_count_early(struct statsd *statsd);

/* statsd_interval.c: as of struct hf_datagrams_ops. */
struct hf_batch *statsd_collect(void *user, uint64_t now_ns, bool is_last);
bool statsd_place(void *user, struct hf_checkpoint *ret_checkpoint);
uint64_t statsd_due_ns(void *user);
