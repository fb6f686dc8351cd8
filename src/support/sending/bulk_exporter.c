#include "bulk_exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http_exporter.h"
#include "pdata/json_value.h"
#include "pdata/payload.h"

#define RESPONSE_BYTES_MAX ((size_t)8 << 20)
#define CREDENTIALS_MAX 2048u

struct hf_bulk_exporter {
    struct hf_http_exporter *http;
    const struct hf_bulk_exporter_ops *ops;
    void *user;
    struct hf_bulk bulk;
    struct hf_bulk_retry retry;
    struct hf_bulk_answer answer;
    struct hf_payload second_look;
    struct hf_header header; /* of the credentials; without a value: none */
    char credentials[CREDENTIALS_MAX];
    char source[HF_BULK_SOURCE_SIZE + 1];
    char error[HF_BULK_ERROR_MAX];
};

/* ---- requests ---- */

static enum hf_status build(struct hf_bulk_exporter *exporter, const struct hf_export *export,
                            struct hf_payload *payload)
{
    struct hf_slice raw;
    enum hf_status status = hf_payload_read(payload, export->bodies, export->body_count, &raw);
    if (status != HF_OK) {
        return status;
    }
    hf_bulk_begin(&exporter->bulk, export, exporter->source, &payload->bytes);
    status = exporter->ops->build(exporter->user, &exporter->bulk, export, raw);
    return status == HF_OK ? hf_bulk_status(&exporter->bulk) : status;
}

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct hf_bulk_exporter *exporter = user;
    const struct hf_bulk *bulk = &exporter->bulk;
    enum hf_status status = build(exporter, post->export, &post->payload);
    if (status != HF_OK) {
        return status;
    }
    post->left_out = bulk->left_out;
    snprintf(post->why, sizeof(post->why), "%s", bulk->why != NULL ? bulk->why : "");
    post->data = bulk->left != 0 ? exporter : NULL;
    post->url = exporter->ops->url(exporter->user, post->export);
    post->content_type = "application/x-ndjson";
    if (exporter->header.value.size != 0) {
        post->headers = &exporter->header;
        post->header_count = 1;
    }
    return bulk->count != 0 ? hf_payload_seal(&post->payload, post->coding, post->level) : HF_OK;
}

/* ---- answers ---- */

/* Where an answer tells of documents that were refused, or items had no room, the request is built
 * once more, to see which document is of which item. */
static void judge_documents(struct hf_bulk_exporter *exporter, const struct hf_http_post *post,
                            const struct hf_http_result *result, struct hf_http_judgement *ret)
{
    bool is_good = hf_bulk_answer_is_good(result->body);
    if (is_good && post->data == NULL) {
        return;
    }
    enum hf_status status = build(exporter, post->export, &exporter->second_look);
    if (status == HF_OK) {
        status = hf_bulk_answer_read(&exporter->answer, &exporter->bulk, &exporter->retry,
                                     is_good ? NULL : &result->body, exporter->error);
    }
    if (status == HF_OK) {
        ret->outcome.items = exporter->answer.items;
        ret->outcome.item_count = exporter->answer.count;
        return;
    }
    bool is_cut = status == HF_INVALID && result->body.size >= RESPONSE_BYTES_MAX;
    ret->outcome.status = is_cut ? HF_TOO_LARGE : status == HF_INVALID ? HF_AGAIN : status;
    snprintf(ret->message, sizeof(ret->message), "the answer is none of the bulk API: %.200s",
             status == HF_INVALID ? exporter->error : "out of memory");
    ret->outcome.message = ret->message;
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct hf_bulk_exporter *exporter = user;
    hf_http_judge(result, ret);
    if (ret->outcome.status == HF_OK) {
        judge_documents(exporter, post, result, ret);
        return;
    }
    char reason[sizeof(ret->message)];
    hf_bulk_answer_reason(result->body, reason, sizeof(reason));
    if (reason[0] != '\0') {
        memcpy(ret->message, reason, sizeof(reason));
    }
}

/* ---- life ---- */

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Authorization of user and password, or of the API key. */
static enum hf_status make_credentials(struct hf_bulk_exporter *exporter,
                                       const struct hf_bulk_exporter_options *options, char *reterr)
{
    char pair[CREDENTIALS_MAX / 2];
    int size = 0;
    if (given(options->api_key)) {
        size = snprintf(exporter->credentials, sizeof(exporter->credentials), "ApiKey %s",
                        options->api_key);
    } else if (given(options->user_name)) {
        int used = snprintf(pair, sizeof(pair), "%s:%s", options->user_name,
                            options->password != NULL ? options->password : "");
        bool fits = used > 0 && (size_t)used < sizeof(pair);
        memcpy(exporter->credentials, "Basic ", 6);
        size = fits ? 6 + (int)hf_json_print_base64(hf_slice_of(pair, (size_t)used),
                                                    exporter->credentials + 6)
                    : (int)sizeof(exporter->credentials);
    }
    if (size >= (int)sizeof(exporter->credentials)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "user and password, or api_key, are too long: at most 1000 bytes");
        return HF_INVALID;
    }
    exporter->header = (struct hf_header){hf_slice_text("authorization"),
                                          hf_slice_of(exporter->credentials, (size_t)size)};
    return HF_OK;
}

static enum hf_status open_http(struct hf_bulk_exporter *exporter,
                                const struct hf_bulk_exporter_options *options, char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    struct hf_http_exporter_options http = {
        .node = options->node,
        .config = options->config,
        .response_bytes_max = RESPONSE_BYTES_MAX,
        .ops = &ops,
        .user = exporter,
    };
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        http.urls[signal] =
            (options->signals & HF_SIGNAL_BIT(signal)) != 0 ? options->any_url : NULL;
    }
    return hf_http_exporter_open(&http, &exporter->http, reterr);
}

enum hf_status hf_bulk_exporter_open(const struct hf_bulk_exporter_options *options,
                                     struct hf_bulk_exporter **ret_exporter, char *reterr)
{
    struct hf_bulk_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    exporter->ops = options->ops;
    exporter->user = options->user;
    exporter->retry = options->retry;
    exporter->bulk.bytes_max = (size_t)options->bytes_max;
    hf_bulk_source(hf_node_directory(options->node), hf_node_id(options->node), exporter->source);
    enum hf_status status = make_credentials(exporter, options, reterr);
    status = status == HF_OK ? open_http(exporter, options, reterr) : status;
    if (status != HF_OK) {
        hf_bulk_exporter_close(exporter);
        return status;
    }
    *ret_exporter = exporter;
    return HF_OK;
}

void hf_bulk_exporter_send(struct hf_bulk_exporter *exporter, struct hf_export *export)
{
    hf_http_exporter_send(exporter->http, export);
}

const char *const *hf_bulk_exporter_context_keys(struct hf_bulk_exporter *exporter,
                                                 size_t *ret_count)
{
    return hf_http_exporter_context_keys(exporter->http, ret_count);
}

void hf_bulk_exporter_close(struct hf_bulk_exporter *exporter)
{
    if (exporter == NULL) {
        return;
    }
    hf_http_exporter_close(exporter->http);
    hf_bulk_release(&exporter->bulk);
    hf_bulk_answer_release(&exporter->answer);
    hf_payload_release(&exporter->second_look);
    free(exporter);
}
