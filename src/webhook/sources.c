#include "sources.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubernetes/request.h"
#include "sidecar.h"
#include "util/time/clock.h"

#define TIMEOUT_NS (3 * HF_NS_PER_S)
#define PATH_BYTES_MAX 700u
#define CONFIG_BYTES_MAX ((size_t)512 << 10) /* of an environment variable */
#define COLLECTORS "/apis/opentelemetry.io/v1beta1/namespaces/"

/* GET of one object, parsed. */
static enum hf_status get(const struct hf_sources *sources, const char *path,
                          struct hf_arena *arena, const struct hf_json **ret_object, char *warning)
{
    char error[HF_ERROR_MAX] = "", why[HF_JSON_ERROR_MAX] = "";
    struct hf_bytes body = {0};
    int code = 0;
    const struct hf_kube_question question = {.path = path,
                                              .deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS};
    enum hf_status status = hf_kube_ask(sources->client, &question, &body, &code, error);
    if (status == HF_OK) {
        status = hf_json_read(hf_slice_of(body.data, body.size), arena, ret_object, why);
        snprintf(error, sizeof(error), "%s", why);
    }
    hf_bytes_release(&body);
    if (status != HF_OK) {
        snprintf(warning, HF_WARNING_MAX, "%.200s", error);
    }
    return status;
}

bool hf_sources_namespace(const struct hf_sources *sources, struct hf_slice name,
                          struct hf_arena *arena, const struct hf_json **ret_namespace,
                          char *warning)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "/api/v1/namespaces/%.*s", (int)name.size,
             (const char *)name.data);
    return get(sources, path, arena, ret_namespace, warning) == HF_OK;
}

/* A text in the arena. */
static struct hf_slice say(struct hf_arena *arena, const char *format, struct hf_slice a,
                           struct hf_slice b)
{
    size_t room = strlen(format) + a.size + b.size + 1;
    char *text = hf_arena_take(arena, room);
    if (text == NULL) {
        return HF_EMPTY_SLICE;
    }
    int size = snprintf(text, room, format, (int)a.size, (const char *)a.data, (int)b.size,
                        (const char *)b.data);
    return hf_slice_of(text, size > 0 ? (size_t)size : 0);
}

static bool fits(struct hf_slice text, char *warning)
{
    if (text.size > CONFIG_BYTES_MAX) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: the configuration has %zu bytes, of at most %zu", text.size,
                 CONFIG_BYTES_MAX);
        return false;
    }
    return true;
}

/* ---- ConfigMaps ---- */

static const struct hf_json *find_key(const struct hf_json *data)
{
    static const char *const names[] = {"relay.yaml", "config.yaml", "collector.yaml",
                                        "holdfast.yaml"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct hf_json *found = hf_json_get(data, names[i]);
        if (found != NULL) {
            return found;
        }
    }
    const struct hf_json *only = hf_json_first(data);
    return only != NULL && only->next == NULL ? only : NULL;
}

/* One of another namespace cannot be mounted: its text goes into the environment. */
static enum hf_status take_config_map(const struct hf_sources *sources, struct hf_slice space,
                                      struct hf_slice name, bool is_mounted, struct hf_arena *arena,
                                      struct hf_inject_config *ret, char *warning)
{
    char path[PATH_BYTES_MAX];
    const struct hf_json *map = NULL;
    snprintf(path, sizeof(path), "/api/v1/namespaces/%.*s/configmaps/%.*s", (int)space.size,
             (const char *)space.data, (int)name.size, (const char *)name.data);
    enum hf_status status = get(sources, path, arena, &map, warning);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_json *found = find_key(hf_json_get(map, "data"));
    if (found == NULL) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: ConfigMap %.60s has no key relay.yaml or config.yaml",
                 strrchr(path, '/') + 1);
        return HF_INVALID;
    }
    *ret = (struct hf_inject_config){.about = say(arena, "ConfigMap %.*s/%.*s", space, name)};
    if (is_mounted) {
        ret->config_map = name;
        ret->key = found->key;
        return HF_OK;
    }
    ret->text = hf_json_text(found);
    return fits(ret->text, warning) ? HF_OK : HF_INVALID;
}

/* ---- the operator's kind ---- */

static bool is_sidecar(const struct hf_json *collector)
{
    return hf_slice_is(hf_json_text_of(hf_json_get(collector, "spec"), "mode"), "sidecar");
}

static bool take_collector(const struct hf_json *collector, struct hf_slice space,
                           struct hf_arena *arena, struct hf_inject_config *ret, char *warning)
{
    const struct hf_json *spec = hf_json_get(collector, "spec");
    const struct hf_json *config = hf_json_get(spec, "config");
    struct hf_slice name = hf_json_text_of(hf_json_get(collector, "metadata"), "name");
    struct hf_bytes text = {0};
    struct hf_json_writer writer = {.out = &text};
    if (config != NULL && config->kind == HF_JSON_MAP) {
        hf_json_write_value(&writer, config); /* JSON is YAML */
    }
    *ret = (struct hf_inject_config){
        .about = say(arena, "OpenTelemetryCollector %.*s/%.*s", space, name),
        .env = hf_json_get(spec, "env"),
        .resources = hf_json_get(spec, "resources"),
    };
    bool is_text = config != NULL && config->kind == HF_JSON_STRING;
    ret->text = is_text ? hf_json_text(config)
                        : say(arena, "%.*s%.*s", hf_slice_of(text.data, text.size), HF_EMPTY_SLICE);
    hf_bytes_release(&text);
    if (ret->text.size == 0) {
        snprintf(warning, HF_WARNING_MAX, "no sidecar: the OpenTelemetryCollector has no config");
    }
    return ret->text.size != 0 && fits(ret->text, warning);
}

static enum hf_status list_collectors(const struct hf_sources *sources, struct hf_slice space,
                                      struct hf_arena *arena, const struct hf_json **ret_items,
                                      char *warning)
{
    char path[PATH_BYTES_MAX];
    const struct hf_json *list = NULL;
    snprintf(path, sizeof(path), COLLECTORS "%.*s/opentelemetrycollectors", (int)space.size,
             (const char *)space.data);
    enum hf_status status = get(sources, path, arena, &list, warning);
    *ret_items = hf_json_first(hf_json_get(list, "items"));
    return status;
}

/* The only one of the namespace; `*ret_count` is how many there are. */
static const struct hf_json *only_sidecar(const struct hf_json *items, size_t *ret_count)
{
    const struct hf_json *found = NULL;
    *ret_count = 0;
    for (; items != NULL; items = items->next) {
        if (is_sidecar(items)) {
            found = items;
            ++*ret_count;
        }
    }
    return *ret_count == 1 ? found : NULL;
}

/* ---- what a choice means ---- */

static bool take_default(const struct hf_sources *sources, struct hf_slice namespace,
                         struct hf_arena *arena, struct hf_inject_config *ret, char *warning)
{
    const struct hf_webhook_settings *settings = sources->settings;
    struct hf_slice name = hf_slice_text(settings->config_map);
    struct hf_slice own = hf_slice_text(settings->own_namespace);
    const struct hf_json *items = NULL;
    size_t count = 0;
    char ignored[HF_WARNING_MAX];
    /* Without that kind in the cluster, or without the right to see it, there are none. */
    if (list_collectors(sources, namespace, arena, &items, ignored) == HF_OK) {
        const struct hf_json *only = only_sidecar(items, &count);
        if (only != NULL) {
            return take_collector(only, namespace, arena, ret, warning);
        }
    }
    if (count > 1) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: the namespace has %zu OpenTelemetryCollectors of mode sidecar; name "
                 "one in the annotation",
                 count);
        return false;
    }
    enum hf_status status = take_config_map(sources, namespace, name, true, arena, ret, warning);
    if (status == HF_NOT_FOUND && own.size != 0) {
        status = take_config_map(sources, own, name, false, arena, ret, warning);
    }
    if (status == HF_OK || status == HF_INVALID) {
        return status == HF_OK;
    }
    if (settings->config == NULL) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: no ConfigMap %.60s here, and the webhook has no configuration",
                 settings->config_map);
        return false;
    }
    *ret = (struct hf_inject_config){.text = hf_slice_text(settings->config),
                                     .about = hf_slice_text("the webhook's own")};
    return true;
}

static bool take_named(const struct hf_sources *sources, struct hf_slice namespace,
                       const struct hf_choice *choice, struct hf_arena *arena,
                       struct hf_inject_config *ret, char *warning)
{
    char path[PATH_BYTES_MAX];
    const struct hf_json *collector = NULL;
    struct hf_slice space = choice->namespace.size != 0 ? choice->namespace : namespace;
    bool is_here = hf_slice_equal(space, namespace);
    /* The maker of a pod can read its environment: of other namespaces only what is there for all.
     */
    if (!is_here && !hf_slice_is(space, sources->settings->own_namespace)) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: a configuration of another namespace than the pod's must be in %.63s",
                 sources->settings->own_namespace);
        return false;
    }
    enum hf_status status =
        take_config_map(sources, space, choice->name, is_here, arena, ret, warning);
    if (status != HF_NOT_FOUND) {
        return status == HF_OK;
    }
    snprintf(path, sizeof(path), COLLECTORS "%.*s/opentelemetrycollectors/%.*s", (int)space.size,
             (const char *)space.data, (int)choice->name.size, (const char *)choice->name.data);
    if (get(sources, path, arena, &collector, warning) == HF_OK && is_sidecar(collector)) {
        return take_collector(collector, space, arena, ret, warning);
    }
    snprintf(warning, HF_WARNING_MAX,
             "no sidecar: no ConfigMap and no OpenTelemetryCollector of mode sidecar is named %.*s",
             (int)(choice->name.size < 63 ? choice->name.size : 63),
             (const char *)choice->name.data);
    return false;
}

bool hf_sources_config(const struct hf_sources *sources, struct hf_slice namespace,
                       const struct hf_choice *choice, struct hf_arena *arena,
                       struct hf_inject_config *ret_config, char *warning)
{
    return choice->name.size == 0
               ? take_default(sources, namespace, arena, ret_config, warning)
               : take_named(sources, namespace, choice, arena, ret_config, warning);
}
