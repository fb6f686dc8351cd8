/*
 * splunk_hec: sends log records, metrics and spans as events to Splunk's HTTP Event Collector.
 *
 * Splunk says OK when it has read the events. With `ack` a request is delivered when Splunk says
 * that they are indexed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "hec_acks.h"
#include "hec_config.h"
#include "hec_events.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "util/arena.h"
#include "json/json.h"

#define NO_DATA 5             /* the code for a body without events */
#define EXPORT_BYTES 1000000u /* of OTLP, which is smaller than what becomes of it */

struct splunk_hec {
    struct hf_http_exporter *http; /* first: its functions are the component's */
    const struct hec_config *config;
    struct hf_http_client_config http_config; /* with the compression of disable_compression */
    struct hec_acks *acks;                    /* NULL: acknowledgements are off */
    struct hec_events events;
    struct hf_header headers[4];
    size_t header_count;
    char authorization[512];
};

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct splunk_hec *hec = user;
    const struct hf_export *export = post->export;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        status = hec_events_write(&hec->events, export->signal, raw, &post->payload.bytes);
    }
    if (status == HF_TOO_LARGE) {
        snprintf(post->why, sizeof(post->why), "an event is larger than max_event_size");
        return status; /* the request is halved down to it */
    }
    post->left_out = hec->events.left_out;
    if (post->left_out != 0) {
        snprintf(post->why, sizeof(post->why), "%s", hec->events.why);
    }
    if (status != HF_OK || (post->payload.bytes.size == 0 && !export->is_probe)) {
        return status;
    }
    uint64_t limit = hec->config->content_bytes_max[export->signal];
    if (limit != 0 && post->payload.bytes.size > limit) {
        snprintf(post->why, sizeof(post->why), "the body is larger than max_content_length_%s",
                 hf_signal_name(export->signal));
        return HF_TOO_LARGE;
    }
    post->content_type = "application/json";
    post->headers = hec->headers;
    post->header_count = hec->header_count;
    if (post->payload.bytes.size == 0) {
        return HF_OK; /* Splunk says whether it knows the token */
    }
    return hf_payload_seal(&post->payload, post->coding, post->level);
}

/* ---- answers ---- */

struct answer {
    bool has_code, has_ack;
    int64_t code;
    uint64_t ack;
    char text[160];
};

/* {"text":"...","code":0,"ackId":1} */
static struct answer read_answer(struct hf_slice body)
{
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    char error[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    struct answer answer = {.text = ""};
    if (hf_json_read(body, &arena, &root, error) == HF_OK) {
        const struct hf_json *code = hf_json_get(root, "code");
        const struct hf_json *ack = hf_json_get(root, "ackId");
        struct hf_slice text = hf_json_text_of(root, "text");
        answer.has_code = code != NULL;
        answer.code = hf_json_int(code);
        answer.has_ack = ack != NULL;
        answer.ack = (uint64_t)hf_json_int(ack);
        snprintf(answer.text, sizeof(answer.text), "%.*s", (int)(text.size < 150 ? text.size : 150),
                 text.size != 0 ? (const char *)text.data : "");
    }
    hf_arena_release(&arena);
    return answer;
}

/* Splunk's own codes that are about the token, the index or the channel, and not about events. */
static bool is_about_the_setting(int64_t code)
{
    enum { INDEX = 7, NO_CHANNEL = 10, BAD_CHANNEL = 11, ACK_OFF = 14, QUERY_TOKEN = 16 };
    return code == INDEX || code == NO_CHANNEL || code == BAD_CHANNEL || code == ACK_OFF ||
           code == QUERY_TOKEN;
}

static void wait_for_ack(struct splunk_hec *hec, const struct hf_http_post *post,
                         const struct answer *answer, struct hf_http_judgement *ret)
{
    if (!answer->has_ack) {
        ret->outcome.status = HF_FORBIDDEN;
        ret->outcome.message =
            "Splunk gave no ackId: enable indexer acknowledgement for the token, "
            "or set ack::enabled to false";
        return;
    }
    if (hec_acks_wait(hec->acks, (struct hf_export *)post->export, answer->ack, post->left_out) ==
        HF_OK) {
        ret->is_later = true;
    } else {
        ret->outcome.status = HF_NOMEM;
    }
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct splunk_hec *hec = user;
    const struct answer answer = read_answer(result->body);
    hf_http_judge(result, ret);
    if (post->export->is_probe && answer.has_code && answer.code == NO_DATA) {
        ret->outcome.status = HF_OK; /* it knows the token */
        return;
    }
    if (ret->outcome.status == HF_OK) {
        if (hec->acks != NULL) {
            wait_for_ack(hec, post, &answer, ret);
        }
        return;
    }
    if (answer.has_code) {
        snprintf(ret->message, sizeof(ret->message), "%s (code %lld)", answer.text,
                 (long long)answer.code);
        ret->outcome.message = ret->message;
    }
    if (result->code == 400) {
        /* One event spoils the request, which is halved down to it. */
        ret->outcome.status = is_about_the_setting(answer.code) ? HF_FORBIDDEN : HF_TOO_LARGE;
    }
}

/* ---- life ---- */

static void close_hec(void *self)
{
    struct splunk_hec *hec = self;
    hf_http_exporter_close(hec->http);
    hec_acks_free(hec->acks);
    hec_events_release(&hec->events);
    free(hec);
}

static void add_header(struct splunk_hec *hec, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        hec->headers[hec->header_count++] =
            (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
    }
}

/* Is there nothing behind the host but a slash? */
static bool has_no_path(const char *endpoint)
{
    const char *host = strstr(endpoint, "://");
    host = host != NULL ? host + 3 : endpoint;
    const char *path = host + strcspn(host, "/?#");
    return path[0] == '\0' || strcmp(path, "/") == 0;
}

static enum hf_status open_http(struct splunk_hec *hec, struct hf_node *node, char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    const char *path = has_no_path(hec->config->http.endpoint) ? "/services/collector" : "";
    const struct hf_http_exporter_options options = {
        .node = node,
        .config = &hec->http_config,
        .paths = {path, path, path},
        .ops = &ops,
        .user = hec,
    };
    return hf_http_exporter_open(&options, &hec->http, reterr);
}

static enum hf_status open_hec(struct hf_node *node, const void *config, void **ret_self,
                               char *reterr)
{
    struct splunk_hec *hec = calloc(1, sizeof(*hec));
    enum hf_status status = HF_OK;
    if (hec == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    hec->config = config;
    hec->http_config = hec->config->http;
    hec->http_config.compression = hec->config->disable_compression ? "none" : "gzip";
    hec->events.config = config;
    hec->events.keys = hec_metadata_keys(hec->config);
    snprintf(hec->authorization, sizeof(hec->authorization), "Splunk %s", hec->config->token);
    if (hec->config->ack.enabled) {
        status = hec_acks_new(node, hec->config, &hec->acks, reterr);
    }
    add_header(hec, "authorization", hec->authorization);
    add_header(hec, "__splunk_app_name", hec->config->app_name);
    add_header(hec, "__splunk_app_version", hec->config->app_version);
    add_header(hec, "x-splunk-request-channel",
               hec->acks != NULL ? hec_acks_channel(hec->acks) : NULL);
    status = status == HF_OK ? open_http(hec, node, reterr) : status;
    if (status != HF_OK) {
        close_hec(hec);
        return status;
    }
    *ret_self = hec;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct hec_config *config = from;
    hf_probe_http_client(probe, &config->http, NULL);
    hf_probe_export(probe);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_self_send,
    .context_keys = hf_http_exporter_self_context_keys,
    .timeout = "10s",
    .request_bytes_max = EXPORT_BYTES,
};

const struct hf_component hf_exporter_splunk_hec = {
    .type = "splunk_hec",
    .help = "Sends events to Splunk's HTTP Event Collector.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct hec_config),
    .fields = hec_fields,
    .check = hec_check,
    .probe = probe_outside,
    .open = open_hec,
    .close = close_hec,
    .exporter = &exporter_ops,
};
