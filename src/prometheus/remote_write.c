#include "remote_write.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/build_metrics.h"
#include "pdata/wire_find.h"
#include "remote_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define HAS_SUFFIX(name, text) hf_prom_has_suffix(name, text, sizeof(text) - 1)
#define SCOPE_PREFIX "otel_scope_"
#define ARENA_SHARE 32u /* memory of a request to its size, at most */
#define SCRATCH_BYTES ((size_t)8 << 20)

/* Fields of a WriteRequest and a Request. */
enum { REQUEST_METADATA = 3, REQUEST_SYMBOLS = 4 };

/* ---- series ---- */

static enum hf_status add_histograms(struct remote_work *work, struct remote_key *key,
                                     struct hf_slice wire, struct remote_series *series)
{
    struct hf_wire fields = hf_wire_of(wire);
    struct hf_slice histogram;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_each(&fields, remote_numbers(work).histograms, &histogram)) {
        const char *why = NULL;
        key->kind = hf_wire_is_whole(histogram) ? remote_kind_of(histogram, &why) : REMOTE_KINDS;
        if (key->kind == REMOTE_KINDS) {
            remote_refuse(work, key->name, why != NULL ? why : "a histogram is malformed");
            continue;
        }
        status = remote_add_node(work, key, series);
    }
    return status;
}

static bool has_samples(struct hf_slice wire)
{
    struct hf_wire fields = hf_wire_of(wire);
    struct hf_slice sample;
    return hf_wire_each(&fields, SERIES_SAMPLES, &sample);
}

static uint32_t count_fields(struct hf_slice wire, uint32_t number)
{
    struct hf_wire fields = hf_wire_of(wire);
    struct hf_slice field;
    uint32_t count = 0;
    while (hf_wire_each(&fields, number, &field)) {
        count++;
    }
    return count;
}

/* The labels of a marker that the target is gone, or has others now, do not count. */
static bool is_stale(struct hf_slice wire)
{
    static const uint64_t stale = UINT64_C(0x7ff0000000000002);
    return hf_wire_find_bits(hf_wire_find_bytes(wire, SERIES_SAMPLES), SAMPLE_VALUE) == stale;
}

static enum hf_status add_series(struct remote_work *work, struct hf_slice name,
                                 struct remote_about about, struct hf_slice wire)
{
    struct remote_resource *resource;
    struct remote_series *series;
    struct remote_key key = {.name = name, .kind = REMOTE_NUMBER, .about = about};
    enum hf_status status = remote_find_resource(work, &resource);
    if (status == HF_OK && hf_slice_is(name, "target_info")) {
        work->result->samples += count_fields(wire, SERIES_SAMPLES);
        return has_samples(wire) && !is_stale(wire) ? remote_keep_info(work, resource) : HF_OK;
    }
    status = status == HF_OK ? remote_find_scope(work, resource, &key.scope) : status;
    status = status == HF_OK ? remote_add_piece(work, resource, wire, &series) : status;
    if (status == HF_OK && has_samples(wire)) {
        status = remote_add_node(work, &key, series);
    }
    return status == HF_OK ? add_histograms(work, &key, wire, series) : status;
}

/* Bytes inside that are malformed make the request so. */
static bool is_series_whole(const struct remote_work *work, struct hf_slice wire)
{
    struct hf_wire fields = hf_wire_of(wire);
    struct hf_wire_field field;
    const struct remote_numbers numbers = remote_numbers(work);
    while (!hf_wire_at_end(fields)) {
        if (!hf_wire_next(&fields, &field)) {
            return false;
        }
        bool is_message = field.number == SERIES_SAMPLES || field.number == numbers.exemplars ||
                          (work->options->is_2 && field.number == SERIES_METADATA);
        if (is_message && (field.wire != HF_WIRE_BYTES || !hf_wire_is_whole(field.bytes))) {
            return false;
        }
    }
    return true;
}

static enum hf_status read_series(struct remote_work *work, struct hf_slice wire)
{
    struct remote_about about = {0};
    if (!is_series_whole(work, wire)) {
        return remote_invalid(work, "the protobuf is malformed");
    }
    const char *wrong = remote_read_labels(work, wire, SERIES_LABELS);
    struct hf_slice name = hf_prom_labels_get(&work->labels, LITERAL("__name__"));
    if (wrong == NULL && name.size == 0) {
        wrong = "a series has no label __name__";
    }
    enum hf_status status = HF_OK;
    if (wrong == NULL && work->options->is_2) {
        wrong = remote_about_2(work, wire, &about);
    } else if (wrong == NULL) {
        status = remote_about_1(work, name, &about);
    }
    if (wrong != NULL) {
        remote_refuse(work, name, wrong);
        return HF_OK;
    }
    return status == HF_OK ? add_series(work, name, about, wire) : status;
}

/* ---- requests ---- */

static enum hf_status read_symbols(struct remote_work *work, struct hf_slice body)
{
    size_t count = count_fields(body, REQUEST_SYMBOLS);
    struct hf_wire wire = hf_wire_of(body);
    work->symbols = remote_take(work, (count + 1) * sizeof(*work->symbols));
    if (work->symbols == NULL) {
        return remote_no_room(work);
    }
    while (work->symbol_count < count &&
           hf_wire_each(&wire, REQUEST_SYMBOLS, &work->symbols[work->symbol_count])) {
        work->symbol_count++;
    }
    return count == 0 || work->symbols[0].size == 0
               ? HF_OK
               : remote_invalid(work, "the first symbol is not the empty text");
}

static enum hf_status read_families(struct remote_work *work, struct hf_slice body)
{
    struct hf_wire wire = hf_wire_of(body);
    struct hf_slice family;
    enum hf_status status = HF_OK;
    while (status == HF_OK && work->options->memory.families != NULL &&
           hf_wire_each(&wire, REQUEST_METADATA, &family)) {
        status = remote_keep_family(work, family);
    }
    return status;
}

/* ---- writing ---- */

static void put_own(struct remote_work *work, const char *key, struct hf_slice value)
{
    if (value.size != 0) {
        hf_build_attribute_string(work->builder, hf_slice_text(key), value);
    }
}

/* "NAMESPACE/NAME" is both; anything else is the name. */
static void write_resource_head(struct remote_work *work, const struct remote_resource *resource)
{
    struct hf_slice job = resource->job, name_space = HF_EMPTY_SLICE;
    struct hf_wire wire = hf_wire_of(resource->info);
    struct hf_slice label;
    const uint8_t *slash = job.size != 0 ? memchr(job.data, '/', job.size) : NULL;
    size_t before = slash != NULL ? (size_t)(slash - job.data) : 0;
    if (slash != NULL && memchr(slash + 1, '/', job.size - before - 1) == NULL) {
        name_space = hf_slice_of(job.data, before);
        job = hf_slice_of(slash + 1, job.size - before - 1);
    }
    hf_build_resource(work->builder, HF_EMPTY_SLICE);
    put_own(work, "service.instance.id", resource->instance);
    put_own(work, "service.namespace", name_space);
    put_own(work, "service.name", job);
    while (hf_wire_each(&wire, 1, &label)) {
        hf_build_attribute_string(work->builder, hf_wire_find_bytes(label, KEPT_NAME),
                                  hf_wire_find_bytes(label, KEPT_VALUE));
    }
}

static void write_scope_head(struct remote_work *work, const struct remote_scope *scope)
{
    struct hf_slice name = HF_EMPTY_SLICE, version = HF_EMPTY_SLICE;
    const size_t size = sizeof(SCOPE_PREFIX) - 1;
    for (size_t i = 0; i < scope->label_count; i++) {
        const struct hf_prom_label *label = &scope->labels[i];
        name = hf_slice_is(label->name, "otel_scope_name") ? label->value : name;
        version = hf_slice_is(label->name, "otel_scope_version") ? label->value : version;
    }
    hf_build_scope(work->builder, name, version);
    for (size_t i = 0; i < scope->label_count; i++) {
        const struct hf_prom_label *label = &scope->labels[i];
        if (!hf_slice_is(label->name, "otel_scope_name") &&
            !hf_slice_is(label->name, "otel_scope_version") &&
            !hf_slice_is(label->name, "otel_scope_schema_url")) {
            hf_build_attribute_string(work->builder,
                                      hf_slice_of(label->name.data + size, label->name.size - size),
                                      label->value);
        }
    }
}

/* What the samples of a type and name are. */
static enum hf_build_metric_kind kind_of_numbers(const struct remote_metric *metric,
                                                 bool *ret_is_monotonic)
{
    struct hf_slice name = metric->name;
    bool is_part = HAS_SUFFIX(name, "_count") || HAS_SUFFIX(name, "_sum");
    *ret_is_monotonic = true;
    switch (metric->about.type) {
    case HF_EXPO_COUNTER:
        return HF_BUILD_SUM;
    case HF_EXPO_HISTOGRAM:
        return is_part || HAS_SUFFIX(name, "_bucket") ? HF_BUILD_SUM : HF_BUILD_GAUGE;
    case HF_EXPO_SUMMARY:
        return is_part ? HF_BUILD_SUM : HF_BUILD_GAUGE;
    case HF_EXPO_INFO:
    case HF_EXPO_STATESET:
        *ret_is_monotonic = false;
        return HF_BUILD_SUM;
    default:
        return HF_BUILD_GAUGE;
    }
}

static enum hf_status write_metric(struct remote_work *work, const struct remote_metric *metric)
{
    bool is_monotonic = false;
    enum hf_build_metric_kind kind = metric->kind == REMOTE_EXPONENTIAL ? HF_BUILD_EXPONENTIAL
                                     : metric->kind == REMOTE_EXPLICIT
                                         ? HF_BUILD_HISTOGRAM
                                         : kind_of_numbers(metric, &is_monotonic);
    const struct hf_build_metric made = {
        .name = metric->name,
        .description = metric->about.help,
        .unit = metric->about.unit,
        .kind = kind,
        .temporality = HF_BUILD_CUMULATIVE,
        .is_monotonic = is_monotonic,
        .metadata = {LITERAL("prometheus.type"),
                     hf_slice_text(hf_expo_type_name(metric->about.type))},
    };
    hf_build_metric(work->builder, &made);
    return remote_write_points(work, metric);
}

static enum hf_status write_all(struct remote_work *work)
{
    enum hf_status status = HF_OK;
    for (const struct remote_resource *resource = work->resources; resource != NULL;
         resource = resource->next) {
        write_resource_head(work, resource);
        for (const struct remote_scope *scope = resource->scopes; scope != NULL;
             scope = scope->next) {
            write_scope_head(work, scope);
            for (const struct remote_metric *metric = scope->metrics;
                 metric != NULL && status == HF_OK; metric = metric->next) {
                status = write_metric(work, metric);
            }
        }
    }
    return status;
}

static enum hf_status read_request(struct remote_work *work, struct hf_slice body)
{
    struct hf_wire wire = hf_wire_of(body);
    struct hf_slice series;
    if (!hf_wire_is_whole(body)) {
        return remote_invalid(work, "the protobuf is malformed");
    }
    enum hf_status status =
        work->options->is_2 ? read_symbols(work, body) : read_families(work, body);
    while (status == HF_OK && hf_wire_each(&wire, remote_numbers(work).series, &series)) {
        status = read_series(work, series);
    }
    return status == HF_OK ? write_all(work) : status;
}

enum hf_status hf_prom_remote_read(struct hf_slice body,
                                   const struct hf_prom_remote_options *options,
                                   struct hf_builder *builder,
                                   struct hf_prom_remote_result *ret_result, char *reterr)
{
    struct remote_work *work = calloc(1, sizeof(*work));
    if (work == NULL) {
        return HF_NOMEM;
    }
    *ret_result = (struct hf_prom_remote_result){0};
    work->options = options;
    work->builder = builder;
    work->result = ret_result;
    work->reterr = reterr;
    work->arena.limit = REMOTE_ARENA_LEAST + ARENA_SHARE * body.size;
    work->scratch.limit = SCRATCH_BYTES;
    enum hf_status status = read_request(work, body);
    hf_prom_table_release(&work->table);
    hf_arena_release(&work->arena);
    hf_arena_release(&work->scratch);
    free(work);
    return status;
}
