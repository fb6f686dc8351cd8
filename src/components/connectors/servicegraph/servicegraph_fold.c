#include "servicegraph_fold.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/wire_find.h"
#include "support/state/table_hash.h"

/* Field numbers of OTLP. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SPANS = 2, RESOURCE_ATTRIBUTES = 1 };
enum { SPAN_TRACE_ID = 1, SPAN_ID = 2, SPAN_PARENT = 4, SPAN_KIND = 6, SPAN_START = 7 };
enum { SPAN_END = 8, SPAN_ATTRIBUTES = 9, SPAN_STATUS = 15, STATUS_CODE = 3, STATUS_ERROR = 2 };
enum { KIND_SERVER = 2, KIND_CLIENT = 3, KIND_PRODUCER = 4, KIND_CONSUMER = 5 };

/* One side of an edge. */
struct half {
    struct hf_slice resource, span; /* whose attributes */
    enum servicegraph_side side;
    enum servicegraph_connection connection;
    double seconds;
    bool has_failed;
};

/* ---- attributes ---- */

/* As text, into `fold->text`. False: it is not there. */
static bool find_text(struct servicegraph_fold *fold, struct hf_slice owner, uint32_t number,
                      const char *name, struct hf_slice *ret_text, enum hf_status *ret_status)
{
    struct hf_slice value;
    if (!hf_attribute_of(owner, number, hf_slice_text(name), &value)) {
        return false;
    }
    fold->text.size = 0;
    *ret_status = hf_any_text(value, &fold->text);
    *ret_text = hf_slice_of(fold->text.data, fold->text.size);
    return true;
}

/* Of the resource, or else of the span. */
static bool find_of_either(struct servicegraph_fold *fold, const struct half *half,
                           const char *name, struct hf_slice *ret_text, enum hf_status *ret_status)
{
    return find_text(fold, half->resource, RESOURCE_ATTRIBUTES, name, ret_text, ret_status) ||
           find_text(fold, half->span, SPAN_ATTRIBUTES, name, ret_text, ret_status);
}

static enum hf_status set(struct hf_slice *text, struct hf_slice value)
{
    return servicegraph_edge_set(text, value) ? HF_OK : HF_NOMEM;
}

static enum hf_status set_dimensions(struct servicegraph_fold *fold, const struct half *half,
                                     struct servicegraph_edge *edge)
{
    const struct hf_string_list *names = &fold->config->dimensions;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < names->count && status == HF_OK; i++) {
        struct hf_slice text;
        if (find_of_either(fold, half, names->items[i], &text, &status) && status == HF_OK) {
            status = set(&edge->dimensions[2 * i + half->side], text);
        }
    }
    return status;
}

/* The best attribute that names the other side. */
static enum hf_status set_peer(struct servicegraph_fold *fold, const struct half *half,
                               struct servicegraph_edge *edge)
{
    struct hf_string_list names = servicegraph_peer_attributes(fold->config);
    enum hf_status status = HF_OK;
    for (uint32_t i = 0; i < names.count; i++) {
        struct hf_slice text;
        if (edge->peer.data != NULL && edge->peer_rank < i) {
            return HF_OK;
        }
        if (find_text(fold, half->span, SPAN_ATTRIBUTES, names.items[i], &text, &status)) {
            status = status == HF_OK ? set(&edge->peer, text) : status;
            edge->peer_rank = i;
            return status;
        }
    }
    return HF_OK;
}

/* A call of a database has one span: its other side is named by an attribute. */
static enum hf_status set_database(struct servicegraph_fold *fold, const struct half *half,
                                   struct servicegraph_edge *edge)
{
    struct hf_string_list names = servicegraph_database_names(fold->config);
    for (size_t i = 0; i < names.count; i++) {
        struct hf_slice text;
        enum hf_status status = HF_OK;
        if (find_of_either(fold, half, names.items[i], &text, &status)) {
            edge->connection = SERVICEGRAPH_DATABASE;
            edge->seconds[SERVICEGRAPH_SERVER] = half->seconds;
            return status == HF_OK ? set(&edge->services[SERVICEGRAPH_SERVER], text) : status;
        }
    }
    return HF_OK;
}

static enum hf_status update(struct servicegraph_fold *fold, const struct half *half,
                             struct servicegraph_edge *edge)
{
    struct hf_slice service = hf_slice_of(fold->service.data, fold->service.size);
    edge->connection = (uint8_t)half->connection;
    edge->seconds[half->side] = half->seconds;
    edge->has_failed = edge->has_failed || half->has_failed;
    enum hf_status status = set(&edge->services[half->side], service);
    if (status == HF_OK) {
        status = set_dimensions(fold, half, edge);
    }
    if (status == HF_OK && half->side == SERVICEGRAPH_CLIENT) {
        status = set_peer(fold, half, edge);
    }
    return status == HF_OK && half->side == SERVICEGRAPH_CLIENT ? set_database(fold, half, edge)
                                                                : status;
}

/* ---- edges ---- */

static enum hf_status update_known(struct servicegraph_fold *fold, const struct half *half,
                                   struct servicegraph_edge *edge)
{
    enum hf_status status = update(fold, half, edge);
    if (status != HF_OK || !servicegraph_edge_is_complete(edge)) {
        return status;
    }
    status = servicegraph_table_count(&fold->table, edge, fold->now_ns);
    if (status == HF_OK) {
        servicegraph_edges_remove(&fold->edges, edge);
        servicegraph_edge_free(edge);
    }
    return status;
}

static enum hf_status add_new(struct servicegraph_fold *fold, const struct half *half,
                              const uint8_t *key)
{
    struct servicegraph_edge *edge = servicegraph_edge_new(key, fold->config->dimensions.count);
    if (edge == NULL) {
        return HF_NOMEM;
    }
    edge->expires_ns = fold->now_ns + fold->config->store.ttl_ns;
    enum hf_status status = update(fold, half, edge);
    bool is_complete = servicegraph_edge_is_complete(edge);
    bool has_room = fold->edges.count < (size_t)fold->config->store.max_items;
    if (status == HF_OK && is_complete) {
        status = servicegraph_table_count(&fold->table, edge, fold->now_ns);
    } else if (status == HF_OK && has_room) {
        status = servicegraph_edges_add(&fold->edges, edge);
    }
    if (status == HF_OK) {
        fold->edges_made += is_complete || has_room ? 1 : 0;
        fold->spans_dropped += is_complete || has_room ? 0 : 1;
    }
    if (status != HF_OK || is_complete || !has_room) {
        servicegraph_edge_free(edge);
    }
    return status;
}

static void copy_id(uint8_t *to, size_t size, struct hf_slice id)
{
    memset(to, 0, size);
    if (id.size == size) {
        memcpy(to, id.data, size);
    }
}

static enum hf_status fold_half(struct servicegraph_fold *fold, const struct half *half)
{
    uint8_t key[SERVICEGRAPH_KEY_SIZE];
    bool is_client = half->side == SERVICEGRAPH_CLIENT;
    copy_id(key, 16, hf_wire_find_bytes(half->span, SPAN_TRACE_ID));
    copy_id(key + 16, 8, hf_wire_find_bytes(half->span, is_client ? SPAN_ID : SPAN_PARENT));
    struct servicegraph_edge *edge = servicegraph_edges_find(&fold->edges, key);
    return edge != NULL ? update_known(fold, half, edge) : add_new(fold, half, key);
}

/* ---- spans ---- */

static enum hf_status fold_span(struct servicegraph_fold *fold, struct hf_slice resource,
                                struct hf_slice span)
{
    uint64_t kind = hf_wire_find_bits(span, SPAN_KIND);
    bool is_of_client = kind == KIND_CLIENT || kind == KIND_PRODUCER;
    bool is_of_server = kind == KIND_SERVER || kind == KIND_CONSUMER;
    if (!is_of_client && !is_of_server) {
        return HF_OK;
    }
    bool is_message = kind == KIND_PRODUCER || kind == KIND_CONSUMER;
    uint64_t code = hf_wire_find_bits(hf_wire_find_bytes(span, SPAN_STATUS), STATUS_CODE);
    uint64_t duration_ns = hf_wire_find_bits(span, SPAN_END) - hf_wire_find_bits(span, SPAN_START);
    const struct half half = {.resource = resource,
                              .span = span,
                              .side = is_of_client ? SERVICEGRAPH_CLIENT : SERVICEGRAPH_SERVER,
                              .connection =
                                  is_message ? SERVICEGRAPH_MESSAGING : SERVICEGRAPH_UNKNOWN,
                              .seconds = (double)duration_ns / 1e9,
                              .has_failed = code == STATUS_ERROR};
    return fold_half(fold, &half);
}

static enum hf_status fold_scope(struct servicegraph_fold *fold, struct hf_slice resource,
                                 struct hf_slice scope)
{
    struct hf_wire wire = hf_wire_of(scope);
    struct hf_slice span;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_each(&wire, SPANS, &span)) {
        if (fold->spans >= fold->skipped) {
            status = fold_span(fold, resource, span);
        }
        fold->spans += status == HF_OK ? 1 : 0;
    }
    return status;
}

/* One without service.name is passed over, as in the Go collector. */
static enum hf_status fold_group(struct servicegraph_fold *fold, struct hf_slice group)
{
    struct hf_slice resource = hf_wire_find_bytes(group, RESOURCE), scope, text;
    struct hf_wire wire = hf_wire_of(group);
    enum hf_status status = HF_OK;
    if (!find_text(fold, resource, RESOURCE_ATTRIBUTES, "service.name", &text, &status)) {
        return HF_OK;
    }
    fold->service.size = 0;
    status = status == HF_OK ? hf_bytes_append(&fold->service, text) : status;
    while (status == HF_OK && hf_wire_each(&wire, SCOPE_SPANS, &scope)) {
        status = fold_scope(fold, resource, scope);
    }
    return status;
}

static bool is_of(const struct servicegraph_progress *progress, const struct hf_batch *batch)
{
    return progress->received_ns == batch->received_ns && progress->size == batch->raw.size &&
           progress->items == batch->items;
}

enum hf_status servicegraph_fold_request(struct servicegraph_fold *fold,
                                         const struct hf_batch *batch, uint64_t now_ns)
{
    struct hf_wire wire = hf_wire_of(batch->raw);
    struct hf_slice group;
    enum hf_status status = HF_OK;
    if (fold->progress.spans != 0 && !is_of(&fold->progress, batch)) {
        return HF_NOMEM;
    }
    fold->now_ns = now_ns;
    fold->spans = 0;
    fold->skipped = fold->progress.spans;
    while (status == HF_OK && hf_wire_each(&wire, RESOURCE_SPANS, &group)) {
        status = fold_group(fold, group);
    }
    fold->progress = (struct servicegraph_progress){0};
    if (status != HF_OK) {
        fold->progress = (struct servicegraph_progress){batch->received_ns, batch->raw.size,
                                                        batch->items, fold->spans};
    }
    return status;
}

/* ---- edges that have waited for too long ---- */

/* Counts one whose other side has no spans of its own. */
static enum hf_status count_virtual(struct servicegraph_fold *fold, struct servicegraph_edge *edge)
{
    static const uint8_t none[8] = {0};
    bool has_client = edge->services[SERVICEGRAPH_CLIENT].size != 0;
    bool is_of_user = memcmp(edge->key + 16, none, sizeof(none)) == 0;
    enum servicegraph_side missing = has_client ? SERVICEGRAPH_SERVER : SERVICEGRAPH_CLIENT;
    struct hf_slice name = hf_slice_text("user");
    if (!has_client && !is_of_user) {
        return HF_OK; /* its client may be any service */
    }
    if (has_client) {
        name = edge->peer.data != NULL ? edge->peer : hf_slice_text("unknown");
    }
    edge->connection = SERVICEGRAPH_VIRTUAL;
    edge->virtual_ = (uint8_t)(fold->config->virtual_node_extra_label ? 1 + missing : 0);
    enum hf_status status = set(&edge->services[missing], name);
    return status == HF_OK ? servicegraph_table_count(&fold->table, edge, fold->now_ns) : status;
}

bool servicegraph_fold_expire(struct servicegraph_fold *fold, uint64_t now_ns)
{
    bool has_virtual = servicegraph_peer_attributes(fold->config).count != 0;
    bool is_changed = false;
    fold->now_ns = now_ns;
    while (fold->edges.first != NULL && fold->edges.first->expires_ns < now_ns) {
        struct servicegraph_edge *edge = fold->edges.first;
        if (has_virtual && count_virtual(fold, edge) != HF_OK) {
            break; /* the next search tries again */
        }
        fold->edges_expired++;
        servicegraph_edges_remove(&fold->edges, edge);
        servicegraph_edge_free(edge);
        is_changed = true;
    }
    return is_changed;
}

/* ---- life ---- */

enum hf_status servicegraph_fold_init(struct servicegraph_fold *fold,
                                      const struct servicegraph_config *config)
{
    fold->config = config;
    hf_table_hash_key(&fold->edges.hash_key);
    return servicegraph_table_init(&fold->table, config);
}

void servicegraph_fold_release(struct servicegraph_fold *fold)
{
    servicegraph_edges_clear(&fold->edges);
    servicegraph_table_release(&fold->table);
    hf_bytes_release(&fold->text);
    hf_bytes_release(&fold->service);
}
