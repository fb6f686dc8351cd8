#include "es_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk/pair.h"
#include "es_ecs.h"
#include "es_otel.h"
#include "pdata/any.h"
#include "util/grow.h"
#include "util/hash.h"

void es_metrics_begin(struct es_metrics *metrics)
{
    metrics->point_count = metrics->group_count = 0;
    metrics->keys.size = 0;
    if (metrics->table != NULL) {
        memset(metrics->table, 0, metrics->table_size * sizeof(*metrics->table));
    }
}

/* ---- keys of groups ---- */

static bool add_slice(struct es_metrics *metrics, struct hf_slice slice)
{
    if (metrics->slice_count == metrics->slice_capacity) {
        size_t capacity = metrics->slice_capacity != 0 ? 2 * metrics->slice_capacity : 64;
        struct hf_slice *slices = reallocarray(metrics->slices, capacity, sizeof(*slices));
        if (slices == NULL) {
            return false;
        }
        metrics->slices = slices;
        metrics->slice_capacity = capacity;
    }
    metrics->slices[metrics->slice_count++] = slice;
    return true;
}

static bool put_sized(struct hf_bytes *out, struct hf_slice bytes)
{
    uint64_t size = bytes.size;
    return hf_bytes_append(out, hf_slice_of(&size, sizeof(size))) == HF_OK &&
           hf_bytes_append(out, bytes) == HF_OK;
}

/* The attributes in the order of their bytes, but for those that say what becomes of a document. */
static bool put_attributes(struct es_metrics *metrics, struct hf_slice owner, uint32_t number,
                           struct hf_bytes *out)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    bool good = true;
    metrics->slice_count = 0;
    while (good && hf_wire_each(&wire, number, &pair)) {
        if (hf_bulk_pair_read(pair, &key, &value) && !es_special_is_hidden(key)) {
            good = add_slice(metrics, pair);
        }
    }
    if (good && metrics->slice_count > 1) {
        qsort(metrics->slices, metrics->slice_count, sizeof(*metrics->slices), hf_slice_order);
    }
    for (size_t i = 0; good && i < metrics->slice_count; i++) {
        good = put_sized(out, metrics->slices[i]);
    }
    return good && put_sized(out, HF_EMPTY_SLICE);
}

void es_metrics_begin_scope(struct es_metrics *metrics, struct es_context *context)
{
    struct hf_bytes *key = &metrics->scope_key;
    const struct hf_bulk_walk *walk = &context->walk;
    uint8_t mode = (uint8_t)context->mode;
    key->size = 0;
    bool good = hf_bytes_append(key, hf_slice_of(&mode, 1)) == HF_OK &&
                put_attributes(metrics, walk->resource, HF_BULK_RESOURCE_ATTRIBUTES, key);
    if (good && context->mode == ES_OTEL) {
        good = put_sized(key, hf_wire_find_bytes(walk->scope, 1)) &&
               put_attributes(metrics, walk->scope, HF_BULK_SCOPE_ATTRIBUTES, key);
    }
    context->bulk->failed |= !good;
}

/* Appends the key of a point; with ecs its start and unit make no difference. */
static bool put_key(struct es_metrics *metrics, const struct es_context *context,
                    const struct es_point *point)
{
    const struct hf_bytes *scope = &metrics->scope_key, *index = &context->route.index;
    uint64_t times[] = {es_point_time(point), context->mode == ES_OTEL ? es_point_start(point) : 0};
    return put_sized(&metrics->keys, hf_slice_of(index->data, index->size)) &&
           hf_bytes_append(&metrics->keys, hf_slice_of(scope->data, scope->size)) == HF_OK &&
           hf_bytes_append(&metrics->keys, hf_slice_of(times, sizeof(times))) == HF_OK &&
           (context->mode != ES_OTEL ||
            put_sized(&metrics->keys, hf_wire_find_bytes(point->metric, 3))) &&
           put_attributes(metrics, point->bytes, hf_bulk_point_attributes(point->kind),
                          &metrics->keys);
}

/* ---- groups ---- */

static bool grow_table(struct es_metrics *metrics)
{
    if (2 * (metrics->group_count + 1) < metrics->table_size) {
        return true;
    }
    size_t size = metrics->table_size != 0 ? 2 * metrics->table_size : 1024;
    uint32_t *table = calloc(size, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < metrics->group_count; i++) {
        size_t at = metrics->groups[i].hash & (size - 1);
        while (table[at] != 0) {
            at = (at + 1) & (size - 1);
        }
        table[at] = (uint32_t)i + 1;
    }
    free(metrics->table);
    metrics->table = table;
    metrics->table_size = size;
    return true;
}

static bool grow_groups(struct es_metrics *metrics)
{
    return hf_grow(&metrics->groups, &metrics->group_capacity, metrics->group_count + 1,
                   sizeof(*metrics->groups)) &&
           grow_table(metrics);
}

static struct hf_slice key_of(const struct es_metrics *metrics, size_t at, size_t size)
{
    return hf_slice_of(metrics->keys.data + at, size);
}

static bool put_route(struct es_metrics *metrics, const struct es_route *route,
                      struct es_group *group)
{
    const char *parts[] = {route->type, route->dataset, route->namespace};
    group->index_at = metrics->keys.size;
    group->index_size = route->index.size;
    group->is_stream = route->is_stream;
    bool good =
        hf_bytes_append(&metrics->keys, hf_slice_of(route->index.data, route->index.size)) == HF_OK;
    group->parts_at = metrics->keys.size;
    for (size_t i = 0; good && route->is_stream && i < sizeof(parts) / sizeof(parts[0]); i++) {
        good =
            hf_bytes_append(&metrics->keys, hf_slice_of(parts[i], strlen(parts[i]) + 1)) == HF_OK;
    }
    return good;
}

/* The group of the key that was appended at `key_at`; NULL: out of memory. */
static struct es_group *find_group(struct es_metrics *metrics, const struct es_context *context,
                                   size_t key_at)
{
    if (!grow_groups(metrics)) {
        return NULL;
    }
    struct hf_slice key = key_of(metrics, key_at, metrics->keys.size - key_at);
    uint64_t hash = hf_hash_64(key);
    size_t at = hash & (metrics->table_size - 1);
    for (; metrics->table[at] != 0; at = (at + 1) & (metrics->table_size - 1)) {
        struct es_group *group = &metrics->groups[metrics->table[at] - 1];
        if (group->hash == hash &&
            hf_slice_equal(key_of(metrics, group->key_at, group->key_size), key)) {
            metrics->keys.size = key_at;
            return group;
        }
    }
    struct es_group *group = &metrics->groups[metrics->group_count];
    *group = (struct es_group){
        .hash = hash,
        .key_at = key_at,
        .key_size = key.size,
        .resource = context->walk.resource,
        .resource_url = context->walk.resource_url,
        .scope = context->walk.scope,
        .scope_url = context->walk.scope_url,
        .mode = context->mode,
    };
    if (!put_route(metrics, &context->route, group)) {
        return NULL;
    }
    metrics->group_count++;
    metrics->table[at] = (uint32_t)metrics->group_count;
    return group;
}

static bool add_point(struct es_metrics *metrics, struct es_group *group,
                      const struct es_point *point, uint32_t item)
{
    if (metrics->point_count == metrics->point_capacity) {
        size_t capacity = metrics->point_capacity != 0 ? 2 * metrics->point_capacity : 1024;
        struct es_grouped_point *points = reallocarray(metrics->points, capacity, sizeof(*points));
        if (points == NULL) {
            return false;
        }
        metrics->points = points;
        metrics->point_capacity = capacity;
    }
    metrics->points[metrics->point_count++] = (struct es_grouped_point){*point, item, 0};
    uint32_t number = (uint32_t)metrics->point_count;
    if (group->last != 0) {
        metrics->points[group->last - 1].next = number;
    } else {
        group->first = number;
    }
    group->last = number;
    return true;
}

static void read_hints(const struct es_special *special, struct es_point *point)
{
    struct hf_any any = hf_any_read(special->hints);
    struct hf_wire wire = hf_wire_of(any.type == HF_ANY_ARRAY ? any.bytes : HF_EMPTY_SLICE);
    struct hf_slice element;
    while (hf_wire_each(&wire, 1, &element)) {
        struct hf_slice hint = hf_any_read(element).bytes;
        point->wants_aggregate |= hf_slice_is(hint, "aggregate_metric_double");
        point->wants_count |= hf_slice_is(hint, "_doc_count");
    }
}

/* Does the document have that metric already? Of otel it can be there once. */
static bool has_metric(const struct es_metrics *metrics, const struct es_group *group,
                       struct hf_slice name)
{
    for (uint32_t at = group->first; at != 0; at = metrics->points[at - 1].next) {
        if (hf_slice_equal(hf_wire_find_bytes(metrics->points[at - 1].point.metric, 1), name)) {
            return true;
        }
    }
    return false;
}

void es_metrics_add(struct es_metrics *metrics, struct es_context *context, struct hf_slice bytes)
{
    const struct hf_bulk_walk *walk = &context->walk;
    struct es_special special = es_special_read(bytes, hf_bulk_point_attributes(walk->kind));
    struct es_point point = {
        .metric = walk->metric, .data = walk->data, .bytes = bytes, .kind = walk->kind};
    read_hints(&special, &point);
    const char *why = es_point_check(&point);
    if (why != NULL) {
        hf_bulk_leave_out(context->bulk, why);
        return;
    }
    if (!es_context_route(context, HF_METRICS, &special, &context->route)) {
        return;
    }
    size_t key_at = metrics->keys.size;
    struct es_group *group =
        put_key(metrics, context, &point) ? find_group(metrics, context, key_at) : NULL;
    if (group == NULL) {
        context->bulk->failed = true;
        return;
    }
    if (context->mode == ES_OTEL &&
        has_metric(metrics, group, hf_wire_find_bytes(point.metric, 1))) {
        hf_bulk_leave_out(context->bulk, "the same metric is there twice with the same time and "
                                         "attributes");
        return;
    }
    context->bulk->failed |= !add_point(metrics, group, &point, context->bulk->item);
}

/* ---- documents ---- */

static const struct es_point *first_point(const struct es_metrics *metrics,
                                          const struct es_group *group)
{
    return &metrics->points[group->first - 1].point;
}

/* FNV-1a over the sorted names: a field that keeps documents of other metrics apart. */
static uint32_t hash_names(struct es_metrics *metrics, const struct es_group *group, bool *failed)
{
    uint32_t hash = 2166136261u;
    metrics->slice_count = 0;
    for (uint32_t at = group->first; at != 0; at = metrics->points[at - 1].next) {
        *failed |= !add_slice(metrics, hf_wire_find_bytes(metrics->points[at - 1].point.metric, 1));
    }
    qsort(metrics->slices, metrics->slice_count, sizeof(*metrics->slices), hf_slice_order);
    for (size_t i = 0; i < metrics->slice_count; i++) {
        for (size_t j = 0; j < metrics->slices[i].size; j++) {
            hash = (hash ^ metrics->slices[i].data[j]) * 16777619u;
        }
    }
    return hash;
}

static void make_templates(struct es_metrics *metrics, struct es_context *context,
                           const struct es_group *group)
{
    struct hf_json_writer writer = {.out = &metrics->templates};
    metrics->templates.size = 0;
    hf_json_write_open(&writer, '{');
    for (uint32_t at = group->first; at != 0; at = metrics->points[at - 1].next) {
        const struct es_point *point = &metrics->points[at - 1].point;
        context->text.size = 0;
        context->bulk->failed |=
            hf_bytes_append(&context->text, hf_slice_text("metrics.")) != HF_OK ||
            hf_bytes_append(&context->text, hf_wire_find_bytes(point->metric, 1)) != HF_OK;
        hf_json_write_key(&writer, hf_slice_of(context->text.data, context->text.size));
        hf_json_write_text(&writer, hf_slice_text(es_point_template(point)));
    }
    hf_json_write_close(&writer, '}');
    context->bulk->failed |= writer.failed;
}

static void put_stream(struct hf_json_writer *writer, const struct es_metrics *metrics,
                       const struct es_group *group)
{
    static const char *const names[] = {"type", "dataset", "namespace"};
    const char *part = (const char *)metrics->keys.data + group->parts_at;
    if (!group->is_stream) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "data_stream");
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        hf_json_write_key(writer, hf_slice_text(names[i]));
        hf_json_write_text(writer, hf_slice_text(part));
        part += strlen(part) + 1;
    }
    hf_json_write_close(writer, '}');
}

static void put_values(struct es_metrics *metrics, struct es_context *context,
                       const struct es_group *group)
{
    struct hf_json_writer *writer = &context->bulk->writer;
    uint64_t count = 0;
    HF_JSON_WRITE_KEY(writer, "metrics");
    hf_json_write_open(writer, '{');
    for (uint32_t at = group->first; at != 0; at = metrics->points[at - 1].next) {
        const struct es_point *point = &metrics->points[at - 1].point;
        hf_json_write_key(writer, hf_wire_find_bytes(point->metric, 1));
        es_point_write(point, writer);
        count = point->wants_count ? es_point_count(point) : count;
    }
    hf_json_write_close(writer, '}');
    if (count != 0) {
        HF_JSON_WRITE_KEY(writer, "_doc_count");
        hf_json_write_u64(writer, count);
    }
    char text[9];
    snprintf(text, sizeof(text), "%x", hash_names(metrics, group, &context->bulk->failed));
    HF_JSON_WRITE_KEY(writer, "_metric_names_hash");
    hf_json_write_text(writer, hf_slice_text(text));
}

static void put_otel(struct es_metrics *metrics, struct es_context *context,
                     const struct es_group *group)
{
    struct hf_json_writer *writer = &context->bulk->writer;
    const struct es_point *first = first_point(metrics, group);
    struct hf_slice unit = hf_wire_find_bytes(first->metric, 3);
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    es_otel_time(writer, es_point_time(first));
    if (es_point_start(first) != 0) {
        HF_JSON_WRITE_KEY(writer, "start_timestamp");
        es_otel_time(writer, es_point_start(first));
    }
    if (unit.size != 0) {
        HF_JSON_WRITE_KEY(writer, "unit");
        hf_json_write_text(writer, unit);
    }
    put_stream(writer, metrics, group);
    es_otel_attributes(writer, first->bytes, hf_bulk_point_attributes(first->kind), true,
                       HF_EMPTY_SLICE);
    HF_JSON_WRITE_KEY(writer, "resource");
    hf_json_write_made(writer,
                       hf_slice_of(context->resource_json.data, context->resource_json.size));
    HF_JSON_WRITE_KEY(writer, "scope");
    hf_json_write_made(writer, hf_slice_of(context->scope_json.data, context->scope_json.size));
    put_values(metrics, context, group);
    hf_json_write_close(writer, '}');
}

static void put_ecs(struct es_metrics *metrics, struct es_context *context,
                    const struct es_group *group)
{
    struct hf_bulk_fields *fields = &context->work;
    const struct es_point *first = first_point(metrics, group);
    const char *names[] = {"data_stream.type", "data_stream.dataset", "data_stream.namespace"};
    const char *part = (const char *)metrics->keys.data + group->parts_at;
    hf_arena_rewind(&context->work_arena, (size_t)1 << 20);
    fields->count = 0;
    es_ecs_resource(fields, group->resource);
    hf_bulk_fields_time(fields, hf_slice_text("@timestamp"), es_point_time(first));
    hf_bulk_fields_attributes(fields, HF_EMPTY_SLICE, first->bytes,
                              hf_bulk_point_attributes(first->kind));
    for (size_t i = 0; group->is_stream && i < sizeof(names) / sizeof(names[0]); i++) {
        hf_bulk_fields_text(fields, hf_slice_text(names[i]), hf_slice_text(part));
        part += strlen(part) + 1;
    }
    for (uint32_t at = group->first; at != 0; at = metrics->points[at - 1].next) {
        const struct es_point *point = &metrics->points[at - 1].point;
        struct hf_json_writer writer = {.out = &context->text};
        context->text.size = 0;
        es_point_write(point, &writer);
        uint8_t *kept = writer.failed ? NULL : hf_arena_take(fields->arena, context->text.size);
        if (kept == NULL) {
            fields->failed = true;
            break;
        }
        memcpy(kept, context->text.data, context->text.size);
        hf_bulk_fields_made(fields, hf_wire_find_bytes(point->metric, 1),
                            hf_slice_of(kept, context->text.size));
    }
    hf_bulk_fields_write(fields, true, &context->bulk->writer);
}

static void write_group(struct es_metrics *metrics, struct es_context *context,
                        const struct es_group *group)
{
    struct hf_bulk_action action = {
        .verb = "create",
        .index = key_of(metrics, group->index_at, group->index_size),
        .needs_no_stream = context->request_mode == ES_OTEL && group->mode != ES_OTEL,
    };
    if (group->mode == ES_OTEL) {
        make_templates(metrics, context, group);
        action.templates = hf_slice_of(metrics->templates.data, metrics->templates.size);
    }
    hf_bulk_begin_document_of(context->bulk, metrics->points[group->first - 1].item, &action);
    for (uint32_t at = metrics->points[group->first - 1].next; at != 0;
         at = metrics->points[at - 1].next) {
        hf_bulk_share_document(context->bulk, metrics->points[at - 1].item);
    }
    if (group->mode == ES_OTEL) {
        put_otel(metrics, context, group);
    } else {
        put_ecs(metrics, context, group);
    }
    hf_bulk_end_document(context->bulk);
}

void es_metrics_write(struct es_metrics *metrics, struct es_context *context)
{
    const struct es_group *before = NULL;
    for (size_t i = 0; i < metrics->group_count; i++) {
        const struct es_group *group = &metrics->groups[i];
        context->walk.resource = group->resource;
        context->walk.resource_url = group->resource_url;
        context->walk.scope = group->scope;
        context->walk.scope_url = group->scope_url;
        if (group->mode == ES_OTEL &&
            (before == NULL || before->resource.data != group->resource.data ||
             before->scope.data != group->scope.data || before->mode != ES_OTEL)) {
            es_otel_begin_group(context);
        }
        write_group(metrics, context, group);
        before = group;
    }
}

void es_metrics_release(struct es_metrics *metrics)
{
    free(metrics->points);
    free(metrics->groups);
    free(metrics->table);
    free(metrics->slices);
    hf_bytes_release(&metrics->keys);
    hf_bytes_release(&metrics->scope_key);
    hf_bytes_release(&metrics->templates);
}
