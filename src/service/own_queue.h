/*
 * own_queue: lines of the log or spans that wait to be sent: copies, within a number and a size.
 * A meeting place with a lock; any thread.
 */
#pragma once

#include <pthread.h>

#include "own_build.h"

struct hf_own_item;

struct hf_own_queue {
    pthread_mutex_t lock; /* of what follows */
    struct hf_own_item *first, **last;
    size_t count, bytes, items_max;
    uint64_t dropped; /* that found no room */
};

#define HF_OWN_QUEUE_BYTES_MAX (4u << 20)

void hf_own_queue_init(struct hf_own_queue *queue, size_t items_max);
void hf_own_queue_release(struct hf_own_queue *queue);

void hf_own_queue_add_line(struct hf_own_queue *queue, const struct hf_own_log_line *line);
/* `name` lives longer than the queue. */
void hf_own_queue_add_span(struct hf_own_queue *queue, const struct hf_span_name *name,
                           const struct hf_own_span *span);

size_t hf_own_queue_count(struct hf_own_queue *queue);
/* How long the oldest one has waited at `now_ns` (monotonic); 0: there is none, or it came after
 * that. */
uint64_t hf_own_queue_waited_ns(struct hf_own_queue *queue, uint64_t now_ns);
/* How many were dropped since this was asked last. */
uint64_t hf_own_queue_take_dropped(struct hf_own_queue *queue);
/* Moves at most `most` items, the oldest first, into the builder, whose head is open. */
void hf_own_queue_build(struct hf_own_queue *queue, size_t most, struct hf_builder *builder);
