/*
 * subreceiver: a receiver that another one, its parent, starts while the process runs. It stands
 * where the parent stands: what it submits goes to the parent's pipelines, and it counts under an
 * id that all of its type share, so that there is a bounded number of series.
 *
 * All of it runs on one thread of the parent, between its start and the end of its stop, but for
 * hf_subreceiver_free(): also in the parent's close.
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
    /* What is told from others across restarts: the places in what it reads are kept under it. At
     * most HF_SUBRECEIVER_PLACE_MAX bytes. */
    const char *place;
    const struct hf_value *config; /* a map, or nothing */
    const char *endpoint; /* for a key of that name, when `config` does not give it; NULL: none */
    unsigned signals;     /* HF_SIGNAL_BIT()s that are wanted of it; the parent's at most */
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
/* It takes nothing new, and finishes what is in flight. */
void hf_subreceiver_stop(struct hf_subreceiver *subreceiver);
/* Once stopped. False: a thread that the stop did not wait for still uses it; ask again later. In
 * the parent's close it is always true. */
HF_MUST_USE bool hf_subreceiver_free(struct hf_subreceiver *subreceiver);

/*
 * The places of subreceivers stay when they stop, as they may be started again. `visit` gets each
 * one that a queue of the parent has something of and that begins with `prefix`, more than once
 * perhaps; it may call hf_subreceiver_forget().
 */
void hf_subreceiver_each_place(struct hf_node *parent, const char *prefix,
                               void (*visit)(void *user, const char *place), void *user);
/* Forgets what is kept under that place, in the background; what is more than a bounded number of
 * names by the next calls. None of that place may run. */
void hf_subreceiver_forget(struct hf_node *parent, const char *place);
