/*
 * kafka_partition: the messages of one partition that are on their way to the queues, in order, and
 * how far all of them are on disk. Owned by the thread of the receiver, but for the answers.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "util/loop.h"

struct kafka_partition;
struct hf_series;

/* One message, or its gap when it could not be read. */
struct kafka_entry {
    struct kafka_entry *next;
    struct kafka_partition *partition; /* NULL: it was taken away */
    void *owner;                       /* the reader */
    int64_t offset;
    struct hf_batch *batch; /* NULL: done with */
    size_t bytes;
    bool is_submitted; /* not answered, or the answer is not handled yet */
    struct hf_reply reply;
    atomic_bool has_answer;
    atomic_int answer; /* enum hf_status */
    struct hf_task task;
};

struct kafka_partition {
    struct kafka_partition *next;
    char *topic;
    int32_t number;
    struct kafka_entry *first, **end;
    bool is_stuck; /* a message could not be kept: no later offset may be stored */
    struct hf_series *records, *bytes, *offset, *lag, *failed;
};

/* NULL: out of memory. */
struct kafka_partition *kafka_partition_new(const struct hf_node *node, enum hf_signal signal,
                                            const char *topic, int32_t number);
/* Its entries are gone or have another owner. */
void kafka_partition_free(struct kafka_partition *partition);

void kafka_partition_add(struct kafka_partition *partition, struct kafka_entry *entry);
/* Frees the entries at the front that are done with. The offset behind them, which may be stored;
 * -1: none. */
int64_t kafka_partition_advance(struct kafka_partition *partition);
