/*
 * subreceiver: a receiver that another one, its parent, starts while the process runs. It submits
 * to the parent's pipelines, and counts under an id that all subreceivers of its type share, so
 * that the number of series is bounded.
 *
 * All functions run on one thread of the parent, between its start and the end of its stop;
 * hf_subreceiver_free() may also run in the parent's close.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_node;
struct hf_subreceiver;

/* Borrowed for the call. */
struct hf_subreceiver_options {
    const char *type; /* of the receiver, or another spelling of it */
    const char *id;   /* for the log */
    /* Identifies it across restarts: its checkpoints are kept under this name. At most
     * HF_SUBRECEIVER_PLACE_MAX bytes. */
    const char *place;
    const struct hf_value *config; /* a map, or nothing */
    const char *endpoint; /* for a key of that name, when `config` does not give it; NULL: none */
    unsigned signals;     /* HF_SIGNAL_BIT()s that it should give; a part of the parent's */
    /* Added to every resource that does not have them. */
    const struct hf_string_pair *attributes;
    size_t attribute_count;
};

#define HF_SUBRECEIVER_PLACE_MAX 128u

/*
 * Binds its configuration, opens and starts it. HF_NOT_FOUND: its type gives none of the signals.
 * On failure `reterr` (HF_ERROR_MAX) is one sentence.
 */
HF_MUST_USE enum hf_status hf_subreceiver_start(struct hf_node *parent,
                                                const struct hf_subreceiver_options *options,
                                                struct hf_subreceiver **ret_subreceiver,
                                                char *reterr);
/* The signals that it gives, as HF_SIGNAL_BIT()s. */
unsigned hf_subreceiver_signals(const struct hf_subreceiver *subreceiver);
/* It takes no new data, and finishes requests in flight. */
void hf_subreceiver_stop(struct hf_subreceiver *subreceiver);
/* Once stopped. False: a thread that the stop did not wait for still uses it; ask again later. In
 * the parent's close it is always true. */
HF_MUST_USE bool hf_subreceiver_free(struct hf_subreceiver *subreceiver);

/*
 * The places of subreceivers remain when they stop, because they may be started again. `visit` gets
 * each place that begins with `prefix` and has checkpoints in a queue of the parent, perhaps more
 * than once; it may call hf_subreceiver_forget().
 */
void hf_subreceiver_each_place(struct hf_node *parent, const char *prefix,
                               void (*visit)(void *user, const char *place), void *user);
/* Removes the checkpoints of that place, in the background; when there are many, the next calls
 * remove the rest. No subreceiver of that place may run. */
void hf_subreceiver_forget(struct hf_node *parent, const char *place);
