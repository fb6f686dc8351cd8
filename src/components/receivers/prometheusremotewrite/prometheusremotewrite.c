/*
 * prometheusremotewrite: receives what Prometheus and others send by remote write, version 1 or 2,
 * and answers once it is on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "prometheus/remote_write.h"
#include "support/ingress/push_receiver.h"
#include "util/header_text.h"

#define PATH "/api/v1/write"
#define TYPE "application/x-protobuf"
#define MESSAGE_1 "prometheus.WriteRequest"
#define MESSAGE_2 "io.prometheus.write.v2.Request"

/* What is kept between requests: 16 MiB each at most. */
#define TARGETS 1024u
#define TARGET_BYTES 16384u
#define FAMILIES 8192u
#define FAMILY_BYTES 2048u

static_assert(HF_PROM_REMOTE_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

enum { COUNT_SAMPLES = 0, COUNT_HISTOGRAMS, COUNT_EXEMPLARS, COUNTS };
static_assert((int)COUNTS == (int)HF_INGRESS_COUNTS, "each has its place");

enum message { VERSION_1 = 0, VERSION_2, VERSION_NONE };

struct remote_config {
    struct hf_http_server_config server;
};

struct remote_receiver {
    struct hf_push_receiver base;
    struct hf_prom_remote_memory memory;
};

/* ---- requests ---- */

/* Up to a separator, which both parts are without. */
static struct hf_slice cut(struct hf_slice *rest, char separator)
{
    const uint8_t *at = rest->size != 0 ? memchr(rest->data, separator, rest->size) : NULL;
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    struct hf_slice first = hf_header_trim(hf_slice_of(rest->data, size));
    size_t skipped = at != NULL ? size + 1 : size;
    *rest = hf_slice_of(rest->data + skipped, rest->size - skipped);
    return first;
}

static bool is_alike(struct hf_slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* Version 1 needs no parameter, because its first senders had none. */
static enum message message_of(struct hf_slice type)
{
    if (type.size == 0 || !is_alike(cut(&type, ';'), TYPE)) {
        return VERSION_NONE;
    }
    while (type.size != 0) {
        struct hf_slice value = cut(&type, ';');
        if (is_alike(cut(&value, '='), "proto")) {
            return hf_slice_is(value, MESSAGE_1)   ? VERSION_1
                   : hf_slice_is(value, MESSAGE_2) ? VERSION_2
                                                   : VERSION_NONE;
        }
    }
    return VERSION_1;
}

static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal no_path = {404, "404 page not found\n",
                                                      "is for another path than " PATH};
    static const struct hf_ingress_refusal no_post = {
        405, "405 method not allowed, supported: [POST]\n", "is not a POST"};
    static const struct hf_ingress_refusal no_type = {415,
                                                      "415 unsupported media type, supported: " TYPE
                                                      " with proto=" MESSAGE_1 " or " MESSAGE_2
                                                      "\n",
                                                      "has no content type of remote write"};
    enum message message = message_of(hf_http_header(request, "content-type"));
    (void)user;
    *ret_route = (struct hf_ingress_route){.signal = HF_METRICS, .format = (int)message};
    if (strcmp(hf_http_path(request), PATH) != 0) {
        return &no_path;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        return &no_post;
    }
    return message == VERSION_NONE ? &no_type : NULL;
}

static void take_result(struct hf_ingress_body *body, const struct hf_prom_remote_result *result)
{
    body->counts[COUNT_SAMPLES] = result->samples;
    body->counts[COUNT_HISTOGRAMS] = result->histograms;
    body->counts[COUNT_EXEMPLARS] = result->exemplars;
    if (result->refused != 0) {
        snprintf(body->partial, sizeof(body->partial), "%u refused, the first: %s", result->refused,
                 result->why);
    }
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    const struct remote_receiver *receiver = user;
    const struct hf_prom_remote_options options = {.is_2 = body->route.format == VERSION_2,
                                                   .memory = receiver->memory};
    struct hf_prom_remote_result result;
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status = hf_prom_remote_read(body->raw, &options, &builder, &result, reterr);
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    if (status == HF_OK) {
        take_result(body, &result);
    }
    hf_builder_release(&builder);
    return status;
}

/* ---- answers ---- */

/* Senders give up what is answered with 429, unless they are told otherwise; 503 they send again.
 */
static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    static const char *const names[COUNTS] = {
        [COUNT_SAMPLES] = "X-Prometheus-Remote-Write-Samples-Written",
        [COUNT_HISTOGRAMS] = "X-Prometheus-Remote-Write-Histograms-Written",
        [COUNT_EXEMPLARS] = "X-Prometheus-Remote-Write-Exemplars-Written",
    };
    enum { DIGITS = 16 };
    static _Thread_local struct hf_http_answer_header headers[COUNTS];
    static _Thread_local char texts[COUNTS][DIGITS];
    (void)user;
    hf_ingress_answer_text(result, 204, room, answer);
    if (answer->status == 429) {
        answer->status = 503;
    }
    for (int i = 0; i < COUNTS; i++) {
        snprintf(texts[i], DIGITS, "%u", result->counts[i]);
        headers[i] = (struct hf_http_answer_header){names[i], texts[i]};
    }
    answer->headers = headers;
    answer->header_count = COUNTS;
}

static const struct hf_ingress_ops ops = {.route = route, .decode = decode, .answer = answer};

/* ---- the component ---- */

static void close_receiver(void *self)
{
    struct remote_receiver *receiver = self;
    hf_push_receiver_release(&receiver->base);
    hf_prom_memory_free(receiver->memory.targets);
    hf_prom_memory_free(receiver->memory.families);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct remote_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->memory.targets = hf_prom_memory_new(TARGETS, TARGET_BYTES);
    receiver->memory.families = hf_prom_memory_new(FAMILIES, FAMILY_BYTES);
    enum hf_status status =
        receiver->memory.targets == NULL || receiver->memory.families == NULL
            ? HF_NOMEM
            : hf_push_receiver_open(&receiver->base, node, config, &ops, reterr);
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct remote_config, server, "localhost:9090"),
    {.key = "time_threshold", .type = HF_FIELD_IGNORED, .help = "Samples of any age are taken."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_prometheusremotewrite = {
    .type = "prometheusremotewrite",
    .aliases = (const char *const[]){"prometheus_remote_write", NULL},
    .help = "Receives metrics by Prometheus' remote write 1.0 and 2.0 at POST " PATH
            ", answered once they are on disk. Native histograms, exemplars, starts, metadata and "
            "staleness markers are kept, target_info becomes the resource; the series of classic "
            "histograms and summaries stay metrics of their own.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct remote_config),
    .fields = fields,
    .check = hf_push_receiver_check,
    .probe = hf_push_receiver_probe,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = close_receiver,
};
