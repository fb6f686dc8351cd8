/*
 * zipkin: receives spans as Zipkin's clients send them, and answers once they are on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/zipkin/zipkin.h"
#include "support/ingress/push_receiver.h"

static_assert(HF_ZIPKIN_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

struct zipkin_config {
    struct hf_http_server_config server;
    bool parse_string_tags;
};

struct zipkin_receiver {
    struct hf_push_receiver base;
    const struct zipkin_config *config;
};

/* As in the Go collector any path is one of Zipkin's, and a type that is not known means JSON. */
static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal no_post = {
        405, "405 method not allowed, supported: [POST]", "is not a POST"};
    bool is_v1 = strstr(hf_http_path(request), "api/v1/spans") != NULL;
    (void)user;
    ret_route->signal = HF_TRACES;
    if (is_v1) {
        ret_route->format = hf_ingress_has_type(request, "application/x-thrift")
                                ? HF_ZIPKIN_V1_THRIFT
                                : HF_ZIPKIN_V1_JSON;
    } else {
        ret_route->format = hf_ingress_has_type(request, "application/x-protobuf")
                                ? HF_ZIPKIN_V2_PROTO
                                : HF_ZIPKIN_V2_JSON;
    }
    return strcmp(hf_http_method(request), "POST") == 0 ? NULL : &no_post;
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    const struct zipkin_receiver *receiver = user;
    const struct hf_zipkin_options options = {
        .format = (enum hf_zipkin_format)body->route.format,
        .parse_string_tags = receiver->config->parse_string_tags,
    };
    struct hf_builder builder;
    hf_builder_init(&builder, HF_TRACES, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status = hf_zipkin_read(body->raw, &options, &builder, reterr);
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    hf_builder_release(&builder);
    return status;
}

static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    (void)user;
    hf_ingress_answer_text(result, 202, room, answer); /* as Zipkin's interface has it */
}

static const struct hf_ingress_ops ops = {.route = route, .decode = decode, .answer = answer};

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct zipkin_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->config = config;
    enum hf_status status =
        hf_push_receiver_open(&receiver->base, node, &receiver->config->server, &ops, reterr);
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct zipkin_config, server, "localhost:9411"),
    {.key = "parse_string_tags",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct zipkin_config, parse_string_tags),
     .default_text = "false",
     .help =
         "Make numbers and booleans of tags whose text looks like one; Thrift's tags have types "
         "of their own."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_zipkin = {
    .type = "zipkin",
    .help =
        "Receives Zipkin spans over HTTP: v2 in JSON and protobuf, v1 (paths with api/v1/spans) "
        "in JSON and Thrift; answers 202 once they are on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct zipkin_config),
    .fields = fields,
    .check = hf_push_receiver_check,
    .probe = hf_push_receiver_probe,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
