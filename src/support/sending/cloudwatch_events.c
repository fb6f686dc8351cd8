#include "cloudwatch_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/json_write.h"
#include "util/grow.h"
#include "util/time/clock.h"

#define EVENT_TEXT_MAX (HF_AWS_LOGS_BYTES_MAX - HF_AWS_LOGS_EVENT_OVERHEAD)
#define NO_EVENT UINT32_MAX
#define NS_PER_MS UINT64_C(1000000)

struct hf_cloudwatch_event {
    int64_t time_ms;
    size_t at, size;
    uint32_t next; /* of the same stream */
    uint32_t first_link;
};

struct hf_cloudwatch_stream {
    char *group, *stream;
    uint32_t first, last;
};

struct hf_cloudwatch_link {
    uint32_t item, next;
};

static const char too_large[] =
    "the log event has more than 1048550 bytes, the most that CloudWatch Logs takes";
static const char is_empty[] = "the log event is empty, which CloudWatch Logs does not take";
static const char too_old[] = "the log event is more than 14 days old, or older than its log group "
                              "keeps events, and CloudWatch Logs does not take it";
static const char too_new[] =
    "the log event is more than 2 hours in the future, and CloudWatch Logs does not take it";

/* ---- lists ---- */

#define ROOM(list, capacity, count) hf_grow(&(list), &(capacity), (count), sizeof(*(list)))

static void drop_streams(struct hf_cloudwatch_push *push)
{
    for (size_t i = 0; i < push->stream_count; i++) {
        free(push->streams[i].group);
        free(push->streams[i].stream);
    }
    push->stream_count = 0;
}

enum hf_status hf_cloudwatch_reset(struct hf_cloudwatch_push *push, const struct hf_export *export)
{
    drop_streams(push);
    push->text.size = 0;
    push->event_count = push->link_count = push->delivered_events = 0;
    push->failure = (struct hf_aws_result){.status = HF_OK};
    push->invalid[0] = '\0';
    push->export = export;
    push->item_count = export->items;
    if (!ROOM(push->items, push->item_capacity, push->item_count)) {
        push->item_count = 0;
        return HF_NOMEM;
    }
    for (size_t i = 0; i < push->item_count; i++) {
        push->items[i] = (struct hf_cloudwatch_item){.state = HF_CLOUDWATCH_DELIVERED};
    }
    return HF_OK;
}

void hf_cloudwatch_release(struct hf_cloudwatch_push *push)
{
    drop_streams(push);
    free(push->streams);
    free(push->events);
    free(push->links);
    free(push->items);
    free(push->outcomes);
    free(push->batch);
    hf_bytes_release(&push->text);
    hf_bytes_release(&push->body);
}

/* ---- events ---- */

static char *copy_text(struct hf_slice text)
{
    return strndup(text.size != 0 ? (const char *)text.data : "", text.size);
}

/* The place of the stream, which is made when it is new. */
static enum hf_status find_stream(struct hf_cloudwatch_push *push, struct hf_slice group,
                                  struct hf_slice stream, size_t *ret_at)
{
    for (size_t i = push->stream_count; i-- > 0;) { /* it is the last one nearly always */
        if (hf_slice_is(group, push->streams[i].group) &&
            hf_slice_is(stream, push->streams[i].stream)) {
            *ret_at = i;
            return HF_OK;
        }
    }
    if (!ROOM(push->streams, push->stream_capacity, push->stream_count + 1)) {
        return HF_NOMEM;
    }
    struct hf_cloudwatch_stream *made = &push->streams[push->stream_count];
    *made = (struct hf_cloudwatch_stream){.group = copy_text(group),
                                          .stream = copy_text(stream),
                                          .first = NO_EVENT,
                                          .last = NO_EVENT};
    *ret_at = push->stream_count++;
    return made->group != NULL && made->stream != NULL ? HF_OK : HF_NOMEM;
}

enum hf_status hf_cloudwatch_begin(struct hf_cloudwatch_push *push, int64_t time_ms,
                                   struct hf_slice group, struct hf_slice stream)
{
    size_t at = 0;
    enum hf_status status = find_stream(push, group, stream, &at);
    if (status != HF_OK || !ROOM(push->events, push->event_capacity, push->event_count + 1)) {
        return HF_NOMEM;
    }
    uint32_t event = (uint32_t)push->event_count++;
    push->events[event] = (struct hf_cloudwatch_event){
        .time_ms = time_ms, .at = push->text.size, .next = NO_EVENT, .first_link = NO_EVENT};
    struct hf_cloudwatch_stream *of = &push->streams[at];
    if (of->last != NO_EVENT) {
        push->events[of->last].next = event;
    } else {
        of->first = event;
    }
    of->last = event;
    return HF_OK;
}

void hf_cloudwatch_end(struct hf_cloudwatch_push *push)
{
    struct hf_cloudwatch_event *event = &push->events[push->event_count - 1];
    event->size = push->text.size - event->at;
}

enum hf_status hf_cloudwatch_add_item(struct hf_cloudwatch_push *push, uint32_t item)
{
    struct hf_cloudwatch_event *event = &push->events[push->event_count - 1];
    if (!ROOM(push->links, push->link_capacity, push->link_count + 1)) {
        return HF_NOMEM;
    }
    push->links[push->link_count] =
        (struct hf_cloudwatch_link){.item = item, .next = event->first_link};
    event->first_link = (uint32_t)push->link_count++;
    return HF_OK;
}

static void mark(struct hf_cloudwatch_push *push, uint32_t item, enum hf_cloudwatch_state state,
                 const char *why)
{
    struct hf_cloudwatch_item *marked = &push->items[item];
    if (item < push->item_count && marked->state < state) {
        marked->state = (uint8_t)state;
        marked->why = why;
    }
}

void hf_cloudwatch_refuse(struct hf_cloudwatch_push *push, uint32_t item, const char *why)
{
    mark(push, item, HF_CLOUDWATCH_REFUSED, why);
}

static void mark_event(struct hf_cloudwatch_push *push, uint32_t event,
                       enum hf_cloudwatch_state state, const char *why)
{
    for (uint32_t at = push->events[event].first_link; at != NO_EVENT; at = push->links[at].next) {
        mark(push, push->links[at].item, state, why);
    }
}

struct hf_slice hf_cloudwatch_text(const struct hf_cloudwatch_push *push, size_t event)
{
    const struct hf_cloudwatch_event *found = &push->events[event];
    return hf_slice_of(push->text.data + found->at, found->size);
}

/* ---- the end ---- */

/* Neighbouring items of one state as one outcome. */
static size_t list_outcomes(struct hf_cloudwatch_push *push)
{
    size_t count = 0;
    enum hf_status again = push->failure.status != HF_OK && push->failure.status != HF_INVALID &&
                                   push->failure.status != HF_TOO_LARGE
                               ? push->failure.status
                               : HF_AGAIN;
    for (uint32_t i = 0; i < push->item_count; i++) {
        const struct hf_cloudwatch_item *item = &push->items[i];
        if (item->state == HF_CLOUDWATCH_DELIVERED) {
            continue;
        }
        struct hf_item_outcome *last = count != 0 ? &push->outcomes[count - 1] : NULL;
        if (last != NULL && last->first + last->count == i && last->message == item->why) {
            last->count++;
            continue;
        }
        push->outcomes[count++] = (struct hf_item_outcome){
            .first = i,
            .count = 1,
            .status = item->state == HF_CLOUDWATCH_REFUSED ? HF_INVALID : again,
            .code = item->state == HF_CLOUDWATCH_AGAIN ? push->failure.code : 0,
            .message = item->why,
        };
    }
    return count;
}

static void finish(struct hf_cloudwatch_push *push)
{
    bool is_any_refused = false;
    for (size_t i = 0; i < push->item_count; i++) {
        is_any_refused |= push->items[i].state == HF_CLOUDWATCH_REFUSED;
    }
    struct hf_outcome outcome = {.status = push->failure.status,
                                 .code = push->failure.code,
                                 .retry_after_ns = push->failure.retry_after_ns,
                                 .message = push->failure.message};
    outcome.is_suspect = outcome.status == HF_AGAIN && push->failure.code == 500;
    bool is_whole = outcome.status != HF_OK && push->delivered_events == 0 && !is_any_refused;
    if (!is_whole) {
        outcome = (struct hf_outcome){.status = HF_NOMEM};
        if (ROOM(push->outcomes, push->outcome_capacity, push->item_count)) {
            outcome.status = HF_OK;
            outcome.item_count = list_outcomes(push);
            outcome.items = push->outcomes;
        }
    }
    push->done(push, &outcome);
}

/* ---- requests ---- */

static const char *fault_of(const struct hf_cloudwatch_event *event, int64_t now_ms)
{
    if (event->size == 0) {
        return is_empty;
    }
    if (event->size > EVENT_TEXT_MAX) {
        return too_large;
    }
    if (event->time_ms < now_ms - HF_AWS_LOGS_PAST_MS) {
        return too_old;
    }
    return event->time_ms > now_ms + HF_AWS_LOGS_FUTURE_MS ? too_new : NULL;
}

/* Fills `batch` with the next events of the stream that go together. */
static enum hf_status gather(struct hf_cloudwatch_push *push, int64_t now_ms)
{
    size_t bytes = 0;
    int64_t least_ms = 0, most_ms = 0;
    push->batch_count = 0;
    for (; push->next_event != NO_EVENT; push->next_event = push->events[push->next_event].next) {
        const struct hf_cloudwatch_event *event = &push->events[push->next_event];
        const char *fault = fault_of(event, now_ms);
        if (fault != NULL) {
            mark_event(push, push->next_event, HF_CLOUDWATCH_REFUSED, fault);
            continue;
        }
        bool is_first = push->batch_count == 0;
        int64_t least = is_first || event->time_ms < least_ms ? event->time_ms : least_ms;
        int64_t most = is_first || event->time_ms > most_ms ? event->time_ms : most_ms;
        size_t size = event->size + HF_AWS_LOGS_EVENT_OVERHEAD;
        if (push->batch_count == HF_AWS_LOGS_EVENTS_MAX || bytes + size > HF_AWS_LOGS_BYTES_MAX ||
            most - least > HF_AWS_LOGS_SPAN_MS) {
            break;
        }
        if (!ROOM(push->batch, push->batch_capacity, push->batch_count + 1)) {
            return HF_NOMEM;
        }
        push->batch[push->batch_count++] = push->next_event;
        bytes += size;
        least_ms = least;
        most_ms = most;
    }
    return HF_OK;
}

static int compare_times(const void *left, const void *right, void *user)
{
    const struct hf_cloudwatch_event *events = user;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (events[a].time_ms != events[b].time_ms) {
        return events[a].time_ms < events[b].time_ms ? -1 : 1;
    }
    return a < b ? -1 : 1;
}

static enum hf_status write_body(struct hf_cloudwatch_push *push)
{
    const struct hf_cloudwatch_stream *stream = &push->streams[push->stream];
    struct hf_json_writer writer = {.out = &push->body};
    push->body.size = 0;
    qsort_r(push->batch, push->batch_count, sizeof(*push->batch), compare_times, push->events);
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "logEvents");
    hf_json_write_open(&writer, '[');
    for (size_t i = 0; i < push->batch_count; i++) {
        hf_json_write_open(&writer, '{');
        HF_JSON_WRITE_KEY(&writer, "message");
        hf_json_write_text(&writer, hf_cloudwatch_text(push, push->batch[i]));
        HF_JSON_WRITE_KEY(&writer, "timestamp");
        hf_json_write_i64(&writer, push->events[push->batch[i]].time_ms);
        hf_json_write_close(&writer, '}');
    }
    hf_json_write_close(&writer, ']');
    HF_JSON_WRITE_KEY(&writer, "logGroupName");
    hf_json_write_text(&writer, hf_slice_text(stream->group));
    HF_JSON_WRITE_KEY(&writer, "logStreamName");
    hf_json_write_text(&writer, hf_slice_text(stream->stream));
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}

static void go_on(struct hf_cloudwatch_push *push);

static void mark_batch(struct hf_cloudwatch_push *push, const struct hf_aws_logs_rejected *rejected)
{
    for (size_t i = 0; i < push->batch_count; i++) {
        bool is_old = i < rejected->old_end || i < rejected->expired_end;
        if (is_old || i >= rejected->new_start) {
            mark_event(push, push->batch[i], HF_CLOUDWATCH_REFUSED, is_old ? too_old : too_new);
        } else {
            push->delivered_events++;
        }
    }
}

/* The request under way and the rest of its stream are tried again. */
static void give_up_stream(struct hf_cloudwatch_push *push, const char *why)
{
    for (size_t i = 0; i < push->batch_count; i++) {
        mark_event(push, push->batch[i], HF_CLOUDWATCH_AGAIN, why);
    }
    push->batch_count = 0;
    for (; push->next_event != NO_EVENT; push->next_event = push->events[push->next_event].next) {
        mark_event(push, push->next_event, HF_CLOUDWATCH_AGAIN, why);
    }
}

static void fail(struct hf_cloudwatch_push *push, const struct hf_aws_result *result)
{
    const struct hf_cloudwatch_stream *stream = &push->streams[push->stream];
    bool is_refused = result->status == HF_INVALID || result->status == HF_TOO_LARGE;
    if (push->failure.status == HF_OK || (!is_refused && push->invalid[0] != '\0')) {
        push->failure = *result;
        push->failure.body = HF_EMPTY_SLICE;
        snprintf(push->failure.message, sizeof(push->failure.message), "log group %.60s: %.180s",
                 stream->group, result->message);
    }
    if (is_refused) {
        snprintf(push->invalid, sizeof(push->invalid), "log group %.60s: %.180s", stream->group,
                 result->message);
        give_up_stream(push, push->invalid);
        push->stream++;
        push->next_event =
            push->stream < push->stream_count ? push->streams[push->stream].first : NO_EVENT;
        go_on(push);
        return;
    }
    for (; push->stream < push->stream_count; push->stream++) {
        give_up_stream(push, push->failure.message);
        if (push->stream + 1 < push->stream_count) {
            push->next_event = push->streams[push->stream + 1].first;
        }
    }
    finish(push);
}

static void on_put(struct hf_aws_logs_put *put, const struct hf_aws_result *result,
                   const struct hf_aws_logs_rejected *rejected)
{
    struct hf_cloudwatch_push *push = HF_CONTAINER(put, struct hf_cloudwatch_push, put);
    if (result->status != HF_OK) {
        fail(push, result);
        return;
    }
    mark_batch(push, rejected);
    go_on(push);
}

static void fail_for_memory(struct hf_cloudwatch_push *push)
{
    struct hf_aws_result result = {.status = HF_NOMEM};
    snprintf(result.message, sizeof(result.message), "no memory for the request");
    fail(push, &result);
}

/* Sends the next request, or ends. */
static void go_on(struct hf_cloudwatch_push *push)
{
    int64_t now_ms = (int64_t)(hf_clock_unix_ns() / NS_PER_MS);
    while (push->stream < push->stream_count) {
        if (gather(push, now_ms) != HF_OK) {
            fail_for_memory(push);
            return;
        }
        if (push->batch_count != 0) {
            break;
        }
        push->stream++;
        push->next_event =
            push->stream < push->stream_count ? push->streams[push->stream].first : NO_EVENT;
    }
    if (push->stream == push->stream_count) {
        finish(push);
        return;
    }
    if (write_body(push) != HF_OK) {
        fail_for_memory(push);
        return;
    }
    push->put.group = push->streams[push->stream].group;
    push->put.stream = push->streams[push->stream].stream;
    push->put.body = hf_slice_of(push->body.data, push->body.size);
    push->put.deadline_ns = hf_aws_client_deadline(push->client, push->export->deadline_ns);
    push->put.done = on_put;
    hf_aws_logs_put(push->logs, &push->put);
}

void hf_cloudwatch_send(struct hf_cloudwatch_push *push, const struct hf_aws_client *client,
                        const struct hf_aws_logs *logs)
{
    push->client = client;
    push->logs = logs;
    push->stream = 0;
    push->next_event = push->stream_count != 0 ? push->streams[0].first : NO_EVENT;
    push->batch_count = 0;
    go_on(push);
}

uint64_t hf_export_received_ns(const struct hf_export *export, uint32_t item, size_t *range,
                               uint32_t *first)
{
    while (*range + 1 < export->range_count && item - *first >= export->ranges[*range].count) {
        *first += export->ranges[*range].count;
        (*range)++;
    }
    return export->range_count != 0 ? export->ranges[*range].received_ns
                                    : export->bodies[0].received_ns;
}

const char *hf_cloudwatch_check(int64_t log_retention, const struct hf_string_map *tags)
{
    if (!hf_aws_logs_is_retention(log_retention)) {
        return "log_retention must be 0 (for ever) or one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, "
               "180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 days";
    }
    if (tags->count > 50) {
        return "tags: a log group has at most 50";
    }
    for (size_t i = 0; i < tags->count; i++) {
        size_t key = strlen(tags->items[i].key), value = strlen(tags->items[i].value);
        if (key < 1 || key > 128 || value < 1 || value > 256) {
            return "tags: a key has 1 to 128 characters, a value 1 to 256";
        }
    }
    return NULL;
}
