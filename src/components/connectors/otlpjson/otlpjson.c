/*
 * otlpjson: a connector that reads log records whose bodies are Export requests as OTLP/JSON, and
 * passes those requests on: each to the pipelines of its signal.
 *
 * It keeps nothing and has no queue: the sender is told OK when the queues of the pipelines behind
 * have what was made of its batch. A record that is no request goes nowhere, and is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/document.h"
#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/walk.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define REQUEST_BYTES_MAX ((size_t)128 << 20) /* as protobuf, of all records of a batch */
#define SAY_NS (60 * HF_NS_PER_S)

enum { LOG_BODY = 5 }; /* of OTLP */

enum reason { INVALID, UNWANTED, REASON_COUNT };

struct otlpjson {
    const struct hf_node *node;
    struct hf_series *dropped[REASON_COUNT];
    struct hf_log_limiter said;
};

/* What the records of one batch are as requests of a signal: they concatenate. */
struct requests {
    struct hf_bytes bytes;
    uint32_t items;
};

/* ---- what a body is ---- */

static const char *const first_keys[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = "\"resourceSpans\"",
    [HF_METRICS] = "\"resourceMetrics\"",
    [HF_LOGS] = "\"resourceLogs\"",
};

static bool take_text(struct hf_slice *text, const char *word)
{
    size_t size = strlen(word);
    if (text->size < size || memcmp(text->data, word, size) != 0) {
        return false;
    }
    *text = hf_slice_of(text->data + size, text->size - size);
    while (text->size > 0 && memchr(" \t\n\f\r", text->data[0], 5) != NULL) {
        *text = hf_slice_of(text->data + 1, text->size - 1);
    }
    return true;
}

/* By its first key, as the Go collector has it. HF_SIGNAL_COUNT: it is no request. */
static int signal_of(struct hf_slice body)
{
    if (!take_text(&body, "{")) {
        return HF_SIGNAL_COUNT;
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct hf_slice rest = body;
        if (first_keys[signal] != NULL && take_text(&rest, first_keys[signal]) &&
            take_text(&rest, ":") && take_text(&rest, "[")) {
            return signal;
        }
    }
    return HF_SIGNAL_COUNT;
}

/* ---- one batch ---- */

static void drop(struct otlpjson *otlpjson, enum reason reason, const char *why)
{
    if (otlpjson->dropped[reason] != NULL) {
        hf_series_add(otlpjson->dropped[reason], 1);
    }
    if (hf_log_limiter_allows(&otlpjson->said, "record", why, hf_clock_coarse_ns())) {
        hf_node_log(otlpjson->node, HF_LOG_ERROR,
                    "a log record is dropped: %s; further ones are counted, and said once a minute",
                    why);
    }
}

static bool is_wanted(const struct otlpjson *otlpjson, enum hf_signal signal)
{
    size_t count = 0;
    hf_node_outputs(otlpjson->node, signal, &count);
    return count > 0;
}

/* HF_NOMEM, HF_TOO_LARGE: the whole batch is refused. What is no request is dropped. */
static enum hf_status add_body(struct otlpjson *otlpjson, struct hf_slice body,
                               struct requests *requests)
{
    char why[HF_JSON_ERROR_MAX] = "its body is no request of OTLP/JSON";
    int signal = signal_of(body);
    if (signal == HF_SIGNAL_COUNT) {
        drop(otlpjson, INVALID, why);
        return HF_OK;
    }
    if (!is_wanted(otlpjson, (enum hf_signal)signal)) {
        drop(otlpjson, UNWANTED, "no pipeline behind the connector takes its signal");
        return HF_OK;
    }
    struct requests *own = &requests[signal];
    size_t before = own->bytes.size;
    struct hf_scan found = {0};
    enum hf_status status =
        hf_json_to_proto((enum hf_signal)signal, body, REQUEST_BYTES_MAX, &own->bytes, why);
    if (status == HF_OK) {
        snprintf(why, sizeof(why), "a text in it is not UTF-8, or an id has a wrong size");
        status = hf_scan((enum hf_signal)signal,
                         hf_slice_of(own->bytes.data + before, own->bytes.size - before), &found);
    }
    if (status == HF_INVALID) {
        own->bytes.size = before;
        drop(otlpjson, INVALID, why);
        return HF_OK;
    }
    own->items += status == HF_OK ? found.items : 0;
    return status;
}

static enum hf_status read_records(struct otlpjson *otlpjson, const struct hf_batch *batch,
                                   struct requests *requests)
{
    struct hf_document *document = hf_document_borrow(HF_LOGS, batch->raw);
    struct hf_bytes text = {0};
    enum hf_status status = document != NULL ? HF_OK : HF_NOMEM;
    struct hf_place place = {.document = document};
    while (status == HF_OK && hf_place_next_item(&place)) {
        text.size = 0;
        status = hf_any_text(hf_message_any(place.item, LOG_BODY), &text);
        if (status == HF_OK) {
            status = add_body(otlpjson, hf_slice_of(text.data, text.size), requests);
        }
    }
    hf_bytes_release(&text);
    if (document != NULL) {
        hf_document_return(document);
    }
    return status;
}

static enum hf_status pass_requests(const struct otlpjson *otlpjson, const struct hf_batch *source,
                                    enum hf_signal signal, const struct requests *requests,
                                    struct hf_onward *onward)
{
    struct hf_batch *batch = hf_batch_new(signal, requests->bytes.size, source->meta);
    if (batch == NULL) {
        return HF_NOMEM;
    }
    memcpy(hf_batch_room(batch), requests->bytes.data, requests->bytes.size);
    hf_batch_seal(batch, requests->bytes.size, requests->items);
    batch->received_ns = source->received_ns;
    batch->tenant = source->tenant;
    batch->tenant_share = source->tenant_share;
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(otlpjson->node, signal, &count);
    enum hf_status status = hf_pass_on(onward, batch, outputs, count);
    hf_ref_drop(&batch->ref);
    return status;
}

static enum hf_status connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    struct otlpjson *otlpjson = self;
    struct requests requests[HF_SIGNAL_COUNT] = {0};
    enum hf_status status = read_records(otlpjson, batch, requests);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if (status == HF_OK && requests[signal].items > 0) {
            status =
                pass_requests(otlpjson, batch, (enum hf_signal)signal, &requests[signal], onward);
        }
        hf_bytes_release(&requests[signal].bytes);
    }
    return status;
}

/* ---- life ---- */

static const struct hf_metric_family dropped_family = {
    .name = "holdfast_connector_otlpjson_dropped",
    .type = HF_COUNTER,
    .unit = "",
    .help = "Log records that went nowhere: their body is no request of OTLP/JSON, or of a signal "
            "that no pipeline behind the connector takes.",
};

static enum hf_status open_otlpjson(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    static const char *const reasons[REASON_COUNT] = {"invalid", "no_pipeline"};
    struct otlpjson *otlpjson = calloc(1, sizeof(*otlpjson));
    (void)config;
    (void)reterr;
    if (otlpjson == NULL) {
        return HF_NOMEM;
    }
    otlpjson->node = node;
    hf_log_limiter_init(&otlpjson->said, SAY_NS);
    for (int i = 0; hf_node_metrics(node) != NULL && i < REASON_COUNT; i++) {
        const struct hf_label labels[] = {
            {"connector", hf_node_id(node)}, {"reason", reasons[i]}, {NULL, NULL}};
        otlpjson->dropped[i] = hf_metrics_series(hf_node_metrics(node), &dropped_family, labels);
    }
    *ret_self = otlpjson;
    return HF_OK;
}

static void close_otlpjson(void *self)
{
    struct otlpjson *otlpjson = self;
    hf_log_limiter_release(&otlpjson->said);
    free(otlpjson);
}

static const struct hf_connector_ops connector_ops = {
    .makes = {[HF_LOGS] =
                  HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS)},
    .connect = connect,
};

const struct hf_component hf_connector_otlpjson = {
    .type = "otlpjson",
    .help = "Reads log records whose bodies are requests of OTLP/JSON, and passes on the traces, "
            "metrics and logs in them.",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .open = open_otlpjson,
    .close = close_otlpjson,
    .connector = &connector_ops,
};
