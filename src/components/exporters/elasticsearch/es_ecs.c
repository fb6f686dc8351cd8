#include "es_ecs.h"

#include <stdio.h>

#include "bulk/pair.h"
#include "pdata/any.h"

/* A name of the semantic conventions and what the schema calls it; NULL: left out. */
struct conversion {
    const char *from, *to;
    bool keeps_original; /* and gives way to a field of that name */
};

static const struct conversion resource_names[] = {
    {"service.instance.id", "service.node.name", false},
    {"deployment.environment", "service.environment", false},
    {"deployment.environment.name", "service.environment", false},
    {"telemetry.sdk.name", NULL, false},
    {"telemetry.sdk.language", NULL, false},
    {"telemetry.sdk.version", NULL, false},
    {"telemetry.distro.name", NULL, false},
    {"telemetry.distro.version", NULL, false},
    {"cloud.platform", "cloud.service.name", false},
    {"container.image.tags", "container.image.tag", false},
    {"host.name", "host.hostname", true},
    {"host.arch", "host.architecture", false},
    {"process.parent_pid", "process.parent.pid", false},
    {"process.executable.name", "process.title", false},
    {"process.executable.path", "process.executable", false},
    {"process.command_line", "process.args", false},
    {"process.runtime.name", "service.runtime.name", false},
    {"process.runtime.version", "service.runtime.version", false},
    {"os.name", "host.os.name", false},
    {"os.type", "host.os.platform", false},
    {"os.description", "host.os.full", false},
    {"os.version", "host.os.version", false},
    {"client.address", "client.ip", false},
    {"source.address", "source.ip", false},
    {"k8s.deployment.name", "kubernetes.deployment.name", false},
    {"k8s.namespace.name", "kubernetes.namespace", false},
    {"k8s.node.name", "kubernetes.node.name", false},
    {"k8s.pod.name", "kubernetes.pod.name", false},
    {"k8s.pod.uid", "kubernetes.pod.uid", false},
    {"k8s.job.name", "kubernetes.job.name", false},
    {"k8s.cronjob.name", "kubernetes.cronjob.name", false},
    {"k8s.statefulset.name", "kubernetes.statefulset.name", false},
    {"k8s.replicaset.name", "kubernetes.replicaset.name", false},
    {"k8s.daemonset.name", "kubernetes.daemonset.name", false},
    {"k8s.container.name", "kubernetes.container.name", false},
    {"k8s.cluster.name", "orchestrator.cluster.name", false},
    {"faas.instance", "faas.id", false},
    {"faas.trigger", "faas.trigger.type", false},
    {NULL, NULL, false},
};

static const struct conversion log_names[] = {
    {"event.name", "event.action", false},
    {"exception.message", "error.message", false},
    {"exception.stacktrace", "error.stacktrace", false},
    {"exception.type", "error.type", false},
    {"exception.escaped", "event.error.exception.handled", false},
    {"http.response.body.size", "http.response.encoded_body_size", false},
    {NULL, NULL, false},
};

static const struct conversion span_names[] = {
    {"messaging.destination.name", "span.message.queue.name", false},
    {"messaging.operation.name", "span.action", false},
    {"db.system", "span.db.type", false},
    {"db.namespace", "span.db.instance", false},
    {"db.query.text", "span.db.statement", false},
    {"http.response.body.size", "http.response.encoded_body_size", false},
    {NULL, NULL, false},
};

/* Of a transaction only the first name differs. */
static const char transaction_queue[] = "transaction.message.queue.name";

static const struct conversion *find(const struct conversion *names, struct hf_slice key)
{
    for (; names->from != NULL; names++) {
        if (hf_slice_is(key, names->from)) {
            return names;
        }
    }
    return NULL;
}

static void add_converted(struct hf_bulk_fields *fields, const struct conversion *names,
                          struct hf_slice owner, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value, other;
    while (hf_wire_each(&wire, number, &pair)) {
        if (!hf_bulk_pair_read(pair, &key, &value)) {
            continue;
        }
        const struct conversion *name = find(names, key);
        if (name == NULL) {
            hf_bulk_fields_any(fields, key, value);
            continue;
        }
        if (name->to == NULL) {
            continue;
        }
        struct hf_slice to = hf_slice_text(name->to);
        if (!name->keeps_original || !hf_attribute_of(owner, number, to, &other)) {
            hf_bulk_fields_any(fields, to, value);
        }
        if (name->keeps_original) {
            hf_bulk_fields_any(fields, key, value);
        }
    }
}

void es_ecs_resource(struct hf_bulk_fields *fields, struct hf_slice resource)
{
    add_converted(fields, resource_names, resource, HF_BULK_RESOURCE_ATTRIBUTES);
}

void es_ecs_stream(struct hf_bulk_fields *fields, struct hf_slice prefix,
                   const struct es_route *route)
{
    if (!route->is_stream) {
        return;
    }
    const struct {
        const char *key, *value;
    } rows[] = {{"data_stream.type", route->type},
                {"data_stream.dataset", route->dataset},
                {"data_stream.namespace", route->namespace}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hf_bulk_fields_text(fields, hf_bulk_fields_join(fields, prefix, hf_slice_text(rows[i].key)),
                            hf_slice_text(rows[i].value));
    }
}

/* ---- what is made of the resource ---- */

static struct hf_slice text_of(struct hf_slice resource, const char *key)
{
    struct hf_slice value;
    if (!hf_attribute_of(resource, HF_BULK_RESOURCE_ATTRIBUTES, hf_slice_text(key), &value)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

static bool has(struct hf_slice resource, const char *key)
{
    struct hf_slice value;
    return hf_attribute_of(resource, HF_BULK_RESOURCE_ATTRIBUTES, hf_slice_text(key), &value);
}

/* name/language/distribution */
static void add_agent(struct es_context *context)
{
    struct hf_slice resource = context->walk.resource;
    struct hf_slice name = text_of(resource, "telemetry.sdk.name");
    struct hf_slice language = text_of(resource, "telemetry.sdk.language");
    struct hf_slice distro = text_of(resource, "telemetry.distro.name");
    const char *otherwise = has(resource, "telemetry.sdk.name") ? "" : "otlp";
    char text[512];
    int size =
        snprintf(text, sizeof(text), "%.*s%s", (int)name.size,
                 name.size != 0 ? (const char *)name.data : "", name.size != 0 ? "" : otherwise);
    if (language.size != 0 || distro.size != 0) {
        size += snprintf(text + size, size < 400 ? sizeof(text) - (size_t)size : 0, "/%.*s",
                         language.size != 0 ? (int)language.size : 7,
                         language.size != 0 ? (const char *)language.data : "unknown");
    }
    if (distro.size != 0) {
        size += snprintf(text + size, size < 400 ? sizeof(text) - (size_t)size : 0, "/%.*s",
                         (int)distro.size, (const char *)distro.data);
    }
    size_t used = (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;
    uint8_t *kept = hf_arena_take(context->base.arena, used + 1);
    if (kept == NULL) {
        context->base.failed = true;
        return;
    }
    memcpy(kept, text, used);
    hf_bulk_fields_text(&context->base, hf_slice_text("agent.name"), hf_slice_of(kept, used));
    const char *version = has(resource, "telemetry.distro.version") ? "telemetry.distro.version"
                                                                    : "telemetry.sdk.version";
    hf_bulk_fields_text(&context->base, hf_slice_text("agent.version"), text_of(resource, version));
}

/* The words that the schema has for kinds of systems. */
static void add_system(struct es_context *context)
{
    static const struct {
        const char *key, *from, *to;
    } rows[] = {
        {"os.type", "windows", "windows"}, {"os.type", "linux", "linux"},
        {"os.type", "darwin", "macos"},    {"os.type", "aix", "unix"},
        {"os.type", "hpux", "unix"},       {"os.type", "solaris", "unix"},
        {"os.name", "Android", "android"}, {"os.name", "iOS", "ios"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_slice_is(text_of(context->walk.resource, rows[i].key), rows[i].from)) {
            hf_bulk_fields_text(&context->base, hf_slice_text("host.os.type"),
                                hf_slice_text(rows[i].to));
        }
    }
}

void es_ecs_begin_group(struct es_context *context)
{
    context->base.count = 0;
    es_ecs_resource(&context->base, context->walk.resource);
    hf_bulk_fields_attributes(&context->base, HF_EMPTY_SLICE, context->walk.scope,
                              HF_BULK_SCOPE_ATTRIBUTES);
    if (context->signal == HF_LOGS) {
        add_agent(context);
    }
    add_system(context);
}

/* ---- documents ---- */

static bool begin(struct es_context *context, struct hf_slice item, uint32_t number)
{
    struct es_special special = es_special_read(item, number);
    if (!es_context_route(context, context->signal, &special, &context->route)) {
        return false;
    }
    es_context_begin(context, &context->route, &special, 0);
    hf_arena_rewind(&context->work_arena, (size_t)1 << 20);
    hf_bulk_fields_copy(&context->work, &context->base);
    return true;
}

static void end(struct es_context *context)
{
    hf_bulk_fields_write(&context->work, true, &context->bulk->writer);
    hf_bulk_end_document(context->bulk);
}

void es_ecs_log(struct es_context *context, struct hf_slice record)
{
    struct hf_bulk_fields *fields = &context->work;
    if (!begin(context, record, HF_BULK_LOG_ATTRIBUTES)) {
        return;
    }
    struct hf_bulk_log log = hf_bulk_log_read(record);
    add_converted(fields, log_names, record, HF_BULK_LOG_ATTRIBUTES);
    es_ecs_stream(fields, HF_EMPTY_SLICE, &context->route);
    hf_bulk_fields_time(fields, hf_slice_text("@timestamp"),
                        log.time_ns != 0 ? log.time_ns : log.observed_ns);
    hf_bulk_fields_id(fields, "trace.id", log.trace_id);
    hf_bulk_fields_id(fields, "span.id", log.span_id);
    if (log.severity != 0) {
        hf_bulk_fields_int(fields, "event.severity", (int64_t)log.severity);
    }
    hf_bulk_fields_text(fields, hf_slice_text("log.level"), log.severity_text);
    if (hf_any_read(log.body).type == HF_ANY_STRING) {
        hf_bulk_fields_any(fields, hf_slice_text("message"), log.body);
    }
    end(context);
}

/* [{"trace": {"id": …}, "span": {"id": …}}] */
static void add_links(struct es_context *context, struct hf_slice span)
{
    struct hf_json_writer writer = {.out = &context->text};
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes;
    bool is_any = false;
    context->text.size = 0;
    hf_json_write_open(&writer, '[');
    while (hf_wire_each(&wire, HF_BULK_SPAN_LINKS, &bytes)) {
        struct hf_bulk_link link = hf_bulk_link_read(bytes);
        struct hf_bulk_fields fields = {.arena = context->work.arena};
        hf_bulk_fields_id(&fields, "trace.id", link.trace_id);
        hf_bulk_fields_id(&fields, "span.id", link.span_id);
        hf_bulk_fields_write(&fields, true, &writer);
        hf_bulk_fields_release(&fields);
        is_any = true;
    }
    hf_json_write_close(&writer, ']');
    context->work.failed |= writer.failed;
    if (is_any) {
        hf_bulk_fields_made(&context->work, hf_slice_text("span.links"),
                            hf_slice_of(context->text.data, context->text.size));
    }
}

static void add_span_attributes(struct es_context *context, struct hf_slice span)
{
    struct hf_slice value;
    size_t before = context->work.count;
    bool is_transaction =
        hf_attribute_of(span, HF_BULK_SPAN_ATTRIBUTES, hf_slice_text("processor.event"), &value) &&
        hf_slice_is(hf_any_read(value).bytes, "transaction");
    add_converted(&context->work, span_names, span, HF_BULK_SPAN_ATTRIBUTES);
    for (size_t i = before; is_transaction && i < context->work.count; i++) {
        if (hf_slice_is(context->work.items[i].key, span_names[0].to)) {
            context->work.items[i].key = hf_slice_text(transaction_queue);
        }
    }
}

void es_ecs_span(struct es_context *context, struct hf_slice bytes)
{
    static const char *const kinds[] = {"", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
    static const char *const outcomes[] = {"", "success", "failure"};
    struct hf_bulk_fields *fields = &context->work;
    if (!begin(context, bytes, HF_BULK_SPAN_ATTRIBUTES)) {
        return;
    }
    struct hf_bulk_span span = hf_bulk_span_read(bytes);
    add_span_attributes(context, bytes);
    es_ecs_stream(fields, HF_EMPTY_SLICE, &context->route);
    hf_bulk_fields_time(fields, hf_slice_text("@timestamp"), span.start_ns);
    hf_bulk_fields_id(fields, "trace.id", span.trace_id);
    hf_bulk_fields_id(fields, "span.id", span.span_id);
    hf_bulk_fields_text(fields, hf_slice_text("span.name"), span.name);
    hf_bulk_fields_id(fields, "parent.id", span.parent_id);
    if (span.status < sizeof(outcomes) / sizeof(outcomes[0])) {
        hf_bulk_fields_text(fields, hf_slice_text("event.outcome"),
                            hf_slice_text(outcomes[span.status]));
    }
    add_links(context, bytes);
    if (span.kind < sizeof(kinds) / sizeof(kinds[0])) {
        hf_bulk_fields_text(fields, hf_slice_text("span.kind"), hf_slice_text(kinds[span.kind]));
    }
    end(context);
}
