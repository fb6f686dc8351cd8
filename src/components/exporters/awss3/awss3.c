/*
 * awss3: writes each export request as an object into a bucket of S3, or of a store that speaks its
 * protocol.
 *
 * An object's key says where its first record stands in the queue, so that another attempt writes
 * the same object again (support/sending/object_name.h). The objects of one request are written one
 * behind the other; it is delivered when all of them are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "aws/s3_upload.h"
#include "awss3_config.h"
#include "awss3_objects.h"
#include "support/probe/probe_s3.h"
#include "support/settings/confighttp.h"
#include "util/time/clock.h"

/* Owned by the delivery's thread while that runs. */
struct awss3 {
    struct hf_node *node;
    const struct awss3_config *config;
    struct hf_aws_role role;
    struct hf_aws_session *session;
    struct hf_s3 *s3;
    struct hf_object_namer *namer;
    struct hf_header headers[2];
    size_t header_count;
    char user_agent[HF_USER_AGENT_MAX];
    struct job *idle; /* kept for reuse */
};

/* One request in flight. */
struct job {
    struct job *next;
    struct awss3 *awss3;
    struct hf_export *export;
    struct awss3_objects objects;
    size_t at; /* the object that is being written */
    struct hf_s3_upload upload;
};

static void end_job(struct job *job, const struct hf_outcome *outcome)
{
    struct hf_export *export = job->export;
    awss3_objects_drop(&job->objects);
    job->next = job->awss3->idle;
    job->awss3->idle = job;
    hf_export_done(export, outcome); /* which may begin the next one */
}

static void write_next(struct job *job);

static void on_written(struct hf_s3_upload *upload, const struct hf_s3_result *result)
{
    struct job *job = HF_CONTAINER(upload, struct job, upload);
    const struct awss3_object *object = &job->objects.items[job->at];
    char message[512];
    if (result->status == HF_OK && ++job->at < job->objects.count) {
        write_next(job);
        return;
    }
    struct hf_outcome outcome = {
        .status = result->status, .code = result->code, .retry_after_ns = result->retry_after_ns};
    if (result->status != HF_OK) {
        snprintf(message, sizeof(message), "bucket %.100s: %s", upload->bucket, result->message);
        outcome.message = message;
        /* What one sender names must not hold up the others. */
        if (object->is_by_attribute &&
            (result->status == HF_NOT_FOUND || result->status == HF_FORBIDDEN)) {
            outcome.status = HF_AGAIN;
            outcome.is_suspect = true;
        }
    }
    end_job(job, &outcome);
}

static void write_next(struct job *job)
{
    struct awss3 *awss3 = job->awss3;
    const struct awss3_object *object = &job->objects.items[job->at];
    struct hf_s3_upload *upload = &job->upload;
    enum hf_coding coding = awss3_coding(awss3->config);
    uint64_t now_ns = hf_clock_monotonic_ns(), deadline_ns = job->export->deadline_ns;
    upload->bucket = object->bucket;
    upload->key = object->key;
    upload->content_type = "application/octet-stream";
    upload->content_encoding = coding != HF_IDENTITY ? hf_coding_name(coding) : NULL;
    upload->pieces = object->pieces;
    upload->piece_count = object->piece_count;
    upload->headers = awss3->headers;
    upload->header_count = awss3->header_count;
    if (job->at == 0) { /* each request of an attempt has the time of an attempt */
        upload->timeout_ns = deadline_ns == 0 ? 0 : deadline_ns > now_ns ? deadline_ns - now_ns : 1;
    }
    upload->done = on_written;
    hf_s3_upload_start(awss3->s3, upload);
}

static struct job *take_job(struct awss3 *awss3)
{
    struct job *job = awss3->idle;
    if (job != NULL) {
        awss3->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->awss3 = awss3;
    }
    return job;
}

/* ---- is the bucket there? ---- */

struct bucket_call {
    struct hf_s3_call call;
    struct hf_export *export;
};

static void on_bucket(struct hf_s3_call *call, const struct hf_s3_result *result)
{
    struct bucket_call *asked = HF_CONTAINER(call, struct bucket_call, call);
    struct hf_export *export = asked->export;
    char message[512];
    struct hf_outcome outcome = {
        .status = result->status, .code = result->code, .message = message};
    snprintf(message, sizeof(message), "bucket %.100s: %s", call->bucket, result->message);
    if (result->status == HF_FORBIDDEN && strstr(result->message, "AccessDenied") != NULL) {
        outcome.status = HF_INVALID; /* who may write need not be allowed to list */
    }
    free(asked);
    hf_export_done(export, &outcome);
}

static void ask_for_bucket(struct awss3 *awss3, struct hf_export *export)
{
    const char *bucket = awss3->config->s3.bucket;
    struct bucket_call *asked = calloc(1, sizeof(*asked));
    const struct hf_outcome outcome = {.status = HF_NOMEM};
    if (asked == NULL) {
        hf_export_done(export, &outcome);
        return;
    }
    asked->export = export;
    asked->call = (struct hf_s3_call){.method = "GET",
                                      .bucket = bucket != NULL ? bucket : "",
                                      .key = "",
                                      .query = "list-type=2&max-keys=0",
                                      .deadline_ns = export->deadline_ns,
                                      .done = on_bucket};
    hf_s3_call(awss3->s3, &asked->call);
}

/* ---- requests ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct awss3 *awss3 = self;
    if (export->is_probe) {
        ask_for_bucket(awss3, export);
        return;
    }
    struct job *job = take_job(awss3);
    char why[256] = "no memory for the request";
    struct hf_outcome outcome = {.status = HF_NOMEM, .message = why};
    if (job == NULL) {
        hf_export_done(export, &outcome);
        return;
    }
    job->export = export;
    job->at = 0;
    outcome.status = awss3_objects_make(&job->objects, awss3->config, awss3->namer, export, why);
    if (outcome.status != HF_OK || job->objects.count == 0) {
        if (outcome.status != HF_OK && why[0] == '\0') {
            snprintf(why, sizeof(why), "the object cannot be built");
        }
        end_job(job, &outcome);
        return;
    }
    write_next(job);
}

/* ---- life ---- */

static void on_failed(void *user, const char *why)
{
    const struct awss3 *awss3 = user;
    hf_node_log(awss3->node, HF_LOG_WARN, "no credentials of AWS: %s", why);
}

static void add_header(struct awss3 *awss3, const char *name, const char *value)
{
    if (value != NULL) {
        awss3->headers[awss3->header_count++] =
            (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
    }
}

static enum hf_status check_signals(const struct awss3 *awss3, char *reterr)
{
    enum hf_object_format format = (enum hf_object_format)awss3->config->format;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        bool is_carried = (hf_node_signals(awss3->node) & HF_SIGNAL_BIT(signal)) != 0;
        if (is_carried && signal != HF_LOGS && hf_object_is_for_logs_only(format)) {
            snprintf(reterr, HF_ERROR_MAX,
                     "marshaler: %s are not supported by the format %s, which is for logs",
                     hf_signal_name((enum hf_signal)signal), hf_object_formats[format]);
            return HF_INVALID;
        }
    }
    return HF_OK;
}

static enum hf_status open_parts(struct awss3 *awss3, char *reterr)
{
    const struct awss3_uploader *uploader = &awss3->config->s3;
    const struct hf_aws_session_options session = {
        .role = &awss3->role, .on_failed = on_failed, .user = awss3};
    const struct hf_object_namer_options namer = {
        .node = awss3->node,
        .base_prefix = uploader->base_prefix,
        .partition_format = awss3_partition_format(awss3->config),
        .time_zone = uploader->partition_timezone,
        .file_prefix = uploader->file_prefix,
        .extension = hf_object_extension((enum hf_object_format)awss3->config->format),
        .coding = awss3_coding(awss3->config),
        .is_uuid = uploader->unique_key != 0,
    };
    enum hf_status status = hf_object_namer_new(&namer, &awss3->namer, reterr);
    if (status == HF_OK) {
        status = hf_aws_session_new(&session, &awss3->session, reterr);
    }
    const struct hf_s3_options s3 = {
        .loop = hf_node_own_loop(awss3->node),
        .session = awss3->session,
        .region = uploader->region,
        .endpoint = uploader->endpoint,
        .force_path_style = uploader->force_path_style,
        .disable_ssl = uploader->disable_ssl,
        .user_agent = awss3->user_agent,
    };
    return status == HF_OK ? hf_s3_new(&s3, &awss3->s3, reterr) : status;
}

static void close_awss3(void *self)
{
    struct awss3 *awss3 = self;
    hf_s3_free(awss3->s3);
    hf_aws_session_free(awss3->session);
    hf_object_namer_free(awss3->namer);
    while (awss3->idle != NULL) {
        struct job *job = awss3->idle;
        awss3->idle = job->next;
        awss3_objects_release(&job->objects);
        hf_s3_upload_release(&job->upload);
        free(job);
    }
    free(awss3);
}

static enum hf_status open_awss3(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct awss3 *awss3 = calloc(1, sizeof(*awss3));
    if (awss3 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    awss3->node = node;
    awss3->config = config;
    awss3->role.arn = awss3->config->s3.role_arn;
    awss3->role.external_id = awss3->config->s3.external_id;
    hf_user_agent(awss3->user_agent);
    add_header(awss3, "x-amz-acl", awss3_acl(awss3->config));
    add_header(awss3, "x-amz-storage-class", awss3_storage_class(awss3->config));
    enum hf_status status = check_signals(awss3, reterr);
    status = status == HF_OK ? open_parts(awss3, reterr) : status;
    if (status != HF_OK) {
        close_awss3(awss3);
        return status;
    }
    *ret_self = awss3;
    return HF_OK;
}

static enum hf_status start_awss3(void *self, char *reterr)
{
    struct awss3 *awss3 = self;
    return hf_aws_session_start(awss3->session, reterr);
}

static void stop_awss3(void *self)
{
    struct awss3 *awss3 = self;
    hf_aws_session_stop(awss3->session);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct awss3_config *config = from;
    const struct hf_probe_s3 store = {.region = config->s3.region,
                                      .endpoint = config->s3.endpoint,
                                      .bucket = config->s3.bucket,
                                      .force_path_style = config->s3.force_path_style,
                                      .disable_ssl = config->s3.disable_ssl};
    hf_probe_s3_server(probe, &store);
    hf_probe_export(probe);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .request_bytes_max = (uint64_t)64 << 20,
};

const struct hf_component hf_exporter_awss3 = {
    .type = "awss3",
    .aliases = (const char *const[]){"aws_s3", NULL},
    .help = "Writes requests as objects into a bucket of Amazon S3, or of a store that speaks its "
            "protocol.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct awss3_config),
    .fields = awss3_fields,
    .check = awss3_check,
    .probe = probe_outside,
    .open = open_awss3,
    .start = start_awss3,
    .stop = stop_awss3,
    .close = close_awss3,
    .exporter = &exporter_ops,
};
