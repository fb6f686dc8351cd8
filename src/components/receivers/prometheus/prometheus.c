/*
 * prometheus: scrapes targets as Prometheus does, by its configuration, and makes OTLP metrics of
 * what they answer.
 *
 * A thread of its own has all jobs. Each scrape becomes batches that are handed over until they are
 * on disk; while a queue has no room, the targets whose batches wait are not asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "allocator.h"
#include "discovery.h"
#include "job.h"
#include "probe.h"
#include "receiver.h"
#include "request.h"
#include "scrape.h"
#include "util/time/clock.h"

#define TRANSPORT "http"
#define BATCH_BYTES_MAX (4u << 20)
#define ARENA_BYTES_MAX ((size_t)1 << 30)
#define TOKEN_WAIT_NS (3 * HF_NS_PER_S) /* for first tokens, in start */
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

/* ---- the loop's thread ---- */

static void end_if_idle(struct prom_receiver *receiver)
{
    for (size_t i = 0; i < PROM_LANES; i++) {
        if (!hf_offer_is_idle(&receiver->lanes[i].offer)) {
            return;
        }
    }
    sem_post(&receiver->stopped);
}

static void when_idle(struct hf_offer *offer)
{
    struct prom_lane *lane = HF_CONTAINER(offer, struct prom_lane, offer);
    if (lane->receiver->stopping) {
        end_if_idle(lane->receiver);
    } else {
        prom_lane_pass_on(lane);
    }
}

static void begin(struct hf_task *task)
{
    struct prom_receiver *receiver = HF_CONTAINER(task, struct prom_receiver, begin);
    for (size_t i = 0; i < PROM_LANES; i++) {
        hf_offer_init(&receiver->lanes[i].offer, receiver->node, receiver->loop, TRANSPORT,
                      when_idle);
    }
    for (size_t i = 0; i < receiver->job_count; i++) {
        prom_discovery_start(&receiver->jobs[i]);
    }
    prom_allocator_start(receiver->allocator);
}

static uint64_t stop_lane(struct prom_lane *lane)
{
    uint64_t items = hf_offer_stop(&lane->offer);
    struct hf_batch *batch = hf_build_take(&lane->builder);
    while (batch != NULL) {
        items += batch->items;
        hf_ref_drop(&batch->ref);
        batch = hf_build_take(&lane->builder);
    }
    return items;
}

static void end(struct hf_task *task)
{
    struct prom_receiver *receiver = HF_CONTAINER(task, struct prom_receiver, end);
    uint64_t items = 0;
    receiver->stopping = true;
    prom_allocator_stop(receiver->allocator);
    for (size_t i = 0; i < receiver->job_count; i++) {
        prom_discovery_stop(&receiver->jobs[i]);
        prom_job_abandon_targets(&receiver->jobs[i]);
    }
    for (size_t i = 0; i < PROM_LANES; i++) {
        items += stop_lane(&receiver->lanes[i]);
    }
    if (items != 0) {
        hf_node_log(receiver->node, HF_LOG_WARN,
                    "%llu points that no queue had room for are lost with the stop",
                    (unsigned long long)items);
    }
    end_if_idle(receiver);
}

/* ---- the main thread ---- */

static void close_receiver(void *self)
{
    struct prom_receiver *receiver = self;
    prom_allocator_free(receiver->allocator);
    for (size_t i = 0; i < receiver->job_count; i++) {
        prom_discovery_free(&receiver->jobs[i]);
        prom_job_close(&receiver->jobs[i]);
    }
    for (size_t i = 0; i < PROM_LANES; i++) {
        hf_builder_release(&receiver->lanes[i].builder);
    }
    if (receiver->loop != NULL) {
        hf_loop_free(receiver->loop);
    }
    hf_prom_gather_release(&receiver->gather);
    hf_expo_values_release(&receiver->values);
    hf_prom_table_release(&receiver->seen);
    hf_prom_table_release(&receiver->gone);
    hf_bytes_release(&receiver->old_body);
    hf_arena_release(&receiver->arena);
    hf_log_limiter_release(&receiver->said);
    hf_regex_free(receiver->start_regex);
    sem_destroy(&receiver->stopped);
    free(receiver->tracked);
    free(receiver->reader);
    free(receiver->labels);
    free(receiver->jobs);
    prom_job_files_free(receiver->job_files);
    free(receiver);
}

static enum hf_status open_jobs(struct prom_receiver *receiver, char *reterr)
{
    const struct prom_file_config *file = &receiver->config->prometheus;
    const struct prom_job *jobs = file->jobs.items;
    enum hf_status status = prom_job_files_read(file, &receiver->job_files, reterr);
    size_t count = file->jobs.count + prom_job_files_count(receiver->job_files);
    receiver->jobs = status == HF_OK ? calloc(count + 1, sizeof(*receiver->jobs)) : NULL;
    if (status == HF_OK && receiver->jobs == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        const struct prom_job *job =
            i < file->jobs.count ? &jobs[i]
                                 : prom_job_files_at(receiver->job_files, i - file->jobs.count);
        receiver->job_count = i + 1;
        status = prom_job_open(receiver, job, &receiver->jobs[i], reterr);
        if (status == HF_OK) {
            status = prom_discovery_make(&receiver->jobs[i], reterr);
        }
    }
    return status;
}

static enum hf_status open_parts(struct prom_receiver *receiver, char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    receiver->reader = calloc(1, sizeof(*receiver->reader));
    receiver->labels = calloc(1, sizeof(*receiver->labels));
    if (receiver->reader == NULL || receiver->labels == NULL ||
        hf_loop_new(&receiver->loop) != HF_OK ||
        hf_node_add_transport(receiver->node, TRANSPORT) != HF_OK) {
        return HF_NOMEM;
    }
    if (receiver->config->start_time_metric_regex != NULL &&
        hf_regex_new(receiver->config->start_time_metric_regex, &receiver->start_regex, why) !=
            HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "start_time_metric_regex: %s", why);
        return HF_INVALID;
    }
    enum hf_status status = open_jobs(receiver, reterr);
    if (status != HF_OK) {
        return status;
    }
    return receiver->config->allocator != NULL
               ? prom_allocator_new(receiver, &receiver->allocator, reterr)
               : HF_OK;
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct prom_receiver *receiver = calloc(1, sizeof(*receiver));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    receiver->arena.limit = ARENA_BYTES_MAX;
    receiver->begin.run = begin;
    receiver->end.run = end;
    sem_init(&receiver->stopped, 0, 0);
    hf_log_limiter_init(&receiver->said, SAY_AGAIN_NS);
    hf_prom_gather_init(&receiver->gather, &receiver->arena);
    for (size_t i = 0; i < PROM_LANES; i++) {
        receiver->lanes[i].receiver = receiver;
        hf_builder_init(&receiver->lanes[i].builder, HF_METRICS, BATCH_BYTES_MAX);
    }
    enum hf_status status = open_parts(receiver, reterr);
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct prom_receiver *receiver = self;
    uint64_t due_ns = hf_clock_monotonic_ns() + TOKEN_WAIT_NS;
    for (size_t i = 0; i < receiver->job_count; i++) {
        prom_client_wait(&receiver->jobs[i].client, due_ns);
    }
    hf_loop_post(receiver->loop, &receiver->begin);
    enum hf_status status = hf_loop_start_thread(receiver->loop, "prometheus");
    receiver->has_thread = status == HF_OK;
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "starting its thread failed");
    }
    return status;
}

static void stop_receiver(void *self)
{
    struct prom_receiver *receiver = self;
    if (!receiver->has_thread) {
        return;
    }
    hf_loop_post(receiver->loop, &receiver->end);
    while (sem_wait(&receiver->stopped) != 0 && errno == EINTR) {
    }
    hf_loop_join(receiver->loop);
    receiver->has_thread = false;
}

const struct hf_component hf_receiver_prometheus = {
    .type = "prometheus",
    .help = "Scrapes targets by a configuration of Prometheus.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct prom_config),
    .fields = prom_fields,
    .check = prom_check,
    .probe = prom_probe,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
