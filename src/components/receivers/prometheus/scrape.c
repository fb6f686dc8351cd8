#include "scrape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read.h"
#include "request.h"
#include "target.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

/* A target that is being asked. */
struct prom_scrape {
    struct hf_http_call call;
    struct prom_target *target;
    struct prom_request request;
    uint64_t started_ns, started_unix_ns;
};

/* ---- lanes ---- */

void prom_lane_pass_on(struct prom_lane *lane)
{
    lane->has_more = true;
    while (hf_offer_room(&lane->offer) > 0) {
        struct hf_batch *batch = hf_build_take(&lane->builder);
        if (batch == NULL) {
            lane->has_more = false;
            return;
        }
        hf_offer_add(&lane->offer, batch);
    }
}

/* Batches were refused, or there are more than are offered at once. */
static bool is_blocked(const struct prom_lane *lane)
{
    return lane->has_more || lane->offer.wait_ns != 0;
}

/* ---- the end of a scrape ---- */

static void say_failure(const struct prom_target *target, const char *why)
{
    struct prom_receiver *receiver = target->job->receiver;
    if (hf_log_limiter_allows(&receiver->said, target->url, why, hf_clock_coarse_ns())) {
        hf_node_log(receiver->node, HF_LOG_WARN, "scraping %s (job \"%s\") failed: %s", target->url,
                    target->job->config->job_name, why);
    }
}

static void begin_scrape(struct prom_target *target);

/* Begins those that waited for one in flight to end. */
static void begin_waiting(struct prom_receiver *receiver)
{
    while (receiver->waiting != NULL && receiver->in_flight < PROM_IN_FLIGHT_MAX) {
        struct prom_target *target = receiver->waiting;
        receiver->waiting = target->next_waiting;
        target->is_waiting = false;
        begin_scrape(target);
    }
}

static void take_answer(struct prom_target *target, const struct prom_answer *answer)
{
    char why[PROM_READ_ERROR_MAX];
    if (!prom_read(target, answer, why)) {
        say_failure(target, why);
    }
    prom_lane_pass_on(target->lane);
}

/* What is wrong with the answer; NULL: nothing, and `ret_format` is its. */
static const char *judge(const struct prom_target *target, const struct hf_http_result *result,
                         char *room, size_t size, enum hf_expo_format *ret_format)
{
    const struct prom_job_state *job = target->job;
    if (result->status != HF_OK) {
        snprintf(room, size, "%s",
                 result->error != NULL ? result->error : hf_status_row(result->status)->says);
        return room;
    }
    if (result->code != 200) {
        snprintf(room, size, "the server answered HTTP status %d", result->code);
        return room;
    }
    if (result->body.size > job->limits.body_size) {
        return "the answer is larger than body_size_limit";
    }
    if (!hf_expo_format_of(result->content_type, ret_format)) {
        *ret_format = job->fallback;
    }
    return NULL;
}

static void on_answer(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct prom_scrape *scrape = HF_CONTAINER(call, struct prom_scrape, call);
    struct prom_target *target = scrape->target;
    struct prom_receiver *receiver = target->job->receiver;
    char room[PROM_READ_ERROR_MAX];
    struct prom_answer answer = {
        .body = result->body,
        .started_ns = scrape->started_unix_ns,
        .duration_ns = hf_clock_monotonic_ns() - scrape->started_ns,
    };
    prom_client_answered(&target->job->client, result->code);
    answer.error = judge(target, result, room, sizeof(room), &answer.format);
    if (answer.error != NULL) {
        answer.body = HF_EMPTY_SLICE;
    }
    receiver->in_flight--;
    target->scrape = NULL;
    if (!receiver->stopping && !target->is_leaving) {
        take_answer(target, &answer);
    }
    free(scrape);
    if (target->is_leaving) {
        prom_target_free(target);
    }
    if (!receiver->stopping) {
        begin_waiting(receiver);
    }
}

/* ---- the beginning ---- */

/* Reads this process's own metrics in memory. False: the target is another's, or it has to be
 * asked. */
static bool read_own(struct prom_target *target)
{
    struct prom_receiver *receiver = target->job->receiver;
    uint64_t started_ns = hf_clock_monotonic_ns();
    char *text = NULL;
    size_t size = 0;
    struct prom_answer answer = {.format = HF_EXPO_TEXT, .started_ns = hf_clock_unix_ns()};
    if (target->own_address == NULL ||
        hf_metrics_print_shown(hf_node_metrics(receiver->node), target->own_address, &text,
                               &size) != HF_OK) {
        return false;
    }
    answer.body = hf_slice_of(text, size);
    answer.duration_ns = hf_clock_monotonic_ns() - started_ns;
    if (size > target->job->limits.body_size) {
        answer.error = "the answer is larger than body_size_limit";
        answer.body = HF_EMPTY_SLICE;
    }
    take_answer(target, &answer);
    free(text);
    return true;
}

static void begin_scrape(struct prom_target *target)
{
    struct prom_job_state *job = target->job;
    struct prom_receiver *receiver = job->receiver;
    if (read_own(target)) {
        return;
    }
    struct prom_scrape *scrape = calloc(1, sizeof(*scrape));
    if (scrape == NULL) {
        say_failure(target, "out of memory");
        return;
    }
    scrape->target = target;
    scrape->started_ns = hf_clock_monotonic_ns();
    scrape->started_unix_ns = hf_clock_unix_ns();
    prom_request_fill(&scrape->request, &job->client, job->accept, target->timeout_ns);
    scrape->call = (struct hf_http_call){
        .method = "GET",
        .url = target->url,
        .headers = scrape->request.headers,
        .header_count = scrape->request.header_count,
        .deadline_ns = scrape->started_ns + target->timeout_ns,
        .done = on_answer,
    };
    target->scrape = scrape;
    receiver->in_flight++;
    hf_http_client_call(job->client.client, &scrape->call);
}

static void wait_for_turn(struct prom_target *target)
{
    struct prom_receiver *receiver = target->job->receiver;
    target->is_waiting = true;
    target->next_waiting = NULL;
    if (receiver->waiting != NULL) {
        receiver->last_waiting->next_waiting = target;
    } else {
        receiver->waiting = target;
    }
    receiver->last_waiting = target;
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct prom_target *target = HF_CONTAINER(timer, struct prom_target, timer);
    struct prom_receiver *receiver = target->job->receiver;
    if (target->scrape == NULL && !target->is_waiting && !is_blocked(target->lane)) {
        if (receiver->in_flight < PROM_IN_FLIGHT_MAX) {
            begin_scrape(target);
        } else {
            wait_for_turn(target);
        }
    }
    /* Intervals that have passed meanwhile are left out. */
    uint64_t late_ns = now_ns - target->due_ns;
    target->due_ns += (late_ns / target->interval_ns + 1) * target->interval_ns;
    enum hf_status status = hf_loop_timer_set(receiver->loop, timer, target->due_ns);
    (void)status; /* its place is free while it fires */
}

bool prom_scrape_start(struct prom_target *target)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t interval_ns = target->interval_ns;
    uint64_t offset_ns = target->key % interval_ns;
    uint64_t phase_ns = unix_ns % interval_ns;
    uint64_t wait_ns = (offset_ns + interval_ns - phase_ns) % interval_ns;
    target->timer.fire = fire;
    target->due_ns =
        hf_clock_monotonic_ns() + wait_ns + target->job->receiver->config->initial_offset_ns;
    return hf_loop_timer_set(target->job->receiver->loop, &target->timer, target->due_ns) == HF_OK;
}

/* Out of the list of those that wait for their turn. */
static void stop_waiting(struct prom_target *target)
{
    struct prom_receiver *receiver = target->job->receiver;
    struct prom_target *before = NULL;
    struct prom_target *at = receiver->waiting;
    while (at != NULL && at != target) {
        before = at;
        at = at->next_waiting;
    }
    if (at == NULL) {
        return;
    }
    if (before != NULL) {
        before->next_waiting = target->next_waiting;
    } else {
        receiver->waiting = target->next_waiting;
    }
    if (receiver->last_waiting == target) {
        receiver->last_waiting = before;
    }
}

void prom_scrape_abandon(struct prom_target *target)
{
    struct prom_job_state *job = target->job;
    hf_loop_timer_stop(job->receiver->loop, &target->timer);
    if (target->is_waiting) {
        stop_waiting(target);
    }
    if (target->scrape != NULL) {
        target->is_leaving = true; /* its answer is no news, and frees it */
        hf_http_client_cancel(job->client.client, &target->scrape->call);
    } else {
        prom_target_free(target);
    }
}

void prom_scrape_end(struct prom_target *target)
{
    prom_read_end(target);
    prom_lane_pass_on(target->lane);
    prom_scrape_abandon(target);
}
