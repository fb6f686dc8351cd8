#include "bind.h"

#include <string.h>

#include "scalar.h"
#include "util/suggest.h"

static bool is_old_key(const struct hf_field *field, const char *key)
{
    for (const char *const *old = field->old_keys; old != NULL && *old != NULL; old++) {
        if (strcmp(*old, key) == 0) {
            return true;
        }
    }
    return false;
}

const struct hf_field *hf_bind_field(const struct hf_field *fields, const char *key)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        if (strcmp(fields->key, key) == 0 || is_old_key(fields, key)) {
            return fields;
        }
    }
    return NULL;
}

/* ---- keys that are not known -----------------------------------------------------------------
 */

static bool has_map(const struct hf_field *field)
{
    return field->type == HF_FIELD_STRUCT || field->type == HF_FIELD_OPTIONAL;
}

/* "sending_queue::queue_size" for a key that is known one level further in. */
static const char *inner_key(struct hf_load *load, const struct hf_field *fields, const char *key)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        if (has_map(fields) && hf_bind_field(fields->inner, key) != NULL) {
            return hf_config_format(load->memory, "%s::%s", fields->key, key);
        }
    }
    return NULL;
}

void hf_bind_unknown_key(struct hf_load *load, const struct hf_key_path *path,
                         const struct hf_yaml_entry *entry, const struct hf_field *fields)
{
    struct hf_key_path step = {.up = path, .key = entry->key};
    struct hf_suggestion suggestion = {.word = entry->key};

    for (const struct hf_field *field = fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        hf_suggest(&suggestion, field->key);
    }
    const char *best = suggestion.best;
    if (best == NULL) {
        best = inner_key(load, fields, entry->key);
    }
    /* The Go collector names the map by its path within the component. */
    const char *whole = hf_load_path_text(load, path);
    const char *parent = whole == NULL ? NULL : strstr(whole, ": ");
    load->unknown_key_count++;
    hf_load_error(load, entry->place, &step, "unknown key%s%s%s ('%s' has invalid keys: %s)",
                  best == NULL ? "" : "; did you mean \"", best == NULL ? "" : best,
                  best == NULL ? "" : "\"?", parent == NULL ? "" : parent + 2, entry->key);
}

/* ---- defaults -------------------------------------------------------------------------------- */

static bool is_scalar_type(enum hf_field_type type)
{
    return type != HF_FIELD_STRING_LIST && type != HF_FIELD_MAP && type != HF_FIELD_STRUCT &&
           type != HF_FIELD_OPTIONAL && type != HF_FIELD_STRUCT_LIST && type != HF_FIELD_STRUCT_MAP;
}

static void bind_preset(struct hf_load *load, const struct hf_key_path *path,
                        const struct hf_field *field, void *at)
{
    struct hf_yaml_place place = {.file = "preset"};
    const struct hf_yaml *node = NULL;

    if (field->default_text == NULL || field->type == HF_FIELD_IGNORED) {
        return;
    }
    if (is_scalar_type(field->type)) {
        node = hf_yaml_scalar(load, place, field->default_text,
                              hf_scalar_type_of(field->default_text));
    } else {
        struct hf_yaml_input input = {field->default_text, strlen(field->default_text), "preset",
                                      NULL};
        node = hf_yaml_parse(load, &input);
    }
    if (node != NULL && (is_scalar_type(field->type) || !hf_yaml_is_null(node))) {
        hf_bind_value(load, path, node, field, at);
    }
}

/* ---- structs within structs ------------------------------------------------------------------
 */

static void bind_struct_list(struct hf_load *load, const struct hf_key_path *path,
                             const struct hf_yaml *node, const struct hf_field *field, void *at)
{
    if (node->kind != HF_YAML_LIST) {
        hf_load_error(load, node->place, path, "expected a list, got %s", hf_yaml_show(node).text);
        return;
    }
    char *items = hf_config_array(load->memory, node->count, field->inner_size);
    for (size_t i = 0; items != NULL && i < node->count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        hf_bind(load, &step, node->items[i]->place, node->items[i],
                (struct hf_bind_target){field->inner, items + i * field->inner_size});
    }
    if (items != NULL) {
        *(struct hf_struct_list *)at = (struct hf_struct_list){items, node->count};
    }
}

static void bind_struct_map(struct hf_load *load, const struct hf_key_path *path,
                            const struct hf_yaml *node, const struct hf_field *field, void *at)
{
    if (node->kind != HF_YAML_MAP) {
        hf_load_error(load, node->place, path, "expected a map, got %s", hf_yaml_show(node).text);
        return;
    }
    char *items = hf_config_array(load->memory, node->count, field->inner_size);
    const char **keys = hf_config_array(load->memory, node->count, sizeof(*keys));
    if (items == NULL || keys == NULL) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct hf_yaml_entry *entry = &node->entries[i];
        struct hf_key_path step = {.up = path, .key = entry->key};
        keys[i] = entry->key;
        hf_bind(load, &step, entry->place, entry->value,
                (struct hf_bind_target){field->inner, items + i * field->inner_size});
    }
    *(struct hf_struct_map *)at = (struct hf_struct_map){keys, items, node->count};
}

/* Newer collectors let any optional section say `enabled: false`. Returns the section without that
 * key, or NULL when it says so. */
static const struct hf_yaml *without_enabled(struct hf_load *load, const struct hf_key_path *path,
                                             const struct hf_yaml *node,
                                             const struct hf_field *field)
{
    const struct hf_yaml_entry *entry = hf_yaml_find(node, "enabled");
    struct hf_key_path step = {.up = path, .key = "enabled"};
    bool enabled = true;

    if (entry == NULL || hf_bind_field(field->inner, "enabled") != NULL) {
        return node;
    }
    if (!hf_yaml_is_null(entry->value)) {
        const struct hf_field flag = {.key = "enabled", .type = HF_FIELD_BOOL};
        hf_bind_scalar(load, &step, entry->value, &flag, &enabled);
    }
    struct hf_yaml *rest = hf_yaml_new(load, HF_YAML_MAP, node->place);
    for (size_t i = 0; rest != NULL && i < node->count; i++) {
        const struct hf_yaml_entry *other = &node->entries[i];
        if (other != entry && !hf_yaml_put(load, rest, other->key, other->place, other->value)) {
            return NULL;
        }
    }
    return enabled ? rest : NULL;
}

static void bind_optional(struct hf_load *load, const struct hf_key_path *path,
                          const struct hf_yaml *node, const struct hf_field *field, void *at)
{
    const struct hf_yaml *body = without_enabled(load, path, node, field);

    if (body == NULL) {
        return;
    }
    void *inner = hf_config_alloc(load->memory, field->inner_size);
    if (inner != NULL) {
        hf_bind(load, path, node->place, body, (struct hf_bind_target){field->inner, inner});
        *(void **)at = inner;
    }
}

/* Some helps say themselves that the key has no effect; the others only why. */
static void warn_of_ignored(struct hf_load *load, const struct hf_key_path *path,
                            const struct hf_yaml *node, const char *help)
{
    bool told = help == NULL || strstr(help, "effect") != NULL;

    hf_load_warn(load, node->place, path, "%s%s",
                 told ? "" : "has no effect: ", help == NULL ? "accepted without effect" : help);
}

/* Of a list of extensions. */
static void bind_references(struct hf_load *load, const struct hf_key_path *path,
                            const struct hf_yaml *node, const struct hf_field *field,
                            const struct hf_string_list *list)
{
    for (size_t i = 0; field->is_refs && i < list->count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        bool is_noted = hf_bind_reference(load, &step, node->place, field, list->items[i]);
        (void)is_noted; /* without memory the loading fails as a whole */
    }
}

void hf_bind_value(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                   const struct hf_field *field, void *at)
{
    switch (field->type) {
    case HF_FIELD_STRING_LIST:
        hf_bind_strings(load, path, node, field->choices, at);
        bind_references(load, path, node, field, at);
        break;
    case HF_FIELD_MAP:
        hf_bind_map(load, path, node, field, at);
        break;
    case HF_FIELD_STRUCT:
        hf_bind(load, path, node->place, node, (struct hf_bind_target){field->inner, at});
        break;
    case HF_FIELD_OPTIONAL:
        bind_optional(load, path, node, field, at);
        break;
    case HF_FIELD_STRUCT_LIST:
        bind_struct_list(load, path, node, field, at);
        break;
    case HF_FIELD_STRUCT_MAP:
        bind_struct_map(load, path, node, field, at);
        break;
    case HF_FIELD_VALUE:
        hf_bind_any(load, path, node, at);
        break;
    case HF_FIELD_IGNORED:
        warn_of_ignored(load, path, node, field->help);
        break;
    default:
        hf_bind_scalar(load, path, node, field, at);
        break;
    }
}

/* ---- one struct ------------------------------------------------------------------------------
 */

/* The entry that the user wrote for a field, by its new or an old spelling. */
static const struct hf_yaml_entry *written(struct hf_load *load, const struct hf_key_path *path,
                                           const struct hf_yaml *node, const struct hf_field *field)
{
    const struct hf_yaml_entry *entry = hf_yaml_find(node, field->key);

    for (const char *const *old = field->old_keys; old != NULL && *old != NULL; old++) {
        const struct hf_yaml_entry *other = hf_yaml_find(node, *old);
        struct hf_key_path step = {.up = path, .key = *old};
        if (other == NULL) {
            continue;
        }
        if (entry != NULL) {
            hf_load_error(load, other->place, &step, "the same as \"%s\", which is given too",
                          entry->key);
        } else {
            hf_load_warn(load, other->place, &step, "the old spelling of \"%s\"", field->key);
            entry = other;
        }
    }
    return entry;
}

/* Does a null count as written? Elsewhere it is as if the key was not there, as in the Go
 * collector: this is how a later source switches something off. */
static bool takes_null(const struct hf_field *field, const struct hf_yaml *value)
{
    switch (field->type) {
    case HF_FIELD_OPTIONAL:
        return field->null_enables;
    case HF_FIELD_STRING:
    case HF_FIELD_SECRET:
    case HF_FIELD_REF:
    case HF_FIELD_VALUE:
        /* A variable that is not set is an empty text here, and the default elsewhere. */
        return !hf_yaml_is_empty(value);
    case HF_FIELD_STRING_LIST:
        /* YAML takes a variable's "#x" for a comment; here it is one item. */
        return value->original != NULL && hf_scalar_type_of(value->original) != HF_SCALAR_NULL;
    default:
        return false;
    }
}

static void bind_field(struct hf_load *load, const struct hf_key_path *path,
                       struct hf_yaml_place place, const struct hf_yaml *node,
                       const struct hf_field *field, char *base)
{
    struct hf_key_path step = {.up = path, .key = field->key};
    const struct hf_yaml_entry *entry = written(load, path, node, field);
    bool given =
        entry != NULL && (!hf_yaml_is_null(entry->value) || takes_null(field, entry->value));

    if (!given && field->type == HF_FIELD_STRUCT) {
        hf_bind(load, &step, place, NULL,
                (struct hf_bind_target){field->inner, base + field->offset});
    } else if (!given) {
        bind_preset(load, &step, field, base + field->offset);
    }
    if (field->present_offset != 0) {
        *(bool *)(base + field->present_offset) = given;
    }
    if (given) {
        step.key = entry->key;
        hf_bind_value(load, &step, entry->value, field, base + field->offset);
    } else if (field->required) {
        hf_load_error(load, entry != NULL ? entry->place : place, &step, "required, but not given");
    }
}

void hf_bind(struct hf_load *load, const struct hf_key_path *path, struct hf_yaml_place place,
             const struct hf_yaml *node, struct hf_bind_target target)
{
    if (!hf_yaml_is_null(node) && node->kind != HF_YAML_MAP) {
        hf_load_error(load, node->place, path, "expected a map, got %s", hf_yaml_show(node).text);
        node = NULL;
    }
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        if (hf_bind_field(target.fields, node->entries[i].key) == NULL) {
            hf_bind_unknown_key(load, path, &node->entries[i], target.fields);
        }
    }
    for (const struct hf_field *field = target.fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        bind_field(load, path, place, node, field, target.base);
    }
}
