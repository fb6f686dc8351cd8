#include "detectors.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "util/metrics/metrics.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* One detector in one round. */
struct run {
    struct round *round;
    struct hf_detection detection;
    pthread_t thread;
    bool is_started;
    bool is_done; /* under the lock, as the status */
    enum hf_status status;
};

/* All detectors at one time. */
struct round {
    struct round *next; /* an older one */
    struct hf_detectors *detectors;
    uint64_t begun_ns, deadline_ns;
    size_t count;
    struct run runs[];
};

struct series {
    struct hf_series *succeeded, *failed;
    struct hf_histogram *duration;
};

struct hf_detectors {
    struct hf_detectors_options options;
    _Atomic(struct hf_facts *) facts;
    struct hf_series *attributes;
    struct series *series; /* by detector */
    struct round *rounds;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping; /* under the lock */
    pthread_t refresher;
    bool is_refreshing;
};

const struct hf_facts *hf_detectors_facts(const struct hf_detectors *detectors)
{
    return atomic_load_explicit(&detectors->facts, memory_order_acquire);
}

/* Under the lock: until it is signalled or the time has come. False: it has come. */
static bool wait_until(struct hf_detectors *detectors, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(until_ns % NS_PER_SECOND)};
    return pthread_cond_timedwait(&detectors->changed, &detectors->lock, &until) != ETIMEDOUT;
}

/* ---- one detector ---- */

static void begin_detection(struct hf_detection *detection)
{
    hf_arena_reset(&detection->arena);
    detection->found = (struct hf_attributes){.lender = &detection->arena};
    detection->maker = (struct hf_any_maker){.arena = &detection->arena};
    detection->why[0] = '\0';
}

/* Waits before the next attempt. False: there is no time for one. */
static bool pause_for(struct run *run, uint64_t pause_ns)
{
    struct hf_detectors *detectors = run->round->detectors;
    uint64_t until = hf_clock_monotonic_ns() + pause_ns;
    if (until >= run->round->deadline_ns) {
        return false;
    }
    pthread_mutex_lock(&detectors->lock);
    while (!detectors->is_stopping && wait_until(detectors, until)) {
    }
    bool goes_on = !detectors->is_stopping;
    pthread_mutex_unlock(&detectors->lock);
    return goes_on;
}

static enum hf_status attempt(struct run *run)
{
    struct hf_detection *detection = &run->detection;
    begin_detection(detection);
    enum hf_status status = detection->detector->detect(detection);
    return detection->maker.failed || detection->found.failed ? HF_NOMEM : status;
}

static void *run_detector(void *argument)
{
    struct run *run = argument;
    struct hf_detectors *detectors = run->round->detectors;
    const struct hf_detectors_options *options = &detectors->options;
    uint64_t pause_ns = options->retry_initial_ns;
    enum hf_status status = attempt(run);
    /* A service that does not answer is likely not there; it is asked again only when it must be.
     */
    while (options->retries &&
           (status == HF_NOT_FOUND ? options->fail_on_missing_metadata ||
                                         run->detection.config->fail_on_missing_metadata
                                   : status != HF_OK && status != HF_INVALID) &&
           pause_for(run, pause_ns)) {
        status = attempt(run);
        double next = (double)pause_ns * options->retry_multiplier;
        pause_ns = next < (double)options->retry_max_ns ? (uint64_t)next : options->retry_max_ns;
    }
    pthread_mutex_lock(&detectors->lock);
    run->status = status;
    run->is_done = true;
    pthread_cond_broadcast(&detectors->changed);
    pthread_mutex_unlock(&detectors->lock);
    return NULL;
}

/* ---- a round ---- */

static struct round *begin_round(struct hf_detectors *detectors)
{
    const struct hf_detectors_options *options = &detectors->options;
    struct round *round = calloc(1, sizeof(*round) + options->count * sizeof(struct run));
    if (round == NULL) {
        return NULL;
    }
    round->detectors = detectors;
    round->count = options->count;
    round->begun_ns = hf_clock_monotonic_ns();
    round->deadline_ns = round->begun_ns + options->timeout_ns;
    round->next = detectors->rounds;
    detectors->rounds = round;
    for (size_t i = 0; i < round->count; i++) {
        struct run *run = &round->runs[i];
        run->round = round;
        run->detection.detector = options->uses[i].detector;
        run->detection.config = options->uses[i].config;
        run->detection.deadline_ns = round->deadline_ns;
        run->detection.arena.limit = HF_DETECTION_LIMIT_BYTES;
        run->status = HF_NOMEM;
        run->is_started = hf_thread_start(&run->thread, NULL, run_detector, run) == 0;
    }
    return round;
}

/* Under the lock. */
static bool is_over(const struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        if (round->runs[i].is_started && !round->runs[i].is_done) {
            return false;
        }
    }
    return true;
}

static void end_round(struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        if (round->runs[i].is_started) {
            pthread_join(round->runs[i].thread, NULL);
        }
        hf_arena_release(&round->runs[i].detection.arena);
    }
    free(round);
}

/* ---- what was found ---- */

static bool is_wanted(const struct hf_detectors *detectors, struct hf_slice key)
{
    return detectors->options.only.count == 0 || hf_string_list_has(&detectors->options.only, key);
}

static struct hf_slice kept(struct hf_arena *arena, struct hf_slice bytes)
{
    uint8_t *room = hf_arena_take(arena, bytes.size + 1);
    if (room != NULL && bytes.size > 0) {
        memcpy(room, bytes.data, bytes.size);
    }
    return hf_slice_of(room, room != NULL ? bytes.size : 0);
}

static bool is_known(const struct hf_facts *facts, struct hf_slice key)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (hf_slice_equal(facts->items[i].key, key)) {
            return true;
        }
    }
    return false;
}

/* The first detector of the list that knows an attribute has it. */
static void add_facts(const struct hf_detectors *detectors, struct hf_facts *facts,
                      const struct hf_attributes *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct hf_attribute *item = &found->items[i];
        if (is_wanted(detectors, item->key) && !is_known(facts, item->key)) {
            facts->items[facts->count++] = (struct hf_attribute){
                .key = kept(&facts->arena, item->key), .value = kept(&facts->arena, item->value)};
        }
    }
}

static bool is_same(const struct hf_facts *a, const struct hf_facts *b)
{
    bool same = b != NULL && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = hf_slice_equal(a->items[i].key, b->items[i].key) &&
               hf_slice_equal(a->items[i].value, b->items[i].value);
    }
    return same;
}

static void free_facts(struct hf_facts *facts)
{
    free(facts->items);
    hf_arena_release(&facts->arena);
    free(facts);
}

/* Under the lock. Old facts stay, for threads that look at them: they are replaced when an answer
 * differs, which is rare. */
static enum hf_status publish(struct hf_detectors *detectors, const struct round *round)
{
    struct hf_facts *before = atomic_load_explicit(&detectors->facts, memory_order_relaxed);
    struct hf_facts *facts = calloc(1, sizeof(*facts));
    size_t most = 1;
    for (size_t i = 0; i < round->count; i++) {
        most += round->runs[i].is_done ? round->runs[i].detection.found.count : 0;
    }
    if (facts == NULL || (facts->items = calloc(most, sizeof(*facts->items))) == NULL) {
        free(facts);
        return HF_NOMEM;
    }
    facts->arena.limit = HF_DETECTION_LIMIT_BYTES * (round->count + 1);
    for (size_t i = 0; i < round->count; i++) {
        const struct run *run = &round->runs[i];
        if (run->is_done && run->status == HF_OK) {
            add_facts(detectors, facts, &run->detection.found);
        }
    }
    hf_series_set(detectors->attributes, (int64_t)facts->count);
    if (is_same(facts, before)) {
        free_facts(facts);
        return HF_OK;
    }
    facts->next = before;
    atomic_store_explicit(&detectors->facts, facts, memory_order_release);
    return HF_OK;
}

/* ---- rounds over time ---- */

/* Under the lock: logs and counts. True: all that should answer have answered. */
static bool judge(struct hf_detectors *detectors, struct round *round, char *reterr)
{
    struct hf_node *node = detectors->options.node;
    bool is_good = true;
    uint64_t took_ns = hf_clock_monotonic_ns() - round->begun_ns;
    for (size_t i = 0; i < round->count; i++) {
        struct run *run = &round->runs[i];
        const char *name = run->detection.detector->name;
        const char *why = !run->is_started ? "no thread for it"
                          : !run->is_done  ? "no answer within the timeout"
                                           : run->detection.why;
        bool is_there = run->is_done && run->status == HF_OK;
        bool is_missing = run->is_done && run->status == HF_NOT_FOUND;
        bool must = detectors->options.fail_on_missing_metadata ||
                    run->detection.config->fail_on_missing_metadata;
        hf_series_add(is_there || (is_missing && !must) ? detectors->series[i].succeeded
                                                        : detectors->series[i].failed,
                      1);
        hf_histogram_observe(detectors->series[i].duration, took_ns);
        if (is_there) {
            continue;
        }
        if (is_missing && !must) {
            hf_node_log(node, HF_LOG_INFO, "detector %s: not here%s%s", name,
                        why[0] != '\0' ? ": " : "", why);
            continue;
        }
        is_good = false;
        hf_node_log(node, HF_LOG_WARN, "detector %s: %s", name, why[0] != '\0' ? why : "failed");
        if (must && reterr != NULL) {
            snprintf(reterr, HF_ERROR_MAX, "detector %s: %s; fail_on_missing_metadata is set", name,
                     why[0] != '\0' ? why : "it failed");
        }
    }
    return is_good;
}

static enum hf_status detect(struct hf_detectors *detectors, bool is_first, char *reterr)
{
    struct round *round = begin_round(detectors);
    enum hf_status status = HF_OK;
    if (round == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_lock(&detectors->lock);
    while (!is_over(round) && !detectors->is_stopping &&
           wait_until(detectors, round->deadline_ns)) {
    }
    bool is_good = judge(detectors, round, reterr);
    if (is_first || is_good) {
        status = publish(detectors, round); /* or else the last good one stays */
    }
    bool over = is_over(round);
    pthread_mutex_unlock(&detectors->lock);
    if (over) {
        detectors->rounds = round->next;
        end_round(round);
    }
    return status == HF_OK && reterr != NULL && reterr[0] != '\0' ? HF_AGAIN : status;
}

static void *refresh(void *argument)
{
    struct hf_detectors *detectors = argument;
    pthread_mutex_lock(&detectors->lock);
    while (!detectors->is_stopping) {
        uint64_t next = hf_clock_monotonic_ns() + detectors->options.refresh_interval_ns;
        while (!detectors->is_stopping && wait_until(detectors, next)) {
        }
        if (detectors->is_stopping) {
            break;
        }
        /* One that hangs is not joined by another one. */
        bool is_free = detectors->rounds == NULL || is_over(detectors->rounds);
        pthread_mutex_unlock(&detectors->lock);
        if (is_free && detect(detectors, false, NULL) != HF_OK) {
            hf_node_log(detectors->options.node, HF_LOG_WARN, "refreshing: out of memory");
        }
        pthread_mutex_lock(&detectors->lock);
    }
    pthread_mutex_unlock(&detectors->lock);
    return NULL;
}

enum hf_status hf_detectors_start(struct hf_detectors *detectors, char *reterr)
{
    reterr[0] = '\0';
    enum hf_status status = detect(detectors, true, reterr);
    if (status == HF_OK && detectors->options.refresh_interval_ns > 0) {
        detectors->is_refreshing =
            hf_thread_start(&detectors->refresher, NULL, refresh, detectors) == 0;
        status = detectors->is_refreshing ? HF_OK : HF_NOMEM;
    }
    return status;
}

void hf_detectors_stop(struct hf_detectors *detectors)
{
    pthread_mutex_lock(&detectors->lock);
    detectors->is_stopping = true;
    pthread_cond_broadcast(&detectors->changed);
    pthread_mutex_unlock(&detectors->lock);
    if (detectors->is_refreshing) {
        pthread_join(detectors->refresher, NULL);
        detectors->is_refreshing = false;
    }
}

/* ---- life ---- */

static bool add_series(struct hf_detectors *detectors, struct series *series, const char *name)
{
    static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
    const struct hf_metric_family results = {.name = "otelcol_resourcedetection_detector_results",
                                             .type = HF_COUNTER,
                                             .unit = "",
                                             .help = "Detections, by detector and outcome."};
    const struct hf_metric_family duration = {.name = "otelcol_resourcedetection_detector_duration",
                                              .type = HF_HISTOGRAM,
                                              .unit = "s",
                                              .help = "How long a detector took.",
                                              .scale = 1e-9,
                                              .bounds = bounds,
                                              .bound_count = sizeof(bounds) / sizeof(bounds[0])};
    struct hf_node *node = detectors->options.node;
    const struct hf_label success[] = {
        {"processor", hf_node_id(node)}, {"detector", name}, {"outcome", "success"}, {NULL, NULL}};
    const struct hf_label failure[] = {
        {"processor", hf_node_id(node)}, {"detector", name}, {"outcome", "failure"}, {NULL, NULL}};
    const struct hf_label plain[] = {
        {"processor", hf_node_id(node)}, {"detector", name}, {NULL, NULL}};
    series->succeeded = hf_metrics_series(hf_node_metrics(node), &results, success);
    series->failed = hf_metrics_series(hf_node_metrics(node), &results, failure);
    series->duration = hf_metrics_histogram(hf_node_metrics(node), &duration, plain);
    return series->succeeded != NULL && series->failed != NULL && series->duration != NULL;
}

static bool add_all_series(struct hf_detectors *detectors)
{
    const struct hf_metric_family family = {.name = "otelcol_resourcedetection_attributes_detected",
                                            .type = HF_GAUGE,
                                            .unit = "",
                                            .help = "Attributes that the detectors have found."};
    const struct hf_label labels[] = {{"processor", hf_node_id(detectors->options.node)},
                                      {NULL, NULL}};
    detectors->attributes =
        hf_metrics_series(hf_node_metrics(detectors->options.node), &family, labels);
    bool is_good = detectors->attributes != NULL;
    for (size_t i = 0; i < detectors->options.count && is_good; i++) {
        is_good =
            add_series(detectors, &detectors->series[i], detectors->options.uses[i].detector->name);
    }
    return is_good;
}

enum hf_status hf_detectors_new(const struct hf_detectors_options *options,
                                struct hf_detectors **ret_detectors)
{
    pthread_condattr_t monotonic;
    struct hf_detectors *detectors = calloc(1, sizeof(*detectors));
    if (detectors == NULL) {
        return HF_NOMEM;
    }
    detectors->options = *options;
    pthread_mutex_init(&detectors->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&detectors->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    detectors->series = calloc(options->count + 1, sizeof(*detectors->series));
    if (detectors->series == NULL || !add_all_series(detectors)) {
        hf_detectors_free(detectors);
        return HF_NOMEM;
    }
    *ret_detectors = detectors;
    return HF_OK;
}

void hf_detectors_free(struct hf_detectors *detectors)
{
    if (detectors == NULL) {
        return;
    }
    hf_detectors_stop(detectors);
    while (detectors->rounds != NULL) {
        struct round *round = detectors->rounds;
        detectors->rounds = round->next;
        end_round(round);
    }
    struct hf_facts *facts = atomic_load_explicit(&detectors->facts, memory_order_relaxed);
    while (facts != NULL) {
        struct hf_facts *older = facts->next;
        free_facts(facts);
        facts = older;
    }
    free(detectors->series);
    pthread_cond_destroy(&detectors->changed);
    pthread_mutex_destroy(&detectors->lock);
    free(detectors);
}
