/*
 * otlp_answer: what the paths of OTLP/HTTP mean, and the bodies of the answers of both transports.
 * Errors are google.rpc.Status in the request's own encoding.
 */
#include <string.h>
#include <strings.h>

#include "otlp_internal.h"
#include "otlp_status.h"
#include "pdata/unknown.h"

/* As with the Go collector, the configuration may leave out the slash that begins a path. */
static bool is_path(const char *path, const char *configured)
{
    return path[0] == '/' && strcmp(path + 1, configured + (configured[0] == '/')) == 0;
}

static bool find_signal(const struct otlp_receiver *receiver, const char *path,
                        enum hf_signal *ret_signal)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((hf_node_signals(receiver->node) & HF_SIGNAL_BIT(signal)) != 0 &&
            is_path(path, receiver->config->protocols.http->url_paths[signal])) {
            *ret_signal = (enum hf_signal)signal;
            return true;
        }
    }
    return false;
}

static enum otlp_format format_of(const struct hf_http_request *request)
{
    static const char *const types[] = {
        [OTLP_PROTO] = "application/x-protobuf", [OTLP_JSON] = "application/json"};
    struct hf_slice type = hf_http_header(request, "content-type");
    size_t size = 0;
    while (size < type.size && type.data[size] != ';') {
        size++;
    }
    while (size > 0 && (type.data[size - 1] == ' ' || type.data[size - 1] == '\t')) {
        size--;
    }
    for (int format = OTLP_PROTO; format <= OTLP_JSON; format++) {
        if (size == strlen(types[format]) &&
            strncasecmp((const char *)type.data, types[format], size) == 0) {
            return (enum otlp_format)format;
        }
    }
    return OTLP_OTHER;
}

const struct hf_ingress_refusal *otlp_route(void *user, struct hf_http_request *request,
                                            struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal no_path = {404, "404 page not found\n",
                                                      "is no path of this receiver"};
    static const struct hf_ingress_refusal no_post = {
        405, "405 method not allowed, supported: [POST]", "is not a POST"};
    static const struct hf_ingress_refusal no_type = {
        415, "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        "has neither JSON nor protobuf as content type"};
    ret_route->format = (int)format_of(request);
    if (!find_signal(user, hf_http_path(request), &ret_route->signal)) {
        return &no_path;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        return &no_post;
    }
    return ret_route->format == OTLP_OTHER ? &no_type : NULL;
}

static struct hf_slice warn_unknown(const struct hf_ingress_result *result, bool json,
                                    uint8_t *room)
{
    char text[HF_UNKNOWN_TEXT_MAX];
    static_assert(HF_UNKNOWN_ANSWER_MAX <= HF_INGRESS_BODY_MAX, "the answer fits");
    hf_unknown_say(result->route.signal, text);
    hf_ingress_complain(result->port->ingress, result->peer, text);
    return hf_slice_of(room, hf_unknown_answer(result->route.signal, json, room));
}

/* An empty message: partial_success is to be left unset (OTLP specification, full success). */
struct hf_slice otlp_message(void *user, const struct hf_ingress_result *result, uint8_t *room)
{
    (void)user;
    return result->note == OTLP_UNKNOWN ? warn_unknown(result, false, room) : HF_EMPTY_SLICE;
}

void otlp_answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                 struct hf_http_answer *answer)
{
    bool json = result->route.format == OTLP_JSON;
    static_assert(OTLP_STATUS_BODY_MAX <= HF_INGRESS_BODY_MAX, "the status fits");
    (void)user;
    answer->content_type = json ? "application/json" : "application/x-protobuf";
    if (result->status != HF_OK) {
        int code = hf_status_row(result->status)->grpc_code;
        answer->body = hf_slice_of(room, otlp_status_body(json, code, result->text, room));
    } else if (result->note == OTLP_UNKNOWN) {
        answer->body = warn_unknown(result, json, room);
    } else if (json) {
        answer->body = hf_slice_text("{\"partialSuccess\":{}}"); /* as the Go collector does */
    }
}
