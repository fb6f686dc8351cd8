#include "record.h"

#include <string.h>

#include <holdfast/component.h>

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8sclusterreceiver"
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.27.0"
#define TEXT_MAX 1024u /* of one attribute */

static const struct hf_metric_row rows[] = {CLUSTER_METRICS(HF_METRIC_ROW)};
static const char *const resource_names[] = {CLUSTER_RESOURCES(HF_RESOURCE_NAME)};

enum entry_kind { ENTRY_RESOURCE = 0, ENTRY_NAME, ENTRY_FLAG, ENTRY_INT, ENTRY_DOUBLE };

/* What stands in the bytes; the texts follow it. */
struct entry {
    uint8_t kind;
    uint16_t id;
    uint16_t space_size, part_size;
    union {
        int64_t integer;
        double number;
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
    if (entry->kind == ENTRY_INT) {
        hf_build_point_int(builder, &writer->point, entry->integer);
    } else {
        hf_build_point_double(builder, &writer->point, entry->number);
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

/* Where the writing of a record stands. */
struct place {
    bool has_scope;
    unsigned metric; /* that is open; UINT_MAX: none */
};

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
    } else if (is_extra || writer->metrics[entry->id]) {
        if (!place->has_scope) {
            place->has_scope = true;
            hf_build_scope(writer->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
        }
        if (place->metric != entry->id) {
            place->metric = entry->id;
            hf_metric_open(writer->builder, is_extra
                                                ? &writer->extra[entry->id - CLUSTER_METRIC_COUNT]
                                                : &rows[entry->id]);
        }
        write_point(writer, entry, space, part);
    }
}

void record_write(const struct record *record, struct record_writer *writer)
{
    struct place place = {.metric = UINT16_MAX + 1u};
    size_t at = 0;
    while (record->bytes.size - at >= sizeof(struct entry)) {
        struct entry entry;
        memcpy(&entry, record->bytes.data + at, sizeof(entry));
        at += sizeof(entry);
        struct hf_slice space = hf_slice_of(record->bytes.data + at, entry.space_size);
        struct hf_slice part =
            hf_slice_of(record->bytes.data + at + entry.space_size, entry.part_size);
        at += (size_t)entry.space_size + entry.part_size;
        write_entry(writer, &place, &entry, space, part);
    }
}
