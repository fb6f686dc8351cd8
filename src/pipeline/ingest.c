/*
 * ingest: the way of a batch from a receiver to the disk. Processors and the connectors that answer
 * at once, then admission by every queue, then the appends; the one place that answers a receiver,
 * and it does so from the last commit's completion.
 */
#include "ingest.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "added_attributes.h"
#include "checkpoints.h"
#include "graph.h"
#include "node/taps.h"
#include "once.h"
#include "processed_items.h"
#include "shards.h"
#include "storage/storage.h"
#include "util/compress/compress.h"
#include "util/metrics/metrics.h"
#include "util/own_spans.h"

struct submission;

struct entry {
    struct submission *submission;
    struct hf_batch *batch;
    const struct hf_pipeline *pipeline;
    struct wal_append append;
};

/* A batch on its way to the queues of its pipelines. Touched by one committer a queue after it was
 * handed over. */
struct submission {
    struct hf_reply *reply;
    struct hf_transport
        *transport; /* NULL: of a queued processor, which no receiver's counters count */
    enum hf_signal signal;
    uint32_t items; /* as received */
    uint64_t received_ns;
    struct hf_span_name *span_name; /* NULL: it is not traced */
    uint64_t span_start_ns;
    bool is_tapped; /* someone looks on; asked once for each submission */
    atomic_uint waiting;
    atomic_int status;                  /* the first failure */
    struct wal_checkpoint *checkpoints; /* NULL: none; of `once` if there is one */
    size_t checkpoint_count;
    struct hf_once *once; /* NULL: its records have no names */
    struct hf_series *repeated;
    uint32_t repeated_items;
    size_t count, capacity;
    struct entry *entries; /* `first`, or memory of its own when connectors made more */
    struct entry first[];
};

static void free_submission(struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++) {
        hf_ref_drop(&submission->entries[i].batch->ref);
    }
    if (submission->entries != submission->first) {
        free(submission->entries);
    }
    if (submission->once != NULL) {
        hf_once_end(submission->once);
    } else {
        free(submission->checkpoints);
    }
    free(submission);
}

static void end_span(const struct submission *submission, enum hf_status status)
{
    struct hf_own_span span = {
        .items = submission->items,
        .transport = submission->transport->name,
        .is_failed = status != HF_OK,
    };
    hf_own_span_end(submission->span_name, submission->span_start_ns, &span,
                    status != HF_OK ? hf_status_row(status)->says : NULL);
}

static void answer(struct submission *submission, enum hf_status status)
{
    struct hf_transport *transport = submission->transport;
    struct hf_reply *reply = submission->reply;
    if (submission->items != 0 && transport != NULL) {
        struct hf_series *series = status == HF_OK ? transport->accepted[submission->signal]
                                                   : transport->refused[submission->signal];
        hf_series_add(series, submission->items);
    }
    if (status == HF_OK && submission->repeated_items != 0 && submission->repeated != NULL) {
        hf_series_add(submission->repeated, submission->repeated_items);
    }
    if (submission->span_start_ns != 0) {
        end_span(submission, status);
    }
    free_submission(submission);
    reply->done(reply, status);
}

static void committed(struct wal_append *append, enum wal_status status)
{
    struct submission *submission = HF_CONTAINER(append, struct entry, append)->submission;
    if (status != WAL_OK) {
        int none = HF_OK;
        atomic_compare_exchange_strong(&submission->status, &none, (int)hf_status_of_wal(status));
    }
    /* acq_rel: the last one sees the failures of the others. */
    if (atomic_fetch_sub_explicit(&submission->waiting, 1, memory_order_acq_rel) == 1) {
        answer(submission, (enum hf_status)atomic_load(&submission->status));
    }
}

/* zstd at rest: a new batch whose wire is one frame. On any failure the plain one will do. */
static struct hf_batch *compress(struct hf_batch *batch)
{
    struct hf_bytes frame = {0};
    struct hf_batch *packed = NULL;
    if (hf_encode(HF_ZSTD, 0, &batch->wire, 1, &frame) == HF_OK) {
        packed = hf_batch_new(batch->signal, frame.size, batch->meta);
    }
    if (packed != NULL) {
        memcpy(hf_batch_room(packed), frame.data, frame.size);
        hf_batch_seal(packed, frame.size, batch->items);
        packed->coding = HF_ZSTD;
        packed->received_ns = batch->received_ns;
    }
    hf_bytes_release(&frame);
    return packed != NULL ? packed : batch;
}

/* Whose space in a queue a batch takes; see struct hf_batch. */
struct tenancy {
    uint64_t tenant;
    uint32_t share;
};

static void note_tenant(const struct hf_batch *batch, struct tenancy *tenancy)
{
    if (batch->tenant != 0) {
        *tenancy = (struct tenancy){batch->tenant, batch->tenant_share};
    }
}

/* How a batch goes through a pipeline. */
struct passing {
    size_t first; /* the processor that it begins at */
    bool is_tapped;
    struct tenancy tenancy;
};

/* Runs the pipeline's processors. HF_OK with NULL: nothing is left of the batch. A reference is the
 * caller's. */
static enum hf_status process(const struct hf_pipeline *pipeline, struct passing *passing,
                              struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct hf_batch *now = batch;
    note_tenant(batch, &passing->tenancy);
    hf_ref_take(&now->ref);
    for (size_t i = passing->first; i < pipeline->processor_count; i++) {
        struct hf_node *node = pipeline->processors[i];
        struct hf_batch *next = NULL;
        enum hf_status status = node->component->processor->process(node->self, now, &next);
        hf_processed_items_count(node, pipeline->signal, now->items,
                                 next == NULL ? 0 : next->items);
        hf_ref_drop(&now->ref);
        if (status != HF_OK || next == NULL || next->items == 0) {
            if (status == HF_OK && next != NULL) {
                hf_ref_drop(&next->ref);
            }
            *ret_batch = NULL;
            return status;
        }
        if (passing->is_tapped) {
            hf_taps_offer_in(node->host, node, pipeline, next);
        }
        note_tenant(next, &passing->tenancy);
        now = next;
    }
    *ret_batch = now;
    return HF_OK;
}

static enum hf_status grow(struct submission *submission)
{
    bool is_first = submission->entries == submission->first;
    size_t capacity = 2 * submission->capacity + 4;
    struct entry *entries =
        reallocarray(is_first ? NULL : submission->entries, capacity, sizeof(*entries));
    if (entries == NULL) {
        return HF_NOMEM;
    }
    if (is_first) {
        memcpy(entries, submission->first, submission->count * sizeof(*entries));
    }
    submission->entries = entries;
    submission->capacity = capacity;
    return HF_OK;
}

/* Notes what the queue of the pipeline is to get. */
static enum hf_status fill(struct submission *submission, const struct hf_pipeline *pipeline,
                           struct hf_batch *batch, const struct tenancy *tenancy)
{
    if (submission->count == submission->capacity && grow(submission) != HF_OK) {
        return HF_NOMEM;
    }
    size_t raw_size = batch->raw.size;
    hf_ref_take(&batch->ref);
    if (pipeline->zstd && batch->coding == HF_IDENTITY && batch->items != 0) {
        struct hf_batch *packed = compress(batch);
        if (packed != batch) {
            hf_ref_drop(&batch->ref);
            batch = packed;
        }
    }
    size_t i = submission->count++;
    submission->entries[i].submission = submission;
    submission->entries[i].batch = batch;
    submission->entries[i].pipeline = pipeline;
    submission->entries[i].append = (struct wal_append){
        .kind = (uint8_t)batch->signal,
        .coding = (uint8_t)batch->coding,
        .items = batch->items,
        .raw_bytes = raw_size,
        .time_ns = batch->received_ns,
        .meta = batch->meta,
        .body = batch->wire,
        .owner = &batch->ref,
        .tenant = tenancy->tenant,
        .tenant_share = tenancy->share,
        .done = committed,
    };
    return HF_OK;
}

/* Notes what the queues of a pipeline with several are to get. */
static enum hf_status fill_shards(struct submission *submission, const struct hf_pipeline *pipeline,
                                  struct hf_batch *batch, const struct tenancy *tenancy)
{
    if (submission->once != NULL || submission->checkpoint_count != 0) {
        return fill(submission, pipeline, batch, tenancy); /* the first has its place */
    }
    struct hf_shard_parts parts;
    enum hf_status status = hf_shards_divide(pipeline->shards, batch, &parts);
    for (size_t i = 0; i < parts.count && status == HF_OK; i++) {
        status = fill(submission, parts.items[i].pipeline, parts.items[i].batch, tenancy);
    }
    hf_shard_parts_release(&parts);
    return status;
}

static void report_refusal(const struct hf_node *node, const struct entry *entry,
                           enum wal_status status)
{
    const struct hf_pipeline *pipeline = entry->pipeline;
    if (status == WAL_FULL || status == WAL_NO_SPACE) {
        hf_node_log_keys(node, HF_LOG_WARN,
                         status == WAL_FULL
                             ? "the queue is full; clients are told to retry"
                             : "the disk of the queue is full; clients are told to retry",
                         HF_LOG_KEYS(HF_LOG_TEXT("pipeline", pipeline->id)));
    }
    if (status == WAL_SHARE) {
        hf_node_log_keys(node, HF_LOG_WARN,
                         "a tenant has its share of the queue; its clients are told to retry",
                         HF_LOG_KEYS(HF_LOG_TEXT("pipeline", pipeline->id)));
    }
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        hf_series_add(pipeline->enqueue_failed[i], entry->append.items);
    }
}

/* Gives the room back in the first `count` queues. */
static void cancel(struct submission *submission, size_t count)
{
    while (count-- > 0) {
        wal_admit_cancel(submission->entries[count].pipeline->wal,
                         &submission->entries[count].append);
    }
}

/* All queues admit it, or none keeps its room. */
static enum hf_status admit(const struct hf_node *node, struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++) {
        enum wal_status status =
            wal_admit(submission->entries[i].pipeline->wal, &submission->entries[i].append);
        if (status != WAL_OK) {
            report_refusal(node, &submission->entries[i], status);
            cancel(submission, i);
            return hf_status_of_wal(status);
        }
    }
    return HF_OK;
}

static struct hf_transport *find_transport(struct hf_node *node, const char *name)
{
    for (size_t i = 0; i < node->transport_count; i++) {
        if (node->transports[i].name == name || strcmp(node->transports[i].name, name) == 0) {
            return &node->transports[i];
        }
    }
    assert(!"the receiver registered this transport in open");
    return NULL;
}

/* ---- through processors and connectors ---- */

struct hf_onward {
    struct submission *submission;
    const struct hf_node *node; /* the connector */
};

/* Gives the batch to the connectors that answer at once. */
static enum hf_status connect(struct submission *submission, const struct hf_pipeline *pipeline,
                              struct hf_batch *batch)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < pipeline->behind_count && status == HF_OK; i++) {
        const struct hf_node *node = pipeline->behind[i];
        const struct hf_connector_ops *ops = node->component->connector;
        struct hf_onward onward = {submission, node};
        if (ops != NULL && ops->connect != NULL) {
            status = ops->connect(node->self, batch, &onward);
        }
    }
    return status;
}

/* Runs the processors of one pipeline and notes what is left for its queue and those behind. */
static enum hf_status process_into(struct submission *submission,
                                   const struct hf_pipeline *pipeline, size_t first,
                                   struct hf_batch *batch)
{
    struct hf_batch *processed = NULL;
    struct passing passing = {.first = first, .is_tapped = submission->is_tapped};
    enum hf_status status =
        batch->items != 0 ? process(pipeline, &passing, batch, &processed) : HF_OK;
    if (processed == NULL) {
        return status;
    }
    if (!pipeline->skips_queue) {
        status = pipeline->shards == NULL
                     ? fill(submission, pipeline, processed, &passing.tenancy)
                     : fill_shards(submission, pipeline, processed, &passing.tenancy);
    }
    if (status == HF_OK) {
        status = connect(submission, pipeline, processed);
    }
    hf_ref_drop(&processed->ref);
    return status;
}

enum hf_status hf_pass_on(struct hf_onward *onward, struct hf_batch *batch,
                          struct hf_pipeline *const *pipelines, size_t count)
{
    enum hf_status status = HF_OK;
    if (onward->submission->is_tapped) {
        hf_taps_offer(onward->node->host, onward->node, batch);
    }
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        status = process_into(onward->submission, pipelines[i], 0, batch);
    }
    return status;
}

/* ---- checkpoints ---- */

/* The last record of a queue has them: what was noted before it is committed before it. A queue
 * that gets none gets a record of no items. */
static enum hf_status add_checkpoints(void *user, struct hf_pipeline *pipeline)
{
    struct submission *submission = user;
    size_t at = 0;
    for (size_t i = 0; i < submission->count; i++) {
        if (submission->entries[i].pipeline == pipeline) {
            submission->entries[i].append.checkpoint_count = 0;
            at = i + 1;
        }
    }
    if (at == 0) {
        struct hf_batch *empty = hf_batch_new(pipeline->signal, 0, HF_EMPTY_SLICE);
        if (empty == NULL) {
            return HF_NOMEM;
        }
        hf_batch_seal(empty, 0, 0);
        empty->received_ns = submission->received_ns;
        enum hf_status status = fill(submission, pipeline, empty, &(const struct tenancy){0});
        hf_ref_drop(&empty->ref);
        if (status != HF_OK) {
            return status;
        }
        at = submission->count;
    }
    submission->entries[at - 1].append.checkpoints = submission->checkpoints;
    submission->entries[at - 1].append.checkpoint_count = submission->checkpoint_count;
    return HF_OK;
}

/* The pipelines that a batch goes to. */
struct destination {
    struct hf_node *node;
    struct hf_pipeline *const *pipelines;
    size_t count;
    size_t first; /* the processor of each that it begins at */
};

static struct submission *new_submission(const struct destination *to, const struct hf_batch *batch,
                                         const struct hf_submit_options *options,
                                         struct hf_reply *reply)
{
    struct submission *submission =
        calloc(1, sizeof(*submission) + to->count * sizeof(submission->first[0]));
    if (submission == NULL ||
        hf_checkpoints_copy(to->node, options, &submission->checkpoints) != HF_OK) {
        free(submission);
        return NULL;
    }
    submission->checkpoint_count = options->checkpoint_count;
    submission->capacity = to->count;
    submission->entries = submission->first;
    submission->reply = reply;
    submission->transport =
        options->transport != NULL ? find_transport(to->node, options->transport) : NULL;
    submission->signal = batch->signal;
    if (submission->transport != NULL) {
        submission->span_name = to->node->span_names[batch->signal];
        submission->span_start_ns = hf_own_span_begin(submission->span_name);
    }
    submission->items = batch->items;
    submission->received_ns = batch->received_ns;
    atomic_init(&submission->status, HF_OK);
    return submission;
}

/* ---- records with names ---- */

static enum hf_status begin_once(const struct destination *to, struct submission *submission,
                                 struct hf_batch *batch, const struct hf_submit_options *options)
{
    assert(options->checkpoint_count == 0 && "the window is the only checkpoint then");
    enum hf_status status = hf_once_begin(hf_storage_arrivals(to->node->host->store),
                                          options->record_names, batch, &submission->once);
    submission->repeated = options->repeated;
    return status;
}

/* Each pipeline gets what is new to its queues, and these the window that tells of it. */
static enum hf_status process_once(const struct destination *to, struct submission *submission,
                                   struct hf_batch *batch)
{
    enum hf_status status = HF_OK;
    uint32_t most = 0;
    for (size_t i = 0; i < to->count && status == HF_OK; i++) {
        struct hf_batch *kept = NULL;
        status = hf_once_keep(submission->once, to->pipelines[i], &kept);
        if (status != HF_OK || kept == NULL) {
            continue;
        }
        most = kept->items > most ? kept->items : most;
        status = process_into(submission, to->pipelines[i], to->first, kept);
        hf_ref_drop(&kept->ref);
        /* Each time: what comes last in a queue has the window. */
        submission->checkpoints = submission->once->checkpoints;
        submission->checkpoint_count = submission->once->checkpoint_count;
        if (status == HF_OK) {
            status = hf_pipelines_each_queue(&to->pipelines[i], 1, add_checkpoints, submission);
        }
    }
    if (status == HF_OK) {
        submission->repeated_items = batch->items - most;
        submission->items = most;
    }
    return status;
}

/* Through all that answers at once, to where it is known what each queue gets. */
static enum hf_status process_all(const struct destination *to, struct submission *submission,
                                  struct hf_batch *batch)
{
    enum hf_status status = HF_OK;
    if (submission->once != NULL) {
        return process_once(to, submission, batch);
    }
    for (size_t i = 0; i < to->count && status == HF_OK; i++) {
        status = process_into(submission, to->pipelines[i], to->first, batch);
    }
    if (status == HF_OK && submission->checkpoint_count != 0) {
        status = hf_pipelines_each_queue(to->pipelines, to->count, add_checkpoints, submission);
    }
    return status;
}

/* Notes what each queue is to get of a batch that came in. */
static enum hf_status begin(const struct destination *to, struct submission *submission,
                            struct hf_batch *from, const struct hf_submit_options *options)
{
    struct hf_node *node = to->node;
    struct hf_batch *batch = NULL;
    enum hf_status status = hf_added_attributes(node, from, &batch);
    if (status != HF_OK) {
        return status;
    }
    submission->is_tapped = hf_taps_are_open(node->host);
    if (submission->is_tapped) {
        hf_taps_offer_in(node->host, node, to->count != 0 ? to->pipelines[0] : NULL, batch);
    }
    if (options->record_names.size != 0) {
        status = begin_once(to, submission, batch, options);
    }
    if (status == HF_OK) {
        status = process_all(to, submission, batch);
    }
    hf_ref_drop(&batch->ref);
    return status;
}

static void submit(const struct destination *to, struct hf_batch *from,
                   const struct hf_submit_options *options, struct hf_reply *reply)
{
    struct hf_node *node = to->node;
    struct submission *submission = new_submission(to, from, options, reply);
    if (submission == NULL) {
        reply->done(reply, HF_NOMEM);
        return;
    }
    enum hf_status status = begin(to, submission, from, options);
    if (status == HF_OK) {
        status = admit(node, submission);
    }
    /* After the admission: a drain that found nothing admitted has seen all that will come. What a
     * queued_processor hands on is no intake. */
    if (status == HF_OK && options->transport != NULL &&
        hf_storage_is_draining(node->host->store)) {
        cancel(submission, submission->count);
        status = HF_CLOSED;
    }
    if (status != HF_OK || submission->count == 0) {
        answer(submission, status);
        return;
    }
    for (size_t i = 0; i < submission->count && submission->is_tapped; i++) {
        const struct entry *entry = &submission->entries[i];
        const struct hf_pipeline *lead = entry->pipeline->lead;
        hf_taps_offer_in(node->host, NULL, lead != NULL ? lead : entry->pipeline, entry->batch);
    }
    /* The submission may be gone as soon as the last append is handed over. */
    size_t count = submission->count;
    atomic_init(&submission->waiting, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        wal_append(submission->entries[i].pipeline->wal, &submission->entries[i].append);
    }
}

void hf_submit(struct hf_node *node, struct hf_batch *batch, const char *transport,
               struct hf_reply *reply)
{
    hf_submit_with(node, batch, &(struct hf_submit_options){.transport = transport}, reply);
}

void hf_submit_with(struct hf_node *node, struct hf_batch *batch,
                    const struct hf_submit_options *options, struct hf_reply *reply)
{
    const struct destination to = {node, node->routes[batch->signal],
                                   node->route_count[batch->signal], 0};
    submit(&to, batch, options, reply);
}

void hf_submit_to(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                  struct hf_batch *batch, struct hf_reply *reply)
{
    const struct destination to = {node, pipelines, count, 0};
    submit(&to, batch, &(struct hf_submit_options){.transport = NULL}, reply);
}

void hf_submit_at(struct hf_node *node, struct hf_pipeline *pipeline, size_t first,
                  struct hf_batch *batch, struct hf_reply *reply)
{
    const struct destination to = {node, &pipeline, 1, first};
    submit(&to, batch, &(struct hf_submit_options){.transport = NULL}, reply);
}
