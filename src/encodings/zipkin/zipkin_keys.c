#include "zipkin_keys.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *text;
    uint8_t size;
    uint8_t key; /* enum hf_zipkin_key */
};

#define ROW(text, name)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, HF_ZIPKIN_##name                                                   \
    }

/* By size, then by text. */
static const struct row rows[] = {
    ROW("error", ERROR),
    ROW("host.id", RESOURCE),
    ROW("os.name", RESOURCE),
    ROW("os.type", RESOURCE),
    ROW("device.id", RESOURCE),
    ROW("faas.name", RESOURCE),
    ROW("host.arch", RESOURCE),
    ROW("host.name", RESOURCE),
    ROW("host.type", RESOURCE),
    ROW("span.kind", SPAN_KIND),
    ROW("os.version", RESOURCE),
    ROW("k8s.job.uid", RESOURCE),
    ROW("k8s.pod.uid", RESOURCE),
    ROW("process.pid", RESOURCE),
    ROW("cloud.region", RESOURCE),
    ROW("container.id", RESOURCE),
    ROW("faas.version", RESOURCE),
    ROW("k8s.job.name", RESOURCE),
    ROW("k8s.node.uid", RESOURCE),
    ROW("k8s.pod.name", RESOURCE),
    ROW("service.name", SERVICE_NAME),
    ROW("faas.instance", RESOURCE),
    ROW("host.image.id", RESOURCE),
    ROW("k8s.node.name", RESOURCE),
    ROW("net.host.port", HOST_PORT),
    ROW("net.peer.port", PEER_PORT),
    ROW("process.owner", RESOURCE),
    ROW("cloud.platform", RESOURCE),
    ROW("cloud.provider", RESOURCE),
    ROW("container.name", RESOURCE),
    ROW("os.description", RESOURCE),
    ROW("w3c.tracestate", STATE),
    ROW("webengine.name", RESOURCE),
    ROW("faas.max_memory", RESOURCE),
    ROW("host.image.name", RESOURCE),
    ROW("k8s.cronjob.uid", RESOURCE),
    ROW("otel.scope.name", SCOPE_NAME),
    ROW("process.command", RESOURCE),
    ROW("service.version", RESOURCE),
    ROW("aws.ecs.task.arn", RESOURCE),
    ROW("cloud.account.id", RESOURCE),
    ROW("k8s.cluster.name", RESOURCE),
    ROW("k8s.cronjob.name", RESOURCE),
    ROW("otel.status_code", STATUS_CODE),
    ROW("cloud.resource_id", RESOURCE),
    ROW("container.runtime", RESOURCE),
    ROW("device.model.name", RESOURCE),
    ROW("k8s.daemonset.uid", RESOURCE),
    ROW("otel.library.name", LIBRARY_NAME),
    ROW("service.namespace", RESOURCE),
    ROW("service.peer.name", PEER_SERVICE),
    ROW("webengine.version", RESOURCE),
    ROW("aws.ecs.launchtype", RESOURCE),
    ROW("aws.log.group.arns", RESOURCE),
    ROW("host.image.version", RESOURCE),
    ROW("k8s.container.name", RESOURCE),
    ROW("k8s.daemonset.name", RESOURCE),
    ROW("k8s.deployment.uid", RESOURCE),
    ROW("k8s.namespace.name", RESOURCE),
    ROW("k8s.replicaset.uid", RESOURCE),
    ROW("otel.scope.version", SCOPE_VERSION),
    ROW("telemetry.sdk.name", RESOURCE),
    ROW("aws.ecs.cluster.arn", RESOURCE),
    ROW("aws.ecs.task.family", RESOURCE),
    ROW("aws.eks.cluster.arn", RESOURCE),
    ROW("aws.log.group.names", RESOURCE),
    ROW("aws.log.stream.arns", RESOURCE),
    ROW("container.image.tag", RESOURCE),
    ROW("device.manufacturer", RESOURCE),
    ROW("k8s.deployment.name", RESOURCE),
    ROW("k8s.replicaset.name", RESOURCE),
    ROW("k8s.statefulset.uid", RESOURCE),
    ROW("service.instance.id", RESOURCE),
    ROW("aws.log.stream.names", RESOURCE),
    ROW("container.image.name", RESOURCE),
    ROW("k8s.statefulset.name", RESOURCE),
    ROW("network.peer.address", PEER_IP),
    ROW("opencensus.starttime", RESOURCE),
    ROW("otel.library.version", LIBRARY_VERSION),
    ROW("process.command_args", RESOURCE),
    ROW("process.command_line", RESOURCE),
    ROW("process.runtime.name", RESOURCE),
    ROW("aws.ecs.container.arn", RESOURCE),
    ROW("aws.ecs.task.revision", RESOURCE),
    ROW("network.local.address", HOST_IP),
    ROW("telemetry.sdk.version", RESOURCE),
    ROW("webengine.description", RESOURCE),
    ROW("deployment.environment", RESOURCE),
    ROW("telemetry.auto.version", RESOURCE),
    ROW("telemetry.sdk.language", RESOURCE),
    ROW("cloud.availability_zone", RESOURCE),
    ROW("device.model.identifier", RESOURCE),
    ROW("opencensus.resourcetype", RESOURCE),
    ROW("otel.status_description", STATUS_TEXT),
    ROW("process.executable.name", RESOURCE),
    ROW("process.executable.path", RESOURCE),
    ROW("process.runtime.version", RESOURCE),
    ROW("otlp.service.name.source", SERVICE_SOURCE),
    ROW("opencensus.exporterversion", RESOURCE),
    ROW("k8s.container.restart_count", RESOURCE),
    ROW("process.runtime.description", RESOURCE),
};

static int compare(const void *wanted, const void *at)
{
    const struct hf_slice *text = wanted;
    const struct row *row = at;
    if (text->size != row->size) {
        return text->size < row->size ? -1 : 1;
    }
    return memcmp(text->data, row->text, row->size);
}

static bool is_link(struct hf_slice text)
{
    static const char prefix[] = "otlp.link.";
    return text.size > sizeof(prefix) - 1 && memcmp(text.data, prefix, sizeof(prefix) - 1) == 0;
}

enum hf_zipkin_key hf_zipkin_key_of(struct hf_slice text)
{
    const struct row *row = text.size == 0 ? NULL
                                           : bsearch(&text, rows, sizeof(rows) / sizeof(rows[0]),
                                                     sizeof(rows[0]), compare);
    if (row != NULL) {
        return (enum hf_zipkin_key)row->key;
    }
    return is_link(text) ? HF_ZIPKIN_LINK : HF_ZIPKIN_PLAIN;
}

struct hf_slice hf_zipkin_present_key(struct hf_slice key)
{
    if (hf_slice_is(key, "http.status_code")) {
        return hf_slice_text("http.response.status_code");
    }
    return hf_slice_is(key, "faas.id") ? hf_slice_text("cloud.resource_id") : key;
}

/* -?[0-9]+(\.[0-9]+)? : its digits before and behind the point. */
static bool is_number(struct hf_slice text, bool *ret_has_point)
{
    size_t at = text.size != 0 && text.data[0] == '-' ? 1 : 0;
    size_t digits = 0;
    *ret_has_point = false;
    for (; at < text.size; at++) {
        if (text.data[at] >= '0' && text.data[at] <= '9') {
            digits++;
        } else if (text.data[at] == '.' && digits != 0 && !*ret_has_point) {
            *ret_has_point = true;
            digits = 0;
        } else {
            return false;
        }
    }
    return digits != 0;
}

enum hf_zipkin_type hf_zipkin_type_of(struct hf_slice text)
{
    bool has_point;
    if (is_number(text, &has_point)) {
        return has_point ? HF_ZIPKIN_DOUBLE : HF_ZIPKIN_INT;
    }
    return hf_slice_is(text, "true") || hf_slice_is(text, "false") ? HF_ZIPKIN_BOOL
                                                                   : HF_ZIPKIN_STRING;
}
