#include "xray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any_make.h"
#include "pdata/json_value.h"
#include "pdata/json_write.h"
#include "util/hex.h"
#include "json/json.h"

#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define TRACE_ID_BYTES 16u
#define SPAN_ID_BYTES 8u
#define TRACE_TEXT_SIZE 35u /* "1-58406520-a006649127e371903a2de979" */
#define KIND_INTERNAL 1u
#define KIND_SERVER 2u
#define KIND_CLIENT 3u
#define STATUS_ERROR 2u

/* What a span and those inside of it have in common. */
struct reading {
    struct hf_arena *arena;
    struct hf_builder *builder;
    uint8_t trace_id[TRACE_ID_BYTES];
    char *reterr;
    struct hf_bytes text; /* for what is written */
    bool failed;          /* out of memory */
};

static bool say(struct reading *reading, const char *what)
{
    snprintf(reading->reterr, HF_XRAY_ERROR_MAX, "%s", what);
    return false;
}

/* ---- values ---- */

static const struct hf_json *member(const struct hf_json *value, const char *key)
{
    const struct hf_json *found = hf_json_get(value, key);
    return found != NULL && found->kind != HF_JSON_NULL ? found : NULL;
}

static bool is_number(const struct hf_json *value)
{
    return value != NULL && (value->kind == HF_JSON_INT || value->kind == HF_JSON_DOUBLE);
}

static double number_of(const struct hf_json *value)
{
    return value->kind == HF_JSON_INT ? (double)value->integer : value->number;
}

/* Seconds as nanoseconds; 0: not there, or none. */
static uint64_t time_of(const struct hf_json *value)
{
    double ns = is_number(value) ? number_of(value) * 1e9 : 0;
    return ns > 0 && ns < 1.8e19 ? (uint64_t)ns : 0;
}

/* ---- attributes of what is open ---- */

static void add_text(struct reading *reading, const char *key, const struct hf_json *value)
{
    if (value != NULL && value->kind == HF_JSON_STRING) {
        hf_build_attribute_string(reading->builder, hf_slice_text(key), value->text);
    }
}

static void add_slice(struct reading *reading, const char *key, struct hf_slice text)
{
    hf_build_attribute_string(reading->builder, hf_slice_text(key), text);
}

static void add_bool(struct reading *reading, const char *key, const struct hf_json *value)
{
    if (value != NULL && value->kind == HF_JSON_BOOL) {
        hf_build_attribute_bool(reading->builder, hf_slice_text(key), value->boolean);
    }
}

static void add_int(struct reading *reading, const char *key, const struct hf_json *value)
{
    if (is_number(value)) {
        hf_build_attribute_int(reading->builder, hf_slice_text(key), hf_json_int(value));
    }
}

struct row {
    const char *member, *attribute;
};

static void add_rows(struct reading *reading, const struct hf_json *from, const struct row *rows,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_text(reading, rows[i].attribute, member(from, rows[i].member));
    }
}

#define ADD_ROWS(reading, from, rows)                                                              \
    add_rows((reading), (from), (rows), sizeof(rows) / sizeof((rows)[0]))

/* ---- the resource ---- */

static void add_log_groups(struct reading *reading, const struct hf_json *groups, const char *key,
                           const char *name)
{
    struct hf_any_maker maker = {.arena = reading->arena};
    size_t count = 0, used = 0;
    for (const struct hf_json *one = hf_json_first(groups); one != NULL; one = one->next) {
        count++;
    }
    struct hf_slice *values = hf_arena_take(reading->arena, (count + 1) * sizeof(*values));
    if (values == NULL) {
        reading->failed = true;
        return;
    }
    for (const struct hf_json *one = hf_json_first(groups); one != NULL; one = one->next) {
        struct hf_slice text = hf_json_text_of(one, name);
        if (text.size != 0) {
            values[used++] = hf_any_make_string(&maker, text);
        }
    }
    if (used != 0) {
        hf_build_attribute_value(reading->builder, hf_slice_text(key),
                                 hf_any_make_list(&maker, values, used));
    }
    reading->failed |= maker.failed;
}

static void add_places(struct reading *reading, const struct hf_json *aws)
{
    static const struct row ec2[] = {{"availability_zone", "cloud.availability_zone"},
                                     {"instance_id", "host.id"},
                                     {"instance_size", "host.type"},
                                     {"ami_id", "host.image.id"}};
    static const struct row ecs[] = {{"container", "container.name"},
                                     {"availability_zone", "cloud.availability_zone"},
                                     {"container_id", "container.id"}};
    static const struct row eks[] = {{"container_id", "container.id"},
                                     {"cluster_name", "k8s.cluster.name"},
                                     {"pod", "k8s.pod.name"}};
    static const struct row beanstalk[] = {{"environment_name", "service.namespace"}};
    const struct hf_json *deployment = member(member(aws, "elastic_beanstalk"), "deployment_id");
    ADD_ROWS(reading, member(aws, "ec2"), ec2);
    ADD_ROWS(reading, member(aws, "ecs"), ecs);
    ADD_ROWS(reading, member(aws, "elastic_beanstalk"), beanstalk);
    if (is_number(deployment)) {
        char room[HF_JSON_DIGITS_MAX];
        add_slice(reading, "service.instance.id",
                  hf_slice_of(room, hf_json_print_i64(hf_json_int(deployment), room)));
    }
    ADD_ROWS(reading, member(aws, "eks"), eks);
}

static void add_sdk(struct reading *reading, const struct hf_json *segment)
{
    const struct hf_json *xray = member(member(segment, "aws"), "xray");
    struct hf_slice sdk = hf_json_text_of(xray, "sdk");
    const uint8_t *at = sdk.size != 0 ? memmem(sdk.data, sdk.size, "for ", 4) : NULL;
    add_text(reading, "telemetry.sdk.version", member(xray, "sdk_version"));
    add_text(reading, "telemetry.sdk.name", member(xray, "sdk"));
    if (sdk.size == 0) {
        return;
    }
    if (hf_json_first(member(member(segment, "cause"), "exceptions")) != NULL) {
        add_slice(reading, "telemetry.sdk.language", hf_slice_text("java"));
    } else if (at != NULL) {
        at += 4;
        add_slice(reading, "telemetry.sdk.language",
                  hf_slice_of(at, sdk.size - (size_t)(at - sdk.data)));
    }
}

static void add_resource(struct reading *reading, const struct hf_json *segment)
{
    const struct hf_json *aws = member(segment, "aws");
    const struct hf_json *version = member(member(segment, "service"), "version");
    hf_build_resource(reading->builder, HF_EMPTY_SLICE);
    add_text(reading, "service.name", member(segment, "name"));
    add_slice(reading, "cloud.provider", hf_slice_text(aws != NULL ? "aws" : "unknown"));
    add_text(reading, "cloud.account.id", member(aws, "account_id"));
    add_log_groups(reading, member(aws, "cloudwatch_logs"), "aws.log.group.arns", "arn");
    add_log_groups(reading, member(aws, "cloudwatch_logs"), "aws.log.group.names", "log_group");
    add_places(reading, aws);
    add_sdk(reading, segment);
    add_text(reading, "service.version",
             version != NULL ? version : member(member(aws, "elastic_beanstalk"), "version_label"));
    add_text(reading, "aws.xray.resource_arn", member(segment, "resource_arn"));
    hf_build_scope(reading->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

/* ---- parts of a span ---- */

static void add_http(struct reading *reading, const struct hf_json *http)
{
    static const struct row rows[] = {{"method", "http.method"},
                                      {"client_ip", "http.client_ip"},
                                      {"user_agent", "http.user_agent"},
                                      {"url", "http.url"}};
    const struct hf_json *response = member(http, "response");
    const struct hf_json *size = member(response, "content_length");
    ADD_ROWS(reading, member(http, "request"), rows);
    add_bool(reading, "aws.xray.x_forwarded_for",
             member(member(http, "request"), "x_forwarded_for"));
    add_int(reading, "http.status_code", member(response, "status"));
    add_text(reading, "http.response_content_length", size);
    add_int(reading, "http.response_content_length", size);
}

static void add_aws(struct reading *reading, const struct hf_json *aws)
{
    static const struct row rows[] = {
        {"account_id", "aws.account_id"}, {"operation", "aws.operation"},
        {"region", "aws.region"},         {"request_id", "aws.request_id"},
        {"queue_url", "aws.queue_url"},   {"table_name", "aws.table_name"}};
    ADD_ROWS(reading, aws, rows);
    add_int(reading, "aws.xray.retries", member(aws, "retries"));
}

/* "protocol://host/NAME?more" is the place and the name of a database. */
static void add_sql(struct reading *reading, const struct hf_json *sql)
{
    static const struct row rows[] = {
        {"database_type", "db.system"}, {"sanitized_query", "db.statement"}, {"user", "db.user"}};
    struct hf_slice url = hf_json_text_of(sql, "url");
    const uint8_t *query = url.size != 0 ? memchr(url.data, '?', url.size) : NULL;
    struct hf_slice place = url;
    place.size = query != NULL ? (size_t)(query - url.data) : url.size;
    const uint8_t *slash = place.size != 0 ? memrchr(place.data, '/', place.size) : NULL;
    const uint8_t *scheme = place.size != 0 ? memmem(place.data, place.size, "//", 2) : NULL;
    if (slash != NULL && scheme != NULL && slash > scheme + 2) {
        size_t before = (size_t)(slash - place.data);
        add_slice(reading, "db.connection_string", hf_slice_of(place.data, before));
        add_slice(reading, "db.name", hf_slice_of(slash + 1, place.size - before - 1));
    } else if (url.size != 0) {
        add_slice(reading, "db.connection_string", url);
    }
    ADD_ROWS(reading, sql, rows);
}

static void add_annotation(struct reading *reading, const struct hf_json *one)
{
    switch (one->kind) {
    case HF_JSON_BOOL:
        hf_build_attribute_bool(reading->builder, one->key, one->boolean);
        break;
    case HF_JSON_INT: /* X-Ray knows one kind of number */
    case HF_JSON_DOUBLE:
        hf_build_attribute_double(reading->builder, one->key, number_of(one));
        break;
    case HF_JSON_STRING:
        hf_build_attribute_string(reading->builder, one->key, one->text);
        break;
    default:
        break;
    }
}

static void add_annotations(struct reading *reading, const struct hf_json *annotations)
{
    struct hf_any_maker maker = {.arena = reading->arena};
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(annotations); one != NULL; one = one->next) {
        count++;
    }
    struct hf_slice *keys = hf_arena_take(reading->arena, (count + 1) * sizeof(*keys));
    if (keys == NULL || count == 0) {
        reading->failed |= keys == NULL;
        return;
    }
    count = 0;
    for (const struct hf_json *one = hf_json_first(annotations); one != NULL; one = one->next) {
        keys[count++] = hf_any_make_string(&maker, one->key);
        add_annotation(reading, one);
    }
    hf_build_attribute_value(reading->builder, hf_slice_text("aws.xray.annotations"),
                             hf_any_make_list(&maker, keys, count));
    reading->failed |= maker.failed;
}

/* Each namespace is a text of JSON. */
static void add_metadata(struct reading *reading, const struct hf_json *metadata)
{
    static const char prefix[] = "aws.xray.metadata.";
    const size_t before = sizeof(prefix) - 1;
    for (const struct hf_json *one = hf_json_first(metadata); one != NULL; one = one->next) {
        struct hf_json_writer writer = {.out = &reading->text};
        uint8_t *key = hf_arena_take(reading->arena, before + one->key.size + 1);
        if (key == NULL) {
            reading->failed = true;
            return;
        }
        memcpy(key, prefix, sizeof(prefix));
        if (one->key.size != 0) {
            memcpy(key + before, one->key.data, one->key.size);
        }
        reading->text.size = 0;
        hf_json_write_value(&writer, one);
        reading->failed |= writer.failed;
        hf_build_attribute_string(reading->builder, hf_slice_of(key, before + one->key.size),
                                  hf_slice_of(reading->text.data, reading->text.size));
    }
}

/* ---- exceptions ---- */

static void append(struct reading *reading, struct hf_slice text)
{
    reading->failed |= hf_bytes_append(&reading->text, text) != HF_OK;
}

/* "type: message", then a line for each frame. */
static void add_stack(struct reading *reading, const struct hf_json *exception)
{
    char room[HF_JSON_DIGITS_MAX];
    const struct hf_json *frame = hf_json_first(member(exception, "stack"));
    if (frame == NULL) {
        return;
    }
    reading->text.size = 0;
    append(reading, hf_json_text_of(exception, "type"));
    append(reading, hf_slice_text(": "));
    append(reading, hf_json_text_of(exception, "message"));
    append(reading, hf_slice_text("\n"));
    for (; frame != NULL; frame = frame->next) {
        const struct hf_json *line = member(frame, "line");
        append(reading, hf_slice_text("\tat "));
        append(reading, hf_json_text_of(frame, "label"));
        append(reading, hf_slice_text("("));
        append(reading, hf_json_text_of(frame, "path"));
        append(reading, hf_slice_text(": "));
        append(reading, is_number(line)
                            ? hf_slice_of(room, hf_json_print_i64(hf_json_int(line), room))
                            : hf_slice_text("<unknown>"));
        append(reading, hf_slice_text(")\n"));
    }
    add_slice(reading, "exception.stacktrace", hf_slice_of(reading->text.data, reading->text.size));
}

static void add_exceptions(struct reading *reading, const struct hf_json *cause)
{
    static const struct row rows[] = {{"id", "aws.xray.exception.id"},
                                      {"message", "exception.message"},
                                      {"type", "exception.type"},
                                      {"cause", "aws.xray.exception.cause"}};
    const struct hf_json *one = hf_json_first(member(cause, "exceptions"));
    for (; one != NULL; one = one->next) {
        hf_build_event(reading->builder, 0, hf_slice_text("exception"));
        ADD_ROWS(reading, one, rows);
        add_bool(reading, "aws.xray.exception.remote", member(one, "remote"));
        add_int(reading, "aws.xray.exception.truncated", member(one, "truncated"));
        add_int(reading, "aws.xray.exception.skipped", member(one, "skipped"));
        add_stack(reading, one);
        hf_build_end(reading->builder);
    }
}

/* ---- spans ---- */

static bool read_id(struct hf_slice text, uint8_t ret_id[SPAN_ID_BYTES])
{
    return text.size == 2 * (size_t)SPAN_ID_BYTES && hf_hex_read(text, ret_id);
}

static bool read_trace_id(struct hf_slice text, uint8_t ret_id[TRACE_ID_BYTES])
{
    return text.size == TRACE_TEXT_SIZE && text.data[0] == '1' && text.data[1] == '-' &&
           text.data[10] == '-' && hf_hex_read(hf_slice_of(text.data + 2, 8), ret_id) &&
           hf_hex_read(hf_slice_of(text.data + 11, 24), ret_id + 4);
}

/* Whether it and all inside of it are segments. */
static bool check(struct reading *reading, const struct hf_json *segment)
{
    uint8_t id[SPAN_ID_BYTES];
    struct hf_slice namespace = hf_json_text_of(segment, "namespace");
    const struct hf_json *parent = member(segment, "parent_id");
    if (segment->kind != HF_JSON_MAP) {
        return say(reading, "a segment is no JSON object");
    }
    if (member(segment, "name") == NULL || member(segment, "name")->kind != HF_JSON_STRING) {
        return say(reading, "a segment has no name");
    }
    if (!read_id(hf_json_text_of(segment, "id"), id)) {
        return say(reading, "the id of a segment is not of 16 hexadecimal digits");
    }
    if (parent != NULL && !read_id(hf_json_text(parent), id)) {
        return say(reading, "the parent_id of a segment is not of 16 hexadecimal digits");
    }
    if (!is_number(member(segment, "start_time"))) {
        return say(reading, "a segment has no start_time");
    }
    if (namespace.size != 0 && !hf_slice_is(namespace, "aws") &&
        !hf_slice_is(namespace, "remote") && !hf_slice_is(namespace, "local")) {
        return say(reading, "the namespace of a segment is none of aws, remote and local");
    }
    const struct hf_json *one = hf_json_first(member(segment, "subsegments"));
    while (one != NULL && check(reading, one)) {
        one = one->next;
    }
    return one == NULL;
}

static uint32_t kind_of(const struct hf_json *segment, bool is_subsegment)
{
    struct hf_slice namespace = hf_json_text_of(segment, "namespace");
    bool is_call = namespace.size != 0 && !hf_slice_is(namespace, "local");
    if (!is_subsegment) {
        return KIND_SERVER;
    }
    if (is_call) {
        return KIND_CLIENT;
    }
    return member(member(member(segment, "http"), "request"), "client_ip") != NULL ? KIND_SERVER
                                                                                   : KIND_INTERNAL;
}

/* `parent`: of the segment that it is in; NULL: it came by itself. */
static void add_span(struct reading *reading, const struct hf_json *segment, const uint8_t *parent)
{
    uint8_t id[SPAN_ID_BYTES], own_parent[SPAN_ID_BYTES];
    const struct hf_json *cause = member(segment, "cause"), *http = member(segment, "http");
    const struct hf_json *status = member(member(http, "response"), "status");
    int64_t code = is_number(status) ? hf_json_int(status) : 200;
    (void)read_id(hf_json_text_of(segment, "id"), id); /* it was checked */
    bool is_within = parent != NULL;
    if (!is_within && read_id(hf_json_text_of(segment, "parent_id"), own_parent)) {
        parent = own_parent;
    }
    bool is_subsegment = is_within || (parent != NULL &&
                                       hf_slice_is(hf_json_text_of(segment, "type"), "subsegment"));
    const struct hf_build_span span = {
        .trace_id = hf_slice_of(reading->trace_id, TRACE_ID_BYTES),
        .span_id = hf_slice_of(id, SPAN_ID_BYTES),
        .parent_span_id = parent != NULL ? hf_slice_of(parent, SPAN_ID_BYTES) : HF_EMPTY_SLICE,
        .name = hf_json_text_of(segment, "name"),
        .kind = kind_of(segment, is_subsegment),
        .start_ns = time_of(member(segment, "start_time")),
        .end_ns = time_of(member(segment, "end_time")),
        .status_code = cause != NULL || code < 100 || code >= 400 ? STATUS_ERROR : 0,
        .status_message = hf_json_text(cause),
    };
    hf_build_span(reading->builder, &span);
    if (hf_slice_is(hf_json_text_of(segment, "namespace"), "aws")) {
        add_slice(reading, "aws.service", span.name);
    }
    add_bool(reading, "aws.xray.inprogress", member(segment, "in_progress"));
    add_text(reading, "enduser.id", member(segment, "user"));
    add_http(reading, http);
    add_aws(reading, member(segment, "aws"));
    add_sql(reading, member(segment, "sql"));
    add_bool(reading, "aws.xray.traced", member(segment, "traced"));
    add_annotations(reading, member(segment, "annotations"));
    add_metadata(reading, member(segment, "metadata"));
    add_exceptions(reading, cause);
    hf_build_end(reading->builder);
    const struct hf_json *one = hf_json_first(member(segment, "subsegments"));
    for (; one != NULL; one = one->next) {
        add_span(reading, one, id);
    }
}

/* ---- datagrams ---- */

/* The line at the front; the segment is behind it. */
static bool read_head(struct reading *reading, struct hf_slice datagram, struct hf_slice *ret_rest)
{
    const struct hf_json *head = NULL;
    char why[HF_JSON_ERROR_MAX];
    const uint8_t *end = datagram.size != 0 ? memchr(datagram.data, '\n', datagram.size) : NULL;
    if (end == NULL) {
        return say(reading, "there is no line before the segment");
    }
    size_t size = (size_t)(end - datagram.data);
    *ret_rest = hf_slice_of(end + 1, datagram.size - size - 1);
    if (hf_json_read(hf_slice_of(datagram.data, size), reading->arena, &head, why) != HF_OK ||
        !hf_slice_is(hf_json_text_of(head, "format"), "json") ||
        hf_json_int(hf_json_get(head, "version")) != 1) {
        return say(reading, "the first line is not {\"format\": \"json\", \"version\": 1}");
    }
    return true;
}

static enum hf_status read_datagram(struct reading *reading, struct hf_slice datagram)
{
    const struct hf_json *segment = NULL;
    struct hf_slice text;
    char why[HF_JSON_ERROR_MAX] = "";
    if (!read_head(reading, datagram, &text)) {
        return HF_INVALID;
    }
    enum hf_status status = hf_json_read(text, reading->arena, &segment, why);
    if (status != HF_OK) {
        snprintf(reading->reterr, HF_XRAY_ERROR_MAX, "the segment is no JSON: %.200s", why);
        return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
    }
    if (!check(reading, segment)) {
        return HF_INVALID;
    }
    if (!read_trace_id(hf_json_text_of(segment, "trace_id"), reading->trace_id)) {
        (void)say(reading, "the trace_id is not as 1-58406520-a006649127e371903a2de979");
        return HF_INVALID;
    }
    add_resource(reading, segment);
    add_span(reading, segment, NULL);
    return reading->failed ? HF_NOMEM : HF_OK;
}

enum hf_status hf_xray_read(struct hf_slice datagram, struct hf_builder *builder, char *reterr)
{
    struct hf_arena arena = {.limit = ARENA_BYTES_MAX};
    struct reading reading = {.arena = &arena, .builder = builder, .reterr = reterr};
    enum hf_status status = read_datagram(&reading, datagram);
    hf_bytes_release(&reading.text);
    hf_arena_release(&arena);
    return status;
}
