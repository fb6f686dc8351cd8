#include "taps.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/time/clock.h"

struct hf_tap {
    const struct hf_host *host;
    pthread_mutex_t lock; /* guards all below; one who offers does not wait for it */
    pthread_cond_t filled;
    atomic_bool is_open;  /* also read without the lock, to pass by those that are closed */
    atomic_bool is_visit; /* its options have `visit`, for which everyone waits */
    struct hf_tap_options options;
    struct hf_tapped ring[HF_TAP_BATCHES_MAX];
    size_t first, count, bytes;
    uint64_t seen;         /* that would be lent without sampling */
    _Atomic uint64_t lost; /* not lent, for lack of room or because the lock was held */
};

struct hf_taps {
    atomic_uint *open; /* the number of open ones, of the host */
    struct hf_tap all[HF_TAPS_MAX];
};

enum hf_status hf_taps_new(struct hf_host *host)
{
    struct hf_taps *taps = calloc(1, sizeof(*taps));
    if (taps == NULL) {
        return HF_NOMEM;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (size_t i = 0; i < HF_TAPS_MAX; i++) {
        taps->all[i].host = host;
        pthread_mutex_init(&taps->all[i].lock, NULL);
        pthread_cond_init(&taps->all[i].filled, &attributes);
    }
    pthread_condattr_destroy(&attributes);
    taps->open = &host->open_taps;
    host->taps = taps;
    return HF_OK;
}

void hf_taps_free(struct hf_host *host)
{
    struct hf_taps *taps = host->taps;
    host->taps = NULL;
    for (size_t i = 0; taps != NULL && i < HF_TAPS_MAX; i++) {
        pthread_cond_destroy(&taps->all[i].filled);
        pthread_mutex_destroy(&taps->all[i].lock);
    }
    free(taps);
}

enum hf_status hf_tap_open(const struct hf_host *host, const struct hf_tap_options *options,
                           struct hf_tap **ret_tap)
{
    for (size_t i = 0; host->taps != NULL && i < HF_TAPS_MAX; i++) {
        struct hf_tap *tap = &host->taps->all[i];
        pthread_mutex_lock(&tap->lock);
        bool is_free = !tap->is_open;
        if (is_free) {
            tap->is_open = true;
            tap->options = *options;
            tap->first = tap->count = tap->bytes = 0;
            tap->seen = 0;
            atomic_store(&tap->lost, 0);
            atomic_store(&tap->is_visit, options->visit != NULL);
        }
        pthread_mutex_unlock(&tap->lock);
        if (is_free) {
            atomic_fetch_add(host->taps->open, 1);
            *ret_tap = tap;
            return HF_OK;
        }
    }
    return HF_FULL;
}

static struct hf_tapped take_first(struct hf_tap *tap)
{
    struct hf_tapped tapped = tap->ring[tap->first];
    tap->first = (tap->first + 1) % HF_TAP_BATCHES_MAX;
    tap->count--;
    tap->bytes -= tapped.batch->wire.size;
    return tapped;
}

void hf_tap_close(struct hf_tap *tap)
{
    atomic_fetch_sub(tap->host->taps->open, 1);
    pthread_mutex_lock(&tap->lock);
    while (tap->count != 0) {
        struct hf_tapped tapped = take_first(tap);
        hf_ref_drop(&tapped.batch->ref);
    }
    tap->is_open = false;
    atomic_store(&tap->is_visit, false);
    pthread_mutex_unlock(&tap->lock);
}

bool hf_tap_next(struct hf_tap *tap, unsigned wait_ms, struct hf_tapped *ret_tapped)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + wait_ms * HF_NS_PER_MS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    pthread_mutex_lock(&tap->lock);
    int late = 0;
    while (tap->count == 0 && late == 0) {
        late = pthread_cond_timedwait(&tap->filled, &tap->lock, &until);
    }
    bool is_there = tap->count != 0;
    if (is_there) {
        *ret_tapped = take_first(tap);
    }
    pthread_mutex_unlock(&tap->lock);
    return is_there;
}

uint64_t hf_tap_take_drops(struct hf_tap *tap)
{
    return atomic_exchange(&tap->lost, 0);
}

/* Under the lock of the tap. */
static bool wants(const struct hf_tap *tap, const struct hf_node *node, enum hf_signal signal)
{
    const struct hf_tap_options *options = &tap->options;
    enum hf_kind kind = node->component->kind;
    if (!tap->is_open || options->visit != NULL ||
        (options->signals & HF_SIGNAL_BIT(signal)) == 0 ||
        (options->kind >= 0 && kind != (enum hf_kind)options->kind)) {
        return false;
    }
    return options->component != NULL ? strcmp(options->component, node->id) == 0
                                      : options->kind >= 0 || kind == HF_RECEIVER;
}

bool hf_taps_want(const struct hf_host *host, const struct hf_node *node, enum hf_signal signal)
{
    bool is_wanted = false;
    for (size_t i = 0; !is_wanted && i < HF_TAPS_MAX; i++) {
        struct hf_tap *tap = &host->taps->all[i];
        if (atomic_load_explicit(&tap->is_open, memory_order_relaxed) &&
            pthread_mutex_trylock(&tap->lock) == 0) {
            is_wanted = wants(tap, node, signal);
            pthread_mutex_unlock(&tap->lock);
        }
    }
    return is_wanted;
}

/* Under the lock of the tap. */
static void lend(struct hf_tap *tap, const struct hf_node *node, struct hf_batch *batch)
{
    if (tap->seen++ % tap->options.sample != 0) {
        return;
    }
    if (tap->count == HF_TAP_BATCHES_MAX ||
        (tap->count != 0 && tap->bytes + batch->wire.size > HF_TAP_BYTES_MAX)) {
        atomic_fetch_add(&tap->lost, 1);
        return;
    }
    struct hf_tapped *tapped = &tap->ring[(tap->first + tap->count) % HF_TAP_BATCHES_MAX];
    *tapped = (struct hf_tapped){
        .batch = batch, .kind = node->component->kind, .time_ns = hf_clock_unix_ns()};
    snprintf(tapped->id, sizeof(tapped->id), "%s", node->id);
    hf_ref_take(&batch->ref);
    tap->count++;
    tap->bytes += batch->wire.size;
    pthread_cond_signal(&tap->filled);
}

static bool lock(struct hf_tap *tap)
{
    return atomic_load(&tap->is_visit) ? pthread_mutex_lock(&tap->lock) == 0
                                       : pthread_mutex_trylock(&tap->lock) == 0;
}

void hf_taps_offer_in(const struct hf_host *host, const struct hf_node *node,
                      const struct hf_pipeline *pipeline, struct hf_batch *batch)
{
    for (size_t i = 0; i < HF_TAPS_MAX; i++) {
        struct hf_tap *tap = &host->taps->all[i];
        if (!atomic_load_explicit(&tap->is_open, memory_order_relaxed)) {
            continue;
        }
        if (!lock(tap)) {
            atomic_fetch_add(&tap->lost, 1); /* perhaps one that it did not want */
            continue;
        }
        if (tap->is_open && tap->options.visit != NULL) {
            tap->options.visit(tap->options.user, node, pipeline, batch);
        } else if (node != NULL && wants(tap, node, batch->signal)) {
            lend(tap, node, batch);
        }
        pthread_mutex_unlock(&tap->lock);
    }
}

void hf_taps_offer(const struct hf_host *host, const struct hf_node *node, struct hf_batch *batch)
{
    hf_taps_offer_in(host, node, NULL, batch);
}
