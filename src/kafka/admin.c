#include "admin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "client.h"
#include "util/time/clock.h"

#define SLICE_NS (2 * HF_NS_PER_S) /* a call of the library's cannot be ended */
#define PAUSE_NS (100 * HF_NS_PER_MS)

struct hf_kafka_admin {
    struct hf_kafka_bearer bearer; /* first */
    const struct hf_kafka_library *library;
    rd_kafka_t *handle;
    pthread_mutex_t lock; /* of what the library's threads say last */
    char said[HF_ERROR_MAX];
};

/* ---- what the library says; its threads ---- */

static void on_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct hf_kafka_admin *admin = opaque;
    (void)handle;
    hf_kafka_bearer_note(&admin->bearer, (rd_kafka_resp_err_t)error);
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the ones before */
        pthread_mutex_lock(&admin->lock);
        snprintf(admin->said, sizeof(admin->said), "%s", reason);
        pthread_mutex_unlock(&admin->lock);
    }
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text; /* errors come by on_error too */
}

/* ---- life ---- */

enum hf_status hf_kafka_admin_open(const struct hf_kafka_library *library,
                                   const struct hf_kafka_settings *settings,
                                   struct hf_kafka_admin **ret_admin, char *reterr)
{
    rd_kafka_conf_t *conf = NULL;
    struct hf_kafka_admin *admin = calloc(1, sizeof(*admin));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    enum hf_status status =
        admin != NULL ? hf_kafka_conf_new(library, settings, &conf, reterr) : HF_NOMEM;
    if (status != HF_OK) {
        free(admin);
        return status;
    }
    admin->library = library;
    admin->bearer = (struct hf_kafka_bearer){.library = library, .source = settings->tokens};
    pthread_mutex_init(&admin->lock, NULL);
    library->conf_set_opaque(conf, admin);
    library->conf_set_error_cb(conf, on_error);
    library->conf_set_log_cb(conf, on_log);
    admin->handle = library->new (RD_KAFKA_PRODUCER, conf, reterr, HF_ERROR_MAX);
    if (admin->handle == NULL) {
        library->conf_destroy(conf);
        hf_kafka_admin_close(admin);
        return HF_INVALID;
    }
    *ret_admin = admin;
    return HF_OK;
}

bool hf_kafka_admin_start(struct hf_kafka_admin *admin, char *reterr)
{
    return hf_kafka_bearer_begin(&admin->bearer, admin->handle, reterr);
}

void hf_kafka_admin_close(struct hf_kafka_admin *admin)
{
    if (admin != NULL) {
        if (admin->handle != NULL) {
            admin->library->destroy_flags(admin->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        }
        pthread_mutex_destroy(&admin->lock);
        free(admin);
    }
}

/* ---- waiting ---- */

static bool is_stopped(const struct hf_patience *patience)
{
    const struct hf_patience moment = {hf_clock_monotonic_ns() + HF_NS_PER_MS, patience->stop_fd};
    return hf_wait_for(-1, 0, &moment) == HF_CLOSED;
}

/* Milliseconds of the next try. */
static int slice_ms(const struct hf_patience *patience)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t left_ns = patience->until_ns > now_ns ? patience->until_ns - now_ns : 0;
    return (int)((left_ns < SLICE_NS ? left_ns : SLICE_NS) / HF_NS_PER_MS) + 1;
}

static bool may_pass(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
           error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           error == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

static enum hf_status fail(struct hf_kafka_admin *admin, rd_kafka_resp_err_t error,
                           const char *words, char *reterr)
{
    admin->library->poll(admin->handle, 0); /* errors are called back here */
    pthread_mutex_lock(&admin->lock);
    bool is_said = may_pass(error) && admin->said[0] != '\0';
    snprintf(reterr, HF_ERROR_MAX, "%s", is_said ? admin->said : words);
    admin->said[0] = '\0';
    pthread_mutex_unlock(&admin->lock);
    enum hf_status status = hf_kafka_status(error);
    return status == HF_OK ? HF_AGAIN : status;
}

/* After a try: true is to try again. Otherwise `ret_status` is the outcome. */
static bool try_again(struct hf_kafka_admin *admin, rd_kafka_resp_err_t error,
                      const struct hf_patience *patience, enum hf_status *ret_status, char *reterr)
{
    *ret_status = HF_OK;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    uint64_t now_ns = hf_clock_monotonic_ns();
    const struct hf_patience pause = {now_ns + PAUSE_NS, patience->stop_fd};
    if (hf_wait_for(-1, 0, &pause) == HF_CLOSED) {
        *ret_status = HF_CLOSED;
        return false;
    }
    if (may_pass(error) && now_ns + PAUSE_NS < patience->until_ns) {
        return true;
    }
    *ret_status = fail(admin, error, admin->library->err2str(error), reterr);
    return false;
}

/* ---- questions ---- */

enum hf_status hf_kafka_admin_metadata(struct hf_kafka_admin *admin,
                                       const struct hf_patience *patience,
                                       const struct rd_kafka_metadata **ret_metadata, char *reterr)
{
    enum hf_status status;
    rd_kafka_resp_err_t error;
    do {
        error = admin->library->metadata(admin->handle, 1, NULL, ret_metadata, slice_ms(patience));
    } while (try_again(admin, error, patience, &status, reterr));
    return status;
}

enum hf_status hf_kafka_admin_offsets(struct hf_kafka_admin *admin, bool oldest,
                                      rd_kafka_topic_partition_list_t *partitions,
                                      const struct hf_patience *patience, char *reterr)
{
    enum hf_status status;
    rd_kafka_resp_err_t error;
    do {
        for (int i = 0; i < partitions->cnt; i++) {
            /* The protocol has these two in the place of a time. */
            partitions->elems[i].offset = oldest ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
        }
        error = admin->library->offsets_for_times(admin->handle, partitions, slice_ms(patience));
    } while (try_again(admin, error, patience, &status, reterr));
    return status;
}

enum hf_status hf_kafka_admin_groups(struct hf_kafka_admin *admin,
                                     const struct hf_patience *patience,
                                     const struct rd_kafka_group_list **ret_groups, char *reterr)
{
    enum hf_status status;
    rd_kafka_resp_err_t error;
    do {
        *ret_groups = NULL;
        error = admin->library->list_groups(admin->handle, NULL, ret_groups, slice_ms(patience));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR && *ret_groups != NULL) {
            admin->library->group_list_destroy(*ret_groups); /* of some brokers only */
        }
    } while (try_again(admin, error, patience, &status, reterr));
    return status;
}

/* The event of a question that was put with `queue`; NULL: `ret_status` says why. */
static rd_kafka_event_t *await_event(struct hf_kafka_admin *admin, rd_kafka_queue_t *queue,
                                     const struct hf_patience *patience, enum hf_status *ret_status,
                                     char *reterr)
{
    const struct hf_kafka_library *library = admin->library;
    rd_kafka_event_t *event = NULL;
    *ret_status = HF_OK;
    while (event == NULL && *ret_status == HF_OK) {
        event = library->queue_poll(queue, (int)(PAUSE_NS / HF_NS_PER_MS));
        if (event == NULL && is_stopped(patience)) {
            *ret_status = HF_CLOSED;
        } else if (event == NULL && hf_clock_monotonic_ns() >= patience->until_ns) {
            *ret_status =
                fail(admin, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer within the time", reterr);
        }
    }
    if (event != NULL && library->event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_status =
            fail(admin, library->event_error(event), library->event_error_string(event), reterr);
        library->event_destroy(event);
        event = NULL;
    }
    return event;
}

static rd_kafka_AdminOptions_t *options_of(struct hf_kafka_admin *admin, rd_kafka_admin_op_t what,
                                           const struct hf_patience *patience)
{
    char ignored[128];
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t left_ns = patience->until_ns > now_ns ? patience->until_ns - now_ns : HF_NS_PER_MS;
    uint64_t left_ms = left_ns / HF_NS_PER_MS + 1;
    rd_kafka_AdminOptions_t *options = admin->library->AdminOptions_new(admin->handle, what);
    (void)admin->library->AdminOptions_set_request_timeout(
        options, left_ms < 3600000 ? (int)left_ms : 3600000, ignored, sizeof(ignored));
    return options;
}

enum hf_status
hf_kafka_admin_committed(struct hf_kafka_admin *admin, const char *group,
                         const rd_kafka_topic_partition_list_t *partitions,
                         const struct hf_patience *patience,
                         void (*take)(void *user, const rd_kafka_topic_partition_list_t *committed),
                         void *user, char *reterr)
{
    const struct hf_kafka_library *library = admin->library;
    enum hf_status status;
    size_t count = 0;
    rd_kafka_queue_t *queue = library->queue_new(admin->handle);
    rd_kafka_AdminOptions_t *options =
        options_of(admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, patience);
    rd_kafka_ListConsumerGroupOffsets_t *question =
        library->ListConsumerGroupOffsets_new(group, partitions);
    library->ListConsumerGroupOffsets(admin->handle, &question, 1, options, queue);
    rd_kafka_event_t *event = await_event(admin, queue, patience, &status, reterr);
    if (event != NULL) {
        const rd_kafka_group_result_t **groups = library->ListConsumerGroupOffsets_result_groups(
            library->event_ListConsumerGroupOffsets_result(event), &count);
        const rd_kafka_error_t *error = count != 0 ? library->group_result_error(groups[0]) : NULL;
        if (error != NULL) {
            rd_kafka_resp_err_t code = library->error_code(error);
            status = fail(admin, code, library->err2str(code), reterr);
        } else if (count != 0) {
            take(user, library->group_result_partitions(groups[0]));
        }
        library->event_destroy(event);
    }
    library->ListConsumerGroupOffsets_destroy(question);
    library->AdminOptions_destroy(options);
    library->queue_destroy(queue);
    return status;
}

static enum hf_status take_settings(struct hf_kafka_admin *admin,
                                    const rd_kafka_ConfigResource_t *resource,
                                    void (*take)(void *user, const char *name, const char *value),
                                    void *user, char *reterr)
{
    const struct hf_kafka_library *library = admin->library;
    size_t count = 0;
    rd_kafka_resp_err_t error = library->ConfigResource_error(resource);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *words = library->ConfigResource_error_string(resource);
        return fail(admin, error, words != NULL ? words : library->err2str(error), reterr);
    }
    const rd_kafka_ConfigEntry_t **entries = library->ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        take(user, library->ConfigEntry_name(entries[i]), library->ConfigEntry_value(entries[i]));
    }
    return HF_OK;
}

enum hf_status hf_kafka_admin_settings(struct hf_kafka_admin *admin, rd_kafka_ResourceType_t type,
                                       const char *called, const struct hf_patience *patience,
                                       void (*take)(void *user, const char *name,
                                                    const char *value),
                                       void *user, char *reterr)
{
    const struct hf_kafka_library *library = admin->library;
    enum hf_status status;
    size_t count = 0;
    rd_kafka_queue_t *queue = library->queue_new(admin->handle);
    rd_kafka_AdminOptions_t *options =
        options_of(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, patience);
    rd_kafka_ConfigResource_t *question = library->ConfigResource_new(type, called);
    library->DescribeConfigs(admin->handle, &question, 1, options, queue);
    rd_kafka_event_t *event = await_event(admin, queue, patience, &status, reterr);
    if (event != NULL) {
        const rd_kafka_ConfigResource_t **resources = library->DescribeConfigs_result_resources(
            library->event_DescribeConfigs_result(event), &count);
        if (count != 0) {
            status = take_settings(admin, resources[0], take, user, reterr);
        }
        library->event_destroy(event);
    }
    library->ConfigResource_destroy(question);
    library->AdminOptions_destroy(options);
    library->queue_destroy(queue);
    return status;
}
