#include "sampler.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <holdfast/control.h>

#include "util/thread.h"
#include "util/time/clock.h"

#define WATCHED_NS HF_NS_PER_S
#define STARTING_NS (HF_NS_PER_S / 5) /* while it starts */
#define UNWATCHED_NS (10 * HF_NS_PER_S)
#define WATCH_ENDS_NS (15 * HF_NS_PER_S) /* after the last look */
#define LOG_LINES "300"
#define SAMPLES 5u /* rates are over as many, 5 s while someone looks */

struct hf_console_sampler {
    struct hf_console_sampler_options options;
    struct hf_console_sample samples[SAMPLES]; /* its own thread's; the oldest at `next` */
    size_t next;
    struct hf_console_snapshot *config; /* likewise */
    double config_loaded;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct hf_console_snapshot *latest;
    uint64_t looked_ns;
    bool hurried, stopping;
};

/* The oldest sample that is not so old that a rate would hide what happens now. */
static const struct hf_console_sample *sample_before(const struct hf_console_sampler *sampler)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct hf_console_sample *sample = &sampler->samples[(sampler->next + i) % SAMPLES];
        if (sample->count != 0 && now_ns - sample->taken_ns < WATCH_ENDS_NS) {
            return sample;
        }
    }
    return NULL;
}

static void publish(struct hf_console_sampler *sampler, struct hf_console_snapshot *snapshot)
{
    pthread_mutex_lock(&sampler->lock);
    struct hf_console_snapshot *old = sampler->latest;
    sampler->latest = snapshot;
    hf_ref_take(&snapshot->ref); /* for the callback */
    pthread_mutex_unlock(&sampler->lock);
    if (old != NULL) {
        hf_ref_drop(&old->ref);
    }
    sampler->options.on_snapshot(sampler->options.user, snapshot);
    hf_ref_drop(&snapshot->ref);
}

/* One command's answer as a tree; NULL: there is none now. `sample` is for `before` of later ones.
 */
static struct hf_console_snapshot *ask(const struct hf_console_sampler *sampler,
                                       const char *const *words,
                                       const struct hf_console_sample *before,
                                       struct hf_console_sample *sample)
{
    struct hf_control_answer answer;
    struct hf_console_snapshot *snapshot = NULL;
    *sample = (struct hf_console_sample){0};
    if (hf_node_control(sampler->options.node, words, HF_CONSOLE_STATUS_BYTES_MAX, &answer) !=
        HF_OK) {
        return NULL;
    }
    if (answer.exit_code != 0) {
        free(answer.text);
    } else if (hf_console_snapshot_new(answer.text, answer.size, before, sample, &snapshot) !=
               HF_OK) {
        snapshot = NULL;
    }
    return snapshot;
}

static struct hf_console_snapshot *ask_once(const struct hf_console_sampler *sampler,
                                            const char *const *words)
{
    struct hf_console_sample unused;
    struct hf_console_snapshot *snapshot = ask(sampler, words, NULL, &unused);
    hf_console_sample_release(&unused);
    return snapshot;
}

/* The configuration is asked for when another one may have been taken. */
static void add_config(struct hf_console_sampler *sampler, struct hf_console_snapshot *snapshot)
{
    static const char *const words[] = {"config", NULL};
    const struct hf_json *last = NULL;
    for (const struct hf_json *at = hf_json_first(hf_json_get(snapshot->root, "reloads"));
         at != NULL; at = at->next) {
        last = at;
    }
    const struct hf_json *time = hf_json_get(last, "time_seconds");
    double loaded = time == NULL                   ? 0
                    : time->kind == HF_JSON_DOUBLE ? time->number
                                                   : (double)hf_json_int(time);
    if (sampler->config == NULL || loaded < sampler->config_loaded ||
        loaded > sampler->config_loaded) {
        struct hf_console_snapshot *config = ask_once(sampler, words);
        if (sampler->config != NULL) {
            hf_ref_drop(&sampler->config->ref);
        }
        sampler->config = config;
        sampler->config_loaded = loaded;
    }
    if (sampler->config != NULL) {
        hf_ref_take(&sampler->config->ref);
        snapshot->config = sampler->config;
    }
}

static bool is_ready(const struct hf_console_snapshot *snapshot)
{
    return hf_json_bool(hf_json_get(hf_json_get(snapshot->root, "process"), "ready"));
}

/* Returns whether the next one is to come soon: nothing is known, or it is just starting. */
static bool take_sample(struct hf_console_sampler *sampler)
{
    static const char *const status_words[] = {"status", NULL};
    static const char *const log_words[] = {"log", "--limit", LOG_LINES, NULL};
    struct hf_console_sample sample;
    struct hf_console_snapshot *snapshot =
        ask(sampler, status_words, sample_before(sampler), &sample);
    if (snapshot == NULL) {
        return true;
    }
    bool soon = !is_ready(snapshot);
    add_config(sampler, snapshot);
    snapshot->log = ask_once(sampler, log_words);
    hf_console_sample_release(&sampler->samples[sampler->next]);
    sampler->samples[sampler->next] = sample;
    sampler->next = (sampler->next + 1) % SAMPLES;
    publish(sampler, snapshot);
    return soon;
}

/* False: it is to end. */
static bool wait_for_turn(struct hf_console_sampler *sampler, uint64_t since_ns, bool soon)
{
    pthread_mutex_lock(&sampler->lock);
    int waited = 0;
    while (!sampler->stopping && !sampler->hurried && waited == 0) {
        bool is_watched = sampler->looked_ns != 0 && since_ns < sampler->looked_ns + WATCH_ENDS_NS;
        uint64_t until_ns = since_ns + (soon         ? STARTING_NS
                                        : is_watched ? WATCHED_NS
                                                     : UNWATCHED_NS);
        const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                       .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
        waited = pthread_cond_timedwait(&sampler->changed, &sampler->lock, &until);
    }
    sampler->hurried = false;
    bool goes_on = !sampler->stopping;
    pthread_mutex_unlock(&sampler->lock);
    return goes_on;
}

static void *sampler_main(void *user)
{
    struct hf_console_sampler *sampler = user;
    struct hf_node *node = sampler->options.node;
    bool soon;
    do {
        soon = take_sample(sampler);
    } while (wait_for_turn(sampler, hf_clock_monotonic_ns(), soon));
    sampler->options.on_end(sampler->options.user);
    hf_node_release(node);
    return NULL;
}

enum hf_status hf_console_sampler_new(const struct hf_console_sampler_options *options,
                                      struct hf_console_sampler **ret_sampler)
{
    struct hf_console_sampler *sampler = calloc(1, sizeof(*sampler));
    pthread_t thread;
    pthread_condattr_t monotonic;
    if (sampler == NULL) {
        return HF_NOMEM;
    }
    sampler->options = *options;
    pthread_mutex_init(&sampler->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&sampler->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    hf_node_hold(options->node);
    int failed = hf_thread_start(&thread, NULL, sampler_main, sampler);
    if (failed != 0) {
        hf_node_release(options->node);
        hf_console_sampler_free(sampler);
        return HF_IO;
    }
    pthread_setname_np(thread, "hf-console-look");
    pthread_detach(thread);
    *ret_sampler = sampler;
    return HF_OK;
}

struct hf_console_snapshot *hf_console_sampler_look(struct hf_console_sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (sampler->looked_ns + WATCH_ENDS_NS < now_ns) {
        sampler->hurried = true; /* what is shown first is ten seconds old at most, then fresh */
        pthread_cond_signal(&sampler->changed);
    }
    sampler->looked_ns = now_ns;
    struct hf_console_snapshot *latest = sampler->latest;
    if (latest != NULL) {
        hf_ref_take(&latest->ref);
    }
    pthread_mutex_unlock(&sampler->lock);
    return latest;
}

void hf_console_sampler_hurry(struct hf_console_sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->hurried = true;
    pthread_cond_signal(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}

void hf_console_sampler_stop(struct hf_console_sampler *sampler)
{
    if (sampler == NULL) {
        return;
    }
    pthread_mutex_lock(&sampler->lock);
    sampler->stopping = true;
    pthread_cond_signal(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}

void hf_console_sampler_free(struct hf_console_sampler *sampler)
{
    if (sampler == NULL) {
        return;
    }
    if (sampler->latest != NULL) {
        hf_ref_drop(&sampler->latest->ref);
    }
    if (sampler->config != NULL) {
        hf_ref_drop(&sampler->config->ref);
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        hf_console_sample_release(&sampler->samples[i]);
    }
    pthread_cond_destroy(&sampler->changed);
    pthread_mutex_destroy(&sampler->lock);
    free(sampler);
}
