/*
 * splunk_hec: Splunk's HTTP Event Collector: events and raw lines become log records, events with
 * values of metrics become metrics. Answers once all of a request is on disk.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/hec/hec.h"
#include "pdata/json_value.h"
#include "support/ingress/push_receiver.h"
#include "util/time/clock.h"

static_assert(HF_HEC_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

#define JSON_TYPE "application/json"
#define TOKEN_SCHEME "Splunk "
#define CHANNEL_SIZE 36 /* of a UUID as text */

enum { HEC_EVENTS = 0, HEC_RAW };

/* Codes of Splunk's that are not about the data. */
enum {
    CODE_AUTHORIZATION = 3,
    CODE_FORBIDDEN = 4,
    CODE_INTERNAL = 8,
    CODE_BUSY = 9,
    CODE_NO_CHANNEL = 10,
    CODE_BAD_CHANNEL = 11,
    CODE_LARGE = 27,
};

/* The note of a refused body: a code, and the number of an event plus one. */
#define NOTE_EVENTS_MAX (1u << 22)
#define NOTE(code, events) ((int)((unsigned)(code) | (unsigned)(events) << 8))

struct hec_ack_config {
    const char *extension, *path;
};

struct hec_receiver_config {
    struct hf_http_server_config server;
    const char *raw_path, *health_path;
    int64_t splitting;
    bool access_token_passthrough;
    struct hf_hec_keys keys;
    struct hec_ack_config ack;
};

enum { SPLIT_LINE = 0, SPLIT_NONE };

struct hec_receiver {
    struct hf_push_receiver base;
    const struct hec_receiver_config *config;
    unsigned signals; /* that have a pipeline */
};

/* ---- paths ---- */

static bool is_health(const struct hec_receiver *receiver, const char *path)
{
    size_t size = strlen(receiver->config->health_path);
    return strncmp(path, receiver->config->health_path, size) == 0 &&
           (path[size] == '\0' || strcmp(path + size, "/1.0") == 0);
}

/* As in the Go collector every other path takes events. */
static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal healthy = {
        200, "{\"text\":\"HEC is healthy\",\"code\":17}", NULL};
    static const struct hf_ingress_refusal no_post = {
        405, "\"Only \\\"POST\\\" method is supported\"", "is not a POST"};
    static const struct hf_ingress_refusal no_ack = {
        400, "{\"text\":\"ACK is disabled\",\"code\":14}",
        "asks for acknowledgements, which the answers are already"};
    const struct hec_receiver *receiver = user;
    const char *path = hf_http_path(request);
    bool has_logs = (receiver->signals & HF_SIGNAL_BIT(HF_LOGS)) != 0;
    bool is_raw = has_logs && strcmp(path, receiver->config->raw_path) == 0;
    *ret_route = (struct hf_ingress_route){.signal = has_logs ? HF_LOGS : HF_METRICS,
                                           .format = is_raw ? HEC_RAW : HEC_EVENTS};
    if (is_health(receiver, path)) {
        return &healthy;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        return &no_post;
    }
    return strcmp(path, receiver->config->ack.path) == 0 ? &no_ack : NULL;
}

/* ---- bodies ---- */

static enum hf_status refuse(struct hf_ingress_body *body, int code, const char *sentence,
                             char *reterr)
{
    body->note = NOTE(code, 0);
    snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s", sentence);
    return HF_INVALID;
}

static bool is_uuid(const char *text, size_t size)
{
    if (size != CHANNEL_SIZE) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : isxdigit((unsigned char)text[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* A channel is for acknowledgements, and is not needed here; a wrong one is refused all the same.
 */
static enum hf_status check_channel(struct hf_ingress_body *body, char *reterr)
{
    struct hf_slice header = hf_http_header(body->request, "x-splunk-request-channel");
    const char *query = hf_http_query(body->request, "channel");
    if (header.size == 0 && query == NULL) {
        return HF_OK;
    }
    const char *text = header.size != 0 ? (const char *)header.data : query;
    size_t size = header.size != 0 ? header.size : strlen(query);
    if (size == 0) {
        return refuse(body, CODE_NO_CHANNEL, "the channel is empty", reterr);
    }
    return is_uuid(text, size) ? HF_OK
                               : refuse(body, CODE_BAD_CHANNEL, "the channel is no UUID", reterr);
}

static struct hf_slice token_of(const struct hec_receiver *receiver,
                                const struct hf_http_request *request)
{
    struct hf_slice header = hf_http_header(request, "authorization");
    size_t size = strlen(TOKEN_SCHEME);
    bool is_kept = receiver->config->access_token_passthrough && header.size > size &&
                   memcmp(header.data, TOKEN_SCHEME, size) == 0;
    return is_kept ? hf_slice_of(header.data + size, header.size - size) : HF_EMPTY_SLICE;
}

static struct hf_slice query_of(const struct hf_http_request *request, const char *key)
{
    const char *text = hf_http_query(request, key);
    return text != NULL ? hf_slice_text(text) : HF_EMPTY_SLICE;
}

static enum hf_status read_raw(const struct hec_receiver *receiver, struct hf_ingress_body *body,
                               const struct hf_hec_options *options, struct hf_builder *logs,
                               char *reterr)
{
    const char *time = hf_http_query(body->request, "time");
    uint64_t seconds = 0;
    struct hf_hec_raw raw = {
        .source = query_of(body->request, "source"),
        .sourcetype = query_of(body->request, "sourcetype"),
        .index = query_of(body->request, "index"),
        .host = query_of(body->request, "host"),
        .splits_lines = receiver->config->splitting == SPLIT_LINE,
    };
    if (time != NULL && !hf_json_read_u64(hf_slice_text(time), &seconds)) {
        return refuse(body, HF_HEC_INVALID_FORMAT, "time is not a number of whole seconds", reterr);
    }
    raw.time_ns = hf_hec_time_ns((double)seconds);
    hf_hec_read_raw(body->raw, &raw, options, logs);
    return HF_OK;
}

static enum hf_status read_events(const struct hec_receiver *receiver, struct hf_ingress_body *body,
                                  const struct hf_hec_options *options, struct hf_builder *logs,
                                  struct hf_builder *metrics, char *reterr)
{
    struct hf_hec_fault fault;
    bool has_logs = (receiver->signals & HF_SIGNAL_BIT(HF_LOGS)) != 0;
    bool has_metrics = (receiver->signals & HF_SIGNAL_BIT(HF_METRICS)) != 0;
    enum hf_status status = hf_hec_read(body->raw, options, has_logs ? logs : NULL,
                                        has_metrics ? metrics : NULL, &fault);
    if (status != HF_OK) {
        size_t events = fault.event < NOTE_EVENTS_MAX ? fault.event + 1 : 0;
        body->note = NOTE(fault.code, events);
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s", fault.text);
    }
    return status;
}

static enum hf_status take_built(struct hf_ingress_body *body, enum hf_signal signal,
                                 struct hf_builder *builder, struct hf_batch **ret_batch,
                                 char *reterr)
{
    body->route.signal = signal;
    return hf_ingress_take_built(body, builder, ret_batch, reterr);
}

static enum hf_status take_both(struct hf_ingress_body *body, struct hf_builder *logs,
                                struct hf_builder *metrics, struct hf_batch **ret_batch,
                                char *reterr)
{
    enum hf_status status = take_built(body, HF_METRICS, metrics, &body->also, reterr);
    if (status == HF_OK) {
        status = take_built(body, HF_LOGS, logs, ret_batch, reterr);
    }
    if (status == HF_OK && *ret_batch == NULL) {
        *ret_batch = body->also;
        body->also = NULL;
    }
    return status == HF_OK && *ret_batch == NULL
               ? refuse(body, HF_HEC_NO_DATA, "the body has no events", reterr)
               : status;
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    const struct hec_receiver *receiver = user;
    const struct hf_hec_options options = {.keys = receiver->config->keys,
                                           .token = token_of(receiver, body->request),
                                           .now_ns = hf_clock_unix_ns()};
    struct hf_builder logs, metrics;
    enum hf_status status = check_channel(body, reterr);
    if (status != HF_OK) {
        return status;
    }
    if (body->raw.size == 0) {
        return refuse(body, HF_HEC_NO_DATA, "the body is empty", reterr);
    }
    hf_builder_init(&logs, HF_LOGS, HF_INGRESS_MESSAGE_MAX);
    hf_builder_init(&metrics, HF_METRICS, HF_INGRESS_MESSAGE_MAX);
    status = body->route.format == HEC_RAW
                 ? read_raw(receiver, body, &options, &logs, reterr)
                 : read_events(receiver, body, &options, &logs, &metrics, reterr);
    if (status == HF_OK) {
        status = take_both(body, &logs, &metrics, ret_batch, reterr);
    }
    hf_builder_release(&logs);
    hf_builder_release(&metrics);
    return status;
}

/* ---- answers ---- */

static const char *text_of(int code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        {HF_HEC_SUCCESS, "Success"},
        {CODE_AUTHORIZATION, "Invalid authorization"},
        {CODE_FORBIDDEN, "Invalid token"},
        {HF_HEC_NO_DATA, "No data"},
        {HF_HEC_INVALID_FORMAT, "Invalid data format"},
        {CODE_INTERNAL, "Internal server error"},
        {CODE_BUSY, "Server is busy"},
        {CODE_NO_CHANNEL, "Data channel is missing"},
        {CODE_BAD_CHANNEL, "Invalid data channel"},
        {HF_HEC_EVENT_REQUIRED, "Event field is required"},
        {HF_HEC_EVENT_BLANK, "Event field cannot be blank"},
        {HF_HEC_FIELDS, "Error in handling indexed fields"},
        {CODE_LARGE, "Request entity too large"},
        {HF_HEC_NO_METRICS, "Unsupported metric event"},
        {HF_HEC_NO_LOGS, "Unsupported log event"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == code) {
            return texts[i].text;
        }
    }
    return "Invalid data format";
}

/* Of what the listener refused itself. */
static int code_of(const struct hf_ingress_result *result, int http_code)
{
    switch (http_code) {
    case 401:
        return CODE_AUTHORIZATION;
    case 403:
        return CODE_FORBIDDEN;
    case 413:
        return CODE_LARGE;
    case 400:
    case 415:
        return HF_HEC_INVALID_FORMAT;
    default:
        return hf_status_row(result->status)->retryable ? CODE_BUSY : CODE_INTERNAL;
    }
}

static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    unsigned note = (unsigned)result->note, events = note >> 8;
    int code = (int)(note & 0xffu), size;
    (void)user;
    if (result->status != HF_OK && code == 0) {
        code = code_of(result, answer->status);
    }
    const char *text = text_of(result->status == HF_OK ? HF_HEC_SUCCESS : code);
    if (code >= HF_HEC_NO_METRICS) {
        code = HF_HEC_INVALID_FORMAT;
    }
    if (result->status == HF_OK || events == 0) {
        size = snprintf((char *)room, HF_INGRESS_BODY_MAX, "{\"text\":\"%s\",\"code\":%d}", text,
                        result->status == HF_OK ? HF_HEC_SUCCESS : code);
    } else {
        size = snprintf((char *)room, HF_INGRESS_BODY_MAX,
                        "{\"text\":\"%s\",\"code\":%d,\"invalid-event-number\":%u}", text, code,
                        events - 1);
    }
    answer->content_type = JSON_TYPE;
    answer->body = hf_slice_of(room, size < 0 ? 0 : (size_t)size);
}

static const struct hf_ingress_ops ops = {
    .route = route, .decode = decode, .answer = answer, .refusal_type = JSON_TYPE};

/* ---- the component ---- */

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct hec_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->config = config;
    receiver->signals = hf_node_signals(node);
    enum hf_status status =
        hf_push_receiver_open(&receiver->base, node, &receiver->config->server, &ops, reterr);
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct hec_receiver_config *config = from;
    if (config->ack.extension != NULL && config->ack.extension[0] != '\0') {
        return "ack::extension: acknowledgements by number are not supported, because an answer "
               "means already that the events are on disk; remove the key";
    }
    return hf_http_server_check(&config->server);
}

static const char *expect_path(const char *key, const char *text)
{
    (void)key;
    return text[0] == '/' ? NULL : "a path that begins with / is expected";
}

static const char *const splittings[] = {"line", "none", NULL};

static const struct hf_field ack_fields[] = {
    {.key = "extension",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, ack.extension),
     .help = "Not supported: an answer means already that the events are on disk."},
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, ack.path),
     .default_text = "/services/collector/ack",
     .validate = expect_path,
     .help = "Answered with code 14: acknowledgements by number are disabled."},
    HF_FIELDS_END,
};

static const struct hf_field key_fields[] = {
    {.key = "source",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, keys.source),
     .default_text = "com.splunk.source",
     .help = "The attribute that an event's source becomes."},
    {.key = "sourcetype",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, keys.sourcetype),
     .default_text = "com.splunk.sourcetype",
     .help = "That of its source type."},
    {.key = "index",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, keys.index),
     .default_text = "com.splunk.index",
     .help = "That of its index."},
    {.key = "host",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, keys.host),
     .default_text = "host.name",
     .help = "That of its host."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct hec_receiver_config, server, "localhost:8088"),
    {.key = "raw_path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, raw_path),
     .default_text = "/services/collector/raw",
     .validate = expect_path,
     .help = "Where bodies are text, not events; source, sourcetype, index, host and time are in "
             "the query. Every other path takes events."},
    {.key = "splitting",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hec_receiver_config, splitting),
     .default_text = "line",
     .choices = splittings,
     .help = "Of raw bodies: a record per line, or one (none)."},
    {.key = "health_path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hec_receiver_config, health_path),
     .default_text = "/services/collector/health",
     .validate = expect_path,
     .help = "Answers with code 17, also with /1.0 behind it."},
    {.key = "access_token_passthrough",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hec_receiver_config, access_token_passthrough),
     .default_text = "false",
     .help = "Keep the token of Authorization: Splunk TOKEN as the resource attribute "
             "com.splunk.hec.access_token."},
    {.key = "hec_metadata_to_otel_attrs",
     .type = HF_FIELD_STRUCT,
     .inner = key_fields,
     .help = "Which attributes of the resource the metadata of events become."},
    {.key = "ack",
     .type = HF_FIELD_STRUCT,
     .inner = ack_fields,
     .help = "Acknowledgements by number, which are not supported."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_splunk_hec = {
    .type = "splunk_hec",
    .help = "Receives events as Splunk's HTTP Event Collector does: log records of events and raw "
            "lines, metrics of metric events; answers Success once they are on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS) | HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct hec_receiver_config),
    .fields = fields,
    .check = check_config,
    .probe = hf_push_receiver_probe,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
