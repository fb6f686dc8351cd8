/*
 * certificates: finds the certificates that a configuration names, wherever a `tls:` section may
 * stand.
 */
#include <string.h>

#include "check.h"

static const struct {
    const char *key;
    bool is_pem;
} keys[] = {{"cert_file", false},
            {"cert_pem", true},
            {"ca_file", false},
            {"ca_pem", true},
            {"client_ca_file", false}};

struct search {
    const struct hf_config_component *component;
    void (*visit)(void *user, const struct hf_config_certificate *certificate);
    void *user;
};

static void look_at_entry(const struct search *search, const struct hf_yaml_entry *entry)
{
    const char *text = hf_yaml_string(entry->value);
    for (size_t i = 0; text != NULL && text[0] != '\0' && i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(entry->key, keys[i].key) == 0) {
            const struct hf_config_certificate certificate = {search->component, keys[i].key, text,
                                                              keys[i].is_pem};
            search->visit(search->user, &certificate);
        }
    }
}

/* As deep as a configuration may be: HF_CONFIG_DEPTH. */
static void look_into(const struct search *search, const struct hf_yaml *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == HF_YAML_MAP) {
            look_at_entry(search, &node->entries[i]);
            look_into(search, node->entries[i].value);
        } else if (node->kind == HF_YAML_LIST) {
            look_into(search, node->items[i]);
        }
    }
}

void hf_config_each_certificate(const struct hf_config *config,
                                void (*visit)(void *user,
                                              const struct hf_config_certificate *certificate),
                                void *user)
{
    for (size_t i = 0; i < config->component_count; i++) {
        const struct search search = {&config->components[i], visit, user};
        if (config->uses[i].used && config->uses[i].entry != NULL) {
            look_into(&search, config->uses[i].entry->value);
        }
    }
}
