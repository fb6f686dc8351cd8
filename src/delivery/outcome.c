/*
 * outcome: what follows from the backend's answer to a request: acknowledge it, wait and send it
 * again, send it in halves, isolate it, or move it to the dead letters.
 */
#include <assert.h>

#include "dead_letter.h"
#include "delivery_state.h"
#include "export_request.h"
#include "held.h"
#include "isolation.h"
#include "item_outcomes.h"
#include "request_lists.h"
#include "util/log/log.h"

static void delivered(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    uint64_t rejected = outcome->rejected_items < request->export.items ? outcome->rejected_items
                                                                        : request->export.items;
    if (rejected != 0 || (outcome->message != NULL && outcome->message[0] != '\0')) {
        hf_node_log_keys(delivery->node, HF_LOG_WARN, "Partial success response",
                         HF_LOG_KEYS(HF_LOG_NUMBER("rejected_items", rejected),
                                     HF_LOG_NUMBER("items", request->export.items),
                                     HF_LOG_TEXT("signal", hf_signal_name(request->export.signal)),
                                     HF_LOG_TEXT("error", outcome->message)));
    }
    hf_series_add(delivery->sent[request->export.signal],
                  (int64_t)(request->export.items - rejected));
    reader->passed++;
    if (reader->failing) {
        hf_isolated_release(reader, hf_loop_now_ns(delivery->loop));
    }
    reader->failing = false;
    hf_window_grow(&delivery->window);
    hf_backoff_reset(&reader->backoff);
    hf_fault_clear(&delivery->fault);
    hf_delivery_recovered(delivery);
    if (atomic_load(&delivery->unhealthy)) {
        atomic_store(&delivery->unhealthy, false);
        hf_node_log(delivery->node, HF_LOG_INFO, "healthy again: the backend takes data");
    }
    hf_export_request_resolve(request, WAL_DELIVERED, WAL_DROP_REJECTED, rejected);
}

/* max_elapsed_time has passed, or retries are off. True: the request is gone. */
static bool give_up(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    hf_delivery_set_unhealthy(delivery,
                              outcome->message != NULL ? outcome->message : "no more retries left");
    switch (delivery->config->retry.on_give_up) {
    case HF_GIVE_UP_DROP:
        hf_node_log_keys(delivery->node, HF_LOG_ERROR,
                         "Exporting failed. No more retries left. Dropping data.",
                         HF_LOG_KEYS(HF_LOG_NUMBER("dropped_items", request->export.items),
                                     HF_LOG_NUMBER("code", outcome->code),
                                     HF_LOG_TEXT("error", hf_outcome_message(outcome))));
        hf_series_add(delivery->send_failed[request->export.signal], request->export.items);
        hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
        hf_backoff_reset(&reader->backoff);
        return true;
    case HF_GIVE_UP_DEAD_LETTER:
        if (request->count == 1) {
            hf_export_request_dead_letter(request, outcome);
            return true;
        }
        return hf_export_request_halve(request);
    default:
        return false;
    }
}

/* A wrong credential, route or protocol: an operator has to correct it, no record is the cause. */
static bool is_about_the_endpoint(enum hf_status status)
{
    return status == HF_UNAUTHENTICATED || status == HF_FORBIDDEN || status == HF_NOT_FOUND ||
           status == HF_UNSUPPORTED;
}

static void note_fault(struct hf_delivery *delivery, const struct hf_outcome *outcome)
{
    bool is_permanent = is_about_the_endpoint(outcome->status);
    hf_fault_note(&delivery->fault, is_permanent, hf_outcome_message(outcome));
    if (is_permanent) {
        hf_delivery_set_unhealthy(delivery, hf_outcome_message(outcome));
    }
}

static void failed_for_now(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    const struct hf_retry_config *retry = &delivery->config->retry;
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    note_fault(delivery, outcome);
    if (outcome->status == HF_BUSY || outcome->retry_after_ns != 0) {
        hf_window_cut(&delivery->window, request->round);
    }
    if (!reader->failing || now_ns >= reader->resume_ns) {
        uint64_t wait_ns = hf_backoff_next(&reader->backoff, retry, now_ns, outcome->retry_after_ns,
                                           hf_delivery_draw(delivery));
        reader->resume_ns = now_ns + wait_ns;
        reader->failing = true;
        hf_delivery_failed(delivery, outcome, wait_ns);
        hf_node_log_keys(
            delivery->node, HF_LOG_WARN, "Exporting failed. Will retry the request after interval.",
            HF_LOG_KEYS(HF_LOG_DURATION("interval", wait_ns), HF_LOG_NUMBER("code", outcome->code),
                        HF_LOG_TEXT("error", hf_outcome_message(outcome))));
    }
    bool over = !retry->enabled || hf_backoff_is_over(&reader->backoff, retry, now_ns);
    if (over && give_up(request, outcome)) {
        return;
    }
    if (outcome->is_suspect) {
        hf_isolated_wait(request, reader->resume_ns);
    } else {
        hf_waiting_add(request->reader, request);
    }
}

static void refused_for_good(struct export_request *request, const struct hf_outcome *outcome)
{
    request->reader->backlog->failing = false;
    if (request->count == 1 || !hf_export_request_halve(request)) {
        hf_export_request_dead_letter(request, outcome);
    }
}

static void settle(struct export_request *request, const struct hf_outcome *outcome)
{
    switch (outcome->status) {
    case HF_OK:
        delivered(request, outcome);
        break;
    case HF_TOO_LARGE:
        request->reader->backlog->failing = false;
        if (!hf_export_request_halve(request)) {
            hf_export_request_dead_letter(request, outcome);
        }
        break;
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        refused_for_good(request, outcome);
        break;
    case HF_CLOSED:
        hf_waiting_add(request->reader, request);
        break;
    default:
        if (!outcome->is_suspect || !hf_isolated_judge(request, outcome)) {
            failed_for_now(request, outcome);
        }
    }
}

static bool is_for_now(enum hf_status status)
{
    return status != HF_OK && status != HF_TOO_LARGE && status != HF_INVALID &&
           status != HF_EXISTS && status != HF_CORRUPT && status != HF_CLOSED;
}

/* One of several backends failed: only what goes there waits. */
static void settle_group(struct export_request *request, const struct hf_outcome *outcome,
                         uint32_t group)
{
    struct hf_delivery *delivery = request->reader->delivery;
    if (!is_for_now(outcome->status)) {
        settle(request, outcome);
        return;
    }
    note_fault(delivery, outcome);
    if (outcome->is_suspect && hf_isolated_judge(request, outcome)) {
        return;
    }
    if (hf_held_failed(request->reader->backlog, group, outcome) && give_up(request, outcome)) {
        return;
    }
    if (!hf_held_add(request, group)) {
        hf_waiting_add(request->reader, request); /* out of memory: with the others */
    }
}

/* One part of a request whose items had different outcomes. */
static void settle_part(struct export_request *request, const struct hf_outcome *outcome)
{
    switch (outcome->status) {
    case HF_TOO_LARGE:
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        hf_export_request_dead_letter(request, outcome);
        break;
    default:
        settle(request, outcome);
    }
}

/* Out of memory, or too late to do more than keep it: all of it is sent again. */
static void keep_whole(struct export_request *request)
{
    struct queue_reader *reader = request->reader->backlog;
    reader->failing = true;
    reader->resume_ns = hf_loop_now_ns(reader->delivery->loop) +
                        reader->delivery->config->retry.initial_interval_ns;
    hf_waiting_add(request->reader, request);
}

/* The backend answered for each item. What it took comes first: the reader is not failing then, and
 * waits only for the rest. */
static void settle_items(struct export_request *request, const struct hf_outcome *outcome)
{
    struct item_outcomes parts;
    enum hf_status status = HF_NOMEM;
    if (!request->reader->delivery->ended) {
        status = hf_item_outcomes_make(request, outcome, &parts);
    }
    if (status == HF_NOMEM) {
        keep_whole(request);
        return;
    }
    if (status != HF_OK) {
        settle(request, &(const struct hf_outcome){.status = HF_CORRUPT,
                                                   .message = "the record cannot be split"});
        return;
    }
    for (size_t i = 0; i < parts.count; i++) {
        const struct item_outcome_part *part = &parts.items[i];
        if (part->group != 0) {
            settle_group(part->request, &part->outcome, part->group);
        } else {
            settle_part(part->request, &part->outcome);
        }
    }
    hf_item_outcomes_release(&parts);
    hf_export_request_free(request);
}

static void end_span(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_own_span span = {.items = request->export.items,
                               .is_failed = outcome->status != HF_OK};
    hf_own_span_end(request->reader->delivery->span_names[request->export.signal],
                    request->span_start_ns, &span,
                    span.is_failed ? hf_outcome_message(outcome) : NULL);
    request->span_start_ns = 0;
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    if (export->done != NULL) {
        export->done(export, outcome);
        return;
    }
    struct export_request *request = HF_CONTAINER(export, struct export_request, export);
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    assert(delivery->in_flight != 0 && reader->in_flight != 0 && "it is answered once");
    assert(outcome->item_count == 0 || outcome->items != NULL);
    delivery->in_flight--;
    reader->in_flight--;
    if (request->span_start_ns != 0) {
        end_span(request, outcome);
    }
    if (delivery->ended && outcome->status != HF_OK) {
        hf_waiting_add(request->reader, request); /* its records are released with the reader's */
        return;
    }
    uint32_t group = request->group;
    request->group = 0;
    hf_held_answered(reader, group);
    if (outcome->status == HF_OK && outcome->item_count != 0) {
        settle_items(request, outcome);
    } else {
        settle(request, outcome);
    }
    hf_held_settled(reader, group);
    if (delivery->stopping) {
        if (delivery->in_flight == 0 && delivery->dead_letters_in_flight == 0) {
            sem_post(&delivery->stopped);
        }
        return;
    }
    hf_delivery_pump_later(delivery);
}
