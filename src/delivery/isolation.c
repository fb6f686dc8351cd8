#include "isolation.h"

#include <assert.h>

#include "dead_letter.h"
#include "delivery_state.h"
#include "export_request.h"
#include "request_lists.h"
#include "util/log/log.h"

/* One failure among requests that are delivered proves little; at the second one the request is
 * halved. When no other request was delivered it is halved at the third failure, and its halves are
 * then compared with each other. */
#define LONE_FAILURES_TO_HALVE 2u
#define SHARED_FAILURES_TO_HALVE 3u

/* True: the request was replaced by its halves, which are isolated. */
static bool halve(struct export_request *request)
{
    struct isolation_state *state = &request->isolation;
    unsigned wanted = state->lone_failures != 0 ? LONE_FAILURES_TO_HALVE : SHARED_FAILURES_TO_HALVE;
    if (request->count == 1 || state->lone_failures + state->shared_failures < wanted ||
        !hf_isolated_has_room(request->reader->backlog)) {
        return false;
    }
    state->shared_failures = 0;
    return hf_export_request_halve(request);
}

void hf_isolated_wait(struct export_request *request, uint64_t resume_ns)
{
    if (!halve(request)) {
        hf_isolated_add(request, resume_ns);
    }
}

/* Whether the request is one record that has failed for max_elapsed_time while others were
 * delivered. */
static bool is_proven(const struct export_request *request, uint64_t now_ns)
{
    uint64_t max_ns = request->reader->delivery->config->retry.max_elapsed_time_ns;
    return request->count == 1 && max_ns != 0 && now_ns - request->isolation.since_ns >= max_ns;
}

static void give_up(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = request->reader->delivery;
    if (delivery->config->retry.on_give_up != HF_GIVE_UP_DROP) {
        hf_export_request_dead_letter(request, outcome);
        return;
    }
    hf_node_log_keys(delivery->node, HF_LOG_ERROR,
                     "Exporting failed. No more retries left. Dropping data.",
                     HF_LOG_KEYS(HF_LOG_NUMBER("dropped_items", request->export.items),
                                 HF_LOG_NUMBER("code", outcome->code),
                                 HF_LOG_TEXT("error", hf_outcome_message(outcome))));
    hf_series_add(delivery->send_failed[request->export.signal], request->export.items);
    hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
}

static void isolate(struct export_request *request, const struct hf_outcome *outcome,
                    uint64_t now_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    uint64_t resume_ns = hf_isolated_next_try(request, now_ns, outcome->retry_after_ns);
    hf_node_log_keys(delivery->node, HF_LOG_WARN,
                     "Exporting failed for one request while others are delivered. Will retry that "
                     "request alone after interval.",
                     HF_LOG_KEYS(HF_LOG_DURATION("interval", resume_ns - now_ns),
                                 HF_LOG_NUMBER("items", request->export.items),
                                 HF_LOG_TEXT("signal", hf_signal_name(request->export.signal)),
                                 HF_LOG_NUMBER("code", outcome->code),
                                 HF_LOG_TEXT("error", hf_outcome_message(outcome))));
    hf_isolated_add(request, resume_ns);
}

/* No other request is delivered: as far as can be seen, the backend fails. */
static void note_fault(const struct export_request *request, const struct hf_outcome *outcome,
                       uint64_t now_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    hf_fault_note(&delivery->fault, false, hf_outcome_message(outcome));
    if (hf_backoff_is_over(&request->isolation.backoff, &delivery->config->retry, now_ns)) {
        hf_delivery_set_unhealthy(delivery, hf_outcome_message(outcome));
    }
}

bool hf_isolated_judge(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct isolation_state *state = &request->isolation;
    uint64_t now_ns = hf_loop_now_ns(reader->delivery->loop);
    bool others_pass = reader->passed != state->passed;
    bool is_first = !state->is_suspect;
    state->passed = reader->passed;
    state->is_suspect = true;
    if (!others_pass && (is_first || reader->failing)) {
        /* It may be an outage, which proves nothing about this request. */
        state->since_ns = 0;
        state->lone_failures = 0;
        state->shared_failures++;
        return false;
    }
    if (others_pass) {
        state->since_ns = state->since_ns == 0 ? now_ns : state->since_ns;
        state->lone_failures++;
    } else {
        state->shared_failures++;
        note_fault(request, outcome, now_ns);
    }
    if (others_pass && is_proven(request, now_ns)) {
        give_up(request, outcome);
    } else if (!halve(request)) {
        isolate(request, outcome, now_ns);
    }
    return true;
}
