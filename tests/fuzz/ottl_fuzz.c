/*
 * Must reach hf_ottl_new(), hf_ottl_execute_all() and hf_document_write(). The first byte chooses
 * the context and whether the text is a statement or a condition; the rest is the text, which runs
 * over a request of one item. Whatever it does, what is written must pass the scan, or be refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ottl/ottl.h"
#include "pdata/json.h"
#include "pdata/scan.h"

static const char *const requests[] = {
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\",\"attributes\":[{\"key\":"
    "\"a\","
    "\"value\":{\"stringValue\":\"text "
    "1\"}},{\"key\":\"m\",\"value\":{\"kvlistValue\":{\"values\":["
    "{\"key\":\"b\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":1}]}}}]}}}],\"events\":[{"
    "\"name\":\"e\"}]}]}]}]}",
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"a\",\"histogram\":{"
    "\"aggregationTemporality\":2,\"dataPoints\":[{\"count\":3,\"sum\":5,\"bucketCounts\":[1,2],"
    "\"explicitBounds\":[1]}]}}]}]}]}",
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"{\\\"a\\\":1}"
    "\"},\"severityNumber\":9}]}]}]}",
    "{\"resourceProfiles\":[{\"scopeProfiles\":[{\"profiles\":[{\"sampleType\":{\"typeStrindex\":1}"
    ","
    "\"samples\":[{}],\"period\":\"3\",\"attributeIndices\":[0,5]}]}]}],\"dictionary\":{"
    "\"stringTable\":[\"\",\"a\"],\"attributeTable\":[{\"keyStrindex\":1,\"value\":{\"arrayValue\":"
    "{"
    "\"values\":[{\"intValue\":1}]}}}]}}"};

static enum hf_signal signal_of(enum hf_path_context context)
{
    return context == HF_PATH_LOG                                      ? HF_LOGS
           : context == HF_PATH_PROFILE                                ? HF_PROFILES
           : context == HF_PATH_METRIC || context == HF_PATH_DATAPOINT ? HF_METRICS
                                                                       : HF_TRACES;
}

static void run_over(const struct hf_ottl *ottl, enum hf_signal signal)
{
    struct hf_bytes raw = {0}, out = {0};
    char error[HF_JSON_ERROR_MAX];
    struct hf_scan scan;
    struct hf_ottl_run run;
    bool any;
    if (hf_json_to_proto(signal, hf_slice_text(requests[signal]), 1 << 20, &raw, error) != HF_OK) {
        abort();
    }
    struct hf_document *document = hf_document_borrow(signal, hf_slice_of(raw.data, raw.size));
    struct hf_place place = {.document = document};
    if (document == NULL || !hf_place_next_item(&place)) {
        abort();
    }
    if (signal == HF_TRACES && !hf_place_next_event(&place)) {
        abort();
    }
    hf_ottl_begin(&run, document);
    hf_ottl_enter(&run, &place);
    if (hf_ottl_any(ottl, &run, HF_OTTL_IGNORE, NULL, &any) == HF_INVALID ||
        hf_ottl_execute_all(ottl, &run, HF_OTTL_IGNORE, NULL) == HF_INVALID) {
        abort(); /* errors are ignored */
    }
    hf_ottl_end(&run);
    if (hf_document_status(document) == HF_OK && hf_document_write(document, &out) == HF_OK &&
        hf_scan(signal, hf_slice_of(out.data, out.size), &scan) != HF_OK) {
        abort();
    }
    hf_document_return(document);
    hf_bytes_release(&raw);
    hf_bytes_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024], error[HF_ERROR_MAX];
    const char *texts[] = {text};
    struct hf_ottl *ottl = NULL;
    if (size < 2 || size > sizeof(text)) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    enum hf_path_context context = (enum hf_path_context)((data[0] & 0x7f) % HF_PATH_CONTEXT_COUNT);
    context = context == HF_PATH_EXEMPLAR ? HF_PATH_DATAPOINT : context;
    struct hf_ottl_source source = {
        .context = context, .functions = HF_OTTL_EDITORS | HF_OTTL_METRIC_EDITORS, .name = "texts"};
    if ((data[0] & 0x80) != 0) {
        source.conditions = (struct hf_string_list){texts, 1};
    } else {
        source.statements = (struct hf_string_list){texts, 1};
    }
    if (hf_ottl_new(&source, &ottl, error) == HF_OK) {
        run_over(ottl, signal_of(context));
    }
    hf_ottl_free(ottl);
    return 0;
}
