/*
 * taps: what passes a point of the pipelines, for people who look on: behind a receiver, behind a
 * processor or connector, at an exporter.
 *
 * The data path never waits for a tap and copies nothing for it: a tap is lent references of the
 * batches that pass, in a bounded ring, and what does not fit is counted. Closed, taps cost one
 * relaxed load for each batch that is submitted and for each request that is sent: the sender
 * looks at hf_taps_are_open() once and does nothing else.
 *
 * A meeting place: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "node.h"

#define HF_TAPS_MAX 8u
#define HF_TAP_BATCHES_MAX 64u
#define HF_TAP_BYTES_MAX (8u << 20) /* of bodies that wait in one tap */
#define HF_TAP_ID_MAX 128u

struct hf_taps;
struct hf_tap;

struct hf_tap_options {
    const char *component; /* its id; NULL: every receiver. Borrowed while the tap is open */
    int kind;              /* enum hf_kind; -1: any, or with `component` NULL receivers */
    unsigned signals;      /* HF_SIGNAL_BIT()s */
    uint32_t sample;       /* one of so many batches; at least 1 */
    /*
     * For tests of a configuration: everything that passes anywhere is shown at once, by the thread
     * that passes it on and waits for that, whatever stands above; nothing is lent or lost. `node`
     * NULL: the queue of `pipeline` has admitted it. `pipeline` NULL: it is not told. Must not call
     * taps. NULL: an ordinary tap.
     */
    void (*visit)(void *user, const struct hf_node *node, const struct hf_pipeline *pipeline,
                  struct hf_batch *batch);
    void *user;
};

/* A batch that has passed. The reference is the caller's. */
struct hf_tapped {
    struct hf_batch *batch;
    enum hf_kind kind;
    uint64_t time_ns; /* Unix time when it passed */
    char id[HF_TAP_ID_MAX];
};

/* Taps of `host`, which knows them from then on. HF_NOMEM. Main thread. */
HF_MUST_USE enum hf_status hf_taps_new(struct hf_host *host);
/* All are closed. Main thread, after the last graph. */
void hf_taps_free(struct hf_host *host);

/* HF_FULL: HF_TAPS_MAX are open. */
HF_MUST_USE enum hf_status hf_tap_open(const struct hf_host *host,
                                       const struct hf_tap_options *options,
                                       struct hf_tap **ret_tap);
void hf_tap_close(struct hf_tap *tap);
/* The next batch, if one comes within `wait_ms`. One thread a tap. */
HF_MUST_USE bool hf_tap_next(struct hf_tap *tap, unsigned wait_ms, struct hf_tapped *ret_tapped);
/* Batches that were not lent since the last call, because the ring was full. */
uint64_t hf_tap_take_drops(struct hf_tap *tap);

/* Is a tap open that wants this of the node? For those who would have to make a batch first. */
bool hf_taps_want(const struct hf_host *host, const struct hf_node *node, enum hf_signal signal);
/* The batch (borrowed) passes the node. Call it only when hf_taps_are_open(). */
void hf_taps_offer(const struct hf_host *host, const struct hf_node *node, struct hf_batch *batch);
/* Likewise: a processor of that pipeline, or with `node` NULL the pipeline's queue, which only
 * `visit` is shown. */
void hf_taps_offer_in(const struct hf_host *host, const struct hf_node *node,
                      const struct hf_pipeline *pipeline, struct hf_batch *batch);

/* The one load that is paid while none is open. What it misses in the moment of opening is not
 * promised. */
static inline bool hf_taps_are_open(const struct hf_host *host)
{
    return atomic_load_explicit(&host->open_taps, memory_order_relaxed) != 0;
}
