/*
 * kafka_reader: reads the topics of one signal: a consumer, its partitions, and what is on its way
 * to the queues. An offset is stored when all messages before it are on disk.
 *
 * Owned by the thread of the receiver's loop; new and free on the main thread while that does not
 * run.
 */
#pragma once

#include "kafka_decode.h"
#include "kafka_partition.h"

struct kafka_reader {
    struct kafka_reader *next;
    struct hf_node *node;
    struct hf_loop *loop;
    const struct kafka_config *config;
    const struct hf_kafka_token_source *tokens; /* set before the start; NULL: none */
    struct hf_kafka_consumer consumer;
    struct kafka_decoder decoder;
    const char *strategies; /* by the library's names */
    char strategy_room[128];
    struct kafka_partition *partitions;
    size_t entry_count, entry_bytes; /* of batches that are not done with */
    size_t submitted;                /* whose answer was not handled yet */
    atomic_uint unanswered;          /* any thread */
    bool is_stopping;
    struct hf_timer again; /* when what was refused is offered again */
    uint64_t wait_ns;
    struct hf_series *starts, *closes;
};

#define KAFKA_TRANSPORT "kafka"

/* `reterr` as by a component's open. */
HF_MUST_USE enum hf_status kafka_reader_new(struct hf_node *node, const struct kafka_config *config,
                                            const struct hf_kafka_library *library,
                                            enum hf_signal signal, struct kafka_reader **ret_reader,
                                            char *reterr);
/* Joins the group. */
HF_MUST_USE enum hf_status kafka_reader_start(struct kafka_reader *reader, struct hf_loop *loop,
                                              char *reterr);
/* On the loop: waits for what was submitted, commits, leaves the group. */
void kafka_reader_stop(struct kafka_reader *reader);
void kafka_reader_free(struct kafka_reader *reader);
