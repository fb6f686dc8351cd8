/*
 * awss3: reads telemetry that the exporter awss3 has written into a bucket: the objects of a range
 * of time, or each as a notification in a queue of SQS tells of it. One thread does both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "awss3_internal.h"
#include "support/probe/probe_s3.h"
#include "support/probe/probe_server.h"
#include "support/settings/confighttp.h"
#include "util/thread.h"
#include "util/time/clock.h"

static void *run(void *user)
{
    struct awss3_receiver *receiver = user;
    if (receiver->config->sqs != NULL) {
        awss3_read_notices(receiver);
    } else {
        awss3_read_archive(receiver);
    }
    bool is_done = hf_submitter_wait(&receiver->submit);
    (void)is_done; /* stopped */
    return NULL;
}

/* ---- life ---- */

static void on_failed(void *user, const char *why)
{
    const struct awss3_receiver *receiver = user;
    hf_node_log(receiver->node, HF_LOG_WARN, "no credentials of AWS: %s", why);
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct awss3_receiver *receiver = self;
    enum hf_status status = hf_aws_session_start(receiver->session, reterr);
    if (status == HF_OK && hf_thread_start(&receiver->thread, NULL, run, receiver) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the receiver");
        status = HF_NOMEM;
    }
    receiver->is_running = status == HF_OK;
    return status;
}

static void stop_receiver(void *self)
{
    struct awss3_receiver *receiver = self;
    if (receiver->is_running) {
        hf_submitter_stop(&receiver->submit);
        hf_http_fetcher_stop(receiver->fetcher);
        pthread_join(receiver->thread, NULL);
        receiver->is_running = false;
    }
    hf_aws_session_stop(receiver->session);
}

static void close_receiver(void *self)
{
    struct awss3_receiver *receiver = self;
    hf_s3_free(receiver->s3);
    hf_aws_service_free(receiver->service);
    hf_sqs_release(&receiver->sqs);
    hf_http_fetcher_free(receiver->fetcher);
    hf_aws_session_free(receiver->session);
    hf_zone_close(receiver->zone);
    hf_bytes_release(&receiver->listing.body);
    hf_bytes_release(&receiver->content.body);
    hf_submitter_release(&receiver->submit);
    free(receiver);
}

static enum hf_status open_range(struct awss3_receiver *receiver, char *reterr)
{
    const struct awss3_receiver_config *config = receiver->config;
    const char *zone = config->s3.time_zone != NULL ? config->s3.time_zone : "";
    if (!awss3_time(config->start, &receiver->start_s) ||
        !awss3_time(config->end, &receiver->end_s)) {
        return HF_INVALID;
    }
    enum hf_status status = hf_zone_open(zone, &receiver->zone);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the time zone \"%.100s\" is not known on this machine",
                 zone);
    }
    return status;
}

static enum hf_status open_parts(struct awss3_receiver *receiver, char *reterr)
{
    const struct awss3_downloader *s3 = &receiver->config->s3;
    const struct awss3_sqs *sqs = receiver->config->sqs;
    const struct hf_aws_session_options session = {
        .role = &receiver->role, .on_failed = on_failed, .user = receiver};
    const struct hf_http_client_options http = {.user_agent = receiver->user_agent,
                                                .follow = HF_HTTP_FOLLOW_NONE,
                                                .response_bytes_max = AWSS3_CONTENT_BYTES_MAX};
    enum hf_status status = hf_aws_session_new(&session, &receiver->session, reterr);
    status = status == HF_OK ? hf_http_fetcher_new(&http, &receiver->fetcher, reterr) : status;
    const struct hf_s3_options options = {.session = receiver->session,
                                          .region = s3->region,
                                          .endpoint = s3->endpoint,
                                          .force_path_style = s3->force_path_style};
    status = status == HF_OK ? hf_s3_new(&options, &receiver->s3, reterr) : status;
    if (status != HF_OK || sqs == NULL) {
        return status == HF_OK ? open_range(receiver, reterr) : status;
    }
    const struct hf_aws_service_options service = {.session = receiver->session,
                                                   .name = "sqs",
                                                   .region = sqs->region,
                                                   .endpoint = sqs->endpoint};
    status = hf_aws_service_new(&service, &receiver->service, reterr);
    receiver->sqs = (struct hf_sqs){
        .service = receiver->service, .fetcher = receiver->fetcher, .queue_url = sqs->queue_url};
    return status;
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct awss3_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the receiver");
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    hf_submitter_init(&receiver->submit, node);
    receiver->submit.transport = "s3";
    receiver->submit.wait_first_ns = AWSS3_WAIT_FIRST_NS;
    receiver->submit.wait_max_ns = AWSS3_WAIT_MAX_NS;
    hf_user_agent(receiver->user_agent);
    enum hf_status status = hf_node_add_transport(node, "s3");
    status = status == HF_OK ? open_parts(receiver, reterr) : status;
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static void probe_queue(const struct awss3_receiver_config *config, struct hf_probe *probe)
{
    char url[HF_AWS_URL_MAX];
    if (config->sqs != NULL &&
        hf_aws_service_url("sqs", config->sqs->region, config->sqs->endpoint, url)) {
        const struct hf_http_client_config http = {.endpoint = url};
        hf_probe_http_client(probe, &http, NULL);
    }
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct awss3_receiver_config *config = from;
    const struct awss3_downloader *s3 = &config->s3;
    const struct hf_probe_s3 store = {.region = s3->region,
                                      .endpoint = s3->endpoint,
                                      .bucket = s3->bucket,
                                      .force_path_style = s3->force_path_style};
    hf_probe_s3_bucket(probe, &store);
    probe_queue(config, probe);
}

const struct hf_component hf_receiver_awss3 = {
    .type = "awss3",
    .aliases = (const char *const[]){"aws_s3", NULL},
    .help =
        "Reads telemetry from a bucket of S3, as the exporter awss3 writes it: a range of time, or "
        "new objects as notifications in a queue of SQS tell of them.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct awss3_receiver_config),
    .fields = awss3_receiver_fields,
    .check = awss3_receiver_check,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
