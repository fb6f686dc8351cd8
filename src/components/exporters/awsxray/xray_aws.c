/*
 * xray_aws: the member aws: where the service runs, and what it asked of AWS.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/any_make.h"
#include "xray_span.h"

/* ---- attributes of the span ---- */

struct call {
    struct hf_slice operation, account, region, request, queue, table;
    struct hf_slice tables; /* the bytes of a list with several; without data: none */
};

static void take(struct xray_span *span, const char *key, struct hf_slice *value)
{
    struct xray_attribute *found = xray_find(span, key);
    if (found != NULL) {
        found->is_taken = true;
        *value = xray_string(found->value);
    }
}

static void read_tables(const struct xray_span *span, struct call *call)
{
    const struct xray_attribute *found = xray_find(span, "aws.dynamodb.table_names");
    struct hf_slice first;
    if (found == NULL) {
        return;
    }
    struct hf_any any = hf_any_read(found->value);
    if (hf_any_count(&any) == 1 && hf_any_at(&any, 0, &first)) {
        call->table = xray_string(first);
    } else if (hf_any_count(&any) > 1) {
        call->table = HF_EMPTY_SLICE;
        call->tables = found->value;
    }
}

static struct call read_call(struct xray_span *span)
{
    struct call call = {.account = xray_resource_text(span, "cloud.account.id")};
    take(span, "rpc.method", &call.operation);
    take(span, "aws.operation", &call.operation);
    take(span, "aws.account_id", &call.account);
    take(span, "aws.region", &call.region);
    take(span, "aws.requestId", &call.request);
    take(span, "aws.request_id", &call.request);
    take(span, "aws.queue.url", &call.queue);
    take(span, "aws.queue_url", &call.queue);
    take(span, "aws.table.name", &call.table);
    take(span, "aws.table_name", &call.table);
    struct hf_slice url = xray_text(span, "messaging.url");
    call.queue = url.data != NULL ? url : call.queue;
    read_tables(span, &call);
    return call;
}

static void put_call(const struct call *call, struct hf_json_writer *writer)
{
    xray_put_text(writer, "account_id", call->account);
    xray_put_text(writer, "operation", call->operation);
    xray_put_text(writer, "region", call->region);
    xray_put_text(writer, "request_id", call->request);
    xray_put_text(writer, "queue_url", call->queue);
    xray_put_text(writer, "table_name", call->table);
    if (call->tables.data != NULL) {
        struct hf_any any = hf_any_read(call->tables);
        struct hf_wire items = hf_any_items(&any);
        struct hf_slice value;
        HF_JSON_WRITE_KEY(writer, "table_names");
        hf_json_write_open(writer, '[');
        while (hf_any_next_value(&items, &value)) {
            hf_json_write_text(writer, xray_string(value));
        }
        hf_json_write_close(writer, ']');
    }
}

/* ---- attributes of the resource ---- */

static void open_member(struct hf_json_writer *writer, const char *key)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_open(writer, '{');
}

static struct hf_slice of(const struct xray_span *span, const char *key)
{
    return xray_resource_text(span, key);
}

static void put_ecs(const struct xray_span *span, struct hf_json_writer *writer)
{
    open_member(writer, "ecs");
    xray_put_text(writer, "container", of(span, "container.name"));
    xray_put_text(writer, "container_id", of(span, "container.id"));
    xray_put_text(writer, "task_arn", of(span, "aws.ecs.task.arn"));
    xray_put_text(writer, "task_family", of(span, "aws.ecs.task.family"));
    xray_put_text(writer, "cluster_arn", of(span, "aws.ecs.cluster.arn"));
    xray_put_text(writer, "container_arn", of(span, "aws.ecs.container.arn"));
    xray_put_text(writer, "availability_zone", of(span, "cloud.availability_zone"));
    xray_put_text(writer, "launch_type", of(span, "aws.ecs.launchtype"));
    hf_json_write_close(writer, '}');
}

static void put_beanstalk(const struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_slice deployment = of(span, "service.instance.id");
    char room[24] = "";
    if (deployment.size < sizeof(room)) {
        memcpy(room, deployment.data, deployment.size);
    }
    open_member(writer, "elastic_beanstalk");
    xray_put_or_null(writer, "environment_name", of(span, "service.namespace"));
    xray_put_or_null(writer, "version_label", of(span, "service.version"));
    HF_JSON_WRITE_KEY(writer, "deployment_id");
    hf_json_write_i64(writer,
                      room[strspn(room, "0123456789")] == '\0' ? strtoll(room, NULL, 10) : 0);
    hf_json_write_close(writer, '}');
}

static void put_places(const struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_slice platform = of(span, "cloud.platform");
    if (hf_slice_is(platform, "aws_elastic_beanstalk") &&
        of(span, "service.instance.id").size != 0) {
        put_beanstalk(span, writer);
    }
    if (hf_slice_is(platform, "aws_ecs")) {
        put_ecs(span, writer);
    }
    if (hf_slice_is(platform, "aws_ec2") || of(span, "host.id").size != 0) {
        open_member(writer, "ec2");
        xray_put_or_null(writer, "instance_id", of(span, "host.id"));
        xray_put_or_null(writer, "availability_zone", of(span, "cloud.availability_zone"));
        xray_put_or_null(writer, "instance_size", of(span, "host.type"));
        xray_put_or_null(writer, "ami_id", of(span, "host.image.id"));
        hf_json_write_close(writer, '}');
    }
    if (hf_slice_is(platform, "aws_eks") || of(span, "k8s.cluster.name").size != 0) {
        open_member(writer, "eks");
        xray_put_or_null(writer, "cluster_name", of(span, "k8s.cluster.name"));
        xray_put_or_null(writer, "pod", of(span, "k8s.pod.name"));
        xray_put_or_null(writer, "container_id", of(span, "container.id"));
        hf_json_write_close(writer, '}');
    }
}

/* The name of the group is the seventh part of its ARN. */
static struct hf_slice group_of(struct hf_slice arn)
{
    struct hf_slice rest = arn;
    for (int i = 0; i < 6; i++) {
        const uint8_t *colon = rest.size != 0 ? memchr(rest.data, ':', rest.size) : NULL;
        if (colon == NULL) {
            return arn;
        }
        size_t size = (size_t)(colon - rest.data) + 1;
        rest = hf_slice_of(rest.data + size, rest.size - size);
    }
    const uint8_t *colon = rest.size != 0 ? memchr(rest.data, ':', rest.size) : NULL;
    return colon != NULL ? hf_slice_of(rest.data, (size_t)(colon - rest.data)) : rest;
}

static void put_group(struct hf_json_writer *writer, struct hf_slice name, bool is_arn)
{
    hf_json_write_open(writer, '{');
    xray_put_or_null(writer, "log_group", is_arn ? group_of(name) : name);
    if (is_arn) {
        xray_put_text(writer, "arn", name);
    }
    hf_json_write_close(writer, '}');
}

/* A text, or a list of texts. False: there is none. */
static bool put_groups_of(const struct xray_span *span, const char *key, bool is_arn,
                          struct hf_json_writer *writer)
{
    struct hf_slice value, one;
    if (!hf_bulk_pair_find(span->resource, HF_BULK_RESOURCE_ATTRIBUTES, key, &value)) {
        return false;
    }
    struct hf_any any = hf_any_read(value);
    bool is_list = any.type == HF_ANY_ARRAY && hf_any_count(&any) != 0;
    if (any.type != HF_ANY_STRING && !is_list) {
        return false;
    }
    HF_JSON_WRITE_KEY(writer, "cloudwatch_logs");
    hf_json_write_open(writer, '[');
    if (is_list) {
        struct hf_wire items = hf_any_items(&any);
        while (hf_any_next_value(&items, &one)) {
            put_group(writer, xray_string(one), is_arn);
        }
    } else {
        put_group(writer, any.bytes, is_arn);
    }
    hf_json_write_close(writer, ']');
    return true;
}

static void put_groups(const struct xray_span *span, struct hf_json_writer *writer)
{
    const struct hf_string_list *groups = &span->config->log_groups;
    if (put_groups_of(span, "aws.log.group.arns", true, writer) ||
        put_groups_of(span, "aws.log.group.names", false, writer) || groups->count == 0) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "cloudwatch_logs");
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < groups->count; i++) {
        put_group(writer, hf_slice_text(groups->items[i]), false);
    }
    hf_json_write_close(writer, ']');
}

/* "opentelemetry for java" */
static void put_sdk(const struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_slice name = of(span, "telemetry.sdk.name");
    struct hf_slice language = of(span, "telemetry.sdk.language");
    struct hf_bytes text = {0};
    bool good = hf_bytes_append(&text, name) == HF_OK;
    if (name.size != 0 && language.size != 0) {
        struct hf_slice between = hf_slice_text(" for ");
        size_t size = between.size + language.size;
        const uint8_t *end = name.data + name.size;
        bool has_it =
            name.size >= size &&
            strncasecmp((const char *)end - size, (const char *)between.data, between.size) == 0 &&
            strncasecmp((const char *)end - language.size, (const char *)language.data,
                        language.size) == 0;
        good = good && (has_it || (hf_bytes_append(&text, between) == HF_OK &&
                                   hf_bytes_append(&text, language) == HF_OK));
    }
    open_member(writer, "xray");
    xray_put_text(writer, "sdk", hf_slice_of(text.data, text.size));
    xray_put_text(writer, "sdk_version", of(span, "telemetry.sdk.version"));
    xray_put_bool(writer, "auto_instrumentation", of(span, "telemetry.auto.version").size != 0);
    hf_json_write_close(writer, '}');
    writer->failed |= !good;
    hf_bytes_release(&text);
}

void xray_put_aws(struct xray_span *span, struct hf_json_writer *writer)
{
    struct call call = read_call(span);
    struct hf_slice cloud = of(span, "cloud.provider");
    if (cloud.size != 0 && !hf_slice_is(cloud, "aws")) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "aws");
    hf_json_write_open(writer, '{');
    put_places(span, writer);
    put_groups(span, writer);
    put_sdk(span, writer);
    if (span->role != XRAY_SERVICE) {
        put_call(&call, writer);
    }
    hf_json_write_close(writer, '}');
}
