#include "producer.h"

#include <holdfast/component.h>

/* A wake-up of the library can be missed: while messages are in flight, it is asked that often. */
#define LOOK_NS UINT64_C(100000000)
#define VALUES_MAX 72 /* of a message: its own five, and headers */

/* A delivery report: on the thread that polls, which is the loop's. */
static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *report, void *opaque)
{
    struct hf_kafka_client *client = opaque;
    struct hf_kafka_producer *producer = (struct hf_kafka_producer *)(void *)client;
    struct hf_kafka_message *message = report->_private;
    enum hf_status status = hf_kafka_status(report->err);
    int error = report->err;
    const char *text = client->library->err2str(report->err);
    (void)handle;
    producer->in_flight--;
    if (error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && client->last_error != 0) {
        /* Why it has timed out is known. */
        enum hf_status of_cause = hf_kafka_status((rd_kafka_resp_err_t)client->last_error);
        status = of_cause == HF_CLOSED ? status : of_cause;
        error = client->last_error;
        text = client->last_reason;
    } else if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        client->last_error = 0;
    }
    message->done(message, status, error, text);
}

/* Several threads of the library put reports there, and it wakes only for the first of them. */
static void serve(struct hf_kafka_client *client)
{
    struct hf_kafka_producer *producer = (struct hf_kafka_producer *)(void *)client;
    while (client->library->poll(client->handle, 0) > 0) {
    }
    if (producer->in_flight == 0) {
        hf_loop_timer_stop(client->loop, &producer->look);
    }
}

static void look_again(struct hf_kafka_producer *producer)
{
    struct hf_loop *loop = producer->client.loop;
    enum hf_status status =
        hf_loop_timer_set(loop, &producer->look, hf_loop_now_ns(loop) + LOOK_NS);
    (void)status; /* one of the first 64 timers of a loop: it cannot fail */
}

static void on_look(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_kafka_producer *producer = HF_CONTAINER(timer, struct hf_kafka_producer, look);
    (void)now_ns;
    serve(&producer->client);
    if (producer->in_flight != 0) {
        look_again(producer);
    }
}

enum hf_status hf_kafka_producer_open(struct hf_kafka_producer *producer,
                                      const struct hf_kafka_settings *settings, char *reterr)
{
    struct hf_kafka_client *client = &producer->client;
    rd_kafka_conf_t *conf = NULL;
    enum hf_status status = hf_kafka_conf_new(client->library, settings, &conf, reterr);
    if (status != HF_OK) {
        return status;
    }
    client->library->conf_set_dr_msg_cb(conf, on_report);
    client->ready = serve;
    producer->look.fire = on_look;
    return hf_kafka_client_open(client, RD_KAFKA_PRODUCER, settings, conf, reterr);
}

enum hf_status hf_kafka_produce(struct hf_kafka_producer *producer,
                                struct hf_kafka_message *message, const char **ret_text)
{
    const struct hf_kafka_library *library = producer->client.library;
    rd_kafka_vu_t values[VALUES_MAX];
    size_t count = 0;
    values[count].vtype = RD_KAFKA_VTYPE_TOPIC;
    values[count++].u.cstr = message->topic;
    values[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    values[count++].u.ptr = message;
    values[count].vtype = RD_KAFKA_VTYPE_VALUE;
    values[count].u.mem.ptr = (void *)(uintptr_t)message->value.data;
    values[count++].u.mem.size = message->value.size;
    if (message->key.data != NULL) {
        values[count].vtype = RD_KAFKA_VTYPE_KEY;
        values[count].u.mem.ptr = (void *)(uintptr_t)message->key.data;
        values[count++].u.mem.size = message->key.size;
    }
    for (size_t i = 0; i < message->header_count && count < VALUES_MAX; i++, count++) {
        values[count].vtype = RD_KAFKA_VTYPE_HEADER;
        values[count].u.header.name = (const char *)message->headers[i].name.data;
        values[count].u.header.val = message->headers[i].value.data;
        values[count].u.header.size = (ssize_t)message->headers[i].value.size;
    }
    /* Neither copied nor freed by the library: it is the caller's until the report. */
    rd_kafka_error_t *failed = library->produceva(producer->client.handle, values, count);
    if (failed == NULL) {
        if (producer->in_flight++ == 0) {
            look_again(producer);
        }
        return HF_OK;
    }
    rd_kafka_resp_err_t error = library->error_code(failed);
    library->error_destroy(failed);
    *ret_text = library->err2str(error);
    return hf_kafka_status(error);
}

bool hf_kafka_producer_is_broken(const struct hf_kafka_producer *producer)
{
    char text[256];
    return producer->client.handle != NULL &&
           producer->client.library->fatal_error(producer->client.handle, text, sizeof(text)) !=
               RD_KAFKA_RESP_ERR_NO_ERROR;
}

void hf_kafka_producer_close(struct hf_kafka_producer *producer)
{
    struct hf_kafka_client *client = &producer->client;
    if (client->handle == NULL) {
        return;
    }
    client->library->purge(client->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    /* The reports of what was purged come from the library's threads at once. */
    while (producer->in_flight != 0) {
        client->library->poll(client->handle, 100);
    }
    hf_loop_timer_stop(client->loop, &producer->look);
    hf_kafka_client_close(client);
}
