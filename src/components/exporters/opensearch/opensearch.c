/*
 * opensearch: writes logs and spans as documents through the bulk API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "os_config.h"
#include "os_documents.h"
#include "os_index.h"
#include "pdata/any.h"
#include "support/probe/probe_server.h"
#include "support/sending/bulk_exporter.h"

/* Documents repeat the resource and may be ten times their protobuf. */
#define REQUEST_BYTES_MAX ((uint64_t)1 << 20)
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define ARENA_BYTES_KEPT ((size_t)1 << 20)

struct opensearch {
    const struct os_config *config;
    struct hf_bulk_exporter *exporter;
    struct hf_bytes index, text;
    struct hf_bulk_fields fields;
    struct hf_arena arena;
    char url[HF_URL_MAX];
};

/* ---- documents ---- */

static void add_item(struct opensearch *os, struct hf_bulk *bulk, enum hf_signal signal,
                     const struct hf_bulk_walk *walk, struct hf_slice item)
{
    const struct os_config *config = os->config;
    bool is_log = signal == HF_LOGS;
    char room[HF_BULK_ID_MAX];
    const struct os_place place = {config, walk, &os->text, &os->fields, hf_bulk_received_ns(bulk)};
    const struct os_index_input input = {
        .index = is_log ? &config->logs : &config->traces,
        .prefix = is_log ? "ss4o_logs" : "ss4o_traces",
        .dataset = config->dataset,
        .namespace = config->namespace,
        .item = item,
        .scope = walk->scope,
        .resource = walk->resource,
        .item_attributes = is_log ? HF_BULK_LOG_ATTRIBUTES : HF_BULK_SPAN_ATTRIBUTES,
        .received_ns = place.received_ns,
    };
    os->index.size = 0;
    bulk->failed |= os_index_make(&input, &os->index) != HF_OK;
    const struct hf_bulk_action action = {
        .verb = os_actions[config->bulk_action],
        .index = hf_slice_of(os->index.data, os->index.size),
        .id = config->document_ids ? hf_bulk_id(bulk, 0, room) : HF_EMPTY_SLICE,
    };
    hf_bulk_begin_document(bulk, &action);
    if (!is_log) {
        os_span(&place, item, &bulk->writer);
    } else if (config->mapping.mode == OS_BODYMAP) {
        static const struct hf_json_any_style style = {.bytes_as_hex = true};
        hf_json_write_any(&bulk->writer, hf_wire_find_bytes(item, 5), &style);
    } else if (config->mapping.mode == OS_SS4O) {
        os_log_ss4o(&place, item, &bulk->writer);
    } else {
        os_log_fields(&place, item, &bulk->writer);
    }
    hf_bulk_end_document(bulk);
}

/* A sentence when the item has no form in the configured mode. */
static const char *check_item(const struct opensearch *os, enum hf_signal signal,
                              struct hf_slice item)
{
    if (os->config->mapping.mode != OS_BODYMAP) {
        return NULL;
    }
    if (signal != HF_LOGS) {
        return "the mapping mode bodymap has no form for spans";
    }
    return hf_any_read(hf_wire_find_bytes(item, 5)).type == HF_ANY_MAP
               ? NULL
               : "the body of the record is no map, as bodymap needs it";
}

static enum hf_status build(void *user, struct hf_bulk *bulk, const struct hf_export *export,
                            struct hf_slice raw)
{
    struct opensearch *os = user;
    struct hf_bulk_walk walk = {.request = hf_wire_of(raw), .signal = export->signal};
    struct hf_slice item;
    while (hf_bulk_walk_next(&walk, &item) && hf_bulk_next_item(bulk)) {
        const char *why = check_item(os, export->signal, item);
        hf_arena_rewind(&os->arena, ARENA_BYTES_KEPT);
        if (why != NULL) {
            hf_bulk_leave_out(bulk, why);
        } else {
            add_item(os, bulk, export->signal, &walk, item);
        }
    }
    return HF_OK;
}

static const char *url_of(void *user, const struct hf_export *export)
{
    const struct opensearch *os = user;
    (void)export;
    return os->url;
}

/* ---- life ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct opensearch *os = self;
    hf_bulk_exporter_send(os->exporter, export);
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    struct opensearch *os = self;
    return hf_bulk_exporter_context_keys(os->exporter, ret_count);
}

static void close_exporter(void *self)
{
    struct opensearch *os = self;
    hf_bulk_exporter_close(os->exporter);
    hf_bytes_release(&os->index);
    hf_bytes_release(&os->text);
    hf_bulk_fields_release(&os->fields);
    hf_arena_release(&os->arena);
    free(os);
}

static enum hf_status make_url(struct opensearch *os, char *reterr)
{
    const char *base = os->config->http.client.endpoint;
    const char *pipeline = os->config->pipeline != NULL ? os->config->pipeline : "";
    bool has_slash = base[0] != '\0' && base[strlen(base) - 1] == '/';
    int size = snprintf(os->url, sizeof(os->url), "%s%s_bulk?" HF_BULK_FILTER "%s%s", base,
                        has_slash ? "" : "/", pipeline[0] != '\0' ? "&pipeline=" : "", pipeline);
    if (size < 0 || (size_t)size >= sizeof(os->url)) {
        snprintf(reterr, HF_ERROR_MAX, "http::endpoint and pipeline are too long for a URL");
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    static const struct hf_bulk_exporter_ops ops = {.build = build, .url = url_of};
    struct opensearch *os = calloc(1, sizeof(*os));
    if (os == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    os->config = config;
    os->arena.limit = ARENA_BYTES_MAX;
    os->fields.arena = &os->arena;
    enum hf_status status = make_url(os, reterr);
    if (status == HF_OK) {
        const struct hf_bulk_exporter_options options = {
            .node = node,
            .config = &os->config->http.client,
            .signals = HF_SIGNAL_BIT(HF_LOGS) | HF_SIGNAL_BIT(HF_TRACES),
            .any_url = os->url,
            .bytes_max = os->config->request_bytes,
            .ops = &ops,
            .user = os,
        };
        status = hf_bulk_exporter_open(&options, &os->exporter, reterr);
    }
    if (status != HF_OK) {
        close_exporter(os);
        return status;
    }
    *ret_self = os;
    return HF_OK;
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .request_bytes_max = REQUEST_BYTES_MAX,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct os_config *config = from;
    hf_probe_http_client(probe, &config->http.client, NULL);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_opensearch = {
    .type = "opensearch",
    .help = "Writes documents to OpenSearch through its bulk API.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_LOGS) | HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct os_config),
    .fields = os_fields,
    .check = os_check,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
