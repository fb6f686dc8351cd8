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

/* Ready for reading, with its memory. NULL: none. */
static struct hf_late_config *begin(struct hf_load *load)
{
    struct hf_late_config *config = calloc(1, sizeof(*config));
    if (config == NULL) {
        return NULL;
    }
    config->memory = load->memory = hf_config_memory_new(MEMORY_BYTES);
    load->last_found = &load->first_found;
    if (config->memory == NULL) {
        free(config);
        return NULL;
    }
    return config;
}

enum hf_status hf_late_config_read(struct hf_slice text, const struct hf_field *inner,
                                   size_t inner_size, struct hf_late_config **ret_config,
                                   char *reterr)
{
    struct hf_config_options options = {0};
    struct hf_load load = {.options = &options};
    struct hf_late_config *config = begin(&load);
    if (config == NULL) {
        snprintf(reterr, HF_LATE_CONFIG_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
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

enum hf_status hf_late_config_read_one(struct hf_slice text, const char *file,
                                       const struct hf_field *fields, size_t struct_size,
                                       struct hf_late_config **ret_config, const void **ret_struct,
                                       char *reterr)
{
    struct hf_config_options options = {0};
    struct hf_load load = {.options = &options};
    struct hf_late_config *config = begin(&load);
    if (config == NULL) {
        snprintf(reterr, HF_LATE_CONFIG_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    const struct hf_yaml_input input = {
        .text = (const char *)text.data, .size = text.size, .file = file};
    const struct hf_yaml *root = hf_yaml_parse(&load, &input);
    void *made = root != NULL ? hf_config_alloc(config->memory, struct_size) : NULL;
    if (made == NULL) {
        return fail(config, &load, reterr);
    }
    const struct hf_key_path path = {.key = "file"};
    const struct hf_bind_target target = {.fields = fields, .base = made};
    hf_bind(&load, &path, (struct hf_yaml_place){.file = file}, root, target);
    if (load.error_count != 0 || hf_config_memory_failed(config->memory)) {
        return fail(config, &load, reterr);
    }
    *ret_struct = made;
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
