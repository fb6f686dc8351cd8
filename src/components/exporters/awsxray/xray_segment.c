#include "xray_segment.h"

#include <stdio.h>
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/json_value.h"
#include "util/hex.h"

#define NAME_BYTES_MAX 200u
#define TRACE_AGE_MAX_S (28 * 24 * 3600)
#define TRACE_AHEAD_MAX_S 300
#define TRACE_ID_BYTES 16u
#define SPAN_ID_BYTES 8u
#define TRACE_TEXT_SIZE 35u /* "1-58406520-a006649127e371903a2de979" */

static const char bad_trace_id[] = "the span has no trace id of 16 bytes";
static const char bad_span_id[] = "the span has no id of 8 bytes";
static const char old_trace_id[] =
    "the trace id does not begin with the time of the last 28 days, as X-Ray wanted it; see "
    "skip_timestamp_validation";

/* ---- ids ---- */

static const char *trace_id(const struct xray_maker *maker, struct hf_slice id,
                            char ret_text[TRACE_TEXT_SIZE + 1])
{
    char hex[2 * TRACE_ID_BYTES];
    if (id.size != TRACE_ID_BYTES) {
        return bad_trace_id;
    }
    int64_t epoch = (int64_t)id.data[0] << 24 | id.data[1] << 16 | id.data[2] << 8 | id.data[3];
    int64_t age = (int64_t)maker->now_s - epoch;
    if (!maker->config->skip_validation && (age > TRACE_AGE_MAX_S || age < -TRACE_AHEAD_MAX_S)) {
        return old_trace_id;
    }
    hf_hex_write(id, hex);
    snprintf(ret_text, TRACE_TEXT_SIZE + 1, "1-%.8s-%.24s", hex, hex + 8);
    return NULL;
}

static void print_id(struct hf_slice id, char ret_text[XRAY_ID_SIZE + 1])
{
    ret_text[0] = '\0';
    if (id.size == SPAN_ID_BYTES && hf_bulk_has_id(id)) {
        ret_text[hf_hex_write(id, ret_text)] = '\0';
    }
}

/* ---- the name ---- */

static struct hf_slice without_prefix(const struct xray_span *span, struct hf_slice name)
{
    static const char *const prefixes[] = {"AWS.SDK.", "AWS::"};
    for (size_t i = 0; xray_is_aws_sdk(span) && i < 2; i++) {
        size_t size = strlen(prefixes[i]);
        if (name.size >= size && memcmp(name.data, prefixes[i], size) == 0) {
            return hf_slice_of(name.data + size, name.size - size);
        }
    }
    return name;
}

/* The host of a URL; empty: it is none. */
static struct hf_slice host_of(struct hf_slice url)
{
    static const char jdbc[] = "jdbc:";
    if (url.size >= 5 && memcmp(url.data, jdbc, 5) == 0) {
        url = hf_slice_of(url.data + 5, url.size - 5);
    }
    const uint8_t *at = url.size != 0 ? memmem(url.data, url.size, "://", 3) : NULL;
    if (at == NULL) {
        return HF_EMPTY_SLICE;
    }
    struct hf_slice host = hf_slice_of(at + 3, url.size - (size_t)(at + 3 - url.data));
    size_t size = 0;
    while (size < host.size && strchr("/?#", host.data[size]) == NULL) {
        size++;
    }
    host.size = size;
    const uint8_t *user = size != 0 ? memrchr(host.data, '@', size) : NULL;
    if (user != NULL) {
        host = hf_slice_of(user + 1, size - (size_t)(user + 1 - host.data));
    }
    const uint8_t *end = host.size != 0 && host.data[0] == '[' ? memchr(host.data, ']', host.size)
                                                               : memrchr(host.data, ':', host.size);
    if (end != NULL && host.data[0] == '[') {
        return hf_slice_of(host.data + 1, (size_t)(end - host.data) - 1);
    }
    return end != NULL ? hf_slice_of(host.data, (size_t)(end - host.data)) : host;
}

/* NAME@HOST of a database. Without data: no memory. */
static struct hf_slice database_name(struct xray_maker *maker, const struct xray_span *span,
                                     struct hf_slice name)
{
    struct hf_slice host = host_of(xray_text(span, "db.connection_string"));
    if (host.size == 0 || name.data == NULL) {
        return name;
    }
    char *made = hf_arena_take(maker->arena, name.size + host.size + 2);
    if (made == NULL) {
        return HF_EMPTY_SLICE;
    }
    snprintf(made, name.size + host.size + 2, "%.*s@%.*s", (int)name.size, (const char *)name.data,
             (int)host.size, (const char *)host.data);
    return hf_slice_of(made, name.size + 1 + host.size);
}

/* The span's name without the characters that may not be. Without data: no memory. */
static struct hf_slice own_name(struct xray_maker *maker, struct hf_slice name)
{
    char *made = hf_arena_take(maker->arena, name.size + 1);
    struct hf_regex_range range;
    size_t size = 0, at = 0;
    if (made == NULL) {
        return HF_EMPTY_SLICE;
    }
    while (at < name.size && hf_regex_find_range(maker->unfit, name, at, &range) == HF_OK) {
        memcpy(made + size, name.data + at, range.start - at);
        size += range.start - at;
        at = range.end > range.start ? range.end : range.end + 1;
    }
    if (at < name.size) {
        memcpy(made + size, name.data + at, name.size - at);
        size += name.size - at;
    }
    if (size > NAME_BYTES_MAX) {
        size = NAME_BYTES_MAX;
        while (size > 0 && ((uint8_t)made[size] & 0xc0) == 0x80) {
            size--; /* not in the middle of a character */
        }
    }
    return size != 0 ? hf_slice_of(made, size) : hf_slice_text("span");
}

/* The service, as X-Ray names segments. */
static struct hf_slice service_name(const struct xray_span *span)
{
    uint32_t kind = span->span.kind;
    bool is_marked = hf_slice_is(xray_text(span, "aws.span.kind"), "LOCAL_ROOT");
    struct hf_slice name = HF_EMPTY_SLICE;
    if (kind == XRAY_SERVER || (kind == XRAY_INTERNAL && is_marked)) {
        name = xray_text(span, "aws.local.service");
    }
    if ((kind == XRAY_CLIENT || kind == XRAY_PRODUCER || kind == XRAY_CONSUMER) &&
        span->role != XRAY_SERVICE) {
        name = without_prefix(span, xray_text(span, "aws.remote.service"));
    }
    return name.size != 0 ? name : xray_text(span, "peer.service");
}

static struct hf_slice segment_name(struct xray_maker *maker, const struct xray_span *span)
{
    struct hf_slice name = service_name(span);
    if (span->role == XRAY_SERVICE && xray_find(span, "aws.local.service") != NULL) {
        return xray_text(span, "aws.local.service");
    }
    if (span->role == XRAY_SERVICE && xray_resource_text(span, "service.name").data != NULL) {
        return xray_resource_text(span, "service.name");
    }
    if (span->role == XRAY_DEPENDENCY && xray_find(span, "aws.remote.service") != NULL) {
        return without_prefix(span, xray_text(span, "aws.remote.service"));
    }
    name = name.size != 0 ? name : xray_text(span, "aws.service");
    name = name.size != 0 ? name : database_name(maker, span, xray_text(span, "db.name"));
    if (name.size == 0 && span->span.kind == XRAY_SERVER) {
        name = xray_resource_text(span, "service.name");
    }
    name = name.size != 0 ? name : xray_text(span, "rpc.service");
    name = name.size != 0 ? name : xray_text(span, "http.host");
    name = name.size != 0 ? name : xray_text(span, "net.peer.name");
    return name.size != 0 ? name : own_name(maker, span->span.name);
}

/* ---- kinds ---- */

/* The work of a service by itself, not a part of what the service does. */
static bool is_local_root(const struct xray_span *span)
{
    return span->span.kind == XRAY_SERVER || span->span.kind == XRAY_CONSUMER ||
           span->parent[0] == '\0';
}

static bool is_subsegment(const struct xray_span *span)
{
    return span->role == XRAY_DEPENDENCY || (span->role == XRAY_PLAIN && !is_local_root(span));
}

static const char *namespace_of(const struct xray_span *span)
{
    uint32_t kind = span->span.kind;
    bool is_call = kind == XRAY_CLIENT || kind == XRAY_CONSUMER || kind == XRAY_PRODUCER;
    if (span->role == XRAY_SERVICE || span->role == XRAY_LOCAL_ROOT) {
        return NULL;
    }
    bool has_name = service_name(span).size != 0;
    if (xray_is_aws_sdk(span) || (!has_name && xray_find(span, "aws.service") != NULL)) {
        return "aws";
    }
    bool is_remote =
        kind == XRAY_CLIENT || kind == XRAY_PRODUCER || span->role == XRAY_DEPENDENCY ||
        (is_call && is_subsegment(span) && xray_find(span, "aws.remote.service") != NULL);
    return is_remote ? "remote" : NULL;
}

static const char *origin_of(const struct xray_span *span)
{
    struct hf_slice provider = xray_resource_text(span, "cloud.provider");
    struct hf_slice platform = xray_resource_text(span, "cloud.platform");
    struct hf_slice launch = xray_resource_text(span, "aws.ecs.launchtype");
    static const char *const origins[][2] = {
        {"aws_app_runner", "AWS::AppRunner::Service"},
        {"aws_eks", "AWS::EKS::Container"},
        {"aws_elastic_beanstalk", "AWS::ElasticBeanstalk::Environment"},
        {"aws_ec2", "AWS::EC2::Instance"},
    };
    if (provider.data != NULL && !hf_slice_is(provider, "aws")) {
        return "";
    }
    if (hf_slice_is(platform, "aws_ecs")) {
        return hf_slice_is(launch, "ec2")       ? "AWS::ECS::EC2"
               : hf_slice_is(launch, "fargate") ? "AWS::ECS::Fargate"
                                                : "AWS::ECS::Container";
    }
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        if (hf_slice_is(platform, origins[i][0])) {
            return origins[i][1];
        }
    }
    return "";
}

/* ---- the document ---- */

static void put_service(const struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_slice version = xray_resource_text(span, "service.version");
    version = version.data != NULL ? version : xray_resource_text(span, "container.image.tag");
    if (version.data == NULL) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "service");
    hf_json_write_open(writer, '{');
    xray_put_text(writer, "version", version);
    hf_json_write_close(writer, '}');
}

/* Why a link has no form there; NULL: all have. */
static const char *put_links(const struct xray_maker *maker, const struct xray_span *span,
                             struct hf_json_writer *writer)
{
    bool is_consumer = span->span.kind == XRAY_CONSUMER;
    bool is_left_out = (span->role == XRAY_DEPENDENCY && is_consumer) ||
                       (span->role == XRAY_SERVICE && !is_consumer);
    struct hf_wire wire = hf_wire_of(span->bytes);
    struct hf_slice bytes;
    bool is_open = false;
    while (hf_wire_each(&wire, HF_BULK_SPAN_LINKS, &bytes)) {
        struct hf_bulk_link link = hf_bulk_link_read(bytes);
        char trace[TRACE_TEXT_SIZE + 1], id[XRAY_ID_SIZE + 1];
        const char *why = trace_id(maker, link.trace_id, trace);
        if (why != NULL) {
            return why;
        }
        if (is_left_out) {
            continue;
        }
        if (!is_open) {
            HF_JSON_WRITE_KEY(writer, "links");
            hf_json_write_open(writer, '[');
            is_open = true;
        }
        print_id(link.span_id, id);
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "trace_id");
        hf_json_write_text(writer, hf_slice_text(trace));
        HF_JSON_WRITE_KEY(writer, "id");
        hf_json_write_text(writer, hf_slice_text(id));
        hf_bulk_pair_write_map(writer, "attributes", bytes, HF_BULK_LINK_ATTRIBUTES);
        hf_json_write_close(writer, '}');
    }
    if (is_open) {
        hf_json_write_close(writer, ']');
    }
    return NULL;
}

/* An attribute says of a span that it goes on. */
static void put_end(struct xray_span *span, struct hf_json_writer *writer)
{
    struct xray_attribute *found = xray_find(span, "aws.xray.inprogress");
    struct hf_any value = found != NULL ? hf_any_read(found->value) : (struct hf_any){0};
    if (value.type == HF_ANY_BOOL) {
        found->is_taken = true;
    }
    if (value.type == HF_ANY_BOOL && value.integer != 0) {
        xray_put_bool(writer, "in_progress", true);
    } else {
        xray_put_number(writer, "end_time", (double)span->span.end_ns / 1e9);
    }
}

static const char *write_document(struct xray_maker *maker, struct xray_span *span)
{
    struct hf_json_writer writer = {.out = &maker->text};
    char trace[TRACE_TEXT_SIZE + 1];
    const char *why = trace_id(maker, span->span.trace_id, trace);
    if (why != NULL) {
        return why;
    }
    const char *namespace = namespace_of(span);
    maker->text.size = 0;
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "name");
    hf_json_write_text(&writer, segment_name(maker, span));
    xray_put_text(&writer, "id", hf_slice_text(span->id));
    xray_put_number(&writer, "start_time", (double)span->span.start_ns / 1e9);
    put_service(span, &writer);
    xray_put_text(&writer, "origin", hf_slice_text(origin_of(span)));
    why = put_links(maker, span, &writer);
    xray_put_text(&writer, "trace_id", hf_slice_text(trace));
    put_end(span, &writer);
    xray_put_http(span, &writer);
    xray_put_cause(span, &writer);
    xray_put_aws(span, &writer);
    xray_put_sql(span, &writer);
    xray_put_attributes(span, &writer, is_local_root(span)); /* they tell the resource */
    xray_put_text(&writer, "namespace", hf_slice_text(namespace != NULL ? namespace : ""));
    xray_put_text(&writer, "parent_id", hf_slice_text(span->parent));
    xray_put_text(&writer, "type", hf_slice_text(is_subsegment(span) ? "subsegment" : ""));
    hf_json_write_close(&writer, '}');
    maker->text.size = writer.failed ? 0 : maker->text.size;
    return why;
}

/* ---- roles ---- */

static void take_from_service(struct xray_span *span)
{
    static const char *const keys[] = {"aws.remote.service", "aws.remote.operation", "remoteTarget",
                                       "K8s.RemoteNamespace"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct xray_attribute *found = xray_find(span, keys[i]);
        if (found != NULL) { /* as if it were not there */
            found->key = HF_EMPTY_SLICE;
            found->is_taken = true;
        }
    }
}

static enum hf_status make_one(struct xray_maker *maker, struct xray_span *span,
                               enum xray_role role, struct xray_document *ret_document,
                               const char **ret_why)
{
    span->role = role;
    span->made_ids = 1;
    print_id(span->span.span_id, span->id);
    print_id(span->span.parent_id, span->parent);
    enum hf_status status = xray_span_read(span);
    if (status != HF_OK) {
        return status;
    }
    if (role == XRAY_DEPENDENCY) {
        memcpy(span->parent, span->service_id, sizeof(span->parent));
    } else if (role == XRAY_SERVICE) {
        memcpy(span->id, span->service_id, sizeof(span->id));
        take_from_service(span);
    }
    *ret_why = span->id[0] == '\0' ? bad_span_id : write_document(maker, span);
    if (*ret_why != NULL) {
        return HF_INVALID;
    }
    uint8_t *kept = hf_arena_take(maker->arena, maker->text.size + 1);
    if (kept == NULL || maker->text.size == 0) {
        return HF_NOMEM;
    }
    memcpy(kept, maker->text.data, maker->text.size);
    ret_document->text = hf_slice_of(kept, maker->text.size);
    memcpy(ret_document->id, span->id, sizeof(ret_document->id));
    return HF_OK;
}

enum hf_status xray_segment_make(struct xray_maker *maker, struct hf_slice bytes,
                                 struct hf_slice resource,
                                 struct xray_document ret_documents[XRAY_DOCUMENTS_MAX],
                                 size_t *ret_count, const char **ret_why)
{
    struct xray_span span = {.config = maker->config,
                             .arena = maker->arena,
                             .bytes = bytes,
                             .resource = resource,
                             .span = hf_bulk_span_read(bytes)};
    struct hf_slice kind;
    bool is_root = hf_bulk_pair_find(bytes, HF_BULK_SPAN_ATTRIBUTES, "aws.span.kind", &kind) &&
                   hf_slice_is(xray_string(kind), "LOCAL_ROOT");
    bool calls = span.span.kind != XRAY_SERVER && span.span.kind != XRAY_INTERNAL;
    *ret_count = 1;
    if (!is_root || !calls) {
        return make_one(maker, &span, is_root ? XRAY_LOCAL_ROOT : XRAY_PLAIN, &ret_documents[0],
                        ret_why);
    }
    xray_make_id(&span, span.service_id);
    enum hf_status status = make_one(maker, &span, XRAY_DEPENDENCY, &ret_documents[0], ret_why);
    if (status == HF_OK) {
        *ret_count = 2;
        status = make_one(maker, &span, XRAY_SERVICE, &ret_documents[1], ret_why);
    }
    return status;
}
