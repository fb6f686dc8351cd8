#include "spanmetrics_fold.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/wire_find.h"
#include "spanmetrics_key.h"
#include "spanmetrics_spans.h"
#include "support/items/sampling.h"
#include "util/time/clock.h"

/* Field numbers of OTLP. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, RESOURCE_ATTRIBUTES = 1 };

/* ---- resources ---- */

/* The same resource mostly comes again and again: its bytes tell. */
static bool is_last_resource(const struct spanmetrics_fold *fold, struct hf_slice resource)
{
    return fold->resource != NULL && fold->last_resource.size == resource.size &&
           resource.size != 0 &&
           memcmp(fold->last_resource.data, resource.data, resource.size) == 0;
}

static enum hf_status begin_resource(struct spanmetrics_fold *fold, struct hf_slice resource)
{
    struct hf_wire wire = hf_wire_of(resource);
    struct hf_slice pair;
    enum hf_status status = HF_OK;
    spanmetrics_values_clear(&fold->of_resource, fold->dimensions);
    while (status == HF_OK && hf_wire_each(&wire, RESOURCE_ATTRIBUTES, &pair)) {
        status = spanmetrics_values_note(&fold->of_resource, fold->dimensions, pair);
    }
    if (status == HF_OK && !is_last_resource(fold, resource)) {
        fold->resource = NULL;
        status = spanmetrics_resource_key(fold, resource);
        if (status == HF_OK) {
            const struct spanmetrics_new_resource wanted = {
                .key = hf_slice_of(fold->resource_key.data, fold->resource_key.size),
                .attributes = hf_slice_of(fold->attributes.data, fold->attributes.size),
                .now_ns = fold->now_ns};
            status = spanmetrics_table_resource(fold->table, &wanted, &fold->resource);
        }
        fold->last_resource.size = 0;
        if (status == HF_OK) {
            status = hf_bytes_append(&fold->last_resource, resource);
        }
    }
    return status;
}

/* One without service.name is passed over, as in the Go collector. */
static enum hf_status fold_group(struct spanmetrics_fold *fold, struct hf_slice group)
{
    struct hf_slice resource = hf_wire_find_bytes(group, RESOURCE), scope, value;
    struct hf_wire wire = hf_wire_of(group);
    if (!hf_attribute_of(resource, RESOURCE_ATTRIBUTES, hf_slice_text("service.name"), &value)) {
        return HF_OK;
    }
    struct hf_any service = hf_any_read(value);
    fold->service = service.type == HF_ANY_STRING ? service.bytes : HF_EMPTY_SLICE;
    enum hf_status status = begin_resource(fold, resource);
    while (status == HF_OK && hf_wire_each(&wire, SCOPE_SPANS, &scope)) {
        status = spanmetrics_spans(fold, scope);
    }
    return status;
}

/* ---- the request ---- */

static void add_exemplar(const struct spanmetrics_fold *fold, const struct spanmetrics_touch *one)
{
    struct spanmetrics_series *series = one->series;
    if (one->trace_id.size != sizeof(series->exemplars->trace_id) ||
        (int64_t)series->exemplar_count >= fold->config->exemplars.max_per_data_point) {
        return;
    }
    struct spanmetrics_exemplar *exemplar = &series->exemplars[series->exemplar_count++];
    memset(exemplar, 0, sizeof(*exemplar));
    memcpy(exemplar->trace_id, one->trace_id.data, sizeof(exemplar->trace_id));
    if (one->span_id.size == sizeof(exemplar->span_id)) {
        memcpy(exemplar->span_id, one->span_id.data, sizeof(exemplar->span_id));
    }
    exemplar->value = one->value;
}

static void add_all(struct spanmetrics_fold *fold)
{
    for (size_t i = 0; i < fold->touch_count; i++) {
        const struct spanmetrics_touch *one = &fold->touches[i];
        struct spanmetrics_series *series = one->series;
        series->seen_ns = fold->now_ns;
        if (series->distribution != NULL) {
            hf_distribution_observe(&fold->table->form, series->distribution, one->value,
                                    one->count);
        } else {
            series->count += one->count;
        }
        if (series->exemplars != NULL) {
            add_exemplar(fold, one);
        }
    }
}

enum hf_status spanmetrics_fold_request(struct spanmetrics_fold *fold, struct hf_slice raw,
                                        uint64_t now_ns)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_slice group;
    enum hf_status status = HF_OK;
    fold->now_ns = now_ns;
    fold->touch_count = 0;
    fold->resource = NULL; /* it may have been removed since */
    fold->last_state = HF_EMPTY_SLICE;
    while (status == HF_OK && hf_wire_each(&wire, RESOURCE_SPANS, &group)) {
        status = fold_group(fold, group);
    }
    if (status == HF_OK) {
        add_all(fold);
    }
    return status;
}

/* ---- life ---- */

static bool excludes(const struct spanmetrics_config *config, const char *name)
{
    return hf_string_list_has(&config->exclude_dimensions, hf_slice_text(name));
}

enum hf_status spanmetrics_fold_init(struct spanmetrics_fold *fold,
                                     const struct spanmetrics_config *config,
                                     const struct spanmetrics_dimensions *dimensions,
                                     struct spanmetrics_table *table)
{
    fold->config = config;
    fold->dimensions = dimensions;
    fold->table = table;
    fold->without_service = excludes(config, "service.name");
    fold->without_name = excludes(config, "span.name");
    fold->without_kind = excludes(config, "span.kind");
    fold->without_status = excludes(config, "status.code");
    fold->without_instance = excludes(config, "collector.instance.id");
    fold->has_one_key = spanmetrics_is_common(dimensions, SPANMETRICS_CALLS) &&
                        spanmetrics_is_common(dimensions, SPANMETRICS_DURATION);
    fold->divider = config->histogram.unit == SPANMETRICS_S ? 1e9 : 1e6;
    fold->random = hf_clock_monotonic_ns() | 1;
    enum hf_status status = spanmetrics_values_init(&fold->of_resource, dimensions);
    status = status == HF_OK ? spanmetrics_values_init(&fold->of_span, dimensions) : status;
    status = status == HF_OK ? spanmetrics_values_init(&fold->of_event, dimensions) : status;
    return status == HF_OK ? spanmetrics_values_init(&fold->joined, dimensions) : status;
}

void spanmetrics_fold_release(struct spanmetrics_fold *fold)
{
    spanmetrics_values_release(&fold->of_resource);
    spanmetrics_values_release(&fold->of_span);
    spanmetrics_values_release(&fold->of_event);
    spanmetrics_values_release(&fold->joined);
    hf_bytes_release(&fold->key);
    hf_bytes_release(&fold->text);
    hf_bytes_release(&fold->attributes);
    hf_bytes_release(&fold->resource_key);
    hf_bytes_release(&fold->last_resource);
    free(fold->pairs);
    free(fold->touches);
}
