/*
 * read_file: YAML files that are no configuration, by a table of fields.
 */
#include "bind.h"
#include "config.h"

static void read_into(struct hf_load *load, const char *path, const struct hf_field *fields,
                      void *base)
{
    size_t size = 0;
    const char *error = NULL;
    struct hf_yaml_place place = {.file = path};
    char *text = hf_sources_file(load, path, &size, &error);
    if (text == NULL) {
        hf_load_error(load, place, NULL, "%s", error != NULL ? error : "out of memory");
        return;
    }
    const struct hf_yaml_input input = {.text = text, .size = size, .file = path};
    struct hf_yaml *root = hf_yaml_parse(load, &input);
    if (root != NULL) {
        hf_bind(load, NULL, root->place, root, (struct hf_bind_target){fields, base});
    }
}

bool hf_config_read_file(const char *path, const struct hf_field *fields, void *base,
                         struct hf_config_memory **ret_memory, struct hf_finding **ret_findings,
                         size_t *ret_finding_count)
{
    static const struct hf_config_options none;
    struct hf_load load = {.options = &none,
                           .memory = hf_config_memory_new(HF_CONFIG_MEMORY_BYTES)};
    *ret_findings = NULL;
    *ret_finding_count = 0;
    *ret_memory = load.memory;
    if (load.memory == NULL) {
        return false;
    }
    load.last_found = &load.first_found;
    read_into(&load, path, fields, base);
    hf_load_hand_out(&load, ret_findings, ret_finding_count);
    return load.error_count == 0 && !hf_config_memory_failed(load.memory);
}

void hf_config_file_free(struct hf_config_memory *memory)
{
    if (memory != NULL) {
        hf_config_memory_free(memory);
    }
}
