/*
 * awscloudwatchlogs: puts log records as events into a stream of CloudWatch Logs: each as a JSON
 * object, or its body as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "bulk/walk.h"
#include "cloudwatch_record.h"
#include "pdata/payload.h"
#include "support/sending/cloudwatch_events.h"

#define PLACES                                                                                     \
    "{ClusterName}, {TaskId}, {NodeName}, {PodName}, {ServiceName}, {ContainerInstanceId}, "       \
    "{TaskDefinitionFamily}, {InstanceId}, {FaasName} and {FaasVersion}"

struct config {
    struct hf_aws_config aws;
    const char *group, *stream;
    int64_t log_retention;
    struct hf_string_map tags;
    bool raw_log;
};

/* Owned by the delivery's thread while that runs. */
struct exporter {
    struct hf_aws_client client; /* first */
    const struct config *config;
    struct hf_aws_logs logs;
    struct job *idle; /* kept for reuse */
};

/* One request in flight. */
struct job {
    struct job *next;
    struct exporter *owner;
    struct hf_export *export;
    struct hf_payload payload;
    struct hf_cloudwatch_push push;
};

static void end_job(struct job *job, const struct hf_outcome *outcome)
{
    struct hf_export *export = job->export;
    job->next = job->owner->idle;
    job->owner->idle = job;
    hf_export_done(export, outcome); /* which may begin the next one */
}

static void on_done(struct hf_cloudwatch_push *push, const struct hf_outcome *outcome)
{
    end_job(HF_CONTAINER(push, struct job, push), outcome);
}

static enum hf_status add_record(struct job *job, const struct hf_bulk_walk *walk,
                                 struct hf_slice record, uint32_t item, uint64_t received_ns)
{
    const struct config *config = job->owner->config;
    struct hf_bytes group = {0}, stream = {0}, own = {0};
    struct hf_bulk_log log = hf_bulk_log_read(record);
    uint64_t time_ns = log.time_ns != 0 ? log.time_ns : received_ns;
    struct hf_arena arena = {.limit = CLOUDWATCH_ARENA_BYTES};
    enum hf_status status = cloudwatch_name(config->group, walk->resource, &group);
    if (status == HF_OK) {
        status = cloudwatch_name(config->stream, walk->resource, &stream);
    }
    struct cloudwatch_place place = {hf_slice_of(group.data, group.size),
                                     hf_slice_of(stream.data, stream.size)};
    if (status == HF_OK) {
        status = config->raw_log
                     ? cloudwatch_record_raw(&log, &own, &arena, &place)
                     : cloudwatch_record_json(&log, record, walk->scope, walk->resource, &own);
    }
    if (status == HF_OK) {
        status = hf_cloudwatch_begin(&job->push, (int64_t)(time_ns / UINT64_C(1000000)),
                                     place.group, place.stream);
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&job->push.text, hf_slice_of(own.data, own.size));
        hf_cloudwatch_end(&job->push);
    }
    status = status == HF_OK ? hf_cloudwatch_add_item(&job->push, item) : status;
    hf_arena_release(&arena);
    hf_bytes_release(&own);
    hf_bytes_release(&stream);
    hf_bytes_release(&group);
    return status;
}

static enum hf_status build(struct job *job, const struct hf_export *export)
{
    struct hf_slice raw, record;
    size_t range = 0;
    uint32_t item = 0, first = 0;
    enum hf_status status = hf_cloudwatch_reset(&job->push, export);
    if (status == HF_OK) {
        status = hf_payload_read(&job->payload, export->bodies, export->body_count, &raw);
    }
    if (status != HF_OK) {
        return status;
    }
    struct hf_bulk_walk walk = {.request = hf_wire_of(raw), .signal = export->signal};
    while (status == HF_OK && hf_bulk_walk_next(&walk, &record)) {
        uint64_t received_ns = hf_export_received_ns(export, item, &range, &first);
        status = add_record(job, &walk, record, item++, received_ns);
    }
    return status;
}

static struct job *take_job(struct exporter *exporter)
{
    struct job *job = exporter->idle;
    if (job != NULL) {
        exporter->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->owner = exporter;
        job->push.done = on_done;
    }
    return job;
}

static void send_export(void *self, struct hf_export *export)
{
    struct exporter *exporter = self;
    struct job *job = take_job(exporter);
    struct hf_outcome outcome = {.status = HF_NOMEM, .message = "no memory for the request"};
    if (job == NULL) {
        hf_export_done(export, &outcome);
        return;
    }
    job->export = export;
    outcome.status = build(job, export);
    if (outcome.status != HF_OK) {
        outcome.message = "the log events cannot be built";
        end_job(job, &outcome);
        return;
    }
    hf_cloudwatch_send(&job->push, &exporter->client, &exporter->logs);
}

/* ---- life ---- */

static void close_exporter(void *self)
{
    struct exporter *exporter = self;
    hf_aws_client_close(&exporter->client);
    while (exporter->idle != NULL) {
        struct job *job = exporter->idle;
        exporter->idle = job->next;
        hf_payload_release(&job->payload);
        hf_cloudwatch_release(&job->push);
        free(job);
    }
    free(exporter);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    exporter->config = config;
    enum hf_status status =
        hf_aws_client_open(&exporter->client, node, &exporter->config->aws, "logs", reterr);
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    exporter->logs = (struct hf_aws_logs){.service = exporter->client.service,
                                          .retention_days = exporter->config->log_retention,
                                          .tags = &exporter->config->tags};
    *ret_self = exporter;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct config *config = from;
    hf_aws_probe(probe, &config->aws, "logs");
}

static const char *check(const void *from)
{
    const struct config *config = from;
    if (config->group == NULL || config->group[0] == '\0') {
        return "log_group_name must be set";
    }
    if (config->stream == NULL || config->stream[0] == '\0') {
        return "log_stream_name must be set";
    }
    if (!cloudwatch_name_is_good(config->group) || !cloudwatch_name_is_good(config->stream)) {
        return "log_group_name or log_stream_name has an unknown placeholder; there are " PLACES;
    }
    return hf_cloudwatch_check(config->log_retention, &config->tags);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "60s",
};

#define AT(member) offsetof(struct config, member)

static const struct hf_field fields[] = {
    {.key = "log_group_name",
     .type = HF_FIELD_STRING,
     .offset = AT(group),
     .required = true,
     .help = "The log group; made when it is not there. " PLACES " are attributes of the "
             "resource."},
    {.key = "log_stream_name",
     .type = HF_FIELD_STRING,
     .offset = AT(stream),
     .required = true,
     .help = "The stream of that group; made when it is not there. It may have the same "
             "placeholders."},
    HF_CLOUDWATCH_FIELDS(struct config, log_retention, tags),
    {.key = "raw_log",
     .type = HF_FIELD_BOOL,
     .offset = AT(raw_log),
     .help = "The event is the body as it is, and not a JSON object of the record. A body in the "
             "embedded metric format may name its own log group and stream."},
    HF_AWS_FIELDS(struct config, aws),
    HF_FIELDS_END};

const struct hf_component hf_exporter_awscloudwatchlogs = {
    .type = "awscloudwatchlogs",
    .aliases = (const char *const[]){"aws_cloudwatch_logs", NULL},
    .help = "Puts log records into a stream of Amazon CloudWatch Logs.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct config),
    .fields = fields,
    .check = check,
    .probe = probe_outside,
    .open = open_exporter,
    .start = hf_aws_client_start,
    .stop = hf_aws_client_stop,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
