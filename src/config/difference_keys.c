/*
 * difference_keys: the keys of a component whose values differ in their meaning.
 */
#include <string.h>
#include <strings.h>

#include "bind.h"
#include "difference.h"
#include "scalar.h"

bool hf_config_same_tree(const struct hf_yaml *a, const struct hf_yaml *b)
{
    if (hf_yaml_is_null(a) || hf_yaml_is_null(b)) {
        return hf_yaml_is_null(a) == hf_yaml_is_null(b);
    }
    if (a->kind != b->kind || a->count != b->count || a->scalar != b->scalar) {
        return false;
    }
    if (a->kind == HF_YAML_SCALAR) {
        return strcmp(a->text, b->text) == 0;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct hf_yaml *other =
            a->kind == HF_YAML_LIST ? b->items[i] : hf_yaml_value(b, a->entries[i].key);
        const struct hf_yaml *one = a->kind == HF_YAML_LIST ? a->items[i] : a->entries[i].value;
        if (other == NULL || !hf_config_same_tree(one, other)) {
            return false;
        }
    }
    return true;
}

/* The text of one value, or its default; NULL: there is none. */
static const char *text_of(const struct hf_field *field, const struct hf_yaml *node)
{
    const char *text = hf_yaml_is_empty(node) ? NULL : hf_yaml_string(node);
    return text != NULL ? text : field->default_text;
}

/* Do two texts give the same number? */
static bool same_number(enum hf_field_type type, const char *a, const char *b)
{
    const char *why = NULL;
    int64_t integers[2] = {0};
    uint64_t sizes[2] = {0};
    double numbers[2] = {0};
    bool flags[2] = {false};
    switch (type) {
    case HF_FIELD_BOOL:
        return hf_scalar_bool(a, &flags[0]) && hf_scalar_bool(b, &flags[1]) && flags[0] == flags[1];
    case HF_FIELD_INT:
        return hf_scalar_int(a, &integers[0]) == HF_SCALAR_GOOD &&
               hf_scalar_int(b, &integers[1]) == HF_SCALAR_GOOD && integers[0] == integers[1];
    case HF_FIELD_DOUBLE:
        return hf_scalar_double(a, &numbers[0]) == HF_SCALAR_GOOD &&
               hf_scalar_double(b, &numbers[1]) == HF_SCALAR_GOOD && numbers[0] == numbers[1];
    case HF_FIELD_DURATION: /* a bare number is nanoseconds */
        return (hf_scalar_duration(a, &integers[0], &why) ||
                hf_scalar_int(a, &integers[0]) == HF_SCALAR_GOOD) &&
               (hf_scalar_duration(b, &integers[1], &why) ||
                hf_scalar_int(b, &integers[1]) == HF_SCALAR_GOOD) &&
               integers[0] == integers[1];
    case HF_FIELD_BYTES:
        return hf_scalar_bytes(a, &sizes[0]) == HF_SCALAR_GOOD &&
               hf_scalar_bytes(b, &sizes[1]) == HF_SCALAR_GOOD && sizes[0] == sizes[1];
    case HF_FIELD_ENUM:
        return strcasecmp(a, b) == 0;
    default:
        return false;
    }
}

/* What an absent one is: as if zero was written. */
static const char *zero_of(const struct hf_field *field)
{
    switch (field->type) {
    case HF_FIELD_BOOL:
        return "false";
    case HF_FIELD_INT:
    case HF_FIELD_DOUBLE:
    case HF_FIELD_DURATION:
    case HF_FIELD_BYTES:
        return "0";
    case HF_FIELD_ENUM:
        return field->choices[0];
    default:
        return NULL;
    }
}

static bool same_scalar(const struct hf_field *field, struct hf_config_pair pair)
{
    const char *before = text_of(field, pair.before), *after = text_of(field, pair.after);
    before = before != NULL ? before : zero_of(field);
    after = after != NULL ? after : zero_of(field);
    if (before == NULL || after == NULL) {
        return before == after;
    }
    return strcmp(before, after) == 0 || same_number(field->type, before, after);
}

static void add_key(struct hf_key_list *keys, const struct hf_key_path *path)
{
    const struct hf_key_path *steps[HF_CONFIG_DEPTH];
    size_t count = 0;
    for (; path != NULL && count < HF_CONFIG_DEPTH; path = path->up) {
        steps[count++] = path;
    }
    fputs(keys->count++ == 0 ? "" : ", ", keys->out);
    for (bool first = true; count > 0; first = false) {
        const struct hf_key_path *step = steps[--count];
        if (step->key == NULL) {
            fprintf(keys->out, "[%zu]", step->index);
        } else {
            fprintf(keys->out, "%s%s", first ? "" : "::", step->key);
        }
    }
}

/* Is an optional section there? */
static bool is_on(const struct hf_field *field, const struct hf_yaml_entry *entry)
{
    bool enabled = true;
    if (entry == NULL || (hf_yaml_is_null(entry->value) && !field->null_enables)) {
        return false;
    }
    const struct hf_yaml *flag = hf_yaml_value(entry->value, "enabled");
    if (hf_yaml_is_null(flag) || hf_bind_field(field->inner, "enabled") != NULL) {
        return true;
    }
    return !hf_scalar_bool(flag->text, &enabled) || enabled;
}

static const struct hf_yaml_entry *written(const struct hf_yaml *map, const struct hf_field *field)
{
    const struct hf_yaml_entry *entry = hf_yaml_find(map, field->key);
    for (const char *const *old = field->old_keys; entry == NULL && old != NULL && *old != NULL;
         old++) {
        entry = hf_yaml_find(map, *old);
    }
    return entry;
}

static void compare_items(const struct hf_field *field, struct hf_config_pair pair,
                          const struct hf_key_path *path, struct hf_key_list *keys)
{
    size_t before = hf_yaml_is_null(pair.before) ? 0 : pair.before->count;
    size_t after = hf_yaml_is_null(pair.after) ? 0 : pair.after->count;
    if (before != after) {
        add_key(keys, path); /* which ones are new is a guess */
        return;
    }
    for (size_t i = 0; i < before; i++) {
        struct hf_config_pair items = {pair.before->items[i], pair.after->items[i]};
        struct hf_key_path step = {.up = path, .index = i};
        hf_config_compare(field->inner, items, &step, keys);
    }
}

static void compare_entries(const struct hf_field *field, struct hf_config_pair pair,
                            const struct hf_key_path *path, struct hf_key_list *keys)
{
    for (size_t i = 0; !hf_yaml_is_null(pair.before) && i < pair.before->count; i++) {
        const struct hf_yaml_entry *entry = &pair.before->entries[i];
        const struct hf_yaml_entry *other = hf_yaml_find(pair.after, entry->key);
        struct hf_key_path step = {.up = path, .key = entry->key};
        if (other == NULL) {
            add_key(keys, &step);
        } else {
            struct hf_config_pair values = {entry->value, other->value};
            hf_config_compare(field->inner, values, &step, keys);
        }
    }
    for (size_t i = 0; !hf_yaml_is_null(pair.after) && i < pair.after->count; i++) {
        struct hf_key_path step = {.up = path, .key = pair.after->entries[i].key};
        if (hf_yaml_find(pair.before, step.key) == NULL) {
            add_key(keys, &step);
        }
    }
}

static void compare_field(const struct hf_field *field, struct hf_config_pair maps,
                          const struct hf_key_path *path, struct hf_key_list *keys)
{
    const struct hf_yaml_entry *before = written(maps.before, field);
    const struct hf_yaml_entry *after = written(maps.after, field);
    struct hf_config_pair pair = {before == NULL ? NULL : before->value,
                                  after == NULL ? NULL : after->value};
    bool same = true;
    switch (field->type) {
    case HF_FIELD_IGNORED:
        break;
    case HF_FIELD_OPTIONAL:
        same = is_on(field, before) == is_on(field, after);
        if (same && is_on(field, before)) {
            hf_config_compare(field->inner, pair, path, keys);
        }
        break;
    case HF_FIELD_STRUCT:
        hf_config_compare(field->inner, pair, path, keys);
        break;
    case HF_FIELD_STRUCT_LIST:
        compare_items(field, pair, path, keys);
        break;
    case HF_FIELD_STRUCT_MAP:
        compare_entries(field, pair, path, keys);
        break;
    case HF_FIELD_STRING_LIST:
    case HF_FIELD_MAP:
    case HF_FIELD_VALUE:
        same = hf_config_same_tree(pair.before, pair.after);
        break;
    default:
        same = same_scalar(field, pair);
        break;
    }
    if (!same) {
        add_key(keys, path);
    }
}

void hf_config_compare(const struct hf_field *fields, struct hf_config_pair maps,
                       const struct hf_key_path *path, struct hf_key_list *keys)
{
    for (const struct hf_field *field = fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        struct hf_key_path step = {.up = path, .key = field->key};
        compare_field(field, maps, &step, keys);
    }
}
