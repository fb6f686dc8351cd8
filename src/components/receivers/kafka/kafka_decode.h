/*
 * kafka_decode: one message as a batch. Owned by the thread of the receiver: zeroed at first,
 * kafka_decoder_release() at last.
 */
#pragma once

#include <holdfast/node.h>

#include "kafka/consumer.h"
#include "kafka_config.h"
#include "pdata/build.h"
#include "support/tail/encoding.h"

struct kafka_decoder {
    const struct hf_node *node;
    const struct kafka_config *config;
    struct kafka_plan plan;
    enum hf_signal signal;
    struct hf_encoding characters; /* KAFKA_TEXT */
    struct hf_bytes proto, repaired, text;
    struct hf_builder builder; /* of what is not OTLP */
};

/* With the plan and the signal set. HF_UNSUPPORTED: no such encoding of characters. */
HF_MUST_USE enum hf_status kafka_decoder_init(struct kafka_decoder *decoder);
void kafka_decoder_release(struct kafka_decoder *decoder);

/* HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX): the message is not of its encoding.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status kafka_decode(struct kafka_decoder *decoder,
                                        const struct hf_kafka_consumer *consumer,
                                        const rd_kafka_message_t *message,
                                        struct hf_batch **ret_batch, char *reterr);
