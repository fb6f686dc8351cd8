/*
 * check_service: reads the service section, and checks references between components once all are
 * known.
 */
#include <stdint.h>
#include <string.h>

#include "bind.h"
#include "check.h"
#include "util/suggest.h"

static void read_extensions(struct hf_build *build, const struct hf_yaml *node)
{
    struct hf_key_path path = {.key = "service::extensions"};
    struct hf_config *config = build->config;
    size_t count = 0;
    const struct hf_id_item *items = hf_check_ids(build->load, &path, node, &count);

    config->extensions = hf_config_array(build->load->memory, count, sizeof(*config->extensions));
    for (size_t i = 0; config->extensions != NULL && i < count; i++) {
        size_t at = hf_check_find(build, HF_EXTENSION, items[i].id);
        if (at == SIZE_MAX) {
            hf_check_missing(build, items[i].place, &path, HF_EXTENSION, items[i].id);
        } else if (build->config->uses[at].used) {
            hf_load_warn(build->load, items[i].place, &path, "extension \"%s\" is listed twice",
                         items[i].id);
        } else {
            build->config->uses[at].used = true;
            config->extensions[config->extension_count++] = &config->components[at];
        }
    }
}

static void report_unknown_keys(struct hf_load *load, const struct hf_yaml *service)
{
    static const char *const keys[] = {"extensions", "pipelines", "telemetry"};

    for (size_t i = 0; service != NULL && i < service->count; i++) {
        const struct hf_yaml_entry *entry = &service->entries[i];
        struct hf_key_path root = {.key = "service"}, path = {.up = &root, .key = entry->key};
        struct hf_suggestion suggestion = {.word = entry->key};
        bool known = false;
        for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            known = known || strcmp(keys[j], entry->key) == 0;
            hf_suggest(&suggestion, keys[j]);
        }
        if (!known) {
            hf_load_error(load, entry->place, &path,
                          "unknown key%s%s%s; expected extensions, pipelines or telemetry "
                          "('service' has invalid keys: %s)",
                          suggestion.best == NULL ? "" : "; did you mean \"",
                          suggestion.best == NULL ? "" : suggestion.best,
                          suggestion.best == NULL ? "" : "\"?", entry->key);
        }
    }
}

void hf_check_service(struct hf_build *build)
{
    const struct hf_yaml *root = build->config->root;
    const struct hf_yaml_entry *entry = hf_yaml_find(root, "service");
    const struct hf_yaml *service = entry == NULL ? NULL : entry->value;
    struct hf_yaml_place place = {.file = root->place.file};

    if (entry != NULL) {
        place = entry->place;
    }
    if (!hf_yaml_is_null(service) && service->kind != HF_YAML_MAP) {
        struct hf_key_path path = {.key = "service"};
        hf_load_error(build->load, service->place, &path, "expected a map, got %s",
                      hf_yaml_show(service).text);
        service = NULL;
    }
    report_unknown_keys(build->load, service);
    read_extensions(build, hf_yaml_value(service, "extensions"));
    hf_check_pipelines(build, place, hf_yaml_value(service, "pipelines"));
    hf_check_telemetry(build, place, hf_yaml_value(service, "telemetry"));
}

/* ---- when all is known -----------------------------------------------------------------------
 */

/* Can the extension do what the key is for? */
static void check_ability(struct hf_build *build, const struct hf_config_ref *ref,
                          const struct hf_extension_ops *ops)
{
    struct hf_key_path path = {.key = ref->text};
    if (strcmp(ref->key, "authenticator") == 0 && (ops == NULL || ops->auth == NULL)) {
        hf_load_error(build->load, ref->place, &path, "extension \"%s\" is not an authenticator",
                      ref->id);
    } else if (strcmp(ref->key, "storage") == 0 && (ops == NULL || ops->storage == NULL)) {
        hf_load_error(build->load, ref->place, &path, "extension \"%s\" is not a storage", ref->id);
    } else if (strcmp(ref->key, "k8s_leader_elector") == 0 &&
               (ops == NULL || ops->leader == NULL)) {
        hf_load_error(build->load, ref->place, &path, "extension \"%s\" elects no leader", ref->id);
    } else if (strcmp(ref->key, "watch_observers") == 0 && (ops == NULL || ops->observer == NULL)) {
        hf_load_error(build->load, ref->place, &path, "extension \"%s\" is no observer", ref->id);
    }
}

/* The extension that a component's key names: defined, and started. */
static void check_reference(struct hf_build *build, const struct hf_config_ref *ref)
{
    struct hf_key_path path = {.key = ref->text};
    size_t at = hf_check_find(build, HF_EXTENSION, ref->id);

    if (!build->config->uses[ref->owner].used) {
        return; /* never opened; that it is not used is said already */
    }
    if (at == SIZE_MAX) {
        hf_check_missing(build, ref->place, &path, HF_EXTENSION, ref->id);
        return;
    }
    const struct hf_component *component = build->config->components[at].component;
    if (!build->config->uses[at].used) {
        hf_load_error(build->load, ref->place, &path,
                      "extension \"%s\" is configured but not in service::extensions; add it there",
                      ref->id);
    } else if (component != NULL) {
        check_ability(build, ref, component->extension);
    }
}

static void check_references(struct hf_build *build)
{
    struct hf_config_ref *ref = build->load->refs, *forward = NULL;

    while (ref != NULL) { /* they were gathered last first */
        struct hf_config_ref *next = ref->next;
        ref->next = forward;
        forward = ref;
        ref = next;
    }
    build->load->refs = NULL;
    for (ref = forward; ref != NULL; ref = ref->next) {
        check_reference(build, ref);
    }
}

static void warn_of_unused(struct hf_build *build)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        const struct hf_config_component *component = &build->config->components[i];
        struct hf_key_path path = {.key = hf_config_format(build->load->memory, "%s::%s",
                                                           hf_kind_words[component->kind].section,
                                                           component->id)};
        bool told = component->kind != HF_EXTENSION && build->config->pipeline_count == 0;
        if (build->config->uses[i].used || told || path.key == NULL) {
            continue; /* without any pipeline that is the mistake, said already */
        }
        hf_load_warn(build->load, build->config->uses[i].entry->place, &path, "is defined but %s",
                     component->kind == HF_EXTENSION ? "not in service::extensions"
                                                     : "used in no pipeline");
    }
}

void hf_check_references(struct hf_build *build)
{
    check_references(build);
    hf_check_connectors(build);
    hf_check_dead_letters(build);
    hf_check_cycles(build);
    warn_of_unused(build);
}
