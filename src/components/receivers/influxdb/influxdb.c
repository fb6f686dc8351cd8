/*
 * influxdb: receives metrics in InfluxDB's line protocol, as its versions 1 and 2 are written to,
 * and answers once they are on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/influx/influx.h"
#include "support/ingress/push_receiver.h"
#include "util/time/clock.h"

#define PATH_1 "/write"
#define PATH_2 "/api/v2/write"
#define JSON_TYPE "application/json"

static_assert(HF_INFLUX_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");
static_assert((int)HF_INFLUX_ERROR_MAX + 60 <= (int)HF_INGRESS_PARTIAL_MAX, "the sentence fits");

enum { VERSION_1 = 0, VERSION_2 };

struct influx_config {
    struct hf_http_server_config server;
};

struct influx_receiver {
    struct hf_push_receiver base;
};

/* ---- requests ---- */

static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal alive = {204, "", NULL};
    static const struct hf_ingress_refusal no_path = {
        404, "{\"code\":\"not found\",\"message\":\"path not found\"}",
        "is for another path than " PATH_1 ", " PATH_2 " and /ping"};
    static const struct hf_ingress_refusal no_post = {
        405, "{\"code\":\"method not allowed\",\"message\":\"only POST is supported\"}",
        "is not a POST"};
    const char *path = hf_http_path(request);
    bool is_1 = strcmp(path, PATH_1) == 0;
    (void)user;
    *ret_route =
        (struct hf_ingress_route){.signal = HF_METRICS, .format = is_1 ? VERSION_1 : VERSION_2};
    if (strcmp(path, "/ping") == 0) {
        return &alive;
    }
    if (!is_1 && strcmp(path, PATH_2) != 0) {
        return &no_path;
    }
    return strcmp(hf_http_method(request), "POST") == 0 ? NULL : &no_post;
}

static void take_result(struct influx_receiver *receiver, struct hf_ingress_body *body,
                        const struct hf_influx_result *result)
{
    if (result->refused != 0) {
        snprintf(body->partial, sizeof(body->partial), "partial write: %s, lines dropped: %zu",
                 result->why, result->refused);
    }
    if (result->ignored != 0) {
        hf_ingress_complain(&receiver->base.ingress, body->peer,
                            "fields of text or truth values are ignored: metrics have none");
    }
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    struct influx_receiver *receiver = user;
    struct hf_influx_options options = {.now_ns = hf_clock_unix_ns()};
    const char *precision = hf_http_query(body->request, "precision");
    struct hf_influx_result result;
    struct hf_builder builder;
    if (!hf_influx_unit(precision != NULL ? precision : "", &options.unit_ns)) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "precision is none of ns, us, ms, s, m and h");
        return HF_INVALID;
    }
    hf_builder_init(&builder, HF_METRICS, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status = hf_influx_read(body->raw, &options, &builder, &result, reterr);
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    if (status == HF_OK) {
        take_result(receiver, body, &result);
    }
    hf_builder_release(&builder);
    return status;
}

/* ---- answers ---- */

static const char *code_of(int status)
{
    switch (status) {
    case 400:
        return "invalid";
    case 401:
        return "unauthorized";
    case 403:
        return "forbidden";
    case 413:
        return "request too large";
    case 415:
        return "unsupported media type";
    case 429:
        return "too many requests";
    default:
        return "unavailable";
    }
}

/* What a text of JSON can have as it is. */
static void make_safe(const char *text, char room[HF_INGRESS_ERROR_MAX])
{
    size_t size = 0;
    for (; text[size] != '\0' && size < HF_INGRESS_ERROR_MAX - 1; size++) {
        char c = text[size];
        room[size] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
    }
    room[size] = '\0';
}

/* Each version's clients look for their own member. */
static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    char text[HF_INGRESS_ERROR_MAX];
    (void)user;
    if (result->status == HF_OK && result->partial == NULL) {
        answer->status = 204;
        return;
    }
    answer->status = result->status == HF_OK ? 400 : answer->status;
    make_safe(result->status == HF_OK ? result->partial : result->text, text);
    int size =
        result->route.format == VERSION_1
            ? snprintf((char *)room, HF_INGRESS_BODY_MAX, "{\"error\":\"%s\"}", text)
            : snprintf((char *)room, HF_INGRESS_BODY_MAX, "{\"code\":\"%s\",\"message\":\"%s\"}",
                       code_of(answer->status), text);
    answer->content_type = JSON_TYPE;
    answer->body = hf_slice_of(room, size < 0 ? 0 : (size_t)size);
}

static const struct hf_ingress_ops ops = {
    .route = route, .decode = decode, .answer = answer, .refusal_type = JSON_TYPE};

/* ---- the component ---- */

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct influx_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_push_receiver_open(&receiver->base, node, config, &ops, reterr);
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct influx_config, server, "localhost:8086"),
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_influxdb = {
    .type = "influxdb",
    .help = "Receives metrics in InfluxDB's line protocol at POST " PATH_1 " and " PATH_2
            " (precision in the query; db, rp, org and bucket do not matter) and answers 204 once "
            "they are on disk; /ping is answered. Telegraf's Prometheus schemas 1 and 2 become "
            "gauges, sums, histograms and summaries, other fields gauges. A wrong line costs no "
            "other: the answer is 400, as for a partial write.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct influx_config),
    .fields = fields,
    .check = hf_push_receiver_check,
    .probe = hf_push_receiver_probe,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
