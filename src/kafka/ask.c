#include "ask.h"

#include <pthread.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "client.h"
#include "util/time/clock.h"

/* What the library's threads say last. */
struct asking {
    struct hf_kafka_bearer bearer; /* first */
    bool has_old_scram;
    pthread_mutex_t lock;
    char said[HF_ERROR_MAX];
    rd_kafka_resp_err_t error;
};

static void on_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct asking *asking = opaque;
    (void)handle;
    pthread_mutex_lock(&asking->lock);
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the ones before */
        hf_kafka_explain(asking->bearer.library, asking->has_old_scram, (rd_kafka_resp_err_t)error,
                         reason, asking->said, sizeof(asking->said));
        asking->error = (rd_kafka_resp_err_t)error;
    }
    pthread_mutex_unlock(&asking->lock);
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text; /* errors come by on_error too */
}

enum hf_status hf_kafka_ask(const struct hf_kafka_library *library,
                            const struct hf_kafka_settings *settings, uint64_t timeout_ns,
                            int *ret_brokers, char *reterr)
{
    struct asking asking = {.bearer = {.library = library, .source = settings->tokens},
                            .has_old_scram = hf_kafka_has_old_scram(library, settings),
                            .lock = PTHREAD_MUTEX_INITIALIZER};
    rd_kafka_conf_t *conf = NULL;
    const struct rd_kafka_metadata *metadata = NULL;
    enum hf_status status = hf_kafka_conf_new(library, settings, &conf, reterr);
    if (status != HF_OK) {
        return status;
    }
    library->conf_set_opaque(conf, &asking);
    library->conf_set_error_cb(conf, on_error);
    library->conf_set_log_cb(conf, on_log);
    rd_kafka_t *handle = library->new (RD_KAFKA_PRODUCER, conf, reterr, HF_ERROR_MAX);
    if (handle == NULL) {
        library->conf_destroy(conf);
        return HF_INVALID;
    }
    if (!hf_kafka_bearer_begin(&asking.bearer, handle, reterr)) {
        library->destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        return HF_NOMEM;
    }
    rd_kafka_resp_err_t error =
        library->metadata(handle, 0, NULL, &metadata, (int)(timeout_ns / HF_NS_PER_MS));
    library->poll(handle, 0); /* errors are called back here */
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_brokers = metadata->broker_cnt;
        library->metadata_destroy(metadata);
    } else {
        pthread_mutex_lock(&asking.lock);
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 asking.said[0] != '\0' ? asking.said : library->err2str(error));
        status = hf_kafka_status(asking.said[0] != '\0' ? asking.error : error);
        pthread_mutex_unlock(&asking.lock);
        status = status == HF_OK ? HF_AGAIN : status;
    }
    library->destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return status;
}
