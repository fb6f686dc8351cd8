#include "spanmetrics_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "support/state/table_hash.h"
#include "util/fnv.h"

#define BATCH_BYTES_MAX ((size_t)2 << 20)
#define EXPONENTIAL_SIZE_DEFAULT 160
#define EXPONENTIAL_SIZE_LEAST 2

/* ---- the layout ---- */

/* FNV-1a: it is stored, and has to be the same in every process. */
static void mix(uint64_t *hash, const void *data, size_t size)
{
    *hash = hf_fnv_add(*hash, hf_slice_of(data, size));
}

static void mix_text(uint64_t *hash, const char *text)
{
    mix(hash, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

static void mix_dimensions(uint64_t *hash, const struct hf_struct_list *list)
{
    const struct spanmetrics_dimension_config *all = list->items;
    mix(hash, &list->count, sizeof(list->count));
    for (size_t i = 0; i < list->count; i++) {
        mix_text(hash, all[i].name);
        mix_text(hash, all[i].glob);
        mix_text(hash, all[i].fallback);
        mix(hash, &all[i].has_fallback, sizeof(all[i].has_fallback));
    }
}

static void mix_texts(uint64_t *hash, const struct hf_string_list *list)
{
    mix(hash, &list->count, sizeof(list->count));
    for (size_t i = 0; i < list->count; i++) {
        mix_text(hash, list->items[i]);
    }
}

static uint64_t fingerprint_of(const struct spanmetrics_config *config,
                               const struct spanmetrics_layout *layout)
{
    const bool flags[] = {layout->is_delta, layout->form.is_exponential, config->histogram.disable,
                          config->events.enabled, config->enable_metrics_sampling_method};
    uint64_t hash = HF_FNV_START;
    mix(&hash, flags, sizeof(flags));
    mix(&hash, &layout->unit, sizeof(layout->unit));
    mix(&hash, &layout->form.size_max, sizeof(layout->form.size_max));
    mix(&hash, layout->bounds, layout->form.bound_count * sizeof(double));
    mix_text(&hash, layout->namespace_);
    mix_dimensions(&hash, &config->dimensions);
    mix_dimensions(&hash, &config->calls_dimensions);
    mix_dimensions(&hash, &config->histogram.dimensions);
    mix_dimensions(&hash, &config->events.dimensions);
    mix_texts(&hash, &config->exclude_dimensions);
    mix_texts(&hash, &config->resource_metrics_key_attributes);
    mix_texts(&hash, &config->include_instrumentation_scope);
    return hash;
}

static enum hf_status init_layout(struct spanmetrics_layout *layout,
                                  const struct spanmetrics_config *config)
{
    const struct spanmetrics_exponential_config *exponential = config->histogram.exponential;
    size_t count = 0;
    layout->is_delta = config->is_delta != 0;
    layout->unit = (uint8_t)config->histogram.unit;
    snprintf(layout->namespace_, sizeof(layout->namespace_), "%s",
             config->namespace_ != NULL ? config->namespace_ : "");
    if (exponential != NULL) {
        int64_t size =
            exponential->max_size == 0 ? EXPONENTIAL_SIZE_DEFAULT : exponential->max_size;
        layout->form.is_exponential = true;
        layout->form.size_max =
            size < EXPONENTIAL_SIZE_LEAST ? EXPONENTIAL_SIZE_LEAST : (uint32_t)size;
    } else {
        layout->bounds = spanmetrics_bounds(config, &count);
        layout->form.bounds = layout->bounds;
        layout->form.bound_count = count;
    }
    layout->fingerprint = fingerprint_of(config, layout);
    return count != 0 && layout->bounds == NULL ? HF_NOMEM : HF_OK;
}

static void save_layout(const struct spanmetrics_layout *layout, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, layout->fingerprint);
    hf_state_put_u64(writer, layout->is_delta);
    hf_state_put_u64(writer, layout->unit);
    hf_state_file_put_bytes(writer, hf_slice_text(layout->namespace_));
    hf_state_put_u64(writer, layout->form.is_exponential);
    hf_state_put_u64(writer, layout->form.size_max);
    hf_state_put_u64(writer, layout->form.bound_count);
    hf_state_file_put(writer, layout->form.bounds, layout->form.bound_count * sizeof(double));
}

static void load_layout(struct spanmetrics_layout *layout, struct hf_state_reader *reader)
{
    struct hf_bytes name = {0};
    free(layout->bounds);
    *layout = (struct spanmetrics_layout){.fingerprint = hf_state_get_u64(reader)};
    layout->is_delta = hf_state_get_u64(reader) != 0;
    layout->unit = (uint8_t)hf_state_get_u64(reader);
    if (hf_state_file_get_bytes(reader, &name)) {
        snprintf(layout->namespace_, sizeof(layout->namespace_), "%.*s", (int)name.size,
                 (const char *)name.data);
    }
    hf_bytes_release(&name);
    layout->form.is_exponential = hf_state_get_u64(reader) != 0;
    layout->form.size_max = (uint32_t)hf_state_get_u64(reader);
    size_t count = (size_t)hf_state_get_u64(reader);
    if (count > HF_DISTRIBUTION_BOUNDS_MAX || layout->form.size_max > HF_DISTRIBUTION_SIZE_MAX) {
        reader->status = HF_CORRUPT;
        return;
    }
    layout->bounds = calloc(count + 1, sizeof(double));
    if (layout->bounds == NULL) {
        reader->status = HF_NOMEM;
        return;
    }
    hf_state_file_get(reader, layout->bounds, count * sizeof(double));
    layout->form.bounds = layout->bounds;
    layout->form.bound_count = count;
}

/* ---- series ---- */

struct series_record {
    uint64_t count, start_ns, seen_ns;
    uint8_t metric, is_overflow, is_new, pad[5];
};

static void save_series(const struct spanmetrics_series *series, struct hf_state_writer *writer)
{
    const struct series_record record = {.count = series->count,
                                         .start_ns = series->start_ns,
                                         .seen_ns = series->seen_ns,
                                         .metric = series->metric,
                                         .is_overflow = series->is_overflow,
                                         .is_new = series->is_new};
    hf_state_file_put(writer, &record, sizeof(record));
    hf_state_file_put_bytes(writer, hf_slice_of(series->bytes, series->key_size));
    hf_state_file_put_bytes(writer,
                            hf_slice_of(series->bytes + series->key_size, series->attributes_size));
    if (series->distribution != NULL) {
        hf_distribution_save(series->distribution, writer);
    }
}

static size_t count_series(const struct spanmetrics_resource *resource)
{
    size_t count = 0;
    for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
        count += resource->metrics[i].count;
    }
    return count;
}

static void save_resource(const struct spanmetrics_resource *resource,
                          struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, count_series(resource));
    hf_state_put_u64(writer, resource->seen_ns);
    hf_state_file_put_bytes(writer, hf_slice_of(resource->bytes, resource->key_size));
    hf_state_file_put_bytes(
        writer, hf_slice_of(resource->bytes + resource->key_size, resource->attributes_size));
    for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
        for (const struct spanmetrics_series *one = resource->metrics[i].first; one != NULL;
             one = one->next) {
            save_series(one, writer);
        }
    }
}

/* Evicted ones first: when they are read, those that are used later push them out again. */
void spanmetrics_state_save(const struct spanmetrics_state *state, struct hf_state_writer *writer)
{
    save_layout(state->layout, writer);
    hf_state_file_put(writer, state->instance_id, sizeof(state->instance_id));
    hf_state_put_u64(writer, state->times != NULL && state->layout->is_delta);
    if (state->times != NULL && state->layout->is_delta) {
        spanmetrics_times_save(state->times, writer);
    }
    hf_state_put_u64(writer, state->table.resource_count);
    for (const struct spanmetrics_resource *one = state->table.first; one != NULL;
         one = one->next) {
        if (one->eviction != SPANMETRICS_STAYS) {
            save_resource(one, writer);
        }
    }
    for (const struct spanmetrics_resource *one = state->table.oldest; one != NULL;
         one = one->newer) {
        save_resource(one, writer);
    }
}

struct loading {
    struct spanmetrics_state *state;
    struct hf_state_reader *reader;
    struct hf_bytes key, attributes;
};

static void load_series(struct loading *loading, struct spanmetrics_resource *resource)
{
    struct hf_state_reader *reader = loading->reader;
    struct spanmetrics_table *table = &loading->state->table;
    struct series_record record;
    struct spanmetrics_series *series = NULL;
    if (!hf_state_file_get(reader, &record, sizeof(record)) ||
        !hf_state_file_get_bytes(reader, &loading->key) ||
        !hf_state_file_get_bytes(reader, &loading->attributes)) {
        return;
    }
    if (record.metric >= SPANMETRICS_METRIC_COUNT) {
        reader->status = HF_CORRUPT;
        return;
    }
    struct spanmetrics_new_series wanted = {
        .metric = (enum spanmetrics_metric)record.metric,
        .key = hf_slice_of(loading->key.data, loading->key.size),
        .attributes = hf_slice_of(loading->attributes.data, loading->attributes.size),
        .now_ns = record.start_ns,
        .is_overflow = record.is_overflow != 0};
    wanted.hash = spanmetrics_table_hash(table, resource, wanted.metric, wanted.key);
    enum hf_status status = spanmetrics_table_add(table, resource, &wanted, &series);
    if (status != HF_OK) {
        reader->status = status;
        return;
    }
    series->count = record.count;
    series->seen_ns = record.seen_ns;
    series->is_new = record.is_new != 0;
    if (wanted.metric == SPANMETRICS_DURATION) {
        struct hf_distribution *distribution = hf_distribution_load(&table->form, reader);
        free(series->distribution);
        series->distribution = distribution;
    }
}

static void load_resource(struct loading *loading)
{
    struct hf_state_reader *reader = loading->reader;
    struct spanmetrics_resource *resource = NULL;
    uint64_t count = hf_state_get_u64(reader);
    uint64_t seen_ns = hf_state_get_u64(reader);
    if (!hf_state_file_get_bytes(reader, &loading->key) ||
        !hf_state_file_get_bytes(reader, &loading->attributes)) {
        return;
    }
    const struct spanmetrics_new_resource wanted = {
        .key = hf_slice_of(loading->key.data, loading->key.size),
        .attributes = hf_slice_of(loading->attributes.data, loading->attributes.size),
        .now_ns = seen_ns};
    enum hf_status status = spanmetrics_table_resource(&loading->state->table, &wanted, &resource);
    if (status != HF_OK) {
        reader->status = status;
        return;
    }
    for (uint64_t i = 0; i < count && reader->status == HF_OK; i++) {
        load_series(loading, resource);
    }
}

void spanmetrics_state_load(struct spanmetrics_state *state, struct hf_state_reader *reader,
                            bool *ret_is_foreign)
{
    struct loading loading = {.state = state, .reader = reader};
    load_layout(&state->old, reader);
    bool is_foreign = state->old.fingerprint != state->wanted.fingerprint;
    state->layout = &state->old;
    state->table.form = state->old.form;
    hf_state_file_get(reader, state->instance_id, sizeof(state->instance_id));
    state->instance_id[SPANMETRICS_ID_SIZE - 1] = '\0';
    if (hf_state_get_u64(reader) != 0) {
        struct spanmetrics_times *times = state->times;
        enum hf_status status = times == NULL ? spanmetrics_times_new(1, &times) : HF_OK;
        reader->status = status != HF_OK ? status : reader->status;
        if (times != NULL) {
            spanmetrics_times_load(times, reader);
        }
        if (times != state->times) { /* it has no use for them, and reads past them */
            spanmetrics_times_free(times);
        }
    }
    uint64_t count = hf_state_get_u64(reader);
    state->table.resource_max =
        count > state->table.resource_max ? (size_t)count : state->table.resource_max;
    for (uint64_t i = 0; i < count && reader->status == HF_OK; i++) {
        load_resource(&loading);
    }
    state->table.resource_max = (size_t)state->config->resource_metrics_cache_size;
    hf_bytes_release(&loading.key);
    hf_bytes_release(&loading.attributes);
    if (!is_foreign) {
        state->layout = &state->wanted;
        state->table.form = state->wanted.form;
    }
    *ret_is_foreign = is_foreign;
}

void spanmetrics_state_clear(struct spanmetrics_state *state)
{
    spanmetrics_table_clear(&state->table);
    if (state->times != NULL) {
        spanmetrics_times_clear(state->times);
    }
    state->layout = &state->wanted;
    state->table.form = state->wanted.form;
    state->table.resource_max = (size_t)state->config->resource_metrics_cache_size;
}

/* ---- life ---- */

/* A random UUID: what tells this collector's series from those of others. */
static void make_instance_id(char *ret_id)
{
    uint8_t bytes[16];
    uint64_t seeds[2];
    if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes)) {
        hf_table_hash_key(&seeds[0]);
        hf_table_hash_key(&seeds[1]);
        memcpy(bytes, seeds, sizeof(bytes));
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bool has_dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += (size_t)snprintf(ret_id + at, SPANMETRICS_ID_SIZE - at, "%s%02x", has_dash ? "-" : "",
                               bytes[i]);
    }
}

enum hf_status spanmetrics_state_init(struct spanmetrics_state *state,
                                      const struct spanmetrics_config *config)
{
    state->config = config;
    state->layout = &state->wanted;
    hf_table_hash_key(&state->table.hash_key);
    state->table.resource_max = (size_t)config->resource_metrics_cache_size;
    state->table.series_max = (size_t)config->max_series;
    state->table.cardinality_max = (size_t)config->aggregation_cardinality_limit;
    make_instance_id(state->instance_id);
    hf_builder_init(&state->builder, HF_METRICS, BATCH_BYTES_MAX);
    enum hf_status status = init_layout(&state->wanted, config);
    state->table.form = state->wanted.form;
    if (status == HF_OK && config->is_delta != 0) {
        status = spanmetrics_times_new((size_t)config->metric_timestamp_cache_size, &state->times);
    }
    return status;
}

void spanmetrics_state_release(struct spanmetrics_state *state)
{
    spanmetrics_table_clear(&state->table);
    spanmetrics_times_free(state->times);
    hf_builder_release(&state->builder);
    free(state->wanted.bounds);
    free(state->old.bounds);
}
