#include "request_lists.h"

#include <assert.h>

#include "delivery_state.h"
#include "util/backoff.h"

/* Limits per reader. A record is rarely larger; the list is walked whenever it is not empty. */
#define ISOLATED_MAX 1024u
#define ISOLATED_BYTES_MAX ((uint64_t)4 << 20)

static uint64_t sequence_of(const struct export_request *request)
{
    return request->ranges[0].record->stored.sequence;
}

void hf_waiting_add(struct queue_reader *reader, struct export_request *request)
{
    assert(request->count != 0 && request->next == NULL);
    struct export_request **at = &reader->waiting;
    while (*at != NULL && (sequence_of(*at) < sequence_of(request) ||
                           (sequence_of(*at) == sequence_of(request) &&
                            (*at)->ranges[0].first < request->ranges[0].first))) {
        at = &(*at)->next;
    }
    request->next = *at;
    *at = request;
}

bool hf_isolated_has_room(const struct queue_reader *reader)
{
    return reader->isolated.count < ISOLATED_MAX && reader->isolated.bytes < ISOLATED_BYTES_MAX;
}

void hf_isolated_add(struct export_request *request, uint64_t resume_ns)
{
    assert(request->count != 0 && request->next == NULL);
    struct queue_reader *reader = request->reader->backlog;
    struct isolated_list *isolated = &reader->isolated;
    request->isolation.resume_ns = resume_ns;
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
    assert(reader->isolated.count != 0 && *at != NULL);
    struct isolated_list *isolated = &reader->isolated;
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
    while (*at != NULL && !is_probe && (*at)->isolation.resume_ns > now_ns) {
        at = &(*at)->next;
    }
    return *at != NULL ? take_at(reader, at) : NULL;
}

void hf_isolated_release(struct queue_reader *reader, uint64_t now_ns)
{
    for (struct export_request *one = reader->isolated.first; one != NULL; one = one->next) {
        if (!one->isolation.is_dead_letter_waiting) {
            one->isolation.resume_ns = now_ns;
        }
    }
}

uint64_t hf_isolated_due_ns(const struct queue_reader *reader)
{
    uint64_t due_ns = 0;
    for (const struct export_request *one = reader->isolated.first; one != NULL; one = one->next) {
        due_ns =
            due_ns == 0 || one->isolation.resume_ns < due_ns ? one->isolation.resume_ns : due_ns;
    }
    return due_ns;
}

uint64_t hf_isolated_next_try(struct export_request *request, uint64_t now_ns, uint64_t at_least_ns)
{
    struct hf_delivery *delivery = request->reader->delivery;
    return now_ns + hf_backoff_next(&request->isolation.backoff, &delivery->config->retry, now_ns,
                                    at_least_ns, hf_delivery_draw(delivery));
}

void hf_isolated_forget(struct export_request *request)
{
    if (request->isolation.is_dead_letter_waiting) {
        request->isolation.is_dead_letter_waiting = false;
        assert(atomic_load(&request->reader->delivery->dead_letters_waiting) != 0);
        atomic_fetch_sub(&request->reader->delivery->dead_letters_waiting, 1);
    }
}

void hf_isolated_inherit(const struct export_request *from, struct export_request *to)
{
    to->isolation = from->isolation;
    to->isolation.is_dead_letter_waiting = false;
    if (from->isolation.is_suspect) {
        hf_isolated_add(to, hf_loop_now_ns(from->reader->delivery->loop));
    } else {
        hf_waiting_add(from->reader, to);
    }
}
