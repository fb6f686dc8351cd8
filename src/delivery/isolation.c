#include "isolation.h"

#include <assert.h>

#include "export_request.h"
#include "util/log.h"

/* Of one reader: a record is rarely larger, and the list is walked when there is one. */
#define ISOLATED_MAX 1024u
#define ISOLATED_BYTES_MAX ((uint64_t)4 << 20)

/* One failure among requests that pass says little; the second takes the request apart. So does the
 * third when nothing else was there to pass: its ranges are the others to each other. */
#define STRIKES_TO_CUT 2u
#define MISSES_TO_CUT 3u

bool hf_isolated_has_room(const struct queue_reader *reader)
{
    return reader->isolated.count < ISOLATED_MAX && reader->isolated.bytes < ISOLATED_BYTES_MAX;
}

/* Its backend answers, not before `resume_ns`. */
static void put(struct export_request *request, uint64_t resume_ns)
{
    struct queue_reader *reader = request->reader->backlog;
    struct isolated *isolated = &reader->isolated;
    request->aside.resume_ns = resume_ns;
    request->next = NULL;
    if (isolated->first == NULL) {
        isolated->end = &isolated->first;
    }
    *isolated->end = request;
    isolated->end = &request->next;
    isolated->count++;
    isolated->bytes += request->export.raw_size;
    reader->delivery->isolated_bytes += request->export.raw_size;
}

static struct export_request *take_at(struct queue_reader *reader, struct export_request **at)
{
    struct isolated *isolated = &reader->isolated;
    struct export_request *request = *at;
    *at = request->next;
    if (request->next == NULL) {
        isolated->end = at;
    }
    request->next = NULL;
    isolated->count--;
    isolated->bytes -= request->export.raw_size;
    reader->delivery->isolated_bytes -= request->export.raw_size;
    return request;
}

struct export_request *hf_isolated_take(struct queue_reader *reader, uint64_t now_ns, bool is_probe)
{
    struct export_request **at = &reader->isolated.first;
    while (*at != NULL && !is_probe && (*at)->aside.resume_ns > now_ns) {
        at = &(*at)->next;
    }
    return *at != NULL ? take_at(reader, at) : NULL;
}

void hf_isolated_release(struct queue_reader *reader, uint64_t now_ns)
{
    for (struct export_request *one = reader->isolated.first; one != NULL; one = one->next) {
        if (!one->aside.is_unburied) {
            one->aside.resume_ns = now_ns;
        }
    }
}

uint64_t hf_isolated_due_ns(const struct queue_reader *reader)
{
    uint64_t due_ns = 0;
    for (const struct export_request *one = reader->isolated.first; one != NULL; one = one->next) {
        due_ns = due_ns == 0 || one->aside.resume_ns < due_ns ? one->aside.resume_ns : due_ns;
    }
    return due_ns;
}

/* True: it is in pieces, which stand aside in its place. */
static bool cut(struct export_request *request)
{
    struct aside *aside = &request->aside;
    unsigned wanted = aside->strikes != 0 ? STRIKES_TO_CUT : MISSES_TO_CUT;
    if (request->count == 1 || aside->strikes + aside->misses < wanted ||
        !hf_isolated_has_room(request->reader->backlog)) {
        return false;
    }
    aside->misses = 0;
    return hf_export_request_halve(request);
}

void hf_isolated_wait(struct export_request *request, uint64_t resume_ns)
{
    if (!cut(request)) {
        put(request, resume_ns);
    }
}

static const char *words(const struct hf_outcome *outcome)
{
    return outcome->message != NULL && outcome->message[0] != '\0'
               ? outcome->message
               : hf_status_row(outcome->status)->says;
}

static uint64_t next_try(struct export_request *request, uint64_t now_ns, uint64_t at_least_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    return now_ns + hf_backoff_next(&request->aside.backoff, &delivery->config->retry, now_ns,
                                    at_least_ns, hf_delivery_draw(delivery));
}

/* It has failed for max_elapsed_time while others passed, and is one record: it is the culprit. */
static bool is_proven(const struct export_request *request, uint64_t now_ns)
{
    uint64_t max_ns = request->reader->delivery->config->retry.max_elapsed_time_ns;
    return request->count == 1 && max_ns != 0 && now_ns - request->aside.since_ns >= max_ns;
}

static void give_up(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = request->reader->delivery;
    if (delivery->config->retry.on_give_up != HF_GIVE_UP_DROP) {
        hf_export_request_dead_letter(request, outcome);
        return;
    }
    hf_node_log(delivery->node, HF_LOG_ERROR,
                "Exporting failed. No more retries left. Dropping data. %u %s: %s",
                request->export.items, hf_signal_items_name(request->export.signal),
                words(outcome));
    hf_series_add(delivery->send_failed[request->export.signal], request->export.items);
    hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
}

static void stand_aside(struct export_request *request, const struct hf_outcome *outcome,
                        uint64_t now_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    uint64_t resume_ns = next_try(request, now_ns, outcome->retry_after_ns);
    hf_node_log(delivery->node, HF_LOG_WARN,
                "Exporting failed for one request while others pass: it stands aside. Will retry "
                "it after interval. interval %.3fs, %u %s, code %d: %s",
                (double)(resume_ns - now_ns) / 1e9, request->export.items,
                hf_signal_items_name(request->export.signal), outcome->code, words(outcome));
    put(request, resume_ns);
}

/* Nothing else is there that passes: then it is the backend that fails, as far as can be seen. */
static void note_if_long(const struct export_request *request, const struct hf_outcome *outcome,
                         uint64_t now_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    if (hf_backoff_is_over(&request->aside.backoff, &delivery->config->retry, now_ns)) {
        hf_delivery_set_unhealthy(delivery, words(outcome));
    }
}

bool hf_isolated_judge(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct aside *aside = &request->aside;
    uint64_t now_ns = hf_loop_now_ns(reader->delivery->loop);
    bool others_pass = reader->passed != aside->passed;
    bool is_first = !aside->is_suspect;
    aside->passed = reader->passed;
    aside->is_suspect = true;
    if (!others_pass && (is_first || reader->failing)) {
        /* Perhaps an outage, which says nothing about this request. */
        aside->since_ns = 0;
        aside->strikes = 0;
        aside->misses++;
        return false;
    }
    if (others_pass) {
        aside->since_ns = aside->since_ns == 0 ? now_ns : aside->since_ns;
        aside->strikes++;
    } else {
        aside->misses++;
        note_if_long(request, outcome, now_ns);
    }
    if (others_pass && is_proven(request, now_ns)) {
        give_up(request, outcome);
    } else if (!cut(request)) {
        stand_aside(request, outcome, now_ns);
    }
    return true;
}

void hf_isolated_hold(struct export_request *request)
{
    struct hf_delivery *delivery = request->reader->delivery;
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    if (!request->aside.is_unburied) {
        request->aside.is_unburied = true;
        if (atomic_fetch_add(&delivery->unburied, 1) == 0) {
            hf_node_log(delivery->node, HF_LOG_ERROR,
                        "unhealthy: the dead letters take no more, so what is refused for good "
                        "stays in the queue; requeue or drop dead letters, or raise "
                        "sending_queue::dead_letter::max_bytes");
        }
    }
    put(request, next_try(request, now_ns, 0));
}

void hf_isolated_forget(struct export_request *request)
{
    if (request->aside.is_unburied) {
        request->aside.is_unburied = false;
        assert(atomic_load(&request->reader->delivery->unburied) != 0);
        atomic_fetch_sub(&request->reader->delivery->unburied, 1);
    }
}

void hf_isolated_inherit(const struct export_request *from, struct export_request *to)
{
    to->aside = from->aside;
    to->aside.is_unburied = false;
    if (from->aside.is_suspect) {
        put(to, hf_loop_now_ns(from->reader->delivery->loop));
    } else {
        hf_queue_reader_put_back(from->reader, to);
    }
}
