#include "record.h"

#include <string.h>

#include <holdfast/component.h>

#include "endpoint_tally.h"

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8sclusterreceiver"
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.27.0"
#define TEXT_MAX 1024u /* of one attribute */

const struct hf_metric_row cluster_rows[] = {CLUSTER_METRICS(HF_METRIC_ROW)};
static const char *const resource_names[] = {CLUSTER_RESOURCES(HF_RESOURCE_NAME)};

enum entry_kind {
    ENTRY_RESOURCE = 0,
    ENTRY_NAME,
    ENTRY_FLAG,
    ENTRY_INT,
    ENTRY_DOUBLE,
    ENTRY_ENDPOINTS,
    ENTRY_SLICE,
};

/* What stands in the bytes; the texts follow it. */
struct entry {
    uint8_t kind;
    uint16_t id;
    uint16_t space_size, part_size;
    union {
        int64_t integer;
        double number;
        struct {
            uint16_t ready, serving, terminating;
        };
    };
};

/* ---- making ---- */

static struct hf_slice cut(struct hf_slice text)
{
    return hf_slice_of(text.data, text.size < TEXT_MAX ? text.size : TEXT_MAX);
}

static void put(struct record *record, const struct entry *entry, struct hf_slice space,
                struct hf_slice part)
{
    const struct hf_slice pieces[] = {hf_slice_of((const uint8_t *)entry, sizeof(*entry)), space,
                                      part};
    for (size_t i = 0; i < 3 && !record->failed; i++) {
        record->failed = hf_bytes_append(&record->bytes, pieces[i]) != HF_OK;
    }
}

void record_resource(struct record *record)
{
    const struct entry entry = {.kind = ENTRY_RESOURCE};
    put(record, &entry, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

void record_name(struct record *record, unsigned id, struct hf_slice text)
{
    text = cut(text);
    const struct entry entry = {
        .kind = ENTRY_NAME, .id = (uint16_t)id, .part_size = (uint16_t)text.size};
    put(record, &entry, HF_EMPTY_SLICE, text);
}

void record_flag(struct record *record, unsigned id, bool flag)
{
    const struct entry entry = {.kind = ENTRY_FLAG, .id = (uint16_t)id, .integer = flag};
    put(record, &entry, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

void record_int(struct record *record, unsigned metric, int64_t value, struct hf_slice space,
                struct hf_slice part)
{
    space = cut(space);
    part = cut(part);
    const struct entry entry = {.kind = ENTRY_INT,
                                .id = (uint16_t)metric,
                                .space_size = (uint16_t)space.size,
                                .part_size = (uint16_t)part.size,
                                .integer = value};
    put(record, &entry, space, part);
}

void record_double(struct record *record, unsigned metric, double value)
{
    const struct entry entry = {.kind = ENTRY_DOUBLE, .id = (uint16_t)metric, .number = value};
    put(record, &entry, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

void record_endpoints(struct record *record, struct hf_slice service)
{
    service = cut(service);
    const struct entry entry = {
        .kind = ENTRY_ENDPOINTS, .id = SERVICE_ENDPOINTS, .part_size = (uint16_t)service.size};
    put(record, &entry, HF_EMPTY_SLICE, service);
}

void record_slice(struct record *record, const struct record_slice *slice)
{
    struct hf_slice service = cut(slice->service);
    struct hf_slice where = cut(slice->where);
    const struct entry entry = {.kind = ENTRY_SLICE,
                                .space_size = (uint16_t)service.size,
                                .part_size = (uint16_t)where.size,
                                .ready = slice->ready,
                                .serving = slice->serving,
                                .terminating = slice->terminating};
    put(record, &entry, service, where);
}

/* ---- reading ---- */

static bool next_entry(const struct record *record, size_t *at, struct entry *ret_entry,
                       struct hf_slice *ret_space, struct hf_slice *ret_part)
{
    if (record->bytes.size - *at < sizeof(*ret_entry)) {
        return false;
    }
    const uint8_t *from = record->bytes.data + *at;
    memcpy(ret_entry, from, sizeof(*ret_entry));
    from += sizeof(*ret_entry);
    *ret_space = hf_slice_of(from, ret_entry->space_size);
    *ret_part = hf_slice_of(from + ret_entry->space_size, ret_entry->part_size);
    *at += sizeof(*ret_entry) + ret_entry->space_size + ret_entry->part_size;
    return true;
}

bool record_next_slice(const struct record *record, size_t *at, struct record_slice *ret_slice)
{
    struct entry entry;
    struct hf_slice service, where;
    while (next_entry(record, at, &entry, &service, &where)) {
        if (entry.kind == ENTRY_SLICE) {
            *ret_slice = (struct record_slice){service, where, entry.ready, entry.serving,
                                               entry.terminating};
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

/* The attribute that tells the points of a metric apart. */
static const char *part_key(unsigned metric)
{
    return metric == NODE_CONDITION     ? "condition"
           : metric == CONTAINER_STATE  ? "k8s.container.status.state"
           : metric == CONTAINER_REASON ? "k8s.container.status.reason"
           : metric == PV_PHASE         ? "k8s.persistentvolume.status.phase"
           : metric == PVC_PHASE        ? "k8s.persistentvolumeclaim.status.phase"
                                        : "resource";
}

static void write_point(struct record_writer *writer, const struct entry *entry,
                        struct hf_slice space, struct hf_slice part)
{
    struct hf_builder *builder = writer->builder;
    struct hf_build_point point = writer->point;
    if (entry->id >= CLUSTER_METRIC_COUNT) {
        point.start_ns = 0; /* as in the Go collector */
    }
    if (entry->kind == ENTRY_INT) {
        hf_build_point_int(builder, &point, entry->integer);
    } else {
        hf_build_point_double(builder, &point, entry->number);
    }
    if (space.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("k8s.namespace.name"), space);
    }
    if (part.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text(part_key(entry->id)), part);
    }
    hf_build_end(builder);
    writer->points++;
}

static void write_endpoints(struct record_writer *writer, const struct endpoint_count *count)
{
    static const char *const conditions[] = {"ready", "serving", "terminating"};
    const int64_t numbers[] = {count->ready, count->serving, count->terminating};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct hf_builder *builder = writer->builder;
        hf_build_point_int(builder, &writer->point, numbers[i]);
        hf_build_attribute_string(builder, hf_slice_text("k8s.service.endpoint.address_type"),
                                  count->address_type);
        hf_build_attribute_string(builder, hf_slice_text("k8s.service.endpoint.condition"),
                                  hf_slice_text(conditions[i]));
        hf_build_attribute_string(builder, hf_slice_text("k8s.service.endpoint.zone"), count->zone);
        hf_build_end(builder);
        writer->points++;
    }
}

/* Where the writing of a record stands. */
struct place {
    bool has_scope;
    unsigned metric; /* that is open; UINT_MAX: none */
};

static void open_metric(struct record_writer *writer, struct place *place, unsigned metric)
{
    if (!place->has_scope) {
        place->has_scope = true;
        hf_build_scope(writer->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
    }
    if (place->metric != metric) {
        place->metric = metric;
        hf_metric_open(writer->builder, metric >= CLUSTER_METRIC_COUNT
                                            ? &writer->extra[metric - CLUSTER_METRIC_COUNT]
                                            : &cluster_rows[metric]);
    }
}

static void write_service(struct record_writer *writer, struct place *place,
                          struct hf_slice service)
{
    size_t count = 0;
    const struct endpoint_count *counts = endpoint_tally_find(writer->tally, service, &count);
    for (size_t i = 0; i < count; i++) {
        open_metric(writer, place, SERVICE_ENDPOINTS);
        write_endpoints(writer, &counts[i]);
    }
}

static void write_entry(struct record_writer *writer, struct place *place,
                        const struct entry *entry, struct hf_slice space, struct hf_slice part)
{
    bool is_extra = entry->id >= CLUSTER_METRIC_COUNT;
    if (entry->kind == ENTRY_RESOURCE) {
        hf_build_resource(writer->builder, hf_slice_text(SCHEMA_URL));
        *place = (struct place){.metric = UINT16_MAX + 1u};
    } else if (entry->kind == ENTRY_NAME) {
        if (writer->resources[entry->id].enabled) {
            hf_build_attribute_string(writer->builder, hf_slice_text(resource_names[entry->id]),
                                      part);
        }
    } else if (entry->kind == ENTRY_FLAG) {
        if (writer->resources[entry->id].enabled) {
            hf_build_attribute_bool(writer->builder, hf_slice_text(resource_names[entry->id]),
                                    entry->integer != 0);
        }
    } else if (entry->kind == ENTRY_ENDPOINTS) {
        if (writer->metrics[SERVICE_ENDPOINTS].enabled && writer->tally != NULL) {
            write_service(writer, place, part);
        }
    } else if (entry->kind != ENTRY_SLICE && (is_extra || writer->metrics[entry->id].enabled)) {
        open_metric(writer, place, entry->id);
        write_point(writer, entry, space, part);
    }
}

void record_write(const struct record *record, struct record_writer *writer)
{
    struct place place = {.metric = UINT16_MAX + 1u};
    size_t at = 0;
    struct entry entry;
    struct hf_slice space, part;
    while (next_entry(record, &at, &entry, &space, &part)) {
        write_entry(writer, &place, &entry, space, part);
    }
}
