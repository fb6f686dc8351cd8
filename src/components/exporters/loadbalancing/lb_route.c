#include "lb_route.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/wire_find.h"
#include "support/items/identity.h"
#include "util/hex.h"

#define SPAN_TRACE_ID 1
#define SPAN_NAME 5
#define SPAN_KIND 6
#define LOG_SEVERITY_TEXT 3
#define LOG_BODY 5
#define LOG_TRACE_ID 9
#define METRIC_NAME 1
#define TRACE_ID_SIZE 16

static const char service_name[] = "service.name";

const char *lb_route_check(enum lb_key key, enum hf_signal signal)
{
    switch (key) {
    case LB_KEY_TRACE_ID:
        return signal == HF_METRICS ? "routing_key: metrics have no traceID; use service, "
                                      "resource, metric, streamID or attributes"
                                    : NULL;
    case LB_KEY_RESOURCE:
        return signal == HF_TRACES
                   ? "routing_key: traces are routed by traceID, service or attributes"
                   : NULL;
    case LB_KEY_METRIC:
    case LB_KEY_STREAM_ID:
        return signal != HF_METRICS ? "routing_key: metric and streamID are for metrics only"
                                    : NULL;
    default:
        return NULL;
    }
}

static enum lb_key key_of(const struct lb_router *router)
{
    if (router->key != LB_KEY_DEFAULT) {
        return router->key;
    }
    return router->signal == HF_TRACES ? LB_KEY_TRACE_ID : LB_KEY_SERVICE;
}

void lb_route_begin(struct lb_router *router, enum hf_signal signal)
{
    router->signal = signal;
    router->resource_group = router->scope_group = router->metric = NULL;
    router->has_endpoint = false;
}

void lb_router_release(struct lb_router *router)
{
    hf_bytes_release(&router->text);
    free(router->seen);
    router->seen = NULL;
    router->seen_capacity = router->seen_count = 0;
}

static uint32_t find(const struct lb_router *router)
{
    return lb_ring_find(router->ring, hf_slice_of(router->text.data, router->text.size));
}

/* ---- identifiers of attributes: "name=value|name=value|" ---- */

static enum hf_status put(struct lb_router *router, struct hf_slice bytes)
{
    return hf_bytes_append(&router->text, bytes);
}

static enum hf_status put_text(struct lb_router *router, const char *name, struct hf_slice text)
{
    enum hf_status status = put(router, hf_slice_text(name));
    if (status == HF_OK) {
        status = put(router, hf_slice_text("="));
    }
    if (status == HF_OK) {
        status = put(router, text);
    }
    return status == HF_OK ? put(router, hf_slice_text("|")) : status;
}

static enum hf_status put_any(struct lb_router *router, const char *name, struct hf_slice value)
{
    enum hf_status status = put(router, hf_slice_text(name));
    if (status == HF_OK) {
        status = put(router, hf_slice_text("="));
    }
    if (status == HF_OK) {
        status = hf_any_text(value, &router->text);
    }
    return status == HF_OK ? put(router, hf_slice_text("|")) : status;
}

/* The attribute of a resource, scope or item. */
static bool attribute_of(struct hf_message *message, const char *name, struct hf_slice *ret_value)
{
    return message != NULL &&
           hf_attribute_of(hf_message_content(message),
                           hf_message_attributes_number(hf_message_type(message)),
                           hf_slice_text(name), ret_value);
}

static struct hf_slice kind_text(int64_t kind)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    bool is_known = kind >= 0 && (size_t)kind < sizeof(kinds) / sizeof(kinds[0]);
    return hf_slice_text(is_known ? kinds[kind] : "");
}

/* What an item has of that name: an attribute, or one of its fields. Of spans a field of the span
 * comes before an attribute of the same name, and of log records too. */
static enum hf_status put_of_item(struct lb_router *router, struct hf_message *item,
                                  const char *name)
{
    struct hf_slice value;
    if (router->signal == HF_TRACES && strcmp(name, "span.kind") == 0) {
        return put_text(router, name, kind_text(hf_message_i64(item, SPAN_KIND)));
    }
    if (router->signal == HF_TRACES && strcmp(name, "span.name") == 0) {
        return put_text(router, name, hf_message_bytes(item, SPAN_NAME));
    }
    if (router->signal == HF_LOGS && strcmp(name, "log.severity") == 0) {
        return put_text(router, name, hf_message_bytes(item, LOG_SEVERITY_TEXT));
    }
    if (router->signal == HF_LOGS && strcmp(name, "log.body") == 0) {
        return put_any(router, name, hf_message_any(item, LOG_BODY));
    }
    return attribute_of(item, name, &value) ? put_any(router, name, value)
                                            : put_text(router, name, HF_EMPTY_SLICE);
}

/* Of a trace's first span: the attributes in their order, each from the first level that has it. */
static enum hf_status put_span_attributes(struct lb_router *router, const struct hf_place *place,
                                          const struct hf_string_list *names)
{
    enum hf_status status = HF_OK;
    router->text.size = 0;
    for (size_t i = 0; i < names->count && status == HF_OK; i++) {
        struct hf_slice value;
        if (attribute_of(hf_place_resource(place), names->items[i], &value) ||
            attribute_of(hf_place_scope(place), names->items[i], &value)) {
            status = put_any(router, names->items[i], value);
        } else {
            status = put_of_item(router, place->item, names->items[i]);
        }
    }
    return status;
}

/* Of logs and metrics: what the resource has, then what the scope has of the rest, then the item.
 */
static bool has(struct hf_message *message, const char *name)
{
    struct hf_slice value;
    return attribute_of(message, name, &value);
}

static enum hf_status put_level(struct lb_router *router, struct hf_message *message,
                                struct hf_message *above)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < router->attributes.count && status == HF_OK; i++) {
        const char *name = router->attributes.items[i];
        struct hf_slice value;
        if (!has(above, name) && attribute_of(message, name, &value)) {
            status = put_any(router, name, value);
        }
    }
    return status;
}

static enum hf_status put_resource_and_scope(struct lb_router *router, const struct hf_place *place)
{
    struct hf_message *resource = hf_place_resource(place);
    struct hf_message *scope = hf_place_scope(place);
    router->text.size = 0;
    enum hf_status status = put_level(router, resource, NULL);
    if (status == HF_OK) {
        status = put_level(router, scope, resource);
    }
    router->scope_size = router->text.size;
    router->is_complete = true;
    for (size_t i = 0; i < router->attributes.count; i++) {
        const char *name = router->attributes.items[i];
        router->is_complete = router->is_complete && (has(resource, name) || has(scope, name));
    }
    return status;
}

static enum hf_status route_by_attributes(struct lb_router *router, const struct hf_place *place)
{
    enum hf_status status = HF_OK;
    if (router->scope_group != place->scope_group) {
        status = put_resource_and_scope(router, place);
        router->scope_group = status == HF_OK ? place->scope_group : NULL;
        router->has_endpoint = false;
    }
    if (status != HF_OK || (router->is_complete && router->has_endpoint)) {
        return status;
    }
    router->text.size = router->scope_size;
    for (size_t i = 0; !router->is_complete && i < router->attributes.count && status == HF_OK;
         i++) {
        const char *name = router->attributes.items[i];
        if (!has(hf_place_resource(place), name) && !has(hf_place_scope(place), name)) {
            status = put_of_item(router, place->item, name);
        }
    }
    if (status == HF_OK) {
        router->endpoint = find(router);
        router->has_endpoint = true;
    }
    return status;
}

/* ---- traces ---- */

static void read_trace_id(struct hf_message *item, uint32_t number, uint8_t ret_id[TRACE_ID_SIZE])
{
    /* Without an index of the item's fields, of which no other is asked for. */
    struct hf_slice id = hf_wire_find_bytes(hf_message_content(item), number);
    memset(ret_id, 0, TRACE_ID_SIZE);
    if (id.size != 0) {
        memcpy(ret_id, id.data, id.size < TRACE_ID_SIZE ? id.size : TRACE_ID_SIZE);
    }
}

static void route_by_trace_id(struct lb_router *router, const struct hf_place *place)
{
    uint8_t id[TRACE_ID_SIZE];
    read_trace_id(place->item, SPAN_TRACE_ID, id);
    if (!router->has_endpoint || memcmp(id, router->last_id, TRACE_ID_SIZE) != 0) {
        memcpy(router->last_id, id, TRACE_ID_SIZE);
        router->endpoint = lb_ring_find(router->ring, hf_slice_of(id, TRACE_ID_SIZE));
        router->has_endpoint = true;
    }
}

static struct lb_seen *slot_of(const struct lb_router *router, const uint8_t *id)
{
    uint64_t hash;
    memcpy(&hash, id + 8, sizeof(hash));
    size_t at = (size_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    for (;; at++) {
        struct lb_seen *slot = &router->seen[at & (router->seen_capacity - 1)];
        if (slot->round != router->round || memcmp(slot->trace_id, id, TRACE_ID_SIZE) == 0) {
            return slot;
        }
    }
}

/* Half of the table is empty at least. */
static enum hf_status reserve_seen(struct lb_router *router)
{
    if (2 * (router->seen_count + 1) <= router->seen_capacity) {
        return HF_OK;
    }
    struct lb_router grown = *router;
    grown.seen_capacity = router->seen_capacity == 0 ? 64 : 2 * router->seen_capacity;
    grown.seen = calloc(grown.seen_capacity, sizeof(*grown.seen));
    if (grown.seen == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < router->seen_capacity; i++) {
        if (router->seen[i].round == router->round) {
            *slot_of(&grown, router->seen[i].trace_id) = router->seen[i];
        }
    }
    free(router->seen);
    *router = grown;
    return HF_OK;
}

/* The first span of a trace in a scope decides for the others of it there. */
static enum hf_status route_spans(struct lb_router *router, const struct hf_place *place,
                                  const struct hf_string_list *names)
{
    uint8_t id[TRACE_ID_SIZE];
    if (router->scope_group != place->scope_group) {
        router->scope_group = place->scope_group;
        router->round++;
        router->seen_count = 0;
    }
    read_trace_id(place->item, SPAN_TRACE_ID, id);
    enum hf_status status = reserve_seen(router);
    if (status != HF_OK) {
        return status;
    }
    struct lb_seen *seen = slot_of(router, id);
    if (seen->round != router->round) {
        status = put_span_attributes(router, place, names);
        if (status != HF_OK) {
            return status;
        }
        memcpy(seen->trace_id, id, TRACE_ID_SIZE);
        seen->endpoint = find(router);
        seen->round = router->round;
        router->seen_count++;
    }
    router->endpoint = seen->endpoint;
    return HF_OK;
}

/* ---- logs and metrics ---- */

/* By the id in hexadecimal; a record without one goes anywhere. */
static enum hf_status route_log_by_trace_id(struct lb_router *router, const struct hf_place *place)
{
    static const uint8_t none[TRACE_ID_SIZE];
    uint8_t id[TRACE_ID_SIZE];
    char text[2 * TRACE_ID_SIZE];
    read_trace_id(place->item, LOG_TRACE_ID, id);
    if (memcmp(id, none, TRACE_ID_SIZE) == 0) {
        router->random = router->random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t drawn = (uint32_t)(router->random >> 32);
        memcpy(id, &drawn, sizeof(drawn));
    }
    size_t size = hf_hex_write(hf_slice_of(id, TRACE_ID_SIZE), text);
    router->endpoint = lb_ring_find(router->ring, hf_slice_of(text, size));
    return HF_OK;
}

static enum hf_status route_by_resource(struct lb_router *router, const struct hf_place *place,
                                        bool by_service)
{
    if (router->resource_group == place->resource_group) {
        return HF_OK;
    }
    enum hf_status status = HF_OK;
    router->text.size = 0;
    if (by_service) {
        struct hf_slice value;
        bool is_there = attribute_of(hf_place_resource(place), service_name, &value);
        const struct hf_any any = hf_any_read(is_there ? value : HF_EMPTY_SLICE);
        status = put(router, any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE);
    } else {
        status = hf_identity_resource(place, &router->text);
    }
    if (status == HF_OK) {
        router->endpoint = find(router);
        router->resource_group = place->resource_group;
    }
    return status;
}

static void route_by_metric(struct lb_router *router, const struct hf_place *place)
{
    if (router->metric != place->metric) {
        router->metric = place->metric;
        router->endpoint = lb_ring_find(router->ring, hf_message_bytes(place->metric, METRIC_NAME));
    }
}

static enum hf_status route_by_stream(struct lb_router *router, const struct hf_place *place)
{
    router->text.size = 0;
    enum hf_status status = hf_identity_stream(place, &router->text);
    if (status == HF_OK) {
        router->endpoint = find(router);
    }
    return status;
}

static enum hf_status route_trace(struct lb_router *router, const struct hf_place *place)
{
    static const char *const service[] = {service_name};
    const struct hf_string_list by_service = {service, 1};
    switch (key_of(router)) {
    case LB_KEY_SERVICE:
        return route_spans(router, place, &by_service);
    case LB_KEY_ATTRIBUTES:
        return route_spans(router, place, &router->attributes);
    default:
        route_by_trace_id(router, place);
        return HF_OK;
    }
}

static enum hf_status route_other(struct lb_router *router, const struct hf_place *place)
{
    switch (key_of(router)) {
    case LB_KEY_TRACE_ID:
        return route_log_by_trace_id(router, place);
    case LB_KEY_RESOURCE:
        return route_by_resource(router, place, false);
    case LB_KEY_METRIC:
        route_by_metric(router, place);
        return HF_OK;
    case LB_KEY_STREAM_ID:
        return route_by_stream(router, place);
    case LB_KEY_ATTRIBUTES:
        return route_by_attributes(router, place);
    default:
        return route_by_resource(router, place, true);
    }
}

enum hf_status lb_route_item(struct lb_router *router, const struct hf_place *place,
                             uint32_t *ret_endpoint)
{
    enum hf_status status =
        router->signal == HF_TRACES ? route_trace(router, place) : route_other(router, place);
    if (status == HF_OK) {
        *ret_endpoint = router->endpoint;
    }
    return status;
}
