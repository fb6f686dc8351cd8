#include "reader_batching.h"

/* A backend's usual limit is 4 MiB per message; requests stay below it. */
#define REQUEST_BYTES_MAX ((uint64_t)(4u << 20) - (64u << 10))
#define REQUEST_ITEMS_MAX 8192

static struct hf_series *trigger(struct queue_reader *reader, const char *name, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"processor", reader->pipeline->batching_id}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(reader->delivery->node), &family, labels);
}

/* Under the batch processor's names, though it is each exporter that makes the batches. */
static void make_batch_series(struct queue_reader *reader)
{
    static const double bounds[] = {10,   25,    50,    75,    100,   250,   500,  750,
                                    1000, 2000,  3000,  4000,  5000,  6000,  7000, 8000,
                                    9000, 10000, 20000, 30000, 50000, 100000};
    static const struct hf_metric_family sizes = {
        .name = "otelcol_processor_batch_batch_send_size",
        .type = HF_HISTOGRAM,
        .help = "Items of the requests that exporters made.",
        .bounds = bounds,
        .bound_count = sizeof(bounds) / sizeof(bounds[0])};
    const struct hf_label labels[] = {{"processor", reader->pipeline->batching_id}, {NULL, NULL}};
    reader->batches = (struct batch_series){
        .send_size = hf_metrics_histogram(hf_node_metrics(reader->delivery->node), &sizes, labels),
        .size_trigger = trigger(reader, "otelcol_processor_batch_batch_size_trigger_send",
                                "Requests that were sent because they were large enough."),
        .timeout_trigger = trigger(reader, "otelcol_processor_batch_timeout_trigger_send",
                                   "Requests that were sent because they had waited long enough."),
    };
}

void hf_queue_reader_count_batch(const struct queue_reader *reader,
                                 const struct export_request *request, bool large)
{
    const struct batch_series *batches = &reader->batches;
    struct hf_series *why = large ? batches->size_trigger : batches->timeout_trigger;
    if (batches->send_size != NULL && why != NULL) {
        hf_histogram_observe(batches->send_size, request->export.items);
        hf_series_add(why, 1);
    }
}

static uint64_t lower(uint64_t value, uint64_t limit)
{
    return limit != 0 && limit < value ? limit : value;
}

/* What the protocol or the backend allows, whatever the configuration wants. */
static void apply_own_limits(struct batch_limits *limits, const struct hf_exporter_ops *exporter)
{
    limits->own_bytes_max = exporter->request_bytes_max;
    limits->bytes_max = lower(limits->bytes_max, exporter->request_bytes_max);
    limits->items_max = lower(limits->items_max, exporter->request_items_max);
    limits->items_wanted = lower(limits->items_wanted, exporter->request_items_max);
    limits->bytes_wanted = lower(limits->bytes_wanted, exporter->request_bytes_max);
    limits->wait_ns = lower(limits->wait_ns, exporter->wait_ns_max);
}

void hf_queue_reader_set_batching(struct queue_reader *reader)
{
    const struct hf_queue_batch_config *own = reader->delivery->config->queue.batch;
    const struct hf_exporter_ops *exporter = reader->delivery->node->component->exporter;
    const struct hf_batching *batching =
        reader->pipeline != NULL ? reader->pipeline->batching : NULL;
    struct batch_limits *batch_limits = &reader->batch_limits;
    *batch_limits = (struct batch_limits){.items_max = REQUEST_ITEMS_MAX,
                                          .bytes_max = exporter->request_bytes_max != 0
                                                           ? exporter->request_bytes_max
                                                           : REQUEST_BYTES_MAX};
    if (own != NULL) {
        bool bytes = own->sizer == 1;
        batch_limits->wait_ns = own->flush_timeout_ns;
        batch_limits->keys = own->partition.metadata_keys;
        batch_limits->items_wanted = bytes ? 0 : (uint64_t)own->min_size;
        batch_limits->bytes_wanted = bytes ? (uint64_t)own->min_size : 0;
        batch_limits->items_max =
            !bytes && own->max_size != 0 ? (uint64_t)own->max_size : UINT32_MAX;
        if (bytes && own->max_size != 0) {
            batch_limits->bytes_max = (uint64_t)own->max_size;
        }
    } else if (batching != NULL) {
        batch_limits->wait_ns = batching->timeout_ns;
        batch_limits->keys = batching->metadata_keys;
        batch_limits->items_wanted =
            batching->timeout_ns != 0 ? (uint64_t)batching->send_batch_size : 0;
        batch_limits->items_max = batching->send_batch_max_size != 0
                                      ? (uint64_t)batching->send_batch_max_size
                                      : UINT32_MAX;
        make_batch_series(reader);
    }
    apply_own_limits(batch_limits, exporter);
}

static bool same_values(struct hf_slice a, struct hf_slice b, const char *key)
{
    struct hf_slice left = HF_EMPTY_SLICE;
    struct hf_slice right = HF_EMPTY_SLICE;
    bool has_left = hf_meta_find(a, HF_META_HEADER, key, &left);
    bool has_right = hf_meta_find(b, HF_META_HEADER, key, &right);
    return has_left == has_right && hf_slice_equal(left, right);
}

bool hf_queue_reader_may_mix(const struct queue_reader *reader, const struct in_flight_record *a,
                             const struct in_flight_record *b)
{
    const struct hf_delivery *delivery = reader->delivery;
    struct hf_slice left = a->stored.meta;
    struct hf_slice right = b->stored.meta;
    /* Profiles point into tables of their own request. */
    if (a->stored.kind != b->stored.kind || a->stored.kind == HF_PROFILES) {
        return false;
    }
    if (hf_slice_equal(left, right)) {
        return true;
    }
    for (size_t i = 0; i < reader->batch_limits.keys.count; i++) {
        if (!same_values(left, right, reader->batch_limits.keys.items[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < delivery->context_key_count; i++) {
        if (!same_values(left, right, delivery->context_keys[i])) {
            return false;
        }
    }
    return true;
}
