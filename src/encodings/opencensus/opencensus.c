#include "opencensus.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "opencensus_parts.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* Both requests have the same fields, of spans or metrics. */
enum { REQUEST_NODE = 1, REQUEST_ITEMS = 2, REQUEST_RESOURCE = 3 };
/* Of a node: its process, its library, its service. */
enum { NODE_PROCESS = 1, NODE_LIBRARY = 2, NODE_SERVICE = 3, NODE_ATTRIBUTES = 4 };
enum { PROCESS_HOST = 1, PROCESS_PID = 2, PROCESS_START = 3 };
enum { LIBRARY_LANGUAGE = 1, LIBRARY_EXPORTER = 2, LIBRARY_VERSION = 3, SERVICE_NAME = 1 };
enum { RESOURCE_TYPE = 1, RESOURCE_LABELS = 2, SPAN_RESOURCE = 16, METRIC_RESOURCE = 3 };

/* ---- resources ---- */

static void put(struct census_work *work, const char *key, struct hf_slice text)
{
    if (text.size != 0) {
        hf_build_attribute_string(work->builder, hf_slice_text(key), text);
    }
}

/* Entries of a map; `special`: those that the node tells elsewhere win over the same key here. */
static void put_map(struct census_work *work, struct hf_slice message, uint32_t number,
                    const char *const *special)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice entry;
    while (hf_wire_each(&wire, number, &entry)) {
        struct hf_slice key = hf_wire_find_bytes(entry, 1);
        bool is_special = false;
        for (size_t i = 0; special[i] != NULL; i++) {
            is_special |= hf_slice_is(key, special[i]);
        }
        if (key.size != 0 && !is_special) {
            bool is_zone = number == RESOURCE_LABELS && hf_slice_is(key, "cloud.zone");
            hf_build_attribute_string(work->builder,
                                      is_zone ? LITERAL("cloud.availability_zone") : key,
                                      hf_wire_find_bytes(entry, 2));
        }
    }
}

static bool has_entry(struct hf_slice message, uint32_t number, struct hf_slice key)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice entry;
    while (hf_wire_each(&wire, number, &entry)) {
        if (hf_slice_equal(hf_wire_find_bytes(entry, 1), key)) {
            return true;
        }
    }
    return false;
}

/* Labels of the resource that no attribute of the node replaces. */
static void put_labels(struct census_work *work, struct hf_slice resource,
                       const char *const *special)
{
    struct hf_wire wire = hf_wire_of(resource);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        bool is_label = field.number == RESOURCE_LABELS && field.wire == HF_WIRE_BYTES;
        struct hf_slice key = is_label ? hf_wire_find_bytes(field.bytes, 1) : HF_EMPTY_SLICE;
        if (key.size != 0 && !has_entry(work->node, NODE_ATTRIBUTES, key)) {
            put_map(work, field.whole, RESOURCE_LABELS, special);
        }
    }
}

static void put_start(struct census_work *work, struct hf_slice process)
{
    uint64_t start_ns = census_time(process, PROCESS_START);
    time_t seconds = (time_t)(start_ns / 1000000000u);
    char text[64];
    struct tm parts;
    if (start_ns == 0 || gmtime_r(&seconds, &parts) == NULL) {
        return;
    }
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    unsigned nanos = (unsigned)(start_ns % 1000000000u);
    if (nanos != 0) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, ".%09u", nanos);
        while (text[size - 1] == '0') {
            size--;
        }
    }
    text[size++] = 'Z';
    put(work, "opencensus.starttime", hf_slice_of(text, size));
}

static void put_node(struct census_work *work)
{
    static const char *const languages[] = {NULL,     "cpp", "dotnet", "erlang", "go",   "java",
                                            "nodejs", "php", "python", "ruby",   "webjs"};
    struct hf_slice process = hf_wire_find_bytes(work->node, NODE_PROCESS);
    struct hf_slice library = hf_wire_find_bytes(work->node, NODE_LIBRARY);
    uint64_t pid = hf_wire_find_bits(process, PROCESS_PID);
    uint64_t language = hf_wire_find_bits(library, LIBRARY_LANGUAGE);
    put(work, "service.name",
        hf_wire_find_bytes(hf_wire_find_bytes(work->node, NODE_SERVICE), SERVICE_NAME));
    put_start(work, process);
    put(work, "host.name", hf_wire_find_bytes(process, PROCESS_HOST));
    if (pid != 0) {
        hf_build_attribute_int(work->builder, LITERAL("process.pid"), (int64_t)pid);
    }
    put(work, "telemetry.sdk.version", hf_wire_find_bytes(library, LIBRARY_VERSION));
    put(work, "opencensus.exporterversion", hf_wire_find_bytes(library, LIBRARY_EXPORTER));
    if (language > 0 && language < sizeof(languages) / sizeof(languages[0])) {
        put(work, "telemetry.sdk.language", hf_slice_text(languages[language]));
    }
}

/* Opens a resource and a scope, of the node and that resource. */
static void open_resource(struct census_work *work, struct hf_slice resource)
{
    const char *special[9] = {NULL};
    size_t count = 0;
    struct hf_slice process = hf_wire_find_bytes(work->node, NODE_PROCESS);
    struct hf_slice library = hf_wire_find_bytes(work->node, NODE_LIBRARY);
    struct hf_slice service = hf_wire_find_bytes(work->node, NODE_SERVICE);
    const struct {
        const char *key;
        bool is_told;
    } told[] = {
        {"service.name", hf_wire_find_bytes(service, SERVICE_NAME).size != 0},
        {"opencensus.starttime", census_time(process, PROCESS_START) != 0},
        {"host.name", hf_wire_find_bytes(process, PROCESS_HOST).size != 0},
        {"process.pid", hf_wire_find_bits(process, PROCESS_PID) != 0},
        {"telemetry.sdk.version", hf_wire_find_bytes(library, LIBRARY_VERSION).size != 0},
        {"opencensus.exporterversion", hf_wire_find_bytes(library, LIBRARY_EXPORTER).size != 0},
        {"telemetry.sdk.language", hf_wire_find_bits(library, LIBRARY_LANGUAGE) != 0},
        {"opencensus.resourcetype", hf_wire_find_bytes(resource, RESOURCE_TYPE).size != 0},
    };
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (told[i].is_told) {
            special[count++] = told[i].key;
        }
    }
    hf_build_resource(work->builder, HF_EMPTY_SLICE);
    put_labels(work, resource, special);
    put_map(work, work->node, NODE_ATTRIBUTES, special);
    put_node(work);
    put(work, "opencensus.resourcetype", hf_wire_find_bytes(resource, RESOURCE_TYPE));
    hf_build_scope(work->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

/* ---- requests ---- */

/* The node and the resource that hold from now on, in `kept` as fields of a request. */
static enum hf_status keep(struct census_work *work, struct hf_slice request, struct hf_bytes *kept)
{
    static const uint32_t numbers[] = {REQUEST_NODE, REQUEST_RESOURCE};
    struct hf_bytes fresh = {0};
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    struct hf_slice old = hf_slice_of(kept->data, kept->size);
    for (size_t i = 0; i < 2 && status == HF_OK; i++) {
        if (hf_wire_find(request, numbers[i], &field) || hf_wire_find(old, numbers[i], &field)) {
            status = hf_bytes_append(&fresh, field.whole);
        }
    }
    if (status == HF_OK && fresh.size > HF_OPENCENSUS_KEPT_MAX) {
        snprintf(work->reterr, HF_OPENCENSUS_ERROR_MAX,
                 "node and resource are larger than 65536 bytes");
        status = HF_INVALID;
    }
    if (status != HF_OK) {
        hf_bytes_release(&fresh);
        return status;
    }
    hf_bytes_release(kept);
    *kept = fresh;
    return HF_OK;
}

static enum hf_status read_items(struct census_work *work, struct hf_slice request, bool are_own)
{
    bool is_span = work->builder->signal == HF_TRACES;
    uint32_t number = is_span ? SPAN_RESOURCE : METRIC_RESOURCE;
    struct hf_wire wire = hf_wire_of(request);
    struct hf_wire_field own;
    struct hf_slice item;
    enum hf_status status = HF_OK;
    if (!are_own) {
        open_resource(work, work->resource);
    }
    while (status == HF_OK && hf_wire_each(&wire, REQUEST_ITEMS, &item)) {
        if (!hf_wire_is_whole(item)) {
            return census_malformed(work);
        }
        if (hf_wire_find(item, number, &own) != are_own) {
            continue;
        }
        if (are_own) {
            open_resource(work, own.bytes);
        }
        status = is_span ? census_span(work, item) : census_metric(work, item);
    }
    return status;
}

enum hf_status hf_opencensus_read(struct hf_slice request, struct hf_bytes *kept,
                                  struct hf_builder *builder, char *reterr)
{
    struct census_work work = {.builder = builder, .reterr = reterr};
    struct hf_wire_field node;
    if (!hf_wire_is_whole(request)) {
        return census_malformed(&work);
    }
    if (kept->size == 0 && !hf_wire_find(request, REQUEST_NODE, &node)) {
        snprintf(reterr, HF_OPENCENSUS_ERROR_MAX, "the first message of the stream has no node");
        return HF_INVALID;
    }
    enum hf_status status = keep(&work, request, kept);
    if (status == HF_OK) {
        struct hf_slice known = hf_slice_of(kept->data, kept->size);
        work.node = hf_wire_find_bytes(known, REQUEST_NODE);
        work.resource = hf_wire_find_bytes(known, REQUEST_RESOURCE);
        status = read_items(&work, request, false);
    }
    status = status == HF_OK ? read_items(&work, request, true) : status;
    hf_bytes_release(&work.text);
    return status;
}
