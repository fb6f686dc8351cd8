/*
 * gather_write: what was gathered of a scrape, written as OTLP metrics.
 */
#include "gather.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exemplar.h"
#include "gather_internal.h"
#include "pdata/build_metrics.h"
#include "units.h"
#include "util/time/clock.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

struct writing {
    struct hf_prom_gather *gather;
    struct hf_builder *builder;
    bool failed;
};

/* Memory until the scrape's end. */
static void *take(struct writing *writing, size_t size)
{
    void *piece = hf_arena_take(writing->gather->arena, size != 0 ? size : 1);
    writing->failed |= piece == NULL;
    return piece;
}

/* As the Go collector computes it: whole seconds apart, so that few digits are lost. */
static uint64_t time_of_seconds(double seconds)
{
    if (!(seconds > 0 && seconds < 9e9)) {
        return 0;
    }
    uint64_t whole = (uint64_t)seconds;
    return whole * HF_NS_PER_S + (uint64_t)((seconds - (double)whole) * 1e9);
}

/* ---- resources ---- */

/* host and port of "host:port", "[v6]:port"; all of it is the host when it is no such thing. */
static void split_instance(struct hf_slice instance, struct hf_slice *ret_host,
                           struct hf_slice *ret_port)
{
    const uint8_t *data = instance.data;
    const uint8_t *colon = instance.size != 0 ? memrchr(data, ':', instance.size) : NULL;
    *ret_host = instance;
    *ret_port = HF_EMPTY_SLICE;
    if (colon == NULL) {
        return;
    }
    size_t size = (size_t)(colon - data);
    bool is_v6 = size >= 2 && data[0] == '[' && data[size - 1] == ']';
    if (!is_v6 && memchr(data, ':', size) != NULL) {
        return; /* an IPv6 address without a port */
    }
    *ret_host = is_v6 ? hf_slice_of(data + 1, size - 2) : hf_slice_of(data, size);
    *ret_port = hf_slice_of(colon + 1, instance.size - size - 1);
}

/* Not so for addresses that mean this machine, whichever that is. */
static bool is_discernible(struct hf_slice host)
{
    static const char *const vague[] = {"localhost", "0.0.0.0", "::", "::1"};
    for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++) {
        if (hf_slice_is(host, vague[i])) {
            return false;
        }
    }
    bool is_loopback = hf_prom_has_prefix(host, "127.", 4);
    for (size_t i = 0; i < host.size && is_loopback; i++) {
        is_loopback = host.data[i] == '.' || (host.data[i] >= '0' && host.data[i] <= '9');
    }
    return !is_loopback;
}

static bool is_in_info(const struct gather_resource *resource, struct hf_slice key)
{
    for (size_t i = 0; i < resource->info_count; i++) {
        if (hf_slice_equal(resource->info[i].name, key)) {
            return true;
        }
    }
    return false;
}

/* What target_info says counts more. */
static void put_own(struct writing *writing, const struct gather_resource *resource,
                    struct hf_slice key, struct hf_slice value)
{
    if (!is_in_info(resource, key)) {
        hf_build_attribute_string(writing->builder, key, value);
    }
}

static void write_resource_head(struct writing *writing, const struct gather_resource *resource)
{
    const struct hf_prom_gather_options *options = &writing->gather->options;
    struct hf_slice host, port;
    split_instance(resource->instance, &host, &port);
    hf_build_resource(writing->builder, HF_EMPTY_SLICE);
    put_own(writing, resource, LITERAL("service.name"), resource->job);
    if (is_discernible(host)) {
        put_own(writing, resource, LITERAL("server.address"), host);
    }
    put_own(writing, resource, LITERAL("service.instance.id"), resource->instance);
    put_own(writing, resource, LITERAL("server.port"), port);
    put_own(writing, resource, LITERAL("url.scheme"), options->scheme);
    for (size_t i = 0; i < options->attribute_count; i++) {
        put_own(writing, resource, options->attributes[i].name, options->attributes[i].value);
    }
    for (size_t i = 0; i < resource->info_count; i++) {
        hf_build_attribute_string(writing->builder, resource->info[i].name,
                                  resource->info[i].value);
    }
}

/* ---- points ---- */

static void put_attributes(struct writing *writing, const struct gather_group *group)
{
    for (size_t i = 0; i < group->label_count; i++) {
        hf_build_attribute_string(writing->builder, group->labels[i].name, group->labels[i].value);
    }
}

static void end_point(struct writing *writing, const struct gather_group *group)
{
    put_attributes(writing, group);
    for (size_t i = 0; i < group->exemplar_count; i++) {
        hf_prom_put_exemplar(writing->builder, &group->exemplars[i]);
    }
    hf_build_end(writing->builder);
}

static struct hf_build_point point_of(const struct writing *writing,
                                      const struct gather_group *group, bool is_stale)
{
    double start_s = group->created_s;
    start_s = start_s == 0 ? writing->gather->start_time_s : start_s;
    return (struct hf_build_point){
        .start_ns = time_of_seconds(start_s),
        .time_ns = hf_prom_time_ns(group->time_ms),
        .flags = is_stale ? HF_BUILD_NO_RECORDED_VALUE : 0,
    };
}

static void write_number(struct writing *writing, const struct gather_family *family,
                         const struct gather_group *group)
{
    struct hf_build_point point = point_of(writing, group, hf_prom_is_stale(group->value));
    point.start_ns = family->kind == GATHER_SUM ? point.start_ns : 0;
    hf_build_point_double(writing->builder, &point, group->value);
    end_point(writing, group);
}

static int compare_pairs(const void *a, const void *b)
{
    double first = ((const struct gather_pair *)a)->bound;
    double second = ((const struct gather_pair *)b)->bound;
    return first < second ? -1 : first > second;
}

static void sort_pairs(struct gather_group *group)
{
    bool is_sorted = true;
    for (size_t i = 1; i < group->pair_count && is_sorted; i++) {
        is_sorted = group->pairs[i - 1].bound <= group->pairs[i].bound;
    }
    if (!is_sorted) {
        qsort(group->pairs, group->pair_count, sizeof(*group->pairs), compare_pairs);
    }
}

/* Cumulative counts must not fall, nor end above the count of all. */
static bool is_cumulative(const struct gather_group *group, size_t bound_count)
{
    double before = 0;
    for (size_t i = 0; i < bound_count; i++) {
        if (isnan(group->pairs[i].value) || group->pairs[i].value < before) {
            return false;
        }
        before = group->pairs[i].value;
    }
    return !isnan(group->count) && group->count >= before;
}

static void write_histogram(struct writing *writing, struct gather_group *group)
{
    bool is_stale = hf_prom_is_stale(group->count) || hf_prom_is_stale(group->sum);
    sort_pairs(group);
    size_t bound_count = hf_prom_gather_bounds(group);
    if (!is_stale && !is_cumulative(group, bound_count)) {
        writing->gather->skipped++;
        return;
    }
    uint64_t *buckets = take(writing, (bound_count + 1) * sizeof(*buckets));
    double *bounds = take(writing, (bound_count + 1) * sizeof(*bounds));
    if (writing->failed) {
        return;
    }
    double before = 0;
    for (size_t i = 0; i < bound_count; i++) {
        bounds[i] = group->pairs[i].bound;
        buckets[i] = is_stale ? 0 : hf_prom_gather_count(group->pairs[i].value - before);
        before = group->pairs[i].value;
    }
    buckets[bound_count] = is_stale ? 0 : hf_prom_gather_count(group->count - before);
    const struct hf_build_histogram histogram = {
        .point = point_of(writing, group, is_stale),
        .count = is_stale ? 0 : hf_prom_gather_count(group->count),
        .has_sum = group->has_sum && !is_stale,
        .sum = group->sum,
        .buckets = buckets,
        .bounds = bounds,
        .bound_count = bound_count,
    };
    hf_build_point_histogram(writing->builder, &histogram);
    end_point(writing, group);
}

static void write_summary(struct writing *writing, struct gather_group *group)
{
    bool is_stale = hf_prom_is_stale(group->count) || hf_prom_is_stale(group->sum);
    sort_pairs(group);
    struct hf_build_quantile *quantiles = take(writing, group->pair_count * sizeof(*quantiles));
    if (writing->failed) {
        return;
    }
    for (size_t i = 0; i < group->pair_count; i++) {
        quantiles[i].quantile = group->pairs[i].bound;
        quantiles[i].value = is_stale ? 0 : group->pairs[i].value;
    }
    const struct hf_build_summary summary = {
        .point = point_of(writing, group, is_stale),
        .count = is_stale ? 0 : hf_prom_gather_count(group->count),
        .sum = is_stale || !group->has_sum ? 0 : group->sum,
        .quantiles = quantiles,
        .quantile_count = group->pair_count,
    };
    hf_build_point_summary(writing->builder, &summary);
    put_attributes(writing, group);
    hf_build_end(writing->builder);
}

/* OTLP counts buckets by their lower bound, Prometheus by their upper one. */
static struct hf_build_buckets buckets_of(const struct hf_expo_buckets *buckets)
{
    return (struct hf_build_buckets){.offset = buckets->count != 0 ? buckets->first - 1 : 0,
                                     .counts = buckets->counts,
                                     .count = buckets->count};
}

static void write_native(struct writing *writing, const struct gather_group *group)
{
    const struct hf_expo_native *native = group->native;
    struct hf_build_exponential exponential = {
        .point = point_of(writing, group, hf_prom_is_stale(group->value))};
    if (exponential.point.flags == 0) {
        exponential.count = native->count;
        exponential.has_sum = true;
        exponential.sum = native->sum;
        exponential.scale = native->schema;
        exponential.zero_threshold = native->zero_threshold;
        exponential.zero_count = native->zero_count;
        exponential.positive = buckets_of(&native->positive);
        exponential.negative = buckets_of(&native->negative);
    }
    hf_build_point_exponential(writing->builder, &exponential);
    end_point(writing, group);
}

static void write_group(struct writing *writing, const struct gather_family *family,
                        struct gather_group *group)
{
    switch (family->kind) {
    case GATHER_GAUGE:
    case GATHER_SUM:
        write_number(writing, family, group);
        break;
    case GATHER_HISTOGRAM:
        write_histogram(writing, group);
        break;
    case GATHER_SUMMARY:
        write_summary(writing, group);
        break;
    case GATHER_NATIVE:
        write_native(writing, group);
        break;
    }
}

/* ---- families ---- */

static void write_family(struct writing *writing, const struct gather_family *family)
{
    static const enum hf_build_metric_kind kinds[] = {
        [GATHER_GAUGE] = HF_BUILD_GAUGE,         [GATHER_SUM] = HF_BUILD_SUM,
        [GATHER_HISTOGRAM] = HF_BUILD_HISTOGRAM, [GATHER_SUMMARY] = HF_BUILD_SUMMARY,
        [GATHER_NATIVE] = HF_BUILD_EXPONENTIAL,
    };
    const struct gather_meta *meta = family->meta;
    enum hf_expo_type type = family->kind == GATHER_NATIVE ? HF_EXPO_HISTOGRAM : meta->type;
    char unit[HF_PROM_UNIT_MAX];
    struct hf_slice name = family->name;
    if (writing->gather->options.trim_suffixes) {
        name = hf_prom_trim_suffixes(name, meta->unit, family->kind == GATHER_SUM);
    }
    const struct hf_build_metric metric = {
        .name = name,
        .description = meta->help,
        .unit = hf_prom_unit_of_words(meta->unit, unit),
        .kind = kinds[family->kind],
        .temporality = HF_BUILD_CUMULATIVE,
        .is_monotonic = family->is_monotonic,
        .metadata = {LITERAL("prometheus.type"), hf_slice_text(hf_expo_type_name(type))},
    };
    hf_build_metric(writing->builder, &metric);
    for (struct gather_group *group = family->groups; group != NULL; group = group->next) {
        if (hf_prom_gather_is_point(family, group)) {
            write_group(writing, family, group);
        }
    }
}

static void write_scope(struct writing *writing, const struct gather_scope *scope)
{
    const struct hf_prom_gather_options *options = &writing->gather->options;
    bool is_own = scope->hash == 0;
    hf_build_scope(writing->builder, is_own ? options->scope_name : scope->name,
                   is_own ? options->scope_version : scope->version);
    for (size_t i = 0; i < scope->attribute_count && !is_own; i++) {
        hf_build_attribute_string(writing->builder, scope->attributes[i].name,
                                  scope->attributes[i].value);
    }
    for (const struct gather_family *family = scope->families; family != NULL;
         family = family->next) {
        write_family(writing, family);
    }
}

enum hf_status hf_prom_gather_write(struct hf_prom_gather *gather, struct hf_builder *builder)
{
    struct writing writing = {.gather = gather, .builder = builder, .failed = gather->failed};
    if (gather->failed) {
        return HF_NOMEM;
    }
    for (const struct gather_resource *resource = gather->resources; resource != NULL;
         resource = resource->next) {
        write_resource_head(&writing, resource);
        for (const struct gather_scope *scope = resource->scopes; scope != NULL;
             scope = scope->next) {
            write_scope(&writing, scope);
        }
    }
    return writing.failed ? HF_NOMEM : HF_OK;
}
