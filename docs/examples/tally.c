/*
 * tally: a connector that makes a metric of each request of spans or log records: how many there
 * were.
 *
 * It stands between two queues. A request stays in the first one until its metric is durable in the
 * second, so a kill loses neither. All of it runs on the connector's own thread.
 */
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "pdata/message.h"

/* Field numbers of OTLP. */
enum { RESOURCE_METRICS = 1, SCOPE_METRICS = 2, METRICS = 2 };
enum { METRIC_NAME = 1, METRIC_UNIT = 3, METRIC_SUM = 7 };
enum { SUM_POINTS = 1, SUM_TEMPORALITY = 2, SUM_IS_MONOTONIC = 3, TEMPORALITY_DELTA = 1 };
enum { POINT_TIME = 3, POINT_AS_INT = 6 };

struct tally {
    struct hf_node *node;
};

/* A metric on its way, and the request that it counts. */
struct sent {
    struct hf_output output;
    struct hf_input *input;
};

static enum hf_status open_tally(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    (void)config;
    (void)reterr;
    struct tally *tally = calloc(1, sizeof(*tally));
    if (tally == NULL) {
        return HF_NOMEM;
    }
    tally->node = node;
    *ret_self = tally;
    return HF_OK;
}

/* HF_CLOSED: the graph is stopping. The request is given to the connector again after the start. */
static void sent_done(struct hf_output *output, enum hf_status status)
{
    struct sent *sent = HF_CONTAINER(output, struct sent, output);
    if (status != HF_CLOSED) {
        hf_input_done(sent->input, 0);
    }
    free(sent);
}

static void fill(struct hf_message *root, const struct hf_batch *counted)
{
    struct hf_message *resource = hf_message_append(root, RESOURCE_METRICS);
    struct hf_message *metric =
        hf_message_append(hf_message_append(resource, SCOPE_METRICS), METRICS);
    hf_message_set_bytes(metric, METRIC_NAME, hf_slice_text("tally.items"));
    hf_message_set_bytes(metric, METRIC_UNIT, hf_slice_text("{item}"));
    struct hf_message *sum = hf_message_need(metric, METRIC_SUM);
    hf_message_set_u64(sum, SUM_IS_MONOTONIC, 1);
    hf_message_set_u64(sum, SUM_TEMPORALITY, TEMPORALITY_DELTA);
    struct hf_message *point = hf_message_append(sum, SUM_POINTS);
    hf_message_set_u64(point, POINT_TIME, counted->received_ns);
    hf_message_set_i64(point, POINT_AS_INT, counted->items);
}

static enum hf_status make_metric(struct hf_batch *counted, struct hf_batch **ret_batch)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, HF_EMPTY_SLICE);
    if (document == NULL) {
        return HF_NOMEM;
    }
    fill(hf_document_root(document), counted);
    enum hf_status status = hf_document_batch(document, counted, ret_batch);
    hf_document_return(document);
    return status;
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    const struct tally *tally = self;
    struct hf_batch *metric = NULL;
    struct sent *sent = calloc(1, sizeof(*sent));
    enum hf_status status = sent != NULL ? make_metric(input->batch, &metric) : HF_NOMEM;
    if (status != HF_OK) {
        free(sent);
        return status; /* it is offered again */
    }
    sent->output.done = sent_done;
    sent->input = input;
    hf_emit(tally->node, metric, &sent->output);
    hf_ref_drop(&metric->ref);
    return HF_OK;
}

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {[HF_TRACES] = HF_SIGNAL_BIT(HF_METRICS), [HF_LOGS] = HF_SIGNAL_BIT(HF_METRICS)},
};

const struct hf_component hf_connector_tally = {
    .type = "tally",
    .help = "Counts the spans and log records of each request in a metric.",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_LOGS),
    .open = open_tally,
    .close = free,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
