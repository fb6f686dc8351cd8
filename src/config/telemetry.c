/*
 * telemetry: reads service::telemetry.
 */
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "check.h"
#include "telemetry_push.h"

/* service.telemetry, as a table like any component's. */
struct prometheus_body {
    const char *host;
    int64_t port;
    bool without_type_suffix, without_units, without_scope_info;
    struct {
        struct hf_string_list included, excluded;
    } constant_labels;
};

struct pull_exporter_body {
    const struct prometheus_body *prometheus;
};

struct pull_body {
    struct pull_exporter_body exporter;
};

struct reader_body {
    const struct pull_body *pull;
    const struct hf_push_periodic_body *periodic;
};

struct telemetry_body {
    struct {
        int64_t level, encoding;
        bool encoding_written;
        struct hf_string_list output_paths;
        struct hf_string_map initial_fields;
        struct hf_struct_list processors;
    } logs;
    struct {
        int64_t level;
        const char *address;
        bool readers_written;
        struct hf_struct_list readers;
    } metrics;
    struct {
        int64_t level;
        struct hf_struct_list processors;
    } traces;
    struct hf_value resource;
};

#define BODY(member) offsetof(struct telemetry_body, member)
#define PROMETHEUS(member) offsetof(struct prometheus_body, member)
#define IGNORED(name, why)                                                                         \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }

/* The offsets of the inner tables count from the inner struct. */
#define LOGS(member) (BODY(logs.member) - BODY(logs))
#define METRICS(member) (BODY(metrics.member) - BODY(metrics))
#define TRACES(member) (BODY(traces.member) - BODY(traces))
#define LABELS(member) (PROMETHEUS(constant_labels.member) - PROMETHEUS(constant_labels))

static const char *const log_levels[] = {"debug",  "info",  "warn",  "error",
                                         "dpanic", "panic", "fatal", NULL};
static const char *const encodings[] = {"console", "json", NULL};
static const char *const metric_levels[] = {"none", "basic", "normal", "detailed", NULL};

static const struct hf_field label_fields[] = {
    {.key = "included", .type = HF_FIELD_STRING_LIST, .offset = LABELS(included)},
    {.key = "excluded", .type = HF_FIELD_STRING_LIST, .offset = LABELS(excluded)},
    HF_FIELDS_END,
};

static const struct hf_field prometheus_fields[] = {
    {.key = "host",
     .type = HF_FIELD_STRING,
     .offset = PROMETHEUS(host),
     .default_text = "localhost"},
    {.key = "port",
     .type = HF_FIELD_INT,
     .offset = PROMETHEUS(port),
     .default_text = "8888",
     .min = 0,
     .max = 65535},
    {.key = "without_type_suffix",
     .type = HF_FIELD_BOOL,
     .offset = PROMETHEUS(without_type_suffix)},
    {.key = "without_units", .type = HF_FIELD_BOOL, .offset = PROMETHEUS(without_units)},
    {.key = "without_scope_info", .type = HF_FIELD_BOOL, .offset = PROMETHEUS(without_scope_info)},
    {.key = "with_resource_constant_labels",
     .type = HF_FIELD_STRUCT,
     .offset = PROMETHEUS(constant_labels),
     .inner = label_fields},
    IGNORED("translation_strategy", "has no effect; the suffix keys decide the names"),
    HF_FIELDS_END,
};

static const struct hf_field pull_exporter_fields[] = {
    {.key = "prometheus",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct pull_exporter_body, prometheus),
     .inner = prometheus_fields,
     .inner_size = sizeof(struct prometheus_body)},
    HF_FIELDS_END,
};

static const struct hf_field pull_fields[] = {
    {.key = "exporter",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct pull_body, exporter),
     .inner = pull_exporter_fields},
    IGNORED("producers", "has no effect"),
    IGNORED("cardinality_limits", "has no effect"),
    HF_FIELDS_END,
};

static const struct hf_field reader_fields[] = {
    {.key = "pull",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct reader_body, pull),
     .inner = pull_fields,
     .inner_size = sizeof(struct pull_body)},
    {.key = "periodic",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct reader_body, periodic),
     .inner = hf_push_periodic_fields,
     .inner_size = sizeof(struct hf_push_periodic_body)},
    HF_FIELDS_END,
};

static const struct hf_field log_fields[] = {
    {.key = "level",
     .type = HF_FIELD_ENUM,
     .offset = LOGS(level),
     .default_text = "info",
     .choices = log_levels},
    {.key = "encoding",
     .type = HF_FIELD_ENUM,
     .offset = LOGS(encoding),
     .choices = encodings,
     .present_offset = LOGS(encoding_written)},
    {.key = "output_paths",
     .type = HF_FIELD_STRING_LIST,
     .offset = LOGS(output_paths),
     .default_text = "[stderr]"},
    {.key = "initial_fields", .type = HF_FIELD_MAP, .offset = LOGS(initial_fields)},
    IGNORED("error_output_paths", "has no effect: errors go where the other lines go"),
    IGNORED("development", "has no effect"),
    IGNORED("disable_caller", "has no effect: lines name their component, not their caller"),
    IGNORED("disable_stacktrace", "has no effect: there are no stack traces"),
    IGNORED("sampling", "has no effect: repeated lines are held back by a fixed rule"),
    {.key = "processors",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = LOGS(processors),
     .inner = hf_push_processor_fields,
     .inner_size = sizeof(struct hf_push_processor_body)},
    HF_FIELDS_END,
};

static const struct hf_field metric_fields[] = {
    {.key = "level",
     .type = HF_FIELD_ENUM,
     .offset = METRICS(level),
     .default_text = "normal",
     .choices = metric_levels},
    {.key = "address", .type = HF_FIELD_STRING, .offset = METRICS(address)},
    {.key = "readers",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = METRICS(readers),
     .inner = reader_fields,
     .inner_size = sizeof(struct reader_body),
     .present_offset = METRICS(readers_written)},
    IGNORED("views", "has no effect"),
    HF_FIELDS_END,
};

static const char *const trace_levels[] = {"none", "basic", "normal", "detailed", NULL};

static const struct hf_field trace_fields[] = {
    {.key = "level",
     .type = HF_FIELD_ENUM,
     .offset = TRACES(level),
     .default_text = "normal",
     .choices = trace_levels},
    {.key = "processors",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = TRACES(processors),
     .inner = hf_push_processor_fields,
     .inner_size = sizeof(struct hf_push_processor_body)},
    IGNORED("propagators", "has no effect: own spans begin traces of their own"),
    IGNORED("sampler", "has no effect: every own span is sent"),
    IGNORED("limits", "has no effect"),
    HF_FIELDS_END,
};

static const struct hf_field telemetry_fields[] = {
    {.key = "logs", .type = HF_FIELD_STRUCT, .offset = BODY(logs), .inner = log_fields},
    {.key = "metrics", .type = HF_FIELD_STRUCT, .offset = BODY(metrics), .inner = metric_fields},
    {.key = "resource", .type = HF_FIELD_VALUE, .offset = BODY(resource)},
    {.key = "traces", .type = HF_FIELD_STRUCT, .offset = BODY(traces), .inner = trace_fields},
    HF_FIELDS_END,
};

const struct hf_field *hf_telemetry_fields(void)
{
    return telemetry_fields;
}

/* host:port with the host spelled out: nothing before the colon means all interfaces. */
static const char *address_of(struct hf_build *build, const char *address,
                              const struct hf_yaml *node)
{
    struct hf_key_path root = {.key = "service::telemetry"},
                       metrics = {.up = &root, .key = "metrics"},
                       path = {.up = &metrics, .key = "address"};
    const char *colon = strrchr(address, ':');
    const char *port = colon == NULL ? "" : colon + 1;
    size_t digits = strspn(port, "0123456789");

    if (digits == 0 || digits > 5 || port[digits] != '\0' || strtol(port, NULL, 10) > 65535) {
        hf_load_error(build->load, node->place, &path, "expected host:port, got %s",
                      hf_show(address).text);
        return NULL;
    }
    return colon == address ? hf_config_format(build->load->memory, "0.0.0.0%s", address) : address;
}

/* The first Prometheus reader; NULL: none. */
static const struct prometheus_body *first_reader(struct hf_build *build,
                                                  const struct telemetry_body *body,
                                                  const struct hf_yaml *readers)
{
    struct hf_key_path root = {.key = "service::telemetry"},
                       metrics = {.up = &root, .key = "metrics"},
                       list = {.up = &metrics, .key = "readers"};
    const struct reader_body *items = body->metrics.readers.items;
    const struct prometheus_body *found = NULL;

    for (size_t i = 0; i < body->metrics.readers.count; i++) {
        struct hf_key_path path = {.up = &list, .index = i};
        const struct pull_body *pull = items[i].pull;
        if (pull == NULL || pull->exporter.prometheus == NULL) {
            continue;
        }
        if (found != NULL) {
            hf_load_warn(build->load, readers->items[i]->place, &path,
                         "has no effect: the first Prometheus reader is served");
        } else {
            found = pull->exporter.prometheus;
        }
    }
    return found;
}

static void set_endpoint(struct hf_build *build, const struct telemetry_body *body,
                         const struct hf_yaml *metrics)
{
    struct hf_telemetry_config *telemetry = &build->config->telemetry;
    const struct prometheus_body *reader =
        first_reader(build, body, hf_yaml_value(metrics, "readers"));

    telemetry->constant_labels = true; /* as 0.91 had them, on every series */
    if (reader != NULL) {
        const char *host =
            reader->host == NULL || reader->host[0] == '\0' ? "0.0.0.0" : reader->host;
        bool bare = host[0] != '[' && strchr(host, ':') != NULL; /* an IPv6 address */
        telemetry->metrics_address =
            hf_config_format(build->load->memory, "%s%s%s:%lld", bare ? "[" : "", host,
                             bare ? "]" : "", (long long)reader->port);
        telemetry->type_suffix = !reader->without_type_suffix;
        telemetry->unit_suffix = !reader->without_units;
        telemetry->constant_labels = reader->constant_labels.included.count > 0;
    } else if (body->metrics.address != NULL && body->metrics.address[0] != '\0') {
        telemetry->metrics_address =
            address_of(build, body->metrics.address, hf_yaml_value(metrics, "address"));
    } else if (!body->metrics.readers_written) {
        telemetry->metrics_address = "0.0.0.0:8888";
    }
    if (body->metrics.level == 0) {
        telemetry->metrics_address = NULL;
    }
}

/* What each item of the list asks for. */
static struct hf_push_list pushes_of(struct hf_build *build, const struct hf_key_path *path,
                                     const struct hf_yaml *node, struct hf_struct_list list,
                                     bool is_reader)
{
    const struct hf_push_config **items =
        hf_config_array(build->load->memory, list.count, sizeof(*items));
    struct hf_push_list pushes = {items, 0};
    for (size_t i = 0; items != NULL && i < list.count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        struct hf_yaml_place place = node->items[i]->place;
        const struct reader_body *readers = list.items;
        const struct hf_push_processor_body *processors = list.items;
        const struct hf_push_config *push = NULL;
        if (!is_reader) {
            push = hf_push_of_processor(build, place, &step, &processors[i]);
        } else if (readers[i].periodic != NULL) {
            push = hf_push_of_periodic(build, place, &step, readers[i].periodic);
        }
        if (push != NULL) {
            items[pushes.count++] = push;
        }
    }
    return pushes;
}

static void set_pushes(struct hf_build *build, const struct hf_yaml *node,
                       const struct telemetry_body *body)
{
    struct hf_telemetry_config *telemetry = &build->config->telemetry;
    struct hf_key_path root = {.key = "service::telemetry"},
                       metrics = {.up = &root, .key = "metrics"},
                       readers = {.up = &metrics, .key = "readers"},
                       logs = {.up = &root, .key = "logs"},
                       log_list = {.up = &logs, .key = "processors"},
                       traces = {.up = &root, .key = "traces"},
                       trace_list = {.up = &traces, .key = "processors"};
    if (body->metrics.level != 0) {
        telemetry->metrics_push =
            pushes_of(build, &readers, hf_yaml_value(hf_yaml_value(node, "metrics"), "readers"),
                      body->metrics.readers, true);
    }
    telemetry->logs_push =
        pushes_of(build, &log_list, hf_yaml_value(hf_yaml_value(node, "logs"), "processors"),
                  body->logs.processors, false);
    if (body->traces.level != 0) {
        telemetry->traces_push = pushes_of(
            build, &trace_list, hf_yaml_value(hf_yaml_value(node, "traces"), "processors"),
            body->traces.processors, false);
    }
}

void hf_check_telemetry(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_yaml *node)
{
    struct hf_key_path path = {.key = "service::telemetry"};
    struct hf_telemetry_config *telemetry = &build->config->telemetry;
    struct telemetry_body body = {0};

    hf_bind(build->load, &path, place, node, (struct hf_bind_target){telemetry_fields, &body});
    telemetry->log_level =
        body.logs.level >= HF_TELEMETRY_ERROR ? HF_TELEMETRY_ERROR : (unsigned)body.logs.level;
    telemetry->log_encoding = body.logs.encoding_written ? encodings[body.logs.encoding] : NULL;
    telemetry->log_output_paths = body.logs.output_paths;
    telemetry->initial_fields = body.logs.initial_fields;
    telemetry->resource = hf_check_resource(build->load, hf_yaml_value(node, "resource"));
    telemetry->metrics_level = metric_levels[body.metrics.level];
    set_endpoint(build, &body, hf_yaml_value(node, "metrics"));
    set_pushes(build, node, &body);
}
