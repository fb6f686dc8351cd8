/*
 * awsemf: metrics as log events in the embedded metric format, of which CloudWatch makes metrics
 * again; into CloudWatch Logs, or on the standard output.
 *
 * Cumulative values become what they rose by since they were last sent; what was sent is remembered
 * beside the queue, and committed before the request is acknowledged. So requests go one after the
 * other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <holdfast/component.h>

#include "emf_config.h"
#include "emf_points.h"
#include "emf_write.h"
#include "pdata/payload.h"
#include "support/sending/cloudwatch_events.h"
#include "util/time/clock.h"

/* Events repeat their labels, and may be ten times the protobuf of their points. */
#define REQUEST_BYTES_MAX ((uint64_t)1 << 20)
#define ARENA_BYTES_MAX ((size_t)128 << 20)
#define ARENA_BYTES_KEPT ((size_t)4 << 20)
#define EXPIRY_NS (24 * 3600 * HF_NS_PER_S) /* of series that are silent */
#define UUID_TEXT 36u
#define STREAM_PREFIX "otel-stream-"

/* Owned by the delivery's thread while that runs. */
struct awsemf {
    struct hf_aws_client client; /* first */
    struct hf_node *node;
    const struct emf_config *config;
    struct hf_aws_logs logs;
    struct emf_rules rules;
    struct emf_deltas deltas;
    struct emf_groups groups;
    struct emf_points points;
    struct hf_arena arena, scratch;
    struct hf_payload payload;
    struct hf_cloudwatch_push push;
    struct hf_export *export; /* the one in flight */
    bool is_loaded;
    uint64_t next_expiry_ns;
    char stream[sizeof(STREAM_PREFIX) + UUID_TEXT];
};

/* ---- what is remembered ---- */

/* When the first request comes: after a reload the exporter before has ended then. */
static enum hf_status load(struct awsemf *awsemf)
{
    uint64_t lost = 0;
    if (awsemf->is_loaded) {
        return HF_OK;
    }
    enum hf_status status = hf_state_load(awsemf->deltas.state, &lost);
    if (status == HF_UNSUPPORTED) {
        hf_node_log(awsemf->node, HF_LOG_WARN,
                    "what was remembered of cumulative series is of another version and not read");
        status = HF_OK;
    }
    if (lost != 0) {
        hf_node_log(awsemf->node, HF_LOG_ERROR,
                    "%llu bytes of what was remembered of cumulative series are damaged and lost",
                    (unsigned long long)lost);
    }
    awsemf->is_loaded = status == HF_OK;
    return status;
}

static bool is_again(void *user, uint32_t item)
{
    const struct awsemf *awsemf = user;
    return awsemf->push.items[item].state == HF_CLOUDWATCH_AGAIN;
}

static void end_export(struct awsemf *awsemf, struct hf_outcome *outcome)
{
    struct hf_export *export = awsemf->export;
    char message[256];
    if (outcome->status != HF_OK) {
        emf_deltas_discard(&awsemf->deltas);
    } else {
        enum hf_status status = emf_deltas_commit(&awsemf->deltas, is_again, awsemf);
        if (status != HF_OK) {
            /* It is delivered; a kill before the next commit sends it once more. */
            snprintf(message, sizeof(message), "%s",
                     status == HF_IO ? strerror(errno) : hf_status_row(status)->says);
            hf_node_log(awsemf->node, HF_LOG_ERROR,
                        "cannot write what is remembered of cumulative series: %s", message);
        }
        if (outcome->item_count == 0) {
            outcome->rejected_items = awsemf->points.left_out;
            outcome->message = awsemf->points.left_out != 0
                                   ? "values that are not finite, which JSON has not"
                                   : NULL;
        }
    }
    awsemf->export = NULL;
    hf_export_done(export, outcome); /* which may begin the next one */
}

static void on_pushed(struct hf_cloudwatch_push *push, const struct hf_outcome *outcome)
{
    struct awsemf *awsemf = HF_CONTAINER(push, struct awsemf, push);
    struct hf_outcome ended = *outcome;
    end_export(awsemf, &ended);
}

/* ---- events ---- */

static enum hf_status add_event(struct awsemf *awsemf, const struct emf_group *group)
{
    hf_arena_rewind(&awsemf->scratch, ARENA_BYTES_KEPT);
    enum hf_status status = hf_cloudwatch_begin(&awsemf->push, group->place.time_ms,
                                                group->place.group, group->place.stream);
    if (status == HF_OK) {
        status =
            emf_write(awsemf->config, &awsemf->rules, group, &awsemf->scratch, &awsemf->push.text);
        hf_cloudwatch_end(&awsemf->push);
    }
    for (const struct emf_item *item = group->items; status == HF_OK && item != NULL;
         item = item->next) {
        status = hf_cloudwatch_add_item(&awsemf->push, item->item);
    }
    return status;
}

static enum hf_status build(struct awsemf *awsemf, const struct hf_export *export)
{
    struct hf_slice raw;
    hf_arena_rewind(&awsemf->arena, ARENA_BYTES_KEPT);
    emf_groups_reset(&awsemf->groups);
    enum hf_status status = hf_cloudwatch_reset(&awsemf->push, export);
    status = status == HF_OK ? load(awsemf) : status;
    if (status == HF_OK) {
        status = hf_payload_read(&awsemf->payload, export->bodies, export->body_count, &raw);
    }
    uint64_t now_ns = hf_clock_unix_ns();
    if (status == HF_OK && now_ns >= awsemf->next_expiry_ns) {
        awsemf->next_expiry_ns = now_ns + EXPIRY_NS / 24;
        (void)hf_state_expire(awsemf->deltas.state, now_ns > EXPIRY_NS ? now_ns - EXPIRY_NS : 0);
    }
    status = status == HF_OK ? emf_points_read(&awsemf->points, export, raw, now_ns) : status;
    for (size_t i = 0; status == HF_OK && i < awsemf->groups.count; i++) {
        status = add_event(awsemf, awsemf->groups.list[i]);
    }
    /* The arena's limit: a half needs less. */
    return status == HF_NOMEM && export->items > 1 && awsemf->arena.size > ARENA_BYTES_MAX / 2
               ? HF_TOO_LARGE
               : status;
}

/* A line for each event. HF_IO with errno: what was written is written again. */
static enum hf_status print_events(const struct awsemf *awsemf)
{
    for (size_t i = 0; i < awsemf->groups.count; i++) {
        struct hf_slice text = hf_cloudwatch_text(&awsemf->push, i);
        if (fwrite(text.data, 1, text.size, stdout) != text.size || putchar('\n') == EOF) {
            return HF_IO;
        }
    }
    return fflush(stdout) == 0 ? HF_OK : HF_IO;
}

static void send_export(void *self, struct hf_export *export)
{
    struct awsemf *awsemf = self;
    awsemf->export = export;
    struct hf_outcome outcome = {.status = build(awsemf, export)};
    if (outcome.status == HF_OK && awsemf->config->destination == EMF_TO_CLOUDWATCH) {
        hf_cloudwatch_send(&awsemf->push, &awsemf->client, &awsemf->logs);
        return;
    }
    if (outcome.status == HF_OK) {
        outcome.status = print_events(awsemf);
        outcome.message = outcome.status != HF_OK ? "cannot write to the standard output" : NULL;
        clearerr(stdout);
    } else {
        outcome.message = "the events cannot be built";
    }
    end_export(awsemf, &outcome);
}

/* ---- life ---- */

static void close_exporter(void *self)
{
    struct awsemf *awsemf = self;
    hf_aws_client_close(&awsemf->client);
    emf_rules_release(&awsemf->rules);
    emf_deltas_release(&awsemf->deltas);
    emf_groups_release(&awsemf->groups);
    hf_bytes_release(&awsemf->points.text);
    hf_arena_release(&awsemf->arena);
    hf_arena_release(&awsemf->scratch);
    hf_payload_release(&awsemf->payload);
    hf_cloudwatch_release(&awsemf->push);
    free(awsemf);
}

static bool name_stream(struct awsemf *awsemf)
{
    uint8_t id[16];
    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
        return false;
    }
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* a UUID of version 4 */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    size_t size = (size_t)snprintf(awsemf->stream, sizeof(awsemf->stream), STREAM_PREFIX);
    for (size_t i = 0; i < sizeof(id); i++) {
        bool is_parted = i == 4 || i == 6 || i == 8 || i == 10;
        size += (size_t)snprintf(awsemf->stream + size, sizeof(awsemf->stream) - size, "%s%02x",
                                 is_parted ? "-" : "", id[i]);
    }
    return true;
}

static enum hf_status open_state(struct awsemf *awsemf)
{
    const char *directory = hf_node_directory(awsemf->node);
    char *path = hf_state_path(directory, hf_node_id(awsemf->node));
    const struct hf_state_options options = {.path = path,
                                             .format = EMF_STATE_FORMAT,
                                             .keys_max = EMF_SERIES_MAX,
                                             .bytes_max = EMF_STATE_BYTES_MAX};
    enum hf_status status = path == NULL && directory != NULL
                                ? HF_NOMEM
                                : hf_state_new(&options, &awsemf->deltas.state);
    free(path);
    return status;
}

static enum hf_status open_parts(struct awsemf *awsemf, char *reterr)
{
    enum hf_status status = emf_rules_make(&awsemf->rules, awsemf->config, awsemf->node, reterr);
    if (status == HF_OK && (!name_stream(awsemf) || open_state(awsemf) != HF_OK)) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        status = HF_NOMEM;
    }
    if (status == HF_OK && awsemf->config->destination == EMF_TO_CLOUDWATCH) {
        status =
            hf_aws_client_open(&awsemf->client, awsemf->node, &awsemf->config->aws, "logs", reterr);
    }
    return status;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct awsemf *awsemf = calloc(1, sizeof(*awsemf));
    if (awsemf == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    awsemf->node = node;
    awsemf->config = config;
    awsemf->arena.limit = awsemf->scratch.limit = ARENA_BYTES_MAX;
    awsemf->groups.arena = &awsemf->arena;
    awsemf->push.done = on_pushed;
    enum hf_status status = open_parts(awsemf, reterr);
    if (status != HF_OK) {
        close_exporter(awsemf);
        return status;
    }
    awsemf->logs = (struct hf_aws_logs){.service = awsemf->client.service,
                                        .retention_days = awsemf->config->log_retention,
                                        .tags = &awsemf->config->tags};
    awsemf->points = (struct emf_points){.config = awsemf->config,
                                         .default_stream = hf_slice_text(awsemf->stream),
                                         .deltas = &awsemf->deltas,
                                         .groups = &awsemf->groups,
                                         .arena = &awsemf->arena};
    *ret_self = awsemf;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct emf_config *config = from;
    if (config->destination == EMF_TO_CLOUDWATCH) {
        hf_aws_probe(probe, &config->aws, "logs");
    }
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "60s",
    .in_flight = 1, /* what a value rose by depends on the one before */
    .request_bytes_max = REQUEST_BYTES_MAX,
};

const struct hf_component hf_exporter_awsemf = {
    .type = "awsemf",
    .aliases = (const char *const[]){"aws_emf", NULL},
    .help = "Sends metrics to Amazon CloudWatch as log events in the embedded metric format.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct emf_config),
    .fields = emf_fields,
    .check = emf_check,
    .probe = probe_outside,
    .open = open_exporter,
    .start = hf_aws_client_start,
    .stop = hf_aws_client_stop,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
