#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

enum hf_status hf_kafka_status(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return HF_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return HF_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return HF_INVALID;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return HF_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return HF_FORBIDDEN;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return HF_UNAUTHENTICATED;
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
        return HF_UNSUPPORTED;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
        return HF_CLOSED;
    default:
        return HF_AGAIN;
    }
}

#define SCRAM_VERSION 0x02060100 /* the first whose SCRAM brokers 4.x take */

bool hf_kafka_has_old_scram(const struct hf_kafka_library *library,
                            const struct hf_kafka_settings *settings)
{
    bool is_scram = false;
    for (size_t i = 0; i < settings->count; i++) {
        is_scram = is_scram || (strcmp(settings->names[i], "sasl.mechanisms") == 0 &&
                                strncmp(settings->values[i], "SCRAM-", 6) == 0);
    }
    return is_scram && library->version() < SCRAM_VERSION;
}

void hf_kafka_explain(const struct hf_kafka_library *library, bool has_old_scram,
                      rd_kafka_resp_err_t error, const char *reason, char *ret_text, size_t room)
{
    int length = snprintf(ret_text, room, "%.240s", reason);
    if (has_old_scram && hf_kafka_status(error) == HF_UNAUTHENTICATED && length > 0 &&
        (size_t)length < room) {
        snprintf(ret_text + length, room - (size_t)length,
                 "; this librdkafka (%s) cannot sign in by SCRAM to brokers 4.x: 2.6.1 can",
                 library->version_str());
    }
}

enum hf_status hf_kafka_conf_new(const struct hf_kafka_library *library,
                                 const struct hf_kafka_settings *settings,
                                 rd_kafka_conf_t **ret_conf, char *reterr)
{
    rd_kafka_conf_t *conf = library->conf_new();
    if (settings->failed || conf == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    for (size_t i = 0; i < settings->count; i++) {
        if (library->conf_set(conf, settings->names[i], settings->values[i], reterr,
                              HF_ERROR_MAX) != RD_KAFKA_CONF_OK) {
            library->conf_destroy(conf);
            return HF_INVALID;
        }
    }
    if (settings->tokens != NULL) {
        hf_kafka_bearer_prepare(library, conf);
    }
    *ret_conf = conf;
    return HF_OK;
}

/* ---- the library's threads ---- */

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    const struct hf_kafka_client *client =
        handle != NULL ? hf_kafka_library(NULL)->opaque(handle) : NULL;
    char line[768];
    if (client == NULL) {
        return;
    }
    snprintf(line, sizeof(line), "librdkafka: %s: %.700s", facility, text);
    /* Syslog's levels. What it calls an error of a connection is no error of ours: the data waits.
     */
    client->say(client->user, level <= 4 ? HF_LOG_WARN : HF_LOG_DEBUG, line);
}

/* ---- the loop ---- */

/* The library calls it while it is polled. */
static void on_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct hf_kafka_client *client = opaque;
    (void)handle;
    hf_kafka_bearer_note(&client->bearer, (rd_kafka_resp_err_t)error);
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && client->last_error != 0) {
        return; /* says less than the error of a broker before */
    }
    client->last_error = error;
    hf_kafka_explain(client->library, client->has_old_scram, (rd_kafka_resp_err_t)error, reason,
                     client->last_reason, sizeof(client->last_reason));
}

static void on_event(struct hf_io *io, uint32_t events)
{
    struct hf_kafka_client *client = HF_CONTAINER(io, struct hf_kafka_client, io);
    uint64_t count;
    (void)events;
    while (read(client->event_fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    client->ready(client);
}

static enum hf_status listen_to(struct hf_kafka_client *client, rd_kafka_type_t type)
{
    static const uint64_t one = 1;
    const struct hf_kafka_library *library = client->library;
    client->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (client->event_fd < 0) {
        return HF_IO;
    }
    client->io.ready = on_event;
    enum hf_status status = hf_loop_add(client->loop, client->event_fd, EPOLLIN, &client->io);
    if (status != HF_OK) {
        close(client->event_fd);
        client->event_fd = -1;
        return status;
    }
    if (type == RD_KAFKA_CONSUMER) {
        library->poll_set_consumer(client->handle);
        client->queue = library->queue_get_consumer(client->handle);
    } else {
        client->queue = library->queue_get_main(client->handle);
    }
    library->queue_io_event_enable(client->queue, client->event_fd, &one, sizeof(one));
    return HF_OK;
}

enum hf_status hf_kafka_client_open(struct hf_kafka_client *client, rd_kafka_type_t type,
                                    const struct hf_kafka_settings *settings, rd_kafka_conf_t *conf,
                                    char *reterr)
{
    const struct hf_kafka_library *library = client->library;
    client->bearer = (struct hf_kafka_bearer){.library = library, .source = settings->tokens};
    client->has_old_scram = hf_kafka_has_old_scram(library, settings);
    client->event_fd = -1;
    library->conf_set_opaque(conf, client);
    library->conf_set_log_cb(conf, on_log);
    library->conf_set_error_cb(conf, on_error);
    client->handle = library->new (type, conf, reterr, HF_ERROR_MAX);
    if (client->handle == NULL) {
        library->conf_destroy(conf);
        return HF_INVALID;
    }
    enum hf_status status = listen_to(client, type);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the Kafka client cannot be started: %m");
    } else if (!hf_kafka_bearer_begin(&client->bearer, client->handle, reterr)) {
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        hf_kafka_client_close(client);
    }
    return status;
}

void hf_kafka_client_close(struct hf_kafka_client *client)
{
    const struct hf_kafka_library *library = client->library;
    if (client->handle == NULL) {
        return;
    }
    if (client->queue != NULL) {
        library->queue_io_event_enable(client->queue, -1, NULL, 0);
        library->queue_destroy(client->queue);
        client->queue = NULL;
    }
    if (client->event_fd >= 0) {
        hf_loop_remove(client->loop, client->event_fd, &client->io);
    }
    library->destroy_flags(client->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    client->handle = NULL;
    if (client->event_fd >= 0) {
        close(client->event_fd); /* after the last thread that might write to it */
        client->event_fd = -1;
    }
}
