/*
 * awsxray: spans as segment documents to AWS X-Ray.
 *
 * The documents of one request go in calls of PutTraceSegments of at most fifty, one behind the
 * other. X-Ray answers for each document: what it left out for now is sent again, and what it will
 * never take becomes a dead letter with its words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "bulk/walk.h"
#include "pdata/json_write.h"
#include "pdata/payload.h"
#include "util/time/clock.h"
#include "xray_config.h"
#include "xray_segment.h"
#include "json/json.h"

#define DOCUMENTS_PER_CALL 50u
#define REQUEST_BYTES_MAX ((uint64_t)1 << 20) /* documents repeat the resource */
#define ARENA_BYTES_MAX ((size_t)128 << 20)
#define ARENA_BYTES_KEPT ((size_t)1 << 20)
#define NAME_PATTERN "[^ 0-9\\p{L}N_.:/%&#=+\\-@]"

/* Owned by the delivery's thread while that runs. */
struct awsxray {
    struct hf_aws_client client; /* first */
    const struct xray_config *config;
    struct hf_regex *unfit;
    struct job *idle; /* kept for reuse */
};

enum state { DELIVERED = 0, REFUSED, AGAIN };

struct item {
    uint8_t state;
    const char *why; /* a constant, or in the arena */
};

struct entry {
    struct xray_document document;
    uint32_t item;
};

/* One request in flight. */
struct job {
    struct job *next;
    struct awsxray *owner;
    struct hf_export *export;
    struct hf_payload payload;
    struct hf_arena arena, answer;
    struct xray_maker maker;
    struct item *items;
    struct entry *entries;
    struct hf_item_outcome *outcomes;
    size_t item_capacity, entry_capacity, entry_count;
    size_t at, sent; /* the first document of the call under way, and how many are in it */
    size_t delivered;
    struct hf_bytes body;
    struct hf_slice piece;
    struct hf_aws_call call;
    struct hf_aws_result failure;
};

/* ---- the end ---- */

static void end_job(struct job *job, const struct hf_outcome *outcome)
{
    struct hf_export *export = job->export;
    job->next = job->owner->idle;
    job->owner->idle = job;
    hf_export_done(export, outcome); /* which may begin the next one */
}

static void mark(struct job *job, uint32_t item, enum state state, const char *why)
{
    if (job->items[item].state < state) {
        job->items[item] = (struct item){.state = (uint8_t)state, .why = why};
    }
}

static size_t list_outcomes(struct job *job)
{
    size_t count = 0;
    enum hf_status again = job->failure.status != HF_OK && job->failure.status != HF_INVALID &&
                                   job->failure.status != HF_TOO_LARGE
                               ? job->failure.status
                               : HF_AGAIN;
    for (uint32_t i = 0; i < job->export->items; i++) {
        if (job->items[i].state != DELIVERED) {
            job->outcomes[count++] = (struct hf_item_outcome){
                .first = i,
                .count = 1,
                .status = job->items[i].state == REFUSED ? HF_INVALID : again,
                .code = job->failure.code,
                .message = job->items[i].why,
            };
        }
    }
    return count;
}

static void finish(struct job *job)
{
    struct hf_outcome outcome = {.status = job->failure.status,
                                 .code = job->failure.code,
                                 .retry_after_ns = job->failure.retry_after_ns,
                                 .message = job->failure.message};
    bool is_any_refused = false;
    for (uint32_t i = 0; i < job->export->items; i++) {
        is_any_refused |= job->items[i].state == REFUSED;
    }
    outcome.is_suspect = outcome.status == HF_AGAIN && job->failure.code == 500;
    if (outcome.status == HF_OK || job->delivered != 0 || is_any_refused) {
        outcome = (struct hf_outcome){.status = HF_OK, .items = job->outcomes};
        outcome.item_count = list_outcomes(job);
    }
    end_job(job, &outcome);
}

/* ---- answers ---- */

static struct entry *find_entry(struct job *job, struct hf_slice id)
{
    for (size_t i = job->at; i < job->at + job->sent; i++) {
        if (hf_slice_is(id, job->entries[i].document.id)) {
            return &job->entries[i];
        }
    }
    return NULL;
}

static bool is_passing(const char *error)
{
    enum hf_status known = hf_aws_error_status(error);
    return known == HF_BUSY || known == HF_AGAIN || strstr(error, "Throttl") != NULL ||
           strstr(error, "Internal") != NULL || strstr(error, "LimitExceeded") != NULL;
}

/* One segment that X-Ray did not process. Returns 1 when it was one of ours. */
static size_t leave_out(struct job *job, const struct hf_json *one)
{
    struct hf_slice id = hf_json_text_of(one, "Id");
    struct hf_slice code = hf_json_text_of(one, "ErrorCode");
    struct hf_slice message = hf_json_text_of(one, "Message");
    struct entry *entry = find_entry(job, id);
    if (entry == NULL) {
        return 0;
    }
    size_t size = code.size + message.size + sizeof(": ");
    char *why = hf_arena_take(&job->arena, size);
    char error[HF_AWS_ERROR_NAME_MAX];
    snprintf(error, sizeof(error), "%.*s", (int)code.size, (const char *)code.data);
    if (why != NULL) {
        snprintf(why, size, "%s: %.*s", error, (int)message.size, (const char *)message.data);
    }
    mark(job, entry->item, is_passing(error) ? AGAIN : REFUSED,
         why != NULL ? why : "X-Ray did not process the segment");
    return 1;
}

static void read_answer(struct job *job, struct hf_slice body)
{
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX];
    size_t left_out = 0;
    hf_arena_reset(&job->answer);
    if (body.size != 0 && hf_json_read(body, &job->answer, &root, why) == HF_OK) {
        const struct hf_json *one = hf_json_first(hf_json_get(root, "UnprocessedTraceSegments"));
        for (; one != NULL; one = one->next) {
            left_out += leave_out(job, one);
        }
    }
    job->delivered += job->sent > left_out ? job->sent - left_out : 0;
}

static void send_next(struct job *job);

static void on_answer(struct hf_aws_call *call, const struct hf_aws_result *result)
{
    struct job *job = HF_CONTAINER(call, struct job, call);
    if (result->status == HF_OK) {
        read_answer(job, result->body);
        job->at += job->sent;
        send_next(job);
        return;
    }
    job->failure = *result;
    job->failure.body = HF_EMPTY_SLICE;
    for (size_t i = job->at; i < job->entry_count; i++) {
        mark(job, job->entries[i].item, AGAIN, job->failure.message);
    }
    finish(job);
}

/* ---- calls ---- */

static enum hf_status write_body(struct job *job)
{
    struct hf_json_writer writer = {.out = &job->body};
    job->body.size = 0;
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "TraceSegmentDocuments");
    hf_json_write_open(&writer, '[');
    for (size_t i = 0; i < job->sent; i++) {
        hf_json_write_text(&writer, job->entries[job->at + i].document.text);
    }
    hf_json_write_close(&writer, ']');
    hf_json_write_close(&writer, '}');
    job->piece = hf_slice_of(job->body.data, job->body.size);
    return hf_json_write_status(&writer);
}

static void send_next(struct job *job)
{
    size_t left = job->entry_count - job->at;
    job->sent = left < DOCUMENTS_PER_CALL ? left : DOCUMENTS_PER_CALL;
    if (job->sent == 0 && !(job->export->is_probe && job->at == 0 && job->delivered == 0)) {
        finish(job);
        return;
    }
    if (write_body(job) != HF_OK) {
        const struct hf_aws_result failed = {.status = HF_NOMEM,
                                             .message = "no memory for the request"};
        on_answer(&job->call, &failed);
        return;
    }
    job->delivered += job->sent == 0 ? 1 : 0; /* the probe asks once */
    job->call.path = "/TraceSegments";
    job->call.content_type = "application/json";
    job->call.pieces = &job->piece;
    job->call.piece_count = 1;
    job->call.deadline_ns = hf_aws_client_deadline(&job->owner->client, job->export->deadline_ns);
    job->call.done = on_answer;
    hf_aws_call(job->owner->client.service, &job->call);
}

/* ---- documents ---- */

static bool make_room(struct job *job, size_t items)
{
    if (items > job->item_capacity) {
        struct item *moved = reallocarray(job->items, items, sizeof(*moved));
        struct hf_item_outcome *outcomes = reallocarray(job->outcomes, items, sizeof(*outcomes));
        job->items = moved != NULL ? moved : job->items;
        job->outcomes = outcomes != NULL ? outcomes : job->outcomes;
        job->item_capacity = moved != NULL && outcomes != NULL ? items : job->item_capacity;
    }
    size_t entries = items * XRAY_DOCUMENTS_MAX;
    if (entries > job->entry_capacity) {
        struct entry *moved = reallocarray(job->entries, entries, sizeof(*moved));
        job->entries = moved != NULL ? moved : job->entries;
        job->entry_capacity = moved != NULL ? entries : job->entry_capacity;
    }
    return items <= job->item_capacity && entries <= job->entry_capacity;
}

static enum hf_status add_span(struct job *job, const struct hf_bulk_walk *walk,
                               struct hf_slice span, uint32_t item)
{
    struct xray_document documents[XRAY_DOCUMENTS_MAX];
    size_t count = 0;
    const char *why = NULL;
    enum hf_status status =
        xray_segment_make(&job->maker, span, walk->resource, documents, &count, &why);
    if (status == HF_INVALID) {
        mark(job, item, REFUSED, why);
        return HF_OK;
    }
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        job->entries[job->entry_count++] = (struct entry){.document = documents[i], .item = item};
    }
    return status;
}

static enum hf_status build(struct job *job, const struct hf_export *export)
{
    struct hf_slice raw, span;
    uint32_t item = 0;
    hf_arena_rewind(&job->arena, ARENA_BYTES_KEPT);
    job->entry_count = job->at = job->sent = job->delivered = 0;
    job->failure = (struct hf_aws_result){.status = HF_OK};
    job->maker.now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    if (!make_room(job, export->items)) {
        return HF_NOMEM;
    }
    if (export->items != 0) {
        memset(job->items, 0, export->items * sizeof(*job->items));
    }
    enum hf_status status =
        hf_payload_read(&job->payload, export->bodies, export->body_count, &raw);
    struct hf_bulk_walk walk = {.request = hf_wire_of(status == HF_OK ? raw : HF_EMPTY_SLICE),
                                .signal = HF_TRACES};
    while (status == HF_OK && item < export->items && hf_bulk_walk_next(&walk, &span)) {
        status = add_span(job, &walk, span, item++);
    }
    return status == HF_NOMEM && export->items > 1 && job->arena.size > ARENA_BYTES_MAX / 2
               ? HF_TOO_LARGE
               : status;
}

static struct job *take_job(struct awsxray *awsxray)
{
    struct job *job = awsxray->idle;
    if (job != NULL) {
        awsxray->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->owner = awsxray;
        job->arena.limit = ARENA_BYTES_MAX;
        job->answer.limit = ARENA_BYTES_KEPT;
        job->maker = (struct xray_maker){
            .config = awsxray->config, .unfit = awsxray->unfit, .arena = &job->arena};
    }
    return job;
}

static void send_export(void *self, struct hf_export *export)
{
    struct awsxray *awsxray = self;
    struct job *job = take_job(awsxray);
    struct hf_outcome outcome = {.status = HF_NOMEM, .message = "no memory for the request"};
    if (job == NULL) {
        hf_export_done(export, &outcome);
        return;
    }
    job->export = export;
    outcome.status = build(job, export);
    if (outcome.status != HF_OK) {
        outcome.message = "the segment documents cannot be built";
        end_job(job, &outcome);
        return;
    }
    send_next(job);
}

/* ---- life ---- */

static void free_job(struct job *job)
{
    hf_payload_release(&job->payload);
    hf_arena_release(&job->arena);
    hf_arena_release(&job->answer);
    hf_bytes_release(&job->maker.text);
    hf_bytes_release(&job->body);
    free(job->items);
    free(job->entries);
    free(job->outcomes);
    free(job);
}

static void close_exporter(void *self)
{
    struct awsxray *awsxray = self;
    hf_aws_client_close(&awsxray->client);
    while (awsxray->idle != NULL) {
        struct job *job = awsxray->idle;
        awsxray->idle = job->next;
        free_job(job);
    }
    hf_regex_free(awsxray->unfit);
    free(awsxray);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct awsxray *awsxray = calloc(1, sizeof(*awsxray));
    char why[HF_REGEX_ERROR_MAX];
    snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    if (awsxray == NULL) {
        return HF_NOMEM;
    }
    awsxray->config = config;
    enum hf_status status = hf_regex_new(NAME_PATTERN, &awsxray->unfit, why);
    if (status == HF_OK) {
        status = hf_aws_client_open(&awsxray->client, node, &awsxray->config->aws, "xray", reterr);
    }
    if (status != HF_OK) {
        close_exporter(awsxray);
        return status;
    }
    *ret_self = awsxray;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct xray_config *config = from;
    hf_aws_probe(probe, &config->aws, "xray");
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "60s",
    .request_bytes_max = REQUEST_BYTES_MAX,
};

const struct hf_component hf_exporter_awsxray = {
    .type = "awsxray",
    .aliases = (const char *const[]){"aws_xray", NULL},
    .help = "Sends spans to AWS X-Ray as segment documents.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct xray_config),
    .fields = xray_fields,
    .check = xray_check,
    .probe = probe_outside,
    .open = open_exporter,
    .start = hf_aws_client_start,
    .stop = hf_aws_client_stop,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
