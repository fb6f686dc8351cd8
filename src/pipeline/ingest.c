/*
 * ingest: the way of a batch from a receiver to the disk. Processors, then admission by every
 * queue, then the appends; the one place that answers a receiver, and it does so from the last
 * commit's completion.
 */
#include "ingest.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/node.h>

#include "graph.h"
#include "storage/storage.h"
#include "util/compress.h"
#include "util/metrics.h"

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
    atomic_uint waiting;
    atomic_int status;                  /* the first failure */
    struct wal_checkpoint *checkpoints; /* NULL: none */
    size_t checkpoint_count;
    size_t count;
    struct entry entries[];
};

static void answer(struct submission *submission, enum hf_status status)
{
    struct hf_transport *transport = submission->transport;
    struct hf_reply *reply = submission->reply;
    if (submission->items != 0 && transport != NULL) {
        struct hf_series *series = status == HF_OK ? transport->accepted[submission->signal]
                                                   : transport->refused[submission->signal];
        hf_series_add(series, submission->items);
    }
    for (size_t i = 0; i < submission->count; i++) {
        hf_ref_drop(&submission->entries[i].batch->ref);
    }
    free(submission->checkpoints);
    free(submission);
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

/* Runs the pipeline's processors. HF_OK with NULL: nothing is left of the batch. A reference is the
 * caller's. */
static enum hf_status process(const struct hf_pipeline *pipeline, struct hf_batch *batch,
                              struct hf_batch **ret_batch)
{
    struct hf_batch *now = batch;
    hf_ref_take(&now->ref);
    for (size_t i = 0; i < pipeline->processor_count; i++) {
        struct hf_node *node = pipeline->processors[i];
        struct hf_batch *next = NULL;
        enum hf_status status = node->component->processor->process(node->self, now, &next);
        hf_ref_drop(&now->ref);
        if (status != HF_OK || next == NULL || next->items == 0) {
            if (status == HF_OK && next != NULL) {
                hf_ref_drop(&next->ref);
            }
            *ret_batch = NULL;
            return status;
        }
        now = next;
    }
    *ret_batch = now;
    return HF_OK;
}

static void fill(struct submission *submission, struct hf_pipeline *pipeline,
                 struct hf_batch *batch)
{
    size_t raw_size = batch->raw.size;
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
        .checkpoints = submission->checkpoints,
        .checkpoint_count = submission->checkpoint_count,
        .done = committed,
    };
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

/* The queue's name of a checkpoint: the receiver's id, a zero byte, the receiver's own name. */
static size_t write_name(const struct hf_node *node, struct hf_slice name, char *out)
{
    size_t id_size = strlen(node->id) + 1;
    memcpy(out, node->id, id_size);
    memcpy(out + id_size, name.data, name.size);
    return id_size + name.size;
}

/* Checkpoints with their names behind them, in one piece. */
static enum hf_status copy_checkpoints(const struct hf_node *node, struct submission *submission,
                                       const struct hf_submit_options *options)
{
    size_t count = options->checkpoint_count;
    if (count == 0) {
        return HF_OK;
    }
    size_t size = count * (sizeof(struct wal_checkpoint) + strlen(node->id) + 1);
    for (size_t i = 0; i < count; i++) {
        size += options->checkpoints[i].name.size;
    }
    struct wal_checkpoint *copies = malloc(size);
    if (copies == NULL) {
        return HF_NOMEM;
    }
    char *names = (char *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        size_t name_size = write_name(node, options->checkpoints[i].name, names);
        copies[i] = (struct wal_checkpoint){.name = hf_slice_of(names, name_size),
                                            .value = options->checkpoints[i].value};
        names += name_size;
    }
    submission->checkpoints = copies;
    submission->checkpoint_count = count;
    return HF_OK;
}

/* A record of no items, which carries checkpoints. */
static struct hf_batch *new_empty_batch(const struct hf_batch *like)
{
    struct hf_batch *batch = hf_batch_new(like->signal, 0, HF_EMPTY_SLICE);
    if (batch != NULL) {
        hf_batch_seal(batch, 0, 0);
        batch->received_ns = like->received_ns;
    }
    return batch;
}

/* Runs the processors of one pipeline and notes what is left for its queue. */
static enum hf_status process_into(struct submission *submission, struct hf_pipeline *pipeline,
                                   struct hf_batch *batch)
{
    struct hf_batch *processed = NULL;
    enum hf_status status = batch->items != 0 ? process(pipeline, batch, &processed) : HF_OK;
    if (status == HF_OK && processed == NULL && submission->checkpoint_count != 0) {
        processed = new_empty_batch(batch);
        status = processed != NULL ? HF_OK : HF_NOMEM;
    }
    if (processed != NULL) {
        fill(submission, pipeline, processed);
    }
    return status;
}

/* The pipelines that a batch goes to. */
struct destination {
    struct hf_node *node;
    struct hf_pipeline *const *pipelines;
    size_t count;
};

static struct submission *new_submission(const struct destination *to, const struct hf_batch *batch,
                                         const struct hf_submit_options *options,
                                         struct hf_reply *reply)
{
    struct submission *submission =
        calloc(1, sizeof(*submission) + to->count * sizeof(submission->entries[0]));
    if (submission == NULL || copy_checkpoints(to->node, submission, options) != HF_OK) {
        free(submission);
        return NULL;
    }
    submission->reply = reply;
    submission->transport =
        options->transport != NULL ? find_transport(to->node, options->transport) : NULL;
    submission->signal = batch->signal;
    submission->items = batch->items;
    atomic_init(&submission->status, HF_OK);
    return submission;
}

static void submit(const struct destination *to, struct hf_batch *batch,
                   const struct hf_submit_options *options, struct hf_reply *reply)
{
    struct hf_node *node = to->node;
    struct submission *submission = new_submission(to, batch, options, reply);
    if (submission == NULL) {
        reply->done(reply, HF_NOMEM);
        return;
    }
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < to->count && status == HF_OK; i++) {
        status = process_into(submission, to->pipelines[i], batch);
    }
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
                                   node->route_count[batch->signal]};
    submit(&to, batch, options, reply);
}

void hf_submit_to(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                  struct hf_batch *batch, struct hf_reply *reply)
{
    const struct destination to = {node, pipelines, count};
    submit(&to, batch, &(struct hf_submit_options){.transport = NULL}, reply);
}

enum hf_status hf_node_checkpoint_each(const struct hf_node *node, struct hf_slice name,
                                       void (*visit)(void *user, struct hf_slice value), void *user)
{
    char full[WAL_NAME_BYTES_MAX];
    if (strlen(node->id) + 1 + name.size > sizeof(full)) {
        return HF_TOO_LARGE;
    }
    size_t full_size = write_name(node, name, full);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (size_t i = 0; i < node->route_count[signal]; i++) {
            uint8_t value[HF_CHECKPOINT_BYTES_MAX];
            size_t size = 0;
            enum wal_status status = wal_checkpoint_get(node->routes[signal][i]->wal,
                                                        hf_slice_of(full, full_size), value, &size);
            visit(user, hf_slice_of(value, status == WAL_OK ? size : 0));
        }
    }
    return HF_OK;
}
