#include "otlpjson_line.h"

#include <stdio.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/walk.h"

enum { METRIC_METADATA = 12 }; /* of OTLP */

static bool has(struct hf_slice line, const char *word)
{
    return memmem(line.data, line.size, word, strlen(word)) != NULL;
}

bool otlpjson_is_of(enum hf_signal signal, struct hf_slice line)
{
    static const char *const keys[HF_SIGNAL_COUNT][2] = {
        [HF_TRACES] = {"\"resourceSpans\"", "\"resource_spans\""},
        [HF_METRICS] = {"\"resourceMetrics\"", "\"resource_metrics\""},
        [HF_LOGS] = {"\"resourceLogs\"", "\"resource_logs\""},
        [HF_PROFILES] = {"\"resourceProfiles\"", "\"resource_profiles\""},
    };
    return has(line, keys[signal][0]) || has(line, keys[signal][1]);
}

bool otlpjson_is_request(struct hf_slice line)
{
    return otlpjson_is_of(HF_TRACES, line) || otlpjson_is_of(HF_METRICS, line) ||
           otlpjson_is_of(HF_LOGS, line) || otlpjson_is_of(HF_PROFILES, line);
}

/* ---- attributes ---- */

struct adding {
    struct hf_visitor visitor;
    const struct hf_any_pair *pairs;
    size_t count;
};

static void add_to(const struct adding *adding, struct hf_message *message, uint32_t number)
{
    struct hf_attributes *attributes = hf_message_attributes(message, number);
    for (size_t i = 0; attributes != NULL && i < adding->count; i++) {
        hf_attributes_set(attributes, adding->pairs[i].key, adding->pairs[i].value);
    }
}

/* Of a metric its metadata. */
static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    add_to(HF_CONTAINER(visitor, struct adding, visitor), place->metric, METRIC_METADATA);
    return HF_VISIT_SKIP;
}

static enum hf_visit see_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    add_to(HF_CONTAINER(visitor, struct adding, visitor), place->item,
           hf_message_attributes_number(hf_message_type(place->item)));
    return HF_VISIT_KEEP;
}

static enum hf_status append_with(struct otlpjson_requests *requests, enum hf_signal signal,
                                  struct hf_slice raw, const struct hf_any_pair *attributes,
                                  size_t attribute_count)
{
    struct hf_document *document = hf_document_borrow(signal, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct adding adding = {
        .visitor = {.item = see_item}, .pairs = attributes, .count = attribute_count};
    if (signal == HF_METRICS) {
        adding.visitor = (struct hf_visitor){.metric = see_metric};
    }
    hf_walk(document, &adding.visitor);
    enum hf_status status = hf_document_write(document, &requests->bytes);
    hf_document_return(document);
    return status;
}

enum hf_status otlpjson_add(struct otlpjson_requests *requests, enum hf_signal signal,
                            struct hf_slice line, const struct hf_any_pair *attributes,
                            size_t attribute_count, char *reterr)
{
    struct hf_bytes raw = {0};
    struct hf_scan found = {0};
    enum hf_status status = hf_json_to_proto(signal, line, OTLPJSON_BYTES_MAX, &raw, reterr);
    if (status == HF_OK) {
        snprintf(reterr, HF_JSON_ERROR_MAX, "a text in it is not UTF-8, or an id has a wrong size");
        status = hf_scan(signal, hf_slice_of(raw.data, raw.size), &found);
    }
    if (status == HF_OK && found.items > 0) {
        status = append_with(requests, signal, hf_slice_of(raw.data, raw.size), attributes,
                             attribute_count);
        requests->items += status == HF_OK ? found.items : 0;
    }
    hf_bytes_release(&raw);
    return status;
}
