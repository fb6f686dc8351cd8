/*
 * fault: why a delivery does not deliver, for status pages: since when, and the backend's last
 * words. It lasts until a request is delivered; the history of an exporter over all deliveries is
 * in node/exporter_history.h. Noted and cleared on the delivery's loop; read by any thread: a
 * meeting place with a lock of its own, which an exporter that works never takes.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <holdfast/overview.h>

struct hf_fault {
    atomic_bool is_there;
    pthread_mutex_t lock; /* of what follows */
    struct hf_state_look look;
};

void hf_fault_init(struct hf_fault *fault);
void hf_fault_release(struct hf_fault *fault);

/* An attempt failed. The first one of a fault tells since when it lasts; the last one tells the
 * words. `is_permanent`: a person has to correct something. */
void hf_fault_note(struct hf_fault *fault, bool is_permanent, const char *error);
/* A request was delivered. */
void hf_fault_clear(struct hf_fault *fault);

/* Any thread. False, and `ret_look` is untouched: there is none. */
bool hf_fault_look(struct hf_fault *fault, struct hf_state_look *ret_look);
