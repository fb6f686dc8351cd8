#include "patience.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "util/time/clock.h"

#define SETS 512u
#define WAYS 8u

/* A sender that has waited, and when it may again. */
struct waited {
    uint64_t sender, until_ns;
};

struct k8s_patience {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t changes;
    uint64_t saved_ns, seen_ns; /* waiting time that is left, as of then */
    struct waited waited[SETS][WAYS];
};

enum hf_status k8s_patience_new(struct k8s_patience **ret_patience)
{
    struct k8s_patience *patience = calloc(1, sizeof(*patience));
    pthread_condattr_t attributes;
    if (patience == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&patience->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&patience->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    patience->saved_ns = K8S_PATIENCE_SAVED_NS;
    *ret_patience = patience;
    return HF_OK;
}

void k8s_patience_free(struct k8s_patience *patience)
{
    if (patience == NULL) {
        return;
    }
    pthread_cond_destroy(&patience->changed);
    pthread_mutex_destroy(&patience->mutex);
    free(patience);
}

static void save(struct k8s_patience *patience, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns > patience->seen_ns ? now_ns - patience->seen_ns : 0;
    passed_ns = passed_ns < K8S_PATIENCE_AGAIN_NS ? passed_ns : K8S_PATIENCE_AGAIN_NS;
    patience->saved_ns +=
        passed_ns * (K8S_PATIENCE_PER_SECOND_NS / HF_NS_PER_MS) / (HF_NS_PER_S / HF_NS_PER_MS);
    if (patience->saved_ns > K8S_PATIENCE_SAVED_NS) {
        patience->saved_ns = K8S_PATIENCE_SAVED_NS;
    }
    patience->seen_ns = now_ns;
}

/* The place of the sender, or the one whose sender may wait again first. */
static struct waited *find(struct k8s_patience *patience, uint64_t sender)
{
    struct waited *set = patience->waited[sender % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].sender == sender) {
            return &set[i];
        }
        oldest = set[i].until_ns < oldest->until_ns ? &set[i] : oldest;
    }
    return oldest;
}

bool k8s_patience_grant(struct k8s_patience *patience, uint64_t sender, uint64_t now_ns)
{
    pthread_mutex_lock(&patience->mutex);
    struct waited *place = find(patience, sender);
    save(patience, now_ns);
    bool is_granted = patience->saved_ns >= K8S_PATIENCE_NS &&
                      (place->sender != sender || place->until_ns <= now_ns);
    if (is_granted) {
        patience->saved_ns -= K8S_PATIENCE_NS;
        *place = (struct waited){sender, now_ns + K8S_PATIENCE_AGAIN_NS};
    }
    pthread_mutex_unlock(&patience->mutex);
    return is_granted;
}

void k8s_patience_wake(struct k8s_patience *patience)
{
    pthread_mutex_lock(&patience->mutex);
    patience->changes++;
    pthread_cond_broadcast(&patience->changed);
    pthread_mutex_unlock(&patience->mutex);
}

bool k8s_patience_wait(struct k8s_patience *patience, bool (*is_there)(void *user), void *user)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + K8S_PATIENCE_NS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    for (;;) {
        pthread_mutex_lock(&patience->mutex);
        uint64_t seen = patience->changes;
        pthread_mutex_unlock(&patience->mutex);
        if (is_there(user)) {
            return true;
        }
        int code = 0;
        pthread_mutex_lock(&patience->mutex);
        while (patience->changes == seen && code == 0) {
            code = pthread_cond_timedwait(&patience->changed, &patience->mutex, &until);
        }
        pthread_mutex_unlock(&patience->mutex);
        if (code != 0) {
            return is_there(user);
        }
    }
}
