#include "consumer.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

/* A wake-up of the library can be missed, and it expects to be asked now and then. */
#define LOOK_NS UINT64_C(200000000)
#define MESSAGES_AT_ONCE 64
#define CLOSE_NS UINT64_C(1200000000)

static bool is_cooperative(const struct hf_kafka_client *client)
{
    const char *protocol = client->library->rebalance_protocol(client->handle);
    return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static void pause_all(struct hf_kafka_consumer *consumer, bool pause)
{
    const struct hf_kafka_client *client = &consumer->client;
    rd_kafka_topic_partition_list_t *list = NULL;
    if (client->library->assignment(client->handle, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    if (pause) {
        client->library->pause_partitions(client->handle, list);
    } else {
        client->library->resume_partitions(client->handle, list);
    }
    client->library->topic_partition_list_destroy(list);
}

static void complain(struct hf_kafka_client *client, rd_kafka_error_t *error)
{
    if (error != NULL) {
        char text[256];
        snprintf(text, sizeof(text), "rebalancing failed: %.200s",
                 client->library->err2str(client->library->error_code(error)));
        client->library->error_destroy(error);
        client->say(client->user, HF_LOG_WARN, text);
    }
}

/* On the thread that polls, which is the loop's. */
static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t what,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct hf_kafka_client *client = opaque;
    struct hf_kafka_consumer *consumer = (struct hf_kafka_consumer *)(void *)client;
    bool is_assignment = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    for (int i = 0; i < list->cnt; i++) {
        if (is_assignment) {
            consumer->assigned(consumer, list->elems[i].topic, list->elems[i].partition);
        } else {
            consumer->revoked(consumer, list->elems[i].topic, list->elems[i].partition);
        }
    }
    if (is_cooperative(client)) {
        complain(client, is_assignment ? client->library->incremental_assign(handle, list)
                                       : client->library->incremental_unassign(handle, list));
    } else {
        client->library->assign(handle, is_assignment ? list : NULL);
    }
    if (is_assignment) {
        /* The library remembers from before whether a partition was paused. */
        pause_all(consumer, consumer->is_held);
    }
}

static void on_message(struct hf_kafka_consumer *consumer, rd_kafka_message_t *message)
{
    struct hf_kafka_client *client = &consumer->client;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        consumer->message(consumer, message);
        return;
    }
    char text[384];
    snprintf(text, sizeof(text), "reading failed: %.300s",
             client->library->message_errstr(message));
    client->say(client->user, HF_LOG_WARN, text);
    client->library->message_destroy(message);
}

/* Messages until there is none, or the owner holds the consumer. A held one is asked, too: its
 * partitions are paused, and what comes is about the group. */
static void serve(struct hf_kafka_client *client)
{
    struct hf_kafka_consumer *consumer = (struct hf_kafka_consumer *)(void *)client;
    bool is_full = true; /* the turn: more may be there */
    for (int i = 0; i < MESSAGES_AT_ONCE && is_full; i++) {
        rd_kafka_message_t *message = client->library->consumer_poll(client->handle, 0);
        is_full = message != NULL;
        if (is_full) {
            on_message(consumer, message);
        }
    }
    enum hf_status status = hf_loop_timer_set(
        client->loop, &consumer->look, hf_loop_now_ns(client->loop) + (is_full ? 1 : LOOK_NS));
    (void)status; /* one of the first 64 timers of a loop: it cannot fail */
}

static void on_look(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_kafka_consumer *consumer = HF_CONTAINER(timer, struct hf_kafka_consumer, look);
    (void)now_ns;
    serve(&consumer->client);
}

enum hf_status hf_kafka_consumer_open(struct hf_kafka_consumer *consumer,
                                      const struct hf_kafka_settings *settings,
                                      const char *const *topics, size_t count, char *reterr)
{
    struct hf_kafka_client *client = &consumer->client;
    const struct hf_kafka_library *library = client->library;
    rd_kafka_conf_t *conf = NULL;
    enum hf_status status = hf_kafka_conf_new(library, settings, &conf, reterr);
    if (status != HF_OK) {
        return status;
    }
    library->conf_set_rebalance_cb(conf, on_rebalance);
    client->ready = serve;
    consumer->look.fire = on_look;
    status = hf_kafka_client_open(client, RD_KAFKA_CONSUMER, settings, conf, reterr);
    if (status != HF_OK) {
        return status;
    }
    rd_kafka_topic_partition_list_t *list = library->topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        library->topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t error = library->subscribe(client->handle, list);
    library->topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        snprintf(reterr, HF_ERROR_MAX, "cannot subscribe to %.300s: %s", topics[0],
                 library->err2str(error));
        hf_kafka_client_close(client);
        return HF_INVALID;
    }
    serve(client);
    return HF_OK;
}

void hf_kafka_consumer_store(struct hf_kafka_consumer *consumer, const char *topic,
                             int32_t partition, int64_t offset)
{
    const struct hf_kafka_library *library = consumer->client.library;
    rd_kafka_topic_partition_list_t *list = library->topic_partition_list_new(1);
    library->topic_partition_list_add(list, topic, partition)->offset = offset;
    /* Of a partition that was taken away nothing is stored: another member reads on from what was
     * committed. */
    (void)library->offsets_store(consumer->client.handle, list);
    library->topic_partition_list_destroy(list);
}

void hf_kafka_consumer_commit(struct hf_kafka_consumer *consumer)
{
    (void)consumer->client.library->commit(consumer->client.handle, NULL, 1);
}

void hf_kafka_consumer_hold(struct hf_kafka_consumer *consumer, bool is_held)
{
    if (consumer->is_held != is_held) {
        consumer->is_held = is_held;
        pause_all(consumer, is_held);
    }
}

void hf_kafka_consumer_drop(struct hf_kafka_consumer *consumer, rd_kafka_message_t *message)
{
    consumer->client.library->message_destroy(message);
}

int64_t hf_kafka_consumer_end(const struct hf_kafka_consumer *consumer, const char *topic,
                              int32_t partition)
{
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_resp_err_t error = consumer->client.library->get_watermark_offsets(
        consumer->client.handle, topic, partition, &low, &high);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

bool hf_kafka_consumer_header(const struct hf_kafka_consumer *consumer,
                              const rd_kafka_message_t *message, size_t *index,
                              struct hf_slice *ret_name, struct hf_slice *ret_value)
{
    const struct hf_kafka_library *library = consumer->client.library;
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (library->message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        library->header_get_all(headers, *index, &name, &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    (*index)++;
    *ret_name = hf_slice_text(name);
    *ret_value = hf_slice_of(value, value != NULL ? size : 0);
    return true;
}

void hf_kafka_consumer_close(struct hf_kafka_consumer *consumer)
{
    struct hf_kafka_client *client = &consumer->client;
    const struct hf_kafka_library *library = client->library;
    if (client->handle == NULL) {
        return;
    }
    hf_loop_timer_stop(client->loop, &consumer->look);
    uint64_t until_ns = hf_clock_monotonic_ns() + CLOSE_NS;
    rd_kafka_error_t *error = library->consumer_close_queue(client->handle, client->queue);
    if (error != NULL) {
        library->error_destroy(error);
    }
    while (error == NULL && !library->consumer_closed(client->handle) &&
           hf_clock_monotonic_ns() < until_ns) {
        rd_kafka_message_t *message = library->consumer_poll(client->handle, 20);
        if (message != NULL) {
            library->message_destroy(message); /* it was not stored: it is read again */
        }
    }
    hf_kafka_client_close(client);
}
