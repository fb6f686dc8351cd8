#include "scraper.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "offer.h"
#include "regroup.h"
#include "util/log/log_limiter.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define BATCH_BYTES_DEFAULT (4u << 20)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define SENTENCE_MAX 400
#define TRANSPORT ""

struct counters {
    struct hf_series *scraped, *errored;
};

/* Made and freed on the main thread; in between its loop's. */
struct hf_scraper {
    struct hf_scraper_options options;
    struct hf_loop *loop;
    bool has_thread;
    struct hf_timer timer;
    uint64_t due_ns;
    struct hf_builder builder;
    struct hf_offer offer;
    struct hf_log_limiter said;
    struct hf_resource_filter *filter; /* NULL: all resources are reported */
    struct hf_regroup *regroup;        /* NULL: all points are */
    struct counters *counters;         /* of the sources */
    bool stopping;
    struct hf_task begin, end;
    sem_t stopped;
};

/* ---- a scrape ---- */

bool hf_scrape_is_over(const struct hf_scrape *scrape)
{
    return hf_clock_monotonic_ns() >= scrape->deadline_ns;
}

void hf_scrape_count(struct hf_scrape *scrape, size_t source, uint32_t points)
{
    assert(source < scrape->scraper->options.source_count);
    hf_series_add(scrape->scraper->counters[source].scraped, points);
}

void hf_scrape_failed(struct hf_scrape *scrape, size_t source, uint32_t points, const char *format,
                      ...)
{
    struct hf_scraper *scraper = scrape->scraper;
    const struct hf_scraper_options *options = &scraper->options;
    char sentence[SENTENCE_MAX];
    va_list arguments;
    assert(source < options->source_count);
    hf_series_add(scraper->counters[source].errored, points);
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    if (hf_log_limiter_allows(&scraper->said, options->sources[source], sentence,
                              hf_clock_coarse_ns())) {
        hf_node_log(options->node, HF_LOG_WARN, "%s: %s", options->sources[source], sentence);
    }
}

/* ---- the loop's side ---- */

/* What the configuration leaves of a batch; NULL: nothing. */
static struct hf_batch *keep_wanted(struct hf_scraper *scraper, struct hf_batch *batch)
{
    struct hf_batch *kept = batch;
    enum hf_status status = HF_OK;
    if (scraper->filter != NULL) {
        status = hf_resource_filter_take(scraper->filter, batch, &kept);
    }
    if (status == HF_OK && kept != NULL && scraper->regroup != NULL) {
        status = hf_regroup_take(scraper->regroup, kept, &kept);
    }
    if (status != HF_OK) {
        hf_node_log(scraper->options.node, HF_LOG_ERROR, "a scrape is lost: out of memory");
    }
    return kept;
}

/* Moves complete batches to the queues, as far as there is room. */
static void pass_on(struct hf_scraper *scraper)
{
    while (hf_offer_room(&scraper->offer) > 0) {
        struct hf_batch *batch = hf_build_take(&scraper->builder);
        if (batch == NULL) {
            return;
        }
        batch = keep_wanted(scraper, batch);
        if (batch != NULL) {
            hf_offer_add(&scraper->offer, batch);
        }
    }
}

static void end_if_idle(struct hf_scraper *scraper)
{
    if (scraper->stopping && hf_offer_is_idle(&scraper->offer)) {
        sem_post(&scraper->stopped);
    }
}

static void when_idle(struct hf_offer *offer)
{
    struct hf_scraper *scraper = HF_CONTAINER(offer, struct hf_scraper, offer);
    if (scraper->stopping) {
        end_if_idle(scraper);
    } else {
        pass_on(scraper);
    }
}

static void run_scrape(struct hf_scraper *scraper)
{
    const struct hf_scraper_options *options = &scraper->options;
    struct hf_scrape scrape = {.scraper = scraper,
                               .builder = &scraper->builder,
                               .now_ns = hf_clock_unix_ns(),
                               .deadline_ns = UINT64_MAX};
    if (options->config->timeout_ns != 0) {
        scrape.deadline_ns = hf_clock_monotonic_ns() + options->config->timeout_ns;
    }
    options->scrape(options->user, &scrape);
    if (hf_build_finish(&scraper->builder) != HF_OK) {
        hf_node_log(options->node, HF_LOG_ERROR, "a scrape is lost: out of memory");
    }
    pass_on(scraper);
}

static void set_timer(struct hf_scraper *scraper)
{
    enum hf_status status = hf_loop_timer_set(scraper->loop, &scraper->timer, scraper->due_ns);
    assert(status == HF_OK && "a loop has room for its first timers");
    (void)status;
}

static void tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_scraper *scraper = HF_CONTAINER(timer, struct hf_scraper, timer);
    uint64_t interval_ns = scraper->options.config->interval_ns;
    (void)now_ns;
    if (hf_offer_is_idle(&scraper->offer)) {
        run_scrape(scraper);
    }
    /* Intervals that passed meanwhile are left out. */
    uint64_t late_ns = hf_clock_monotonic_ns() - scraper->due_ns;
    scraper->due_ns += (late_ns / interval_ns + 1) * interval_ns;
    set_timer(scraper);
}

static void begin(struct hf_task *task)
{
    set_timer(HF_CONTAINER(task, struct hf_scraper, begin));
}

static void end(struct hf_task *task)
{
    struct hf_scraper *scraper = HF_CONTAINER(task, struct hf_scraper, end);
    hf_loop_timer_stop(scraper->loop, &scraper->timer);
    scraper->stopping = true;
    uint64_t items = hf_offer_stop(&scraper->offer);
    struct hf_batch *batch = hf_build_take(&scraper->builder);
    while (batch != NULL) {
        items += batch->items;
        hf_ref_drop(&batch->ref);
        batch = hf_build_take(&scraper->builder);
    }
    if (items != 0) {
        hf_node_log(scraper->options.node, HF_LOG_WARN,
                    "%llu items that no queue had room for are lost with the stop",
                    (unsigned long long)items);
    }
    end_if_idle(scraper);
}

/* ---- the main thread's side ---- */

static struct hf_series *source_series(const struct hf_scraper *scraper, const char *verb,
                                       const char *source)
{
    char name[96];
    snprintf(name, sizeof(name), "otelcol_scraper_%s_%s", verb,
             hf_signal_items_name(scraper->options.signal));
    const struct hf_metric_family family = {
        .name = name,
        .type = HF_COUNTER,
        .help = verb[0] == 's' ? "Items that were read." : "Items that could not be read.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_counted_id(scraper->options.node)}, {"scraper", source}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(scraper->options.node), &family, labels);
}

static bool make_counters(struct hf_scraper *scraper)
{
    const struct hf_scraper_options *options = &scraper->options;
    scraper->counters = calloc(options->source_count, sizeof(*scraper->counters));
    bool made = scraper->counters != NULL;
    for (size_t i = 0; i < options->source_count && made; i++) {
        struct counters *counters = &scraper->counters[i];
        counters->scraped = source_series(scraper, "scraped", options->sources[i]);
        counters->errored = source_series(scraper, "errored", options->sources[i]);
        made = counters->scraped != NULL && counters->errored != NULL;
    }
    return made;
}

enum hf_status hf_scraper_new(const struct hf_scraper_options *options,
                              struct hf_scraper **ret_scraper, char *reterr)
{
    assert(options->source_count > 0 && options->source_count <= HF_SCRAPER_SOURCES_MAX);
    assert(options->config->interval_ns > 0);
    struct hf_scraper *scraper = calloc(1, sizeof(*scraper));
    if (scraper == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    scraper->options = *options;
    scraper->timer.fire = tick;
    scraper->begin.run = begin;
    scraper->end.run = end;
    sem_init(&scraper->stopped, 0, 0);
    hf_log_limiter_init(&scraper->said, SAY_AGAIN_NS);
    hf_builder_init(&scraper->builder, options->signal,
                    options->batch_bytes != 0 ? options->batch_bytes : BATCH_BYTES_DEFAULT);
    enum hf_status status =
        hf_resource_filter_new(&options->resources, options->signal, &scraper->filter, reterr);
    if (status != HF_OK) {
        hf_scraper_free(scraper);
        return status;
    }
    scraper->options.metrics = NULL;
    status =
        hf_regroup_new(options->metrics, options->metric_sets, options->node, &scraper->regroup);
    if (status == HF_OK) {
        status = hf_loop_new(&scraper->loop);
    }
    if (status == HF_OK) {
        status = hf_node_add_transport(options->node, TRANSPORT);
    }
    if (status == HF_OK && !make_counters(scraper)) {
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "making its thread failed: %s", hf_status_row(status)->says);
        hf_scraper_free(scraper);
        return status;
    }
    hf_offer_init(&scraper->offer, options->node, scraper->loop, TRANSPORT, when_idle);
    *ret_scraper = scraper;
    return HF_OK;
}

enum hf_status hf_scraper_start(struct hf_scraper *scraper, char *reterr)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    scraper->due_ns = now_ns + scraper->options.config->initial_delay_ns;
    if (scraper->options.spread_ns != 0) {
        /* The clock's last digits differ from one instance to the next. */
        scraper->due_ns += now_ns * UINT64_C(2685821657736338717) % scraper->options.spread_ns;
    }
    hf_loop_post(scraper->loop, &scraper->begin);
    enum hf_status status = hf_loop_start_thread(scraper->loop, "scraper");
    scraper->has_thread = status == HF_OK;
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "starting its thread failed");
    }
    return status;
}

void hf_scraper_stop(struct hf_scraper *scraper)
{
    assert(scraper->has_thread);
    hf_loop_post(scraper->loop, &scraper->end);
    while (sem_wait(&scraper->stopped) != 0 && errno == EINTR) {
    }
    hf_loop_join(scraper->loop);
    scraper->has_thread = false;
}

void hf_scraper_free(struct hf_scraper *scraper)
{
    if (scraper == NULL) {
        return;
    }
    assert(!scraper->has_thread);
    hf_loop_free(scraper->loop);
    hf_builder_release(&scraper->builder);
    hf_log_limiter_release(&scraper->said);
    hf_resource_filter_free(scraper->filter);
    hf_regroup_free(scraper->regroup);
    sem_destroy(&scraper->stopped);
    free(scraper->counters);
    free(scraper);
}
