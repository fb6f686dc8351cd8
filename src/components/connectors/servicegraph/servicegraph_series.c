#include "servicegraph_series.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/attributes.h"
#include "pdata/wire_find.h"
#include "support/state/table_hash.h"

#define SIZE_LEAST 64u
#define BATCH_BYTES ((size_t)512 << 10)
#define BATCH_BYTES_MAX ((size_t)2 << 20)

enum { ATTRIBUTE = 1, KEY = 1, VALUE = 2, ANY_STRING = 1, ANY_BOOL = 2 };

static const char *const connections[] = {"", "messaging_system", "database", "virtual_node"};
static const char *const virtual_sides[] = {"", "client", "server"};
static const char *const side_names[] = {"client_", "server_"};

/* ---- keys and attributes ---- */

static void put_text(struct hf_wire_writer *writer, struct hf_slice prefix, struct hf_slice name,
                     struct hf_slice text)
{
    uint8_t *room = NULL;
    struct hf_wire_message pair = hf_wire_open(
        writer, ATTRIBUTE, prefix.size + name.size + text.size + 3 * HF_WIRE_VARINT_MAX);
    struct hf_wire_message key = hf_wire_open(writer, KEY, prefix.size + name.size);
    room = hf_wire_room(writer, prefix.size);
    if (room != NULL && prefix.size != 0) {
        memcpy(room, prefix.data, prefix.size);
    }
    hf_wire_put_raw(writer, name);
    hf_wire_close(writer, key);
    struct hf_wire_message value = hf_wire_open(writer, VALUE, text.size + HF_WIRE_VARINT_MAX);
    hf_wire_put_bytes(writer, ANY_STRING, text);
    hf_wire_close(writer, value);
    hf_wire_close(writer, pair);
}

static void put_bool(struct hf_wire_writer *writer, const char *name, bool value)
{
    struct hf_wire_message pair = hf_wire_open(writer, ATTRIBUTE, strlen(name) + 8);
    hf_wire_put_bytes(writer, KEY, hf_slice_text(name));
    struct hf_wire_message any = hf_wire_open(writer, VALUE, 2);
    hf_wire_put_varint(writer, ANY_BOOL, value ? 1 : 0);
    hf_wire_close(writer, any);
    hf_wire_close(writer, pair);
}

static void put_named(struct hf_wire_writer *writer, const char *name, struct hf_slice text)
{
    put_text(writer, HF_EMPTY_SLICE, hf_slice_text(name), text);
}

/* Attributes without the label of virtual nodes: that does not tell series apart. */
static void put_identity(const struct servicegraph_table *table,
                         const struct servicegraph_edge *edge, struct hf_wire_writer *writer)
{
    const struct hf_string_list *names = &table->config->dimensions;
    put_named(writer, "client", edge->services[SERVICEGRAPH_CLIENT]);
    put_named(writer, "server", edge->services[SERVICEGRAPH_SERVER]);
    put_named(writer, "connection_type", hf_slice_text(connections[edge->connection]));
    put_bool(writer, "failed", edge->has_failed);
    for (size_t i = 0; i < edge->dimension_count && i < names->count; i++) {
        for (size_t side = 0; side < SERVICEGRAPH_SIDES; side++) {
            struct hf_slice text = edge->dimensions[2 * i + side];
            if (text.data != NULL) {
                put_text(writer, hf_slice_text(side_names[side]), hf_slice_text(names->items[i]),
                         text);
            }
        }
    }
}

static enum hf_status describe(struct servicegraph_table *table,
                               const struct servicegraph_edge *edge)
{
    struct hf_wire_writer key = {.out = &table->key};
    struct hf_wire_writer attributes = {.out = &table->attributes};
    table->key.size = 0;
    table->attributes.size = 0;
    put_identity(table, edge, &key);
    put_identity(table, edge, &attributes);
    if (table->config->virtual_node_extra_label) {
        put_named(&attributes, "virtual_node", hf_slice_text(virtual_sides[edge->virtual_]));
    }
    return key.failed || attributes.failed ? HF_NOMEM : HF_OK;
}

/* ---- the table ---- */

static bool grow(struct servicegraph_table *table)
{
    size_t size = table->size == 0 ? SIZE_LEAST : 2 * table->size;
    struct servicegraph_series **buckets = calloc(size, sizeof(struct servicegraph_series *));
    if (buckets == NULL) {
        return table->size != 0;
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
    for (struct servicegraph_series *one = table->first; one != NULL; one = one->next) {
        one->next_in_bucket = buckets[one->hash & (size - 1)];
        buckets[one->hash & (size - 1)] = one;
    }
    return true;
}

static struct servicegraph_series *find(const struct servicegraph_table *table, struct hf_slice key,
                                        uint64_t hash)
{
    struct servicegraph_series *one =
        table->size != 0 ? table->buckets[hash & (table->size - 1)] : NULL;
    while (one != NULL && (one->hash != hash || one->is_overflow ||
                           !hf_slice_equal(hf_slice_of(one->bytes, one->key_size), key))) {
        one = one->next_in_bucket;
    }
    return one;
}

static void free_series(struct servicegraph_series *series)
{
    free(series->seconds[SERVICEGRAPH_CLIENT]);
    free(series->seconds[SERVICEGRAPH_SERVER]);
    free(series);
}

static void copy(uint8_t *to, struct hf_slice from)
{
    if (from.size != 0) {
        memcpy(to, from.data, from.size);
    }
}

/* Without distributions. NULL: out of memory. */
static struct servicegraph_series *add(struct servicegraph_table *table, struct hf_slice key,
                                       struct hf_slice attributes, bool is_overflow)
{
    if (table->count >= table->size && !grow(table)) {
        return NULL;
    }
    struct servicegraph_series *series = calloc(1, sizeof(*series) + key.size + attributes.size);
    if (series == NULL) {
        return NULL;
    }
    series->hash = hf_table_hash(table->hash_key, key.data, key.size);
    series->key_size = (uint32_t)key.size;
    series->attributes_size = (uint32_t)attributes.size;
    series->is_overflow = is_overflow;
    copy(series->bytes, key);
    copy(series->bytes + key.size, attributes);
    series->next_in_bucket = table->buckets[series->hash & (table->size - 1)];
    table->buckets[series->hash & (table->size - 1)] = series;
    series->previous = table->last;
    *(table->last != NULL ? &table->last->next : &table->first) = series;
    table->last = series;
    table->overflow = is_overflow ? series : table->overflow;
    table->count++;
    return series;
}

static void remove_series(struct servicegraph_table *table, struct servicegraph_series *series)
{
    struct servicegraph_series **at = &table->buckets[series->hash & (table->size - 1)];
    while (*at != series) {
        at = &(*at)->next_in_bucket;
    }
    *at = series->next_in_bucket;
    *(series->previous != NULL ? &series->previous->next : &table->first) = series->next;
    *(series->next != NULL ? &series->next->previous : &table->last) = series->previous;
    table->overflow = table->overflow == series ? NULL : table->overflow;
    table->count--;
    free_series(series);
}

/* With distributions; that of the overflow when there is no room. NULL: out of memory. */
static struct servicegraph_series *make(struct servicegraph_table *table, uint64_t now_ns)
{
    struct hf_slice key = hf_slice_of(table->key.data, table->key.size);
    bool is_overflow = table->count >= (size_t)table->config->max_series;
    if (is_overflow && table->overflow != NULL) {
        return table->overflow;
    }
    if (is_overflow) {
        struct hf_wire_writer writer = {.out = &table->attributes};
        table->attributes.size = 0;
        put_bool(&writer, "otel.metric.overflow", true);
        if (writer.failed) {
            return NULL;
        }
    }
    struct servicegraph_series *series =
        add(table, key, hf_slice_of(table->attributes.data, table->attributes.size), is_overflow);
    if (series == NULL) {
        return NULL;
    }
    series->start_ns = now_ns;
    series->seconds[SERVICEGRAPH_CLIENT] = hf_distribution_new(&table->form);
    series->seconds[SERVICEGRAPH_SERVER] = hf_distribution_new(&table->form);
    if (series->seconds[SERVICEGRAPH_CLIENT] == NULL ||
        series->seconds[SERVICEGRAPH_SERVER] == NULL) {
        remove_series(table, series);
        return NULL;
    }
    return series;
}

enum hf_status servicegraph_table_count(struct servicegraph_table *table,
                                        const struct servicegraph_edge *edge, uint64_t now_ns)
{
    if (describe(table, edge) != HF_OK) {
        return HF_NOMEM;
    }
    struct hf_slice key = hf_slice_of(table->key.data, table->key.size);
    struct servicegraph_series *series =
        find(table, key, hf_table_hash(table->hash_key, key.data, key.size));
    series = series == NULL ? make(table, now_ns) : series;
    if (series == NULL) {
        return HF_NOMEM;
    }
    series->count++;
    series->failed_count += edge->has_failed ? 1 : 0;
    series->updated_ns = now_ns;
    for (size_t side = 0; side < SERVICEGRAPH_SIDES; side++) {
        hf_distribution_observe(&table->form, series->seconds[side], edge->seconds[side], 1);
    }
    return HF_OK;
}

void servicegraph_table_expire(struct servicegraph_table *table, uint64_t before_ns)
{
    struct servicegraph_series *next = NULL;
    for (struct servicegraph_series *one = table->first; one != NULL; one = next) {
        next = one->next;
        if (one->updated_ns < before_ns) {
            remove_series(table, one);
        }
    }
}

void servicegraph_table_clear(struct servicegraph_table *table)
{
    while (table->first != NULL) {
        remove_series(table, table->first);
    }
    free(table->buckets);
    table->buckets = NULL;
    table->size = 0;
    table->form = table->wanted_form;
}

/* ---- flushing ---- */

static const struct {
    const char *name;
    bool is_of_failed;
    enum servicegraph_side side; /* of a histogram */
    bool is_histogram;
} metrics[] = {{.name = "traces_service_graph_request_total"},
               {.name = "traces_service_graph_request_failed_total", .is_of_failed = true},
               {.name = "traces_service_graph_request_server",
                .side = SERVICEGRAPH_SERVER,
                .is_histogram = true},
               {.name = "traces_service_graph_request_client",
                .side = SERVICEGRAPH_CLIENT,
                .is_histogram = true}};
#define METRIC_COUNT (sizeof(metrics) / sizeof(metrics[0]))

void servicegraph_flush_begin(struct servicegraph_table *table, uint64_t unix_ns)
{
    table->flush_ns = unix_ns - (unix_ns > table->config->metrics_timestamp_offset_ns
                                     ? table->config->metrics_timestamp_offset_ns
                                     : 0);
    table->metric = 0;
    table->series = NULL;
}

static struct servicegraph_series *step(struct servicegraph_table *table)
{
    while (table->metric < METRIC_COUNT) {
        struct servicegraph_series *next =
            table->series != NULL ? table->series->next : table->first;
        while (next != NULL && metrics[table->metric].is_of_failed && next->failed_count == 0) {
            next = next->next;
        }
        table->series = next;
        if (next != NULL) {
            return next;
        }
        table->metric++;
    }
    return NULL;
}

static void open_metric(struct servicegraph_table *table)
{
    const bool is_histogram = metrics[table->metric].is_histogram;
    struct hf_build_metric metric = {.name = hf_slice_text(metrics[table->metric].name),
                                     .kind = HF_BUILD_SUM,
                                     .temporality = HF_BUILD_CUMULATIVE,
                                     .is_monotonic = !is_histogram};
    if (is_histogram) {
        metric.kind = table->form.is_exponential ? HF_BUILD_EXPONENTIAL : HF_BUILD_HISTOGRAM;
        metric.unit = hf_slice_text("s");
    }
    hf_build_metric(&table->builder, &metric);
}

static void put_point(struct servicegraph_table *table, const struct servicegraph_series *series)
{
    const struct hf_build_point point = {.start_ns = series->start_ns, .time_ns = table->flush_ns};
    struct hf_wire wire =
        hf_wire_of(hf_slice_of(series->bytes + series->key_size, series->attributes_size));
    struct hf_slice pair, key, value;
    if (metrics[table->metric].is_histogram) {
        hf_distribution_build(&table->form, series->seconds[metrics[table->metric].side],
                              &table->builder, &point);
    } else {
        uint64_t count = metrics[table->metric].is_of_failed ? series->failed_count : series->count;
        hf_build_point_int(&table->builder, &point, (int64_t)count);
    }
    while (hf_wire_each(&wire, ATTRIBUTE, &pair)) {
        if (hf_attribute_read(pair, &key, &value)) {
            hf_build_attribute_value(&table->builder, key, value);
        }
    }
    hf_build_end(&table->builder);
}

enum hf_status servicegraph_flush_next(struct servicegraph_table *table,
                                       struct hf_batch **ret_batch)
{
    struct servicegraph_series *begun = table->series;
    size_t begun_metric = table->metric, open = METRIC_COUNT;
    *ret_batch = hf_build_take(&table->builder);
    if (*ret_batch != NULL) {
        return HF_OK;
    }
    while (hf_build_size(&table->builder) < BATCH_BYTES) {
        const struct servicegraph_series *series = step(table);
        if (series == NULL) {
            break;
        }
        if (open == METRIC_COUNT) {
            hf_build_resource(&table->builder, HF_EMPTY_SLICE);
            hf_build_scope(&table->builder, hf_slice_text("traces_service_graph"), HF_EMPTY_SLICE);
        }
        if (open != table->metric) {
            open_metric(table);
            open = table->metric;
        }
        put_point(table, series);
    }
    if (hf_build_finish(&table->builder) != HF_OK) {
        table->series = begun;
        table->metric = begun_metric;
        return HF_NOMEM;
    }
    *ret_batch = hf_build_take(&table->builder);
    return HF_OK;
}

/* ---- over a restart ---- */

struct series_record {
    uint64_t count, failed_count, start_ns, updated_ns;
    uint64_t is_overflow;
};

void servicegraph_table_save(const struct servicegraph_table *table, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, table->form.is_exponential);
    hf_state_put_u64(writer, table->form.size_max);
    hf_state_put_u64(writer, table->form.bound_count);
    hf_state_file_put(writer, table->form.bounds, table->form.bound_count * sizeof(double));
    hf_state_put_u64(writer, table->count);
    for (const struct servicegraph_series *one = table->first; one != NULL; one = one->next) {
        const struct series_record record = {one->count, one->failed_count, one->start_ns,
                                             one->updated_ns, one->is_overflow};
        hf_state_file_put(writer, &record, sizeof(record));
        hf_state_file_put_bytes(writer, hf_slice_of(one->bytes, one->key_size));
        hf_state_file_put_bytes(writer,
                                hf_slice_of(one->bytes + one->key_size, one->attributes_size));
        hf_distribution_save(one->seconds[SERVICEGRAPH_CLIENT], writer);
        hf_distribution_save(one->seconds[SERVICEGRAPH_SERVER], writer);
    }
}

static void load_form(struct servicegraph_table *table, struct hf_state_reader *reader)
{
    struct hf_distribution_form form = {.is_exponential = hf_state_get_u64(reader) != 0};
    form.size_max = (uint32_t)hf_state_get_u64(reader);
    form.bound_count = (size_t)hf_state_get_u64(reader);
    if (form.bound_count > HF_DISTRIBUTION_BOUNDS_MAX || form.size_max > HF_DISTRIBUTION_SIZE_MAX) {
        reader->status = HF_CORRUPT;
        return;
    }
    free(table->old_bounds);
    table->old_bounds = calloc(form.bound_count + 1, sizeof(double));
    if (table->old_bounds == NULL) {
        reader->status = HF_NOMEM;
        return;
    }
    hf_state_file_get(reader, table->old_bounds, form.bound_count * sizeof(double));
    form.bounds = table->old_bounds;
    table->form = form;
}

static void load_series(struct servicegraph_table *table, struct hf_state_reader *reader)
{
    struct series_record record;
    if (!hf_state_file_get(reader, &record, sizeof(record)) ||
        !hf_state_file_get_bytes(reader, &table->key) ||
        !hf_state_file_get_bytes(reader, &table->attributes)) {
        return;
    }
    struct servicegraph_series *series =
        add(table, hf_slice_of(table->key.data, table->key.size),
            hf_slice_of(table->attributes.data, table->attributes.size), record.is_overflow != 0);
    if (series == NULL) {
        reader->status = HF_NOMEM;
        return;
    }
    series->count = record.count;
    series->failed_count = record.failed_count;
    series->start_ns = record.start_ns;
    series->updated_ns = record.updated_ns;
    series->seconds[SERVICEGRAPH_CLIENT] = hf_distribution_load(&table->form, reader);
    series->seconds[SERVICEGRAPH_SERVER] = hf_distribution_load(&table->form, reader);
}

void servicegraph_table_load(struct servicegraph_table *table, struct hf_state_reader *reader)
{
    load_form(table, reader);
    uint64_t count = hf_state_get_u64(reader);
    for (uint64_t i = 0; i < count && reader->status == HF_OK; i++) {
        load_series(table, reader);
    }
}

/* ---- life ---- */

enum hf_status servicegraph_table_init(struct servicegraph_table *table,
                                       const struct servicegraph_config *config)
{
    table->config = config;
    hf_table_hash_key(&table->hash_key);
    hf_builder_init(&table->builder, HF_METRICS, BATCH_BYTES_MAX);
    if (config->exponential_histogram_max_size > 0) {
        table->wanted_form.is_exponential = true;
        table->wanted_form.size_max = (uint32_t)config->exponential_histogram_max_size;
    } else {
        table->bounds = servicegraph_bounds(config, &table->wanted_form.bound_count);
        table->wanted_form.bounds = table->bounds;
    }
    table->form = table->wanted_form;
    return table->bounds == NULL && !table->wanted_form.is_exponential ? HF_NOMEM : HF_OK;
}

void servicegraph_table_release(struct servicegraph_table *table)
{
    servicegraph_table_clear(table);
    hf_builder_release(&table->builder);
    hf_bytes_release(&table->key);
    hf_bytes_release(&table->attributes);
    free(table->bounds);
    free(table->old_bounds);
}
