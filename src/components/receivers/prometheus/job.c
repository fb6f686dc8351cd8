#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "request.h"
#include "scrape.h"
#include "target.h"
#include "util/time/clock.h"

/* ---- the main thread ---- */

static enum hf_status open_rules(struct prom_job_state *job, char *reterr)
{
    char why[HF_RELABEL_ERROR_MAX];
    enum hf_status status = hf_relabel_new(&job->config->relabel, &job->relabel, why);
    if (status == HF_OK) {
        status = hf_relabel_new(&job->config->metric_relabel, &job->metric_relabel, why);
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "config: job \"%s\": %s", job->config->job_name, why);
    }
    return status;
}

enum hf_status prom_job_open(struct prom_receiver *receiver, const struct prom_job *config,
                             struct prom_job_state *ret_job, char *reterr)
{
    const struct prom_global *global = &receiver->config->prometheus.global;
    bool all_extra = receiver->config->report_extra_scrape_metrics;
    *ret_job = (struct prom_job_state){
        .receiver = receiver,
        .config = config,
        .limits = prom_job_limits(global, config),
        .interval_ns = prom_job_interval_ns(global, config),
        .timeout_ns = prom_job_timeout_ns(global, config),
        .wants_native = config->has_native ? config->native : global->native,
        .wants_classic = config->has_classic ? config->classic : global->classic,
        .extra_metrics =
            all_extra || (config->has_extra ? config->extra_metrics : global->extra_metrics),
    };
    const char *fallback = config->fallback_protocol;
    ret_job->fallback = strncmp(fallback, "OpenMetrics", 11) == 0  ? HF_EXPO_OPENMETRICS
                        : strcmp(fallback, "PrometheusProto") == 0 ? HF_EXPO_PROTOBUF
                                                                   : HF_EXPO_TEXT;
    enum hf_status status = open_rules(ret_job, reterr);
    if (status != HF_OK) {
        return status;
    }
    const struct prom_client_options options = {
        .receiver = receiver,
        .what = config->job_name,
        .http = &config->http,
        .accept_gzip = config->enable_compression,
        .response_bytes_max = ret_job->limits.body_size + 1,
    };
    prom_request_accept(ret_job);
    return prom_client_open(&options, &ret_job->client, reterr);
}

void prom_job_close(struct prom_job_state *job)
{
    hf_relabel_free(job->relabel);
    hf_relabel_free(job->metric_relabel);
    prom_client_close(&job->client);
}

/* ---- the loop's thread ---- */

static void add_target(struct prom_job_state *job, struct prom_target *target)
{
    struct prom_receiver *receiver = job->receiver;
    if (receiver->target_count == PROM_TARGETS_MAX) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "%s is not scraped: there are %u targets already",
                    target->url, PROM_TARGETS_MAX);
        prom_target_free(target);
        return;
    }
    target->lane = &receiver->lanes[target->key % PROM_LANES];
    if (!prom_scrape_start(target)) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "%s is not scraped: out of memory", target->url);
        prom_target_free(target);
        return;
    }
    target->next = job->targets;
    job->targets = target;
    job->target_count++;
    receiver->target_count++;
}

/* Takes the targets that are not wanted out of the job. */
static void drop_unwanted(struct prom_job_state *job)
{
    for (struct prom_target **at = &job->targets; *at != NULL;) {
        struct prom_target *target = *at;
        if (target->is_wanted) {
            at = &target->next;
            continue;
        }
        *at = target->next;
        job->target_count--;
        job->receiver->target_count--;
        prom_scrape_end(target);
    }
}

static void say_bad_target(const struct prom_job_state *job, const char *why)
{
    struct prom_receiver *receiver = job->receiver;
    if (hf_log_limiter_allows(&receiver->said, job->config->job_name, why, hf_clock_coarse_ns())) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "job \"%s\": %s", job->config->job_name, why);
    }
}

/* Makes what was found to targets; those that are there already are wanted from now on, the others
 * are put into `ret_list`. Returns how many are wanted in all. */
static size_t make_targets(struct prom_job_state *job, const struct prom_found *found, size_t count,
                           struct prom_target **ret_list)
{
    struct hf_prom_table *known = &job->receiver->gone;
    size_t wanted = 0;
    bool is_new = false;
    hf_prom_table_clear(known);
    for (struct prom_target *target = job->targets; target != NULL; target = target->next) {
        struct hf_prom_table_entry *entry = hf_prom_table_put(known, target->key, &is_new);
        target->is_wanted = entry == NULL; /* without memory all stay as they are */
        if (entry != NULL) {
            entry->value = target;
        }
    }
    for (size_t i = 0; i < count; i++) {
        char why[PROM_TARGET_ERROR_MAX] = "a target is left out: out of memory or too many labels";
        struct prom_target *target = NULL;
        hf_arena_rewind(&job->receiver->arena, SIZE_MAX);
        if (prom_target_new(job, &found[i], &target, why) != HF_OK) {
            say_bad_target(job, why);
            continue;
        }
        struct hf_prom_table_entry *entry =
            target != NULL ? hf_prom_table_put(known, target->key, &is_new) : NULL;
        if (entry == NULL || entry->value != NULL) {
            struct prom_target *same = entry != NULL ? entry->value : NULL;
            wanted += same != NULL && !same->is_wanted;
            if (same != NULL) {
                same->is_wanted = true;
            }
            prom_target_free(target);
            continue;
        }
        entry->value = target;
        target->is_wanted = true;
        target->next = *ret_list;
        *ret_list = target;
        wanted++;
    }
    return wanted;
}

void prom_job_set_targets(struct prom_job_state *job, const struct prom_found *found, size_t count)
{
    struct prom_target *list = NULL;
    size_t wanted = make_targets(job, found, count, &list);
    int64_t limit = job->limits.targets;
    job->is_over_limit = limit != 0 && (int64_t)wanted > limit;
    if (job->is_over_limit) {
        say_bad_target(job, "it has more targets than target_limit; none of them is scraped");
        for (struct prom_target *target = job->targets; target != NULL; target = target->next) {
            target->is_wanted = false;
        }
    }
    drop_unwanted(job);
    while (list != NULL) {
        struct prom_target *target = list;
        list = target->next;
        if (job->is_over_limit) {
            prom_target_free(target);
        } else {
            add_target(job, target);
        }
    }
}

void prom_job_abandon_targets(struct prom_job_state *job)
{
    while (job->targets != NULL) {
        struct prom_target *target = job->targets;
        job->targets = target->next;
        prom_scrape_abandon(target);
    }
    job->target_count = 0;
}
