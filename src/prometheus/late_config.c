#include "late_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/bind.h"
#include "config/load.h"
#include "config/tree.h"

#define MEMORY_BYTES (64u << 20)

struct hf_late_config {
    struct hf_config_memory *memory;
    struct hf_struct_map map; /* what is bound */
};

static enum hf_status fail(struct hf_late_config *config, const struct hf_load *load, char *reterr)
{
    bool is_full = config->memory == NULL || hf_config_memory_failed(config->memory);
    snprintf(reterr, HF_LATE_CONFIG_ERROR_MAX, "%s",
             is_full                     ? "out of memory"
             : load->first_found != NULL ? load->first_found->text
                                         : "it is no YAML");
    hf_late_config_free(config);
    return is_full ? HF_NOMEM : HF_INVALID;
}

enum hf_status hf_late_config_read(struct hf_slice text, const struct hf_field *inner,
                                   size_t inner_size, struct hf_late_config **ret_config,
                                   char *reterr)
{
    struct hf_late_config *config = calloc(1, sizeof(*config));
    struct hf_config_options options = {0};
    struct hf_load load = {.options = &options};
    if (config == NULL) {
        snprintf(reterr, HF_LATE_CONFIG_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    config->memory = load.memory = hf_config_memory_new(MEMORY_BYTES);
    if (config->memory == NULL) {
        return fail(config, &load, reterr);
    }
    load.last_found = &load.first_found;
    const struct hf_yaml_input input = {
        .text = (const char *)text.data, .size = text.size, .file = "the answer"};
    const struct hf_yaml *root = hf_yaml_parse(&load, &input);
    const struct hf_field field = {
        .key = "jobs", .type = HF_FIELD_STRUCT_MAP, .inner = inner, .inner_size = inner_size};
    const struct hf_key_path path = {.key = "scrape_configs"};
    if (root == NULL) {
        return fail(config, &load, reterr);
    }
    if (!hf_yaml_is_null(root)) {
        hf_bind_value(&load, &path, root, &field, &config->map);
    }
    if (load.error_count > load.unknown_key_count || hf_config_memory_failed(config->memory)) {
        return fail(config, &load, reterr);
    }
    *ret_config = config;
    return HF_OK;
}

const struct hf_struct_map *hf_late_config_map(const struct hf_late_config *config)
{
    return &config->map;
}

void hf_late_config_free(struct hf_late_config *config)
{
    if (config != NULL) {
        hf_config_memory_free(config->memory);
        free(config);
    }
}
