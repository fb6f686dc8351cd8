/*
 * kafka: sends requests as messages to Kafka. A request is delivered when the brokers have
 * acknowledged every message of it; the items of messages that they did not take are tried again or
 * go to the dead letters.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kafka_counters.h"
#include "kafka_messages.h"
#include "support/probe/probe_inputs.h"
#include "support/tokens/kafka_tokens.h"
#include "util/checksum.h"
#include "util/loop.h"
#include "util/time/clock.h"

/* A message of the default size, less its key and headers. */
#define REQUEST_BYTES_MAX (1000000u - 16384u)
#define DEFERRED_GROUP                                                                             \
    0x80000000u /* groups of messages that are refused as a whole, from here on */

struct exporter {
    struct hf_node *node;
    const struct kafka_config *config;
    const struct hf_kafka_library *library;
    struct hf_kafka_tokens *tokens;
    struct hf_kafka_producer producer; /* opened with the first request */
    struct kafka_counters counters;
    char **context_keys;
    size_t context_key_count;
};

static void say(void *user, enum hf_log_level level, const char *text)
{
    const struct exporter *exporter = user;
    hf_node_log(exporter->node, level, "%s", text);
}

/* ---- the end of a request ---- */

static bool is_for_now(enum hf_status status)
{
    return status != HF_OK && status != HF_TOO_LARGE && status != HF_INVALID &&
           status != HF_CORRUPT;
}

/* What goes to one topic fails for the same cause; what is refused as one message is halved or
 * isolated alone. */
static uint32_t group_of(const struct kafka_request *request, const struct kafka_out *out)
{
    if (is_for_now(out->status)) {
        uint32_t hash = hf_crc32(out->message.topic, strlen(out->message.topic));
        return (hash & (DEFERRED_GROUP - 1)) | 1;
    }
    return DEFERRED_GROUP + (uint32_t)(out - request->outs);
}

static size_t list_items(const struct kafka_request *request, struct hf_item_outcome *items)
{
    size_t count = 0;
    for (uint32_t i = 0; i < request->export->items; i++) {
        uint32_t number = request->out_of_item[i];
        if (number == 0 || request->outs[number - 1].status == HF_OK) {
            continue;
        }
        if (i != 0 && number == request->out_of_item[i - 1]) {
            items[count - 1].count++;
            continue;
        }
        const struct kafka_out *out = &request->outs[number - 1];
        items[count++] = (struct hf_item_outcome){.first = i,
                                                  .count = 1,
                                                  .status = out->status,
                                                  .code = out->error,
                                                  .message = out->text,
                                                  .group = group_of(request, out)};
    }
    return count;
}

/* Have all messages the same fate? */
static bool is_uniform(const struct kafka_request *request)
{
    bool same = true;
    for (size_t i = 1; i < request->count; i++) {
        same = same && request->outs[i].status == request->outs[0].status;
    }
    return same && (request->count <= 1 || request->outs[0].status == HF_OK ||
                    is_for_now(request->outs[0].status));
}

/* Does that status follow from the topic, while other requests go to other topics? Brokers that are
 * away look alike: then each topic waits by itself. */
static bool is_about_a_topic_of_many(const struct exporter *exporter,
                                     const struct kafka_request *request, enum hf_status status)
{
    const struct kafka_plan plan = kafka_config_plan(exporter->config, request->export->signal);
    bool are_many = exporter->config->topic_from_attribute != NULL || plan.topic_key != NULL;
    return are_many && (status == HF_NOT_FOUND || status == HF_FORBIDDEN || status == HF_AGAIN);
}

static bool any_is_closed(const struct kafka_request *request)
{
    bool is_closed = false;
    for (size_t i = 0; i < request->count; i++) {
        is_closed = is_closed || request->outs[i].status == HF_CLOSED;
    }
    return is_closed;
}

static void end_request(struct kafka_request *request)
{
    struct hf_export *export = request->export;
    const struct exporter *exporter = request->owner;
    struct hf_item_outcome *items = NULL;
    struct hf_outcome outcome = {.status = HF_OK, .rejected_items = request->left_out};
    if (request->left_out != 0) {
        outcome.message = request->export->signal == HF_LOGS
                              ? "log records without a body are no messages"
                              : "spans without an id, or an id of their trace, are none of Zipkin";
    }
    if (any_is_closed(request)) {
        outcome = (struct hf_outcome){.status = HF_CLOSED};
    } else if (request->count != 0 && is_uniform(request) &&
               !is_about_a_topic_of_many(exporter, request, request->outs[0].status)) {
        const struct kafka_out *first = &request->outs[0];
        if (first->status != HF_OK) {
            outcome = (struct hf_outcome){
                .status = first->status, .code = first->error, .message = first->text};
        }
    } else if (request->count != 0) {
        items = calloc(export->items, sizeof(*items));
        outcome.status = items != NULL ? HF_OK : HF_NOMEM;
        outcome.items = items;
        outcome.item_count = items != NULL ? list_items(request, items) : 0;
    }
    hf_export_done(export, &outcome);
    free(items);
    kafka_request_free(request);
}

static void on_done(struct hf_kafka_message *message, enum hf_status status, int error,
                    const char *text)
{
    struct kafka_out *out = HF_CONTAINER(message, struct kafka_out, message);
    struct exporter *exporter = out->request->owner;
    out->status = status;
    out->error = error;
    out->text = status == HF_OK ? NULL : text;
    if (status != HF_CLOSED) {
        kafka_count(&exporter->counters, message->topic, message->value.size, status == HF_OK);
    }
    if (--out->request->open == 0) {
        end_request(out->request);
    }
}

/* ---- sending ---- */

static enum hf_status need_producer(struct exporter *exporter, const struct hf_export *export,
                                    char *reterr)
{
    struct hf_kafka_producer *producer = &exporter->producer;
    if (hf_kafka_producer_is_broken(producer) && producer->in_flight == 0) {
        hf_node_log(exporter->node, HF_LOG_WARN, "the Kafka producer has failed: opening it again");
        hf_kafka_producer_close(producer);
    }
    if (producer->client.handle != NULL) {
        return HF_OK;
    }
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t timeout_ns = export->deadline_ns == 0       ? 0
                          : export->deadline_ns > now_ns ? export->deadline_ns - now_ns
                                                         : 1;
    struct hf_kafka_settings settings = {0};
    kafka_config_set(exporter->config, timeout_ns, &settings);
    settings.tokens = hf_kafka_tokens_source(exporter->tokens);
    *producer = (struct hf_kafka_producer){.client = {.library = exporter->library,
                                                      .loop = hf_node_own_loop(exporter->node),
                                                      .say = say,
                                                      .user = exporter}};
    enum hf_status status = hf_kafka_producer_open(producer, &settings, reterr);
    hf_kafka_settings_release(&settings);
    /* Wrong files of TLS are no fault of the data: HF_UNSUPPORTED waits for an operator. */
    return status == HF_INVALID ? HF_UNSUPPORTED : status;
}

static void send_message(struct exporter *exporter, struct kafka_out *out)
{
    const struct hf_kafka_message *message = &out->message;
    uint64_t size = message->value.size + message->key.size;
    const char *text = NULL;
    out->message.done = on_done;
    if (out->status == HF_OK && size > (uint64_t)exporter->config->producer.max_message_bytes) {
        out->status = HF_TOO_LARGE;
        out->text = "larger than producer::max_message_bytes";
    }
    if (out->status == HF_OK) {
        out->status = hf_kafka_produce(&exporter->producer, &out->message, &text);
        out->text = out->status == HF_OK ? NULL : text;
    }
    if (out->status != HF_OK) {
        out->request->open--; /* of the others; the last one is counted by the caller */
    }
}

static void send_request(struct exporter *exporter, struct kafka_request *request)
{
    request->owner = exporter;
    request->open = request->count + 1; /* one more, until all are sent */
    for (size_t i = 0; i < request->count; i++) {
        send_message(exporter, &request->outs[i]);
    }
    if (--request->open == 0) {
        end_request(request);
    }
}

static void send_export(void *self, struct hf_export *export)
{
    struct exporter *exporter = self;
    struct kafka_request *request = NULL;
    char why[HF_ERROR_MAX] = "";
    enum hf_status status = need_producer(exporter, export, why);
    if (status == HF_OK) {
        status = kafka_request_new(export, exporter->config, &request);
    }
    if (status != HF_OK) {
        const char *says = why[0] != '\0'           ? why
                           : status == HF_CORRUPT   ? "the request does not decode"
                           : status == HF_TOO_LARGE ? "more messages than one request may become"
                                                    : "out of memory";
        hf_export_done(export, &(const struct hf_outcome){.status = status, .message = says});
        return;
    }
    send_request(exporter, request);
}

/* ---- life ---- */

static void close_exporter(void *self)
{
    struct exporter *exporter = self;
    hf_kafka_producer_close(&exporter->producer);
    hf_kafka_tokens_free(exporter->tokens);
    kafka_counters_release(&exporter->counters);
    for (size_t i = 0; i < exporter->context_key_count; i++) {
        free(exporter->context_keys[i]);
    }
    free(exporter->context_keys);
    free(exporter);
}

static bool add_context_key(struct exporter *exporter, const char *key)
{
    if (key == NULL || key[0] == '\0') {
        return true;
    }
    char *copy = strdup(key);
    if (copy == NULL) {
        return false;
    }
    for (char *at = copy; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    exporter->context_keys[exporter->context_key_count++] = copy;
    return true;
}

/* The headers of clients' requests that make topics, keys and headers. */
static enum hf_status list_context_keys(struct exporter *exporter)
{
    const struct hf_string_list *included = &exporter->config->include_metadata_keys;
    exporter->context_keys =
        calloc(included->count + 2 * HF_SIGNAL_COUNT, sizeof(*exporter->context_keys));
    bool good = exporter->context_keys != NULL;
    for (size_t i = 0; good && i < included->count; i++) {
        good = add_context_key(exporter, included->items[i]);
    }
    for (int i = 0; good && i <= HF_LOGS; i++) {
        const struct kafka_plan plan = kafka_config_plan(exporter->config, (enum hf_signal)i);
        good = add_context_key(exporter, plan.topic_key) &&
               add_context_key(exporter, plan.message_key);
    }
    return good ? HF_OK : HF_NOMEM;
}

static const char *check_signals(const struct hf_node *node, const struct kafka_config *config)
{
    const char *why = NULL;
    for (int i = 0; i < HF_SIGNAL_COUNT && why == NULL; i++) {
        if ((hf_node_signals(node) & HF_SIGNAL_BIT(i)) != 0) {
            why = kafka_config_check_signal(config, (enum hf_signal)i);
        }
    }
    return why;
}

/* Are the settings such that the library takes them? */
static enum hf_status try_settings(struct exporter *exporter, char *reterr)
{
    struct hf_kafka_settings settings = {0};
    rd_kafka_conf_t *conf = NULL;
    kafka_config_set(exporter->config, UINT64_C(5000000000), &settings);
    enum hf_status status = hf_kafka_conf_new(exporter->library, &settings, &conf, reterr);
    hf_kafka_settings_release(&settings);
    if (status == HF_OK) {
        exporter->library->conf_destroy(conf);
    }
    return status;
}

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct kafka_config *config = from;
    const char *why = check_signals(node, config);
    if (why != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s", why);
        return HF_INVALID;
    }
    struct exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->counters.node = node;
    exporter->library = hf_kafka_library(reterr);
    enum hf_status status = exporter->library != NULL ? HF_OK : HF_UNSUPPORTED;
    if (status == HF_OK) {
        status = try_settings(exporter, reterr);
    }
    if (status == HF_OK) {
        status = list_context_keys(exporter);
    }
    if (status == HF_OK) {
        status = hf_kafka_tokens_open(node, &config->kafka, &exporter->tokens, reterr);
    }
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

static enum hf_status start_exporter(void *self, char *reterr)
{
    const struct exporter *exporter = self;
    return hf_kafka_tokens_start(exporter->tokens, reterr);
}

static void stop_exporter(void *self)
{
    const struct exporter *exporter = self;
    hf_kafka_tokens_stop(exporter->tokens);
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct exporter *exporter = self;
    *ret_count = exporter->context_key_count;
    return (const char *const *)exporter->context_keys;
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "5s",
    .request_bytes_max = REQUEST_BYTES_MAX,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct kafka_config *config = from;
    hf_probe_brokers(probe, &config->kafka);
}

const struct hf_component hf_exporter_kafka = {
    .type = "kafka",
    .help = "Sends OTLP, spans of Jaeger and Zipkin, or the bodies of log records, as messages to "
            "Kafka.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct kafka_config),
    .fields = kafka_fields,
    .check = kafka_config_check,
    .probe = probe_outside,
    .open = open_exporter,
    .start = start_exporter,
    .stop = stop_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
