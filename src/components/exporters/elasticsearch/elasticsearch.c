/*
 * elasticsearch: writes logs, spans and metrics as documents through the bulk API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "bulk/answer.h"
#include "es_build.h"
#include "es_endpoints.h"
#include "pdata/json_value.h"
#include "pdata/payload.h"
#include "support/http_exporter.h"

#define RESPONSE_BYTES_MAX ((size_t)8 << 20)
/* Documents repeat the resource and may be ten times their protobuf. */
#define REQUEST_BYTES_MAX ((uint64_t)1 << 20)
#define CREDENTIALS_MAX 2048u

struct elasticsearch {
    const struct es_config *config;
    struct hf_http_exporter *http;
    struct es_endpoints endpoints, stream_endpoints; /* the latter for data streams only */
    struct es_builder builder;
    struct hf_bulk_answer answer;
    struct hf_payload second_look;
    int *retry_codes;
    char credentials[CREDENTIALS_MAX];
    struct hf_header header;
    const char **context_keys;
    size_t context_key_count;
    char error[HF_BULK_ERROR_MAX];
};

/* ---- requests ---- */

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct elasticsearch *es = user;
    const struct hf_export *export = post->export;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        status = es_build(&es->builder, export, raw, &post->payload.bytes);
    }
    if (status != HF_OK) {
        return status;
    }
    const struct hf_bulk *bulk = &es->builder.bulk;
    post->left_out = bulk->left_out;
    snprintf(post->why, sizeof(post->why), "%s", bulk->why != NULL ? bulk->why : "");
    post->data = bulk->left != 0 ? es : NULL;
    bool is_stream = es_mode_of_request(&es->builder, export->meta) == ES_OTEL;
    post->url = es_endpoints_next(is_stream ? &es->stream_endpoints : &es->endpoints);
    post->content_type = "application/x-ndjson";
    if (es->header.value.size != 0) {
        post->headers = &es->header;
        post->header_count = 1;
    }
    return bulk->count != 0 ? hf_payload_seal(&post->payload, post->coding, post->level) : HF_OK;
}

/* ---- answers ---- */

/* Builds the request once more, to see which document is of which item: only where an answer tells
 * of documents that were refused, or where items had no room. */
static enum hf_status look_again(struct elasticsearch *es, const struct hf_export *export)
{
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&es->second_look, export->bodies, export->body_count, &raw);
    return status == HF_OK ? es_build(&es->builder, export, raw, &es->second_look.bytes) : status;
}

static void judge_documents(struct elasticsearch *es, const struct hf_http_post *post,
                            const struct hf_http_result *result, struct hf_http_judgement *ret)
{
    bool is_good = hf_bulk_answer_is_good(result->body);
    const struct hf_bulk_retry retry = {es->retry_codes, es->config->retry.on_status.count};
    if (is_good && post->data == NULL) {
        return;
    }
    enum hf_status status = look_again(es, post->export);
    if (status == HF_OK) {
        status = hf_bulk_answer_read(&es->answer, &es->builder.bulk, &retry,
                                     is_good ? NULL : &result->body, es->error);
    }
    if (status == HF_OK) {
        ret->outcome.items = es->answer.items;
        ret->outcome.item_count = es->answer.count;
        return;
    }
    bool is_cut = status == HF_INVALID && result->body.size >= RESPONSE_BYTES_MAX;
    ret->outcome.status = is_cut ? HF_TOO_LARGE : status == HF_INVALID ? HF_AGAIN : status;
    snprintf(ret->message, sizeof(ret->message), "the answer is none of the bulk API: %.200s",
             status == HF_INVALID ? es->error : "out of memory");
    ret->outcome.message = ret->message;
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct elasticsearch *es = user;
    hf_http_judge(result, ret);
    if (ret->outcome.status == HF_OK) {
        judge_documents(es, post, result, ret);
        return;
    }
    char reason[sizeof(ret->message)];
    hf_bulk_answer_reason(result->body, reason, sizeof(reason));
    if (reason[0] != '\0') {
        memcpy(ret->message, reason, sizeof(reason));
    }
}

/* ---- life ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct elasticsearch *es = self;
    hf_http_exporter_send(es->http, export);
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
    if (es->http != NULL) {
        hf_http_exporter_close(es->http);
    }
    es_endpoints_close(&es->endpoints);
    es_endpoints_close(&es->stream_endpoints);
    es_builder_release(&es->builder);
    hf_bulk_answer_release(&es->answer);
    hf_payload_release(&es->second_look);
    free(es->retry_codes);
    free(es->context_keys);
    free(es);
}

/* Those of the credentials, and the header that names the mode. */
static enum hf_status list_context_keys(struct elasticsearch *es)
{
    size_t count;
    const char *const *keys = hf_http_exporter_context_keys(es->http, &count);
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

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Authorization of user and password, or of the API key. */
static enum hf_status make_credentials(struct elasticsearch *es, char *reterr)
{
    const struct es_config *config = es->config;
    char pair[CREDENTIALS_MAX / 2];
    int size = 0;
    if (given(config->api_key)) {
        size = snprintf(es->credentials, sizeof(es->credentials), "ApiKey %s", config->api_key);
    } else if (given(config->user)) {
        int used = snprintf(pair, sizeof(pair), "%s:%s", config->user,
                            config->password != NULL ? config->password : "");
        if (used > 0 && (size_t)used < sizeof(pair)) {
            memcpy(es->credentials, "Basic ", 6);
            size =
                6 + (int)hf_json_print_base64(hf_slice_of(pair, (size_t)used), es->credentials + 6);
        } else {
            size = (int)sizeof(es->credentials);
        }
    }
    if (size >= (int)sizeof(es->credentials)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "user and password, or api_key, are too long: a header has "
                 "room for 1000 bytes of them");
        return HF_INVALID;
    }
    es->header = (struct hf_header){hf_slice_text("authorization"),
                                    hf_slice_of(es->credentials, (size_t)size)};
    return HF_OK;
}

/* What the URL asks for: of an answer only what is read of it. */
static enum hf_status open_endpoints(struct elasticsearch *es, char *reterr)
{
    static const char filter[] = "filter_path=errors,items.*.status,items.*.error.type,"
                                 "items.*.error.reason,items.*.error.caused_by.reason,error";
    char query[1024];
    const char *pipeline = es->config->pipeline;
    int size = snprintf(query, sizeof(query), "%s%s%s", filter, given(pipeline) ? "&pipeline=" : "",
                        given(pipeline) ? pipeline : "");
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
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    enum hf_status status = list_codes(es);
    status = status == HF_OK ? make_credentials(es, reterr) : status;
    status = status == HF_OK ? open_endpoints(es, reterr) : status;
    if (status == HF_OK) {
        const char *url = es->endpoints.urls[0];
        const struct hf_http_exporter_options options = {
            .node = node,
            .config = &es->config->http,
            .urls = {url, url, url},
            .response_bytes_max = RESPONSE_BYTES_MAX,
            .ops = &ops,
            .user = es,
        };
        status = hf_http_exporter_open(&options, &es->http, reterr);
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
    hf_bulk_source(hf_node_directory(node), hf_node_id(node), es->builder.source);
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

const struct hf_component hf_exporter_elasticsearch = {
    .type = "elasticsearch",
    .help = "Writes documents to Elasticsearch through its bulk API.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct es_config),
    .fields = es_fields,
    .check = es_check,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
