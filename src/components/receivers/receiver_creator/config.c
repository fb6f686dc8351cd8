#include "config.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "expand.h"

const char *const creator_types[] = {
    [CREATOR_POD] = "pod",
    [CREATOR_PORT] = "port",
    [CREATOR_POD_CONTAINER] = "pod.container",
    [CREATOR_SERVICE] = "k8s.service",
    [CREATOR_INGRESS] = "k8s.ingress",
    [CREATOR_NODE] = "k8s.node",
    [CREATOR_HOST_PORT] = "hostport",
    [CREATOR_CONTAINER] = "container",
    [CREATOR_TYPES] = NULL,
};

const struct hf_string_pair *creator_default_attributes(unsigned type)
{
    static const struct hf_string_pair none[] = {{NULL, NULL}};
    static const struct hf_string_pair pod[] = {{"k8s.pod.name", "`name`"},
                                                {"k8s.pod.uid", "`uid`"},
                                                {"k8s.namespace.name", "`namespace`"},
                                                {NULL, NULL}};
    static const struct hf_string_pair of_container[] = {
        {"k8s.pod.name", "`pod.name`"},
        {"k8s.pod.uid", "`pod.uid`"},
        {"k8s.namespace.name", "`pod.namespace`"},
        {"k8s.container.name", "`container_name`"},
        {"container.id", "`container_id`"},
        {"container.image.name", "`container_image`"},
        {NULL, NULL}};
    static const struct hf_string_pair in_namespace[] = {{"k8s.namespace.name", "`namespace`"},
                                                         {NULL, NULL}};
    static const struct hf_string_pair node[] = {
        {"k8s.node.name", "`name`"}, {"k8s.node.uid", "`uid`"}, {NULL, NULL}};
    static const struct hf_string_pair container[] = {
        {"container.name", "`name`"}, {"container.image.name", "`image`"}, {NULL, NULL}};
    static const struct hf_string_pair *const defaults[CREATOR_TYPES] = {
        [CREATOR_POD] = pod,
        [CREATOR_PORT] = of_container,
        [CREATOR_POD_CONTAINER] = of_container,
        [CREATOR_SERVICE] = in_namespace,
        [CREATOR_INGRESS] = in_namespace,
        [CREATOR_NODE] = node,
        [CREATOR_HOST_PORT] = none,
        [CREATOR_CONTAINER] = container,
    };
    return defaults[type];
}

/* ---- checks ---- */

/* A rule begins with `type == "pod"` or another type: it is for one kind of endpoints. */
static const char *check_rule(const char *key, const char *text)
{
    static _Thread_local char why[CREATOR_ERROR_MAX + 64];
    char error[HF_EXPR_ERROR_MAX];
    struct hf_expr *expr = NULL;
    (void)key;
    if (strncmp(text, "type", 4) != 0) {
        return "a rule that begins with type == and a type of endpoints in double quotes";
    }
    const char *at = text + 4 + strspn(text + 4, " \t\r\n");
    at += strncmp(at, "==", 2) == 0 ? 2 : 0;
    at += strspn(at, " \t\r\n");
    bool is_known = false;
    for (unsigned i = 0; creator_types[i] != NULL && *at == '"'; i++) {
        size_t size = strlen(creator_types[i]);
        is_known =
            is_known || (strncmp(at + 1, creator_types[i], size) == 0 && at[1 + size] == '"');
    }
    if (!is_known) {
        return "a rule that begins with type == and one of \"pod\", \"port\", \"pod.container\", "
               "\"k8s.service\", \"k8s.ingress\", \"k8s.node\", \"hostport\" and \"container\"";
    }
    enum hf_status status = hf_expr_new(text, creator_names, &expr, error);
    hf_expr_free(expr);
    if (status != HF_OK) {
        snprintf(why, sizeof(why), "an expression: %s", status == HF_INVALID ? error : "no memory");
        return why;
    }
    return NULL;
}

static const char *check_expressions(const char *key, const char *text)
{
    (void)key;
    return creator_text_check(text);
}

static const char *check_value(const struct hf_value *value)
{
    const char *why = value->type == HF_VALUE_STRING ? creator_text_check(value->string) : NULL;
    for (size_t i = 0; i < value->count && why == NULL; i++) {
        why = check_value(&value->items[i]);
    }
    return why;
}

const char *creator_check(const void *from)
{
    static char sentence[HF_ERROR_MAX]; /* see config/component_check.h */
    const struct creator_config *config = from;
    const struct creator_template *templates = config->templates.items;
    for (size_t i = 0; i < config->templates.count; i++) {
        const struct hf_value *value = &templates[i].config;
        const char *why = check_value(value);
        if (value->type != HF_VALUE_NONE && value->type != HF_VALUE_MAP) {
            why = "it is no map";
        }
        if (why != NULL) {
            snprintf(sentence, sizeof(sentence), "receivers::%.100s::config: %.300s",
                     config->templates.keys[i], why);
            return sentence;
        }
    }
    if (config->discovery.filelog.type != HF_VALUE_MAP &&
        config->discovery.filelog.type != HF_VALUE_NONE) {
        return "discovery::default_file_log_config must be a map";
    }
    return NULL;
}

/* ---- keys ---- */

#define TEMPLATE(member) offsetof(struct creator_template, member)

static const struct hf_field template_fields[] = {
    {.key = "rule",
     .type = HF_FIELD_STRING,
     .offset = TEMPLATE(rule),
     .validate = check_rule,
     .required = true,
     .help = "For which endpoints the receiver is started: an expression that begins with type == "
             "and a type, such as type == \"port\" && port == 6379."},
    {.key = "config",
     .type = HF_FIELD_VALUE,
     .offset = TEMPLATE(config),
     .help = "Its configuration; expressions in backticks have the endpoint's values. Without a "
             "key endpoint it gets the endpoint's target."},
    {.key = "resource_attributes",
     .type = HF_FIELD_MAP,
     .offset = TEMPLATE(attributes),
     .validate = check_expressions,
     .help = "Resource attributes of what it gives, besides those of the endpoint's type; an empty "
             "text takes one away."},
    HF_FIELDS_END,
};

#define TYPE(name, number, what)                                                                   \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_MAP, .offset = (number) * sizeof(struct hf_string_map),    \
        .validate = check_expressions, .help = "Of " what "."                                      \
    }

static const struct hf_field attribute_fields[] = {
    TYPE("pod", CREATOR_POD, "pods"),
    TYPE("port", CREATOR_PORT, "ports of containers in pods"),
    TYPE("pod.container", CREATOR_POD_CONTAINER, "containers in pods"),
    TYPE("k8s.service", CREATOR_SERVICE, "services"),
    TYPE("k8s.ingress", CREATOR_INGRESS, "paths of ingresses"),
    TYPE("k8s.node", CREATOR_NODE, "nodes"),
    TYPE("hostport", CREATOR_HOST_PORT, "sockets of a host"),
    TYPE("container", CREATOR_CONTAINER, "containers of Docker"),
    HF_FIELDS_END,
};

#define DISCOVERY(member) offsetof(struct creator_discovery, member)

static const struct hf_field discovery_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = DISCOVERY(enabled),
     .default_text = "false",
     .help = "Pods may ask for receivers by annotations io.opentelemetry.discovery."},
    {.key = "ignore_receivers",
     .type = HF_FIELD_STRING_LIST,
     .offset = DISCOVERY(ignored),
     .help = "Types of receivers that annotations cannot have."},
    {.key = "default_annotations",
     .type = HF_FIELD_MAP,
     .offset = DISCOVERY(annotations),
     .help = "Annotations of every pod; its own come before them."},
    {.key = "default_file_log_config",
     .type = HF_FIELD_VALUE,
     .offset = DISCOVERY(filelog),
     .help = "The configuration of filelog for annotations; include is always the container's own "
             "log. Without: include_file_path and the operator container."},
    HF_FIELDS_END,
};

const struct hf_field creator_fields[] = {
    {.key = "watch_observers",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct creator_config, observers),
     .is_refs = true,
     .help = "The observers whose endpoints receivers are started for: k8s_observer, "
             "host_observer, docker_observer."},
    {.key = "receivers",
     .type = HF_FIELD_STRUCT_MAP,
     .offset = offsetof(struct creator_config, templates),
     .inner = template_fields,
     .inner_size = sizeof(struct creator_template),
     .is_templates = true,
     .help = "The receivers, by their id."},
    {.key = "resource_attributes",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct creator_config, attributes),
     .inner = attribute_fields,
     .help = "Resource attributes by the endpoint's type, besides the usual ones; expressions in "
             "backticks, and an empty text takes one away."},
    {.key = "discovery",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct creator_config, discovery),
     .inner = discovery_fields,
     .help = "Receivers that pods ask for by annotations."},
    HF_FIELDS_END,
};
