/*
 * rate_limiter: refuses requests that are over a rate, before they are accepted: per tenant, as
 * metadata or resource attributes name it. The sender is told to try again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "buckets.h"
#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "pdata/walk.h"
#include "pdata/wire_find.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

enum strategy { OF_REQUESTS = 0, OF_RECORDS, OF_BYTES };

#define RESOURCES_MAX                                                                              \
    256u /* with limits of their own in one request; the others share the last                     \
          */

struct override_config {
    double rate, burst;
    bool has_burst;
};

struct limiter_config {
    int64_t strategy, max_keys;
    double rate, burst, queue_share;
    bool has_burst, has_share;
    uint64_t throttle_interval_ns;
    struct hf_string_list metadata_keys, resource_attributes;
    struct hf_struct_map overrides;
};

struct limiter {
    const struct hf_node *node;
    const struct limiter_config *config;
    struct rate_limiter_rate rate, *overrides;
    struct rate_limiter_buckets *buckets;
    const char **context_keys;
    struct hf_series *accepted, *refused;
};

/* ---- keys ---- */

/* The values of a key, joined by commas, as far as they fit: for the hash and the overrides. */
struct tenant {
    char text[256];
    size_t size;
    struct hf_hash hash;
};

static void add_value(struct tenant *tenant, struct hf_slice value, bool is_first)
{
    tenant->hash = hf_hash_mix(tenant->hash, hf_hash_of(value));
    int written =
        snprintf(tenant->text + tenant->size, sizeof(tenant->text) - tenant->size, "%s%.*s",
                 is_first ? "" : ",", (int)(value.size < sizeof(tenant->text) ? value.size : 0),
                 (const char *)value.data);
    size_t room = sizeof(tenant->text) - tenant->size;
    tenant->size += written > 0 && (size_t)written < room ? (size_t)written : 0;
}

/* The address without its port. */
static struct hf_slice host_of(struct hf_slice peer)
{
    for (size_t i = peer.size; i > 0; i--) {
        if (peer.data[i - 1] == ':') {
            return hf_slice_of(peer.data, i - 1);
        }
    }
    return peer;
}

static struct hf_slice metadata_value(struct hf_slice meta, const char *key)
{
    struct hf_slice value = HF_EMPTY_SLICE;
    bool found;
    if (strcmp(key, "client.address") == 0) {
        found = hf_meta_find(meta, HF_META_PEER, "", &value);
        return found ? host_of(value) : HF_EMPTY_SLICE;
    }
    found = strncmp(key, "auth.", 5) == 0 ? hf_meta_find(meta, HF_META_AUTH, key + 5, &value)
                                          : hf_meta_find(meta, HF_META_HEADER, key, &value);
    return found ? value : HF_EMPTY_SLICE;
}

static void add_metadata(const struct limiter_config *config, struct hf_slice meta,
                         struct tenant *tenant)
{
    for (size_t i = 0; i < config->metadata_keys.count; i++) {
        add_value(tenant, metadata_value(meta, config->metadata_keys.items[i]), i == 0);
    }
}

static void add_attributes(const struct limiter_config *config, struct hf_slice resource,
                           struct tenant *tenant)
{
    enum { ATTRIBUTES = 1 };
    for (size_t i = 0; i < config->resource_attributes.count; i++) {
        struct hf_slice value, text = HF_EMPTY_SLICE;
        if (hf_attribute_of(resource, ATTRIBUTES,
                            hf_slice_text(config->resource_attributes.items[i]), &value)) {
            struct hf_any any = hf_any_read(value);
            text = any.type == HF_ANY_STRING ? any.bytes : value;
        }
        add_value(tenant, text, tenant->size == 0 && i == 0 && config->metadata_keys.count == 0);
    }
}

static const struct rate_limiter_rate *rate_of(const struct limiter *limiter,
                                               const struct tenant *tenant)
{
    const struct hf_struct_map *overrides = &limiter->config->overrides;
    for (size_t i = 0; i < overrides->count; i++) {
        if (hf_slice_is(hf_slice_of(tenant->text, tenant->size), overrides->keys[i])) {
            return &limiter->overrides[i];
        }
    }
    return &limiter->rate;
}

/* ---- one request ---- */

struct demands {
    struct rate_limiter_demand items[RESOURCES_MAX];
    size_t count;
};

static void add_demand(const struct limiter *limiter, struct demands *demands,
                       const struct tenant *tenant, double tokens)
{
    size_t i = 0;
    while (i < demands->count && !hf_hash_equal(demands->items[i].key, tenant->hash)) {
        i++;
    }
    i = i < RESOURCES_MAX ? i : RESOURCES_MAX - 1;
    if (i == demands->count) {
        demands->items[i] =
            (struct rate_limiter_demand){.key = tenant->hash, .rate = rate_of(limiter, tenant)};
        demands->count++;
    }
    demands->items[i].tokens += tokens;
}

static double cost_of(const struct limiter *limiter, double records, size_t bytes)
{
    switch (limiter->config->strategy) {
    case OF_REQUESTS:
        return 1;
    case OF_RECORDS:
        return records;
    default:
        return (double)bytes;
    }
}

static void add_resource(const struct limiter *limiter, const struct tenant *sender,
                         struct hf_slice resource, double tokens, struct demands *demands)
{
    struct tenant tenant = *sender;
    add_attributes(limiter->config, resource, &tenant);
    add_demand(limiter, demands, &tenant, tokens);
}

/* By the items of each resource. HF_NOMEM. */
static enum hf_status add_records(const struct limiter *limiter, const struct hf_batch *batch,
                                  const struct tenant *sender, struct demands *demands)
{
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    struct hf_place place = {.document = document}, last = place;
    double count = 0;
    if (document == NULL) {
        return HF_NOMEM;
    }
    bool is_there = hf_place_next_item(&place);
    while (is_there) {
        last = place;
        count++;
        is_there = hf_place_next_item(&place);
        if (!is_there || place.resource_group != last.resource_group) {
            struct hf_message *resource = hf_place_resource(&last);
            add_resource(limiter, sender,
                         resource != NULL ? hf_message_content(resource) : HF_EMPTY_SLICE, count,
                         demands);
            count = 0;
        }
    }
    enum hf_status status = hf_document_status(document);
    hf_document_return(document);
    return status == HF_NOMEM ? status : HF_OK;
}

/* Each resource counts for itself. HF_NOMEM. */
static enum hf_status add_resources(const struct limiter *limiter, const struct hf_batch *batch,
                                    const struct tenant *sender, struct demands *demands)
{
    enum { RESOURCES = 1, HEAD = 1 };
    struct hf_wire wire = hf_wire_of(batch->raw);
    struct hf_slice group;
    if (limiter->config->strategy == OF_RECORDS) {
        return add_records(limiter, batch, sender, demands);
    }
    while (hf_wire_each(&wire, RESOURCES, &group)) {
        add_resource(limiter, sender, hf_wire_find_bytes(group, HEAD),
                     cost_of(limiter, 0, group.size), demands);
    }
    return HF_OK;
}

/* Of several tenants, the one that has most of the request. */
static uint64_t largest_tenant(const struct demands *demands)
{
    size_t largest = 0;
    for (size_t i = 1; i < demands->count; i++) {
        if (demands->items[i].tokens > demands->items[largest].tokens) {
            largest = i;
        }
    }
    uint64_t tenant = demands->count != 0 ? demands->items[largest].key.low : 1;
    return tenant == 0 || tenant == UINT64_MAX ? 1 : tenant;
}

/* The same batch, whose space in the queue is counted for its tenant. Others may have the batch
 * that came. HF_NOMEM. */
static enum hf_status claim(const struct limiter *limiter, struct hf_batch *batch,
                            const struct demands *demands, struct hf_batch **ret_batch)
{
    struct hf_batch *claimed =
        hf_batch_wrap(batch->signal, batch->coding, batch->wire, &batch->ref, batch->meta);
    if (claimed == NULL) {
        return HF_NOMEM;
    }
    claimed->raw = batch->raw;
    claimed->items = batch->items;
    claimed->received_ns = batch->received_ns;
    claimed->tenant = largest_tenant(demands);
    claimed->tenant_share = (uint32_t)(limiter->config->queue_share * 1000);
    *ret_batch = claimed;
    return HF_OK;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct limiter *limiter = self;
    struct demands demands;
    struct tenant sender = {.size = 0};
    enum hf_status status = HF_OK;
    size_t at = 0;
    demands.count = 0;
    add_metadata(limiter->config, batch->meta, &sender);
    if (limiter->config->resource_attributes.count > 0) {
        status = add_resources(limiter, batch, &sender, &demands);
    } else {
        add_demand(limiter, &demands, &sender, cost_of(limiter, batch->items, batch->raw.size));
    }
    if (status == HF_OK && limiter->config->rate > 0) {
        status = rate_limiter_buckets_take(limiter->buckets, demands.items, demands.count,
                                           hf_clock_monotonic_ns(), &at);
    }
    struct hf_series *series = status == HF_OK ? limiter->accepted : limiter->refused;
    if (series != NULL) {
        hf_series_add(series, batch->items);
    }
    if (status == HF_OK && limiter->config->has_share) {
        return claim(limiter, batch, &demands, ret_batch);
    }
    if (status == HF_OK) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
    }
    return status;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct limiter *limiter = self;
    *ret_count = limiter->config->metadata_keys.count;
    return limiter->context_keys;
}

/* ---- life ---- */

static const char *check(const void *config)
{
    const struct limiter_config *limiter = config;
    const struct override_config *overrides = limiter->overrides.items;
    if (limiter->has_share && (limiter->queue_share < 0.001 || limiter->queue_share > 1)) {
        return "queue_share must be at least 0.001 and at most 1";
    }
    if (limiter->has_share && limiter->metadata_keys.count == 0 &&
        limiter->resource_attributes.count == 0) {
        return "queue_share needs metadata_keys or resource_attributes, which name the tenants";
    }
    if (limiter->rate < 0 || (limiter->rate <= 0 && !limiter->has_share)) {
        return "rate must be greater than zero";
    }
    if (limiter->has_burst && limiter->burst <= 0) {
        return "burst must be greater than zero";
    }
    for (size_t i = 0; i < limiter->overrides.count; i++) {
        if (overrides[i].rate <= 0 || (overrides[i].has_burst && overrides[i].burst <= 0)) {
            return "overrides: rate and burst must be greater than zero";
        }
    }
    return NULL;
}

static struct rate_limiter_rate make_rate(const struct limiter_config *config, double rate,
                                          bool has_burst, double burst)
{
    double seconds = (double)config->throttle_interval_ns / (double)HF_NS_PER_S;
    return (struct rate_limiter_rate){rate / seconds, has_burst ? burst : rate};
}

static void close_limiter(void *self)
{
    struct limiter *limiter = self;
    for (size_t i = 0; limiter->context_keys != NULL && i < limiter->config->metadata_keys.count;
         i++) {
        free((void *)(uintptr_t)limiter->context_keys[i]);
    }
    free(limiter->context_keys);
    free(limiter->overrides);
    rate_limiter_buckets_free(limiter->buckets);
    free(limiter);
}

/* Header names are in lower case. */
static bool copy_keys(struct limiter *limiter)
{
    const struct hf_string_list *keys = &limiter->config->metadata_keys;
    limiter->context_keys = calloc(keys->count + 1, sizeof(char *));
    for (size_t i = 0; limiter->context_keys != NULL && i < keys->count; i++) {
        char *copy = strdup(keys->items[i]);
        if (copy == NULL) {
            return false;
        }
        for (char *at = copy; strncmp(copy, "auth.", 5) != 0 && *at != '\0'; at++) {
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
        }
        limiter->context_keys[i] = copy;
    }
    return limiter->context_keys != NULL;
}

static void open_counters(struct limiter *limiter)
{
    static const struct hf_metric_family family = {
        .name = "otelcol_ratelimit_items",
        .type = HF_COUNTER,
        .unit = "",
        .help = "Spans, data points and log records that the rate limiter let pass or refused."};
    struct hf_metrics *metrics = hf_node_metrics(limiter->node);
    if (metrics == NULL) {
        return;
    }
    const char *id = hf_node_id(limiter->node);
    const struct hf_label accepted[] = {{"processor", id}, {"decision", "accepted"}, {NULL, NULL}};
    const struct hf_label refused[] = {{"processor", id}, {"decision", "throttled"}, {NULL, NULL}};
    limiter->accepted = hf_metrics_series(metrics, &family, accepted);
    limiter->refused = hf_metrics_series(metrics, &family, refused);
}

static enum hf_status open_limiter(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    const struct limiter_config *configured = config;
    const struct override_config *overrides = configured->overrides.items;
    struct limiter *limiter = calloc(1, sizeof(*limiter));
    (void)reterr;
    if (limiter == NULL) {
        return HF_NOMEM;
    }
    limiter->node = node;
    limiter->config = configured;
    limiter->rate =
        make_rate(configured, configured->rate, configured->has_burst, configured->burst);
    limiter->overrides = calloc(configured->overrides.count + 1, sizeof(*limiter->overrides));
    limiter->buckets = rate_limiter_buckets_new((size_t)configured->max_keys);
    if (limiter->overrides == NULL || limiter->buckets == NULL || !copy_keys(limiter)) {
        close_limiter(limiter);
        return HF_NOMEM;
    }
    for (size_t i = 0; i < configured->overrides.count; i++) {
        limiter->overrides[i] =
            make_rate(configured, overrides[i].rate, overrides[i].has_burst, overrides[i].burst);
    }
    open_counters(limiter);
    *ret_self = limiter;
    return HF_OK;
}

/* ---- fields ---- */

static const char *const strategies[] = {"requests", "records", "bytes", NULL};

#define AT(name) offsetof(struct limiter_config, name)

static const struct hf_field override_fields[] = {
    {.key = "rate",
     .type = HF_FIELD_DOUBLE,
     .offset = offsetof(struct override_config, rate),
     .help = "As `rate` above."},
    {.key = "burst",
     .type = HF_FIELD_DOUBLE,
     .offset = offsetof(struct override_config, burst),
     .present_offset = offsetof(struct override_config, has_burst),
     .help = "As `burst` above."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "strategy",
     .type = HF_FIELD_ENUM,
     .offset = AT(strategy),
     .choices = strategies,
     .default_text = "requests",
     .help = "What is counted: requests, spans, data points and log records, or bytes before "
             "compression."},
    {.key = "rate",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(rate),
     .help = "How many of them may pass in each throttle_interval, for each tenant."},
    {.key = "burst",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(burst),
     .present_offset = AT(has_burst),
     .help = "How many may pass at once after a quiet time; without it as many as `rate`. A "
             "request that is larger passes when nothing else did, and is waited for afterwards."},
    {.key = "queue_share",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(queue_share),
     .present_offset = AT(has_share),
     .help = "The part of the queue's max_bytes that each tenant may have, 0.001 to 1; its senders "
             "are told to try again while others pass. It counts in the queue of the pipeline, by "
             "files: what a tenant has in one comes back when all of the file is delivered. With "
             "it `rate` may be left out. A request of several tenants counts for the one that has "
             "most of it."},
    {.key = "throttle_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(throttle_interval_ns),
     .default_text = "1s",
     .min = 1e6,
     .max = 1e15,
     .help = "The time that `rate` is about."},
    {.key = "metadata_keys",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(metadata_keys),
     .help = "Each value of these has a limit of its own: a request header, client.address, "
             "auth.ATTRIBUTE."},
    {.key = "resource_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(resource_attributes),
     .help = "So has each value of these attributes of resources, such as service.name. A request "
             "of several resources passes when all of them may."},
    {.key = "overrides",
     .type = HF_FIELD_STRUCT_MAP,
     .offset = AT(overrides),
     .inner = override_fields,
     .inner_size = sizeof(struct override_config),
     .help = "Other limits for some tenants, by their values, joined by commas."},
    {.key = "max_keys",
     .type = HF_FIELD_INT,
     .offset = AT(max_keys),
     .default_text = "10000",
     .min = 1,
     .max = 10e6,
     .help = "Tenants that are remembered; the one that was silent longest makes room for "
             "another."},
    {.key = "throttle_behavior",
     .type = HF_FIELD_IGNORED,
     .help = "A request over the limit is always refused; the sender is told when to try again."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
    .context_keys = context_keys,
};

static const char *const aliases[] = {"ratelimit", "ratelimiter", NULL};

const struct hf_component hf_processor_rate_limiter = {
    .type = "rate_limiter",
    .aliases = aliases,
    .help = "Refuses requests that are over a rate, per tenant; senders try again.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct limiter_config),
    .fields = fields,
    .check = check,
    .open = open_limiter,
    .close = close_limiter,
    .processor = &processor_ops,
};
