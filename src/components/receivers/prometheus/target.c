#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define PARAM_PREFIX "__param_"
#define NATIVE_LABEL "__scrape_native_histograms__"
#define CLASSIC_LABEL "__always_scrape_classic_histograms__"
#define CONVERT_LABEL "__convert_classic_histograms_to_nhcb__" /* no effect, as the key */

/* What of the pod and its node, as discovery names them, describes the resource. */
static const struct {
    const char *label, *attribute;
} resource_labels[] = {
    {"__meta_kubernetes_pod_name", "k8s.pod.name"},
    {"__meta_kubernetes_pod_uid", "k8s.pod.uid"},
    {"__meta_kubernetes_pod_container_name", "k8s.container.name"},
    {"__meta_kubernetes_namespace", "k8s.namespace.name"},
    {"__meta_kubernetes_pod_node_name", "k8s.node.name"},
    {"__meta_kubernetes_node_name", "k8s.node.name"},
    {"__meta_kubernetes_endpoint_node_name", "k8s.node.name"},
};

/* The object that controls the pod. */
static const struct {
    const char *kind, *attribute;
} controllers[] = {
    {"ReplicaSet", "k8s.replicaset.name"},   {"DaemonSet", "k8s.daemonset.name"},
    {"StatefulSet", "k8s.statefulset.name"}, {"Job", "k8s.job.name"},
    {"CronJob", "k8s.cronjob.name"},
};

/* ---- the labels of a target ---- */

static bool set(struct hf_prom_labels *labels, const char *name, struct hf_slice value)
{
    return hf_prom_labels_set(labels, hf_slice_text(name), value);
}

static struct hf_slice get(const struct hf_prom_labels *labels, const char *name)
{
    return hf_prom_labels_get(labels, hf_slice_text(name));
}

/* A duration in the arena. */
static struct hf_slice show_ns(struct hf_arena *arena, uint64_t ns)
{
    char *text = hf_arena_take(arena, PROM_DURATION_SIZE);
    return text != NULL ? hf_slice_of(text, prom_duration_text(ns, text)) : HF_EMPTY_SLICE;
}

static struct hf_slice flag_text(bool value)
{
    return value ? LITERAL("true") : LITERAL("false");
}

static bool set_if_absent(struct hf_prom_labels *labels, const char *name, struct hf_slice value)
{
    return get(labels, name).size != 0 || set(labels, name, value);
}

/* The first value of each parameter. */
static bool set_params(const struct prom_job *config, struct hf_prom_labels *labels,
                       struct hf_arena *arena)
{
    for (size_t i = 0; i < config->params.count; i++) {
        const struct hf_value *list = &config->params.items[i];
        size_t size = sizeof(PARAM_PREFIX) + strlen(config->params.keys[i]);
        char *name = hf_arena_take(arena, size);
        if (name == NULL) {
            return false;
        }
        snprintf(name, size, PARAM_PREFIX "%s", config->params.keys[i]);
        if (list->count > 0 && list->items[0].string != NULL &&
            !set_if_absent(labels, name, hf_slice_text(list->items[0].string))) {
            return false;
        }
    }
    return true;
}

/* What was found and what the job says. */
static bool collect(const struct prom_job_state *job, const struct prom_found *found,
                    struct hf_prom_labels *labels, struct hf_arena *arena)
{
    const struct prom_job *config = job->config;
    labels->count = 0;
    for (size_t i = 0; i < found->count; i++) {
        if (!hf_prom_labels_set(labels, found->labels[i].name, found->labels[i].value)) {
            return false;
        }
    }
    return set_if_absent(labels, "job", hf_slice_text(config->job_name)) &&
           set_if_absent(labels, "__scrape_interval__", show_ns(arena, job->interval_ns)) &&
           set_if_absent(labels, "__scrape_timeout__", show_ns(arena, job->timeout_ns)) &&
           set_if_absent(labels, "__metrics_path__", hf_slice_text(config->metrics_path)) &&
           set_if_absent(labels, "__scheme__",
                         config->scheme == PROM_HTTPS ? LITERAL("https") : LITERAL("http")) &&
           set_if_absent(labels, NATIVE_LABEL, flag_text(job->wants_native)) &&
           set_if_absent(labels, CLASSIC_LABEL, flag_text(job->wants_classic)) &&
           set_if_absent(labels, CONVERT_LABEL, flag_text(false)) &&
           set_params(config, labels, arena);
}

/* ---- the URL ---- */

struct url {
    char *text;
    size_t size;
    bool failed; /* too long */
};

static void put(struct url *url, struct hf_slice text)
{
    if (url->size + text.size >= PROM_URL_MAX) {
        url->failed = true;
        return;
    }
    if (text.size != 0) {
        memcpy(url->text + url->size, text.data, text.size);
        url->size += text.size;
    }
    url->text[url->size] = '\0';
}

static void put_escaped(struct url *url, struct hf_slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || memchr("-_.~", c, 4) != NULL;
        const char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
        put(url, is_plain ? hf_slice_of(&text.data[i], 1) : hf_slice_of(escaped, 3));
    }
}

static void put_param(struct url *url, struct hf_slice name, struct hf_slice value, bool *has_query)
{
    put(url, hf_slice_of(*has_query ? "&" : "?", 1));
    *has_query = true;
    put_escaped(url, name);
    put(url, hf_slice_of("=", 1));
    put_escaped(url, value);
}

static bool is_configured(const struct prom_job *config, struct hf_slice name)
{
    for (size_t i = 0; i < config->params.count; i++) {
        if (hf_slice_is(name, config->params.keys[i])) {
            return true;
        }
    }
    return false;
}

/* The configured parameters, of which a label __param_NAME changes the first value; then those of
 * labels alone. */
static void put_params(struct url *url, const struct prom_job *config,
                       const struct hf_prom_labels *labels)
{
    size_t prefix = sizeof(PARAM_PREFIX) - 1;
    bool has_query = memchr(url->text, '?', url->size) != NULL;
    for (size_t i = 0; i < config->params.count; i++) {
        const struct hf_value *list = &config->params.items[i];
        struct hf_slice name = hf_slice_text(config->params.keys[i]);
        char label[256];
        snprintf(label, sizeof(label), PARAM_PREFIX "%s", config->params.keys[i]);
        for (size_t k = 0; k < list->count; k++) {
            struct hf_slice first = k == 0 ? get(labels, label) : HF_EMPTY_SLICE;
            put_param(url, name, first.size != 0 ? first : hf_slice_text(list->items[k].string),
                      &has_query);
        }
    }
    for (size_t i = 0; i < labels->count; i++) {
        struct hf_slice name = labels->items[i].name;
        if (hf_prom_has_prefix(name, PARAM_PREFIX, prefix)) {
            name = hf_slice_of(name.data + prefix, name.size - prefix);
            if (!is_configured(config, name)) {
                put_param(url, name, labels->items[i].value, &has_query);
            }
        }
    }
}

static bool make_url(const struct prom_job *config, const struct hf_prom_labels *labels,
                     char text[PROM_URL_MAX])
{
    struct url url = {.text = text};
    struct hf_slice path = get(labels, "__metrics_path__");
    put(&url, get(labels, "__scheme__"));
    put(&url, LITERAL("://"));
    put(&url, get(labels, "__address__"));
    if (path.size == 0 || path.data[0] != '/') {
        put(&url, LITERAL("/"));
    }
    put(&url, path);
    put_params(&url, config, labels);
    return !url.failed && hf_http_is_url(text);
}

/* ---- making ---- */

static bool is_among(const struct hf_prom_label *attributes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(attributes[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Which attributes the resource gets from discovery, at most as many as there are above. */
static size_t resource_of(const struct prom_found *found, struct hf_prom_label *attributes)
{
    size_t count = 0;
    struct hf_slice kind = HF_EMPTY_SLICE, name = HF_EMPTY_SLICE;
    for (size_t i = 0; i < found->count; i++) {
        const struct hf_prom_label *label = &found->labels[i];
        for (size_t k = 0; k < sizeof(resource_labels) / sizeof(resource_labels[0]); k++) {
            if (hf_slice_is(label->name, resource_labels[k].label) &&
                !is_among(attributes, count, resource_labels[k].attribute)) {
                attributes[count++] = (struct hf_prom_label){
                    hf_slice_text(resource_labels[k].attribute), label->value};
            }
        }
        if (hf_slice_is(label->name, "__meta_kubernetes_pod_controller_kind")) {
            kind = label->value;
        } else if (hf_slice_is(label->name, "__meta_kubernetes_pod_controller_name")) {
            name = label->value;
        }
    }
    for (size_t k = 0; k < sizeof(controllers) / sizeof(controllers[0]); k++) {
        if (name.size != 0 && hf_slice_is(kind, controllers[k].kind)) {
            attributes[count++] =
                (struct hf_prom_label){hf_slice_text(controllers[k].attribute), name};
        }
    }
    return count;
}

#define ATTRIBUTES_MAX 12

static struct hf_slice copy(char **room, struct hf_slice text)
{
    char *at = *room;
    if (text.size != 0) {
        memcpy(at, text.data, text.size);
    }
    *room += text.size;
    return hf_slice_of(at, text.size);
}

/* The labels that its series get: those whose names do not begin with "__". */
static bool is_kept(const struct hf_prom_label *label)
{
    return !hf_prom_has_prefix(label->name, "__", 2);
}

/* Would it be asked by plain http for /metrics, with nothing else? */
static bool may_be_own(const struct prom_job_state *job, const struct hf_prom_labels *labels)
{
    const struct prom_http *http = &job->config->http;
    return hf_slice_is(get(labels, "__scheme__"), "http") && http->proxy_url == NULL &&
           hf_slice_is(get(labels, "__metrics_path__"), "/metrics") &&
           job->config->params.count == 0;
}

static struct prom_target *allocate(const struct hf_prom_labels *labels, const char *url,
                                    const struct hf_prom_label *attributes, size_t attribute_count)
{
    size_t bytes =
        strlen(url) + 1 + get(labels, "__scheme__").size + get(labels, "__address__").size + 1;
    size_t count = 0;
    for (size_t i = 0; i < labels->count; i++) {
        count += is_kept(&labels->items[i]);
        bytes += labels->items[i].name.size + labels->items[i].value.size;
    }
    for (size_t i = 0; i < attribute_count; i++) {
        bytes += attributes[i].value.size;
    }
    size_t label_bytes = (count + attribute_count) * sizeof(struct hf_prom_label);
    struct prom_target *target = calloc(1, sizeof(*target) + label_bytes + bytes);
    if (target == NULL) {
        return NULL;
    }
    struct hf_prom_label *items = (struct hf_prom_label *)(target + 1);
    char *room = (char *)(items + count + attribute_count);
    target->labels = items;
    target->attributes = items + count;
    for (size_t i = 0; i < labels->count; i++) {
        if (is_kept(&labels->items[i])) {
            struct hf_slice name = copy(&room, labels->items[i].name);
            items[target->label_count++] =
                (struct hf_prom_label){name, copy(&room, labels->items[i].value)};
        }
    }
    for (size_t i = 0; i < attribute_count; i++) {
        items[count + target->attribute_count++] =
            (struct hf_prom_label){attributes[i].name, copy(&room, attributes[i].value)};
    }
    target->scheme = copy(&room, get(labels, "__scheme__"));
    target->own_address = (const char *)copy(&room, get(labels, "__address__")).data;
    *room++ = '\0';
    target->url = room;
    memcpy(room, url, strlen(url) + 1);
    return target;
}

/* The times that a rule may have changed. */
static const char *read_times(const struct hf_prom_labels *labels, uint64_t *ret_interval_ns,
                              uint64_t *ret_timeout_ns)
{
    char text[2][64];
    const char *const names[] = {"__scrape_interval__", "__scrape_timeout__"};
    uint64_t *const times[] = {ret_interval_ns, ret_timeout_ns};
    for (size_t i = 0; i < 2; i++) {
        struct hf_slice value = get(labels, names[i]);
        snprintf(text[i], sizeof(text[i]), "%.*s", (int)(value.size < 64 ? value.size : 63),
                 (const char *)value.data);
        if (!prom_duration(text[i], times[i]) || *times[i] == 0) {
            return i == 0 ? "__scrape_interval__ is no time above 0"
                          : "__scrape_timeout__ is no time above 0";
        }
    }
    return *ret_timeout_ns > *ret_interval_ns
               ? "__scrape_timeout__ is longer than __scrape_interval__"
               : NULL;
}

/* A flag that a rule may have changed. */
static bool read_flag(const struct hf_prom_labels *labels, const char *name, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"True", true}, {"TRUE", true},   {"t", true},
                 {"T", true},      {"1", true},    {"false", false}, {"False", false},
                 {"FALSE", false}, {"f", false},   {"F", false},     {"0", false}};
    struct hf_slice text = get(labels, name);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (hf_slice_is(text, words[i].text)) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return text.size == 0;
}

static const char *read_flags(const struct hf_prom_labels *labels, bool *ret_native,
                              bool *ret_classic)
{
    bool unused;
    return !read_flag(labels, NATIVE_LABEL, ret_native) ? NATIVE_LABEL " is neither true nor false"
           : !read_flag(labels, CLASSIC_LABEL, ret_classic) ? CLASSIC_LABEL
               " is neither true nor false"
           : !read_flag(labels, CONVERT_LABEL, &unused) ? CONVERT_LABEL " is neither true nor false"
                                                        : NULL;
}

static enum hf_status build(struct prom_job_state *job, const struct prom_found *found,
                            struct hf_prom_labels *labels, struct prom_target **ret_target,
                            char *reterr)
{
    char url[PROM_URL_MAX];
    struct hf_prom_label attributes[ATTRIBUTES_MAX];
    uint64_t interval_ns, timeout_ns;
    struct hf_slice address = get(labels, "__address__");
    bool wants_native = job->wants_native, wants_classic = job->wants_classic;
    const char *why = read_times(labels, &interval_ns, &timeout_ns);
    why = why != NULL ? why : read_flags(labels, &wants_native, &wants_classic);
    if (why == NULL && (address.size == 0 || memchr(address.data, '/', address.size) != NULL)) {
        why = "__address__ is not host:port";
    }
    if (why == NULL && !make_url(job->config, labels, url)) {
        why = "its scheme, address, path and parameters make no URL";
    }
    if (why != NULL) {
        snprintf(reterr, PROM_TARGET_ERROR_MAX, "target \"%.*s\": %s",
                 (int)(address.size < 100 ? address.size : 100), (const char *)address.data, why);
        return HF_INVALID;
    }
    if (!set_if_absent(labels, "instance", address)) {
        return HF_NOMEM;
    }
    size_t attribute_count = resource_of(found, attributes);
    struct prom_target *target = allocate(labels, url, attributes, attribute_count);
    if (target == NULL) {
        return HF_NOMEM;
    }
    target->job = job;
    target->own_address = may_be_own(job, labels) ? target->own_address : NULL;
    target->interval_ns = interval_ns;
    target->timeout_ns = timeout_ns;
    target->wants_native = wants_native;
    target->wants_classic = wants_classic;
    for (size_t i = 0; i < target->label_count; i++) {
        struct hf_slice name = target->labels[i].name;
        if (hf_slice_is(name, "job")) {
            target->job_name = target->labels[i].value;
        } else if (hf_slice_is(name, "instance")) {
            target->instance = target->labels[i].value;
        }
    }
    const uint64_t settings[] = {interval_ns, timeout_ns, wants_native, wants_classic};
    uint64_t key = hf_prom_labels_hash(target->labels, target->label_count);
    key = hf_prom_hash(hf_slice_of(settings, sizeof(settings)), key);
    target->key = hf_prom_hash(hf_slice_text(target->url), key);
    *ret_target = target;
    return HF_OK;
}

enum hf_status prom_target_new(struct prom_job_state *job, const struct prom_found *found,
                               struct prom_target **ret_target, char *reterr)
{
    struct hf_prom_labels *labels = job->receiver->labels;
    struct hf_arena *arena = &job->receiver->arena;
    if (!collect(job, found, labels, arena)) {
        return HF_NOMEM;
    }
    switch (hf_relabel_apply(job->relabel, labels, arena)) {
    case HF_RELABEL_DROPPED:
        *ret_target = NULL;
        return HF_OK;
    case HF_RELABEL_NO_MEMORY:
        return HF_NOMEM;
    case HF_RELABEL_KEPT:
        break;
    }
    return build(job, found, labels, ret_target, reterr);
}

void prom_series_release(struct prom_series *series)
{
    free(series->hashes);
    free(series->body);
    hf_prom_replay_release(&series->replay);
    *series = (struct prom_series){0};
}

void prom_target_free(struct prom_target *target)
{
    if (target != NULL) {
        prom_series_release(&target->series);
        free(target);
    }
}
