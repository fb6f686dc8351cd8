#include "sidecar.h"

#include <stdio.h>
#include <string.h>

#include "choice.h"

#define DATA_DIRECTORY "/var/lib/holdfast"

static void text(struct hf_json_writer *writer, const char *value)
{
    hf_json_write_text(writer, hf_slice_text(value));
}

static void key(struct hf_json_writer *writer, const char *name)
{
    hf_json_write_key(writer, hf_slice_text(name));
}

static void member(struct hf_json_writer *writer, const char *name, const char *value)
{
    key(writer, name);
    text(writer, value);
}

void hf_sidecar_field(struct hf_json_writer *writer, const char *name, const char *path)
{
    hf_json_write_open(writer, '{');
    member(writer, "name", name);
    key(writer, "valueFrom");
    hf_json_write_open(writer, '{');
    key(writer, "fieldRef");
    hf_json_write_open(writer, '{');
    member(writer, "fieldPath", path);
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}

void hf_sidecar_value(struct hf_json_writer *writer, const char *name, struct hf_slice value)
{
    hf_json_write_open(writer, '{');
    member(writer, "name", name);
    key(writer, "value");
    hf_json_write_text(writer, value);
    hf_json_write_close(writer, '}');
}

static void write_args(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    const struct hf_inject_config *config = options->config;
    char path[320];
    key(writer, "args");
    hf_json_write_open(writer, '[');
    if (config->config_map.size != 0) {
        snprintf(path, sizeof(path), "--config=/conf/%.*s", (int)config->key.size,
                 (const char *)config->key.data);
        text(writer, path);
        text(writer, "--watch");
    } else {
        text(writer, "--config=env:OTEL_CONFIG");
    }
    text(writer, "--data-dir=" DATA_DIRECTORY);
    hf_json_write_close(writer, ']');
}

static void write_env(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    static const char *const fields[][2] = {
        {"MY_POD_IP", "status.podIP"},
        {"MY_POD_NAME", "metadata.name"},
        {"MY_POD_NAMESPACE", "metadata.namespace"},
        {"MY_NODE_NAME", "spec.nodeName"},
        {"POD_NAME", "metadata.name"},
        {"POD_UID", "metadata.uid"},
        {"NODE_NAME", "spec.nodeName"},
        {"K8S_NODE_NAME", "spec.nodeName"},
    };
    const struct hf_json *lists[] = {hf_json_get(options->settings->container, "env"),
                                     options->config->env};
    key(writer, "env");
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        hf_sidecar_field(writer, fields[i][0], fields[i][1]);
    }
    hf_sidecar_value(writer, "HOLDFAST_HEALTH", hf_slice_text("0.0.0.0:13133"));
    hf_sidecar_value(writer, "HOLDFAST_EPHEMERAL", hf_slice_text("1"));
    hf_sidecar_value(writer, "HOLDFAST_LISTEN", hf_slice_text("localhost"));
    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
        for (const struct hf_json *item = hf_json_first(lists[l]); item != NULL;
             item = item->next) {
            hf_json_write_value(writer, item);
        }
    }
    if (options->config->config_map.size == 0) {
        hf_sidecar_value(writer, "OTEL_CONFIG", options->config->text);
    }
    hf_json_write_close(writer, ']');
}

struct probe {
    const char *name;
    int64_t period_s, failures;
};

static void write_probe(const struct probe *probe, struct hf_json_writer *writer)
{
    key(writer, probe->name);
    hf_json_write_open(writer, '{');
    key(writer, "httpGet");
    hf_json_write_open(writer, '{');
    member(writer, "path", "/");
    key(writer, "port");
    hf_json_write_i64(writer, 13133);
    hf_json_write_close(writer, '}');
    key(writer, "periodSeconds");
    hf_json_write_i64(writer, probe->period_s);
    key(writer, "failureThreshold");
    hf_json_write_i64(writer, probe->failures);
    hf_json_write_close(writer, '}');
}

/* Small: a sidecar has the traffic of one pod. */
static const char default_resources[] = "{\"requests\":{\"cpu\":\"20m\",\"memory\":\"32Mi\"},"
                                        "\"limits\":{\"memory\":\"256Mi\"}}";
static const char default_security[] =
    "{\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,\"runAsNonRoot\":true,"
    "\"runAsUser\":10001,\"runAsGroup\":10001,\"capabilities\":{\"drop\":[\"ALL\"]},"
    "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}";

static void write_mounts(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    key(writer, "volumeMounts");
    hf_json_write_open(writer, '[');
    hf_json_write_open(writer, '{');
    member(writer, "name", HF_SIDECAR_QUEUE);
    member(writer, "mountPath", DATA_DIRECTORY);
    hf_json_write_close(writer, '}');
    if (options->config->config_map.size != 0) {
        hf_json_write_open(writer, '{');
        member(writer, "name", HF_SIDECAR_CONFIG);
        member(writer, "mountPath", "/conf");
        key(writer, "readOnly");
        hf_json_write_bool(writer, true);
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

/* What the settings say in place of the container's own; NULL: nothing. */
static const struct hf_json *own_member(const struct hf_inject_options *options, const char *name)
{
    const struct hf_json *resources = options->config->resources;
    if (resources != NULL && strcmp(name, "resources") == 0) {
        return resources;
    }
    return hf_json_get(options->settings->container, name);
}

static void write_made(const struct hf_inject_options *options, const char *name,
                       const char *preset, struct hf_json_writer *writer)
{
    if (own_member(options, name) == NULL) {
        key(writer, name);
        hf_json_write_made(writer, hf_slice_text(preset));
    }
}

static void write_probes(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    static const struct probe probes[] = {
        {"startupProbe", 1, 120}, {"livenessProbe", 10, 6}, {"readinessProbe", 5, 2}};
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (own_member(options, probes[i].name) == NULL) {
            write_probe(&probes[i], writer);
        }
    }
}

/* Members that are not to be replaced: they are what makes it ours. */
static bool is_fixed(struct hf_slice name)
{
    static const char *const fixed[] = {"name", "env", "args", "volumeMounts", "restartPolicy"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (hf_slice_is(name, fixed[i])) {
            return true;
        }
    }
    return false;
}

static void write_own_members(const struct hf_inject_options *options,
                              struct hf_json_writer *writer)
{
    const struct hf_json *item = hf_json_first(options->settings->container);
    for (; item != NULL; item = item->next) {
        bool is_replaced =
            hf_slice_is(item->key, "resources") && options->config->resources != NULL;
        if (!is_fixed(item->key) && !is_replaced) {
            hf_json_write_key(writer, item->key);
            hf_json_write_value(writer, item);
        }
    }
    if (options->config->resources != NULL) {
        key(writer, "resources");
        hf_json_write_value(writer, options->config->resources);
    }
}

void hf_sidecar_container(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    hf_json_write_open(writer, '{');
    member(writer, "name", HF_INJECT_CONTAINER);
    if (own_member(options, "image") == NULL) {
        member(writer, "image", options->settings->image);
    }
    write_args(options, writer);
    write_env(options, writer);
    write_probes(options, writer);
    write_made(options, "resources", default_resources, writer);
    write_made(options, "securityContext", default_security, writer);
    write_mounts(options, writer);
    write_own_members(options, writer);
    if (options->is_native) {
        member(writer, "restartPolicy", "Always");
    }
    hf_json_write_close(writer, '}');
}

void hf_sidecar_queue_volume(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    struct hf_slice size = hf_annotation(options->pod, HF_QUEUE_ANNOTATION);
    hf_json_write_open(writer, '{');
    member(writer, "name", HF_SIDECAR_QUEUE);
    key(writer, "emptyDir");
    hf_json_write_open(writer, '{');
    key(writer, "sizeLimit");
    hf_json_write_text(writer,
                       size.size != 0 ? size : hf_slice_text(options->settings->queue_size));
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}

void hf_sidecar_config_volume(const struct hf_inject_options *options,
                              struct hf_json_writer *writer)
{
    hf_json_write_open(writer, '{');
    member(writer, "name", HF_SIDECAR_CONFIG);
    key(writer, "configMap");
    hf_json_write_open(writer, '{');
    key(writer, "name");
    hf_json_write_text(writer, options->config->config_map);
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}
