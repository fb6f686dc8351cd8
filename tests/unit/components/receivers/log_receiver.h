/*
 * log_receiver: what tests of the receivers of log lines share: the records of the next batches as
 * OTLP/JSON. It is included, not linked.
 */
#pragma once

#include "tests/unit/components/receivers/intake.h"

#include "pdata/json.h"

/* Batches until there are so many records, each answered with HF_OK, as one text; free() it. */
static inline char *await_records(size_t count)
{
    struct hf_bytes text = {0};
    for (size_t items = 0; items < count;) {
        struct hf_bytes json = {0};
        const struct hf_batch *batch = await_batch();
        assert_int_equal(batch->signal, HF_LOGS);
        assert_int_equal(hf_json_from_proto(HF_LOGS, batch->raw, &json), HF_OK);
        assert_int_equal(hf_bytes_append(&text, hf_slice_of(json.data, json.size)), HF_OK);
        items += batch->items;
        if (items > count) {
            fail_msg("%zu records instead of %zu: %.*s", items, count, (int)text.size,
                     (const char *)text.data);
        }
        hf_bytes_release(&json);
        answer(HF_OK);
    }
    assert_int_equal(hf_bytes_append(&text, hf_slice_of("", 1)), HF_OK);
    return (char *)text.data;
}

/* The next `count` records have all these parts, in this order; `parts` ends with NULL. */
static inline void expect_records(size_t count, const char *const parts[])
{
    char *json = await_records(count);
    const char *at = json;
    for (size_t i = 0; parts[i] != NULL; i++) {
        const char *found = strstr(at, parts[i]);
        if (found == NULL) {
            fail_msg("%s is not in %s", parts[i], at);
        } else {
            at = found + strlen(parts[i]);
        }
    }
    free(json);
}

#define EXPECT_RECORDS(count, ...) expect_records(count, (const char *const[]){__VA_ARGS__, NULL})

/* No batch came that was not asked for with the two above. */
static inline void expect_no_more(void)
{
    assert_int_equal(sem_trywait(&has_submitted), -1);
}

static inline void send_text(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

#define SEND(fd, literal) send_text(fd, literal, sizeof(literal) - 1)

/* A socket whose datagrams go to the receiver's. */
static inline int datagrams_to_it(void)
{
    struct sockaddr_in address = address_of(datagram_fd);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* What such a receiver says when it is opened with these keys; it must not open. */
static inline void expect_refused(const struct hf_component *component,
                                  const char *const pairs[][2], const char *sentence)
{
    struct hf_node node = {.id = component->type, .signals = component->signals};
    struct made_config made;
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    node_stub_init(&node);
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    made_config(&made, component, pairs);
    assert_int_not_equal(component->open(&node, made.config, &self, error), HF_OK);
    if (strstr(error, sentence) == NULL) {
        fail_msg("%s is not in %s", sentence, error);
    }
    made_config_release(&made);
    hf_metrics_free(node.metrics);
}
