/*
 * kafka_messages: one export request as messages: which items go into which message, with which
 * topic and key.
 *
 * Owned by the loop of the delivery.
 */
#pragma once

#include <holdfast/export.h>

#include "kafka/producer.h"
#include "kafka_config.h"
#include "pdata/payload.h"
#include "util/arena.h"
#include "util/compress/compress.h"

#define KAFKA_HEADERS_MAX 64u

struct kafka_request;

struct kafka_out {
    struct hf_kafka_message message;
    struct kafka_request *request;
    struct hf_bytes bytes; /* the value, when it had to be made */
    uint32_t items;
    enum hf_status status;
    int error;
    const char *text; /* the library's, or a literal */
};

struct kafka_request {
    struct hf_export *export;
    void *owner; /* the exporter */
    struct hf_payload payload;
    struct hf_arena arena; /* topics and keys */
    struct kafka_out *outs;
    size_t count, open;
    uint32_t *out_of_item; /* plus 1; 0: the item has no message. NULL: one message has all */
    uint32_t left_out;     /* items without a message */
    struct hf_kafka_header headers[KAFKA_HEADERS_MAX];
    size_t header_count;
};

/* HF_CORRUPT: the bodies do not decode. HF_TOO_LARGE: more messages than a request may have.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status kafka_request_new(struct hf_export *export,
                                             const struct kafka_config *config,
                                             struct kafka_request **ret_request);
void kafka_request_free(struct kafka_request *request);

/* May a topic have that name? */
bool kafka_is_topic(struct hf_slice name);
