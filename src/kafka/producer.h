/*
 * producer: messages to Kafka, each answered once by the broker's acknowledgement or by what went
 * wrong. Owned by the thread of its loop.
 */
#pragma once

#include "client.h"
#include <holdfast/slice.h>

struct hf_kafka_header {
    struct hf_slice name, value; /* the name ends with a NUL behind its size */
};

/* One message; the caller's memory, and what it points to, until `done`. */
struct hf_kafka_message {
    const char *topic;
    struct hf_slice key, value; /* no key: data is NULL */
    const struct hf_kafka_header *headers;
    size_t header_count;
    /* Once, never before hf_kafka_produce() returns. `error` is the library's, `text` its words,
     * which are there until the producer is closed; both are about why the status is not HF_OK. */
    void (*done)(struct hf_kafka_message *message, enum hf_status status, int error,
                 const char *text);
};

struct hf_kafka_producer {
    struct hf_kafka_client client;
    size_t in_flight;
    struct hf_timer look;
};

/* `loop`, `say`, `user` and `library` of the client are set before. */
HF_MUST_USE enum hf_status hf_kafka_producer_open(struct hf_kafka_producer *producer,
                                                  const struct hf_kafka_settings *settings,
                                                  char *reterr);
/* Anything but HF_OK: it was not taken, and `done` is not called; `ret_text` says why. */
HF_MUST_USE enum hf_status hf_kafka_produce(struct hf_kafka_producer *producer,
                                            struct hf_kafka_message *message,
                                            const char **ret_text);
/* Has the producer failed for good, so that it has to be opened again? */
bool hf_kafka_producer_is_broken(const struct hf_kafka_producer *producer);
/* Ends what is in flight with HF_CLOSED. */
void hf_kafka_producer_close(struct hf_kafka_producer *producer);
