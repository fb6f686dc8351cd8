/*
 * component_rules: what every component has to keep, for tests that walk a registry: it has the
 * operations of its kind and no others, and its table of keys fits its configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "config/bind.h"
#include "config/component_fields.h"
#include "config/load.h"

#define RULES_DEPTH_MAX 8 /* a table may hold itself */

#define RULE(component, condition, ...)                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("%s: ", (component)->type);                                                \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

/* ---- operations ---- */

static inline void check_operations(const struct hf_component *component)
{
    enum hf_kind kind = component->kind;
    bool is_queued = component->queued != NULL;
    RULE(component, kind != HF_PROCESSOR || is_queued != (component->processor != NULL),
         "a processor answers at once or is queued, not both");
    RULE(component, kind == HF_PROCESSOR || component->processor == NULL, "is no processor");
    RULE(component, (kind == HF_CONNECTOR) == (component->connector != NULL), "connector or not?");
    bool connects = component->connector != NULL && component->connector->connect != NULL;
    RULE(component, kind != HF_CONNECTOR || is_queued != connects,
         "a connector answers at once or is queued, not both");
    RULE(component, kind == HF_PROCESSOR || kind == HF_CONNECTOR || !is_queued, "is not queued");
    RULE(component, (kind == HF_EXPORTER) == (component->exporter != NULL), "exporter or not?");
    RULE(component, kind == HF_EXTENSION || component->extension == NULL, "is no extension");
    RULE(component, !is_queued || component->queued->process_queued != NULL, "process_queued");
    RULE(component, kind != HF_EXPORTER || component->exporter->send != NULL, "send");
    RULE(component, kind != HF_RECEIVER || component->start != NULL, "a receiver starts");
    RULE(component, component->start == NULL || component->stop != NULL, "what starts, stops");
    RULE(component,
         component->open == NULL || component->config_size == 0 || component->fields != NULL,
         "keys");
}

/* What a connector reads is what it makes something of. */
static inline void check_signals(const struct hf_component *component)
{
    bool has_signals =
        component->signals != 0 && (component->signals & ~HF_ALL_SIGNALS_AND_PROFILES) == 0;
    RULE(component, has_signals == (component->kind != HF_EXTENSION), "signals");
    for (int i = 0; component->connector != NULL && i < HF_SIGNAL_COUNT; i++) {
        bool reads = (component->signals & HF_SIGNAL_BIT(i)) != 0;
        RULE(component, reads == (component->connector->makes[i] != 0), "%s",
             hf_signal_name((enum hf_signal)i));
        RULE(component, (component->connector->makes[i] & ~HF_ALL_SIGNALS_AND_PROFILES) == 0,
             "makes");
    }
}

/* ---- keys ---- */

static inline size_t size_of_field(const struct hf_field *field)
{
    switch (field->type) {
    case HF_FIELD_BOOL:
        return sizeof(bool);
    case HF_FIELD_STRING_LIST:
        return sizeof(struct hf_string_list);
    case HF_FIELD_MAP:
        return sizeof(struct hf_string_map);
    case HF_FIELD_STRUCT_LIST:
        return sizeof(struct hf_struct_list);
    case HF_FIELD_STRUCT_MAP:
        return sizeof(struct hf_struct_map);
    case HF_FIELD_VALUE:
        return sizeof(struct hf_value);
    case HF_FIELD_END:
    case HF_FIELD_STRUCT: /* as large as what is in it */
    case HF_FIELD_IGNORED:
        return 0;
    default:
        return 8;
    }
}

/* The default goes the way of what a user writes. The section stands `base` bytes into its block,
 * as it does when it is loaded: its members are aligned only there. */
static inline void check_default(const struct hf_component *component, const struct hf_field *field,
                                 size_t base, size_t size)
{
    const struct hf_config_options options = {0};
    const struct hf_key_path path = {.key = component->type};
    const struct hf_yaml_place place = {.file = "default"};
    struct hf_load load = {.options = &options,
                           .memory = hf_config_memory_new(HF_CONFIG_MEMORY_BYTES)};
    struct hf_field fields[2] = {*field, HF_FIELDS_END};
    load.last_found = &load.first_found;
    fields[0].required = false;
    assert_non_null(load.memory);
    char *block = hf_config_alloc(load.memory, base + size);
    assert_non_null(block);
    hf_bind(&load, &path, place, NULL, (struct hf_bind_target){fields, block + base});
    RULE(component, load.first_found == NULL, "%s: its default does not parse: %s", field->key,
         load.first_found != NULL ? load.first_found->text : "");
    hf_config_memory_free(load.memory);
}

static inline bool is_of_sections(enum hf_field_type type)
{
    return type == HF_FIELD_STRUCT || type == HF_FIELD_OPTIONAL || type == HF_FIELD_STRUCT_LIST ||
           type == HF_FIELD_STRUCT_MAP;
}

static inline void check_fields(const struct hf_component *component, const struct hf_field *fields,
                                size_t base, size_t size, unsigned depth)
{
    for (const struct hf_field *field = fields;
         field != NULL && field->type != HF_FIELD_END && depth < RULES_DEPTH_MAX; field++) {
        RULE(component, field->key != NULL && field->key[0] != '\0', "a key without a name");
        RULE(component, hf_bind_field(fields, field->key) == field, "%s is there twice",
             field->key);
        RULE(component, field->help != NULL && field->help[0] != '\0', "%s has no help",
             field->key);
        RULE(component, field->offset + size_of_field(field) <= size, "%s is outside", field->key);
        RULE(component, field->present_offset < size || size == 0, "%s is outside", field->key);
        RULE(component, field->min <= field->max, "%s: its bounds are crossed", field->key);
        RULE(component, field->type != HF_FIELD_ENUM || field->choices != NULL, "%s has no choices",
             field->key);
        RULE(component, is_of_sections(field->type) == (field->inner != NULL),
             "%s: a section has keys", field->key);
        check_default(component, field, base, size);
        if (field->inner != NULL) {
            bool is_inline = field->type == HF_FIELD_STRUCT;
            check_fields(component, field->inner, is_inline ? base + field->offset : 0,
                         is_inline ? size - field->offset : field->inner_size, depth + 1);
        }
    }
}

static inline void check_component(const struct hf_component *component)
{
    struct hf_config_memory *memory = hf_config_memory_new(HF_CONFIG_MEMORY_BYTES);
    assert_non_null(memory);
    RULE(component, component->help != NULL && component->help[0] != '\0', "help");
    check_operations(component);
    check_signals(component);
    check_fields(component, hf_component_fields(memory, component), 0,
                 hf_component_block_size(component), 0);
    hf_config_memory_free(memory);
}

/* All of a registry, which ends with NULL; no two of a kind have the same name. */
static inline void check_registry(const struct hf_component *const *registry)
{
    for (size_t i = 0; registry[i] != NULL; i++) {
        check_component(registry[i]);
        for (size_t k = 0; k < i; k++) {
            RULE(registry[i],
                 registry[i]->kind != registry[k]->kind ||
                     strcmp(registry[i]->type, registry[k]->type) != 0,
                 "there are two of that name");
        }
    }
}
