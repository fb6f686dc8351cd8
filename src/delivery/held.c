#include "held.h"

#include <assert.h>
#include <stdlib.h>

#include "delivery_state.h"
#include "export_request.h"
#include "in_flight.h"
#include "util/backoff.h"
#include "util/log/log.h"

/* What is kept of each is about 200 bytes. */
#define HELD_RECORDS_MAX 65536u
#define READ_AGAIN_NS UINT64_C(1000000000) /* after a read error */

struct held_request {
    struct held_request *next;
    struct queue_reader *reader; /* the backlog's or the live one */
    unsigned attempt;
    size_t count;
    struct record_range ranges[];
};

static struct held_group *find(const struct queue_reader *reader, uint32_t number)
{
    const struct held_list *held = &reader->held;
    for (size_t i = 0; i < held->group_count; i++) {
        if (held->groups[i].number == number) {
            return &held->groups[i];
        }
    }
    return NULL;
}

/* NULL: out of memory, or too many groups. */
static struct held_group *need(struct queue_reader *reader, uint32_t number)
{
    struct held_list *held = &reader->held;
    struct held_group *group = find(reader, number);
    for (size_t i = 0; group == NULL && i < held->group_count; i++) {
        struct held_group *one = &held->groups[i];
        if (one->first == NULL && one->in_flight == 0 && one->number != held->answering) {
            *one = (struct held_group){.number = number}; /* no one needs that one any more */
            one->end = &one->first;
            group = one;
        }
    }
    if (group != NULL || held->group_count == HF_EXPORT_GROUPS_MAX) {
        return group;
    }
    if (held->group_count == held->group_capacity) {
        size_t capacity = held->group_capacity == 0 ? 8 : 2 * held->group_capacity;
        struct held_group *groups = calloc(capacity, sizeof(*groups));
        if (groups == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < held->group_count; i++) {
            groups[i] = held->groups[i];
            groups[i].end = groups[i].first == NULL ? &groups[i].first : groups[i].end;
        }
        free(held->groups);
        held->groups = groups;
        held->group_capacity = capacity;
    }
    group = &held->groups[held->group_count++];
    *group = (struct held_group){.number = number};
    group->end = &group->first;
    return group;
}

bool hf_held_failed(struct queue_reader *reader, uint32_t number, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = reader->delivery;
    const struct hf_retry_config *retry = &delivery->config->retry;
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    struct held_group *group = need(reader, number);
    if (group == NULL) {
        return false;
    }
    if (!group->is_failing) {
        bool is_first = !group->was_failing;
        uint64_t wait_ns = hf_backoff_next(&group->backoff, retry, now_ns, outcome->retry_after_ns,
                                           hf_delivery_draw(delivery));
        group->is_failing = true;
        group->resume_ns = now_ns + wait_ns;
        hf_node_log(delivery->node, is_first ? HF_LOG_WARN : HF_LOG_DEBUG,
                    "Exporting to one backend failed, the others go on. Will retry what goes there "
                    "after interval. interval %.3fs, code %d: %s",
                    (double)wait_ns / 1e9, outcome->code, hf_outcome_message(outcome));
    }
    return !retry->enabled || hf_backoff_is_over(&group->backoff, retry, now_ns);
}

bool hf_held_add(struct export_request *request, uint32_t number)
{
    struct queue_reader *reader = request->reader->backlog;
    struct held_group *group = need(reader, number);
    struct held_request *held =
        group != NULL ? malloc(sizeof(*held) + request->count * sizeof(held->ranges[0])) : NULL;
    if (held == NULL) {
        return false;
    }
    *held = (struct held_request){
        .reader = request->reader, .attempt = request->export.attempt, .count = request->count};
    for (size_t i = 0; i < request->count; i++) {
        held->ranges[i] = request->ranges[i];
        held->ranges[i].record->held += held->ranges[i].count;
    }
    if (reader->held.answering == number) {
        held->next = group->first; /* it was the first before */
        group->first = held;
        group->end = held->next == NULL ? &held->next : group->end;
    } else {
        *group->end = held;
        group->end = &held->next;
    }
    reader->held.records += held->count;
    hf_export_request_free(request);
    for (size_t i = 0; i < held->count; i++) {
        hf_in_flight_unload(held->reader, held->ranges[i].record);
    }
    return true;
}

static bool may_be_tried(const struct held_group *group, uint64_t now_ns)
{
    return group->first != NULL &&
           (!group->is_failing || (group->in_flight == 0 && now_ns >= group->resume_ns));
}

/* A record that the queue does not have any more, because it overflowed or is damaged. */
static void forget_range(struct held_request *held, size_t at)
{
    struct export_request *gone = hf_export_request_new_settled(held->reader, &held->ranges[at], 1);
    if (gone == NULL) {
        return; /* its items stay open: nothing is acknowledged that was not delivered */
    }
    hf_export_request_resolve(gone, WAL_DROPPED, WAL_DROP_DAMAGED, 0);
    held->count--;
    for (size_t i = at; i < held->count; i++) {
        held->ranges[i] = held->ranges[i + 1];
    }
    held->reader->backlog->held.records--;
}

/* Its records are loaded, or those that cannot be are forgotten. False: not now. */
static bool load(struct held_request *held)
{
    for (size_t i = 0; i < held->count;) {
        enum wal_status status = hf_in_flight_load(held->reader, held->ranges[i].record);
        if (status == WAL_MISSING || status == WAL_CORRUPT) {
            size_t before = held->count;
            held->ranges[i].record->held -= held->ranges[i].count;
            forget_range(held, i);
            if (held->count == before) {
                held->ranges[i].record->held += held->ranges[i].count;
                return false;
            }
            continue;
        }
        if (status != WAL_OK) {
            return false;
        }
        i++;
    }
    return true;
}

static void unhold(struct held_request *held)
{
    for (size_t i = 0; i < held->count; i++) {
        assert(held->ranges[i].record->held >= held->ranges[i].count);
        held->ranges[i].record->held -= held->ranges[i].count;
    }
    held->reader->backlog->held.records -= held->count;
}

static void unlink_first(struct held_group *group)
{
    group->first = group->first->next;
    group->end = group->first == NULL ? &group->first : group->end;
}

static struct export_request *take_from(struct held_group *group, uint64_t now_ns)
{
    struct held_request *held = group->first;
    struct export_request *request = NULL;
    enum hf_status status = HF_OK;
    if (!load(held) ||
        (held->count != 0 && (status = hf_export_request_new(held->reader, held->ranges,
                                                             held->count, &request)) != HF_OK)) {
        /* Its bytes cannot be had now. */
        for (size_t i = 0; i < held->count; i++) {
            hf_in_flight_unload(held->reader, held->ranges[i].record);
        }
        group->is_failing = true;
        group->resume_ns = now_ns + READ_AGAIN_NS;
        return NULL;
    }
    unhold(held);
    unlink_first(group);
    if (request != NULL) {
        request->export.attempt = held->attempt;
        request->group = group->number;
        group->in_flight++;
    }
    free(held);
    return request;
}

struct export_request *hf_held_take(struct queue_reader *reader, uint64_t now_ns)
{
    struct held_list *held = &reader->held;
    for (size_t i = 0; i < held->group_count; i++) {
        while (may_be_tried(&held->groups[i], now_ns)) {
            struct export_request *request = take_from(&held->groups[i], now_ns);
            if (request != NULL) {
                return request;
            }
        }
    }
    return NULL;
}

void hf_held_answered(struct queue_reader *reader, uint32_t number)
{
    struct held_group *group = number != 0 ? find(reader, number) : NULL;
    reader->held.answering = number;
    if (group != NULL) {
        assert(group->in_flight != 0);
        group->in_flight--;
        group->was_failing = group->is_failing;
        group->is_failing = false; /* unless it fails again */
    }
}

void hf_held_settled(struct queue_reader *reader, uint32_t number)
{
    struct held_group *group = number != 0 ? find(reader, number) : NULL;
    reader->held.answering = 0;
    if (group != NULL && !group->is_failing) {
        group->was_failing = false;
        hf_backoff_reset(&group->backoff);
    }
}

uint64_t hf_held_due_ns(const struct queue_reader *reader)
{
    uint64_t due_ns = 0;
    for (size_t i = 0; i < reader->held.group_count; i++) {
        const struct held_group *group = &reader->held.groups[i];
        if (group->first == NULL || group->in_flight != 0) {
            continue;
        }
        uint64_t own_ns =
            group->is_failing ? group->resume_ns : hf_loop_now_ns(reader->delivery->loop);
        due_ns = due_ns == 0 || own_ns < due_ns ? own_ns : due_ns;
    }
    return due_ns;
}

bool hf_held_has_room(const struct queue_reader *reader)
{
    return reader->held.records < HELD_RECORDS_MAX;
}

void hf_held_drop_all(struct queue_reader *reader)
{
    struct held_list *list = &reader->held;
    for (size_t g = 0; g < list->group_count; g++) {
        while (list->groups[g].first != NULL) {
            struct held_request *held = list->groups[g].first;
            unlink_first(&list->groups[g]);
            unhold(held);
            for (size_t i = 0; i < held->count; i++) {
                struct record_range *range = &held->ranges[i];
                range->record->open -= range->count;
                if (range->record->open == 0) {
                    hf_in_flight_release(held->reader, range->record);
                }
            }
            free(held);
        }
    }
    free(list->groups);
    *list = (struct held_list){0};
}
