#include "fault.h"

#include <stdio.h>

#include "util/time/clock.h"

void hf_fault_init(struct hf_fault *fault)
{
    atomic_init(&fault->is_there, false);
    pthread_mutex_init(&fault->lock, NULL);
}

void hf_fault_release(struct hf_fault *fault)
{
    pthread_mutex_destroy(&fault->lock);
}

void hf_fault_note(struct hf_fault *fault, bool is_permanent, const char *error)
{
    pthread_mutex_lock(&fault->lock);
    if (!atomic_load(&fault->is_there)) {
        fault->look.since_unix_ns = hf_clock_unix_ns();
    }
    fault->look.state = is_permanent ? HF_STATE_PERMANENT_ERROR : HF_STATE_RECOVERABLE_ERROR;
    snprintf(fault->look.error, sizeof(fault->look.error), "%s", error);
    atomic_store(&fault->is_there, true);
    pthread_mutex_unlock(&fault->lock);
}

void hf_fault_clear(struct hf_fault *fault)
{
    if (atomic_load_explicit(&fault->is_there, memory_order_relaxed)) {
        atomic_store(&fault->is_there, false);
    }
}

bool hf_fault_look(struct hf_fault *fault, struct hf_state_look *ret_look)
{
    if (!atomic_load(&fault->is_there)) {
        return false;
    }
    pthread_mutex_lock(&fault->lock);
    *ret_look = fault->look;
    pthread_mutex_unlock(&fault->lock);
    return true;
}
