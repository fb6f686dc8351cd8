#include "load.h"

#include "check.h"
#include "health.h"
#include "types.h"

/* Everything after the sources were read. */
static void build_config(struct hf_load *load, struct hf_config *config)
{
    struct hf_build build = {.load = load, .config = config};

    hf_check_components(&build);
    if (config->uses == NULL || config->components == NULL) {
        return;
    }
    hf_check_service(&build);
    hf_check_references(&build);
}

static struct hf_config *load_into(struct hf_load *load)
{
    struct hf_config *config = hf_config_alloc(load->memory, sizeof(*config));
    struct hf_yaml *root = hf_sources_read(load);

    if (config == NULL || root == NULL) {
        return NULL;
    }
    hf_expand(load, root);
    hf_config_add_health(load, root);
    config->memory = load->memory;
    config->root = root;
    config->registry = load->options->components;
    build_config(load, config);
    return load->error_count == 0 && !hf_config_memory_failed(load->memory) ? config : NULL;
}

struct hf_config *hf_config_load_within(const struct hf_config_options *options, size_t limit_bytes,
                                        struct hf_finding **ret_findings, size_t *ret_finding_count)
{
    struct hf_load load = {.options = options, .memory = hf_config_memory_new(limit_bytes)};

    *ret_findings = NULL;
    *ret_finding_count = 0;
    if (load.memory == NULL) {
        return NULL;
    }
    load.last_found = &load.first_found;
    struct hf_config *config = load_into(&load);
    hf_load_hand_out(&load, ret_findings, ret_finding_count);
    if (config == NULL) {
        hf_config_memory_free(load.memory);
    }
    return config;
}

struct hf_config *hf_config_load(const struct hf_config_options *options,
                                 struct hf_finding **ret_findings, size_t *ret_finding_count)
{
    return hf_config_load_within(options, HF_CONFIG_MEMORY_BYTES, ret_findings, ret_finding_count);
}

void hf_config_free(struct hf_config *config)
{
    if (config != NULL) {
        hf_config_free(config->peer);
        hf_config_memory_free(config->memory);
    }
}

void hf_config_replace_exporters(struct hf_config *config, struct hf_config *peer)
{
    const struct hf_config_component *with = peer->pipelines[0].exporters[0];
    assert(config->peer == NULL && with->kind == HF_EXPORTER);
    config->peer = peer;
    for (size_t i = 0; i < config->component_count; i++) {
        struct hf_config_component *component = &config->components[i];
        if (component->kind == HF_EXPORTER && component->component != NULL) {
            component->component = with->component;
            component->config = with->config;
        }
    }
}

const struct hf_component *hf_config_find_type(const struct hf_config *config, enum hf_kind kind,
                                               const char *type)
{
    return hf_types_find(config->registry, kind, type);
}

const struct hf_config_component *hf_config_components(const struct hf_config *config,
                                                       size_t *ret_count)
{
    *ret_count = config->component_count;
    return config->components;
}

const struct hf_config_pipeline *hf_config_pipelines(const struct hf_config *config,
                                                     size_t *ret_count)
{
    *ret_count = config->pipeline_count;
    return config->pipelines;
}

const struct hf_config_component *const *hf_config_extensions(const struct hf_config *config,
                                                              size_t *ret_count)
{
    *ret_count = config->extension_count;
    return config->extensions;
}

const struct hf_telemetry_config *hf_config_telemetry(const struct hf_config *config)
{
    return &config->telemetry;
}
