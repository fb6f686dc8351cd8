/*
 * carbon: receives metrics in Graphite's plaintext protocol over TCP or UDP. The protocol has no
 * answers: what was read is committed before more is read.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "carbon_rules.h"
#include "pdata/build_metrics.h"
#include "support/lines/datagrams.h"
#include "support/lines/streams.h"
#include "support/probe/probe_inputs.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"
#include "util/validators.h"

#define PACKET_BYTES_MAX 65535u
#define LINE_BYTES_MAX ((size_t)64 << 10)
#define BATCH_BYTES_MAX ((size_t)4 << 20)
#define IDLE_DEFAULT_NS (30 * HF_NS_PER_S)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

struct carbon_config {
    const char *endpoint;
    int64_t transport, parser;
    uint64_t idle_ns;
    struct hf_struct_list rules; /* struct carbon_rule_config */
    const char *separator;
};

struct carbon {
    struct hf_node *node;
    const struct carbon_config *config;
    struct carbon_rules rules;
    struct hf_streams *streams;
    struct hf_datagrams *datagrams;
    struct hf_builder builder;
    struct hf_bytes name;
    struct hf_carbon_path path;
    struct hf_log_limiter said;
    struct hf_series *malformed;
};

/* ---- lines ---- */

static void write_point(struct carbon *carbon, const struct hf_carbon_line *line, bool cumulative)
{
    const struct hf_carbon_path *path = &carbon->path;
    const struct hf_build_point point = {.time_ns =
                                             line->has_time ? line->time_ns : hf_clock_unix_ns()};
    const struct hf_build_metric metric = {.name = path->name,
                                           .kind = cumulative ? HF_BUILD_SUM : HF_BUILD_GAUGE,
                                           .temporality = HF_BUILD_CUMULATIVE,
                                           .is_monotonic = cumulative};
    if (hf_build_items(&carbon->builder) == 0) {
        hf_build_resource(&carbon->builder, HF_EMPTY_SLICE);
        hf_build_scope(&carbon->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    }
    hf_build_metric(&carbon->builder, &metric);
    if (line->is_integer) {
        hf_build_point_int(&carbon->builder, &point, line->integer);
    } else {
        hf_build_point_double(&carbon->builder, &point, line->number);
    }
    for (size_t i = 0; i < path->tag_count; i++) {
        hf_build_attribute_string(&carbon->builder, path->tags[i].key, path->tags[i].value);
    }
    hf_build_end(&carbon->builder);
}

static void take_line(struct carbon *carbon, struct hf_slice text)
{
    struct hf_carbon_line line;
    bool cumulative = false;
    const char *wrong = hf_carbon_read(text, &line);
    if (wrong == NULL) {
        wrong = carbon_rules_apply(&carbon->rules, line.path, &carbon->name, &carbon->path,
                                   &cumulative);
    }
    if (wrong == NULL) {
        write_point(carbon, &line, cumulative);
        return;
    }
    hf_series_add(carbon->malformed, 1);
    if (hf_log_limiter_allows(&carbon->said, "", wrong, hf_clock_coarse_ns())) {
        hf_node_log(carbon->node, HF_LOG_WARN, "a line is dropped: %s: %.*s", wrong,
                    text.size > 100 ? 100 : (int)text.size, (const char *)text.data);
    }
}

/* The next line without blanks at its ends; how many bytes it takes with its end. */
static size_t next_line(struct hf_slice bytes, struct hf_slice *ret_line)
{
    const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
    size_t size = end != NULL ? (size_t)(end - bytes.data) : bytes.size, start = 0;
    size_t used = size + (end != NULL ? 1 : 0);
    while (size != 0 && bytes.data[size - 1] <= ' ') {
        size--;
    }
    while (start < size && bytes.data[start] <= ' ') {
        start++;
    }
    *ret_line = hf_slice_of(bytes.data + start, size - start);
    return used;
}

static bool cut_line(void *user, struct hf_stream_peer *peer, struct hf_slice bytes, bool at_end,
                     struct hf_stream_message *ret_message)
{
    (void)user;
    (void)peer;
    if (bytes.size == 0 || (!at_end && memchr(bytes.data, '\n', bytes.size) == NULL)) {
        return false;
    }
    *ret_message = (struct hf_stream_message){0};
    ret_message->used = next_line(bytes, &ret_message->bytes);
    ret_message->is_nothing = ret_message->bytes.size == 0;
    return true;
}

static bool take_message(void *user, struct hf_stream_peer *peer, struct hf_slice message)
{
    (void)peer;
    take_line(user, message);
    return true;
}

static void take_datagram(void *user, const struct hf_datagram *datagram)
{
    struct hf_slice rest = datagram->bytes, line;
    while (rest.size != 0) {
        size_t used = next_line(rest, &line);
        if (line.size != 0) {
            take_line(user, line);
        }
        rest = hf_slice_of(rest.data + used, rest.size - used);
    }
}

static struct hf_batch *collect(void *user, uint64_t now_ns, bool is_last)
{
    struct carbon *carbon = user;
    (void)now_ns;
    (void)is_last;
    return hf_datagrams_collect_built(&carbon->builder, carbon->node, "points");
}

/* ---- life ---- */

static void close_carbon(void *self)
{
    struct carbon *carbon = self;
    if (carbon == NULL) {
        return;
    }
    hf_streams_close(carbon->streams);
    hf_datagrams_close(carbon->datagrams);
    carbon_rules_release(&carbon->rules);
    hf_builder_release(&carbon->builder);
    hf_bytes_release(&carbon->name);
    hf_log_limiter_release(&carbon->said);
    free(carbon);
}

static enum hf_status open_sockets(struct carbon *carbon, char *reterr)
{
    static const struct hf_streams_ops stream_ops = {
        .cut = cut_line, .take = take_message, .collect = collect};
    static const struct hf_datagrams_ops datagram_ops = {.take = take_datagram, .collect = collect};
    const struct carbon_config *config = carbon->config;
    const struct hf_streams_options streams = {.node = carbon->node,
                                               .endpoint = config->endpoint,
                                               .transport = "tcp",
                                               .message_bytes_max = LINE_BYTES_MAX,
                                               .idle_ns = config->idle_ns != 0 ? config->idle_ns
                                                                               : IDLE_DEFAULT_NS,
                                               .ops = &stream_ops,
                                               .user = carbon};
    const struct hf_datagrams_options datagrams = {.node = carbon->node,
                                                   .endpoint = config->endpoint,
                                                   .transport = "udp",
                                                   .packet_bytes_max = PACKET_BYTES_MAX,
                                                   .ops = &datagram_ops,
                                                   .user = carbon};
    return config->transport == 0 ? hf_streams_open(&streams, &carbon->streams, reterr)
                                  : hf_datagrams_open(&datagrams, &carbon->datagrams, reterr);
}

static enum hf_status open_carbon(struct hf_node *node, const void *from, void **ret_self,
                                  char *reterr)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_errors",
        .type = HF_COUNTER,
        .help = "Requests and connections refused for what they are, by reason.",
    };
    const struct carbon_config *config = from;
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(node)},
                                      {"transport", config->transport == 0 ? "tcp" : "udp"},
                                      {"reason", "malformed"},
                                      {NULL, NULL}};
    struct carbon *carbon = calloc(1, sizeof(*carbon));
    if (carbon == NULL) {
        return HF_NOMEM;
    }
    carbon->node = node;
    carbon->config = config;
    hf_builder_init(&carbon->builder, HF_METRICS, BATCH_BYTES_MAX);
    hf_log_limiter_init(&carbon->said, SAY_AGAIN_NS);
    carbon->malformed = hf_metrics_series(hf_node_metrics(node), &family, labels);
    enum hf_status status = carbon->malformed != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = carbon_rules_init(&carbon->rules, &config->rules, config->separator, reterr);
    }
    status = status == HF_OK ? open_sockets(carbon, reterr) : status;
    if (status != HF_OK) {
        close_carbon(carbon);
        return status;
    }
    *ret_self = carbon;
    return HF_OK;
}

static enum hf_status start_carbon(void *self, char *reterr)
{
    struct carbon *carbon = self;
    return carbon->streams != NULL ? hf_streams_start(carbon->streams, reterr)
                                   : hf_datagrams_start(carbon->datagrams, reterr);
}

static void stop_carbon(void *self)
{
    struct carbon *carbon = self;
    hf_streams_stop(carbon->streams);
    hf_datagrams_stop(carbon->datagrams);
}

/* ---- keys ---- */

static const char *const transports[] = {"tcp", "udp", NULL};
static const char *const parsers[] = {"plaintext", "regex", NULL};
static const char *const types[] = {"gauge", "cumulative", NULL};

static const char *check_carbon(const void *from)
{
    const struct carbon_config *config = from;
    if (config->parser == 1 && config->rules.count == 0) {
        return "parser: type regex needs config::rules";
    }
    return config->parser == 0 && config->rules.count != 0
               ? "parser: config::rules is for type regex"
               : NULL;
}

#define AT(member) offsetof(struct carbon_config, member)
#define RULE(member) offsetof(struct carbon_rule_config, member)

static const struct hf_field rule_fields[] = {
    {.key = "regexp",
     .type = HF_FIELD_STRING,
     .offset = RULE(pattern),
     .required = true,
     .help = "Expression (RE2) for paths; groups key_X become the attribute X, groups name_X parts "
             "of the name, in the order of their names."},
    {.key = "name_prefix",
     .type = HF_FIELD_STRING,
     .offset = RULE(name_prefix),
     .help = "What the name begins with."},
    {.key = "labels", .type = HF_FIELD_MAP, .offset = RULE(labels), .help = "More attributes."},
    {.key = "type",
     .type = HF_FIELD_ENUM,
     .offset = RULE(type),
     .choices = types,
     .default_text = "gauge",
     .help = "gauge, or cumulative: a monotonic sum."},
    HF_FIELDS_END,
};

static const struct hf_field parser_config_fields[] = {
    {.key = "rules",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(rules),
     .inner = rule_fields,
     .inner_size = sizeof(struct carbon_rule_config),
     .help = "The first rule that matches a path counts; without one it is plaintext."},
    {.key = "name_separator",
     .type = HF_FIELD_STRING,
     .offset = AT(separator),
     .default_text = "",
     .help = "Between the parts of a name."},
    HF_FIELDS_END,
};

static const struct hf_field parser_fields[] = {
    {.key = "type",
     .type = HF_FIELD_ENUM,
     .offset = AT(parser),
     .choices = parsers,
     .default_text = "plaintext",
     .help = "plaintext: name;tag=value; regex: by rules."},
    {.key = "config",
     .type = HF_FIELD_STRUCT,
     .inner = parser_config_fields,
     .help = "Of type regex."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .default_text = "localhost:2003",
     .validate = hf_expect_listen,
     .help = "host:port."},
    {.key = "transport",
     .type = HF_FIELD_ENUM,
     .offset = AT(transport),
     .choices = transports,
     .default_text = "tcp",
     .help = "How lines come."},
    {.key = "tcp_idle_timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(idle_ns),
     .default_text = "30s",
     .help = "Connections that are silent for so long are closed; 0: 30s."},
    {.key = "parser",
     .type = HF_FIELD_STRUCT,
     .inner = parser_fields,
     .help = "How a path becomes a name and attributes."},
    {.key = "dialer", .type = HF_FIELD_IGNORED, .help = "Without effect: it listens."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct carbon_config *config = from;
    if (strcmp(transports[config->transport], "udp") == 0) {
        hf_probe_udp(probe, config->endpoint);
    } else {
        hf_probe_listen(probe, config->endpoint);
    }
}

const struct hf_component hf_receiver_carbon = {
    .type = "carbon",
    .help = "Receives metrics in Graphite's plaintext protocol over TCP or UDP. No sender is "
            "answered: over TCP senders wait while the queue is full, over UDP the socket's buffer "
            "holds what comes.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct carbon_config),
    .fields = fields,
    .check = check_carbon,
    .probe = probe_outside,
    .open = open_carbon,
    .start = start_carbon,
    .stop = stop_carbon,
    .close = close_carbon,
};
