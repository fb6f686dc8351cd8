#include "password_worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "util/budget.h"
#include "util/peer.h"
#include "util/thread.h"
#include "util/time/clock.h"
#include "util/time/thread_clock.h"

#define JOBS_MAX 512u     /* in all */
#define PEER_JOBS_MAX 16u /* per peer */
#define WAITS_MAX 8192u   /* requests, which share jobs */
#define PATIENCE_NS (5 * HF_NS_PER_S)
#define SWEEP_NS (100 * HF_NS_PER_MS)
#define BURST_NS HF_NS_PER_S
#define SHARE 4u   /* a peer's wrong passwords may cost a quarter of the time */
#define NICENESS 5 /* the loops go before */

/* Credentials to check, and who waits for that. */
struct job {
    struct job *next;
    struct hf_peer peer;
    uint64_t since_ns;
    struct hf_auth_wait *waits;
    const char *password; /* behind the name */
    char name[];
};

struct password_worker {
    struct hf_ref ref; /* its owner's and its thread's */
    struct password_worker_options options;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct job *jobs, **jobs_end;
    struct job *current; /* not among them: it is being checked */
    size_t job_count, wait_count;
    bool stopping, ended;
    uint64_t swept_ns;
    struct hf_budget budget;
};

static void free_job(struct job *job)
{
    if (job != NULL) {
        explicit_bzero(job->name, strlen(job->name) + 1 + strlen(job->password));
        free(job);
    }
}

/* ---- answering, without the lock ---- */

static void answer(struct hf_auth_wait *waits, enum hf_status status)
{
    while (waits != NULL) {
        struct hf_auth_wait *next = waits->next;
        waits->done(waits, status);
        waits = next;
    }
}

/* Takes those whose clients have gone out of the list; returns them. */
static struct hf_auth_wait *take_unwanted(struct hf_auth_wait **list)
{
    struct hf_auth_wait *unwanted = NULL;
    while (*list != NULL) {
        struct hf_auth_wait *wait = *list;
        if (wait->is_wanted(wait)) {
            list = &wait->next;
        } else {
            *list = wait->next;
            wait->next = unwanted;
            unwanted = wait;
        }
    }
    return unwanted;
}

/* ---- the queue, under the lock ---- */

static void count_out(struct password_worker *worker, const struct hf_auth_wait *waits)
{
    for (; waits != NULL; waits = waits->next) {
        worker->wait_count--;
    }
}

static struct job *unlink_job(struct password_worker *worker, struct job **link)
{
    struct job *job = *link;
    *link = job->next;
    if (job->next == NULL) {
        worker->jobs_end = link;
    }
    job->next = NULL;
    worker->job_count--;
    return job;
}

/* Makes room: moves the waits whose clients have gone to `unwanted`, and frees jobs without any. It
 * may ask the system about each, so not more often than now and then. */
static void sweep(struct password_worker *worker, struct hf_auth_wait **unwanted)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (now_ns - worker->swept_ns < SWEEP_NS) {
        return;
    }
    worker->swept_ns = now_ns;
    for (struct job **link = &worker->jobs; *link != NULL;) {
        struct hf_auth_wait *gone = take_unwanted(&(*link)->waits);
        count_out(worker, gone);
        while (gone != NULL) {
            struct hf_auth_wait *next = gone->next;
            gone->next = *unwanted;
            *unwanted = gone;
            gone = next;
        }
        if ((*link)->waits == NULL) {
            free_job(unlink_job(worker, link));
        } else {
            link = &(*link)->next;
        }
    }
}

static bool is_same(const struct job *job, const struct job *other)
{
    return hf_peer_equal(&job->peer, &other->peer) && strcmp(job->name, other->name) == 0 &&
           strcmp(job->password, other->password) == 0;
}

static struct job *find_same(struct password_worker *worker, const struct job *job)
{
    if (worker->current != NULL && is_same(worker->current, job)) {
        return worker->current;
    }
    struct job *at = worker->jobs;
    while (at != NULL && !is_same(at, job)) {
        at = at->next;
    }
    return at;
}

/* For one more that waits: for `same`, or for a job of its own. */
static bool has_room(const struct password_worker *worker, const struct job *same,
                     const struct job *job)
{
    if (worker->wait_count >= WAITS_MAX || same != NULL) {
        return worker->wait_count < WAITS_MAX;
    }
    size_t own = 0;
    for (const struct job *at = worker->jobs; at != NULL; at = at->next) {
        own += hf_peer_equal(&at->peer, &job->peer);
    }
    return worker->job_count < JOBS_MAX && own < PEER_JOBS_MAX;
}

/*
 * The job to do now: too old ones first, which only need their answer; else that of the peer that
 * has cost least; NULL with the time to wait. The first of equals, so that each peer's are in
 * order.
 */
static struct job *choose(struct password_worker *worker, uint64_t now_ns, uint64_t *ret_wait_ns,
                          bool *ret_late)
{
    struct job **best = NULL;
    uint64_t best_owed_ns = UINT64_MAX;
    *ret_wait_ns = UINT64_MAX;
    *ret_late = false;
    for (struct job **link = &worker->jobs; *link != NULL; link = &(*link)->next) {
        uint64_t age_ns = now_ns - (*link)->since_ns;
        if (age_ns >= PATIENCE_NS) {
            *ret_late = true;
            return unlink_job(worker, link);
        }
        uint64_t wait_ns = hf_budget_wait_ns(&worker->budget, &(*link)->peer, now_ns);
        uint64_t owed_ns = hf_budget_owed_ns(&worker->budget, &(*link)->peer, now_ns);
        if (wait_ns == 0 && owed_ns < best_owed_ns) {
            best = link;
            best_owed_ns = owed_ns;
        }
        wait_ns = wait_ns < PATIENCE_NS - age_ns ? wait_ns : PATIENCE_NS - age_ns;
        *ret_wait_ns = wait_ns < *ret_wait_ns ? wait_ns : *ret_wait_ns;
    }
    return best != NULL ? unlink_job(worker, best) : NULL;
}

/* ---- the thread ---- */

static void wait_for_change(struct password_worker *worker, uint64_t wait_ns)
{
    if (wait_ns == UINT64_MAX) {
        pthread_cond_wait(&worker->changed, &worker->lock);
        return;
    }
    uint64_t until_ns = hf_clock_monotonic_ns() + wait_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
}

static void describe(const struct password_worker *worker, const struct job *job)
{
    for (const struct hf_auth_wait *wait = job->waits; wait != NULL; wait = wait->next) {
        if (wait->meta != NULL) {
            worker->options.describe(worker->options.user, job->name, job->password, wait->meta);
        }
    }
}

/* Under the lock, which is let go meanwhile. */
static void do_job(struct password_worker *worker, struct job *job, bool late)
{
    const struct password_worker_options *options = &worker->options;
    struct hf_auth_wait *unwanted = take_unwanted(&job->waits);
    count_out(worker, unwanted);
    enum hf_status status = HF_AGAIN;
    bool worth_it = job->waits != NULL && !late;
    worker->current = worth_it ? job : NULL;
    pthread_mutex_unlock(&worker->lock);
    answer(unwanted, HF_CLOSED);
    uint64_t before_ns = hf_thread_clock_ns();
    if (worth_it) {
        status = options->verify(options->user, job->name, job->password);
    }
    uint64_t cost_ns = hf_thread_clock_ns() - before_ns;
    pthread_mutex_lock(&worker->lock);
    worker->current = NULL; /* the next to ask is checked by a job of its own */
    count_out(worker, job->waits);
    if (worth_it && status != HF_OK) {
        hf_budget_charge(&worker->budget, &job->peer, cost_ns, hf_clock_monotonic_ns());
    }
    pthread_mutex_unlock(&worker->lock);
    if (status == HF_OK) {
        describe(worker, job);
    }
    answer(job->waits, status);
    free_job(job);
    pthread_mutex_lock(&worker->lock);
}

static void *worker_main(void *argument)
{
    struct password_worker *worker = argument;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping) {
        uint64_t wait_ns;
        bool late;
        struct job *job = choose(worker, hf_clock_monotonic_ns(), &wait_ns, &late);
        if (job != NULL) {
            do_job(worker, job, late);
        } else {
            wait_for_change(worker, wait_ns);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    if (worker->options.ended != NULL) {
        worker->options.ended(worker->options.user);
    }
    pthread_mutex_lock(&worker->lock);
    worker->ended = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    hf_ref_drop(&worker->ref);
    return NULL;
}

/* ---- life ---- */

static void free_worker(struct hf_ref *ref)
{
    struct password_worker *worker = HF_CONTAINER(ref, struct password_worker, ref);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

enum hf_status password_worker_start(const struct password_worker_options *options,
                                     struct password_worker **ret_worker)
{
    struct password_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return HF_NOMEM;
    }
    worker->options = *options;
    hf_ref_init(&worker->ref, free_worker);
    hf_ref_take(&worker->ref);
    worker->jobs_end = &worker->jobs;
    hf_budget_init(&worker->budget, BURST_NS, SHARE);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_t thread;
    int failed = hf_thread_start(&thread, NULL, worker_main, worker);
    if (failed != 0) {
        free_worker(&worker->ref);
        errno = failed;
        return HF_IO;
    }
    pthread_setname_np(thread, "passwords"); /* only a help in debuggers: may fail */
    pthread_detach(thread);
    *ret_worker = worker;
    return HF_OK;
}

static struct job *new_job(const char *peer, const char *name, const char *password)
{
    size_t name_size = strlen(name) + 1, password_size = strlen(password) + 1;
    struct job *job = malloc(sizeof(*job) + name_size + password_size);
    if (job != NULL) {
        memcpy(job->name, name, name_size);
        memcpy(job->name + name_size, password, password_size);
        job->password = job->name + name_size;
        job->peer = hf_peer_of_text(peer);
        job->since_ns = hf_clock_monotonic_ns();
        job->waits = NULL;
        job->next = NULL;
    }
    return job;
}

/* Under the lock. The job is the queue's with HF_OK, unless one of the same stands there. */
static enum hf_status add(struct password_worker *worker, struct job **job,
                          struct hf_auth_wait *wait, struct hf_auth_wait **unwanted)
{
    struct job *same = find_same(worker, *job);
    if (worker->stopping) {
        return HF_CLOSED;
    }
    if (!has_room(worker, same, *job)) {
        sweep(worker, unwanted);
        same = find_same(worker, *job);
    }
    if (!has_room(worker, same, *job)) {
        return HF_AGAIN;
    }
    if (same == NULL) {
        same = *job;
        *job = NULL;
        *worker->jobs_end = same;
        worker->jobs_end = &same->next;
        worker->job_count++;
        pthread_cond_signal(&worker->changed);
    }
    wait->next = same->waits;
    same->waits = wait;
    worker->wait_count++;
    return HF_OK;
}

void password_worker_ask(struct password_worker *worker, const char *peer, const char *name,
                         const char *password, struct hf_auth_wait *wait)
{
    struct job *job = new_job(peer, name, password);
    if (job == NULL) {
        wait->done(wait, HF_AGAIN);
        return;
    }
    struct hf_auth_wait *unwanted = NULL;
    pthread_mutex_lock(&worker->lock);
    enum hf_status status = add(worker, &job, wait, &unwanted);
    pthread_mutex_unlock(&worker->lock);
    answer(unwanted, HF_CLOSED);
    if (status != HF_OK) {
        wait->done(wait, status);
    }
    free_job(job);
}

void password_worker_stop(struct password_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct job *job = worker->jobs;
    worker->jobs = NULL;
    worker->jobs_end = &worker->jobs;
    worker->job_count = 0;
    worker->stopping = true;
    for (const struct job *at = job; at != NULL; at = at->next) {
        count_out(worker, at->waits);
    }
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    while (job != NULL) {
        struct job *next = job->next;
        answer(job->waits, HF_CLOSED);
        free_job(job);
        job = next;
    }
}

void password_worker_free(struct password_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    password_worker_stop(worker);
    pthread_mutex_lock(&worker->lock);
    while (!worker->ended) {
        pthread_cond_wait(&worker->changed, &worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    hf_ref_drop(&worker->ref);
}
