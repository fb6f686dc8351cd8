#include "health.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLE "HOLDFAST_HEALTH"
#define TYPE "health_check"
#define ID TYPE "/environment"

static const char *address(const struct hf_load *load)
{
    const char *text =
        load->options->getenv != NULL ? load->options->getenv(VARIABLE) : getenv(VARIABLE);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* health_check, healthcheck, health_check_v2 and healthcheckv2, with or without a name. */
static bool is_health_check(const char *id)
{
    return strncmp(id, TYPE, strlen(TYPE)) == 0 || strncmp(id, "healthcheck", 11) == 0;
}

static bool has_health_check(const struct hf_yaml *extensions)
{
    for (size_t i = 0; i < extensions->count; i++) {
        const char *id = hf_yaml_string(extensions->items[i]);
        if (id != NULL && is_health_check(id)) {
            return true;
        }
    }
    return false;
}

/* The map or list under that key, made when there is none; NULL: there is something else, which is
 * reported where it is read, or no memory. */
static struct hf_yaml *need(struct hf_load *load, struct hf_yaml *map, const char *key,
                            enum hf_yaml_kind kind)
{
    const struct hf_yaml_place place = {.file = VARIABLE};
    struct hf_yaml_entry *entry = hf_yaml_find(map, key);
    if (entry != NULL && !hf_yaml_is_null(entry->value)) {
        return entry->value->kind == kind ? entry->value : NULL;
    }
    struct hf_yaml *made = hf_yaml_new(load, kind, place);
    if (made == NULL) {
        return NULL;
    }
    if (entry != NULL) {
        entry->value = made;
        return made;
    }
    return hf_yaml_put(load, map, key, place, made) ? made : NULL;
}

void hf_config_add_health(struct hf_load *load, struct hf_yaml *root)
{
    const struct hf_yaml_place place = {.file = VARIABLE};
    const char *endpoint = address(load);
    struct hf_yaml *service = hf_yaml_value(root, "service");
    if (endpoint == NULL || service == NULL || service->kind != HF_YAML_MAP) {
        return;
    }
    struct hf_yaml *used = need(load, service, "extensions", HF_YAML_LIST);
    struct hf_yaml *defined = need(load, root, "extensions", HF_YAML_MAP);
    if (used == NULL || defined == NULL || has_health_check(used) ||
        hf_yaml_find(defined, ID) != NULL) {
        return;
    }
    const char *copy = hf_config_format(load->memory, "%s", endpoint);
    struct hf_yaml *config = hf_yaml_new(load, HF_YAML_MAP, place);
    struct hf_yaml *text =
        copy != NULL ? hf_yaml_scalar(load, place, copy, HF_SCALAR_STRING) : NULL;
    struct hf_yaml *id = hf_yaml_scalar(load, place, ID, HF_SCALAR_STRING);
    bool added = config != NULL && text != NULL && id != NULL &&
                 hf_yaml_put(load, config, "endpoint", place, text) &&
                 hf_yaml_put(load, defined, ID, place, config) && hf_yaml_append(load, used, id);
    (void)added; /* out of memory is remembered by the memory, and reported */
}
