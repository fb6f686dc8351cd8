#include "own_queue.h"

#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

struct hf_own_item {
    struct hf_own_item *next;
    uint64_t since_ns;
    size_t bytes;
    const struct hf_span_name *name; /* NULL: a line of the log */
    struct hf_own_span span;
    uint64_t time_unix_ns;
    enum hf_log_level level;
    size_t message_at, fields_at; /* in `text`, behind the component */
    char text[];
};

void hf_own_queue_init(struct hf_own_queue *queue, size_t items_max)
{
    *queue = (struct hf_own_queue){.items_max = items_max};
    queue->last = &queue->first;
    pthread_mutex_init(&queue->lock, NULL);
}

void hf_own_queue_release(struct hf_own_queue *queue)
{
    while (queue->first != NULL) {
        struct hf_own_item *next = queue->first->next;
        free(queue->first);
        queue->first = next;
    }
    pthread_mutex_destroy(&queue->lock);
}

/* Takes the item over; NULL: there was no memory. */
static void add(struct hf_own_queue *queue, struct hf_own_item *item)
{
    pthread_mutex_lock(&queue->lock);
    bool fits = item != NULL && queue->count < queue->items_max &&
                item->bytes <= HF_OWN_QUEUE_BYTES_MAX - queue->bytes;
    if (fits) {
        item->since_ns = hf_clock_monotonic_ns();
        *queue->last = item;
        queue->last = &item->next;
        queue->count++;
        queue->bytes += item->bytes;
    } else {
        queue->dropped++;
    }
    pthread_mutex_unlock(&queue->lock);
    if (!fits) {
        free(item);
    }
}

void hf_own_queue_add_line(struct hf_own_queue *queue, const struct hf_own_log_line *line)
{
    size_t component = strlen(line->component) + 1;
    size_t message = strlen(line->message) + 1;
    size_t fields = strlen(line->fields) + 1;
    size_t bytes = sizeof(struct hf_own_item) + component + message + fields;
    struct hf_own_item *item = calloc(1, bytes);
    if (item != NULL) {
        item->bytes = bytes;
        item->time_unix_ns = line->time_unix_ns;
        item->level = line->level;
        item->message_at = component;
        item->fields_at = component + message;
        memcpy(item->text, line->component, component);
        memcpy(item->text + item->message_at, line->message, message);
        memcpy(item->text + item->fields_at, line->fields, fields);
    }
    add(queue, item);
}

void hf_own_queue_add_span(struct hf_own_queue *queue, const struct hf_span_name *name,
                           const struct hf_own_span *span)
{
    struct hf_own_item *item = calloc(1, sizeof(*item) + 1);
    if (item != NULL) {
        item->bytes = sizeof(*item) + 1;
        item->name = name;
        item->span = *span;
    }
    add(queue, item);
}

size_t hf_own_queue_count(struct hf_own_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

uint64_t hf_own_queue_waited_ns(struct hf_own_queue *queue, uint64_t now_ns)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t since_ns = queue->first != NULL ? queue->first->since_ns : now_ns;
    pthread_mutex_unlock(&queue->lock);
    return now_ns > since_ns ? now_ns - since_ns : 0;
}

uint64_t hf_own_queue_take_dropped(struct hf_own_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t dropped = queue->dropped;
    queue->dropped = 0;
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

static struct hf_own_item *take(struct hf_own_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct hf_own_item *item = queue->first;
    if (item != NULL) {
        queue->first = item->next;
        queue->last = queue->first != NULL ? queue->last : &queue->first;
        queue->count--;
        queue->bytes -= item->bytes;
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void hf_own_queue_build(struct hf_own_queue *queue, size_t most, struct hf_builder *builder)
{
    for (size_t i = 0; i < most; i++) {
        struct hf_own_item *item = take(queue);
        if (item == NULL) {
            return;
        }
        if (item->name != NULL) {
            hf_own_build_span(builder, item->name, &item->span);
        } else {
            const struct hf_own_log_line line = {
                .time_unix_ns = item->time_unix_ns,
                .level = item->level,
                .component = item->text,
                .message = item->text + item->message_at,
                .fields = item->text + item->fields_at,
            };
            hf_own_build_line(builder, &line);
        }
        free(item);
    }
}
