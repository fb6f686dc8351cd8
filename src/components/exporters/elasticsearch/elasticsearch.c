/*
 * elasticsearch: writes logs, spans and metrics as documents through the bulk API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "es_build.h"
#include "es_endpoints.h"
#include "support/probe/probe_server.h"
#include "support/sending/bulk_exporter.h"

/* Documents repeat the resource and may be ten times their protobuf. */
#define REQUEST_BYTES_MAX ((uint64_t)1 << 20)

struct elasticsearch {
    const struct es_config *config;
    struct hf_bulk_exporter *exporter;
    struct es_endpoints endpoints, stream_endpoints; /* the latter for data streams only */
    struct es_builder builder;
    int *retry_codes;
    const char **context_keys;
    size_t context_key_count;
};

static enum hf_status build(void *user, struct hf_bulk *bulk, const struct hf_export *export,
                            struct hf_slice raw)
{
    struct elasticsearch *es = user;
    es_build(&es->builder, bulk, export, raw);
    return HF_OK;
}

static const char *url_of(void *user, const struct hf_export *export)
{
    struct elasticsearch *es = user;
    bool is_stream = es_mode_of_request(&es->builder, export->meta) == ES_OTEL;
    return es_endpoints_next(is_stream ? &es->stream_endpoints : &es->endpoints);
}

/* ---- life ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct elasticsearch *es = self;
    hf_bulk_exporter_send(es->exporter, export);
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct elasticsearch *es = self;
    *ret_count = es->context_key_count;
    return es->context_keys;
}

static void close_exporter(void *self)
{
    struct elasticsearch *es = self;
    hf_bulk_exporter_close(es->exporter);
    es_endpoints_close(&es->endpoints);
    es_endpoints_close(&es->stream_endpoints);
    es_builder_release(&es->builder);
    free(es->retry_codes);
    free(es->context_keys);
    free(es);
}

/* Those of the credentials, and the header that names the mode. */
static enum hf_status list_context_keys(struct elasticsearch *es)
{
    size_t count;
    const char *const *keys = hf_bulk_exporter_context_keys(es->exporter, &count);
    es->context_keys = calloc(count + 1, sizeof(*es->context_keys));
    if (es->context_keys == NULL) {
        return HF_NOMEM;
    }
    if (count != 0) {
        memcpy(es->context_keys, keys, count * sizeof(*keys));
    }
    es->context_keys[count++] = ES_MODE_HEADER;
    es->context_key_count = count;
    return HF_OK;
}

static enum hf_status list_codes(struct elasticsearch *es)
{
    const struct hf_string_list *codes = &es->config->retry.on_status;
    es->retry_codes = calloc(codes->count + 1, sizeof(*es->retry_codes));
    for (size_t i = 0; es->retry_codes != NULL && i < codes->count; i++) {
        es->retry_codes[i] = (int)strtol(codes->items[i], NULL, 10);
    }
    return es->retry_codes != NULL ? HF_OK : HF_NOMEM;
}

static enum hf_status open_endpoints(struct elasticsearch *es, char *reterr)
{
    char query[1024];
    const char *pipeline = es->config->pipeline != NULL ? es->config->pipeline : "";
    int size = snprintf(query, sizeof(query), HF_BULK_FILTER "%s%s",
                        pipeline[0] != '\0' ? "&pipeline=" : "", pipeline);
    if (size < 0 || (size_t)size >= sizeof(query) - 32) {
        snprintf(reterr, HF_ERROR_MAX, "pipeline is too long for a URL");
        return HF_INVALID;
    }
    enum hf_status status = es_endpoints_open(es->config, query, &es->endpoints, reterr);
    snprintf(query + size, sizeof(query) - (size_t)size, "&require_data_stream=true");
    return status == HF_OK ? es_endpoints_open(es->config, query, &es->stream_endpoints, reterr)
                           : status;
}

static enum hf_status open_all(struct elasticsearch *es, struct hf_node *node, char *reterr)
{
    static const struct hf_bulk_exporter_ops ops = {.build = build, .url = url_of};
    snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    enum hf_status status = list_codes(es);
    status = status == HF_OK ? open_endpoints(es, reterr) : status;
    if (status == HF_OK) {
        const struct hf_bulk_exporter_options options = {
            .node = node,
            .config = &es->config->http,
            .signals = HF_ALL_SIGNALS,
            .any_url = es->endpoints.urls[0],
            .bytes_max = es->config->flush.bytes,
            .retry = {es->retry_codes, es->config->retry.on_status.count},
            .user_name = es->config->user,
            .password = es->config->password,
            .api_key = es->config->api_key,
            .ops = &ops,
            .user = es,
        };
        status = hf_bulk_exporter_open(&options, &es->exporter, reterr);
    }
    return status == HF_OK ? list_context_keys(es) : status;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct elasticsearch *es = calloc(1, sizeof(*es));
    if (es == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    es->config = es->builder.config = config;
    if (!es_mode_of(hf_slice_text(es->config->mapping.mode), &es->builder.mode)) {
        es->builder.mode = ES_OTEL; /* the field was validated */
    }
    enum hf_status status = open_all(es, node, reterr);
    if (status != HF_OK) {
        close_exporter(es);
        return status;
    }
    *ret_self = es;
    return HF_OK;
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "90s",
    .request_bytes_max = REQUEST_BYTES_MAX,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct es_config *config = from;
    for (size_t i = 0; i < config->endpoints.count; i++) {
        hf_probe_http_client(probe, &config->http, config->endpoints.items[i]);
    }
    if (config->endpoints.count == 0) {
        hf_probe_http_client(probe, &config->http, NULL);
    }
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_elasticsearch = {
    .type = "elasticsearch",
    .help = "Writes documents to Elasticsearch through its bulk API.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct es_config),
    .fields = es_fields,
    .check = es_check,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
