/*
 * kafka: reads messages of Kafka. The offset of a message is committed after every pipeline has its
 * data on disk, so that a kill, a rebalance or a restart of a broker repeats at worst.
 *
 * A thread of its own with a loop; on it a reader for each signal, as each has topics of its own.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "kafka_reader.h"
#include "support/probe/probe_inputs.h"
#include "support/tokens/kafka_tokens.h"

struct receiver {
    struct hf_node *node;
    struct hf_kafka_tokens *tokens;
    struct kafka_reader *readers;
    struct hf_loop *loop;
    struct hf_task end;
    sem_t ended;
    bool is_running;
};

static void free_readers(struct receiver *receiver)
{
    while (receiver->readers != NULL) {
        struct kafka_reader *reader = receiver->readers;
        receiver->readers = reader->next;
        kafka_reader_free(reader);
    }
}

static void close_receiver(void *self)
{
    struct receiver *receiver = self;
    if (receiver->loop != NULL) {
        hf_loop_free(receiver->loop); /* runs the answers that are left */
    }
    free_readers(receiver);
    hf_kafka_tokens_free(receiver->tokens);
    sem_destroy(&receiver->ended);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    sem_init(&receiver->ended, 0, 0);
    const struct hf_kafka_library *library = hf_kafka_library(reterr);
    enum hf_status status = library != NULL ? hf_loop_new(&receiver->loop) : HF_UNSUPPORTED;
    if (status == HF_OK) {
        status = hf_node_add_transport(node, KAFKA_TRANSPORT);
    }
    if (status == HF_OK) {
        const struct kafka_config *keys = config;
        status = hf_kafka_tokens_open(node, &keys->kafka, &receiver->tokens, reterr);
    }
    for (int i = 0; i < HF_SIGNAL_COUNT && status == HF_OK; i++) {
        struct kafka_reader *reader = NULL;
        if ((hf_node_signals(node) & HF_SIGNAL_BIT(i)) == 0) {
            continue;
        }
        status = kafka_reader_new(node, config, library, (enum hf_signal)i, &reader, reterr);
        if (status == HF_OK) {
            reader->tokens = hf_kafka_tokens_source(receiver->tokens);
            reader->next = receiver->readers;
            receiver->readers = reader;
        }
    }
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static void on_end(struct hf_task *task)
{
    struct receiver *receiver = HF_CONTAINER(task, struct receiver, end);
    for (struct kafka_reader *reader = receiver->readers; reader != NULL; reader = reader->next) {
        kafka_reader_stop(reader);
    }
    sem_post(&receiver->ended);
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct receiver *receiver = self;
    enum hf_status status = hf_kafka_tokens_start(receiver->tokens, reterr);
    for (struct kafka_reader *reader = receiver->readers; reader != NULL && status == HF_OK;
         reader = reader->next) {
        status = kafka_reader_start(reader, receiver->loop, reterr);
    }
    if (status == HF_OK) {
        status = hf_loop_start_thread(receiver->loop, "kafka");
    }
    if (status != HF_OK) {
        on_end(&receiver->end); /* on this thread: the loop does not run */
        return status;
    }
    receiver->is_running = true;
    return HF_OK;
}

static void stop_receiver(void *self)
{
    struct receiver *receiver = self;
    if (!receiver->is_running) {
        return;
    }
    receiver->end.run = on_end;
    hf_loop_post(receiver->loop, &receiver->end);
    while (sem_wait(&receiver->ended) != 0 && errno == EINTR) {
    }
    hf_loop_join(receiver->loop);
    hf_kafka_tokens_stop(receiver->tokens);
    receiver->is_running = false;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct kafka_config *config = from;
    hf_probe_brokers(probe, &config->kafka);
}

const struct hf_component hf_receiver_kafka = {
    .type = "kafka",
    .help =
        "Reads OTLP, spans of Jaeger and Zipkin, or bodies of log records, from messages of Kafka.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct kafka_config),
    .fields = kafka_receiver_fields,
    .check = kafka_receiver_check,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
